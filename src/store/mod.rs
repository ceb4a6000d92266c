//! What the front-end remembers: hosts, workers, leases, tokens, events. The only code that persists.
//!
//! [`Store`] is a trait so that another store can take the place of SQLite where several front-ends share one cluster.

mod machine;
mod sqlite;

use std::net::Ipv4Addr;

use ipnetwork::Ipv4Network;
use jiff::{Span, Timestamp};
use landbridge_node::wire::{HostEntry, MachineFacts, StageReport, Via};
use landbridge_pki::{NodeName, Role};
use serde::{Deserialize, Serialize};

use crate::worker::{Worker, WorkerState};

pub use machine::{Deploy, MachineMove, MachineNews, MachinePlan, MachineRecord, Room};
pub use sqlite::Sqlite;

/// SHA-256 of a token's secret: all that is kept of it.
pub type TokenHash = [u8; 32];

/// SHA-256 of a public key (SubjectPublicKeyInfo, DER).
pub type KeyHash = [u8; 32];

/// A worker to be: record, lease and token are made together or not at all.
#[derive(Clone, Debug)]
pub struct WorkerPlan {
    /// Its name; `None` takes the first free of `w1`, `w2`, …
    pub name: Option<NodeName>,
    /// Where it will run, when known.
    pub host: Option<NodeName>,
    /// How it will reach the vLAN.
    pub via: Via,
    /// Its job slots until it has said how many processors it has; `None` takes those.
    pub slots: Option<u32>,
    /// The vLAN, whose own addresses nobody gets.
    pub subnet: Ipv4Network,
    /// Where its address comes from.
    pub range: Ipv4Network,
    /// Names that other machines bear already.
    pub reserved: Vec<NodeName>,
    /// Its token.
    pub token: TokenHash,
    /// Until when the token may be used.
    pub token_expires: Timestamp,
}

/// What a token was good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redeemed {
    /// Whose it is.
    pub name: NodeName,
    /// Whether the same key had used it before: an interrupted join, tried again.
    pub again: bool,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// There is none with this hash.
    Unknown,
    /// Its time was over at this moment.
    Expired(Timestamp),
    /// Another key used it at this moment.
    Used(Timestamp),
    /// It is for this role.
    WrongRole(Role),
    /// It is for this way in.
    WrongWay(Via),
}

/// A stage as it was reported, of the worker's latest attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineRow {
    /// 1 for the first join, 2 for the first rejoin, …
    pub attempt: u32,
    /// The worker's word.
    pub report: StageReport,
    /// When it arrived here.
    pub at: Timestamp,
}

/// A physical host as it was heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRecord {
    /// Its name.
    pub name: NodeName,
    /// When it first joined; `None` while only its token exists.
    pub enrolled: Option<Timestamp>,
    /// When it was last heard of.
    pub seen: Option<Timestamp>,
    /// Whether it is to give its fabric back.
    pub leaving: bool,
    /// The last fabric that it reported, by generation.
    pub generation: u64,
    /// Why it could not apply it.
    pub failure: Option<String>,
    /// What the machine said of itself.
    pub facts: Option<MachineFacts>,
}

/// What a host has said, or was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostNews {
    /// It has used its token, and says this of itself. It stays, even if it was asked to leave before.
    Enrolled(MachineFacts),
    /// It was heard of.
    Seen,
    /// It is to give its fabric back.
    Leaving,
    /// The fabric that it has.
    Reported {
        /// By generation.
        generation: u64,
        /// Why it could not apply it.
        failure: Option<String>,
        /// What it says of itself.
        facts: MachineFacts,
    },
}

/// Something that happened, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// To whom: a worker's or a host's name, or the cluster's.
    pub subject: String,
    /// What, one sentence.
    pub text: String,
}

/// Persistent memory. Every call is one transaction, durable when it returns.
pub trait Store: Send + Sync {
    /// Makes record, lease and token of a new worker. A worker of that name whose machine never came gets the new token in
    /// the place of its old one, and keeps its address.
    fn plan_worker(&self, plan: &WorkerPlan, now: Timestamp) -> Result<Worker, StoreError>;

    /// The worker of that name that is not gone, else the last that bore it.
    fn worker(&self, name: &NodeName) -> Result<Option<Worker>, StoreError>;

    /// Every worker that is not gone, by id.
    fn workers(&self) -> Result<Vec<Worker>, StoreError>;

    /// Name, address and state of every worker that is not gone, by id. Quicker than all that is known of them.
    fn roll(&self) -> Result<Vec<(HostEntry, WorkerState)>, StoreError>;

    /// Rises whenever the roll changes, or which hosts are enrolled or leaving: with the same number both are the same.
    fn roll_changes(&self) -> Result<u64, StoreError>;

    /// Moves a worker to another state, if it is still in `from`. Whether it was.
    fn advance(&self, id: i64, from: WorkerState, to: WorkerState, now: Timestamp) -> Result<bool, StoreError>;

    /// Whether a worker was drained and not made ready again since, whatever has become of it: a reboot doesn't take it back.
    fn is_drained(&self, id: i64) -> Result<bool, StoreError>;

    /// Writes down why a worker failed.
    fn note_failure(&self, id: i64, failure: Option<&str>) -> Result<(), StoreError>;

    /// Writes down that a worker starts to join (again): a new attempt of its timeline.
    fn begin_attempt(&self, id: i64, facts: &MachineFacts, slots: u32, now: Timestamp) -> Result<u32, StoreError>;

    /// Writes down that a worker was heard of.
    fn note_seen(&self, id: i64, now: Timestamp) -> Result<(), StoreError>;

    /// Adds to the timeline of a worker's latest attempt. The same stage again replaces the first word.
    fn record_stage(&self, id: i64, report: &StageReport, now: Timestamp) -> Result<(), StoreError>;

    /// The stages of a worker's latest attempt, in order.
    fn timeline(&self, id: i64) -> Result<Vec<TimelineRow>, StoreError>;

    /// Ends a worker's lease; its address is free again after `quarantine`.
    fn release(&self, id: i64, quarantine: Span, now: Timestamp) -> Result<(), StoreError>;

    /// Ends the lease of an address that is nobody's.
    fn release_address(&self, address: Ipv4Addr, quarantine: Span, now: Timestamp) -> Result<(), StoreError>;

    /// Leases a worker's address to it again, when its lease was lost or rests in quarantine. [`StoreError::AddressTaken`]
    /// when another has it by now.
    fn lease_again(&self, id: i64) -> Result<(), StoreError>;

    /// Leased addresses and addresses in quarantine, with the moment when they become free.
    fn leases(&self, now: Timestamp) -> Result<Vec<(Ipv4Addr, Option<Timestamp>)>, StoreError>;

    /// Makes a host's record, if there is none, and a token for it.
    fn plan_host(&self, name: &NodeName, token: TokenHash, expires: Timestamp) -> Result<(), StoreError>;

    /// Every host that has a record.
    fn hosts(&self) -> Result<Vec<HostRecord>, StoreError>;

    /// Writes down what a host has said or was asked; nothing where it has no record.
    fn note_host(&self, name: &NodeName, news: &HostNews, now: Timestamp) -> Result<(), StoreError>;

    /// Forgets a host.
    fn forget_host(&self, name: &NodeName) -> Result<(), StoreError>;

    /// Uses a token: once, by one key, for one role and way. The same key may ask again until the token expires.
    fn redeem(
        &self,
        token: TokenHash,
        role: Role,
        via: Option<Via>,
        key: KeyHash,
        now: Timestamp,
    ) -> Result<Result<Redeemed, TokenRefusal>, StoreError>;

    /// Whose token this is or was, whatever it is still worth.
    fn token_owner(&self, token: TokenHash) -> Result<Option<NodeName>, StoreError>;

    /// Makes record, lease and token of a new worker, and the record of its machine, if its host has room for it: what the
    /// machines there take is counted in the same transaction, so that two who boot at once never exceed it.
    fn plan_machine(&self, plan: &WorkerPlan, machine: &MachinePlan, now: Timestamp) -> Result<Worker, StoreError>;

    /// Every machine of which something may be left, by worker.
    fn machines(&self) -> Result<Vec<MachineRecord>, StoreError>;

    /// Every machine that there ever was, by worker and attempt.
    fn all_machines(&self) -> Result<Vec<MachineRecord>, StoreError>;

    /// A worker's machines, by attempt.
    fn machines_of(&self, id: i64) -> Result<Vec<MachineRecord>, StoreError>;

    /// Writes down what became of a machine. What is written down already stays as it is.
    fn note_machine(&self, id: i64, attempt: u32, news: &MachineNews, now: Timestamp) -> Result<(), StoreError>;

    /// Nothing is left of a worker's machine: it gets another attempt on the same host, in the same room.
    fn next_machine(&self, id: i64, attempt: u32, now: Timestamp) -> Result<u32, StoreError>;

    /// Nothing is left of a worker's machine: it gets another attempt on another host, if that has room for it, with a token of
    /// its own. All at once, or nothing.
    fn move_machine(&self, last: &MachineRecord, going: &MachineMove, now: Timestamp) -> Result<(), StoreError>;

    /// Gives a worker whose machine is still to come another token; the old one is worth nothing any more.
    fn renew_token(&self, worker: &Worker, token: TokenHash, expires: Timestamp) -> Result<(), StoreError>;

    /// A machine's token is worth nothing any more, used or not. Whether there was one.
    fn void_token(&self, machine: &NodeName) -> Result<bool, StoreError>;

    /// How every worker that ever had a machine became ready.
    fn deploys(&self) -> Result<Vec<Deploy>, StoreError>;

    /// Writes down what happened.
    fn record_event(&self, subject: &str, text: &str, now: Timestamp) -> Result<(), StoreError>;

    /// The latest events, newest first.
    fn events(&self, most: u32) -> Result<Vec<Event>, StoreError>;
}

/// What the store could not do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The name is taken by a machine that is not gone, or by resolvers or the queue.
    #[error("the name {0} is taken, by a machine that is not gone or by its own meaning: choose another")]
    NameTaken(NodeName),
    /// No address is left.
    #[error(
        "no address is left in {range}: {leased} are leased and {quarantined} in quarantine; \
         destroy workers that are no longer needed, or widen vlan.workers"
    )]
    NoAddress {
        /// Where addresses come from.
        range: Ipv4Network,
        /// Held by workers.
        leased: usize,
        /// Not free yet.
        quarantined: usize,
    },
    /// Another worker has the address by now.
    #[error("the address of worker {id} is another's by now, or there is no such worker")]
    AddressTaken {
        /// Whose it was.
        id: i64,
    },
    /// The host has no room for the machine.
    #[error("{host} has no room: {wanted} is wanted, and {left} is left of {whole}")]
    NoRoom {
        /// The host.
        host: NodeName,
        /// What the machine needs.
        wanted: String,
        /// What is not promised yet.
        left: String,
        /// What the host has for workers.
        whole: String,
    },
    /// The database is of a later version.
    #[error("the database has version {found}, this landbridge knows {known}: use the newer landbridge")]
    TooNew {
        /// The file's version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A row that nobody of us wrote.
    #[error("the database holds {what} that can't be read: {value:?}")]
    Damaged {
        /// Which value.
        what: &'static str,
        /// As it stands there.
        value: String,
    },
    /// SQLite's own words.
    #[error("{operation} in the database failed")]
    Sqlite {
        /// What was tried.
        operation: &'static str,
        /// Why it failed.
        source: rusqlite::Error,
    },
}
