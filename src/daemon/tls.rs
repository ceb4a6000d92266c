//! The front-end's own certificate: shown at the door, renewed at two thirds of its life, changed with the authority.

use std::sync::Arc;

use jiff::Timestamp;
use landbridge_pki::Authority;
use rustls::ServerConfig;
use tokio::sync::watch;

use super::DaemonError;
use crate::enroll;
use crate::frontend::{self, KeysError};
use crate::paths::Paths;
use crate::spec::Cluster;

/// Keeps the certificate young.
pub(super) struct Renewer {
    paths: Paths,
    cluster: Cluster,
    config: watch::Sender<Arc<ServerConfig>>,
    trust: String,
}

/// The configuration, with a certificate that fits the cluster's file as it is now, and who renews it.
pub(super) fn start(
    cluster: &Cluster,
    paths: &Paths,
    authority: &mut Authority,
) -> Result<(Renewer, watch::Receiver<Arc<ServerConfig>>), DaemonError> {
    frontend::renew_own(cluster, paths, authority, Timestamp::now())?;
    let (config, receiver) = watch::channel(load(paths, authority)?);
    let trust = authority.register().trust_pem();
    Ok((Renewer { paths: paths.clone(), cluster: cluster.clone(), config, trust }, receiver))
}

impl Renewer {
    /// Renews when it is time, and follows a rotated authority.
    pub(super) fn renew_when_due(&mut self, authority: &mut Authority, now: Timestamp) -> Result<(), DaemonError> {
        let renewed = frontend::renew_own(&self.cluster, &self.paths, authority, now)?;
        let trust = authority.register().trust_pem();
        if renewed || trust != self.trust {
            self.config.send_replace(load(&self.paths, authority)?);
            self.trust = trust;
            tracing::info!("the front-end shows a new certificate");
        }
        Ok(())
    }
}

fn load(paths: &Paths, authority: &Authority) -> Result<Arc<ServerConfig>, DaemonError> {
    let identity = frontend::tls_identity(paths, authority)?;
    Ok(Arc::new(enroll::server_config(&identity).map_err(KeysError::from)?))
}
