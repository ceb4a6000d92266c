//! Where the machines' Debian tree and our own programs are.

use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::fcntl::{Flock, FlockArg};

use crate::error::{LabError, LabResult, io_error};

/// An image that machines start from, kept from removal while this value lives.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    directory: PathBuf,
    _in_use: Arc<Flock<File>>,
}

impl Image {
    /// The newest tree that `scripts/build-image` has made.
    pub(crate) fn current() -> LabResult<Self> {
        Self::of_kind("image", "the machines' Debian image", "scripts/build-image")
    }

    /// The newest stock image: `disk.raw`, `vmlinuz`, `initrd.img`, and `mirror`, where apt finds what it lacks.
    pub(crate) fn stock() -> LabResult<Self> {
        Self::of_kind("stock", "the stock Debian image", "scripts/build-image stock")
    }

    /// The newest stock image that has the packages of a worker: `disk.raw`, `vmlinuz`, `initrd.img`.
    pub(crate) fn prepared() -> LabResult<Self> {
        Self::of_kind("prepared", "the prepared Debian image", "scripts/build-image prepared")
    }

    fn of_kind(kind: &str, what: &str, remedy: &'static str) -> LabResult<Self> {
        let missing = |_| LabError::Missing { what: what.to_owned(), remedy };
        let directory = cache_directory().join(kind).join("current").canonicalize().map_err(missing)?;
        let log = File::open(directory.join("log")).map_err(missing)?;
        let lock = Flock::lock(log, FlockArg::LockSharedNonblock)
            .map_err(|(_, err)| io_error("locking image", &directory.display().to_string())(err.into()))?;
        Ok(Self { directory, _in_use: Arc::new(lock) })
    }

    /// The image's directory; of the tree: the tree in `root`, a mount point in `mnt`.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }
}

/// The newest tree's root: Debian, as the machines have it.
pub(crate) fn debian_tree() -> LabResult<PathBuf> {
    Ok(Image::current()?.directory().join("root"))
}

fn cache_directory() -> PathBuf {
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    base.unwrap_or_else(|| PathBuf::from(env::var_os("HOME").unwrap_or_else(|| "/root".into())).join(".cache"))
        .join("landbridge")
}

/// The directory of the programs that this build made: machines see it as `/opt/landbridge/bin`.
pub(crate) fn program_directory() -> LabResult<PathBuf> {
    let current = env::current_exe().map_err(io_error("finding", "the running program"))?;
    // A test's own program is one level deeper, in `deps`.
    let found = current.ancestors().skip(1).take(2).find(|directory| directory.join(INIT_PROGRAM).exists());
    found.map(Path::to_owned).ok_or_else(|| LabError::Missing {
        what: format!("{INIT_PROGRAM} beside {}", current.display()),
        remedy: "cargo build -p netns-tests --bins",
    })
}

/// The first process of every machine.
pub(crate) const INIT_PROGRAM: &str = "landbridge-lab-init";

/// The Python packages of moto, which plays EC2's API, for a Python of the machines' Debian.
pub(crate) fn moto_packages() -> LabResult<PathBuf> {
    let environment = cache_directory().join("moto/current");
    let missing = || LabError::Missing { what: format!("moto ({})", environment.display()), remedy: "scripts/setup" };
    let environment = environment.canonicalize().ok().filter(|it| it.join("complete").exists()).ok_or_else(missing)?;
    Ok(environment.join("lib/python3.11/site-packages"))
}

/// The workers' kernel.
pub(crate) fn guest_kernel() -> LabResult<PathBuf> {
    let kernel = PathBuf::from("/usr/bin/linux.uml");
    let missing =
        || LabError::Missing { what: format!("user-mode-linux ({})", kernel.display()), remedy: "scripts/setup" };
    if kernel.exists() { Ok(kernel.clone()) } else { Err(missing()) }
}
