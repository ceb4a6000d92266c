//! Looks at the path to a peer every now and then, and sets the routes to it.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use landbridge_fabric::{BackendError, HostRoute, HostRoutes, InterfaceName, Mtu};
use tokio::time::{Duration, Instant, sleep};

use super::judge::{Judge, Level};
use crate::icmp::{Echo, Pinger};

/// The type of service of our own looks. They have a route of their own that lets large packets out before anybody else may send
/// any, and answers go by the same. As a DSCP it is 5, which nobody has assigned.
const LOOK: u8 = 0x14;
/// Between two looks at a path that is as it was.
const PERIOD: Duration = Duration::from_secs(2);
/// For an answer: some repetitions on a lossy path.
const ANSWER: Duration = Duration::from_millis(800);
/// What is tried first, and alone while large packets are believed to pass: a few fragments. The whole size, each time,
/// would cost every tunnel half a megabit in a second.
const WATCH: u32 = 4000;
/// What fits, encapsulated, into one packet of almost every path.
const NARROW: u32 = 1400;
/// What ping(8) sends.
const SMALL: u32 = 84;

/// Why a path can't be looked at or told of.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// A socket.
    #[error("looking at the path to {peer} failed")]
    Look {
        /// The peer.
        peer: Ipv4Addr,
        /// What the kernel said.
        source: io::Error,
    },
    /// A route.
    #[error(transparent)]
    Route(#[from] BackendError),
}

/// What goes through a path at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The vLAN's MTU.
    pub standard: Mtu,
    /// What is hoped for: no more than [`super::SendRoom`] allows.
    pub wide: Mtu,
    /// What the other end may send.
    pub offered: Mtu,
}

/// One path and what is believed of it.
#[derive(Debug)]
pub struct PathKeeper {
    routes: Arc<HostRoutes>,
    device: InterfaceName,
    peer: Ipv4Addr,
    sizes: Sizes,
    judge: Judge,
}

impl PathKeeper {
    /// The path to `peer` through `device`.
    pub fn new(routes: Arc<HostRoutes>, device: InterfaceName, peer: Ipv4Addr, sizes: Sizes) -> Self {
        Self { routes, device, peer, sizes, judge: Judge::new() }
    }

    /// Sets the routes and doesn't look yet: connections that begin from now on can grow. A large packet on a path that has
    /// just begun holds up all that comes behind it, for some round trips.
    pub async fn prepare(&self) -> Result<(), PathError> {
        self.set().await
    }

    /// Looks again and again, for ever. What fails is tried again: a link may be away while its program is started anew. Says when
    /// a look has found the path other than the one before: the connection may be another one.
    pub async fn keep(mut self, has_changed: impl Fn()) {
        let mut last = None;
        loop {
            let before = self.judge.level();
            let seen = match self.set().await {
                Ok(()) => self.look().await,
                Err(error) => Err(error),
            };
            match &seen {
                Err(error) => tracing::debug!(peer = %self.peer, error = error as &dyn std::error::Error, "path"),
                Ok(_) if self.judge.level() != before => {
                    tracing::info!(peer = %self.peer, "packets of {} bytes at most from now on", self.most());
                }
                Ok(_) => {}
            }
            let seen = seen.ok().flatten();
            let is_other = last.replace(seen).is_some_and(|last| last != seen);
            if is_other && seen.is_some() {
                has_changed();
            }
            if !self.judge.is_doubtful() {
                sleep(PERIOD).await;
            }
        }
    }

    /// The most that came back, if anything did.
    async fn look(&mut self) -> Result<Option<Level>, PathError> {
        let peer = self.peer;
        let seen = self.see().await.map_err(|source| PathError::Look { peer, source })?;
        if self.judge.note(seen) {
            self.set().await?;
        }
        Ok(seen)
    }

    /// The most that gets through now.
    async fn see(&self) -> io::Result<Option<Level>> {
        let mut pinger = Pinger::by_route(self.peer, LOOK)?;
        let wide = self.sizes.wide.bytes();
        if passes(&mut pinger, wide.min(WATCH)).await? {
            let whole = self.judge.level() == Level::Wide || passes(&mut pinger, wide).await?;
            return Ok(Some(if whole { Level::Wide } else { Level::Standard }));
        }
        if passes(&mut pinger, self.sizes.standard.bytes()).await? {
            return Ok(Some(Level::Standard));
        }
        Ok(passes(&mut pinger, SMALL).await?.then_some(Level::Narrow))
    }

    fn most(&self) -> Mtu {
        match self.judge.level() {
            Level::Narrow => Mtu::new(NARROW).map_or(self.sizes.standard, |narrow| narrow.min(self.sizes.standard)),
            Level::Standard => self.sizes.standard,
            Level::Wide => self.sizes.wide,
        }
    }

    /// The route for our own looks, and the one for everything.
    async fn set(&self) -> Result<(), PathError> {
        for (tos, mtu) in [(LOOK, self.sizes.wide), (0, self.most())] {
            let route = HostRoute { peer: self.peer, tos, mtu, offered: self.sizes.offered };
            self.routes.set(&self.device, route).await?;
        }
        Ok(())
    }
}

async fn passes(pinger: &mut Pinger, size: u32) -> io::Result<bool> {
    Ok(pinger.ping(size, Instant::now() + ANSWER).await? == Echo::Answered)
}
