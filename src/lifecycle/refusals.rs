//! Joins that were refused, told on the front-end too: to whom the token belongs, or that somebody tried one of nobody's.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use landbridge_node::wire::{Refusal, RefusalCode};
use landbridge_pki::NodeName;

use super::Roster;
use crate::store::{StoreError, TokenHash};
use crate::worker::WorkerState;

/// The same refusal of the same token is told again after this long: whoever repeats it fills no log.
const QUIET: SignedDuration = SignedDuration::from_mins(1);

/// What was told lately.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<HashMap<(Option<NodeName>, RefusalCode), Timestamp>>);

impl Refusals {
    /// Whether this is news. Holds no more than what was refused within [`QUIET`].
    fn is_news(&self, whose: Option<&NodeName>, code: RefusalCode, now: Timestamp) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, at| now.duration_since(*at) < QUIET);
        let mut is_news = false;
        told.entry((whose.cloned(), code)).or_insert_with(|| {
            is_news = true;
            now
        });
        is_news
    }
}

impl Roster {
    /// Says that a machine there did not take this front-end's certificate. Whose token it has, it did not say.
    pub(super) fn note_distrust(&self, by: IpAddr) {
        if self.refusals.is_news(None, RefusalCode::Stranger, Timestamp::now()) {
            let why = "its token is of another authority, or its clock is wrong";
            self.note_of("front-end", &format!("a machine at {by} does not take this front-end's certificate: {why}"));
        }
    }

    /// Says that a machine that calls itself so was refused. A worker that is still only planned shows why.
    pub(super) fn note_refusal(
        &self,
        token: TokenHash,
        calls_itself: &str,
        refusal: &Refusal,
    ) -> Result<(), StoreError> {
        let whose = self.store.token_owner(token)?;
        if !self.refusals.is_news(whose.as_ref(), refusal.code, Timestamp::now()) {
            return Ok(());
        }
        let text = format!("refused to let {} join: {}", machine(calls_itself), refusal.message);
        let Some(name) = whose else {
            self.note_of("front-end", &text);
            return Ok(());
        };
        self.note(&name, &text);
        match self.store.worker(&name)? {
            Some(worker) if worker.state == WorkerState::Planned => {
                let why = format!("its join was refused: {}; {}", refusal.message, refusal.remedy);
                self.store.note_failure(worker.id, Some(&why))
            }
            _ => Ok(()),
        }
    }
}

/// What a stranger calls itself is shown only if it is a name: anything else could be meant for a person's terminal.
fn machine(calls_itself: &str) -> String {
    NodeName::new(calls_itself)
        .map_or_else(|_| "a machine".into(), |name| format!("a machine that calls itself {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_refusal_is_news_once_a_minute() {
        let (refusals, noon) = (Refusals::default(), Timestamp::constant(1_800_000_000, 0));
        let w1 = NodeName::new("w1").expect("a name");
        let is_news = |whose, code, secs| refusals.is_news(whose, code, noon + SignedDuration::from_secs(secs));
        assert!(is_news(Some(&w1), RefusalCode::ExpiredToken, 0));
        assert!(!is_news(Some(&w1), RefusalCode::ExpiredToken, 1));
        assert!(is_news(Some(&w1), RefusalCode::UsedToken, 2), "another reason");
        assert!(is_news(None, RefusalCode::UnknownToken, 3), "nobody's token");
        assert!(is_news(Some(&w1), RefusalCode::ExpiredToken, 100));
    }

    #[test]
    fn what_a_stranger_calls_itself_reaches_no_terminal_raw() {
        assert_eq!(machine("e1"), "a machine that calls itself e1");
        assert_eq!(machine("\u{1b}[2J"), "a machine");
    }
}
