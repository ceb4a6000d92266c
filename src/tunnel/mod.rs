//! The OpenVPN backend: what the server and the workers' clients are configured with, who is admitted, and how a worker
//! is cut off. Written for OpenVPN 2.6 (Debian 12 ships 2.6.14).
//!
//! | file | purpose |
//! |---|---|
//! | `files` | where everything lies, and files that are never half written |
//! | `render` | the configuration language, and what both ends must agree on |
//! | `layout` | which server processes there are, and which of them a worker asks first |
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
mod layout;
mod render;
mod server;
mod servers;

pub use client::client_config;
pub use cut::{CutError, cut};
pub use files::{FileError, Files};
pub use identity::{ServerIdentity, install_identity};
pub use layout::{Protocol, Server, servers};
pub use server::{favour_bbr, resources, server_config};
pub use servers::{Tunnel, TunnelError};

/// The program. Absolute, because the servers start with a clean environment.
const OPENVPN: &str = "/usr/sbin/openvpn";

#[cfg(test)]
pub(crate) mod fixture;
