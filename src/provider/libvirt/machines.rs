//! Machines on a host: found, made, ended. On the host's thread.

use landbridge_node::machine::crash;
use virt::connect::Connect;
use virt::domain::Domain;
use virt::error::{Error, ErrorNumber};
use virt::storage_pool::StoragePool;
use virt::sys;

use super::disks::{self, Content, Drive, Head};
use super::domain::{Definition, console, domain};
use super::error::{failure, refused};
use super::images::format_of;
use super::pool::{self, Pool};
use super::{Kind, Place, tags};
use crate::bootstrap::seed;
use crate::provider::{Launch, Left, Machine, MachineId, MachineState, Order, ProviderError};

/// The most of a console that is read, in bytes.
const CONSOLE_BYTES: u64 = 64 * 1024;

/// What may hang on a domain's definition, and would keep it: its memory on disk (where the host suspends its guests), snapshots,
/// checkpoints, the firmware's variables.
const EVERYTHING: sys::virDomainUndefineFlagsValues = sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | sys::VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    | sys::VIR_DOMAIN_UNDEFINE_NVRAM;

/// Every machine of the cluster on the host.
pub(super) fn list(connect: &Connect, place: &Place) -> Result<Vec<Machine>, ProviderError> {
    let failed = |error: Error| failure("listing the machines", &place.host, &error);
    let mut machines = Vec::new();
    for domain in connect.list_all_domains(0).map_err(failed)? {
        // One that is gone by now is none.
        let Some(launch) = launch_of(&domain).filter(|launch| launch.cluster == place.cluster) else { continue };
        machines.push(show(&domain, launch)?);
    }
    Ok(machines)
}

/// A launch's machine, if the host has it.
fn find(connect: &Connect, launch: &Launch) -> Result<Option<Domain>, ProviderError> {
    let name = launch.name();
    let domain = match Domain::lookup_by_uuid_string(connect, &tags::uuid(&name)) {
        Err(error) if error.code() == ErrorNumber::NoDomain => return Ok(None),
        found => found.map_err(|error| failure("looking for the machine", &name, &error))?,
    };
    match launch_of(&domain) {
        Some(found) if found == *launch => Ok(Some(domain)),
        _ => {
            let seen = "the host has a machine with its UUID, which landbridge did not make".into();
            Err(refused("looking for the machine", &name, seen, "see virsh dumpxml, and undefine that machine"))
        }
    }
}

fn launch_of(domain: &Domain) -> Option<Launch> {
    let element = i32::try_from(sys::VIR_DOMAIN_METADATA_ELEMENT).ok()?;
    tags::read_tag(&domain.get_metadata(element, Some(tags::NAMESPACE), 0).ok()?)
}

fn show(domain: &Domain, launch: Launch) -> Result<Machine, ProviderError> {
    let failed = |error: Error| failure("looking at the machine", &launch.name(), &error);
    let id = MachineId(domain.get_uuid_string().map_err(failed)?);
    let told = domain.get_state().map_err(failed)?;
    let because = because(told).map(str::to_owned);
    Ok(Machine { id, launch, state: state(told), address: None, started: None, reclaimed_at: None, because })
}

/// What libvirt knows of the end of a machine: its `virDomainShutoffReason`.
fn because((state, reason): (sys::virDomainState, i32)) -> Option<&'static str> {
    if state != sys::VIR_DOMAIN_SHUTOFF {
        return (state == sys::VIR_DOMAIN_CRASHED).then_some("it crashed");
    }
    match u32::try_from(reason).ok()? {
        sys::VIR_DOMAIN_SHUTOFF_SHUTDOWN => Some("it shut itself down"),
        sys::VIR_DOMAIN_SHUTOFF_DESTROYED => Some("somebody switched it off"),
        sys::VIR_DOMAIN_SHUTOFF_CRASHED => Some("it crashed"),
        sys::VIR_DOMAIN_SHUTOFF_FAILED => Some("it could not be started"),
        _ => None,
    }
}

/// A machine that never ran is off for no reason that libvirt knows; so is one whose host was switched off under it.
fn state((state, reason): (sys::virDomainState, i32)) -> MachineState {
    let for_no_reason = u32::try_from(reason) == Ok(sys::VIR_DOMAIN_SHUTOFF_UNKNOWN);
    match state {
        sys::VIR_DOMAIN_SHUTOFF if for_no_reason => MachineState::Off,
        sys::VIR_DOMAIN_SHUTOFF | sys::VIR_DOMAIN_CRASHED => MachineState::Gone,
        sys::VIR_DOMAIN_SHUTDOWN => MachineState::Stopping,
        _ => MachineState::Running,
    }
}

/// Makes the machine, or finds the one that an earlier try has made.
pub(super) fn provision(connect: &Connect, place: &Place, order: &Order, kind: Kind) -> Result<Machine, ProviderError> {
    let launch = &order.launch;
    if let Some(found) = find(connect, launch)? {
        let machine = show(&found, launch.clone())?;
        // Defined by a try that did not come to start it; its disks were made before.
        return if machine.state == MachineState::Off { start(&found, launch) } else { Ok(machine) };
    }
    let made = make(connect, place, order, kind);
    made.map_err(|error| match clear(connect, place, launch) {
        Ok(()) => ProviderError { left: Left::Nothing, ..error },
        Err(_) => ProviderError { left: Left::Unknown, ..error },
    })
}

fn make(connect: &Connect, place: &Place, order: &Order, kind: Kind) -> Result<Machine, ProviderError> {
    let launch = &order.launch;
    let drives = disks::drives(launch, &order.template.disks, kind, &place.images);
    let drives: Vec<Drive> = drives.into_iter().map(|drive| known(connect, drive)).collect::<Result<_, _>>()?;
    let pool = place.pool(connect);
    // What a try left that was interrupted before it came to a definition.
    pool.delete(|volume| tags::owner(&place.cluster, volume).as_ref() == Some(launch))?;
    let storage = pool.ensure()?;
    drives.iter().try_for_each(|drive| volume(&storage, drive, order))?;
    let definition = Definition {
        launch,
        template: &order.template,
        kind,
        pool: &place.directory,
        drives: &drives,
        bridge: order.bridge.as_str(),
        mac: order.mac,
    };
    let xml = domain(&definition).to_string();
    let defined = Domain::define_xml_flags(connect, &xml, sys::VIR_DOMAIN_DEFINE_VALIDATE);
    let defined = defined.map_err(|error| failure("defining the machine", &launch.name(), &error))?;
    crash::point();
    start(&defined, launch)
}

fn start(domain: &Domain, launch: &Launch) -> Result<Machine, ProviderError> {
    domain.create().map_err(|error| failure("starting the machine", &launch.name(), &error))?;
    crash::point();
    show(domain, launch.clone())
}

/// A drive whose image's format is known.
fn known(connect: &Connect, drive: Drive) -> Result<Drive, ProviderError> {
    let content = match drive.content {
        Content::Image { path, format: None } => Content::Image { format: Some(format_of(connect, &path)?), path },
        Content::Overlay { volume, base, format: None } => {
            Content::Overlay { format: Some(format_of(connect, &base)?), volume, base }
        }
        known => known,
    };
    Ok(Drive { content, ..drive })
}

fn volume(storage: &StoragePool, drive: &Drive, order: &Order) -> Result<(), ProviderError> {
    match &drive.content {
        Content::Image { .. } => Ok(()),
        Content::Overlay { volume, base, format } => {
            let format = disks::word(format.unwrap_or(crate::template::DiskFormat::Raw));
            pool::make(storage, volume, &disks::volume(volume, None, Some((base, format))), &[])
        }
        Content::New { volume, bytes, head } => {
            let head = match head {
                Head::Nothing => Vec::new(),
                Head::Swap => disks::swap_header(*bytes),
                Head::Seed => seed::image(&order.seed),
            };
            pool::make(storage, volume, &disks::volume(volume, Some(*bytes), None), &head)
        }
    }
}

/// Ends the machine and removes everything of it.
pub(super) fn clear(connect: &Connect, place: &Place, launch: &Launch) -> Result<(), ProviderError> {
    if let Some(domain) = find(connect, launch)? {
        let gone = |error: &Error| error.code() == ErrorNumber::NoDomain;
        match domain.destroy() {
            // It doesn't run.
            Err(error) if error.code() == ErrorNumber::OperationInvalid || gone(&error) => {}
            ended => ended.map_err(|error| failure("ending the machine", &launch.name(), &error))?,
        }
        crash::point();
        match domain.undefine_flags(EVERYTHING) {
            Err(error) if gone(&error) => {}
            done => done.map_err(|error| failure("undefining the machine", &launch.name(), &error))?,
        }
        crash::point();
    }
    place.pool(connect).delete(|volume| tags::owner(&place.cluster, volume).as_ref() == Some(launch))
}

/// The end of what the machine wrote to its serial console.
pub(super) fn read_console(connect: &Connect, place: &Place, launch: &Launch) -> Result<Option<String>, ProviderError> {
    let Some(storage) = place.pool(connect).find()? else { return Ok(None) };
    let file = console(&place.directory, launch);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let bytes = pool::tail(&storage, &name, CONSOLE_BYTES)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The volumes of a machine that the host has.
pub(super) fn is_in_use(connect: &Connect, launch: &Launch) -> Result<bool, ProviderError> {
    Ok(find(connect, launch)?.is_some())
}

/// Names only the pool: for the modules that need nothing else of the place.
impl Place {
    pub(super) fn pool<'a>(&'a self, connect: &'a Connect) -> Pool<'a> {
        Pool { connect, name: &self.pool, directory: &self.directory }
    }
}
