//! `landbridge-node`: joins a machine to a Landbridge cluster and keeps it there.

use landbridge_node::cli::{self, Exit};

fn main() -> Exit {
    cli::main()
}
