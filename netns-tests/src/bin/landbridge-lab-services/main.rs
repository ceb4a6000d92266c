//! Runs the front-end's services in a machine of the lab, as the daemon would: for the tests in `tests/services.rs`.
//!
//! `up [NAME=ADDRESS…]` (workers in the host names), `plan`, `down`, and the queue's verbs; on the other side
//! `worker NAME=ADDRESS`.

mod worker;

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

use landbridge::paths::Paths;
use landbridge::scheduler::sge::{QMASTER_PORT, Sge};
use landbridge::scheduler::{Scheduler, Word};
use landbridge::services::{guard, hosts, nfs, nis};
use landbridge::spec::{Cluster, ClusterName, example};
use landbridge_node::machine::{Machine, MachineSpec, Place};
use landbridge_node::wire::HostEntry;
use landbridge_pki::NodeName;

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let cluster = example(ClusterName::new("ursa")?);
    let paths = Paths::default();
    match words.as_slice() {
        ["up", workers @ ..] => converge(&cluster, &paths, wanted(&cluster, &paths, &entries(workers)?)?).await,
        ["worker", entry] => converge(&cluster, &paths, worker::wanted(&cluster, &paths, &self::entry(entry)?)).await,
        ["plan", workers @ ..] => plan(&cluster, &paths, workers).await,
        ["down"] => down(&cluster, &paths).await,
        words => queue(&Sge::new(&cluster, &paths), words).await,
    }
}

async fn converge(cluster: &Cluster, paths: &Paths, spec: MachineSpec) -> Outcome {
    let mut machine = Machine::open(place(cluster, paths)).await?;
    for line in machine.converge(&spec).await?.done {
        println!("{line}");
    }
    Ok(())
}

async fn plan(cluster: &Cluster, paths: &Paths, workers: &[&str]) -> Outcome {
    let machine = Machine::open(place(cluster, paths)).await?;
    for line in machine.plan(&wanted(cluster, paths, &entries(workers)?)?).await?.lines() {
        println!("{line}");
    }
    Ok(())
}

async fn down(cluster: &Cluster, paths: &Paths) -> Outcome {
    let report = Machine::open(place(cluster, paths)).await?.tear_down().await?;
    for line in report.done.iter().chain(&report.notes) {
        println!("{line}");
    }
    Ok(())
}

fn place(cluster: &Cluster, paths: &Paths) -> Place {
    Place {
        owner: cluster.name.owner(),
        state: paths.state.join("machine"),
        run: paths.run.join("machine"),
        log: paths.log.clone(),
    }
}

fn wanted(cluster: &Cluster, paths: &Paths, workers: &[HostEntry]) -> Result<MachineSpec, Box<dyn Error>> {
    let address = cluster.vlan.front_end().ip();
    let front_end = HostEntry { name: cluster.front_end.name.clone(), address };
    let own_name = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
    let rpcbind = nis::detect();
    let ports: BTreeSet<u16> = nis::ports(rpcbind).into_iter().chain([nfs::PORT, QMASTER_PORT]).collect();
    let mut spec = MachineSpec::default();
    spec.extend(hosts::resources(&front_end, own_name.trim(), workers));
    let folder = paths.services().join("guard");
    spec.extend(landbridge_node::guard::resources(
        &cluster.name.owner(),
        &folder,
        &guard::rules(&cluster.name, &ports),
    ));
    spec.extend(nfs::resources(cluster, paths, nfs::detect()));
    spec.extend(nis::resources(cluster, paths, workers, &nis::people::read()?, rpcbind));
    spec.extend(Sge::new(cluster, paths).resources());
    Ok(spec)
}

async fn queue(sge: &Sge, words: &[&str]) -> Outcome {
    let name = |word: &str| NodeName::new(word);
    match words {
        ["admit", worker, slots] => sge.admit(&entry(worker)?, slots.parse()?).await?,
        ["open", worker] => sge.open(&name(worker)?).await?,
        ["close", worker] => sge.close(&name(worker)?).await?,
        ["present", worker] => println!("{}", sge.present(&name(worker)?).await?),
        ["running", worker] => println!("{}", sge.running(&name(worker)?).await?),
        ["remove", worker] => sge.remove(&name(worker)?).await?,
        ["known"] => println!("{}", sge.known().await?.iter().map(NodeName::as_str).collect::<Vec<_>>().join(" ")),
        ["canary", worker, seconds] => {
            let deadline = Duration::from_secs(seconds.parse()?);
            sge.make_way(&name(worker)?).await?;
            match sge.canary(&name(worker)?, &Word::new(), deadline).await? {
                Ok(()) => println!("passed"),
                Err(failure) => println!("{failure}\nremedy: {}", failure.remedy),
            }
        }
        words => return Err(format!("no such verb: {}", words.join(" ")).into()),
    }
    Ok(())
}

fn entries(words: &[&str]) -> Result<Vec<HostEntry>, Box<dyn Error>> {
    words.iter().map(|word| entry(word)).collect()
}

/// `NAME=ADDRESS`.
fn entry(word: &str) -> Result<HostEntry, Box<dyn Error>> {
    let (name, address) = word.split_once('=').ok_or("a worker is NAME=ADDRESS")?;
    Ok(HostEntry { name: NodeName::new(name)?, address: address.parse()? })
}
