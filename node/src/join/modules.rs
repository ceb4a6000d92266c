//! Kernel modules, loaded while the network is awaited: each that the kernel has to ask for by itself, in the middle of a mount,
//! holds that up.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::wire::Bundle;

/// What mounting needs. The client asks for Kerberos before it goes without, and the kernel looks for that module too.
const NFS: [&str; 2] = ["nfsv4", "rpcsec_gss_krb5"];
/// There when the first of them is loaded, or is a part of the kernel with parameters.
const LOADED: &str = "/sys/module/nfsv4";

/// Begins to load what the worker's services will need, and doesn't wait. Where it can't be done (in a container, in a kernel
/// that has it all inside) nothing is lost: whoever needs a module will say so.
pub(super) fn begin_loading(bundle: &Bundle) {
    if bundle.nfs.is_none() || Path::new(LOADED).exists() {
        return;
    }
    let modprobe = Command::new("/sbin/modprobe").args(["--quiet", "--all"]).args(NFS).stdin(Stdio::null()).spawn();
    match modprobe {
        // Its end is for the runtime to take note of.
        Ok(child) => drop(child),
        Err(error) => tracing::debug!(%error, "no modules are loaded beforehand"),
    }
}
