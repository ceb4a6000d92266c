//! The long way between two networks: a relay of our own between a tap on each, since not every kernel has netem.

mod frame;
mod path;
mod relay;

use std::fs::File;
use std::io::PipeWriter;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::{LabResult, io_error};
use crate::net::{Network, tap};

use path::PathConfig;
use relay::Relay;

/// A way between two networks, which together are one layer-2 segment. All settings hold for both directions and for
/// frames sent from then on. Clones are the same way.
#[derive(Clone)]
pub struct Wan {
    inner: Arc<Inner>,
}

struct Inner {
    path: Arc<Mutex<PathConfig>>,
    taps: [File; 2],
    /// Dropped, it stops the relays.
    running: Mutex<Vec<PipeWriter>>,
}

impl Wan {
    pub(crate) fn connect(one: &Network, other: &Network) -> LabResult<Self> {
        let failed =
            |err| io_error("making a way between networks", &format!("{} and {}", one.name(), other.name()))(err);
        let taps = [one.open_tap()?, other.open_tap()?];
        let inner = Inner { path: Arc::default(), taps, running: Mutex::default() };
        let wan = Self { inner: Arc::new(inner) };
        wan.change(|_| ());
        wan.start_relay(0, 1).map_err(failed)?;
        wan.start_relay(1, 0).map_err(failed)?;
        Ok(wan)
    }

    fn start_relay(&self, from: usize, to: usize) -> std::io::Result<()> {
        let (stop, running) = std::io::pipe()?;
        let taps = &self.inner.taps;
        let relay = Relay {
            from: taps[from].try_clone()?,
            to: taps[to].try_clone()?,
            path: Arc::clone(&self.inner.path),
            stop,
            // Any two numbers that differ: each direction rolls its own dice.
            seed: 0x77 + from as u64,
        };
        std::thread::spawn(move || relay.run());
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).push(running);
        Ok(())
    }

    /// The time on the way, one way. A ping takes twice as long.
    pub fn set_delay(&self, one_way: Duration) {
        self.change(|path| path.delay = one_way);
    }

    /// The part of packets that get lost: 0.001 is one in a thousand.
    pub fn set_loss(&self, part: f64) {
        self.change(|path| path.loss = part);
    }

    /// The bits that pass in a second, with a queue of 200 ms before them; `None` for as many as come.
    pub fn set_rate(&self, bits_per_second: impl Into<Option<u64>>) {
        let rate = bits_per_second.into();
        self.change(|path| path.rate = rate);
    }

    /// Drops IP packets that are larger, without a word to the sender; `None` to drop none.
    pub fn set_mtu(&self, mtu: impl Into<Option<u32>>) {
        let mtu = mtu.into();
        self.change(|path| path.mtu = mtu);
    }

    /// Lets no UDP through.
    pub fn block_udp(&self, block: bool) {
        self.change(|path| path.drop_udp = block);
    }

    /// Lets no IP fragments through, as some providers' firewalls do.
    pub fn block_fragments(&self, block: bool) {
        self.change(|path| path.drop_fragments = block);
    }

    /// Lets nothing through.
    pub fn cut(&self, cut: bool) {
        self.change(|path| path.cut = cut);
    }

    fn change(&self, change: impl FnOnce(&mut PathConfig)) {
        let mut path = self.inner.path.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut path);
        for end in &self.inner.taps {
            // A kernel that knows no offload hands over wire frames always.
            let _ = tap::set_offload(end, !path.needs_wire_frames());
        }
    }

    /// Stops the relays.
    pub(crate) fn stop(&self) {
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
