//! A crew of workers that never were: the front-end's memory as if so many were ready.

use std::path::Path;

use jiff::Timestamp;
use landbridge::frontend;
use landbridge::paths::Paths;
use landbridge::spec::Cluster;
use landbridge::store::{HostNews, Sqlite, Store as _};
use landbridge::tunnel::Tunnel;
use landbridge_node::wire::{Identity, MachineFacts};
use landbridge_pki::authority::CertificateSpec;
use landbridge_pki::{KeyPair, NodeName, Role};
use rusqlite::Connection;
use secrecy::ExposeSecret as _;

use super::super::Outcome;
use super::IDENTITIES;

/// So many of the crew can speak for themselves.
const KNOWN: usize = 16;

/// Workers behind a tunnel, ready and just heard of, each with its facts, its lease and the nine stages of its join; as the store
/// writes them, but all in one transaction: one by one they would take as many syncs of the disk.
const CREW: &str = "
    BEGIN;
    CREATE TEMP TABLE crew AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT :count)
        SELECT id, printf('10.77.%d.%d', 64 + id / 250, 1 + id % 250) AS address FROM n;
    INSERT INTO worker (id, name, host, via, address, slots, state, attempt, facts, created, changed, seen, ready)
        SELECT id, 'w' || id, 'ec2', 'tunnel', address, 2, 'ready', 1,
            json_object('hostname', 'ip-203-0-113-' || id, 'cpus', 2, 'memory_mib', 1700, 'kernel', '6.1.0-28-cloud-amd64',
                'boot_id', printf('00000000-0000-4000-8000-%012d', id)), :now, :now, :now, :now FROM crew;
    INSERT INTO lease (address, worker) SELECT address, id FROM crew;
    INSERT INTO stage (worker, attempt, place, report, at)
        SELECT crew.id, 1, stage.key,
            json_object('stage', stage.value, 'outcome', 'passed', 'started_ms', 100 * stage.key, 'took_ms', 100), :now
        FROM crew, json_each('[\"contact\",\"identity\",\"link\",\"address\",\"mtu\",\"nfs\",\"nis\",\"queue\",\"canary\"]') stage;
    COMMIT;
";

/// Fills the memory of this front-end with a crew, issues their certificates, lets them through the tunnel, and enrols every
/// physical host of the cluster's file. The front-end is not up yet, and has its keys.
///
/// # Errors
/// Whatever the store, the authority or the file system refuses.
pub fn crew(count: u32) -> Outcome<()> {
    let paths = Paths::default();
    let cluster = super::cluster(&paths)?;
    let now = Timestamp::now();
    enrol(&cluster, &paths, now)?;
    let database = Connection::open(paths.database())?;
    let sql = CREW.replace(":count", &count.to_string()).replace(":now", &now.as_millisecond().to_string());
    database.execute_batch(&sql)?;
    let mut workers = database.prepare("SELECT name, address FROM worker ORDER BY id")?;
    let rows = workers.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let (mut authority, tunnel) = (frontend::open_authority(&paths)?, Tunnel::new(&paths));
    std::fs::create_dir_all(paths.tunnel().join("ccd"))?;
    std::fs::create_dir_all(IDENTITIES)?;
    let key = KeyPair::generate()?;
    std::fs::write(Path::new(IDENTITIES).join("key.pem"), key.to_pem().expose_secret())?;
    let request = key.csr_pem()?;
    for (place, row) in rows.enumerate() {
        let (name, address) = row?;
        let name = NodeName::new(name)?;
        tunnel.admit(&name, format!("{address}/{}", cluster.vlan.subnet.prefix()).parse()?)?;
        let issued = authority.issue(&request, &CertificateSpec::new(name.clone(), Role::Worker), now)?;
        if place < KNOWN {
            remember(&cluster, name, issued.pem, authority.register().trust_pem())?;
        }
    }
    Ok(())
}

fn enrol(cluster: &Cluster, paths: &Paths, now: Timestamp) -> Outcome<()> {
    let store = Sqlite::open(&paths.database())?;
    for (number, host) in (0_u8..).zip(&cluster.hosts) {
        store.plan_host(&host.name, [number; 32], now)?;
        store.note_host(&host.name, &HostNews::Enrolled(MachineFacts::default()), now)?;
    }
    Ok(())
}

/// Writes down who a worker is, for [`super::heartbeats`].
fn remember(cluster: &Cluster, name: NodeName, certificate_pem: String, trust_pem: String) -> Outcome<()> {
    let file = Path::new(IDENTITIES).join(format!("{name}.json"));
    let api = vec![format!("{}:{}", cluster.vlan.front_end().ip(), cluster.front_end.api_port)];
    let identity = Identity { cluster: cluster.name.to_string(), name, certificate_pem, trust_pem, api };
    Ok(std::fs::write(file, serde_json::to_vec(&identity)?)?)
}
