//! Installing `landbridge-node` on a physical host over OpenSSH, with the person's own configuration, agent and known hosts.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::CliError;
use crate::program::NodeProgram;

/// Where the program goes.
const REMOTE: &str = "/usr/local/sbin/landbridge-node";

/// Receives the program on standard input and replaces the old one in one step.
const INSTALL: &str = "umask 022 && cat > /usr/local/sbin/.landbridge-node.new \
                       && chmod 755 /usr/local/sbin/.landbridge-node.new \
                       && mv /usr/local/sbin/.landbridge-node.new /usr/local/sbin/landbridge-node";

/// Copies `landbridge-node` from beside our own program to `target` and enrols it with the token.
pub(super) fn enrol(target: &str, token: &str) -> Result<(), CliError> {
    let program = NodeProgram::find().map_err(|error| CliError::Program {
        program: "installing landbridge-node".into(),
        seen: error.to_string(),
        remedy: "install landbridge and landbridge-node in the same directory".into(),
    })?;
    remote(target, INSTALL, &program.bytes)?;
    remote(target, &format!("{REMOTE} host join --token-stdin"), format!("{token}\n").as_bytes())
}

/// Runs a command there, feeding it `input`: secrets never stand in a process list on either side.
fn remote(target: &str, command: &str, input: &[u8]) -> Result<(), CliError> {
    let failed = |seen: String| CliError::Program {
        program: format!("ssh {target}"),
        seen,
        remedy: format!("try it by hand: ssh {target} true"),
    };
    let mut child = Command::new("ssh")
        .args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "--", target, command])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(e.to_string()))?;
    let fed = child.stdin.take().expect("piped").write_all(input);
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(fed?);
    }
    Err(failed(format!("{}; {}", output.status, String::from_utf8_lossy(&output.stderr).trim())))
}
