//! Asking the program: once for each operation, bounded in time and in what it may say.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use landbridge_node::machine::Family;
use landbridge_pki::NodeName;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::wire::{Failure, Operation, Request};
use crate::provider::{FailureKind, Left, ProviderError};

/// For what only looks.
const LOOK: Duration = Duration::from_secs(20);
/// For what makes or ends a machine.
const CHANGE: Duration = Duration::from_mins(2);
/// The longest answer, and the longest complaint, in bytes.
const MOST: u64 = 1024 * 1024;

/// A driver of one host.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// Absolute.
    pub(super) path: PathBuf,
    /// The host that it is asked about.
    pub(super) host: NodeName,
}

/// How it ended, and what it said.
struct Ended {
    status: ExitStatus,
    answer: Vec<u8>,
    complaint: String,
}

impl Operation {
    fn deadline(self) -> Duration {
        match self {
            Self::Offer | Self::List | Self::Console => LOOK,
            Self::Provision | Self::Destroy | Self::Remove => CHANGE,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Offer => "asking what the host offers",
            Self::List => "listing the machines",
            Self::Provision => "making the machine",
            Self::Destroy => "destroying the machine",
            Self::Console => "reading the console",
            Self::Remove => "removing a leftover",
        }
    }
}

impl Program {
    /// Asks, and reads the answer.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        operation: Operation,
        request: &Request,
    ) -> Result<T, ProviderError> {
        let deadline = operation.deadline();
        let Ok(ended) = tokio::time::timeout(deadline, self.run(operation, request)).await else {
            let seen = format!("no answer within {} s: it was ended", deadline.as_secs());
            return Err(self.failed(operation, request, &seen));
        };
        let ended = ended.map_err(|error| self.unasked(operation, request, &error))?;
        if ended.status.success() {
            return serde_json::from_slice(&ended.answer).map_err(|error| self.nonsense(operation, &error.to_string()));
        }
        Err(match serde_json::from_slice::<Failure>(&ended.answer) {
            Ok(failure) => self.refused(operation, request, failure),
            Err(_) if ended.complaint.is_empty() => {
                self.failed(operation, request, &format!("it ended with {}", ended.status))
            }
            Err(_) => self.failed(operation, request, &ended.complaint),
        })
    }

    async fn run(&self, operation: Operation, request: &Request) -> std::io::Result<Ended> {
        let mut child = self.start(operation)?;
        let request = serde_json::to_vec(request).map_err(std::io::Error::other)?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async move {
            let Some(mut stdin) = stdin else { return };
            // One that knows its answer without reading closes the pipe: its answer counts.
            let _ = stdin.write_all(&request).await;
        };
        let family = Family::of(&child);
        let ((), answer, complaint) = tokio::join!(write, read(stdout), read(stderr));
        let complaint = String::from_utf8_lossy(&complaint?).trim().to_owned();
        let status = child.wait().await?;
        family.let_go();
        Ok(Ended { status, answer: answer?, complaint })
    }

    fn start(&self, operation: Operation) -> std::io::Result<Child> {
        Command::new(&self.path)
            .arg(operation.as_str())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    fn object(&self, request: &Request) -> String {
        request.launch.as_ref().map_or_else(|| self.host.to_string(), |l| format!("{} on {}", l.worker, self.host))
    }

    /// It could not be run: nothing was done.
    fn unasked(&self, operation: Operation, request: &Request, error: &std::io::Error) -> ProviderError {
        ProviderError {
            operation: operation.words(),
            object: self.object(request),
            seen: format!("the driver {} could not be run: {error}", self.path.display()),
            remedy: format!("see `driver` of {} in the cluster's file", self.host),
            kind: FailureKind::Refused,
            left: Left::Nothing,
        }
    }

    /// It failed without saying how.
    fn failed(&self, operation: Operation, request: &Request, seen: &str) -> ProviderError {
        ProviderError {
            operation: operation.words(),
            object: self.object(request),
            seen: format!("{}: {seen}", self.path.display()),
            remedy: by_hand(operation),
            kind: FailureKind::Passing,
            left: Left::Unknown,
        }
    }

    fn refused(&self, operation: Operation, request: &Request, failure: Failure) -> ProviderError {
        ProviderError {
            operation: operation.words(),
            object: self.object(request),
            seen: failure.seen,
            remedy: failure.remedy.unwrap_or_else(|| by_hand(operation)),
            kind: failure.kind.into(),
            left: failure.left.into(),
        }
    }

    /// It succeeded with an answer that is none.
    pub(super) fn nonsense(&self, operation: Operation, seen: &str) -> ProviderError {
        ProviderError {
            operation: operation.words(),
            object: self.host.to_string(),
            seen: format!("{} gave an answer that is none: {seen}", self.path.display()),
            remedy: "compare it with what the driver's protocol says".into(),
            kind: FailureKind::Refused,
            left: Left::Unknown,
        }
    }
}

fn by_hand(operation: Operation) -> String {
    format!("run it by hand with the argument {} and a request on its standard input", operation.as_str())
}

/// Everything up to the limit; one that says more loses its pipe.
async fn read(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut said = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(MOST).read_to_end(&mut said).await?;
    }
    Ok(said)
}
