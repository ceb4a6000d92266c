//! The gate before a program: a shell that leads a session of its own, waits for a line, and becomes the program.

use std::ffi::{CString, NulError};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

use nix::fcntl::OFlag;
use nix::libc;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{Pid, pipe2};

use crate::machine::Cause;
use crate::machine::command::program;
use crate::machine::pidfd::PidFd;

/// `$0` is the process's name, for the shell's own messages; `$@` is the argv. Shells put variables of their own into the
/// environment, which the program does not get.
pub(super) const GATE: &str = r#"cd / && read -r go && unset PWD OLDPWD SHLVL _ go && exec "$@" </dev/null"#;

/// One that was started and is closed. Dropped, it ends by itself, and the program never runs.
#[derive(Debug)]
pub(super) struct Gate {
    pid: Pid,
    /// What the shell reads from.
    line: File,
}

impl Gate {
    /// Starts it for the program of this name and argv, which will write to the log.
    pub(super) fn start<'a>(
        name: &str,
        argv: &[String],
        env: impl Iterator<Item = (&'a str, &'a str)>,
        log: &File,
    ) -> Result<Self, Cause> {
        let shell = program("sh")?;
        let words = ["sh", "-c", GATE, name].into_iter().chain(argv.iter().map(String::as_str));
        let words = words.map(CString::new).collect::<Result<Vec<_>, NulError>>().map_err(io::Error::from)?;
        let env = env.map(|(name, value)| CString::new(format!("{name}={value}")));
        let env = env.collect::<Result<Vec<_>, NulError>>().map_err(io::Error::from)?;
        let (read, write) = pipe2(OFlag::O_CLOEXEC).map_err(io::Error::from)?;
        let shell = CString::new(shell.into_os_string().into_vec()).map_err(io::Error::from)?;
        let pid = spawn(&shell, &words, &env, &read, log).map_err(io::Error::from)?;
        reap(pid);
        Ok(Self { pid, line: write.into() })
    }

    /// The process that waits in it, and will be the program.
    pub(super) fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Lets the program run.
    pub(super) fn open(mut self) -> io::Result<()> {
        self.line.write_all(b"go\n")
    }
}

/// The leader of a new session, which std can't make it without setsid(1) in between, and with signals as a program expects them.
fn spawn(shell: &CString, words: &[CString], env: &[CString], stdin: &OwnedFd, log: &File) -> nix::Result<Pid> {
    let mut files = PosixSpawnFileActions::init()?;
    files.add_dup2(stdin.as_raw_fd(), libc::STDIN_FILENO)?;
    files.add_dup2(log.as_raw_fd(), libc::STDOUT_FILENO)?;
    files.add_dup2(log.as_raw_fd(), libc::STDERR_FILENO)?;
    let mut attributes = PosixSpawnAttr::init()?;
    // Rust's runtime ignores it, and a program would inherit that.
    attributes.set_sigdefault(&SigSet::from(Signal::SIGPIPE))?;
    attributes.set_sigmask(&SigSet::empty())?;
    // glibc's own, which nix has no name for.
    let session = PosixSpawnFlags::from_bits_retain(libc::POSIX_SPAWN_SETSID.into());
    let signals = PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK;
    attributes.set_flags(session | signals)?;
    posix_spawn(shell.as_c_str(), &files, &attributes, words, env)
}

/// Nobody else waits for it: should it end while we live, it does not stay behind as a zombie.
fn reap(pid: Pid) {
    tokio::spawn(async move {
        if let Ok(Some(process)) = PidFd::open(pid.as_raw()) {
            process.exited().await;
        }
        waitpid(pid, Some(WaitPidFlag::WNOHANG))
    });
}
