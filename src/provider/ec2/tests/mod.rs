//! The provider against a double of EC2: every failure, and what it left behind.

mod destroying;
mod groups;
mod listing;
mod moto;
mod provisioning;
mod refusals;

use super::double::{Double, Fate, IMAGE};
use super::fixture::{SHORT, cloud, cluster, launch, order, provider};
use super::{Ec2, Patience};
use crate::provider::{FailureKind, Left, LeftoverKind, Machine, MachineState, Order, Provider as _, ProviderError};

/// A cloud with a provider for cluster ursa.
async fn start() -> (Double, Ec2) {
    start_with(SHORT).await
}

async fn start_with(patience: Patience) -> (Double, Ec2) {
    let double = Double::start().await;
    let ec2 = provider(cluster("ursa"), cloud(double.endpoint()), patience).await;
    (double, ec2)
}

/// Asks once, and not again.
const ONCE: Patience = Patience { attempts: 1, answer: std::time::Duration::from_millis(300), ..SHORT };

fn an_order(n: i64) -> Order {
    order(n, IMAGE)
}

async fn made(ec2: &Ec2, n: i64) -> Machine {
    ec2.provision(&an_order(n)).await.expect("an instance")
}

async fn refused(ec2: &Ec2, order: &Order) -> ProviderError {
    ec2.provision(order).await.expect_err("no instance")
}
