//! Where the server's files lie, and how they are written: whole or not at all, private from the first byte.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use landbridge_pki::NodeName;

use crate::paths::Paths;

/// The paths of everything that the OpenVPN servers read or make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    tunnel: PathBuf,
    revoked: PathBuf,
    run: PathBuf,
}

impl Files {
    /// The files below the front-end's directories.
    pub fn new(paths: &Paths) -> Self {
        Self { tunnel: paths.tunnel(), revoked: paths.pki().join("revoked"), run: paths.run.join("tunnel") }
    }

    /// Everything that must survive a reboot; 0700.
    pub fn directory(&self) -> &Path {
        &self.tunnel
    }

    /// The management sockets; 0700, because openvpn makes the sockets themselves with 0777.
    pub fn sockets(&self) -> &Path {
        &self.run
    }

    /// The configuration of server process `n`.
    pub fn config(&self, n: u8) -> PathBuf {
        self.tunnel.join(format!("server-{n}.conf"))
    }

    /// The management socket of server process `n`.
    pub fn socket(&self, n: u8) -> PathBuf {
        self.run.join(format!("{n}.sock"))
    }

    /// One file for each admitted worker.
    pub fn ccd(&self) -> PathBuf {
        self.tunnel.join("ccd")
    }

    /// One file for each revoked certificate, named by its serial in decimal. It is the authority's own directory, not a
    /// copy: what the authority has revoked is refused from that moment, and there is nothing to keep in step.
    pub fn revoked(&self) -> &Path {
        &self.revoked
    }

    /// The server's certificate (PEM).
    pub fn certificate(&self) -> PathBuf {
        self.tunnel.join("server.crt")
    }

    /// The server's private key (PEM, 0600).
    pub fn key(&self) -> PathBuf {
        self.tunnel.join("server.key")
    }

    /// Every authority to trust (PEM).
    pub fn trust(&self) -> PathBuf {
        self.tunnel.join("trust.crt")
    }

    /// The workers' tls-crypt-v2 keys; 0700.
    pub fn client_keys(&self) -> PathBuf {
        self.tunnel.join("clients")
    }

    /// A worker's tls-crypt-v2 key (0600), which the server itself never reads.
    pub fn client_key(&self, name: &NodeName) -> PathBuf {
        self.client_keys().join(format!("{name}.key"))
    }

    /// The tls-crypt-v2 server key (0600).
    pub fn crypt_v2(&self) -> PathBuf {
        self.tunnel.join("tls-crypt-v2.key")
    }
}

/// A file of the tunnel that could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {} failed", path.display())]
pub struct FileError {
    /// What was tried, for example `writing`.
    pub operation: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// What the kernel said.
    pub source: io::Error,
}

impl FileError {
    /// For `map_err`.
    pub(super) fn of(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { operation, path, source }
    }
}

/// Makes `path` hold `content` with `mode`; says whether anything had to change. The content is on disk under a temporary
/// name, which no worker's name can be, before it takes the place of the old one. One at a time: after a restart the same worker may
/// be prepared because nobody had finished it, and because its token is asked for again.
pub(super) fn replace(path: &Path, content: &[u8], mode: u32) -> Result<bool, FileError> {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if is_already(path, content, mode)? {
        return Ok(false);
    }
    let temporary = temporary(path);
    remove(&temporary)?;
    write_new(&temporary, content, mode).map_err(FileError::of("writing", &temporary))?;
    fs::rename(&temporary, path).map_err(FileError::of("replacing", path))?;
    sync_parent(path)?;
    Ok(true)
}

/// Removes `path`; says whether it was there.
pub(super) fn remove(path: &Path) -> Result<bool, FileError> {
    match fs::remove_file(path) {
        Ok(()) => sync_parent(path).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FileError::of("removing", path)(error)),
    }
}

/// The hidden name beside `path` under which its next content is written.
pub(super) fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}

fn is_already(path: &Path, content: &[u8], mode: u32) -> Result<bool, FileError> {
    match fs::read(path) {
        Ok(found) if found == content => {
            let metadata = fs::metadata(path).map_err(FileError::of("inspecting", path))?;
            Ok(metadata.permissions().mode() & 0o7777 == mode)
        }
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FileError::of("reading", path)(error)),
    }
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// A rename or removal is only there after a crash once its directory is on disk.
pub(super) fn sync_parent(path: &Path) -> Result<(), FileError> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    File::open(parent).and_then(|directory| directory.sync_all()).map_err(FileError::of("syncing", parent))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn several_may_replace_a_file_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("w1");
        std::thread::scope(|scope| {
            for content in [b"one", b"two"] {
                let path = &path;
                scope.spawn(move || (0..50).for_each(|_| assert!(replace(path, content, 0o600).is_ok())));
            }
        });
        assert_eq!(fs::read(&path).unwrap().len(), 3);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn replacing_with_the_same_content_touches_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        assert!(replace(&path, b"a", 0o600).unwrap());
        assert!(!replace(&path, b"a", 0o600).unwrap());
        assert!(replace(&path, b"b", 0o600).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"b");
    }

    #[test]
    fn a_key_that_others_could_read_is_replaced_by_one_that_they_cannot() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, "a").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(replace(&path, b"a", 0o600).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_a_crash_left_under_the_temporary_name_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(temporary(&path), "half").unwrap();
        assert!(replace(&path, b"whole", 0o600).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn removing_twice_is_removing_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("w1");
        fs::write(&path, "").unwrap();
        assert!(remove(&path).unwrap());
        assert!(!remove(&path).unwrap());
    }
}
