//! A plan under way: each method adds the steps of one phase, and sees what the steps before will have left.

use std::collections::BTreeSet;

use super::order;
use super::target::Links;
use crate::{Change, InterfaceName, Ledger, Link, LinkKind, Network, Observed, Plan, Step};

/// The steps so far, and the links as they will be after them.
pub(super) struct Draft<'a> {
    links: Links,
    targets: &'a Links,
    plan: Plan,
}

impl<'a> Draft<'a> {
    pub(super) fn new(observed: &Observed, targets: &'a Links) -> Self {
        Self { links: observed.links.clone(), targets, plan: Plan::default() }
    }

    pub(super) fn into_plan(self) -> Plan {
        self.plan
    }

    fn push(&mut self, step: Step) {
        step.apply_to(&mut self.links);
        self.plan.steps.push(step.into());
    }

    fn set(&mut self, name: &InterfaceName, change: Change) {
        self.push(Step::Set { name: name.clone(), change });
    }

    /// The names of links that are there and have a target, least depth first.
    fn present(&self) -> Vec<InterfaceName> {
        let names = self.targets.keys().filter(|name| self.links.contains_key(*name)).cloned().collect();
        order::creation(names, self.targets)
    }

    /// What goes, goes first: it may hold a name, a VNI or a VLAN id that is wanted. Ports that stay are detached by steps
    /// of their own, others' too (the kernel would do it silently), so that the way back attaches them again.
    pub(super) fn delete(&mut self, doomed: &BTreeSet<InterfaceName>) {
        for name in order::deletion(doomed.iter().cloned().collect(), &self.links) {
            let is_port = |link: &Link| link.controller.as_ref() == Some(&name);
            let ports = self.links.iter().filter(|(_, link)| is_port(link)).map(|(port, _)| port.clone());
            let ports: Vec<_> = ports.collect();
            for port in ports {
                self.set(&port, Change::Controller { from: Some(name.clone()), to: None });
            }
            let link = self.links[&name].clone();
            self.push(Step::Delete { name, link });
        }
    }

    /// Notes how NICs are before anything on them changes.
    pub(super) fn adopt(&mut self, network: &Network, observed: &Observed, ledger: &Ledger) {
        for (nic, spec) in &network.links {
            if spec.kind == LinkKind::Existing
                && !ledger.adopted.contains_key(nic)
                && let Some(before) = Ledger::state_of(observed, nic)
            {
                self.push(Step::Adopt { nic: nic.clone(), before });
            }
        }
    }

    /// A sub-interface can't be larger than its parent: what stands on top shrinks first and grows last.
    pub(super) fn set_mtus(&mut self) {
        let names = self.present();
        for name in names.iter().rev() {
            let (from, to) = (self.links[name].mtu, self.targets[name].mtu);
            if from > to {
                self.set(name, Change::Mtu { from, to });
            }
        }
        for name in &names {
            let (from, to) = (self.links[name].mtu, self.targets[name].mtu);
            if from < to {
                self.set(name, Change::Mtu { from, to });
            }
        }
    }

    /// A sub-interface can't be up while its parent is down.
    pub(super) fn set_up(&mut self) {
        for name in self.present() {
            if self.targets[&name].up && !self.links[&name].up {
                self.set(&name, Change::Up(true));
            }
        }
    }

    /// Before any address is added: it may move from one link to another.
    pub(super) fn remove_addresses_and_flood(&mut self) {
        for name in self.present() {
            let (is, target) = (self.links[&name].clone(), &self.targets[&name]);
            for address in is.addresses.difference(&target.addresses) {
                self.set(&name, Change::RemoveAddress(*address));
            }
            for remote in is.flood.difference(&target.flood) {
                self.set(&name, Change::RemoveFlood(*remote));
            }
        }
    }

    pub(super) fn create(&mut self) {
        let missing = self.targets.keys().filter(|name| !self.links.contains_key(*name)).cloned().collect();
        for name in order::creation(missing, self.targets) {
            let link = self.targets[&name].clone();
            self.push(Step::Create { name, link });
        }
    }

    pub(super) fn set_controllers(&mut self) {
        for name in self.present() {
            let (from, to) = (self.links[&name].controller.clone(), self.targets[&name].controller.clone());
            if from != to {
                self.set(&name, Change::Controller { from, to });
            }
        }
    }

    pub(super) fn add_addresses_and_flood(&mut self) {
        for name in self.present() {
            let (is, target) = (self.links[&name].clone(), &self.targets[&name]);
            for address in target.addresses.difference(&is.addresses) {
                self.set(&name, Change::AddAddress(*address));
            }
            for remote in target.flood.difference(&is.flood) {
                self.set(&name, Change::AddFlood(*remote));
            }
        }
    }

    /// Only a NIC that is given back goes down, and only when nothing of ours needs it any more.
    pub(super) fn set_down(&mut self) {
        for name in self.present().iter().rev() {
            if self.links[name].up && !self.targets[name].up {
                self.set(name, Change::Up(false));
            }
        }
    }

    /// Forgets NICs once they are given back, or gone with their hardware.
    pub(super) fn release(&mut self, network: &Network, ledger: &Ledger) {
        for (nic, record) in &ledger.adopted {
            if network.links.get(nic).is_none_or(|spec| spec.kind != LinkKind::Existing) {
                self.push(Step::Release { nic: nic.clone(), before: record.before.clone() });
            }
        }
    }
}
