//! A real libvirtd for a test.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::provider::LibvirtProvider;
use crate::spec::ClusterName;

/// It starts within a second or two on a quiet machine.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) struct Daemon {
    child: Child,
    sockets: tempfile::TempDir,
}

impl Daemon {
    pub(super) fn start() -> Self {
        let sockets = tempfile::tempdir().expect("a directory");
        let child = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"])
            .args(["sh", "-c", include_str!("libvirtd.sh"), "libvirtd.sh"])
            .arg(sockets.path())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(sockets.path().join("log")).expect("a file"))
            .spawn()
            .expect("unshare(1), of util-linux");
        let daemon = Self { child, sockets };
        let until = Instant::now() + PATIENCE;
        while !daemon.socket().exists() {
            assert!(Instant::now() < until, "no libvirtd came up (scripts/setup): {}", daemon.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        daemon
    }

    fn socket(&self) -> std::path::PathBuf {
        self.sockets.path().join("libvirt-sock")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.sockets.path().join("log")).unwrap_or_default()
    }

    /// A place that its machines can read.
    pub(super) fn directory(&self) -> &Path {
        self.sockets.path()
    }

    pub(super) fn uri(&self) -> String {
        format!("qemu+unix:///system?socket={}", self.socket().display())
    }

    pub(super) fn provider(&self) -> LibvirtProvider {
        LibvirtProvider::new(&ClusterName::new("ursa").expect("a name"), &self.uri())
    }

    /// What virsh(1) says.
    pub(super) fn virsh(&self, words: &str) -> String {
        let output = Command::new("virsh").arg("--connect").arg(self.uri()).args(words.split(' ')).output();
        let output = output.expect("virsh: run scripts/setup");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Its first process hears of that a little later, and ends all others.
        let until = Instant::now() + PATIENCE;
        while UnixStream::connect(self.socket()).is_ok() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
