//! tls-crypt-v2 keys, which only openvpn itself can make (OpenVPN's doc/tls-crypt-v2.txt).
//!
//! A worker's key is its own and wrapped by the server's key, which is all that the server keeps. It encrypts and
//! authenticates even the first packet, so that nobody without one reaches TLS. It proves membership, not identity: that
//! is the certificate's part, and a worker that was cut off keeps a key that is good for nothing else.

use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use zeroize::{Zeroize as _, Zeroizing};

use super::OPENVPN;
use super::files::{FileError, remove, sync_parent, temporary};

const BEGIN_SERVER: &str = "-----BEGIN OpenVPN tls-crypt-v2 server key-----";
const BEGIN_CLIENT: &str = "-----BEGIN OpenVPN tls-crypt-v2 client key-----";

/// A key that could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system said no.
    #[error(transparent)]
    File(#[from] FileError),
    /// openvpn could not be started.
    #[error("starting {OPENVPN} failed: is the package openvpn installed?")]
    Start(#[source] io::Error),
    /// openvpn said no.
    #[error("openvpn made no {what}: {said}")]
    Refused {
        /// Which key.
        what: &'static str,
        /// The end of what it said.
        said: String,
    },
}

/// Makes the server key at `path` unless there is one; says whether it did. It is never replaced: every worker's key
/// hangs on it. Created 0600 by openvpn, under another name until it is whole.
pub fn ensure_server_key(path: &Path) -> Result<bool, KeyError> {
    if path.try_exists().map_err(FileError::of("inspecting", path))? {
        return Ok(false);
    }
    let temporary = temporary(path);
    remove(&temporary)?;
    let output = genkey(&["--genkey", "tls-crypt-v2-server", &temporary.to_string_lossy()])?;
    let made = std::fs::read_to_string(&temporary).map(Zeroizing::new);
    if !made.is_ok_and(|key| key.starts_with(BEGIN_SERVER)) {
        return Err(refused("tls-crypt-v2 server key", &output));
    }
    std::fs::File::open(&temporary).and_then(|f| f.sync_all()).map_err(FileError::of("syncing", &temporary))?;
    std::fs::rename(&temporary, path).map_err(FileError::of("replacing", path))?;
    sync_parent(path)?;
    Ok(true)
}

/// Makes a key for one worker, wrapped by the server key at `server_key`. It comes through a pipe: nothing of it is on
/// disk or in an argument. Each call makes another one, and all are good. Blocks for some 10 ms.
pub fn client_key(server_key: &Path) -> Result<Zeroizing<String>, KeyError> {
    let mut output = genkey(&["--tls-crypt-v2", &server_key.to_string_lossy(), "--genkey", "tls-crypt-v2-client"])?;
    let key = Zeroizing::new(String::from_utf8_lossy(&output.stdout).into_owned());
    if output.status.success() && key.starts_with(BEGIN_CLIENT) {
        output.stdout.zeroize();
        Ok(key)
    } else {
        Err(refused("tls-crypt-v2 client key", &output))
    }
}

fn genkey(arguments: &[&str]) -> Result<Output, KeyError> {
    Command::new(OPENVPN).args(arguments).stdin(Stdio::null()).output().map_err(KeyError::Start)
}

/// openvpn complains on standard output, where the key would be otherwise: only lines that are clearly no key are shown.
fn refused(what: &'static str, output: &Output) -> KeyError {
    let text = String::from_utf8_lossy(&output.stdout);
    let said: Vec<_> = text.lines().filter(|line| line.contains(' ') && !line.starts_with("-----")).collect();
    KeyError::Refused { what, said: format!("{} ({})", said.join("; "), output.status) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_server_key_is_private_and_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.key");
        assert!(ensure_server_key(&path).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let first = std::fs::read(&path).unwrap();
        assert!(!ensure_server_key(&path).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), first);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn each_worker_has_a_key_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.key");
        ensure_server_key(&path).unwrap();
        let (one, two) = (client_key(&path).unwrap(), client_key(&path).unwrap());
        assert!(
            one.starts_with(BEGIN_CLIENT) && one.trim_end().ends_with("-----END OpenVPN tls-crypt-v2 client key-----")
        );
        assert_ne!(*one, *two);
    }

    #[test]
    fn without_a_server_key_openvpn_says_what_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let error = client_key(&dir.path().join("missing")).unwrap_err().to_string();
        assert!(error.contains("failed to read") && error.contains("missing"), "{error}");
    }

    #[test]
    fn a_server_key_that_cannot_be_written_is_an_error_and_leaves_nothing() {
        let error = ensure_server_key(Path::new("/proc/landbridge/server.key")).unwrap_err().to_string();
        assert!(error.contains("server key"), "{error}");
    }
}
