//! An instance for a worker.

use aws_sdk_ec2::operation::run_instances::RunInstancesInput;
use landbridge_node::machine::crash;

use super::answer::Answer;
use super::ask::Parts;
use super::groups::{Group, Ports};
use super::images::Image;
use super::instances::Found;
use super::{Ec2, Left, Leftover, MOST_USER_DATA, Machine, Order, ProviderError};
use crate::provider::LeftoverKind;
use crate::template::Ec2 as Wish;

const OPERATION: &str = "starting the instance";

impl Ec2 {
    /// Looks for what an earlier request of this launch has made, and asks for it when there is nothing.
    pub(super) async fn make(&self, order: &Order) -> Result<Machine, ProviderError> {
        let wish = self.wish(order)?;
        // As long as nobody could look, nobody knows.
        let unknown = |error| ProviderError { left: Left::Unknown, ..error };
        if let Some(machine) = self.of_launch(&order.launch).await.map_err(unknown)?.first() {
            return Ok(machine.machine(None));
        }
        let image = self.image(&wish.ami).await?;
        let ports = Ports::of(&wish.authorized_ports);
        let mut looks = self.looks();
        loop {
            // EC2 doesn't see the group yet, or a worker that left has taken it away since.
            let is_missing = |answer: &Answer| answer.is("InvalidGroup.NotFound");
            let group = match self.group(&ports).await {
                Err(answer) if is_missing(&answer) && looks.again().await => continue,
                Err(answer) => {
                    return Err(self.failed("preparing the security group", format!("ports {ports}"), answer));
                }
                Ok(group) => group,
            };
            let run = self.run(self.request(order, wish, &image, &group)).await;
            if !(run.as_ref().is_err_and(is_missing) && looks.again().await) {
                return self.outcome(order, &group, run).await;
            }
        }
    }

    /// What the template wants of EC2, as far as we can judge it.
    fn wish<'a>(&self, order: &'a Order) -> Result<&'a Wish, ProviderError> {
        let refused = |words: String, remedy: &str| ProviderError {
            remedy: remedy.to_owned(),
            ..self.unanswered(OPERATION, &order.launch.worker, Answer::refused(words))
        };
        let length = order.seed.user_data.len();
        if length > MOST_USER_DATA {
            let words = format!("its user-data has {length} bytes, and EC2 takes {MOST_USER_DATA}");
            return Err(refused(words, "shorten what the template adds to the user-data"));
        }
        let none = || refused("the template has no EC2 part".to_owned(), "add EC2 = [ AMI=ami-… ] to the template");
        order.template.ec2.as_ref().ok_or_else(none)
    }

    fn request(&self, order: &Order, wish: &Wish, image: &Image, group: &Group) -> RunInstancesInput {
        Parts { order, wish, cloud: &self.cloud, host: &self.host, image, group: &group.id }.request()
    }

    async fn run(&self, request: RunInstancesInput) -> Result<Option<Found>, Answer> {
        let asked = self.client.run_instances();
        let asked = asked
            .set_client_token(request.client_token)
            .set_min_count(request.min_count)
            .set_max_count(request.max_count)
            .set_image_id(request.image_id)
            .set_instance_type(request.instance_type)
            .set_key_name(request.key_name)
            .set_security_group_ids(request.security_group_ids)
            .set_subnet_id(request.subnet_id)
            .set_user_data(request.user_data)
            .set_block_device_mappings(request.block_device_mappings)
            .set_metadata_options(request.metadata_options)
            .set_instance_initiated_shutdown_behavior(request.instance_initiated_shutdown_behavior)
            .set_instance_market_options(request.instance_market_options)
            .set_tag_specifications(request.tag_specifications);
        let answer = asked.send().await?;
        crash::point();
        Ok(answer.instances.unwrap_or_default().pop().and_then(Found::new))
    }

    /// What the caller hears of EC2's answer to the request for an instance.
    async fn outcome(
        &self,
        order: &Order,
        group: &Group,
        run: Result<Option<Found>, Answer>,
    ) -> Result<Machine, ProviderError> {
        let worker = &order.launch.worker;
        let answer = match run {
            Ok(Some(found)) => return Ok(found.machine(None)),
            Ok(None) => Answer::none("EC2 accepted the request and showed no instance with our tags".to_owned()),
            Err(answer) => answer,
        };
        // Something was made by this token: with another text for the machine, or by a request that EC2 hasn't shown yet.
        if answer.is("IdempotentParameterMismatch") {
            // Whatever it is, it is there: also where it can't be looked for.
            let settled = self.settled(&order.launch).await.map_err(|e| ProviderError { left: Left::Unknown, ..e })?;
            return match settled.first() {
                Some(found) => Ok(found.machine(None)),
                None => Err(ProviderError { left: Left::Unknown, ..self.failed(OPERATION, worker, answer) }),
            };
        }
        let error = self.failed(OPERATION, worker, answer);
        let left = match error.left {
            Left::Nothing if group.new => Left::These(vec![security_group(group.id.clone())]),
            ref left => left.clone(),
        };
        Err(ProviderError { left, ..error })
    }
}

/// A security group, which is the whole cluster's.
pub(super) fn security_group(id: String) -> Leftover {
    Leftover { kind: LeftoverKind::SecurityGroup, id, worker_id: None, worker: None }
}
