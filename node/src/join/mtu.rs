//! A whole packet gets through unfragmented; larger ones are got ready for, before anything is connected.

use tokio::time::{Duration, Instant};

use super::address::SMALL;
use super::worker::Worker;
use crate::icmp::{Echo, Pinger, largest};
use crate::wire::{Failure, LinkBundle};
use crate::words;

/// How long the full packet is tried for: several repetitions on a lossy path.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long each smaller one is tried for, when the full one failed.
const EACH: Duration = Duration::from_millis(350);

/// A packet of the vLAN's MTU goes to the front-end and back; else the failure says which size does.
pub(super) async fn prove(worker: &Worker, until: Instant) -> Result<(), Failure> {
    let (front_end, mtu) = (worker.bundle.front_end.address, worker.bundle.mtu.bytes());
    let local = |e: std::io::Error| words::local("a ping to the front-end", &e);
    let mut pinger = Pinger::new(front_end, true).map_err(local)?;
    let echo = pinger.ping(mtu, until.min(Instant::now() + PATIENCE)).await.map_err(local)?;
    if echo == Echo::Answered {
        return Ok(());
    }
    let most = largest(&mut pinger, SMALL, mtu, EACH).await.map_err(local)?;
    Err(failure(worker, echo, most))
}

/// What is connected from now on can grow to large packets. Whether they get through is for the agent to find out, when
/// nobody waits.
pub(super) async fn prepare_for_more(worker: &Worker) -> Result<(), Failure> {
    let path = worker.path().map_err(|e| words::local("the path to the front-end", &e))?;
    if let Some(path) = path
        && let Err(error) = path.prepare().await
    {
        tracing::warn!(error = %words::chain(&error), "large packets to the front-end are not tried now");
    }
    Ok(())
}

fn failure(worker: &Worker, echo: Echo, most: u32) -> Failure {
    let Worker { bundle, .. } = worker;
    let who = match echo {
        Echo::TooLarge => "this machine's own link takes no more",
        _ => "larger ones were lost on the way",
    };
    let remedy = match bundle.link {
        LinkBundle::Tunnel { .. } => {
            "let UDP fragments through, or TCP to the tunnel's port, or give the vLAN a smaller mtu in cluster.toml"
        }
        LinkBundle::Bridge => {
            "give every port and uplink on the way the vLAN's MTU (VXLAN: 50 bytes more on the underlay), or the vLAN a smaller one"
        }
    };
    Failure {
        expected: format!("packets of {} bytes to {} and back, unfragmented", bundle.mtu, bundle.front_end.address),
        seen: format!("the largest that got through has {most} bytes; {who}"),
        remedy: remedy.into(),
    }
}
