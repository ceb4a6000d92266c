//! What is ours in EC2 and no instance: volumes that outlived theirs, and groups that no instance is in.

use aws_sdk_ec2::types::{Filter, Volume, VolumeState};

use super::answer::Answer;
use super::provision::security_group;
use super::{Ec2, Leftover, MachineState, ProviderError, tags};
use crate::provider::LeftoverKind;

impl Ec2 {
    pub(super) async fn left_over(&self) -> Result<Vec<Leftover>, ProviderError> {
        let failed = |answer: Answer| self.unanswered("listing what is left over", &self.host, answer);
        // Volumes first: an instance that comes between the two lists would make its own look abandoned.
        let volumes = self.volumes(tags::filters_of_host(&self.cluster, &self.host)).await.map_err(failed)?;
        let instances = self.all().await?;
        let living: Vec<&str> =
            instances.iter().filter(|it| it.state() != MachineState::Gone).map(|it| it.id.as_str()).collect();
        let abandoned = volumes.iter().filter(|volume| !is_held(volume, &living)).filter_map(volume_left);
        let groups = self.idle_groups(&instances).await.map_err(failed)?;
        Ok(abandoned.chain(groups.into_iter().map(security_group)).collect())
    }

    /// Takes a leftover away, if it is one of ours.
    pub(super) async fn take_away(&self, leftover: &Leftover) -> Result<(), ProviderError> {
        let id = leftover.id.as_str();
        let removed = match leftover.kind {
            LeftoverKind::Volume => self.remove_volume(id).await,
            LeftoverKind::SecurityGroup => self.remove_group(id).await,
            LeftoverKind::Seed => Err(Answer::refused("a cloud has no seed images")),
        };
        removed.map_err(|answer| self.failed("removing", id, answer))
    }

    async fn remove_volume(&self, id: &str) -> Result<(), Answer> {
        let mut ours = tags::filters_of_host(&self.cluster, &self.host);
        ours.push(tags::named_filter("volume-id", id));
        if self.volumes(ours).await?.is_empty() {
            return Ok(());
        }
        match self.client.delete_volume().volume_id(id).send().await.map_err(Answer::from) {
            Err(answer) if !answer.is("InvalidVolume.NotFound") => Err(answer),
            _ => Ok(()),
        }
    }

    async fn remove_group(&self, id: &str) -> Result<(), Answer> {
        let mut ours = tags::filters_of_host(&self.cluster, &self.host);
        ours.push(tags::named_filter("group-id", id));
        if self.find_groups(ours).await?.is_empty() { Ok(()) } else { self.delete_group(id).await }
    }

    /// Volumes that aren't on their way out.
    async fn volumes(&self, filters: Vec<Filter>) -> Result<Vec<Volume>, Answer> {
        let mut pages =
            self.client.describe_volumes().set_filters(Some(filters)).into_paginator().page_size(500).send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            found.extend(page?.volumes.unwrap_or_default());
        }
        found.retain(|volume| !matches!(volume.state(), Some(VolumeState::Deleting | VolumeState::Deleted)));
        Ok(found)
    }
}

/// Whether a living instance has it, or may be about to.
fn is_held(volume: &Volume, living: &[&str]) -> bool {
    volume.state() == Some(&VolumeState::Creating)
        || volume.attachments().iter().any(|it| it.instance_id().is_some_and(|id| living.contains(&id)))
}

fn volume_left(volume: &Volume) -> Option<Leftover> {
    let launch = tags::launch(volume.tags());
    Some(Leftover {
        kind: LeftoverKind::Volume,
        id: volume.volume_id()?.to_owned(),
        worker_id: launch.as_ref().map(|it| it.worker_id),
        worker: launch.map(|it| it.worker),
    })
}
