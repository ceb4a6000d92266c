//! Instances of ours, as EC2 shows them.

use aws_sdk_ec2::types::{Filter, Instance, InstanceStateName, StateReason};
use jiff::Timestamp;

use super::answer::Answer;
use super::tags;
use super::{Ec2, Launch, Machine, MachineState, ProviderError};
use crate::provider::MachineId;

/// How many instances are asked for at once.
const PAGE: i32 = 500;

/// An instance of ours.
pub(super) struct Found {
    pub(super) id: String,
    pub(super) launch: Launch,
    instance: Instance,
}

impl Found {
    /// `None` when its tags are no launch's.
    pub(super) fn new(instance: Instance) -> Option<Self> {
        Some(Self { id: instance.instance_id()?.to_owned(), launch: tags::launch(instance.tags())?, instance })
    }

    pub(super) fn state(&self) -> MachineState {
        state(self.instance.state().and_then(|state| state.name()))
    }

    /// The request that a spot instance came from.
    pub(super) fn spot_request(&self) -> Option<&str> {
        self.instance.spot_instance_request_id()
    }

    /// The security groups that it is in.
    pub(super) fn groups(&self) -> impl Iterator<Item = &str> {
        self.instance.security_groups().iter().filter_map(|group| group.group_id())
    }

    pub(super) fn machine(&self, reclaimed_at: Option<Timestamp>) -> Machine {
        let it = &self.instance;
        let address = it.public_ip_address().filter(|text| !text.is_empty()).or(it.private_ip_address());
        Machine {
            id: MachineId(self.id.clone()),
            launch: self.launch.clone(),
            state: self.state(),
            address: address.and_then(|text| text.parse().ok()),
            started: it.launch_time().and_then(|at| Timestamp::from_second(at.secs()).ok()),
            reclaimed_at,
            because: it.state_reason().and_then(StateReason::message).map(str::to_owned),
        }
    }
}

/// A stopped instance still costs, and isn't started again by us.
fn state(name: Option<&InstanceStateName>) -> MachineState {
    match name {
        Some(InstanceStateName::Running) => MachineState::Running,
        Some(InstanceStateName::ShuttingDown | InstanceStateName::Stopping) => MachineState::Stopping,
        Some(InstanceStateName::Stopped) => MachineState::Off,
        Some(InstanceStateName::Terminated) => MachineState::Gone,
        _ => MachineState::Pending,
    }
}

impl Ec2 {
    /// Every instance of this host, with the notices of the spot market.
    pub(super) async fn list(&self) -> Result<Vec<Machine>, ProviderError> {
        let found = self.all().await?;
        self.tidy_held_group(&found).await;
        let notices = self.notices(&found).await;
        Ok(found.iter().map(|it| it.machine(it.spot_request().and_then(|id| notices.get(id).copied()))).collect())
    }

    /// Every instance of this host.
    pub(super) async fn all(&self) -> Result<Vec<Found>, ProviderError> {
        let filters = tags::filters_of_host(&self.cluster, &self.host);
        self.find(filters).await.map_err(|answer| self.unanswered("listing the instances", &self.host, answer))
    }

    /// A launch's instances: one, or none.
    pub(super) async fn of_launch(&self, launch: &Launch) -> Result<Vec<Found>, ProviderError> {
        let mut filters = tags::filters_of_host(&launch.cluster, &self.host);
        filters.push(tags::filter(tags::WORKER_ID, &launch.worker_id.to_string()));
        filters.push(tags::filter(tags::ATTEMPT, &launch.attempt.to_string()));
        self.find(filters).await.map_err(|answer| self.unanswered("looking for the instance", &launch.worker, answer))
    }

    /// The same, where an empty answer has been given for as long as EC2 may be late.
    pub(super) async fn settled(&self, launch: &Launch) -> Result<Vec<Found>, ProviderError> {
        let mut looks = self.looks();
        loop {
            let found = self.of_launch(launch).await?;
            if !(found.is_empty() && looks.again().await) {
                return Ok(found);
            }
        }
    }

    async fn find(&self, filters: Vec<Filter>) -> Result<Vec<Found>, Answer> {
        let mut pages =
            self.client.describe_instances().set_filters(Some(filters)).into_paginator().page_size(PAGE).send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let reservations = page?.reservations.unwrap_or_default();
            let instances = reservations.into_iter().flat_map(|it| it.instances.unwrap_or_default());
            found.extend(instances.filter_map(Found::new));
        }
        Ok(found)
    }
}
