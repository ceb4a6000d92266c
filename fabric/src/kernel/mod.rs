//! The real network of the calling thread's namespace, through rtnetlink (and `/dev/net/tun` for taps).

mod dump;
mod extack;
mod probe;
mod request;
mod routes;
mod talk;
mod tap;

use std::collections::BTreeMap;

use nix::errno::Errno;

use self::dump::Known;
pub use self::routes::{HostRoute, HostRoutes};
use self::talk::Talk;
use crate::feature::Feature;
use crate::{Backend, BackendError, Change, InterfaceName, Kind, Link, Observed, Refusal, Step};

/// The kernel's network: of the namespace that the opening thread was in. Taps are made in the namespace of the thread that
/// runs [`Backend::perform`], so both should be one (a runtime whose threads share a namespace, as they do by default).
#[derive(Debug)]
pub struct Kernel {
    talk: Talk,
    /// The links of the last observation and those created since. The kernel gives no index to two links, so what
    /// we do by index can't hit another link that took the name meanwhile.
    known: BTreeMap<InterfaceName, Known>,
}

impl Kernel {
    /// Opens a netlink connection, which lives until this value is dropped. Must be called within a tokio runtime.
    pub fn open() -> Result<Self, BackendError> {
        let talk = Talk::open().map_err(|error| BackendError {
            operation: "open".into(),
            object: "a netlink connection".into(),
            cause: Refusal::Connection(error.to_string()),
        })?;
        Ok(Self { talk, known: BTreeMap::new() })
    }

    fn known(&self, name: &InterfaceName) -> Result<Known, Refusal> {
        self.known.get(name).copied().ok_or(Refusal::Gone)
    }

    /// Two datagrams: one makes the link, the other gives it its tag and everything else. When anything is refused, the
    /// link goes again. A tap is only made to last once it has everything.
    async fn create(&mut self, name: &InterfaceName, link: &Link) -> Result<(), Refusal> {
        let tap = (link.kind == Kind::Tap).then(|| tap::NewTap::create(name)).transpose()?;
        let mut told = None;
        if tap.is_none() {
            let parent = link.kind.parent().map(|parent| self.known(parent)).transpose()?;
            let request = request::new_link(name, link, parent.map(|parent| parent.index));
            told = dump::told(self.talk.send(vec![request]).await?);
        }
        let (known, _) = match told {
            Some(told) => told,
            None => dump::find(&self.talk, request::get_link_by_name(name)).await?,
        };
        let furnished = self.furnish(known.index, link).await;
        if let Some(tap) = tap {
            // Without this last word the tap goes by itself.
            furnished?;
            tap.persist()?;
        } else if let Err(refusal) = furnished {
            if let Err(second) = self.talk.send(vec![request::del_link(known.index)]).await {
                tracing::error!(%name, %second, "can't delete the link again that couldn't be furnished");
            }
            return Err(refusal);
        }
        self.known.insert(name.clone(), known);
        Ok(())
    }

    /// The tag first: whatever happens then, the link can be told as ours.
    async fn furnish(&self, index: u32, link: &Link) -> Result<(), Refusal> {
        let controller = link.controller.as_ref().map(|controller| self.known(controller)).transpose()?;
        let mut requests = vec![];
        requests.extend(link.alias.as_ref().map(|alias| request::set_alias(index, alias)));
        requests.push(request::set_mtu(index, link.mtu));
        requests.extend(link.addresses.iter().map(|address| request::add_address(index, *address)));
        requests.extend(link.flood.iter().map(|remote| request::add_flood(index, *remote)));
        requests.extend(controller.map(|controller| request::set_controller(index, controller.index)));
        requests.extend(link.up.then(|| request::set_up(index, true)));
        self.talk.send(requests).await.map(drop)
    }

    /// Looks at the tag once more: the last observation is a moment ago.
    async fn delete(&mut self, name: &InterfaceName, link: &Link) -> Result<(), Refusal> {
        let index = self.known(name)?.index;
        let (_, alias) = dump::find(&self.talk, request::get_link_by_index(index)).await?;
        if alias != link.alias {
            return Err(Refusal::Gone);
        }
        self.talk.send(vec![request::del_link(index)]).await?;
        self.known.remove(name);
        Ok(())
    }

    async fn claim(&mut self, name: &InterfaceName, link: &Link) -> Result<(), Refusal> {
        let index = self.known(name)?.index;
        let alias = link.alias.as_deref().unwrap_or_default();
        self.talk.send(vec![request::set_alias(index, alias)]).await.map(drop)
    }

    async fn set(&mut self, name: &InterfaceName, change: &Change) -> Result<(), Refusal> {
        let Known { index, promotes } = self.known(name)?;
        let requests = match change {
            Change::Mtu { to, .. } => vec![request::set_mtu(index, *to)],
            Change::Controller { to: None, .. } => vec![request::set_controller(index, 0)],
            Change::Controller { to: Some(to), .. } => vec![request::set_controller(index, self.known(to)?.index)],
            Change::Up(up) => vec![request::set_up(index, *up)],
            Change::AddAddress(address) => vec![request::add_address(index, *address)],
            Change::RemoveAddress(address) => request::remove_address(index, *address, promotes),
            Change::AddFlood(remote) => vec![request::add_flood(index, *remote)],
            Change::RemoveFlood(remote) => vec![request::remove_flood(index, *remote)],
        };
        self.talk.send(requests).await.map(drop)
    }
}

impl Backend for Kernel {
    async fn observe(&mut self) -> Result<Observed, BackendError> {
        let snapshot = dump::observe(&self.talk).await.map_err(|cause| BackendError {
            operation: "observe".into(),
            object: "the network".into(),
            cause,
        })?;
        self.known = snapshot.known;
        Ok(snapshot.observed)
    }

    async fn perform(&mut self, step: &Step) -> Result<(), BackendError> {
        let result = match step {
            Step::Adopt { .. } | Step::Release { .. } => Ok(()),
            Step::Create { name, link } => self.create(name, link).await,
            Step::Delete { name, link } => self.delete(name, link).await,
            Step::Claim { name, link } => self.claim(name, link).await,
            Step::Set { name, change } => self.set(name, change).await,
        };
        result.map_err(|cause| BackendError::of(step, cause))
    }

    async fn supports(&mut self, feature: Feature) -> Result<bool, BackendError> {
        probe::supports(&self.talk, feature).await.map_err(|cause| BackendError {
            operation: "find out whether the kernel has".into(),
            object: feature.to_string(),
            cause,
        })
    }
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self::errno(errno)
    }
}
