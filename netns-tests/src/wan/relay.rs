//! Carries frames from one tap to the other, in one direction.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, PipeReader, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::path::{Direction, PathConfig};
use crate::net::tap::FRAME_HEADER_BYTES;

/// Room for the largest frame that a tap hands over, with its header.
const BUFFER_BYTES: usize = FRAME_HEADER_BYTES + 65_536 + 64;
/// Frames taken in a row before those that are due are delivered.
const BATCH: usize = 64;

/// One direction of a relay.
pub(super) struct Relay {
    pub(super) from: File,
    pub(super) to: File,
    pub(super) path: Arc<Mutex<PathConfig>>,
    /// At its end when the relay is to stop.
    pub(super) stop: PipeReader,
    pub(super) seed: u64,
}

/// Frames on the way, in the order of their sending.
type InFlight = VecDeque<(Instant, Vec<u8>)>;

impl Relay {
    /// Carries until told to stop. Sleeps whenever there is nothing to read and nothing due.
    pub(super) fn run(mut self) {
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut direction = Direction::new(Instant::now(), self.seed);
        let mut in_flight = InFlight::new();
        loop {
            let Ok(readable) = self.wait(in_flight.front().map(|(due, _)| *due)) else { return };
            if readable {
                self.take_batch(&mut buffer, &mut direction, &mut in_flight);
            }
            self.deliver_due(&mut in_flight);
        }
    }

    /// Waits for a frame or for the time. True if there is a frame; an error if the relay is to stop.
    fn wait(&self, due: Option<Instant>) -> io::Result<bool> {
        let timeout = due.map(|due| TimeSpec::from(due.saturating_duration_since(Instant::now())));
        let mut fds =
            [PollFd::new(self.from.as_fd(), PollFlags::POLLIN), PollFd::new(self.stop.as_fd(), PollFlags::POLLIN)];
        match ppoll(&mut fds, timeout, None) {
            Err(nix::errno::Errno::EINTR) => return Ok(false),
            result => result?,
        };
        let happened = |fd: &PollFd| fd.revents().is_some_and(|events| !events.is_empty());
        if happened(&fds[1]) { Err(io::ErrorKind::Interrupted.into()) } else { Ok(happened(&fds[0])) }
    }

    fn take_batch(&mut self, buffer: &mut [u8], direction: &mut Direction, in_flight: &mut InFlight) {
        let path = self.path.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for _ in 0..BATCH {
            let Ok(count) = self.from.read(buffer) else { return };
            let now = Instant::now();
            let Some(frame) = buffer[..count].get(FRAME_HEADER_BYTES..) else { continue };
            match direction.arrival(&path, frame, now) {
                Some(due) if due <= now && in_flight.is_empty() => deliver(&mut self.to, &buffer[..count]),
                Some(due) => in_flight.push_back((due, buffer[..count].to_vec())),
                None => {}
            }
        }
    }

    /// Delivers what is due. A frame never overtakes an earlier one, even if the delay was shortened between them.
    fn deliver_due(&mut self, in_flight: &mut InFlight) {
        let now = Instant::now();
        while in_flight.front().is_some_and(|(due, _)| *due <= now) {
            if let Some((_, frame)) = in_flight.pop_front() {
                deliver(&mut self.to, &frame);
            }
        }
    }
}

/// A frame that the other side refuses (its link is down, its queue is full) is lost, as on a real way.
fn deliver(to: &mut File, frame: &[u8]) {
    let _ = to.write(frame);
}
