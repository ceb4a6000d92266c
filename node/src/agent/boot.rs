//! After a reboot systemd makes the machine join again, where systemd is the machine's init.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::machine::write_whole;

/// The line by which a unit is known as ours: one without it is never changed or removed.
const MARK: &str = "# Written by landbridge-node; landbridge-node leave removes it.";
/// What systemd starts when the machine is up.
const WANTS: &str = "multi-user.target.wants";

/// A unit that runs a command of ours at boot.
#[derive(Clone, Debug)]
pub struct BootUnit {
    directory: PathBuf,
    name: &'static str,
    command: &'static str,
}

/// The unit can't be written or removed.
#[derive(Debug, thiserror::Error)]
#[error("{operation} the unit {}", path.display())]
pub struct BootError {
    operation: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl BootUnit {
    /// For a worker; `None` where systemd is not the init.
    pub fn worker() -> Option<Self> {
        Self::here("landbridge-node.service", "join --foreground")
    }

    /// For a physical host; `None` where systemd is not the init.
    pub fn host() -> Option<Self> {
        Self::here("landbridge-node-host.service", "host run")
    }

    fn here(name: &'static str, command: &'static str) -> Option<Self> {
        let booted = Path::new("/run/systemd/system").is_dir();
        booted.then(|| Self { directory: "/etc/systemd/system".into(), name, command })
    }

    /// Writes the unit and enables it. Nothing is started: this boot's agent runs already.
    pub fn install(&self, program: &Path) -> Result<(), BootError> {
        let (unit, link) = (self.unit(), self.link());
        if unit.exists() && !self.is_ours() {
            tracing::warn!(unit = %unit.display(), "somebody else's unit is left as it is");
            return Ok(());
        }
        let put = || -> io::Result<()> {
            write_whole(&unit, self.text(program).as_bytes(), 0o644)?;
            fs::create_dir_all(self.directory.join(WANTS))?;
            match symlink(&unit, &link) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                done => done,
            }
        };
        put().map_err(|source| BootError { operation: "writing", path: unit.clone(), source })
    }

    /// Disables and removes the unit, if it is ours.
    pub fn remove(&self) -> Result<(), BootError> {
        if !self.is_ours() {
            return Ok(());
        }
        for path in [self.link(), self.unit()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(BootError { operation: "removing", path, source: error });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn unit(&self) -> PathBuf {
        self.directory.join(self.name)
    }

    fn link(&self) -> PathBuf {
        self.directory.join(WANTS).join(self.name)
    }

    fn is_ours(&self) -> bool {
        fs::read_to_string(self.unit()).is_ok_and(|text| text.lines().any(|line| line == MARK))
    }

    /// `KillMode=process`: the tunnel and the mounts outlive the agent. Whatever of others it would use is started before it.
    fn text(&self, program: &Path) -> String {
        format!(
            "{MARK}\n\
             [Unit]\n\
             Description=Landbridge: this machine's place in its cluster\n\
             Wants=network-online.target\n\
             After=network-online.target rpcbind.socket\n\
             \n\
             [Service]\n\
             ExecStart={} {}\n\
             Restart=on-failure\n\
             RestartSec=5\n\
             KillMode=process\n\
             \n\
             [Install]\n\
             WantedBy=multi-user.target\n",
            program.display(),
            self.command,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(directory: &Path) -> BootUnit {
        BootUnit { directory: directory.into(), name: "landbridge-node.service", command: "join --foreground" }
    }

    fn entries(directory: &Path) -> usize {
        fs::read_dir(directory).expect("a directory").count()
    }

    #[test]
    fn an_installed_unit_starts_the_join_at_boot_and_goes_without_a_trace() {
        let dir = tempfile::tempdir().expect("a directory");
        let unit = unit(dir.path());
        for _ in 0..2 {
            unit.install(Path::new("/usr/local/bin/landbridge-node")).expect("installing");
        }
        let enabled = dir.path().join("multi-user.target.wants/landbridge-node.service");
        insta::assert_snapshot!(fs::read_to_string(enabled).expect("the unit, by its link"));
        for _ in 0..2 {
            unit.remove().expect("removing");
        }
        assert_eq!(entries(&dir.path().join(WANTS)), 0);
        assert_eq!(entries(dir.path()), 1, "the directory of links, which is systemd's");
    }

    #[test]
    fn somebody_elses_unit_of_that_name_stays_as_it_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let theirs = dir.path().join("landbridge-node.service");
        fs::write(&theirs, "[Service]\n").expect("writing");
        let unit = unit(dir.path());
        unit.install(Path::new("/usr/local/bin/landbridge-node")).expect("nothing to do");
        unit.remove().expect("nothing to do");
        assert_eq!(fs::read_to_string(&theirs).expect("reading"), "[Service]\n");
    }
}
