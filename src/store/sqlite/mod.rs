//! The store in one SQLite file, which `sqlite3` can read.

mod hosts;
mod machines;
mod row;
mod schema;
mod tokens;
mod workers;

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{Span, Timestamp};
use landbridge_node::wire::{HostEntry, MachineFacts, StageReport, Via};
use landbridge_pki::{NodeName, Role};
use rusqlite::Connection;

use super::{
    Deploy, Event, HostNews, HostRecord, KeyHash, MachineMove, MachineNews, MachinePlan, MachineRecord, Redeemed,
    Store, StoreError, TimelineRow, TokenHash, TokenRefusal, WorkerPlan,
};
use crate::worker::{Worker, WorkerState};

/// Events older than the newest this many are dropped.
const EVENTS_KEPT: i64 = 10_000;

/// The store in one SQLite file. One writer: the daemon.
#[derive(Debug)]
pub struct Sqlite {
    db: Mutex<Connection>,
}

impl Sqlite {
    /// Opens the file, which is made when missing (0600) and brought to the newest version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        row::create_private(path)?;
        Self::prepared(Connection::open(path).failed("opening the file")?)
    }

    /// A store that is gone with the value, for tests.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::prepared(Connection::open_in_memory().failed("opening a store in memory")?)
    }

    fn prepared(mut db: Connection) -> Result<Self, StoreError> {
        // FULL: a worker's record has to be on the disk before anything outside is asked for.
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;")
            .failed("setting up the connection")?;
        schema::migrate(&mut db)?;
        Ok(Self { db: Mutex::new(db) })
    }

    /// A panic while the lock was held has rolled its transaction back, so the connection is still good.
    fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts our words before SQLite's.
trait Failed<T> {
    fn failed(self, operation: &'static str) -> Result<T, StoreError>;
}

impl<T> Failed<T> for rusqlite::Result<T> {
    fn failed(self, operation: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Sqlite { operation, source })
    }
}

impl Store for Sqlite {
    fn plan_worker(&self, plan: &WorkerPlan, now: Timestamp) -> Result<Worker, StoreError> {
        workers::plan(&mut self.db(), plan, now)
    }

    fn worker(&self, name: &NodeName) -> Result<Option<Worker>, StoreError> {
        workers::by_name(&self.db(), name)
    }

    fn workers(&self) -> Result<Vec<Worker>, StoreError> {
        workers::alive(&self.db())
    }

    fn roll(&self) -> Result<Vec<(HostEntry, WorkerState)>, StoreError> {
        workers::roll(&self.db())
    }

    fn roll_changes(&self) -> Result<u64, StoreError> {
        let changes = self.db().query_row("SELECT changes FROM membership", [], |row| row.get::<_, i64>(0));
        changes.map(i64::cast_unsigned).failed("asking whether anybody came or went")
    }

    fn advance(&self, id: i64, from: WorkerState, to: WorkerState, now: Timestamp) -> Result<bool, StoreError> {
        workers::advance(&self.db(), id, from, to, now)
    }

    fn is_drained(&self, id: i64) -> Result<bool, StoreError> {
        workers::is_drained(&self.db(), id)
    }

    fn note_failure(&self, id: i64, failure: Option<&str>) -> Result<(), StoreError> {
        workers::note_failure(&self.db(), id, failure)
    }

    fn begin_attempt(&self, id: i64, facts: &MachineFacts, slots: u32, now: Timestamp) -> Result<u32, StoreError> {
        workers::begin_attempt(&self.db(), id, facts, slots, now)
    }

    fn note_seen(&self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        workers::note_seen(&self.db(), id, now)
    }

    fn record_stage(&self, id: i64, report: &StageReport, now: Timestamp) -> Result<(), StoreError> {
        workers::record_stage(&self.db(), id, report, now)
    }

    fn timeline(&self, id: i64) -> Result<Vec<TimelineRow>, StoreError> {
        workers::timeline(&self.db(), id)
    }

    fn release(&self, id: i64, quarantine: Span, now: Timestamp) -> Result<(), StoreError> {
        workers::release(&self.db(), id, quarantine, now)
    }

    fn release_address(&self, address: Ipv4Addr, quarantine: Span, now: Timestamp) -> Result<(), StoreError> {
        workers::release_address(&self.db(), address, quarantine, now)
    }

    fn lease_again(&self, id: i64) -> Result<(), StoreError> {
        workers::lease_again(&self.db(), id)
    }

    fn leases(&self, now: Timestamp) -> Result<Vec<(Ipv4Addr, Option<Timestamp>)>, StoreError> {
        workers::leases(&self.db(), now)
    }

    fn plan_host(&self, name: &NodeName, token: TokenHash, expires: Timestamp) -> Result<(), StoreError> {
        hosts::plan(&mut self.db(), name, token, expires)
    }

    fn hosts(&self) -> Result<Vec<HostRecord>, StoreError> {
        hosts::all(&self.db())
    }

    fn note_host(&self, name: &NodeName, news: &HostNews, now: Timestamp) -> Result<(), StoreError> {
        hosts::note(&self.db(), name, news, now)
    }

    fn forget_host(&self, name: &NodeName) -> Result<(), StoreError> {
        hosts::forget(&mut self.db(), name)
    }

    fn redeem(
        &self,
        token: TokenHash,
        role: Role,
        via: Option<Via>,
        key: KeyHash,
        now: Timestamp,
    ) -> Result<Result<Redeemed, TokenRefusal>, StoreError> {
        tokens::redeem(&mut self.db(), token, role, via, key, now)
    }

    fn token_owner(&self, token: TokenHash) -> Result<Option<NodeName>, StoreError> {
        tokens::owner(&self.db(), token)
    }

    fn plan_machine(&self, plan: &WorkerPlan, machine: &MachinePlan, now: Timestamp) -> Result<Worker, StoreError> {
        machines::plan(&mut self.db(), plan, machine, now)
    }

    fn machines(&self) -> Result<Vec<MachineRecord>, StoreError> {
        machines::alive(&self.db())
    }

    fn all_machines(&self) -> Result<Vec<MachineRecord>, StoreError> {
        machines::all(&self.db())
    }

    fn machines_of(&self, id: i64) -> Result<Vec<MachineRecord>, StoreError> {
        machines::of(&self.db(), id)
    }

    fn note_machine(&self, id: i64, attempt: u32, news: &MachineNews, now: Timestamp) -> Result<(), StoreError> {
        machines::note(&self.db(), id, attempt, news, now)
    }

    fn next_machine(&self, id: i64, attempt: u32, now: Timestamp) -> Result<u32, StoreError> {
        machines::next(&mut self.db(), id, attempt, now)
    }

    fn move_machine(&self, last: &MachineRecord, going: &MachineMove, now: Timestamp) -> Result<(), StoreError> {
        machines::go_elsewhere(&mut self.db(), last, going, now)
    }

    fn renew_token(&self, worker: &Worker, token: TokenHash, expires: Timestamp) -> Result<(), StoreError> {
        machines::renew_token(&mut self.db(), worker, token, expires)
    }

    fn void_token(&self, machine: &NodeName) -> Result<bool, StoreError> {
        tokens::void(&self.db(), machine)
    }

    fn deploys(&self) -> Result<Vec<Deploy>, StoreError> {
        machines::deploys(&self.db())
    }

    fn record_event(&self, subject: &str, text: &str, now: Timestamp) -> Result<(), StoreError> {
        let db = self.db();
        db.prepare_cached("INSERT INTO event (at, subject, text) VALUES (?1, ?2, ?3)")
            .and_then(|mut s| s.execute((now.as_millisecond(), subject, text)))
            .failed("recording an event")?;
        db.prepare_cached("DELETE FROM event WHERE id <= ?1")
            .and_then(|mut s| s.execute([db.last_insert_rowid() - EVENTS_KEPT]))
            .failed("dropping old events")?;
        Ok(())
    }

    fn events(&self, most: u32) -> Result<Vec<Event>, StoreError> {
        let db = self.db();
        let mut query = db
            .prepare_cached("SELECT at, subject, text FROM event ORDER BY id DESC LIMIT ?1")
            .failed("reading events")?;
        let rows =
            query.query_map([most], |r| Ok((r.get::<_, i64>(0)?, r.get(1)?, r.get(2)?))).failed("reading events")?;
        rows.map(|r| {
            let (at, subject, text) = r.failed("reading events")?;
            Ok(Event { at: row::timestamp(at)?, subject, text })
        })
        .collect()
    }
}

#[cfg(test)]
mod tests;
