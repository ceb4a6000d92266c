//! What must hold on every backend, for every walk from network to network.

use landbridge_fabric::{
    ApplyError, Backend, Fault, Faulty, Ledger, Link, LinkKind, Network, NetworkJournal, Observed, plan, reconcile,
};

use super::*;

/// What a machine with `others` on it looks like once `network` is there: worked out from the wish alone, not from a
/// plan.
pub fn expected(network: &Network, others: &Observed) -> Observed {
    let mut end = others.clone();
    for (name, spec) in &network.links {
        let kind = match &spec.kind {
            LinkKind::Existing => {
                let nic = end.links.get_mut(name).expect("the NIC");
                (nic.mtu, nic.up) = (spec.mtu.bytes(), true);
                nic.controller.clone_from(&spec.controller);
                nic.addresses.extend(&spec.addresses);
                continue;
            }
            LinkKind::Bridge => Kind::Bridge,
            LinkKind::Tap => Kind::Tap,
            LinkKind::Vlan { id, parent } => Kind::Vlan { id: *id, parent: Some(parent.clone()) },
            LinkKind::Vxlan { vni, local, port, .. } => Kind::Vxlan { vni: *vni, local: Some(*local), port: *port },
        };
        let flood = if let LinkKind::Vxlan { flood, .. } = &spec.kind { flood.clone() } else { [].into() };
        let (mtu, controller, addresses) = (spec.mtu.bytes(), spec.controller.clone(), spec.addresses.clone());
        let alias = Some(format!("landbridge:{}", network.owner));
        end.links.insert(name.clone(), Link { kind, mtu, up: true, controller, addresses, flood, alias });
    }
    end
}

/// Goes from network to network, with what goes wrong on the way, and checks at every station: a fault leaves what
/// was there before, a crash leaves what others have, and without either the network is there. At the end the last
/// network is reached whatever happened before, nothing is left to plan, and an empty network leaves the machine as it
/// was.
pub async fn walk<B: Backend>(backend: &mut B, walk: &[(Network, Option<Fault>)]) {
    let others = backend.observe().await.expect("an observation");
    let mut journal = NetworkJournal::in_memory();
    for (network, fault) in walk {
        station(backend, &mut journal, network, *fault, &others).await;
    }
    let (last, _) = walk.last().expect("a walk has a station");
    arrive(backend, &mut journal, last, &others).await;
    arrive(backend, &mut journal, &Network::empty(owner()), &others).await;
}

async fn station<B: Backend>(
    backend: &mut B,
    journal: &mut NetworkJournal,
    network: &Network,
    fault: Option<Fault>,
    others: &Observed,
) {
    // A crash before this may have left work, which is settled first.
    landbridge_fabric::recover(backend, journal).await.expect("a recovery");
    let before = backend.observe().await.expect("an observation");
    let mut faulty = Faulty::new(backend, fault);
    let death = faulty.death();
    let outcome = tokio::select! {
        outcome = reconcile(network, &mut faulty, journal) => Some(outcome),
        () = death => None,
    };
    let after = backend.observe().await.expect("an observation");
    match outcome {
        Some(Ok(_)) => assert_eq!(after, expected(network, others)),
        Some(Err(ApplyError::Undone { .. })) => assert_eq!(after, before, "a refused step must leave what was there"),
        Some(Err(error)) => panic!("{error}: {error:?}"),
        None => {}
    }
    for (name, link) in &others.links {
        if !name.as_str().starts_with("eth") {
            assert_eq!(after.links.get(name), Some(link), "{name} is somebody else's");
        }
    }
}

async fn arrive<B: Backend>(backend: &mut B, journal: &mut NetworkJournal, network: &Network, others: &Observed) {
    reconcile(network, backend, journal).await.expect("to arrive");
    let observed = backend.observe().await.expect("an observation");
    assert_eq!(observed, expected(network, others));
    let rest = plan(network, &observed, &Ledger::of(journal)).expect("no conflict");
    assert!(rest.is_empty(), "still to do: {rest}");
    let again = reconcile(network, backend, journal).await.expect("to stay");
    assert_eq!(again.changed, Vec::<String>::new());
}
