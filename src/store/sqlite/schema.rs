//! The tables, and how an older file becomes a newer one.

use rusqlite::Connection;

use super::Failed;
use crate::store::StoreError;

/// One entry a version; the file's `user_version` counts how many it has seen. Entries are only ever appended.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE worker (
        id       INTEGER PRIMARY KEY AUTOINCREMENT,
        name     TEXT NOT NULL,
        host     TEXT,
        via      TEXT NOT NULL,
        address  TEXT NOT NULL,
        slots    INTEGER,
        state    TEXT NOT NULL,
        failure  TEXT,
        attempt  INTEGER NOT NULL DEFAULT 0,
        facts    TEXT,
        created  INTEGER NOT NULL,
        changed  INTEGER NOT NULL,
        seen     INTEGER
    ) STRICT;
    -- Two machines of one name can't be alive at once, whatever the code above believes.
    CREATE UNIQUE INDEX worker_alive ON worker (name) WHERE state <> 'gone';
    CREATE TABLE stage (
        worker   INTEGER NOT NULL REFERENCES worker (id),
        attempt  INTEGER NOT NULL,
        place    INTEGER NOT NULL,
        report   TEXT NOT NULL,
        at       INTEGER NOT NULL,
        PRIMARY KEY (worker, attempt, place)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE lease (
        address  TEXT PRIMARY KEY,
        worker   INTEGER NOT NULL REFERENCES worker (id),
        free_at  INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE host (
        name       TEXT PRIMARY KEY,
        enrolled   INTEGER,
        seen       INTEGER,
        leaving    INTEGER NOT NULL DEFAULT 0,
        generation INTEGER NOT NULL DEFAULT 0,
        failure    TEXT,
        facts      TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE token (
        hash     BLOB PRIMARY KEY,
        role     TEXT NOT NULL,
        via      TEXT,
        name     TEXT NOT NULL,
        expires  INTEGER NOT NULL,
        used_by  BLOB,
        used_at  INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE event (
        id       INTEGER PRIMARY KEY,
        at       INTEGER NOT NULL,
        subject  TEXT NOT NULL,
        text     TEXT NOT NULL
    ) STRICT;
",
    "
    ALTER TABLE worker ADD COLUMN ready INTEGER;
    CREATE TABLE machine (
        worker    INTEGER NOT NULL REFERENCES worker (id),
        attempt   INTEGER NOT NULL,
        host      TEXT NOT NULL,
        template  TEXT NOT NULL,
        cpu       INTEGER NOT NULL,
        memory    INTEGER NOT NULL,
        patience  INTEGER NOT NULL,
        planned   INTEGER NOT NULL,
        asked     INTEGER,
        accepted  INTEGER,
        running   INTEGER,
        destroyed INTEGER,
        id        TEXT,
        console   TEXT,
        PRIMARY KEY (worker, attempt)
    ) STRICT, WITHOUT ROWID;
    -- A worker has one machine at most, whatever the code above believes.
    CREATE UNIQUE INDEX machine_alive ON machine (worker) WHERE destroyed IS NULL;
",
    "
    ALTER TABLE worker ADD COLUMN drained INTEGER NOT NULL DEFAULT 0;
    UPDATE worker SET drained = 1 WHERE state IN ('draining', 'drained');
",
    "
    ALTER TABLE machine ADD COLUMN elsewhere TEXT;
    ALTER TABLE machine ADD COLUMN refused TEXT;
",
    "
    -- Gone workers are looked for by name too, and every order that a worker asks for begins with its name.
    CREATE INDEX worker_name ON worker (name);
",
    "
    -- Rises whenever a worker's or a host's name, place in the cluster or state changes: whoever draws it all need not do so again before.
    CREATE TABLE membership (changes INTEGER NOT NULL) STRICT;
    INSERT INTO membership VALUES (0);
    CREATE TRIGGER worker_came AFTER INSERT ON worker BEGIN UPDATE membership SET changes = changes + 1; END;
    CREATE TRIGGER worker_moved AFTER UPDATE OF name, address, state ON worker
        BEGIN UPDATE membership SET changes = changes + 1; END;
    CREATE TRIGGER worker_went AFTER DELETE ON worker BEGIN UPDATE membership SET changes = changes + 1; END;
    CREATE TRIGGER host_moved AFTER UPDATE OF name, enrolled, leaving ON host
        BEGIN UPDATE membership SET changes = changes + 1; END;
    CREATE TRIGGER host_came AFTER INSERT ON host BEGIN UPDATE membership SET changes = changes + 1; END;
    CREATE TRIGGER host_went AFTER DELETE ON host BEGIN UPDATE membership SET changes = changes + 1; END;
",
];

/// Brings the file to the newest version, a transaction a step.
pub(super) fn migrate(db: &mut Connection) -> Result<(), StoreError> {
    let known = i64::try_from(MIGRATIONS.len()).expect("a handful");
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).failed("reading the version")?;
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    for (version, step) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        let tx = db.transaction().failed("starting a migration")?;
        tx.execute_batch(step).failed("a migration")?;
        tx.pragma_update(None, "user_version", version).failed("a migration")?;
        tx.commit().failed("a migration")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store as _;
    use crate::store::sqlite::Sqlite;
    use crate::worker::WorkerState;

    /// A file as an older landbridge has left it, with a worker and its machine as far as that knew of machines.
    fn left_by(version: usize) -> Connection {
        let db = Connection::open_in_memory().expect("memory");
        for step in &MIGRATIONS[..version] {
            db.execute_batch(step).expect("an older file");
        }
        db.pragma_update(None, "user_version", i64::try_from(version).expect("a handful")).expect("its version");
        db.execute_batch(
            "INSERT INTO worker (name, host, via, address, slots, state, created, changed)
             VALUES ('w1', 'ursa01', 'bridge', '10.77.1.1', 2, 'draining', 1800000000000, 1800000000000);
             INSERT INTO lease (address, worker) VALUES ('10.77.1.1', 1);",
        )
        .expect("a worker");
        if version > 1 {
            let template = serde_json::to_string(&crate::template::example()).expect("plain data");
            db.execute(
                "INSERT INTO machine (worker, attempt, host, template, cpu, memory, patience, planned)
                 VALUES (1, 1, 'ursa01', ?1, 100, 128, 300000, 1800000000000)",
                [template],
            )
            .expect("its machine");
        }
        db
    }

    #[test]
    fn what_an_older_landbridge_has_left_is_read_and_goes_on() {
        for version in 1..MIGRATIONS.len() {
            let store = Sqlite::prepared(left_by(version)).expect("the newest version");
            let [worker] = store.workers().expect("workers").try_into().expect("one worker");
            assert_eq!((worker.name.as_str(), worker.slots, worker.ready), ("w1", 2, None), "of version {version}");
            assert_eq!(worker.booted, version > 1);
            // Before it was written down, that it drained stood in its state alone.
            assert_eq!(store.is_drained(worker.id).expect("the worker"), version < 3);
            let changes = store.roll_changes().expect("a count");
            store.advance(worker.id, worker.state, WorkerState::Drained, worker.created).expect("a move");
            assert_eq!(store.roll_changes().expect("a count"), changes + 1);
            let machines = store.machines_of(worker.id).expect("machines");
            assert_eq!(machines.len(), usize::from(version > 1));
            assert!(machines.iter().all(|machine| machine.elsewhere.is_none()), "nobody was asked whether it may move");
        }
    }
}
