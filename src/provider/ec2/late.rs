//! EC2 shows late what was just made, and has no event for it: looking again, for as long as that may last.

use std::time::Duration;

use tokio::time::Instant;

use super::Ec2;

/// The longest pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Looks at something that may not be shown yet.
pub(super) struct Looks {
    until: Instant,
    pause: Duration,
}

impl Looks {
    /// Waits for the next look; `false` when there have been enough.
    pub(super) async fn again(&mut self) -> bool {
        let now = Instant::now();
        if now < self.until {
            tokio::time::sleep_until(self.until.min(now + self.pause)).await;
        }
        now < self.until
    }
}

impl Ec2 {
    pub(super) fn looks(&self) -> Looks {
        let settling = self.patience.settling;
        Looks { until: Instant::now() + settling, pause: PAUSE.min(settling / 4) }
    }
}
