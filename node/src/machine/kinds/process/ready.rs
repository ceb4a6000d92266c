//! When a program counts as started.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};

use super::gate::GATE;
use super::occupant;
use crate::machine::command::tail;
use crate::machine::pidfd::{Identity, PidFd};
use crate::machine::{Cause, Process, Readiness, Watch};

/// Between two attempts, at first and at last. There is no event for a socket of somebody else's that begins to listen.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LAST_PAUSE: Duration = Duration::from_millis(20);
/// A connection to a machine's own address that takes longer will not come.
const CONNECT: Duration = Duration::from_secs(1);

/// Refuses when somebody answers already where the program should: it would be taken for ours.
pub(super) async fn nobody_else(ready: &Readiness) -> Result<(), Cause> {
    let (place, who) = match ready {
        Readiness::Tcp(address) if tcp(*address).await => (address.to_string(), occupant::of_port(*address)),
        Readiness::Unix(path) if UnixStream::connect(path).await.is_ok() => {
            (path.display().to_string(), occupant::of_path(path))
        }
        _ => return Ok(()),
    };
    let who = who.map(|who| format!(": {who}")).unwrap_or_default();
    Err(Cause::Refused(format!("a program that is not ours answers at {place} already; stop it first{who}")))
}

/// Waits until the program is ready, has ended, or is late.
pub(super) async fn wait(
    wanted: &Process,
    process: Option<PidFd>,
    identity: &Identity,
    log: &Path,
    behind: u64,
) -> Result<(), Cause> {
    let ended = || Cause::Ended { program: wanted.argv[0].clone(), tail: tail(log, behind) };
    let Some(process) = process else { return Err(ended()) };
    let first = async {
        tokio::select! {
            biased;
            () = process.exited() => Err(ended()),
            ready = ready(&wanted.ready, identity, log, behind) => Ok(ready?),
        }
    };
    tokio::time::timeout(wanted.deadline, first)
        .await
        .unwrap_or_else(|_| Err(Cause::Deadline { after: wanted.deadline, tail: tail(log, behind) }))
}

async fn ready(ready: &Readiness, identity: &Identity, log: &Path, behind: u64) -> io::Result<()> {
    repeat(async || !in_gate(identity)).await;
    match ready {
        Readiness::Running => {}
        Readiness::Tcp(address) => repeat(async || tcp(*address).await).await,
        Readiness::Unix(path) => repeat(async || UnixStream::connect(path).await.is_ok()).await,
        Readiness::Log(text) => line(log, behind, text.as_bytes()).await?,
    }
    Ok(())
}

async fn repeat<Attempt: Future<Output = bool>>(mut attempt: impl FnMut() -> Attempt) {
    let mut pause = FIRST_PAUSE;
    while !attempt().await {
        tokio::time::sleep(pause).await;
        pause = LAST_PAUSE.min(pause * 2);
    }
}

async fn tcp(address: SocketAddr) -> bool {
    matches!(tokio::time::timeout(CONNECT, TcpStream::connect(address)).await, Ok(Ok(_)))
}

/// Whether the gate has not yet become the program.
fn in_gate(identity: &Identity) -> bool {
    let argv = fs::read(format!("/proc/{}/cmdline", identity.pid())).unwrap_or_default();
    argv.split(|byte| *byte == 0).any(|argument| argument == GATE.as_bytes())
}

async fn line(log: &Path, behind: u64, text: &[u8]) -> io::Result<()> {
    let watch = Watch::of(log)?;
    while !has_line(log, behind, text)? {
        watch.changed().await?;
    }
    Ok(())
}

fn has_line(log: &Path, behind: u64, text: &[u8]) -> io::Result<bool> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(behind))?;
    let mut written = vec![];
    file.read_to_end(&mut written)?;
    Ok(text.is_empty() || written.windows(text.len()).any(|part| part == text))
}
