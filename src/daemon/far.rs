//! The paths to the workers behind tunnels: each is looked at from when its worker has joined, for as long as it is in the
//! cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use landbridge_fabric::{BackendError, HostRoutes, InterfaceName};
use landbridge_node::path::{PathKeeper, SendRoom, Sizes};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::lifecycle::Roster;
use crate::naming::{self, Mac};
use crate::spec::Transport;

/// The bridge may be away for a moment, and a route may be removed by somebody.
const AGAIN: Duration = Duration::from_secs(10);

/// Keeps the paths until told to stop. The routes stay: the data plane outlives the daemon.
pub(super) async fn keep(roster: Arc<Roster>, stop: CancellationToken) {
    let routes = match HostRoutes::open() {
        Ok(routes) => Arc::new(routes),
        Err(error) => return tracing::error!(%error, "large packets through the tunnels are not tried"),
    };
    let cluster = roster.cluster();
    let bridge = naming::bridge(&cluster.name);
    let mut far = Far {
        routes,
        bridge,
        sizes: cluster.wide().map(|offered| {
            let is_udp = cluster.tunnel.transport == Transport::Udp;
            let wide = if is_udp { offered } else { SendRoom::look().most(offered) };
            Sizes { standard: cluster.vlan.mtu, wide, offered }
        }),
        prepared: BTreeSet::new(),
        kept: BTreeMap::new(),
        tasks: JoinSet::new(),
    };
    let mut moves = roster.moves();
    loop {
        match roster.far_ends() {
            Ok(ends) => far.follow(&ends).await,
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "looking for far workers"),
        }
        tokio::select! {
            _ = moves.changed() => {}
            () = tokio::time::sleep(AGAIN) => far.prepared.clear(),
            () = stop.cancelled() => return,
        }
    }
}

struct Far {
    routes: Arc<HostRoutes>,
    bridge: InterfaceName,
    /// `None`: nothing larger than the vLAN's packets.
    sizes: Option<Sizes>,
    /// To these connections can be made that will grow; nobody looks yet, since a large packet would be in the join's way.
    prepared: BTreeSet<Ipv4Addr>,
    kept: BTreeMap<Ipv4Addr, AbortHandle>,
    tasks: JoinSet<()>,
}

impl Far {
    /// Keeps the paths to these and to nobody else. Routes of an earlier daemon to others go too: the address may be
    /// another machine's by now, which takes no large packets.
    async fn follow(&mut self, ends: &BTreeMap<Ipv4Addr, bool>) {
        let Some(sizes) = self.sizes else { return self.release(&BTreeSet::new()).await };
        self.release(&ends.keys().copied().collect()).await;
        for (peer, has_joined) in ends {
            let path = || PathKeeper::new(Arc::clone(&self.routes), self.bridge.clone(), *peer, sizes);
            if self.kept.contains_key(peer) {
                continue;
            }
            if *has_joined {
                self.kept.insert(*peer, self.tasks.spawn(path().keep(|| {})));
            } else if !self.prepared.contains(peer) {
                // Where its tunnel's configuration says that it is.
                if let Err(error) = self.routes.introduce(&self.bridge, *peer, Mac::of(*peer).0).await {
                    tracing::debug!(%peer, error = &error as &dyn std::error::Error, "neighbour");
                }
                match path().prepare().await {
                    Ok(()) => {
                        self.prepared.insert(*peer);
                    }
                    Err(error) => tracing::debug!(%peer, error = &error as &dyn std::error::Error, "path"),
                }
            }
        }
    }

    async fn release(&mut self, ends: &BTreeSet<Ipv4Addr>) {
        let gone: Vec<_> = self.kept.extract_if(.., |peer, _| !ends.contains(peer)).collect();
        for (_, task) in gone {
            task.abort();
        }
        self.prepared.retain(|peer| ends.contains(peer));
        if let Err(error) = self.remove_others(ends).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "removing routes");
        }
    }

    async fn remove_others(&self, ends: &BTreeSet<Ipv4Addr>) -> Result<(), BackendError> {
        for peer in self.routes.peers(&self.bridge).await?.difference(ends) {
            self.routes.remove(&self.bridge, *peer).await?;
        }
        Ok(())
    }
}
