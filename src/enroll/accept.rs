//! The accept loop: TLS, the peer's certificate, and limits on number and time.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::{Extension, Router};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::AlertDescription;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::routes::{MaybePeer, router};
use super::{Gate, tls};

/// How much one door bears.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once, all together.
    pub connections: usize,
    /// Connections at once from one address. Every worker of one cloud may come from the same.
    pub per_address: usize,
    /// For a whole connection of somebody without a certificate: fetching `landbridge-node`, or a join's first request.
    pub stranger: Duration,
    /// For the TLS handshake, and for a request's headers.
    pub greeting: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            per_address: 2048,
            stranger: Duration::from_mins(3),
            greeting: Duration::from_secs(10),
        }
    }
}

/// The log hears of a full house no more often: strangers must not be able to fill it.
const TELLING: Duration = Duration::from_mins(1);
/// Header bytes that are read before a request is refused.
const MAX_HEADERS: usize = 16 * 1024;

/// Serves `gate` until `stop`. A new TLS configuration in `tls` (a renewed certificate, a rotated authority) holds for the
/// connections that come after it.
pub async fn serve<G: Gate>(
    listener: TcpListener,
    tls: watch::Receiver<Arc<rustls::ServerConfig>>,
    gate: Arc<G>,
    limits: Limits,
    stop: CancellationToken,
) {
    let router = router(Arc::clone(&gate));
    let crowd = Arc::new(Crowd::new(limits));
    let guests = TaskTracker::new();
    let mut told = None;
    loop {
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: the listener is still good when some are closed.
                    tracing::warn!(%error, "accepting a connection failed");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        let Some(place) = crowd.enter(address.ip()) else {
            if told.is_none_or(|at: Instant| at.elapsed() >= TELLING) {
                tracing::warn!(%address, "too many connections; this one was closed, and others may be");
                told = Some(Instant::now());
            }
            continue;
        };
        let acceptor = TlsAcceptor::from(tls.borrow().clone());
        let (router, stop, gate) = (router.clone(), stop.clone(), Arc::clone(&gate));
        guests.spawn(async move {
            let distrusted = || gate.distrusted(address.ip());
            tokio::select! {
                () = attend(stream, acceptor, router, limits, distrusted) => {}
                () = stop.cancelled() => {}
            }
            drop(place);
        });
    }
    guests.close();
    guests.wait().await;
}

async fn attend(stream: TcpStream, acceptor: TlsAcceptor, router: Router, limits: Limits, distrusted: impl Fn()) {
    // Requests are small and answered at once: waiting to fill a segment only costs a round trip.
    let _ = stream.set_nodelay(true);
    let handshake = tokio::time::timeout(limits.greeting, acceptor.accept(stream)).await;
    let stream = match handshake {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            if is_distrust(&error) {
                distrusted();
            }
            return tracing::debug!(%error, "TLS handshake failed");
        }
        Err(_) => return tracing::debug!("TLS handshake took too long"),
    };
    let peer = MaybePeer(tls::peer(stream.get_ref().1));
    // A member's requests wait for news, as long as it likes; a stranger who reads slowly would keep his place for ever.
    let patience = if peer.0.is_some() { Duration::MAX } else { limits.stranger };
    let service = TowerToHyperService::new(router.layer(Extension(peer)));
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.greeting)
        .max_buf_size(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(patience, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "connection ended"),
        Err(_) => tracing::debug!("a stranger took too long"),
    }
}

/// Whether it was the other end's word that it doesn't take our certificate, as nodes say it (RFC 8446, section 6.2).
fn is_distrust(error: &io::Error) -> bool {
    let said = error.get_ref().and_then(|error| error.downcast_ref());
    matches!(said, Some(rustls::Error::AlertReceived(AlertDescription::CertificateUnknown)))
}

/// Who is inside.
struct Crowd {
    limits: Limits,
    inside: Mutex<HashMap<IpAddr, usize>>,
}

/// A place inside, given back when dropped.
struct Place {
    crowd: Arc<Crowd>,
    address: IpAddr,
}

impl Crowd {
    fn new(limits: Limits) -> Self {
        Self { limits, inside: Mutex::default() }
    }

    fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let full = inside.values().sum::<usize>() >= self.limits.connections
            || inside.get(&address).is_some_and(|n| *n >= self.limits.per_address);
        if full {
            return None;
        }
        *inside.entry(address).or_default() += 1;
        Some(Place { crowd: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.crowd.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = inside.get_mut(&self.address) {
            *n -= 1;
            if *n == 0 {
                inside.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_house_lets_nobody_in_until_somebody_leaves() {
        let limits = Limits { connections: 3, per_address: 2, ..Limits::default() };
        let crowd = Arc::new(Crowd::new(limits));
        let (one, two): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let first = crowd.enter(one);
        let _second = crowd.enter(one);
        assert!(crowd.enter(one).is_none(), "two are the most from one address");
        let _third = crowd.enter(two);
        assert!(crowd.enter([192, 0, 2, 3].into()).is_none(), "three are the most of all");
        drop(first);
        assert!(crowd.enter([192, 0, 2, 3].into()).is_some());
        assert_eq!(crowd.inside.lock().expect("no panic").len(), 2, "an address that left is forgotten");
    }
}
