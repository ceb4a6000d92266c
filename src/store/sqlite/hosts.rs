//! Physical hosts.

use jiff::Timestamp;
use landbridge_pki::NodeName;
use rusqlite::Connection;

use super::{Failed, row, tokens};
use crate::store::{HostNews, HostRecord, StoreError, TokenHash};

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

/// Each news changes what it is about and nothing else: a host that was forgotten meanwhile stays so.
pub(super) fn note(db: &Connection, name: &NodeName, news: &HostNews, now: Timestamp) -> Result<(), StoreError> {
    let (name, now) = (name.as_str(), now.as_millisecond());
    let done = match news {
        HostNews::Enrolled(facts) => db.execute(
            "UPDATE host SET enrolled = COALESCE(enrolled, ?2), seen = ?2, leaving = 0, facts = ?3 WHERE name = ?1",
            (name, now, row::json(facts)),
        ),
        HostNews::Seen => db.execute("UPDATE host SET seen = ?2 WHERE name = ?1", (name, now)),
        HostNews::Leaving => db.execute("UPDATE host SET leaving = 1 WHERE name = ?1", [name]),
        HostNews::Reported { generation, failure, facts } => db.execute(
            "UPDATE host SET seen = ?2, generation = ?3, failure = ?4, facts = ?5 WHERE name = ?1",
            (name, now, generation.cast_signed(), failure.as_deref(), row::json(facts)),
        ),
    };
    done.map(drop).failed("recording a host")
}

pub(super) fn forget(db: &mut Connection, name: &NodeName) -> Result<(), StoreError> {
    let tx = db.transaction().failed("forgetting a host")?;
    tx.execute("DELETE FROM host WHERE name = ?1", [name.as_str()]).failed("forgetting a host")?;
    tx.execute("DELETE FROM token WHERE name = ?1 AND role = 'host'", [name.as_str()]).failed("forgetting a host")?;
    tx.commit().failed("forgetting a host")
}
