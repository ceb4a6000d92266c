//! The people of the NIS domain, as the workers' own tables are to have them.

use std::sync::{Mutex, PoisonError};

use landbridge_node::wire::People;

use super::{Roster, RosterError};
use crate::services::nis::people;

/// As they were last seen.
#[derive(Debug)]
pub(super) struct Known(Mutex<People>);

impl From<People> for Known {
    fn from(people: People) -> Self {
        Self(Mutex::new(people))
    }
}

impl Roster {
    /// Looks who is on the front-end now. Whether that is news.
    pub async fn look_at_people(&self) -> Result<bool, RosterError> {
        self.people_are(people::read().map_err(RosterError::People)?).await
    }

    /// The front-end's people are these: every worker is told, if that is news, and the maps follow, at the latest with the next patrol.
    /// Whether it was.
    pub(super) async fn people_are(&self, people: People) -> Result<bool, RosterError> {
        if self.people() == people {
            return Ok(false);
        }
        let workers = self.store.workers()?;
        *self.people.0.lock().unwrap_or_else(PoisonError::into_inner) = people;
        for worker in workers {
            self.bells.ring(&worker.name);
        }
        if let Err(error) = self.follow.follow().await {
            tracing::warn!(error, "the NIS maps do not follow yet");
        }
        Ok(true)
    }

    pub(super) fn people(&self) -> People {
        self.people.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
