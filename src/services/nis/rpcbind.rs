//! `rpcbind`, which tells NIS clients where `ypserv` is.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use landbridge_node::machine::{Children, Directory, MachineSpec, Process, Readiness, Residue};

use crate::services::systemd;

/// `rpcbind`'s port, RFC 1833.
pub const RPCBIND_PORT: u16 = 111;

/// Whose `rpcbind` it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rpcbind {
    /// Nobody runs one: we do.
    Ours,
    /// The system runs one, and goes on doing so without us.
    Systems,
}

/// The system's where systemd starts it on demand (as Debian's package has it), else ours.
pub fn detect() -> Rpcbind {
    if systemd::has("rpcbind.socket") { Rpcbind::Systems } else { Rpcbind::Ours }
}

/// Over UDP it answers on `address` and the loopback (which it adds itself, and falls over when told twice).
/// `-w` brings back the registrations of a predecessor, so that its restart loses nobody.
pub(super) fn resources(address: Ipv4Addr, whose: Rpcbind) -> MachineSpec {
    let mut spec = MachineSpec::default();
    if whose == Rpcbind::Systems {
        return spec;
    }
    let folder = Path::new("/run/rpcbind");
    spec.push(Directory { path: folder.into(), mode: 0o755, owner: Some("_rpc".into()) });
    let files = [folder.join("rpcbind.xdr"), folder.join("portmap.xdr")];
    for path in files.into_iter().chain(["/run/rpcbind.lock".into(), "/run/rpcbind.sock".into()]) {
        spec.push(Residue { path });
    }
    spec.push(Process {
        name: "rpcbind".into(),
        argv: ["/usr/sbin/rpcbind", "-f", "-w", "-h", &address.to_string()].map(String::from).into(),
        env: vec![],
        restart_on: vec![],
        reload_on: vec![],
        ready: Readiness::Tcp((address, RPCBIND_PORT).into()),
        deadline: Duration::from_secs(10),
        grace: Process::GRACE,
        children: Children::End,
        starts_as_batch: false,
    });
    spec
}
