//! What each of our programs does around its work.

use std::process::ExitCode;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::CliError;

/// Does the work, and says on standard error why it failed, unless that was said already. The exit status is the work's own.
pub fn main(work: impl FnOnce() -> Result<ExitCode, CliError>) -> ExitCode {
    // One crypto provider in the whole tree; it fails only when there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    raise_file_limit();
    match work() {
        Ok(code) => code,
        Err(error) => {
            if !error.is_told() {
                eprintln!("{:?}", miette::Report::new(error));
            }
            ExitCode::FAILURE
        }
    }
}

/// A worker's connection takes a file descriptor in the daemon, and in a tunnel server that we start. The soft limit that a service or a
/// login begins with, 1,024, is for programs that use select(2).
fn raise_file_limit() {
    const ENOUGH: u64 = 16_384;
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < ENOUGH
    {
        // Less than asked for is what there is.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard.min(ENOUGH), hard);
    }
}
