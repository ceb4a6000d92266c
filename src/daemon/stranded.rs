//! Hosts that the cluster's file names no more although they have machines of ours: nobody could end those then.

use std::collections::BTreeMap;

use landbridge_pki::NodeName;

use crate::spec::{Cluster, HostKind};
use crate::store::{MachineRecord, Store, StoreError};

/// A sentence for each host whose machines would be out of reach, with what to do.
pub fn stranded(cluster: &Cluster, store: &dyn Store) -> Result<Vec<String>, StoreError> {
    Ok(told(cluster, &store.machines()?))
}

fn told(cluster: &Cluster, machines: &[MachineRecord]) -> Vec<String> {
    let makes = |name: &NodeName| {
        cluster.hosts.iter().any(|host| match &host.kind {
            HostKind::Cloud(_) => host.name == *name,
            HostKind::Physical(physical) => host.name == *name && physical.hypervisor.is_some(),
        })
    };
    let mut lost: BTreeMap<&NodeName, Vec<&str>> = BTreeMap::new();
    // One that nobody was asked for is nowhere.
    for machine in machines.iter().filter(|machine| machine.asked.is_some() && !makes(&machine.host)) {
        lost.entry(&machine.host).or_default().push(machine.worker.as_str());
    }
    let sentence = |(host, workers): (&NodeName, Vec<&str>)| {
        let all = workers.join(", ");
        format!(
            "{host} has machines of {all}, and the cluster's file has no such host, or no libvirt, driver or ec2 for it: \
             put that back, then landbridge worker destroy {}",
            workers.join(" and ")
        )
    };
    lost.into_iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{ClusterName, example};
    use crate::store::MachineRecord;

    #[test]
    fn a_host_that_was_taken_out_of_the_file_is_told_of_while_it_has_machines() {
        let mut cluster = example(ClusterName::new("ursa").expect("a name"));
        let on = |host: &str, id| MachineRecord { host: host.parse().expect("a name"), ..MachineRecord::example(id) };
        let machines = [on("ursa01", 1), on("ursa02", 2), on("ursa02", 3), on("ec2", 4)];
        assert_eq!(told(&cluster, &machines), [""; 0]);
        cluster.hosts.retain(|host| host.name.as_str() != "ursa02");
        insta::assert_snapshot!(told(&cluster, &machines).join("\n"));
        let planned = MachineRecord { asked: None, ..on("ursa02", 5) };
        assert_eq!(told(&cluster, &[planned]), [""; 0], "nobody was asked for it");
    }
}
