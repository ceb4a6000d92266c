//! The OpenVPN backend: what the server and the workers' clients are configured with, who is admitted, and how a worker
//! is cut off. Written for OpenVPN 2.6 (Debian 12 ships 2.6.14).
//!
//! | file | purpose |
//! |---|---|
//! | `files` | where everything lies, and files that are never half written |
//! | `render` | the configuration language, and what both ends must agree on |
//! | `servers` | the running servers, as the worker's life uses them |
//! | `server` | a server process: its configuration and its resources |
//! | `client` | a worker's configuration |
//! | `identity` | the server's own certificate and key |
//! | [`ccd`] | the directory of admitted workers |
//! | [`crypt_v2`] | tls-crypt-v2 keys |
//! | [`management`] | talking to a running server |
//! | `cut` | ending a worker's access |
//!
//! The server needs nobody: it admits a worker whose name has a file in the ccd directory and whose certificate's serial
//! has none in the directory of revoked ones, so known workers reconnect while the daemon is dead. The daemon is only
//! needed for changes, and makes them by writing those directories and by asking the management socket to end sessions.

pub mod ccd;
pub mod crypt_v2;
pub mod management;

mod client;
mod cut;
mod files;
mod identity;
mod render;
mod server;
mod servers;

pub use client::client_config;
pub use cut::{CutError, cut};
pub use files::{FileError, Files};
pub use identity::{ServerIdentity, install_identity};
pub use server::{resources, server_config};
pub use servers::{Tunnel, TunnelError};

/// How many server processes there are. Process N listens on `tunnel-port + N`, has the tap `lbtN-CLUSTER`, and shares the
/// keys and the directories of admitted and revoked workers with the others.
pub const SERVERS: u8 = 1;

/// The program. Absolute, because the servers start with a clean environment.
const OPENVPN: &str = "/usr/sbin/openvpn";

/// The port of server process `n`.
fn port(cluster: &crate::spec::Cluster, n: u8) -> u16 {
    cluster.front_end.tunnel_port.saturating_add(u16::from(n))
}

#[cfg(test)]
pub(crate) mod fixture;
