//! A machine of its own for each test: a directory that goes with it, and processes that can be told from all others.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

use landbridge_node::machine::{Block, Machine, Owner, Place};

/// A directory for the machine's world, and the engine's own places beside it. Everything goes when it is dropped, also
/// by a panic.
pub struct Scratch {
    root: PathBuf,
    owner: String,
    /// `None`: another process owns it.
    ours: Option<tempfile::TempDir>,
}

impl Scratch {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self::of(&format!("test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// Whose things it is about is told; only one such may exist at a time if it has processes.
    pub fn of(owner: &str) -> Self {
        let ours = tempfile::tempdir().unwrap();
        fs::create_dir(ours.path().join("world")).unwrap();
        Self { root: ours.path().into(), owner: owner.into(), ours: Some(ours) }
    }

    /// That of another process, which goes on existing.
    pub fn borrowed(root: PathBuf, owner: String) -> Self {
        Self { root, owner, ours: None }
    }

    pub fn owner(&self) -> &str {
        &self.owner
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path in the machine's world.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join("world").join(name)
    }

    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    pub fn place(&self) -> Place {
        let root = &self.root;
        Place { owner: Owner(self.owner.clone()), state: root.join("state"), run: self.run(), log: root.join("log") }
    }

    pub async fn open(&self) -> Machine {
        Machine::open(self.place()).await.unwrap()
    }

    pub fn block(&self, file: &str, text: &str) -> Block {
        Block { path: self.path(file), name: "block".into(), text: text.into(), first: false, replaces: vec![] }
    }

    /// Every path in the world with mode, owner and content.
    pub fn tree(&self) -> BTreeMap<PathBuf, String> {
        let mut tree = BTreeMap::new();
        add(&self.path(""), Path::new(""), &mut tree);
        tree
    }

    /// Every file of the engine's own.
    pub fn engine_files(&self) -> Vec<PathBuf> {
        let mut tree = BTreeMap::new();
        for place in ["state", "run", "log"].iter().filter(|place| self.root.join(place).exists()) {
            add(&self.root, Path::new(place), &mut tree);
        }
        tree.into_keys().map(|name| self.root.join(name)).filter(|path| path.is_file()).collect()
    }

    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.root.join(format!("log/{name}.log"))).unwrap_or_default()
    }

    /// Waits until the log says this.
    pub async fn await_log(&self, name: &str, text: &str) {
        let said = async {
            while self.log(name) != text {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(10), said).await;
        assert!(told.is_ok(), "the log of {name} is {:?}", self.log(name));
    }

    /// Id and argv of every process of ours.
    pub fn processes(&self) -> Vec<String> {
        self.pids().into_iter().map(|pid| format!("{pid} {}", argv(pid))).collect()
    }

    /// Waits until none of ours runs.
    pub async fn await_no_processes(&self) {
        let gone = async {
            while !self.pids().is_empty() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let gone = tokio::time::timeout(Duration::from_secs(5), gone).await;
        assert!(gone.is_ok(), "still there: {:?}", self.processes());
    }

    /// Kills one of ours.
    pub fn kill(&self, name: &str) {
        let record = fs::read_to_string(self.run().join(format!("{name}.process"))).unwrap();
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        kill(i32::try_from(record["identity"]["pid"].as_i64().unwrap()).unwrap());
    }

    /// With the paths and names that differ from run to run made equal.
    pub fn masked(&self, shown: &impl Display) -> String {
        let root = self.path("").display().to_string();
        shown.to_string().replace(&root, "/").replace(&self.owner, "OWNER")
    }

    /// What a failed test left mounted: the directory could not be removed.
    fn unmount(&self) {
        let mounts = fs::read_to_string("/proc/thread-self/mounts").unwrap_or_default();
        let targets = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for target in targets.filter(|target| Path::new(target).starts_with(&self.root)) {
            let _ = umount2(target, MntFlags::MNT_DETACH);
        }
    }

    fn pids(&self) -> Vec<i32> {
        let marker = format!("LANDBRIDGE_PROCESS={}:", self.owner);
        let all = fs::read_dir("/proc").unwrap().flatten();
        let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid: &i32| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environ.split(|byte| *byte == 0).any(|entry| entry.starts_with(marker.as_bytes()))
        })
        .collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.ours.is_none() {
            return;
        }
        self.pids().into_iter().for_each(kill);
        self.unmount();
    }
}

fn kill(pid: i32) {
    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
}

fn argv(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ").trim().into()
}

fn add(root: &Path, name: &Path, tree: &mut BTreeMap<PathBuf, String>) {
    let path = &root.join(name);
    let found = fs::symlink_metadata(path).unwrap();
    let what = if found.is_dir() {
        fs::read_dir(path).unwrap().flatten().for_each(|entry| add(root, &name.join(entry.file_name()), tree));
        "directory".into()
    } else if found.is_symlink() {
        format!("-> {}", fs::read_link(path).unwrap().display())
    } else {
        format!("{:?}", String::from_utf8_lossy(&fs::read(path).unwrap()))
    };
    tree.insert(name.into(), format!("{:o} {}:{} {what}", found.mode(), found.uid(), found.gid()));
}

/// Runs a test on a thread with mount and network namespaces of its own, which go with it.
pub fn in_namespaces(test: impl AsyncFnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET).expect("new namespaces: run as root");
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            mount(None::<&str>, "/", None::<&str>, private, None::<&str>).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(test());
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// An error with all its causes.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}\n- {cause}"))
}

/// An address that nobody listens on.
pub fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
