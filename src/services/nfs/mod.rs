//! NFS v4.2 exports, to the vLAN only.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use landbridge_node::join::nfs::no_slow_start_after_idle;
use landbridge_node::machine::MachineSpec;
use landbridge_node::wire::NfsBundle;

use crate::paths::Paths;
use crate::spec::Cluster;

mod detect;
mod export_id;
mod ganesha;
mod kernel;

pub use detect::{detect, unservable};

/// NFS's port, RFC 7530.
pub const PORT: u16 = 2049;

/// How workers mount. `sec=sys` is said, since a client that isn't told asks the server what it takes, and its own kernel for
/// Kerberos three times. `hard`: a front-end that restarts makes jobs wait, not fail. `softreval` is not here: it hides a
/// front-end that is gone. Times are stored as the server says, sizes are left to negotiation.
const OPTIONS: &str = "vers=4.2,sec=sys,proto=tcp,hard,timeo=600,retrans=2,nosuid,nodev";

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NfsServer {
    /// The kernel's (`nfsd`), started by us.
    Kernel,
    /// The kernel's, which systemd starts as Debian's package has set it up, and goes on doing so without us.
    Systemd,
    /// NFS-Ganesha, where the kernel has none.
    Ganesha,
}

/// What the front-end needs to serve the cluster's exports; nothing when the cluster has no NFS.
pub fn resources(cluster: &Cluster, paths: &Paths, server: NfsServer) -> MachineSpec {
    match &cluster.services.nfs {
        None => MachineSpec::default(),
        Some(nfs) => {
            let mut spec = MachineSpec::default();
            spec.push(no_slow_start_after_idle());
            spec.extend(match server {
                NfsServer::Kernel => kernel::resources(cluster, paths, &nfs.exports),
                NfsServer::Systemd => kernel::beside_systemd(cluster, &nfs.exports),
                NfsServer::Ganesha => ganesha::resources(cluster, paths, &nfs.exports),
            });
            spec
        }
    }
}

/// What a worker mounts; `None` when the cluster has no NFS.
pub fn bundle(cluster: &Cluster, server: NfsServer) -> Option<NfsBundle> {
    cluster.services.nfs.as_ref().map(|nfs| NfsBundle {
        server: address(cluster),
        exports: nfs.exports.clone(),
        root: server.root(&nfs.exports).map(Path::to_owned),
        options: OPTIONS.into(),
    })
}

impl NfsServer {
    /// The export that the server shows as the root of all that it has: the only one. A client looks at the root in any case,
    /// and the walk to another export and the crossing into it are eight round trips more. The kernel's server would name all
    /// files anew when a second export comes, and what jobs have open would be stale.
    fn root(self, exports: &[PathBuf]) -> Option<&Path> {
        match (self, exports) {
            (Self::Ganesha, [only]) => Some(only),
            _ => None,
        }
    }
}

fn address(cluster: &Cluster) -> Ipv4Addr {
    cluster.vlan.front_end().ip()
}
