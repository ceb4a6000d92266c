//! The people of the NIS domain, as the workers' own tables are to have them.

use std::sync::{Mutex, PoisonError};

use landbridge_node::wire::People;

use super::{Roster, RosterError};

/// As they were last seen.
#[derive(Debug)]
pub(super) struct Known(Mutex<People>);

impl From<People> for Known {
    fn from(people: People) -> Self {
        Self(Mutex::new(people))
    }
}

impl Roster {
    /// The front-end's people are these: every worker is told, if that is news, and the maps follow. Whether it was.
    pub async fn people_are(&self, people: People) -> Result<bool, RosterError> {
        {
            let mut known = self.people.0.lock().unwrap_or_else(PoisonError::into_inner);
            if *known == people {
                return Ok(false);
            }
            *known = people;
        }
        for worker in self.store.workers()? {
            self.bells.ring(&worker.name);
        }
        self.follow.follow().await.map_err(RosterError::Follow)?;
        Ok(true)
    }

    pub(super) fn people(&self) -> People {
        self.people.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
