//! Network namespaces without names: each lives as long as a process in it, or a descriptor of it, does.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, RawFd};
use std::path::PathBuf;
use std::sync::Arc;

use nix::sched::{CloneFlags, setns, unshare};

/// A network namespace, held open. Clones are the same namespace.
#[derive(Clone, Debug)]
pub(crate) struct Netns(Arc<File>);

impl Netns {
    /// Creates one with nothing in it, not even IPv6: a switch has no addresses and says nothing by itself.
    pub(crate) fn create_switchyard() -> io::Result<Self> {
        on_new_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET)?;
            // Absent where the kernel has no IPv6.
            let _ = std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
            File::open("/proc/thread-self/ns/net").map(|file| Self(Arc::new(file)))
        })
    }

    /// The namespace of a running process.
    pub(crate) fn of_process(pid: u32) -> io::Result<Self> {
        File::open(format!("/proc/{pid}/ns/net")).map(|file| Self(Arc::new(file)))
    }

    /// Where another process of this machine can open it while this one holds it.
    pub(crate) fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd()).into()
    }

    pub(crate) fn raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Runs the closure inside, on a thread of its own: a thread that has entered a namespace must do nothing else after.
    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        on_new_thread(|| {
            setns(&*self.0, CloneFlags::CLONE_NEWNET)?;
            work()
        })
    }
}

fn on_new_thread<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    std::thread::scope(|scope| scope.spawn(work).join())
        .unwrap_or_else(|_| Err(io::Error::other("the thread in the network namespace panicked")))
}
