//! What happens to a frame on the long way: pure decisions, no clock and no socket of their own.

use std::time::{Duration, Instant};

/// How the long way is, in each direction alike.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PathConfig {
    /// Time on the way, one way.
    pub(crate) delay: Duration,
    /// Part of the packets that get lost, 0 to 1.
    pub(crate) loss: f64,
    /// Bits that pass in a second; none for as many as come.
    pub(crate) rate: Option<u64>,
    /// Largest IP packet that passes.
    pub(crate) mtu: Option<u32>,
    /// No UDP passes.
    pub(crate) drop_udp: bool,
    /// No IP fragments pass.
    pub(crate) drop_fragments: bool,
    /// Nothing passes.
    pub(crate) cut: bool,
}

impl Default for PathConfig {
    fn default() -> Self {
        let delay = Duration::ZERO;
        Self { delay, loss: 0.0, rate: None, mtu: None, drop_udp: false, drop_fragments: false, cut: false }
    }
}

impl PathConfig {
    /// True if each frame must be looked at as it is on the wire: a frame of 64 KiB that still is to be segmented
    /// would be lost or measured as one.
    pub(crate) fn needs_wire_frames(&self) -> bool {
        self.loss > 0.0 || self.rate.is_some() || self.mtu.is_some()
    }
}

/// The longest that a frame waits for its turn in a rate-limited queue before new ones are dropped.
const LONGEST_QUEUE: Duration = Duration::from_millis(200);

/// One direction of the way: remembers what its queue and its dice need.
pub(crate) struct Direction {
    /// When the frames sent so far have left, at the path's rate.
    busy_until: Instant,
    dice: u64,
}

impl Direction {
    /// An idle way. The same seed loses the same frames.
    pub(crate) fn new(now: Instant, seed: u64) -> Self {
        // Spread over all bits: from a small number the first rolls would all be small too.
        Self { busy_until: now, dice: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 }
    }

    /// When the frame arrives that was sent now; none if it is lost.
    pub(crate) fn arrival(&mut self, path: &PathConfig, frame: &[u8], now: Instant) -> Option<Instant> {
        if path.cut || super::frame::is_filtered(path, frame) || self.loses(path.loss) {
            return None;
        }
        if super::frame::is_address_resolution(frame) {
            return Some(now);
        }
        let sent = match path.rate {
            None => now,
            Some(rate) => self.leaves_queue(frame.len(), rate, now)?,
        };
        Some(sent + path.delay)
    }

    fn leaves_queue(&mut self, bytes: usize, rate: u64, now: Instant) -> Option<Instant> {
        let start = self.busy_until.max(now);
        if start - now > LONGEST_QUEUE {
            return None;
        }
        let bits = bytes as u64 * 8;
        self.busy_until = start + Duration::from_nanos(bits * 1_000_000_000 / rate.max(1));
        Some(self.busy_until)
    }

    /// Rolls the dice (xorshift64*: even enough, and the same in each run).
    fn loses(&mut self, loss: f64) -> bool {
        if loss <= 0.0 {
            return false;
        }
        self.dice ^= self.dice >> 12;
        self.dice ^= self.dice << 25;
        self.dice ^= self.dice >> 27;
        let rolled = (self.dice.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32;
        f64::from(rolled) < loss * f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: [u8; 1250] = [0; 1250];

    #[test]
    fn a_frame_arrives_after_the_delay() {
        let now = Instant::now();
        let path = PathConfig { delay: Duration::from_millis(40), ..PathConfig::default() };
        assert_eq!(Direction::new(now, 1).arrival(&path, &FRAME, now), Some(now + Duration::from_millis(40)));
    }

    #[test]
    fn who_has_an_address_is_answered_at_once() {
        let now = Instant::now();
        let path = PathConfig { delay: Duration::from_millis(40), ..PathConfig::default() };
        let mut arp = FRAME;
        arp[12..14].copy_from_slice(&[0x08, 0x06]);
        assert_eq!(Direction::new(now, 1).arrival(&path, &arp, now), Some(now));
    }

    #[test]
    fn frames_queue_at_the_rate_and_are_dropped_when_the_queue_is_full() {
        let now = Instant::now();
        let path = PathConfig { rate: Some(1_000_000), ..PathConfig::default() };
        let mut direction = Direction::new(now, 1);
        let arrivals: Vec<_> = (0..30).map(|_| direction.arrival(&path, &FRAME, now)).collect();
        // 1250 bytes are 10 ms at 1 Mbit/s; 200 ms are waited for, not more.
        assert_eq!(arrivals[0], Some(now + Duration::from_millis(10)));
        assert_eq!(arrivals[19], Some(now + Duration::from_millis(200)));
        assert_eq!(arrivals[29], None);
    }

    #[test]
    fn as_many_frames_are_lost_as_asked() {
        let now = Instant::now();
        let path = PathConfig { loss: 0.1, ..PathConfig::default() };
        let mut direction = Direction::new(now, 77);
        let lost = (0..100_000).filter(|_| direction.arrival(&path, &FRAME, now).is_none()).count();
        assert!((9_000..11_000).contains(&lost), "{lost} of 100000 were lost at 10 %");
    }

    #[test]
    fn nothing_passes_a_cut_path() {
        let now = Instant::now();
        let path = PathConfig { cut: true, ..PathConfig::default() };
        assert_eq!(Direction::new(now, 1).arrival(&path, &FRAME, now), None);
    }
}
