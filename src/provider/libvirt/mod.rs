//! Machines on a physical host, through its libvirt: QEMU with KVM where a guest was proved to run so, else by emulation; or Xen.
//!
//! A machine is a domain that bears its launch in its metadata, with an overlay on each image, a seed disk, and a console that is
//! written to a file. All its volumes lie in a storage pool of the cluster's own, so that a host that is reached over SSH is served
//! as this machine is.

mod disks;
mod domain;
mod error;
mod host;
mod images;
mod machines;
mod pool;
mod probe;
mod tags;
mod xml;

use std::path::PathBuf;

use futures_util::future::BoxFuture;
use virt::connect::Connect;
use virt::error::Error;

use super::{Accelerated, Launch, Leftover, LeftoverKind, Machine, Offered, Order, Provider, ProviderError};
use crate::spec::ClusterName;
use error::{failure, refused};
use host::{Host, Session};

/// Where libvirt keeps images, and we our volumes.
const IMAGES: &str = "/var/lib/libvirt/images";

/// Machines on one physical host.
pub struct LibvirtProvider {
    host: Host,
    place: Place,
}

/// Whose machines, and where their disks are.
#[derive(Clone, Debug)]
struct Place {
    cluster: ClusterName,
    /// The host's URI, for errors.
    host: String,
    /// The storage pool's name.
    pool: String,
    /// Its directory.
    directory: PathBuf,
    /// Where images are whose path is relative.
    images: PathBuf,
}

/// How a machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// QEMU with hardware virtualisation.
    Kvm,
    /// QEMU alone.
    Emulated,
    /// Xen, para-virtual.
    Xen,
}

impl Kind {
    /// libvirt's word for it.
    fn word(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Emulated => "qemu",
            Self::Xen => "xen",
        }
    }
}

impl LibvirtProvider {
    /// The machines of `cluster` on the host whose libvirt is at `uri` (`qemu:///system`, `qemu+ssh://root@ursa01/system`,
    /// `xen:///system`). Nothing is asked yet.
    pub fn new(cluster: &ClusterName, uri: &str) -> Self {
        let pool = format!("landbridge-{cluster}");
        let images = PathBuf::from(IMAGES);
        let directory = images.join(&pool);
        let place = Place { cluster: cluster.clone(), host: uri.to_owned(), pool, directory, images };
        Self { host: Host::new(uri), place }
    }

    /// Asks on the host's thread.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Session, &Connect, &Place) -> Result<T, ProviderError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, ProviderError>> {
        let place = self.place.clone();
        Box::pin(self.host.ask(move |session| {
            let connect = session.connect()?;
            question(session, &connect, &place)
        }))
    }
}

impl Provider for LibvirtProvider {
    fn offered(&self) -> BoxFuture<'_, Result<Offered, ProviderError>> {
        self.ask(offered)
    }

    fn machines(&self) -> BoxFuture<'_, Result<Vec<Machine>, ProviderError>> {
        self.ask(|_, connect, place| machines::list(connect, place))
    }

    fn provision<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Machine, ProviderError>> {
        let order = order.clone();
        self.ask(move |session, connect, place| {
            let kind = kind(session, connect, place)?;
            machines::provision(connect, place, &order, kind)
        })
    }

    fn destroy<'a>(&'a self, launch: &'a Launch) -> BoxFuture<'a, Result<(), ProviderError>> {
        let launch = launch.clone();
        self.ask(move |_, connect, place| machines::clear(connect, place, &launch))
    }

    fn console<'a>(&'a self, launch: &'a Launch) -> BoxFuture<'a, Result<Option<String>, ProviderError>> {
        let launch = launch.clone();
        self.ask(move |_, connect, place| machines::read_console(connect, place, &launch))
    }

    fn leftovers(&self) -> BoxFuture<'_, Result<Vec<Leftover>, ProviderError>> {
        self.ask(|_, connect, place| {
            let volumes = place.pool(connect).volumes()?;
            Ok(volumes.into_iter().filter_map(|volume| leftover(&place.cluster, volume)).collect())
        })
    }

    fn remove<'a>(&'a self, leftover: &'a Leftover) -> BoxFuture<'a, Result<(), ProviderError>> {
        let id = leftover.id.clone();
        self.ask(move |_, connect, place| {
            match tags::owner(&place.cluster, &id) {
                Some(launch) if machines::is_in_use(connect, &launch)? => {
                    let seen = format!("{} is there and uses it", launch.name());
                    return Err(refused("deleting the volume", &id, seen, "destroy that machine"));
                }
                None if !id.starts_with(probe::PREFIX) => {
                    let seen = "its name is not one that landbridge gives".to_owned();
                    return Err(refused("deleting the volume", &id, seen, "delete it by hand: virsh vol-delete"));
                }
                _ => {}
            }
            place.pool(connect).delete(|volume| volume == id)
        })
    }
}

/// A volume of ours; `None` for what somebody else put beside them.
fn leftover(cluster: &ClusterName, volume: String) -> Option<Leftover> {
    let launch = tags::owner(cluster, &volume);
    if launch.is_none() && !volume.starts_with(probe::PREFIX) {
        return None;
    }
    let part = volume.split_once('.').map(|(_, part)| part);
    let kind = if part == Some("seed") { LeftoverKind::Seed } else { LeftoverKind::Volume };
    let (worker_id, worker) = launch.map(|launch| (launch.worker_id, launch.worker)).unzip();
    Some(Leftover { kind, id: volume, worker_id, worker })
}

fn offered(session: &mut Session, connect: &Connect, place: &Place) -> Result<Offered, ProviderError> {
    let failed = |error: Error| failure("looking at the host", &place.host, &error);
    let node = connect.get_node_info().map_err(failed)?;
    let hypervisor = connect.get_type().map_err(failed)?;
    let version = |number: u32| format!("{}.{}.{}", number / 1_000_000, number / 1000 % 1000, number % 1000);
    let (own, library) = (connect.get_hyp_version().map_err(failed)?, connect.get_lib_version().map_err(failed)?);
    Ok(Offered {
        cpu: node.cpus * 100,
        memory_mib: node.memory / 1024,
        accelerated: accelerated(session, connect, place)?,
        description: format!("{hypervisor} {}, libvirt {}", version(own), version(library)),
    })
}

fn kind(session: &mut Session, connect: &Connect, place: &Place) -> Result<Kind, ProviderError> {
    if connect.get_type().is_ok_and(|hypervisor| hypervisor.eq_ignore_ascii_case("xen")) {
        return Ok(Kind::Xen);
    }
    let proved = accelerated(session, connect, place)? == Accelerated::Proved;
    Ok(if proved { Kind::Kvm } else { Kind::Emulated })
}

/// Found out once for as long as the daemon runs.
fn accelerated(session: &mut Session, connect: &Connect, place: &Place) -> Result<Accelerated, ProviderError> {
    if let Some(known) = &session.accelerated {
        return Ok(known.clone());
    }
    let failed = |error: Error| failure("looking at the host", &place.host, &error);
    let found = match connect.get_type().map_err(failed)?.to_ascii_lowercase().as_str() {
        "xen" => Accelerated::NotOurs,
        "qemu" if connect.get_capabilities().map_err(failed)?.contains("<domain type='kvm'") => {
            probe::kvm(&place.pool(connect))?
        }
        _ => Accelerated::Emulated("the host's libvirt knows no KVM (is there /dev/kvm?)".into()),
    };
    tracing::info!(host = place.host, ?found, "how machines run there");
    Ok(session.accelerated.insert(found).clone())
}

#[cfg(test)]
mod tests;
