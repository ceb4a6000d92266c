//! What a cloud offers: the size of one machine.

use aws_sdk_ec2::types::InstanceType;

use super::answer::Answer;
use super::{Ec2, Offered, ProviderError};
use crate::provider::Accelerated;

impl Ec2 {
    /// From the cluster's file where it says, else from EC2.
    pub(super) async fn offer(&self) -> Result<Offered, ProviderError> {
        let cloud = &self.cloud;
        let (cpus, memory_mib) = match (cloud.cpus, cloud.memory_mib) {
            (Some(cpus), Some(memory_mib)) => (cpus, memory_mib),
            (cpus, memory_mib) => {
                let name = &cloud.instance_type;
                let asked = self.ask_for_type(name).await;
                let (has, mib) = asked.map_err(|e| self.unanswered("looking up the instance type", name, e))?;
                (cpus.unwrap_or(has), memory_mib.unwrap_or(mib))
            }
        };
        let at = cloud.endpoint.as_ref().map_or_else(String::new, |endpoint| format!(" at {endpoint}"));
        let market = if cloud.spot { ", spot market" } else { "" };
        Ok(Offered {
            cpu: cpus.saturating_mul(100),
            memory_mib,
            accelerated: Accelerated::NotOurs,
            description: format!("EC2 {}{at}, {}{market}", cloud.region, cloud.instance_type),
        })
    }

    /// Processors and MiB of an instance type.
    async fn ask_for_type(&self, name: &str) -> Result<(u32, u64), Answer> {
        let found = self.client.describe_instance_types().instance_types(InstanceType::from(name)).send().await?;
        let size = found.instance_types().first().and_then(|it| {
            let cpus = u32::try_from(it.v_cpu_info()?.default_v_cpus()?).ok()?;
            Some((cpus, u64::try_from(it.memory_info()?.size_in_mib()?).ok()?))
        });
        size.ok_or_else(|| Answer::refused("EC2 doesn't say how large it is: give `cpus` and `memory` in cluster.toml"))
    }
}
