//! One worker on one machine at a time.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use super::{State, StateError, make_directory, replace};
use crate::paths::remove_if_empty;

/// An agent that is told to end does so between two steps, of which mounting and unmounting take longest.
const PATIENCE: Duration = Duration::from_mins(2);
/// Past it a person wants to know what is waited for.
const SOON: Duration = Duration::from_secs(1);

/// The right to change this machine, until dropped.
#[derive(Debug)]
pub struct Lock {
    held: Flock<File>,
    path: PathBuf,
}

/// Somebody else has it.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another `landbridge-node` is at work.
    #[error("another landbridge-node is at work on this machine (process {pid}); wait for it, or end it")]
    Held {
        /// Its process id.
        pid: i32,
        /// What it does.
        work: Work,
    },
    /// The lock file can't be used.
    #[error(transparent)]
    State(#[from] StateError),
}

/// What the holder of the lock is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A person's command, which ends by itself.
    Command,
    /// The agent, which gives way when it is told to end.
    Agent,
}

impl Work {
    fn waited_for(self, pid: i32) -> String {
        let who = match self {
            Self::Command => "another landbridge-node",
            Self::Agent => "the agent, which ends when the step that it is at is done",
        };
        format!("waiting up to {} s for process {pid}: {who}", PATIENCE.as_secs())
    }
}

impl Lock {
    /// Says what the holder does from now on.
    pub fn work(&mut self, work: Work) -> Result<(), StateError> {
        write_holder(&mut self.held, work).map_err(StateError::io("writing", &self.path))
    }
}

impl State {
    /// Takes the lock, or says who has it.
    pub fn lock(&self, work: Work) -> Result<Lock, LockError> {
        let path = self.paths.lock();
        make_directory(&self.paths.state)?;
        let file = open(&path).map_err(StateError::io("opening", &path))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            // Whoever had it has removed it.
            Ok(held) if !is_at(&held, &path) => self.lock(work),
            Ok(held) => {
                let mut lock = Lock { held, path };
                lock.work(work)?;
                Ok(lock)
            }
            Err((mut file, Errno::EWOULDBLOCK)) => {
                let (pid, work) = read_holder(&mut file);
                Err(LockError::Held { pid, work })
            }
            Err((_, errno)) => Err(StateError::io("locking", &path)(errno.into()).into()),
        }
    }

    /// Removes the lock and the directory, when nothing else is remembered any more.
    pub fn vacate(&self, lock: Lock) -> Result<(), StateError> {
        replace::remove(&lock.path)?;
        drop(lock);
        remove_if_empty(&self.paths.state).map_err(StateError::io("removing", &self.paths.state))
    }

    /// The agent's process, if it runs.
    pub fn agent(&self) -> Option<i32> {
        let mut file = File::open(self.paths.lock()).ok()?;
        let (pid, work) = read_holder(&mut file);
        // Asked for as a shared lock and given back at once.
        let held = matches!(Flock::lock(file, FlockArg::LockSharedNonblock), Err((_, Errno::EWOULDBLOCK)));
        (held && work == Work::Agent).then_some(pid)
    }

    /// Takes the lock within [`PATIENCE`]; an agent is told to end, and what it keeps running goes on. Whoever is still at work
    /// after [`SOON`] is named to `waiting`, once.
    pub async fn take_over(&self, mut waiting: impl FnMut(&str)) -> Result<Lock, LockError> {
        let start = Instant::now();
        let (mut told, mut said) = (0, false);
        loop {
            match self.lock(Work::Command) {
                Err(LockError::Held { pid, work }) if start.elapsed() < PATIENCE => {
                    // Whoever holds the lock is alive, so its process id is its own.
                    if work == Work::Agent && pid > 1 && told != pid {
                        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
                        told = pid;
                    }
                    if !said && start.elapsed() > SOON {
                        waiting(&work.waited_for(pid));
                        said = true;
                    }
                    sleep(Duration::from_millis(5)).await;
                }
                settled => return settled,
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn is_at(file: &File, path: &Path) -> bool {
    let id = |found: &Metadata| (found.dev(), found.ino());
    matches!((file.metadata(), path.metadata()), (Ok(ours), Ok(theirs)) if id(&ours) == id(&theirs))
}

fn write_holder(file: &mut File, holder: Work) -> io::Result<()> {
    let word = match holder {
        Work::Command => "command",
        Work::Agent => "agent",
    };
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{} {word}", std::process::id())
}

fn read_holder(file: &mut File) -> (i32, Work) {
    let mut text = String::new();
    let _ = file.read_to_string(&mut text);
    let (pid, word) = text.split_once(' ').unwrap_or_default();
    (pid.parse().unwrap_or(0), if word == "agent" { Work::Agent } else { Work::Command })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::Paths;

    fn state() -> (tempfile::TempDir, State) {
        let dir = tempfile::tempdir().expect("a directory");
        let paths = Paths { state: dir.path().into(), run: dir.path().into(), log: dir.path().into() };
        let state = State::open(paths).expect("a state");
        (dir, state)
    }

    #[test]
    fn the_second_to_come_is_told_who_was_first() {
        let (_dir, state) = state();
        let first = state.lock(Work::Command).expect("the lock");
        let refused = state.lock(Work::Command).expect_err("it is held");
        assert!(matches!(refused, LockError::Held { pid, .. } if pid == std::process::id().cast_signed()));
        drop(first);
        state.lock(Work::Command).expect("it is free again");
    }

    #[test]
    fn a_machine_that_has_left_keeps_no_lock_and_can_join_again() {
        let (_dir, state) = state();
        let lock = state.lock(Work::Command).expect("the lock");
        state.vacate(lock).expect("nothing else is remembered");
        assert!(!state.paths().state.exists());
        state.lock(Work::Command).expect("a new lock");
    }

    #[tokio::test]
    async fn a_command_waits_for_the_one_at_work_and_says_so() {
        let (_dir, state) = state();
        let held = state.lock(Work::Command).expect("the lock");
        let (said, heard) = tokio::sync::oneshot::channel();
        let (mut said, mut held) = (Some(said), Some(held));
        let waiting = state.take_over(move |who| {
            let _ = said.take().expect("it is said once").send(who.to_owned());
        });
        let letting_go = async {
            let who = heard.await.expect("a word");
            drop(held.take());
            who
        };
        let (taken, who) = tokio::join!(waiting, letting_go);
        taken.expect("the lock");
        let pid = std::process::id();
        assert_eq!(who, format!("waiting up to 120 s for process {pid}: another landbridge-node"));
    }

    #[test]
    fn an_agent_is_seen_only_while_it_lives() {
        let (_dir, state) = state();
        assert_eq!(state.agent(), None);
        let mut lock = state.lock(Work::Command).expect("the lock");
        assert_eq!(state.agent(), None, "a command is no agent");
        lock.work(Work::Agent).expect("writing");
        assert_eq!(state.agent(), Some(std::process::id().cast_signed()));
        drop(lock);
        assert_eq!(state.agent(), None);
    }
}
