//! The first stage: the front-end is there, and it is the one that we were told of.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::api::{ApiError, Client};
use crate::wire::Failure;
use crate::words;

/// The first pause before another try; each later one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(1);

/// A front-end that was not reached.
#[derive(Debug)]
pub struct Unreached {
    /// In words.
    pub failure: Failure,
    /// Whether it was only not there: a known worker then goes on with what it was told before.
    pub absent: bool,
}

/// Connects and verifies. A front-end that is not there (yet) is tried again `until`; one that is not to be trusted is not.
pub async fn contact(client: &Client, until: Instant) -> Result<(), Unreached> {
    let mut pause = PAUSE;
    loop {
        let Err(error) = client.contact().await else { return Ok(()) };
        if !error.is_passing() || Instant::now() + pause >= until {
            return Err(unreached(client, &error).await);
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST);
    }
}

async fn unreached(client: &Client, error: &ApiError) -> Unreached {
    let clock = match error {
        ApiError::Distrusted { why, .. } => client.front_end_clock(why).await,
        _ => None,
    };
    Unreached { failure: words::contact(error, clock.as_deref()), absent: error.is_passing() }
}
