//! Kernel modules, loaded while the network is awaited: each that the kernel has to ask for by itself, in the middle of something
//! else, holds that up.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::nice;
use crate::wire::{Bundle, Via};

/// What a tunnel needs, and where it is known when the kernel has it.
const TUN: (&[&str], &str) = (&["tun"], "/sys/class/misc/tun");
/// What mounting needs. The client asks for Kerberos before it goes without, and the kernel looks for that module too.
const NFS: (&[&str], &str) = (&["nfsv4", "rpcsec_gss_krb5"], "/sys/module/nfsv4");

/// Begins to load what the worker's link will need, and doesn't wait.
pub(super) fn begin_loading_for_link(via: Via) {
    if via == Via::Tunnel {
        begin_loading(TUN, |_| ());
    }
}

/// Begins to load what the worker's services will need, and doesn't wait. Its link comes first.
pub(super) fn begin_loading_for_services(bundle: &Bundle) {
    if bundle.nfs.is_some() {
        begin_loading(NFS, nice::give_way);
    }
}

/// Where it can't be done (in a container, in a kernel that has it all inside) nothing is lost: whoever needs a module will say so.
fn begin_loading((modules, there): (&[&str], &str), begun: impl FnOnce(Option<u32>)) {
    if Path::new(there).exists() {
        return;
    }
    let modprobe = Command::new("/sbin/modprobe").args(["--quiet", "--all"]).args(modules).stdin(Stdio::null()).spawn();
    match modprobe {
        // Its end is for the runtime to take note of.
        Ok(child) => begun(child.id()),
        Err(error) => tracing::debug!(%error, "no modules are loaded beforehand"),
    }
}
