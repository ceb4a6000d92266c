//! Crashes on purpose, of the front-end's daemon.

use landbridge_node::machine::crash;

use super::{PATIENCE, Ursa};
use crate::{LabError, LabResult, Running};

/// Ends when the daemon's process has ended, and then brings the front-end up again: what a restart does.
const RESTART: &str = "tail --pid=$PID -s 0.05 -f /dev/null; landbridge up";

/// No process has this number.
const NOBODY: &str = "4194305";

/// A daemon that will kill itself, and what happens then.
pub struct DoomedDaemon {
    pid: String,
    restart: Option<Running>,
}

impl Ursa {
    /// The daemon's process id.
    ///
    /// # Errors
    /// It doesn't run.
    pub fn daemon(&self) -> LabResult<String> {
        // A program that it starts is for a moment another of its name: the daemon is the oldest.
        Ok(self.frontend.run("pgrep -o -x landbridged").expect_ok()?.trim().to_owned())
    }

    /// Kills the daemon; the rest goes on.
    ///
    /// # Errors
    /// It doesn't run.
    pub fn kill_daemon(&self) -> LabResult<()> {
        let pid = self.daemon()?;
        let killed_and_gone = format!("kill -KILL {pid}; tail --pid={pid} -s 0.02 -f /dev/null");
        self.frontend.run(&killed_and_gone).expect_ok().map(drop)
    }

    /// Kills the daemon and starts one that kills itself at that moment of its life. `landbridge up` is run when it has.
    ///
    /// # Errors
    /// The front-end doesn't come up again.
    pub fn doom_daemon(&self, at: usize) -> LabResult<DoomedDaemon> {
        self.kill_daemon()?;
        // It may die before `up` has seen it, of what it goes on with: then that is its end.
        let _ = self.landbridge("up").env(crash::DAEMON, &at.to_string()).output()?;
        let pid = self.daemon().unwrap_or_else(|_| NOBODY.to_owned());
        let restart = Some(self.frontend.run(RESTART).env("PID", &pid).spawn()?);
        Ok(DoomedDaemon { pid, restart })
    }
}

impl DoomedDaemon {
    /// Tries, and if that fails because the daemon is dead, tries once more after the restart.
    ///
    /// # Errors
    /// It failed although the daemon lives, it failed after the restart too, or there was no restart.
    pub fn through<T>(&mut self, ursa: &Ursa, attempt: impl Fn() -> LabResult<T>) -> LabResult<T> {
        match attempt() {
            Err(error) if self.restart.is_some() && self.is_dead(ursa)? => {
                self.wait_for_restart(ursa, &error)?;
                attempt()
            }
            other => other,
        }
    }

    /// Whether it died. If so, the restart has ended; if not, there will be none.
    ///
    /// # Errors
    /// The front-end did not come up again.
    pub fn died(mut self, ursa: &Ursa) -> LabResult<bool> {
        if self.restart.is_none() {
            return Ok(true);
        }
        if ursa.frontend.run(&format!("kill -0 {}", self.pid)).output()?.status != 0 {
            let late = LabError::Plan { message: "the daemon died unnoticed".into() };
            return self.wait_for_restart(ursa, &late).map(|()| true);
        }
        match self.restart.take() {
            Some(restart) => restart.signal(nix::libc::SIGKILL).map(|()| false),
            None => Ok(true),
        }
    }

    fn is_dead(&self, ursa: &Ursa) -> LabResult<bool> {
        // A connection is closed a little before its process has ended.
        let ended = format!("timeout 3 tail --pid={} -s 0.02 -f /dev/null", self.pid);
        Ok(ursa.frontend.run(&ended).output()?.status == 0)
    }

    fn wait_for_restart(&mut self, ursa: &Ursa, why: &LabError) -> LabResult<()> {
        let Some(restart) = self.restart.take() else { return Ok(()) };
        let end = restart.wait(PATIENCE)?;
        if end.status == 0 {
            return Ok(());
        }
        let message = format!("up after the crash: {}{}; before: {why}", end.out(), end.err());
        Err(LabError::Agent { machine: ursa.frontend.name().to_owned(), message })
    }
}
