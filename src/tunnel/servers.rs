//! The tunnel servers of one front-end, as the worker's life uses them.

use std::path::PathBuf;
use std::time::Duration;

use ipnetwork::Ipv4Network;
use landbridge_node::machine::crash;
use landbridge_pki::NodeName;

use super::files::{FileError, Files, remove, replace};
use super::management::{Management, ManagementError};
use super::{CutError, Server, ccd, client_config, crypt_v2, cut};
use crate::paths::Paths;
use crate::spec::Cluster;

/// For one question to a server.
const DEADLINE: Duration = Duration::from_secs(5);

/// What can go wrong with the tunnels.
#[derive(Debug, thiserror::Error)]
pub enum TunnelError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A tls-crypt-v2 key.
    #[error(transparent)]
    Key(#[from] crypt_v2::KeyError),
    /// A session could not be ended.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// A server doesn't answer.
    #[error(transparent)]
    Management(#[from] ManagementError),
}

/// The front-end's tunnel servers.
#[derive(Clone, Debug)]
pub struct Tunnel {
    paths: Paths,
    files: Files,
}

impl Tunnel {
    /// The servers below the front-end's directories.
    pub fn new(paths: &Paths) -> Self {
        Self { paths: paths.clone(), files: Files::new(paths) }
    }

    /// Lets a worker in at its address. Twice is once.
    pub fn admit(&self, name: &NodeName, address: Ipv4Network) -> Result<(), TunnelError> {
        Ok(ccd::admit(&self.files.ccd(), name, address.ip(), address.mask()).map(drop)?)
    }

    /// Every worker that is let in.
    pub fn admitted(&self) -> Result<Vec<NodeName>, TunnelError> {
        Ok(ccd::admitted(&self.files.ccd())?)
    }

    /// The worker's configuration, all but its private key. Its tls-crypt-v2 key is made at the first call and kept, so that the
    /// same worker always gets the same text.
    pub fn client_config(
        &self,
        cluster: &Cluster,
        (name, address): (&NodeName, Ipv4Network),
        certificate_pem: &str,
        trust_pem: &str,
    ) -> Result<String, TunnelError> {
        let key = self.client_key(name)?;
        Ok(client_config(cluster, name, address.ip(), certificate_pem, trust_pem, &key))
    }

    /// Ends a worker's access at once, and forgets its key.
    pub async fn cut(&self, name: &NodeName) -> Result<(), TunnelError> {
        cut(&self.paths, name).await?;
        crash::point();
        remove(&self.key_of(name))?;
        Ok(())
    }

    /// Who has a session with one of the servers.
    pub async fn connected(&self, server: &Server) -> Result<Vec<NodeName>, TunnelError> {
        let mut management = Management::connect(&self.files.socket(server.n), DEADLINE).await?;
        Ok(management.sessions().await?.into_iter().map(|session| session.name).collect())
    }

    fn client_key(&self, name: &NodeName) -> Result<zeroize::Zeroizing<String>, TunnelError> {
        let path = self.key_of(name);
        match std::fs::read_to_string(&path) {
            Ok(key) => return Ok(key.into()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(FileError::of("reading", &path)(error).into()),
        }
        let key = crypt_v2::client_key(&self.files.crypt_v2())?;
        replace(&path, key.as_bytes(), 0o600)?;
        Ok(key)
    }

    fn key_of(&self, name: &NodeName) -> PathBuf {
        self.files.client_key(name)
    }
}
