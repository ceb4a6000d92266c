//! The tunnels that Landbridge is measured beside, each set up as its own documentation recommends for two machines.
//!
//! A peer's configuration lies beside its file as it is installed; keys are made on the machines that use them when it starts.

mod nebula;
mod openvpn;
mod tinc;
mod wireguard;

use std::time::Duration;

pub use openvpn::Variant;

use super::Outcome;
use crate::machine::Machine;

/// The two machines that a peer connects: the left one has an address that the right one knows.
pub struct Ends<'a> {
    /// The server, where the peer has such a thing.
    pub left: &'a Machine,
    /// The client.
    pub right: &'a Machine,
}

/// A tunnel that somebody else made.
pub struct Peer {
    /// As it is called in tables.
    pub name: &'static str,
    /// The left end's address inside the tunnel.
    pub left_inside: &'static str,
    /// Sets it up; the right end has been answered by the left one through it.
    start: fn(&Ends) -> Outcome<()>,
}

/// All of them.
pub const PEERS: [&Peer; 4] = [&openvpn::OPENVPN, &tinc::TINC, &nebula::NEBULA, &wireguard::WIREGUARD];

/// The left end's address on the way between the two, as it stands in the configurations.
pub const LEFT: &str = "198.51.100.2";

/// Daemons make a key and a handshake within this.
const PATIENCE: Duration = Duration::from_secs(30);

impl Peer {
    /// Sets it up and waits until the right end is answered through it.
    ///
    /// # Errors
    /// The machine's own words.
    pub fn start(&self, ends: &Ends) -> Outcome<()> {
        (self.start)(ends)?;
        let answered = format!("until ping -c 1 -W 1 {}; do sleep 0.1; done", self.left_inside);
        ends.right.run(&answered).deadline(PATIENCE).expect_ok()?;
        Ok(())
    }
}

/// Gives a file of one machine to the other.
fn hand_over(from: &Machine, path: &str, to: &Machine) -> Outcome<()> {
    Ok(to.write_file(path, from.read_file(path)?)?)
}
