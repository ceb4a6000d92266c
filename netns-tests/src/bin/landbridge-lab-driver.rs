//! The driver of the lab's physical hosts: hands the question to the lab, and prints what it says.

use std::io::Read as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let operation = std::env::args().nth(1).unwrap_or_default();
    let mut request = String::new();
    let read = std::io::stdin().read_to_string(&mut request);
    match read.and_then(|_| netns_tests::hypervisor::ask(&operation, &request)) {
        Ok((status, answer)) => {
            println!("{answer}");
            ExitCode::from(status)
        }
        Err(error) => {
            eprintln!("asking the lab: {error}");
            ExitCode::FAILURE
        }
    }
}
