//! The front-end's keys: the authority, its own certificate, and what the tunnel needs. Whatever is missing is made; what
//! is there stays.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::Timestamp;
use landbridge_pki::authority::{AuthorityError, CertificateSpec, IssueError, StorageError};
use landbridge_pki::{Authority, CertificateFacts, FactsError, KeyError, KeyPair, Role};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};

use crate::enroll::{TlsError, TlsIdentity};
use crate::paths::Paths;
use crate::spec::Cluster;
use crate::tunnel::{self, FileError, Files, ServerIdentity, crypt_v2};

/// What can go wrong with the keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Its files.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A certificate could not be issued.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// A certificate could not be read.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// A key pair could not be made or read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A tls-crypt-v2 key could not be made.
    #[error(transparent)]
    CryptV2(#[from] crypt_v2::KeyError),
    /// The tunnel's files.
    #[error(transparent)]
    Files(#[from] FileError),
    /// TLS refuses them.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A file.
    #[error("{operation} {} failed", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Makes whatever is missing: passphrase, authority, the front-end's certificate, the tunnel's keys. Twice is once.
pub fn ensure_keys(cluster: &Cluster, paths: &Paths, now: Timestamp) -> Result<(), KeysError> {
    let passphrase = ensure_passphrase(&paths.passphrase())?;
    let mut authority = if Authority::exists(&paths.pki()) {
        match Authority::open(&paths.pki(), &passphrase) {
            // The daemon has it in its hands, which could not have begun without the rest, and keeps it as it should be.
            Err(AuthorityError::InUse(_)) if tls_files_exist(paths) => return Ok(()),
            opened => opened?,
        }
    } else {
        Authority::create(&paths.pki(), cluster.name.as_str(), &passphrase, now)?
    };
    renew_own(cluster, paths, &mut authority, now)?;
    crypt_v2::ensure_server_key(&Files::new(paths).crypt_v2())?;
    Ok(())
}

fn tls_files_exist(paths: &Paths) -> bool {
    let files = Files::new(paths);
    [files.certificate(), files.key(), files.trust()].iter().all(|path| path.exists())
}

/// Opens the authority with the passphrase beside it.
pub fn open_authority(paths: &Paths) -> Result<Authority, KeysError> {
    Ok(Authority::open(&paths.pki(), &read_passphrase(paths)?)?)
}

/// The authority's passphrase. It lies apart from the state directory, so that a backup of that is no key.
pub fn read_passphrase(paths: &Paths) -> Result<SecretString, KeysError> {
    let path = paths.passphrase();
    let text =
        std::fs::read_to_string(&path).map_err(|source| KeysError::File { operation: "reading", path, source })?;
    Ok(text.trim().to_owned().into())
}

/// Gives the front-end a new certificate if it has none, if two thirds of its life are over, if the authority was rotated
/// since, or if it stands for other addresses than the cluster's file says. Whether it did.
pub fn renew_own(
    cluster: &Cluster,
    paths: &Paths,
    authority: &mut Authority,
    now: Timestamp,
) -> Result<bool, KeysError> {
    let files = Files::new(paths);
    let trust_pem = authority.register().trust_pem();
    let addresses = addresses(cluster);
    let good = |pem: &str| {
        let facts = CertificateFacts::from_pem(pem)?;
        let young = !facts.renewal_due(now) && !facts.superseded_by_rotation(&trust_pem)?;
        let apt = facts.name == cluster.front_end.name && CertificateFacts::addresses_in(pem)? == addresses;
        Ok::<_, FactsError>(young && apt)
    };
    let own = std::fs::read_to_string(files.certificate()).is_ok_and(|pem| good(&pem).unwrap_or(false));
    let trusted = std::fs::read_to_string(files.trust()).is_ok_and(|text| text == trust_pem);
    if own && trusted && files.key().exists() {
        return Ok(false);
    }
    let key = KeyPair::generate()?;
    let mut spec = CertificateSpec::new(cluster.front_end.name.clone(), Role::FrontEnd);
    spec.alt_names = addresses.into_iter().map(Into::into).collect();
    let issued = authority.issue(&key.csr_pem()?, &spec, now)?;
    let key_pem = key.to_pem();
    // With what leads from it to everybody's trust: during a rotation some workers know only the old authority.
    let chain_pem = authority.register().server_chain_pem(&issued.pem)?;
    let identity =
        ServerIdentity { certificate_pem: &chain_pem, key_pem: key_pem.expose_secret(), trust_pem: &trust_pem };
    Ok(tunnel::install_identity(&files, identity)?)
}

/// Where those who know only an address find the front-end: from outside, and on the vLAN.
fn addresses(cluster: &Cluster) -> BTreeSet<IpAddr> {
    [cluster.front_end.public.into(), cluster.vlan.front_end().ip().into()].into()
}

/// What the join API shows and whom it believes.
pub fn tls_identity(paths: &Paths, authority: &Authority) -> Result<TlsIdentity, KeysError> {
    let files = Files::new(paths);
    let read = |path: PathBuf| {
        std::fs::read_to_string(&path).map_err(|source| KeysError::File { operation: "reading", path, source })
    };
    let register = authority.register();
    Ok(TlsIdentity {
        chain_pem: register.server_chain_pem(&read(files.certificate())?)?,
        key_pem: read(files.key())?.into(),
        trust_pem: register.trust_pem(),
    })
}

fn ensure_passphrase(path: &Path) -> Result<SecretString, KeysError> {
    let failed = |operation| move |source| KeysError::File { operation, path: path.to_owned(), source };
    match std::fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned().into()),
        Ok(_) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(failed("reading")(e)),
    }
    let mut random = [0; 32];
    SystemRandom::new().fill(&mut random).expect("the kernel's random numbers");
    let text = STANDARD_NO_PAD.encode(random);
    // Empty only after a crash of an earlier try, when nothing was sealed with it yet.
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(failed("making"))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed("writing"))?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{self, ClusterName};

    fn addresses_shown(paths: &Paths) -> Result<Vec<String>, KeysError> {
        let pem = std::fs::read_to_string(Files::new(paths).certificate()).expect("a certificate");
        Ok(CertificateFacts::addresses_in(&pem)?.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_front_end_that_has_moved_shows_its_new_address_and_keeps_its_authority() -> Result<(), KeysError> {
        let directory = tempfile::tempdir().expect("a directory");
        let under = |name: &str| directory.path().join(name);
        let paths = Paths { config: under("etc"), state: under("lib"), run: under("run"), log: under("log") };
        crate::frontend::make_directories(&paths).expect("directories");
        let mut cluster = spec::example(ClusterName::new("ursa").expect("a name"));
        let now = Timestamp::now();
        ensure_keys(&cluster, &paths, now)?;
        assert_eq!(addresses_shown(&paths)?, ["10.77.0.1", "198.51.100.1"]);
        let mut authority = open_authority(&paths)?;
        assert!(!renew_own(&cluster, &paths, &mut authority, now)?, "twice is once");

        cluster.front_end.public = std::net::Ipv4Addr::new(198, 51, 100, 2);
        let trust = authority.register().trust_pem();
        drop(authority);
        ensure_keys(&cluster, &paths, now)?;
        assert_eq!(addresses_shown(&paths)?, ["10.77.0.1", "198.51.100.2"]);
        assert_eq!(open_authority(&paths)?.register().trust_pem(), trust);
        Ok(())
    }
}
