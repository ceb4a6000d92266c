//! Machines in EC2, or in a cloud that speaks its API.
//!
//! A launch is known by its tags and by a client token that follows from it, so that asking again finds the first machine, also
//! one that is gone meanwhile: a launch is for one machine. An instance calls home through its tunnel: its security group is open for nothing that the template doesn't name.
//!
//! **Security groups.** One group of ours for each host of the cluster's file, network and set of ports, made by the first
//! instance that needs it and shared by the others. `destroy` takes away the groups that no instance of ours is in any more; an
//! instance that is still shutting down holds its group, which goes when the instances are listed and none is on its way out any
//! more. After a restart meanwhile it is a leftover until the next `destroy`, or until `remove` is asked for it.

mod answer;
mod ask;
mod connect;
mod console;
mod groups;
mod images;
mod instances;
mod late;
mod leftovers;
mod offer;
mod provision;
mod spot;
mod tags;

#[cfg(test)]
mod double;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::sync::atomic::AtomicBool;

use aws_sdk_ec2::Client;
use futures_util::future::BoxFuture;
use landbridge_node::machine::crash;
use landbridge_pki::NodeName;

use super::{FailureKind, Launch, Left, Leftover, Machine, MachineState, Offered, Order, Provider, ProviderError};
use crate::spec::{Cloud, ClusterName};
use answer::{Answer, Cause};

pub use connect::Patience;

/// The most that a machine can be told, before base64. From EC2's user guide.
pub const MOST_USER_DATA: usize = 16_384;

/// A cloud of the cluster's file.
pub struct Ec2 {
    cluster: ClusterName,
    host: NodeName,
    cloud: Cloud,
    client: Client,
    patience: Patience,
    images: images::Known,
    /// Whether an instance was on its way out, and held its group, when groups were tidied last.
    group_is_held: AtomicBool,
    /// Whether the spot market could not be asked the last time.
    market_is_silent: AtomicBool,
}

impl Ec2 {
    /// The cloud `host` of the cluster's file. Asks nobody for anything; credentials are looked up, by the usual chain
    /// (environment, files, the machine's own role), when they are needed.
    pub async fn connect(cluster: ClusterName, host: NodeName, cloud: Cloud, patience: Patience) -> Self {
        let client = connect::client(&cloud, patience).await;
        Self::with_client(cluster, host, cloud, patience, client)
    }

    fn with_client(cluster: ClusterName, host: NodeName, cloud: Cloud, patience: Patience, client: Client) -> Self {
        Self {
            cluster,
            host,
            cloud,
            client,
            patience,
            images: images::Known::default(),
            group_is_held: false.into(),
            market_is_silent: false.into(),
        }
    }

    /// Makes of EC2's answer what the caller reads.
    fn failed(&self, operation: &'static str, object: impl Display, answer: impl Into<Answer>) -> ProviderError {
        let (answer, object) = (answer.into(), object.to_string());
        // What was asked for may have been done whenever EC2 didn't say that it was not.
        let left = if answer.cause() == Cause::Passing { Left::Unknown } else { Left::Nothing };
        let remedy = answer.remedy(&self.cloud);
        ProviderError { operation, object, seen: answer.words().to_owned(), remedy, kind: answer.cause().into(), left }
    }

    /// The same, of a question that changes nothing.
    fn unanswered(&self, operation: &'static str, object: impl Display, answer: impl Into<Answer>) -> ProviderError {
        ProviderError { left: Left::Nothing, ..self.failed(operation, object, answer) }
    }

    /// Terminates what the launch's tags are on. An instance that has just been accepted may not be shown yet, so an empty
    /// answer is believed only when it was given for long enough; and one that is shown may be unknown to whoever ends it.
    async fn end(&self, launch: &Launch) -> Result<(), ProviderError> {
        let mut looks = self.looks();
        loop {
            let found = self.settled(launch).await?;
            let living = found.iter().filter(|it| it.state() != MachineState::Gone);
            let ids: Vec<String> = living.map(|it| it.id.clone()).collect();
            if ids.is_empty() {
                self.tidy_groups().await;
                return Ok(());
            }
            match self.client.terminate_instances().set_instance_ids(Some(ids)).send().await.map_err(Answer::from) {
                Ok(_) => {
                    crash::point();
                    self.tidy_groups().await;
                    return Ok(());
                }
                Err(answer) if answer.is("InvalidInstanceID.NotFound") && looks.again().await => {}
                Err(answer) => return Err(self.failed("ending the instance", &launch.worker, answer)),
            }
        }
    }
}

impl Provider for Ec2 {
    fn offered(&self) -> BoxFuture<'_, Result<Offered, ProviderError>> {
        Box::pin(self.offer())
    }

    fn machines(&self) -> BoxFuture<'_, Result<Vec<Machine>, ProviderError>> {
        Box::pin(self.list())
    }

    fn provision<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Machine, ProviderError>> {
        Box::pin(self.make(order))
    }

    fn destroy<'a>(&'a self, launch: &'a Launch) -> BoxFuture<'a, Result<(), ProviderError>> {
        Box::pin(self.end(launch))
    }

    fn console<'a>(&'a self, launch: &'a Launch) -> BoxFuture<'a, Result<Option<String>, ProviderError>> {
        Box::pin(self.read_console(launch))
    }

    fn leftovers(&self) -> BoxFuture<'_, Result<Vec<Leftover>, ProviderError>> {
        Box::pin(self.left_over())
    }

    fn remove<'a>(&'a self, leftover: &'a Leftover) -> BoxFuture<'a, Result<(), ProviderError>> {
        Box::pin(self.take_away(leftover))
    }
}

impl From<Cause> for FailureKind {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Refused => Self::Refused,
            Cause::Full => Self::Full,
            Cause::Passing => Self::Passing,
        }
    }
}
