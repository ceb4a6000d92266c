//! Programs of ours that nobody wrote down, found by the marker in their environment.

use std::fs;
use std::io;
use std::path::Path;

use super::StepError;
use super::command::MARKER;
use super::pidfd::{PidFd, Stat, gone, read};

/// Ends every process whose environment has the marker.
pub(super) async fn end(marker: &str) -> Result<(), StepError> {
    end_those(marker, |_, _| true).await
}

/// Ends what is left of the session that `leader` began.
pub(super) async fn end_session(marker: &str, leader: i32) -> Result<(), StepError> {
    end_those(marker, |_, stat| stat.session == leader).await
}

/// Ends the processes with the marker that lead a session and were started with this very argv.
pub(super) async fn end_twins(marker: &str, argv: &[String]) -> Result<(), StepError> {
    let same = |pid: i32| {
        let found = read(pid, "cmdline").unwrap_or_default();
        found.split(|byte| *byte == 0).zip(argv).all(|(found, wanted)| found == wanted.as_bytes())
    };
    end_those(marker, |pid, stat| stat.session == pid && same(pid)).await
}

async fn end_those(marker: &str, which: impl Fn(i32, Stat) -> bool) -> Result<(), StepError> {
    let failed = |cause| StepError::new("ending what is left of", marker, cause);
    for pid in processes().map_err(failed)? {
        let Some(stat) = Stat::read(pid).map_err(failed)? else { continue };
        if !which(pid, stat) || !has(pid, marker).map_err(failed)? {
            continue;
        }
        let Some(fd) = PidFd::open(pid).map_err(failed)? else { continue };
        // Again, now that the id can't pass to another.
        if has(pid, marker).map_err(failed)? {
            fd.kill().await.map_err(failed)?;
        }
    }
    Ok(())
}

fn processes() -> io::Result<Vec<i32>> {
    let entries = fs::read_dir(Path::new("/proc"))?.flatten();
    Ok(entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

fn has(pid: i32, marker: &str) -> io::Result<bool> {
    let entry = format!("{MARKER}={marker}");
    match read(pid, "environ") {
        Ok(environ) => Ok(environ.split(|byte| *byte == 0).any(|found| found == entry.as_bytes())),
        Err(error) if gone(&error) || error.kind() == io::ErrorKind::PermissionDenied => Ok(false),
        Err(error) => Err(error),
    }
}
