//! What the front-end's machine should be, by who is in the cluster now.

use std::sync::Arc;

use landbridge_node::machine::MachineSpec;
use landbridge_node::wire::HostEntry;

use crate::frontend::{self, Members, Surroundings};
use crate::lifecycle;
use crate::paths::Paths;
use crate::scheduler::Queue;
use crate::spec::Cluster;
use crate::store::{Store, StoreError};
use crate::worker::{LeaveStep, WorkerState};

/// Who is in the cluster, as the store says.
pub fn members(cluster: &Cluster, store: &dyn Store) -> Result<Members, StoreError> {
    let named = |(entry, state): (HostEntry, WorkerState)| has_a_name(state).then_some(entry);
    Ok(Members {
        underlay: lifecycle::members(cluster, store)?,
        workers: store.roll()?.into_iter().filter_map(named).collect(),
    })
}

/// The last step of leaving proves that nothing is left: by then the name is gone.
fn has_a_name(state: WorkerState) -> bool {
    state != WorkerState::Leaving(LeaveStep::Prove)
}

/// The front-end's machine as the daemon keeps it. It is drawn anew only after a worker or a host has moved, or the machine itself:
/// reading thousands of workers costs more than comparing all that is made of them with what is there.
#[derive(Debug)]
pub struct Wish {
    cluster: Arc<Cluster>,
    paths: Paths,
    last: Option<Drawn>,
}

#[derive(Debug)]
struct Drawn {
    changes: u64,
    around: Surroundings,
    spec: MachineSpec,
}

impl Wish {
    /// Of this cluster, not drawn yet.
    pub fn new(cluster: Arc<Cluster>, paths: Paths) -> Self {
        Self { cluster, paths, last: None }
    }

    /// What the machine should be now.
    pub fn drawn(&mut self, around: Surroundings, store: &dyn Store) -> Result<&MachineSpec, StoreError> {
        // Before the members: who comes meanwhile is drawn again the next time rather than never.
        let changes = store.roll_changes()?;
        let still_so = |last: &Drawn| (last.changes, &last.around) == (changes, &around);
        let drawn = match self.last.take().filter(still_so) {
            Some(last) => last,
            None => Drawn { changes, spec: self.draw(&around, store)?, around },
        };
        Ok(&self.last.insert(drawn).spec)
    }

    fn draw(&self, around: &Surroundings, store: &dyn Store) -> Result<MachineSpec, StoreError> {
        let queue = Queue::of(&self.cluster, &self.paths);
        let members = members(&self.cluster, store)?;
        let spec = frontend::machine_spec(&self.cluster, &self.paths, around, &members, &queue);
        Ok(frontend::without_own_restart(spec))
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, ToSpan as _};
    use landbridge_node::machine::Resource;
    use landbridge_node::wire::{MachineFacts, People, Via};
    use landbridge_pki::NodeName;

    use super::*;
    use crate::frontend::fixture::around;
    use crate::spec::{ClusterName, example};
    use crate::store::{HostNews, Sqlite, WorkerPlan};

    const NOON: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn plan(cluster: &Cluster, token: u8) -> WorkerPlan {
        WorkerPlan {
            name: None,
            host: None,
            via: Via::Tunnel,
            slots: None,
            subnet: cluster.vlan.subnet,
            range: cluster.vlan.workers,
            reserved: vec![],
            token: [token; 32],
            token_expires: NOON + 10.minutes(),
        }
    }

    fn names(spec: &MachineSpec) -> usize {
        let text = |resource: &Resource| match resource {
            Resource::Block(block) if block.name == "hosts" => Some(block.text.lines().count()),
            _ => None,
        };
        spec.resources.iter().find_map(text).expect("a block of host names")
    }

    #[test]
    fn it_is_drawn_anew_when_somebody_comes_or_goes_and_not_when_one_is_heard_of() {
        let cluster = Arc::new(example(ClusterName::new("ursa").expect("a cluster name")));
        let store = Sqlite::in_memory().expect("a store");
        let mut wish = Wish::new(Arc::clone(&cluster), Paths::default());
        // How many names there are, where it was drawn anew: what is kept is emptied before.
        let mut anew = |around: &Surroundings| {
            if let Some(last) = &mut wish.last {
                last.spec.resources.clear();
            }
            let spec = wish.drawn(around.clone(), &store).expect("a wish");
            (!spec.resources.is_empty()).then(|| names(spec))
        };
        let before = around(false);
        assert_eq!(anew(&before), Some(1), "the front-end alone");
        assert_eq!(anew(&before), None, "nothing has changed");
        let worker = store.plan_worker(&plan(&cluster, 1), NOON).expect("a worker");
        assert_eq!(anew(&before), Some(2), "a worker came");
        store.note_seen(worker.id, NOON).expect("a heartbeat");
        store.record_event("w1", "is well", NOON).expect("an event");
        assert_eq!(anew(&before), None, "it was heard of");
        let people = People { passwd: "ada:x:1000:1000::/home/ada:/bin/sh\n".into(), ..People::default() };
        let after = Surroundings { people, ..before };
        assert_eq!(anew(&after), Some(2), "a person came");
        let last = WorkerState::Leaving(LeaveStep::Prove);
        store.advance(worker.id, worker.state, last, NOON).expect("its last step");
        assert_eq!(anew(&after), Some(1), "nothing is to be left of the worker");
        let name = NodeName::new("ursa01").expect("a name");
        store.plan_host(&name, [2; 32], NOON).expect("a host");
        store.note_host(&name, &HostNews::Enrolled(MachineFacts::default()), NOON).expect("its news");
        assert!(anew(&after).is_some(), "a host came");
    }
}
