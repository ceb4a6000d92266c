//! Creating and opening an authority.

use std::path::Path;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::layout::{self, State};
use super::storage::{self, Storage};
use super::{Authority, AuthorityError, Register, generation, seal};
use crate::{AuthorityId, KeyPair};

/// The longest name that leaves room for the authority's common name ("NAME CA 16-DIGITS") in 64 characters (RFC 5280,
/// appendix A.1).
const MAX_CLUSTER_NAME: usize = 44;

impl Authority {
    /// Creates the authority of a cluster in `dir`, or opens the one that is there: twice is once. After a crash in the
    /// middle there is none, and creating begins anew.
    ///
    /// Errors: an authority of another cluster in `dir`; a passphrase that is empty, or doesn't open what is there.
    pub fn create(
        dir: &Path,
        cluster: &str,
        passphrase: &SecretString,
        now: Timestamp,
    ) -> Result<Self, AuthorityError> {
        check_cluster_name(cluster)?;
        if passphrase.expose_secret().is_empty() {
            return Err(AuthorityError::EmptyPassphrase);
        }
        storage::create_dir(dir)?;
        let storage = Storage::open(dir)?;
        if State::read(dir)?.is_some() {
            let register = Register::load(storage)?;
            refuse_other_cluster(&register, cluster)?;
            return Self::unlock(register, passphrase);
        }
        let key = establish(&storage, cluster, passphrase, now)?;
        Ok(Self { register: Register::load(storage)?, key })
    }

    /// Opens the authority in `dir`. Derives a key from the passphrase, which takes a while on purpose.
    pub fn open(dir: &Path, passphrase: &SecretString) -> Result<Self, AuthorityError> {
        Self::unlock(Register::open(dir)?, passphrase)
    }

    /// Whether there is an authority in `dir`.
    pub fn exists(dir: &Path) -> bool {
        layout::file(dir).exists()
    }

    fn unlock(register: Register, passphrase: &SecretString) -> Result<Self, AuthorityError> {
        let key = read_key(&register, passphrase)?;
        Ok(Self { register, key })
    }
}

/// Makes the first generation; it is there once the state is.
fn establish(
    storage: &Storage,
    cluster: &str,
    passphrase: &SecretString,
    now: Timestamp,
) -> Result<KeyPair, AuthorityError> {
    let root = storage.root();
    layout::sweep(root, None)?;
    for subdirectory in [layout::generations(root), layout::issued(root), layout::revoked(root)] {
        storage::create_dir(&subdirectory)?;
    }
    let key = KeyPair::generate()?;
    let pem = generation::self_signed(cluster, &key, now)?;
    let current = write_generation(storage, &key, passphrase, &pem, None)?;
    State { cluster: cluster.to_owned(), current, rotation: None }.commit(storage)?;
    Ok(key)
}

fn refuse_other_cluster(register: &Register, wanted: &str) -> Result<(), AuthorityError> {
    let found = register.cluster();
    if found == wanted {
        return Ok(());
    }
    let path = register.storage.root().to_owned();
    Err(AuthorityError::OtherCluster { path, found: found.to_owned(), wanted: wanted.to_owned() })
}

/// The current generation's key, decrypted, and proved to be the one that its certificate speaks of.
pub(super) fn read_key(register: &Register, passphrase: &SecretString) -> Result<KeyPair, AuthorityError> {
    let path = layout::key(register.storage.root(), &register.current.id);
    let pem = storage::read(&path)?.ok_or_else(|| AuthorityError::inconsistent(&path, "missing"))?;
    storage::refuse_modes(&path, 0o077, 0o600)?;
    let key = seal::unseal(&path, &pem, passphrase)?;
    if key.pin() == register.current.pin {
        Ok(key)
    } else {
        Err(AuthorityError::inconsistent(path, "not the key of the certificate beside it"))
    }
}

/// Puts a generation on disk. It counts only once the state names it.
pub(super) fn write_generation(
    storage: &Storage,
    key: &KeyPair,
    passphrase: &SecretString,
    pem: &str,
    cross_pem: Option<&str>,
) -> Result<AuthorityId, AuthorityError> {
    let id = AuthorityId::of_key(&key.pin()).expect("a pin is longer than an id");
    let root = storage.root();
    storage::create_dir(&layout::generation(root, &id))?;
    storage.write(&layout::key(root, &id), seal::seal(key, passphrase)?.as_bytes())?;
    storage.write(&layout::certificate(root, &id), pem.as_bytes())?;
    if let Some(cross_pem) = cross_pem {
        storage.write(&layout::cross_certificate(root, &id), cross_pem.as_bytes())?;
    }
    Ok(id)
}

fn check_cluster_name(name: &str) -> Result<(), AuthorityError> {
    let printable = name.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    if printable && (1..=MAX_CLUSTER_NAME).contains(&name.len()) && name.trim() == name {
        Ok(())
    } else {
        Err(AuthorityError::ClusterName(name.to_owned()))
    }
}
