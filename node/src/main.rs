//! `landbridge-node`: joins a machine to a Landbridge cluster and keeps it there.

fn main() {}
