//! Join tokens: single use, short-lived, known only by their hash.

use jiff::Timestamp;
use landbridge_node::wire::Via;
use landbridge_pki::{NodeName, Role};
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::{Failed, row};
use crate::store::{KeyHash, Redeemed, StoreError, TokenHash, TokenRefusal, WorkerPlan};
use crate::worker::Worker;

pub(super) fn insert_worker(tx: &Transaction<'_>, plan: &WorkerPlan, name: &NodeName) -> Result<(), StoreError> {
    insert(tx, plan.token, Role::Worker, Some(plan.via), name, plan.token_expires)
}

/// A new token for a worker that has one; the old one is worth nothing any more.
pub(super) fn renew_worker(
    tx: &Transaction<'_>,
    worker: &Worker,
    token: TokenHash,
    expires: Timestamp,
) -> Result<(), StoreError> {
    renew(tx, &worker.name, worker.via, token, expires)
}

/// The same, for another way in.
pub(super) fn renew(
    tx: &Transaction<'_>,
    worker: &NodeName,
    via: Via,
    token: TokenHash,
    expires: Timestamp,
) -> Result<(), StoreError> {
    insert(tx, token, Role::Worker, Some(via), worker, expires)
}

pub(super) fn insert_host(
    tx: &Transaction<'_>,
    name: &NodeName,
    token: TokenHash,
    expires: Timestamp,
) -> Result<(), StoreError> {
    insert(tx, token, Role::Host, None, name, expires)
}

fn insert(
    tx: &Transaction<'_>,
    token: TokenHash,
    role: Role,
    via: Option<Via>,
    name: &NodeName,
    expires: Timestamp,
) -> Result<(), StoreError> {
    // A newer token for the same machine is the only one: the older may have been lost or seen.
    tx.execute("DELETE FROM token WHERE name = ?1 AND role = ?2", (name.as_str(), role.as_str()))
        .failed("replacing a token")?;
    tx.execute(
        "INSERT INTO token (hash, role, via, name, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
        (token, role.as_str(), via.map(row::via_text), name.as_str(), expires.as_millisecond()),
    )
    .map(drop)
    .failed("recording a token")
}

pub(super) fn redeem(
    db: &mut Connection,
    token: TokenHash,
    role: Role,
    via: Option<Via>,
    key: KeyHash,
    now: Timestamp,
) -> Result<Result<Redeemed, TokenRefusal>, StoreError> {
    let tx = db.transaction().failed("looking up a token")?;
    let Some(found) = find(&tx, token)? else { return Ok(Err(TokenRefusal::Unknown)) };
    if found.role != role {
        return Ok(Err(TokenRefusal::WrongRole(found.role)));
    }
    if let Some(right) = found.via.filter(|right| Some(*right) != via) {
        return Ok(Err(TokenRefusal::WrongWay(right)));
    }
    if let Some((_, at)) = found.used.filter(|(by, _)| *by != key) {
        return Ok(Err(TokenRefusal::Used(at)));
    }
    if found.expires <= now {
        return Ok(Err(TokenRefusal::Expired(found.expires)));
    }
    let again = found.used.is_some();
    if !again {
        tx.execute("UPDATE token SET used_by = ?2, used_at = ?3 WHERE hash = ?1", (token, key, now.as_millisecond()))
            .failed("using a token")?;
    }
    tx.commit().failed("using a token")?;
    Ok(Ok(Redeemed { name: found.name, again }))
}

pub(super) fn void(db: &Connection, machine: &NodeName) -> Result<bool, StoreError> {
    let rows = db.execute("DELETE FROM token WHERE name = ?1", [machine.as_str()]).failed("voiding a token")?;
    Ok(rows > 0)
}

pub(super) fn owner(db: &Connection, token: TokenHash) -> Result<Option<NodeName>, StoreError> {
    let name = db
        .query_row("SELECT name FROM token WHERE hash = ?1", [token], |r| r.get::<_, String>(0))
        .optional()
        .failed("looking up a token's owner")?;
    name.map(|name| row::parsed("a name", &name)).transpose()
}

struct Found {
    role: Role,
    via: Option<Via>,
    name: NodeName,
    expires: Timestamp,
    used: Option<(KeyHash, Timestamp)>,
}

/// Looked up by the hash of 256 random bits, so the time that the comparison takes tells a stranger nothing.
fn find(tx: &Transaction<'_>, token: TokenHash) -> Result<Option<Found>, StoreError> {
    let columns = tx
        .query_row("SELECT role, via, name, expires, used_by, used_at FROM token WHERE hash = ?1", [token], |r| {
            Ok((
                r.get::<_, String>(0)?,
                r.get::<_, Option<String>>(1)?,
                r.get::<_, String>(2)?,
                r.get::<_, i64>(3)?,
                r.get::<_, Option<KeyHash>>(4)?,
                r.get::<_, Option<i64>>(5)?,
            ))
        })
        .optional()
        .failed("looking up a token")?;
    let Some((role, via, name, expires, used_by, used_at)) = columns else { return Ok(None) };
    Ok(Some(Found {
        role: row::role(&role)?,
        via: via.as_deref().map(row::via).transpose()?,
        name: row::parsed("a name", &name)?,
        expires: row::timestamp(expires)?,
        used: used_by.zip(used_at).map(|(by, at)| row::timestamp(at).map(|at| (by, at))).transpose()?,
    }))
}
