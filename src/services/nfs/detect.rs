//! What this machine can serve: the only part that looks at it.

use std::fs;
use std::path::{Path, PathBuf};

use super::NfsServer;
use super::kernel::{EXPORTFS, MOUNTD, UNIT};
use crate::services::systemd;

/// Where modules are, in a directory for each kernel.
const MODULES: &str = "/lib/modules";

/// The kernel's server where the kernel has one and its tools are installed, else NFS-Ganesha.
pub fn detect() -> NfsServer {
    let tools = [EXPORTFS, MOUNTD].iter().all(|tool| Path::new(tool).exists());
    match tools && kernel_has_nfsd() {
        false => NfsServer::Ganesha,
        true if systemd::has(UNIT) => NfsServer::Systemd,
        true => NfsServer::Kernel,
    }
}

/// In the kernel, loaded, or to be loaded.
fn kernel_has_nfsd() -> bool {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if known.lines().any(|line| line.split_whitespace().last() == Some("nfsd")) {
        return true;
    }
    let Ok(kernel) = nix::sys::utsname::uname() else { return false };
    let modules = fs::read_to_string(Path::new(MODULES).join(kernel.release()).join("modules.dep")).unwrap_or_default();
    modules.lines().filter_map(|line| line.split(':').next()).any(|path| path.contains("/nfsd.ko"))
}

/// Why these exports can't be served from here, one sentence each; to be asked before anything is changed. NFS-Ganesha
/// itself would start without them and say so only in its log.
pub fn unservable(exports: &[PathBuf], server: NfsServer) -> Vec<String> {
    let mut reasons: Vec<String> = exports
        .iter()
        .filter(|path| !path.is_dir())
        .map(|path| format!("{} can't be exported: it is no directory here. Make it first", path.display()))
        .collect();
    if server == NfsServer::Ganesha && fs::metadata("/etc/mtab").is_err() {
        reasons.push("NFS-Ganesha needs /etc/mtab: ln -s /proc/self/mounts /etc/mtab".into());
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_that_is_no_directory_is_told() {
        let folder = tempfile::tempdir().expect("a directory");
        let missing = folder.path().join("home");
        assert!(unservable(&[folder.path().into()], NfsServer::Kernel).is_empty());
        let told = unservable(std::slice::from_ref(&missing), NfsServer::Kernel);
        assert!(told.len() == 1 && told[0].contains(&missing.display().to_string()), "{told:?}");
    }
}
