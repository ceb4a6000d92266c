//! Physical hosts.

use jiff::Timestamp;
use landbridge_pki::NodeName;
use rusqlite::Connection;

use super::{Failed, row, tokens};
use crate::store::{HostRecord, StoreError, TokenHash};

pub(super) fn plan(
    db: &mut Connection,
    name: &NodeName,
    token: TokenHash,
    expires: Timestamp,
) -> Result<(), StoreError> {
    let tx = db.transaction().failed("starting to plan a host")?;
    tx.execute("INSERT INTO host (name) VALUES (?1) ON CONFLICT DO UPDATE SET leaving = 0", [name.as_str()])
        .failed("recording a host")?;
    tokens::insert_host(&tx, name, token, expires)?;
    tx.commit().failed("recording a host")
}

pub(super) fn all(db: &Connection) -> Result<Vec<HostRecord>, StoreError> {
    let column = "a host";
    let mut query = db
        .prepare_cached("SELECT name, enrolled, seen, leaving, generation, failure, facts FROM host ORDER BY name")
        .failed("reading the hosts")?;
    let mut rows = query.query([]).failed("reading the hosts")?;
    let mut hosts = Vec::new();
    while let Some(r) = rows.next().failed("reading the hosts")? {
        let moment = |i| r.get::<_, Option<i64>>(i).failed(column)?.map(row::timestamp).transpose();
        hosts.push(HostRecord {
            name: row::parsed("a host's name", &r.get::<_, String>(0).failed(column)?)?,
            enrolled: moment(1)?,
            seen: moment(2)?,
            leaving: r.get(3).failed(column)?,
            generation: r.get::<_, i64>(4).failed(column)?.cast_unsigned(),
            failure: r.get(5).failed(column)?,
            facts: r.get::<_, Option<String>>(6).failed(column)?.map(|f| row::from_json("facts", &f)).transpose()?,
        });
    }
    Ok(hosts)
}

pub(super) fn save(db: &Connection, host: &HostRecord) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO host (name, enrolled, seen, leaving, generation, failure, facts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .and_then(|mut s| {
        s.execute((
            host.name.as_str(),
            host.enrolled.map(Timestamp::as_millisecond),
            host.seen.map(Timestamp::as_millisecond),
            host.leaving,
            host.generation.cast_signed(),
            host.failure.as_deref(),
            host.facts.as_ref().map(row::json),
        ))
    })
    .map(drop)
    .failed("recording a host")
}

pub(super) fn forget(db: &mut Connection, name: &NodeName) -> Result<(), StoreError> {
    let tx = db.transaction().failed("forgetting a host")?;
    tx.execute("DELETE FROM host WHERE name = ?1", [name.as_str()]).failed("forgetting a host")?;
    tx.execute("DELETE FROM token WHERE name = ?1 AND role = 'host'", [name.as_str()]).failed("forgetting a host")?;
    tx.commit().failed("forgetting a host")
}
