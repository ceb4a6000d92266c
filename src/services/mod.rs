//! What the front-end serves to the vLAN: NFS, NIS, host names, and the guard around them.
//!
//! Everything is rendered as resources of the front-end's machine, so that a plan can show it and `down` can undo it.
//! Each service has its own directory below [`Paths::services`](crate::paths::Paths::services).

use std::path::Path;

use landbridge_node::machine::Directory;

pub mod guard;
pub mod hosts;
pub mod nfs;
pub mod nis;
pub mod systemd;

/// A service's own directory: others may look into it, since nothing secret is there.
fn directory(path: &Path) -> Directory {
    Directory { path: path.into(), mode: 0o755, owner: None }
}
