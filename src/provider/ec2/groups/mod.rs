//! Security groups of ours: found by their tags, made when missing, brought to the ports that are wanted.

mod ports;

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use aws_sdk_ec2::types::{Filter, ResourceType, SecurityGroup};
use landbridge_node::machine::crash;

pub(super) use ports::Ports;

use super::answer::Answer;
use super::instances::Found;
use super::{Ec2, MachineState, ProviderError, tags};

/// The longest name that EC2 takes.
const MOST_NAME: usize = 255;

/// An instance that is shutting down is still in it: EC2's code, and that of clouds like it.
const HELD: [&str; 2] = ["DependencyViolation", "InvalidGroup.InUse"];

fn is_leaving(instance: &Found) -> bool {
    instance.state() == MachineState::Stopping
}

/// A group that is there for an instance.
pub(super) struct Group {
    pub(super) id: String,
    /// Whether this request made it.
    pub(super) new: bool,
}

impl Ec2 {
    /// The group with these ports, made when there is none.
    pub(super) async fn group(&self, ports: &Ports) -> Result<Group, Answer> {
        let network = self.network().await?;
        if let Some(id) = self.adjusted(ports, network.as_deref()).await? {
            return Ok(Group { id, new: false });
        }
        self.make_group(ports, network).await
    }

    async fn make_group(&self, ports: &Ports, network: Option<String>) -> Result<Group, Answer> {
        let tags = [
            tags::tag("Name", self.group_name(ports)),
            tags::tag(tags::CLUSTER, self.cluster.as_str()),
            tags::tag(tags::HOST, self.host.as_str()),
            tags::tag(tags::PORTS, ports.to_string()),
        ];
        let asked = self.client.create_security_group();
        let asked = asked.group_name(self.group_name(ports)).set_vpc_id(network.clone());
        let asked = asked.description(format!("Workers of the Landbridge cluster {}", self.cluster));
        let asked = asked.tag_specifications(tags::from_the_start(ResourceType::SecurityGroup, &tags));
        match asked.send().await.map_err(Answer::from) {
            Ok(made) => {
                crash::point();
                let id = made.group_id.unwrap_or_default();
                self.adjust(&id, ports, &SecurityGroup::builder().build()).await?;
                Ok(Group { id, new: true })
            }
            // Somebody was quicker: another worker of ours, which EC2 may show later, or a stranger with our name.
            Err(answer) if answer.is("InvalidGroup.Duplicate") => {
                let mut looks = self.looks();
                while looks.again().await {
                    if let Some(id) = self.adjusted(ports, network.as_deref()).await? {
                        return Ok(Group { id, new: false });
                    }
                }
                Err(answer)
            }
            Err(answer) => Err(answer),
        }
    }

    /// The group that is there, open for these ports alone.
    async fn adjusted(&self, ports: &Ports, network: Option<&str>) -> Result<Option<String>, Answer> {
        let Some(group) = self.group_of(ports, network).await? else { return Ok(None) };
        let id = group.group_id().unwrap_or_default().to_owned();
        self.adjust(&id, ports, &group).await?;
        Ok(Some(id))
    }

    /// Opens and closes until the group is open for these ports alone.
    async fn adjust(&self, id: &str, ports: &Ports, group: &SecurityGroup) -> Result<(), Answer> {
        let (missing, surplus) = ports.changes(group.ip_permissions());
        // EC2 takes all that one request names, or nothing: one by one, what somebody has opened meanwhile is in nobody's way.
        for rule in missing {
            let asked = self.client.authorize_security_group_ingress().group_id(id);
            match asked.ip_permissions(rule).send().await.map_err(Answer::from) {
                Err(answer) if !answer.is("InvalidPermission.Duplicate") => return Err(answer),
                _ => crash::point(),
            }
        }
        if !surplus.is_empty() {
            let asked = self.client.revoke_security_group_ingress().group_id(id);
            match asked.set_ip_permissions(Some(surplus)).send().await.map_err(Answer::from) {
                Err(answer) if !answer.is("InvalidPermission.NotFound") => return Err(answer),
                _ => {}
            }
        }
        Ok(())
    }

    /// The network that instances come into: the subnet's, else the region's default one, if it has one.
    async fn network(&self) -> Result<Option<String>, Answer> {
        if let Some(subnet) = &self.cloud.subnet {
            let found = self.client.describe_subnets().subnet_ids(subnet).send().await?;
            return Ok(found.subnets().first().and_then(|it| it.vpc_id()).map(str::to_owned));
        }
        let found = self.client.describe_vpcs().filters(tags::named_filter("is-default", "true")).send().await?;
        Ok(found.vpcs().first().and_then(|it| it.vpc_id()).map(str::to_owned))
    }

    async fn group_of(&self, ports: &Ports, network: Option<&str>) -> Result<Option<SecurityGroup>, Answer> {
        let mut filters = tags::filters_of_host(&self.cluster, &self.host);
        filters.push(tags::filter(tags::PORTS, &ports.to_string()));
        filters.extend(network.map(|id| tags::named_filter("vpc-id", id)));
        Ok(self.find_groups(filters).await?.pop())
    }

    pub(super) async fn find_groups(&self, filters: Vec<Filter>) -> Result<Vec<SecurityGroup>, Answer> {
        let asked = self.client.describe_security_groups().set_filters(Some(filters));
        let mut pages = asked.into_paginator().page_size(500).send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            found.extend(page?.security_groups.unwrap_or_default());
        }
        Ok(found)
    }

    /// The ids of the groups of ours that no instance of ours is in.
    pub(super) async fn idle_groups(&self, instances: &[Found]) -> Result<Vec<String>, Answer> {
        let living = instances.iter().filter(|it| it.state() != MachineState::Gone);
        let used: BTreeSet<&str> = living.flat_map(Found::groups).collect();
        let ours = self.find_groups(tags::filters_of_host(&self.cluster, &self.host)).await?;
        let ids = ours.into_iter().filter_map(|it| it.group_id);
        Ok(ids.filter(|id| !used.contains(id.as_str())).collect())
    }

    /// Takes away the group that an instance has held when it was ended, once none is on its way out any more.
    pub(super) async fn tidy_held_group(&self, instances: &[Found]) {
        if self.group_is_held.load(Ordering::Relaxed) && !instances.iter().any(is_leaving) {
            self.tidy_groups().await;
        }
    }

    /// Takes away the groups that nobody needs. One that is still held, or that EC2 won't delete, costs nothing: it stays for the
    /// next time, or for `audit`, and no instance's end hangs on it.
    pub(super) async fn tidy_groups(&self) {
        if let Err(error) = self.try_to_tidy_groups().await {
            tracing::warn!(host = %self.host, %error, "security groups of ours stay");
        }
    }

    async fn try_to_tidy_groups(&self) -> Result<(), ProviderError> {
        let instances = self.all().await?;
        let failed = |answer: Answer| self.unanswered("tidying the security groups", &self.host, answer);
        self.group_is_held.store(instances.iter().any(is_leaving), Ordering::Relaxed);
        for id in self.idle_groups(&instances).await.map_err(failed)? {
            match self.delete_group(&id).await {
                Err(answer) if !HELD.iter().any(|code| answer.is(code)) => return Err(failed(answer)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Deletes a group; one that is gone already is fine.
    pub(super) async fn delete_group(&self, id: &str) -> Result<(), Answer> {
        match self.client.delete_security_group().group_id(id).send().await.map_err(Answer::from) {
            Err(answer) if !answer.is("InvalidGroup.NotFound") => Err(answer),
            _ => {
                crash::point();
                Ok(())
            }
        }
    }

    /// For people, and so that two workers can't make it twice.
    fn group_name(&self, ports: &Ports) -> String {
        let mut name = format!("landbridge-{}-{}-{ports}", self.cluster, self.host);
        name.truncate(MOST_NAME);
        name
    }
}
