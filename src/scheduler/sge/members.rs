//! Workers in the queue: in, open, closed, out.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use landbridge_node::machine::crash;
use landbridge_node::wire::HostEntry;
use landbridge_pki::NodeName;

use super::command::{Commands, Request};
use super::{HOST_GROUP, QMASTER_PORT, QUEUE, canary, qhost};
use crate::scheduler::SchedulerError;

/// How long an execution daemon may take to end its jobs. It looks once a second.
const LET_GO: Duration = Duration::from_secs(5);

/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Makes the worker known, closed. A member of the group becomes an execution host by itself. Slots come last: until then
/// its queue instance has none, so that there is no moment in which a job could start.
pub(super) async fn admit(commands: &Commands, worker: &NodeName, slots: u32) -> Result<(), SchedulerError> {
    let (name, instance, slots) = (worker.as_str(), instance(worker), slots.to_string());
    for (operation, argv) in [
        ("adding the execution host", &["qconf", "-ah", name, "-aattr", "hostgroup", "hostlist", name, HOST_GROUP][..]),
        ("closing the slots", &["qmod", "-d", &instance]),
        ("setting the slots", &["qconf", "-rattr", "queue", "slots", &slots, &instance]),
    ] {
        told(commands, operation, name, argv, &["already exists"]).await?;
    }
    Ok(())
}

/// Lets jobs start. An error state that a job has left behind goes too: the worker was proved since.
pub(super) async fn open(commands: &Commands, worker: &NodeName) -> Result<(), SchedulerError> {
    let instance = instance(worker);
    told(commands, "opening the slots", worker.as_str(), &["qmod", "-c", &instance, "-e", &instance], &[]).await
}

/// A machine that lost its power closed no connection: the queue master goes on sending over the old one, and what it has sent
/// there, a job perhaps, is sent again after minutes only. The kernel ends it with `ss -K`, where it can.
pub(super) async fn hang_up(commands: &Commands, worker: &HostEntry) -> Result<(), SchedulerError> {
    let (address, port) = (worker.address.to_string(), format!(":{QMASTER_PORT}"));
    let argv = ["ss", "--kill", "--tcp", "--no-header", "dst", &address, "sport", "=", &port];
    told(commands, "ending the connections", worker.name.as_str(), &argv, &[]).await
}

/// Lets no more jobs start. A worker that the queue doesn't know is closed already.
pub(super) async fn close(commands: &Commands, worker: &NodeName) -> Result<(), SchedulerError> {
    let instance = instance(worker);
    told(commands, "closing the slots", worker.as_str(), &["qmod", "-d", &instance], &["invalid queue"]).await
}

/// Closes the slots and ends the jobs, in that order, so that none can slip in between. Not by force: what an execution daemon
/// doesn't end, [`remove`] deletes.
pub(super) async fn evict(commands: &Commands, worker: &NodeName) -> Result<(), SchedulerError> {
    close(commands, worker).await?;
    end_jobs(commands, worker).await.map(drop)
}

/// Removes every trace, in the order in which Grid Engine lets go: jobs, slots, group, and the host itself last, so that
/// [`known`] names the worker until everything else is gone. It works without the worker's name in `/etc/hosts`, too.
pub(super) async fn remove(commands: &Commands, worker: &NodeName) -> Result<(), SchedulerError> {
    let (name, instance) = (worker.as_str(), instance(worker));
    if !known(commands).await?.contains(worker) {
        return Ok(());
    }
    close(commands, worker).await?;
    canary::forget(commands, worker).await?;
    delete_jobs(commands, worker).await?;
    let removing = "removing the execution host";
    // The last one: a configuration is removed although its host's name no longer resolves, and `qconf` complains.
    let settled = &["does not exist", "invalid queue", "not found", "not defined", "from configuration list"];
    for argv in [
        &["qconf", "-purge", "queue", "slots", &instance][..],
        &["qconf", "-dattr", "hostgroup", "hostlist", name, HOST_GROUP],
        &["qconf", "-dconf", name],
        &["qconf", "-dh", name],
        &["qconf", "-de", name],
    ] {
        told(commands, removing, name, argv, settled).await?;
    }
    Ok(())
}

/// Every execution host: the cell is ours, and so is everything in it.
pub(super) async fn known(commands: &Commands) -> Result<Vec<NodeName>, SchedulerError> {
    let argv = vec!["qconf", "-sel"];
    let settled = &["no execution host defined"];
    let request = Request { operation: "listing the hosts", object: "the queue", argv, settled };
    let said = commands.ask(request).await?;
    Ok(said.lines().filter_map(|line| NodeName::new(line.trim()).ok()).collect())
}

/// Ends the worker's jobs: by its execution daemon if that answers, else in the queue master alone, so that no ghosts stay.
async fn delete_jobs(commands: &Commands, worker: &NodeName) -> Result<(), SchedulerError> {
    if end_jobs(commands, worker).await? { Ok(()) } else { force_jobs(commands, worker).await }
}

/// Tells the execution daemon to end its jobs, and waits for that. Whether it has.
async fn end_jobs(commands: &Commands, worker: &NodeName) -> Result<bool, SchedulerError> {
    for job in jobs(commands, worker).await? {
        delete(commands, worker, &["qdel", &job]).await?;
    }
    let until = Instant::now() + LET_GO;
    while !jobs(commands, worker).await?.is_empty() {
        if Instant::now() > until {
            return Ok(false);
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(true)
}

/// Grid Engine 8.1.9's queue master dies of a forced deletion when it can't send the signal (`got NULL element for
/// JB_type`). To a host that it believes to be down it sends none, and `-kej` makes it believe so.
async fn force_jobs(commands: &Commands, worker: &NodeName) -> Result<(), SchedulerError> {
    delete(commands, worker, &["qconf", "-kej", worker.as_str()]).await?;
    for job in jobs(commands, worker).await? {
        delete(commands, worker, &["qdel", "-f", &job]).await?;
    }
    Ok(())
}

async fn delete(commands: &Commands, worker: &NodeName, argv: &[&str]) -> Result<(), SchedulerError> {
    // That the worker can't be told is why there is force.
    let settled =
        &["does not exist", "already in deletion", "unable to sync state", "failed sending shutdown", "no execd"];
    told(commands, "deleting the jobs", worker.as_str(), argv, settled).await
}

async fn jobs(commands: &Commands, worker: &NodeName) -> Result<BTreeSet<String>, SchedulerError> {
    Ok(qhost::ask(commands, worker).await?.map(|host| host.jobs()).unwrap_or_default())
}

async fn told(
    commands: &Commands,
    operation: &'static str,
    object: &str,
    argv: &[&str],
    settled: &'static [&'static str],
) -> Result<(), SchedulerError> {
    commands.ask(Request { operation, object, argv: argv.to_vec(), settled }).await?;
    crash::point();
    Ok(())
}

fn instance(worker: &NodeName) -> String {
    format!("{QUEUE}@{worker}")
}
