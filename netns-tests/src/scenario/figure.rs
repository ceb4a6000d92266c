//! The design's figure as bare machines and cables: nothing of Landbridge runs yet.

use std::sync::Arc;
use std::time::Duration;

use super::{Outcome, Scenario};
use crate::builder::UmlBuilder;
use crate::error::LabResult;
use crate::lab::Lab;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "figure",
    about: "front-end, two physical hosts with a worker each, a cloud with two workers 40 ms away; nothing installed",
    build,
};

fn build(lab: &Arc<Lab>) -> Outcome<()> {
    let internet = lab.network("internet")?;
    let underlay = lab.network("underlay")?;
    let cloud = lab.network("cloud")?;
    lab.wan(&cloud, &internet)?.set_delay(Duration::from_millis(40));

    lab.machine("frontend")
        .nic("wan0", &internet, "198.51.100.1/24")
        .nic("und0", &underlay, "192.0.2.10/24")
        .route("203.0.113.0/24", "wan0")
        .start()?;
    let ursa01 = lab.machine("ursa01").nic("und0", &underlay, "192.0.2.11/24").start()?;
    let ursa02 = lab.machine("ursa02").nic("und0", &underlay, "192.0.2.12/24").start()?;
    println!("front-end, ursa01 and ursa02 are up");

    let local = [("w1", &ursa01), ("w2", &ursa02)].map(|(name, host)| lab.uml(name).on_host(host));
    let remote = [("e1", "203.0.113.11/24"), ("e2", "203.0.113.12/24")];
    let remote = remote.map(|(name, address)| lab.uml(name).nic("eth0", &cloud, address).route("default", "eth0"));
    boot_all(local.into_iter().chain(remote))?;
    println!("workers w1, w2, e1 and e2 are up");
    Ok(())
}

/// Boots machines side by side.
fn boot_all<'lab>(machines: impl Iterator<Item = UmlBuilder<'lab>>) -> LabResult<()> {
    std::thread::scope(|scope| {
        let boots: Vec<_> = machines.map(|machine| scope.spawn(|| machine.boot())).collect();
        boots.into_iter().try_for_each(|boot| boot.join().expect("a boot does not panic").map(drop))
    })
}
