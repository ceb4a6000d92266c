//! How long things may take.

use std::time::Duration;

use jiff::SignedDuration;

/// How long is waited for what.
#[derive(Clone, Copy, Debug)]
pub struct Tempo {
    /// For a provider's answer. One that comes later is found by the machine's tags.
    pub answer: Duration,
    /// A machine that was asked for is looked for this long before it is believed not to be there: clouds show a new one late,
    /// and a request may outlive the daemon that sent it.
    pub settle: SignedDuration,
    /// Between two looks at a host where a machine is awaited: at first, and at most.
    pub quick: (Duration, Duration),
    /// Between two looks at a host where nothing is.
    pub slow: Duration,
    /// Before a failed call is tried again: at first, and at most.
    pub again: (Duration, Duration),
}

impl Default for Tempo {
    fn default() -> Self {
        Self {
            answer: Duration::from_mins(2),
            settle: SignedDuration::from_secs(15),
            quick: (Duration::from_millis(250), Duration::from_secs(5)),
            slow: Duration::from_secs(15),
            again: (Duration::from_secs(1), Duration::from_secs(15)),
        }
    }
}

/// A pause that grows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    next: Duration,
    range: (Duration, Duration),
}

impl Pause {
    pub(super) fn new(range: (Duration, Duration)) -> Self {
        Self { next: range.0, range }
    }

    /// The pause to make now; the next is half as long again.
    pub(super) fn grow(&mut self) -> Duration {
        let now = self.next;
        self.next = (now * 3 / 2).min(self.range.1);
        now
    }

    /// It begins anew.
    pub(super) fn reset(&mut self) {
        self.next = self.range.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_grows_to_its_most_and_begins_anew() {
        let secs = Duration::from_secs;
        let mut pause = Pause::new((secs(2), secs(5)));
        assert_eq!(
            [pause.grow(), pause.grow(), pause.grow(), pause.grow()],
            [2, 3, 4, 5].map(|s| if s == 4 { Duration::from_millis(4500) } else { secs(s) })
        );
        pause.reset();
        assert_eq!(pause.grow(), secs(2));
    }
}
