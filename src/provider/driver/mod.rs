//! Machines made by a program of the laboratory's own, for hypervisors that libvirt doesn't know.
//!
//! `docs/driver.md` tells whoever writes one what is asked and how to answer; [`wire`] is that in types.

mod program;
#[cfg(test)]
mod tests;
pub mod wire;

use std::path::PathBuf;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use landbridge_pki::NodeName;

use super::{Launch, Leftover, Machine, Offered, Order, Provider, ProviderError};
use crate::spec::ClusterName;
use program::Program;
use wire::{Operation, Request};

/// One host whose machines a program makes.
#[derive(Clone, Debug)]
pub struct DriverProvider {
    program: Program,
    cluster: ClusterName,
}

impl DriverProvider {
    /// For one host of the cluster; `program` is absolute.
    pub fn new(program: PathBuf, cluster: ClusterName, host: NodeName) -> Self {
        Self { program: Program { path: program, host }, cluster }
    }

    fn request(&self) -> Request {
        Request::new(self.cluster.as_str(), self.program.host.as_str())
    }

    fn about(&self, launch: &Launch) -> Request {
        Request { launch: Some(launch.into()), ..self.request() }
    }

    async fn list(&self) -> Result<(Vec<Machine>, Vec<Leftover>), ProviderError> {
        let listed: wire::Listed = self.program.ask(Operation::List, &self.request()).await?;
        let damaged = |seen: String| self.program.nonsense(Operation::List, &seen);
        let machines = listed.machines.into_iter().map(|m| m.read(&self.cluster)).collect::<Result<_, _>>();
        Ok((machines.map_err(damaged)?, listed.leftovers))
    }
}

impl Provider for DriverProvider {
    fn offered(&self) -> BoxFuture<'_, Result<Offered, ProviderError>> {
        async {
            let offered: wire::Offered = self.program.ask(Operation::Offer, &self.request()).await?;
            Ok(offered.into())
        }
        .boxed()
    }

    fn machines(&self) -> BoxFuture<'_, Result<Vec<Machine>, ProviderError>> {
        async { Ok(self.list().await?.0) }.boxed()
    }

    fn provision<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Machine, ProviderError>> {
        async {
            let request = Request { machine: Some(order.into()), ..self.about(&order.launch) };
            let machine: wire::Machine = self.program.ask(Operation::Provision, &request).await?;
            machine.read(&self.cluster).map_err(|seen| self.program.nonsense(Operation::Provision, &seen))
        }
        .boxed()
    }

    fn destroy<'a>(&'a self, launch: &'a Launch) -> BoxFuture<'a, Result<(), ProviderError>> {
        async {
            let wire::Done {} = self.program.ask(Operation::Destroy, &self.about(launch)).await?;
            Ok(())
        }
        .boxed()
    }

    fn console<'a>(&'a self, launch: &'a Launch) -> BoxFuture<'a, Result<Option<String>, ProviderError>> {
        async {
            let said: wire::Console = self.program.ask(Operation::Console, &self.about(launch)).await?;
            Ok(said.console)
        }
        .boxed()
    }

    fn leftovers(&self) -> BoxFuture<'_, Result<Vec<Leftover>, ProviderError>> {
        async { Ok(self.list().await?.1) }.boxed()
    }

    fn remove<'a>(&'a self, leftover: &'a Leftover) -> BoxFuture<'a, Result<(), ProviderError>> {
        async {
            let request = Request { leftover: Some(leftover.clone()), ..self.request() };
            let wire::Done {} = self.program.ask(Operation::Remove, &request).await?;
            Ok(())
        }
        .boxed()
    }
}
