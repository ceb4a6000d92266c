//! Workers, their leases and their timelines.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use jiff::{Span, Timestamp};
use landbridge_node::wire::{HostEntry, MachineFacts, StageReport};
use landbridge_pki::NodeName;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::{Failed, row, tokens};
use crate::ipam;
use crate::store::{StoreError, TimelineRow, WorkerPlan};
use crate::worker::{Worker, WorkerState};

const COLUMNS: &str = "id, name, host, via, address, slots, state, failure, created, changed, seen, facts, ready,
    EXISTS (SELECT 1 FROM machine WHERE machine.worker = worker.id)";

pub(super) fn plan(db: &mut Connection, plan: &WorkerPlan, now: Timestamp) -> Result<Worker, StoreError> {
    let tx = db.transaction().failed("starting to plan a worker")?;
    if let Some(waiting) = waiting(&tx, plan)? {
        let again = replan(&tx, plan, &waiting)?;
        tx.commit().failed("recording a worker")?;
        return Ok(again);
    }
    let worker = insert(&tx, plan, now)?;
    tx.commit().failed("recording a worker")?;
    Ok(worker)
}

/// Record, lease and token.
pub(super) fn insert(tx: &Transaction<'_>, plan: &WorkerPlan, now: Timestamp) -> Result<Worker, StoreError> {
    let name = free_name(tx, plan)?;
    let address = free_address(tx, plan, now)?;
    tx.execute(
        "INSERT INTO worker (name, host, via, address, slots, state, created, changed)
         VALUES (?1, ?2, ?3, ?4, ?5, 'planned', ?6, ?6)",
        (
            name.as_str(),
            plan.host.as_ref().map(NodeName::as_str),
            row::via_text(plan.via),
            address.to_string(),
            plan.slots,
            now.as_millisecond(),
        ),
    )
    .failed("recording a worker")?;
    let id = tx.last_insert_rowid();
    tx.execute("INSERT INTO lease (address, worker) VALUES (?1, ?2)", (address.to_string(), id))
        .failed("leasing an address")?;
    tokens::insert_worker(tx, plan, &name)?;
    by_name(tx, &name)?.ok_or_else(|| row::damaged("a worker", &name))
}

/// The worker of the plan's name, if its machine has never come: then only its token was lost or has expired. One that gets its
/// machine from us is not waiting for a person.
fn waiting(tx: &Transaction<'_>, plan: &WorkerPlan) -> Result<Option<Worker>, StoreError> {
    let Some(name) = &plan.name else { return Ok(None) };
    Ok(by_name(tx, name)?.filter(|w| w.state == WorkerState::Planned && w.via == plan.via && !w.booted))
}

fn replan(tx: &Transaction<'_>, plan: &WorkerPlan, waiting: &Worker) -> Result<Worker, StoreError> {
    tx.execute(
        "UPDATE worker SET host = ?2, slots = ?3, failure = NULL WHERE id = ?1",
        (waiting.id, plan.host.as_ref().map(NodeName::as_str), plan.slots),
    )
    .failed("recording a worker")?;
    tokens::insert_worker(tx, plan, &waiting.name)?;
    by_name(tx, &waiting.name)?.ok_or_else(|| row::damaged("a worker", &waiting.name))
}

fn free_name(tx: &Transaction<'_>, plan: &WorkerPlan) -> Result<NodeName, StoreError> {
    let of_workers = roll(tx)?.into_iter().map(|(entry, _)| entry.name);
    let taken: BTreeSet<NodeName> = of_workers.chain(plan.reserved.iter().cloned()).collect();
    match &plan.name {
        Some(name) if taken.contains(name) => Err(StoreError::NameTaken(name.clone())),
        Some(name) => Ok(name.clone()),
        None => Ok((1..=u32::MAX)
            .map(|n| NodeName::new(format!("w{n}")).expect("a letter and digits"))
            .find(|name| !taken.contains(name))
            .expect("fewer workers than numbers")),
    }
}

fn free_address(tx: &Transaction<'_>, plan: &WorkerPlan, now: Timestamp) -> Result<Ipv4Addr, StoreError> {
    tx.execute("DELETE FROM lease WHERE free_at <= ?1", [now.as_millisecond()]).failed("ending quarantines")?;
    let leases = leases(tx, now)?;
    let mut taken: BTreeSet<Ipv4Addr> = leases.iter().map(|(address, _)| *address).collect();
    taken.extend(of_living_machines(tx)?);
    ipam::next_address(plan.subnet, plan.range, &taken).ok_or_else(|| {
        let quarantined = leases.iter().filter(|(_, free_at)| free_at.is_some()).count();
        StoreError::NoAddress { range: plan.range, leased: leases.len() - quarantined, quarantined }
    })
}

/// The addresses of machines that are there, or may be: a host that can't be asked doesn't end its machine, whoever cut it off.
fn of_living_machines(tx: &Transaction<'_>) -> Result<Vec<Ipv4Addr>, StoreError> {
    const READING: &str = "reading the machines' addresses";
    let sql = "SELECT DISTINCT worker.address FROM machine JOIN worker ON worker.id = machine.worker
               WHERE machine.asked IS NOT NULL AND machine.destroyed IS NULL";
    let mut query = tx.prepare_cached(sql).failed(READING)?;
    let rows = query.query_map([], |r| r.get::<_, String>(0)).failed(READING)?;
    rows.map(|text| {
        let text = text.failed(READING)?;
        text.parse().map_err(|_| row::damaged("an address", text))
    })
    .collect()
}

pub(super) fn by_name(db: &Connection, name: &NodeName) -> Result<Option<Worker>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM worker WHERE name = ?1 ORDER BY (state = 'gone'), id DESC LIMIT 1");
    let mut query = db.prepare_cached(&sql).failed("reading a worker")?;
    query.query_row([name.as_str()], |r| Ok(read(r))).optional().failed("reading a worker")?.transpose()
}

pub(super) fn alive(db: &Connection) -> Result<Vec<Worker>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM worker WHERE state <> 'gone' ORDER BY id");
    let mut query = db.prepare_cached(&sql).failed("reading the workers")?;
    let rows = query.query_map([], |r| Ok(read(r))).failed("reading the workers")?;
    rows.map(|r| r.failed("reading the workers")?).collect()
}

pub(super) fn roll(db: &Connection) -> Result<Vec<(HostEntry, WorkerState)>, StoreError> {
    const READING: &str = "reading who is in the cluster";
    let sql = "SELECT name, address, state FROM worker WHERE state <> 'gone' ORDER BY id";
    let mut query = db.prepare_cached(sql).failed(READING)?;
    let mut rows = query.query([]).failed(READING)?;
    let mut roll = Vec::new();
    while let Some(r) = rows.next().failed(READING)? {
        let text = |i: usize| r.get_ref(i).and_then(|value| Ok(value.as_str()?)).failed(READING);
        let (name, address) = (row::parsed("a name", text(0)?)?, row::parsed("an address", text(1)?)?);
        roll.push((HostEntry { name, address }, row::parsed("a state", text(2)?)?));
    }
    Ok(roll)
}

fn read(r: &Row<'_>) -> Result<Worker, StoreError> {
    let column = "a worker";
    let text = |i: usize| r.get::<_, String>(i).failed(column);
    let moment = |i: usize| row::timestamp(r.get(i).failed(column)?);
    let host: Option<String> = r.get(2).failed(column)?;
    let seen: Option<i64> = r.get(10).failed(column)?;
    let facts: Option<String> = r.get(11).failed(column)?;
    let ready: Option<i64> = r.get(12).failed(column)?;
    Ok(Worker {
        id: r.get(0).failed(column)?,
        name: row::parsed("a name", &text(1)?)?,
        host: host.map(|h| row::parsed("a host's name", &h)).transpose()?,
        via: row::via(&text(3)?)?,
        address: row::parsed("an address", &text(4)?)?,
        slots: r.get::<_, Option<u32>>(5).failed(column)?.unwrap_or(1),
        state: row::parsed("a state", &text(6)?)?,
        failure: r.get(7).failed(column)?,
        created: moment(8)?,
        changed: moment(9)?,
        booted: r.get(13).failed(column)?,
        ready: ready.map(row::timestamp).transpose()?,
        seen: seen.map(row::timestamp).transpose()?,
        facts: facts.map(|f| row::from_json("facts", &f)).transpose()?,
    })
}

pub(super) fn advance(
    db: &Connection,
    id: i64,
    from: WorkerState,
    to: WorkerState,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let drained = match to {
        WorkerState::Draining | WorkerState::Drained => Some(true),
        WorkerState::Ready => Some(false),
        _ => None,
    };
    // The first time that it was ready stays: how long it took is told from it.
    db.prepare_cached(
        "UPDATE worker SET state = ?3, changed = ?4, ready = CASE ?3 WHEN 'ready' THEN coalesce(ready, ?4) ELSE ready END,
                drained = coalesce(?5, drained)
         WHERE id = ?1 AND state = ?2",
    )
    .and_then(|mut s| s.execute((id, from.to_string(), to.to_string(), now.as_millisecond(), drained)))
    .map(|rows| rows == 1)
    .failed("changing a worker's state")
}

pub(super) fn is_drained(db: &Connection, id: i64) -> Result<bool, StoreError> {
    db.prepare_cached("SELECT drained FROM worker WHERE id = ?1")
        .and_then(|mut s| s.query_row([id], |row| row.get(0)))
        .failed("reading whether a worker is drained")
}

pub(super) fn note_failure(db: &Connection, id: i64, failure: Option<&str>) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE worker SET failure = ?2 WHERE id = ?1")
        .and_then(|mut s| s.execute((id, failure)))
        .map(drop)
        .failed("recording why a worker failed")
}

pub(super) fn begin_attempt(
    db: &Connection,
    id: i64,
    facts: &MachineFacts,
    slots: u32,
    now: Timestamp,
) -> Result<u32, StoreError> {
    db.prepare_cached(
        "UPDATE worker SET attempt = attempt + 1, facts = ?2, slots = coalesce(slots, ?3), seen = ?4, failure = NULL
         WHERE id = ?1 RETURNING attempt",
    )
    .and_then(|mut s| s.query_row((id, row::json(facts), slots, now.as_millisecond()), |r| r.get(0)))
    .failed("recording a join")
}

pub(super) fn note_seen(db: &Connection, id: i64, now: Timestamp) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE worker SET seen = ?2 WHERE id = ?1")
        .and_then(|mut s| s.execute((id, now.as_millisecond())))
        .map(drop)
        .failed("recording that a worker was heard of")
}

pub(super) fn record_stage(db: &Connection, id: i64, report: &StageReport, now: Timestamp) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO stage (worker, attempt, place, report, at)
         SELECT id, attempt, ?2, ?3, ?4 FROM worker WHERE id = ?1",
    )
    .and_then(|mut s| s.execute((id, report.stage as u8, row::json(report), now.as_millisecond())))
    .map(drop)
    .failed("recording a stage")
}

pub(super) fn timeline(db: &Connection, id: i64) -> Result<Vec<TimelineRow>, StoreError> {
    let mut query = db
        .prepare_cached(
            "SELECT s.attempt, s.report, s.at FROM stage s JOIN worker w ON w.id = s.worker AND w.attempt = s.attempt
             WHERE w.id = ?1 ORDER BY s.place",
        )
        .failed("reading a timeline")?;
    let rows = query
        .query_map([id], |r| Ok((r.get::<_, u32>(0)?, r.get::<_, String>(1)?, r.get::<_, i64>(2)?)))
        .failed("reading a timeline")?;
    rows.map(|r| {
        let (attempt, report, at) = r.failed("reading a timeline")?;
        Ok(TimelineRow { attempt, report: row::from_json("a stage", &report)?, at: row::timestamp(at)? })
    })
    .collect()
}

pub(super) fn release(db: &Connection, id: i64, quarantine: Span, now: Timestamp) -> Result<(), StoreError> {
    let free_at = now.checked_add(quarantine).unwrap_or(Timestamp::MAX).as_millisecond();
    // A lease that is in quarantine already keeps its time: releasing twice is once.
    db.prepare_cached("UPDATE lease SET free_at = ?2 WHERE worker = ?1 AND free_at IS NULL")
        .and_then(|mut s| s.execute((id, free_at)))
        .map(drop)
        .failed("releasing an address")
}

pub(super) fn release_address(
    db: &Connection,
    address: Ipv4Addr,
    quarantine: Span,
    now: Timestamp,
) -> Result<(), StoreError> {
    let free_at = now.checked_add(quarantine).unwrap_or(Timestamp::MAX).as_millisecond();
    db.prepare_cached("UPDATE lease SET free_at = ?2 WHERE address = ?1 AND free_at IS NULL")
        .and_then(|mut s| s.execute((address.to_string(), free_at)))
        .map(drop)
        .failed("releasing an address")
}

pub(super) fn lease_again(db: &Connection, id: i64) -> Result<(), StoreError> {
    // Another's lease of that address is not touched: the insertion fails then.
    const AGAIN: &str = "INSERT INTO lease (address, worker) SELECT address, id FROM worker WHERE id = ?1
                         ON CONFLICT (address) DO UPDATE SET free_at = NULL, worker = excluded.worker
                         WHERE lease.worker = excluded.worker OR lease.free_at IS NOT NULL";
    let changed = db.prepare_cached(AGAIN).and_then(|mut s| s.execute([id])).failed("leasing an address again")?;
    if changed == 1 { Ok(()) } else { Err(StoreError::AddressTaken { id }) }
}

pub(super) fn leases(db: &Connection, now: Timestamp) -> Result<Vec<(Ipv4Addr, Option<Timestamp>)>, StoreError> {
    let mut query = db
        .prepare_cached("SELECT address, free_at FROM lease WHERE free_at IS NULL OR free_at > ?1")
        .failed("reading leases")?;
    let rows = query
        .query_map([now.as_millisecond()], |r| Ok((r.get::<_, String>(0)?, r.get::<_, Option<i64>>(1)?)))
        .failed("reading leases")?;
    rows.map(|r| {
        let (address, free_at) = r.failed("reading leases")?;
        Ok((row::parsed("an address", &address)?, free_at.map(row::timestamp).transpose()?))
    })
    .collect()
}
