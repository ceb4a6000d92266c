//! The holders' sockets: abstract names, which go with their process.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

use super::HoldError;

const PREFIX: &str = "landbridge-lab/";

/// The names of all labs that are up.
///
/// # Errors
/// The kernel's list of sockets can't be read.
pub fn names() -> io::Result<BTreeSet<String>> {
    // The kernel shows an abstract name with an @ before it, as the last word of the line.
    let sockets = fs::read_to_string("/proc/net/unix")?;
    let name = |line: &str| Some(line.split_once(&format!(" @{PREFIX}"))?.1.to_owned());
    Ok(sockets.lines().filter_map(name).collect())
}

pub(super) fn listen(lab: &str) -> Result<UnixListener, HoldError> {
    UnixListener::bind_addr(&address(lab)?).map_err(|err| match err.kind() {
        io::ErrorKind::AddrInUse => HoldError::NameTaken { name: lab.to_owned() },
        _ => HoldError::Io { operation: "listening for commands", source: err },
    })
}

pub(super) fn connect(lab: &str) -> Result<UnixStream, HoldError> {
    UnixStream::connect_addr(&address(lab)?).map_err(|_| HoldError::NoSuchLab { name: lab.to_owned() })
}

fn address(lab: &str) -> Result<SocketAddr, HoldError> {
    SocketAddr::from_abstract_name(format!("{PREFIX}{lab}")).map_err(super::io_error("naming the lab's socket"))
}

/// The process at the other end. An abstract name has no permissions: who may speak is decided by this.
pub(super) fn peer(stream: &UnixStream) -> io::Result<Peer> {
    let credentials = getsockopt(stream, PeerCredentials)?;
    Ok(Peer { pid: credentials.pid(), is_root: credentials.uid() == 0 })
}

/// Who is at the other end of a connection.
pub(super) struct Peer {
    pub(super) pid: i32,
    pub(super) is_root: bool,
}
