//! The first process of every machine of the lab. Started by the lab, not by people.

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let Err(err) = netns_tests::init_main(&arguments) {
        eprintln!("landbridge-lab-init: {err}");
        std::process::exit(1);
    }
}
