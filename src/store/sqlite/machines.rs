//! Machines: what was asked for, what became of it, and what it takes of its host.

use jiff::{SignedDuration, Timestamp};
use landbridge_node::wire::Stage;
use rusqlite::{Connection, Row, Transaction};

use super::{Failed, row, tokens, workers};
use crate::store::{
    Deploy, MachineMove, MachineNews, MachinePlan, MachineRecord, StoreError, TimelineRow, TokenHash, WorkerPlan,
};
use crate::worker::Worker;

const COLUMNS: &str =
    "m.worker, w.name, m.attempt, m.host, m.template, m.cpu, m.memory, m.patience, m.planned, m.asked,
    m.accepted, m.running, m.destroyed, m.id, m.console, m.elsewhere, m.refused";

pub(super) fn plan(
    db: &mut Connection,
    plan: &WorkerPlan,
    machine: &MachinePlan,
    now: Timestamp,
) -> Result<Worker, StoreError> {
    let tx = db.transaction().failed("starting to plan a machine")?;
    room(&tx, machine)?;
    let worker = workers::insert(&tx, plan, now)?;
    insert(&tx, worker.id, 1, machine, now)?;
    tx.commit().failed("recording a machine")?;
    Ok(Worker { booted: true, ..worker })
}

fn insert(
    tx: &Transaction<'_>,
    worker: i64,
    attempt: u32,
    machine: &MachinePlan,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO machine (worker, attempt, host, template, cpu, memory, patience, planned, elsewhere)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        (
            worker,
            attempt,
            machine.host.as_str(),
            row::json(&machine.template),
            machine.cpu,
            machine.memory_mib.cast_signed(),
            i64::try_from(machine.patience.as_millis()).unwrap_or(i64::MAX),
            now.as_millisecond(),
            machine.elsewhere.as_ref().map(row::json),
        ),
    )
    .map(drop)
    .failed("recording a machine")
}

/// Machines take what was planned for them; workers that joined with a token take what they said they have. A cloud has
/// room for so many, whatever their size: its type may have changed since the first of them.
fn room(tx: &Transaction<'_>, machine: &MachinePlan) -> Result<(), StoreError> {
    let (cpu, memory, count): (u32, i64, u32) = tx
        .query_row(
            "SELECT coalesce(sum(cpu), 0), coalesce(sum(memory), 0), count(*) FROM (
                 SELECT cpu, memory FROM machine WHERE host = ?1 AND destroyed IS NULL
                 UNION ALL
                 SELECT 100 * coalesce(slots, 1), coalesce(json_extract(facts, '$.memory_mib'), 0) FROM worker
                 WHERE host = ?1 AND state <> 'gone' AND NOT EXISTS (SELECT 1 FROM machine WHERE worker = worker.id)
             )",
            [machine.host.as_str()],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )
        .failed("counting a host's machines")?;
    let memory = memory.cast_unsigned();
    let whole = machine.room;
    let fits = match whole.machines {
        Some(most) => count < most,
        None => {
            cpu.saturating_add(machine.cpu) <= whole.cpu
                && memory.saturating_add(machine.memory_mib) <= whole.memory_mib
        }
    };
    if fits {
        return Ok(());
    }
    let words = |cpu: u32, memory: u64, machines: Option<u32>| {
        let machines = machines.map(|n| format!(", {n} machines")).unwrap_or_default();
        format!("CPU {}.{:02}, {memory} MiB{machines}", cpu / 100, cpu % 100)
    };
    Err(StoreError::NoRoom {
        host: machine.host.clone(),
        wanted: words(machine.cpu, machine.memory_mib, None),
        left: words(
            whole.cpu.saturating_sub(cpu),
            whole.memory_mib.saturating_sub(memory),
            whole.machines.map(|most| most.saturating_sub(count)),
        ),
        whole: words(whole.cpu, whole.memory_mib, whole.machines),
    })
}

pub(super) fn alive(db: &Connection) -> Result<Vec<MachineRecord>, StoreError> {
    select(db, "m.destroyed IS NULL", [])
}

pub(super) fn all(db: &Connection) -> Result<Vec<MachineRecord>, StoreError> {
    select(db, "1", [])
}

pub(super) fn of(db: &Connection, worker: i64) -> Result<Vec<MachineRecord>, StoreError> {
    select(db, "m.worker = ?1", [worker])
}

fn select(db: &Connection, which: &str, with: impl rusqlite::Params) -> Result<Vec<MachineRecord>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM machine m JOIN worker w ON w.id = m.worker WHERE {which} ORDER BY m.worker, m.attempt"
    );
    let mut query = db.prepare_cached(&sql).failed("reading the machines")?;
    let rows = query.query_map(with, |r| Ok(read(r))).failed("reading the machines")?;
    rows.map(|r| r.failed("reading the machines")?).collect()
}

fn read(r: &Row<'_>) -> Result<MachineRecord, StoreError> {
    let column = "a machine";
    let text = |i: usize| r.get::<_, String>(i).failed(column);
    let moment = |i: usize| r.get::<_, Option<i64>>(i).failed(column)?.map(row::timestamp).transpose();
    Ok(MachineRecord {
        worker_id: r.get(0).failed(column)?,
        worker: row::parsed("a name", &text(1)?)?,
        attempt: r.get(2).failed(column)?,
        host: row::parsed("a host's name", &text(3)?)?,
        template: row::from_json("a template", &text(4)?)?,
        cpu: r.get(5).failed(column)?,
        memory_mib: r.get::<_, i64>(6).failed(column)?.cast_unsigned(),
        patience: SignedDuration::from_millis(r.get(7).failed(column)?),
        planned: row::timestamp(r.get(8).failed(column)?)?,
        asked: moment(9)?,
        accepted: moment(10)?,
        running: moment(11)?,
        destroyed: moment(12)?,
        id: r.get(13).failed(column)?,
        console: r.get(14).failed(column)?,
        elsewhere: r
            .get::<_, Option<String>>(15)
            .failed(column)?
            .map(|strategy| row::from_json("a strategy", &strategy))
            .transpose()?,
        refused: r.get(16).failed(column)?,
    })
}

pub(super) fn note(
    db: &Connection,
    worker: i64,
    attempt: u32,
    news: &MachineNews,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (set, detail) = match news {
        MachineNews::Asked => ("asked = coalesce(asked, ?3), id = coalesce(id, ?4)", None),
        MachineNews::Accepted(id) => ("accepted = coalesce(accepted, ?3), id = ?4", Some(id)),
        MachineNews::Running => ("running = coalesce(running, ?3), id = coalesce(id, ?4)", None),
        MachineNews::Console(file) => ("console = ?4, planned = coalesce(planned, ?3)", Some(file)),
        MachineNews::Destroyed => ("destroyed = coalesce(destroyed, ?3), id = coalesce(id, ?4)", None),
    };
    db.prepare_cached(&format!("UPDATE machine SET {set} WHERE worker = ?1 AND attempt = ?2"))
        .and_then(|mut s| s.execute((worker, attempt, now.as_millisecond(), detail)))
        .map(drop)
        .failed("recording what became of a machine")
}

pub(super) fn next(db: &mut Connection, worker: i64, attempt: u32, now: Timestamp) -> Result<u32, StoreError> {
    let tx = db.transaction().failed("starting another attempt")?;
    note(&tx, worker, attempt, &MachineNews::Destroyed, now)?;
    let next = attempt + 1;
    tx.execute(
        "INSERT INTO machine (worker, attempt, host, template, cpu, memory, patience, planned, elsewhere)
         SELECT worker, ?3, host, template, cpu, memory, patience, ?4, elsewhere FROM machine
         WHERE worker = ?1 AND attempt = ?2",
        (worker, attempt, next, now.as_millisecond()),
    )
    .failed("recording another attempt")?;
    tx.commit().failed("recording another attempt")?;
    Ok(next)
}

pub(super) fn go_elsewhere(
    db: &mut Connection,
    last: &MachineRecord,
    going: &MachineMove,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tx = db.transaction().failed("going to another host")?;
    note(&tx, last.worker_id, last.attempt, &MachineNews::Destroyed, now)?;
    tx.execute(
        "UPDATE machine SET refused = ?3 WHERE worker = ?1 AND attempt = ?2",
        (last.worker_id, last.attempt, &going.why),
    )
    .failed("recording why a host was left")?;
    room(&tx, &going.to)?;
    insert(&tx, last.worker_id, last.attempt + 1, &going.to, now)?;
    tx.execute(
        "UPDATE worker SET host = ?2, via = ?3 WHERE id = ?1",
        (last.worker_id, going.to.host.as_str(), row::via_text(going.via)),
    )
    .failed("recording a worker's host")?;
    tokens::renew(&tx, &last.worker, going.via, going.token, going.token_expires)?;
    tx.commit().failed("going to another host")
}

pub(super) fn renew_token(
    db: &mut Connection,
    worker: &Worker,
    token: TokenHash,
    expires: Timestamp,
) -> Result<(), StoreError> {
    let tx = db.transaction().failed("replacing a token")?;
    tokens::renew_worker(&tx, worker, token, expires)?;
    tx.commit().failed("replacing a token")
}

pub(super) fn deploys(db: &Connection) -> Result<Vec<Deploy>, StoreError> {
    let last = "m.attempt = (SELECT max(attempt) FROM machine WHERE worker = m.worker)";
    let machines = select(db, last, [])?;
    machines.into_iter().map(|machine| deploy(db, machine)).collect()
}

fn deploy(db: &Connection, machine: MachineRecord) -> Result<Deploy, StoreError> {
    let reading = "reading how a worker became ready";
    let (asked, ready) = db
        .prepare_cached("SELECT created, ready FROM worker WHERE id = ?1")
        .and_then(|mut s| s.query_row([machine.worker_id], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, Option<i64>>(1)?))))
        .failed(reading)?;
    let mut query = db
        .prepare_cached(
            "SELECT attempt, report, at FROM stage WHERE worker = ?1
             AND attempt = (SELECT min(attempt) FROM stage WHERE worker = ?1 AND place >= ?2) ORDER BY place",
        )
        .failed(reading)?;
    let rows = query
        .query_map((machine.worker_id, Stage::Queue as u8), |r| {
            Ok((r.get::<_, u32>(0)?, r.get::<_, String>(1)?, r.get::<_, i64>(2)?))
        })
        .failed(reading)?;
    let stages = rows.map(|r| {
        let (attempt, report, at) = r.failed(reading)?;
        Ok(TimelineRow { attempt, report: row::from_json("a stage", &report)?, at: row::timestamp(at)? })
    });
    Ok(Deploy {
        stages: stages.collect::<Result<_, StoreError>>()?,
        asked: row::timestamp(asked)?,
        ready: ready.map(row::timestamp).transpose()?,
        machine,
    })
}
