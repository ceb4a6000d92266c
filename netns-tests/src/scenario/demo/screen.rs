//! What the demo shows in the end, in about a screen.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::error::LabResult;
use crate::ursa::Ursa;

/// The hosts, the workers, how each joined, who did which tasks, and how to look further.
pub(super) fn screen(ursa: &Ursa, results: &str) -> LabResult<String> {
    let mut out = String::new();
    let _ = write!(out, "\n{}", ursa.landbridge("host list").expect_ok()?);
    let _ = write!(out, "\n{}", ursa.landbridge("worker list").expect_ok()?);
    let _ = write!(out, "\n{}", timelines(&ursa.ask("worker list")?));
    let _ = write!(out, "\n{}", shares(results));
    let machines: Vec<String> = ursa.lab.machines().iter().map(|machine| machine.name().to_owned()).collect();
    let _ = write!(
        out,
        "\nEnter any machine:  scripts/demo shell frontend     ({})\n\
         There, for example: landbridge status; landbridge worker show w1; landbridge topology; landbridge audit\n\
         Take it all away:   scripts/demo down\n",
        machines.join(", ")
    );
    Ok(out)
}

/// A row a step, a column a worker, in milliseconds: its machine's steps, the stages of its join, and both as a whole.
fn timelines(workers: &Value) -> String {
    let workers: Vec<&Value> = workers.as_array().into_iter().flatten().collect();
    let mut out = format!("{:<16}", "DEPLOY, ms");
    for worker in &workers {
        let _ = write!(out, "{:>8}", worker["name"].as_str().unwrap_or("?"));
    }
    out.push('\n');
    let rows_of = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let steps = |worker: &Value| {
        let boot = rows_of(&worker["boot"]).into_iter().map(|row| (row["step"].clone(), row["took_ms"].clone()));
        let join = rows_of(&worker["timeline"]["stages"])
            .into_iter()
            .map(|row| (row["stage"].clone(), row["took_ms"].clone()));
        boot.chain(join).collect::<Vec<_>>()
    };
    let rows = workers.first().map(|worker| steps(worker)).unwrap_or_default();
    for (name, _) in rows {
        let _ = write!(out, "  {:<14}", name.as_str().unwrap_or("?"));
        for worker in &workers {
            let took = steps(worker).into_iter().find(|(step, _)| *step == name).and_then(|(_, took)| took.as_u64());
            let _ = write!(out, "{:>8}", took.map_or_else(|| "-".into(), |ms| ms.to_string()));
        }
        out.push('\n');
    }
    let stages = |worker: &Value| rows_of(&worker["timeline"]["stages"]);
    let _ = write!(out, "  {:<14}", "start to ready");
    for worker in &workers {
        let end = |stage: &Value| stage["started_ms"].as_u64().unwrap_or(0) + stage["took_ms"].as_u64().unwrap_or(0);
        let last = stages(worker).iter().map(end).max();
        let _ = write!(out, "{:>8}", last.map_or_else(|| "-".into(), |ms| ms.to_string()));
    }
    let _ = write!(out, "\n  {:<14}", "asked to ready");
    for worker in &workers {
        let _ = write!(out, "{:>8}", asked_to_ready(worker).map_or_else(|| "-".into(), |ms| ms.to_string()));
    }
    out.push('\n');
    out
}

/// In milliseconds; `None` before it is ready.
fn asked_to_ready(worker: &Value) -> Option<i64> {
    let at = |key: &str| worker[key].as_str()?.parse::<jiff::Timestamp>().ok();
    (worker["state"] == "ready").then(|| Some(at("since")?.duration_since(at("asked")?).as_millis()))??.try_into().ok()
}

/// Who did which tasks, from what the tasks themselves have written into the NFS home.
fn shares(results: &str) -> String {
    let mut by_host: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    let mut primes = 0_u32;
    for line in results.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [task, _, count, host] = fields[..] else { continue };
        by_host.entry(host).or_default().push(task.parse().unwrap_or(0));
        primes = primes.max(count.parse().unwrap_or(0));
    }
    let all: usize = by_host.values().map(Vec::len).sum();
    let mut out = format!("{all} tasks of ada's, a NIS user, in her NFS home; the largest found {primes} primes\n");
    for (host, tasks) in &mut by_host {
        tasks.sort_unstable();
        let list: Vec<String> = tasks.iter().map(ToString::to_string).collect();
        let _ = writeln!(out, "  {host:<4}{:>3}  {}", tasks.len(), list.join(" "));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_are_those_of_the_results() {
        let results = "2 400 78 w1\n1 200 46 e1\n10 2000 303 w1\n";
        insta::assert_snapshot!(shares(results));
    }

    #[test]
    fn a_worker_that_has_not_joined_has_dashes_in_its_column() {
        let joined = serde_json::json!({"name": "w1", "state": "ready", "asked": "2026-11-22T18:29:08.374Z",
            "since": "2026-11-22T18:29:25.943Z", "boot": [{"step": "accept", "took_ms": 7}], "timeline": {"stages": [
            {"stage": "contact", "started_ms": 0, "took_ms": 12},
            {"stage": "identity", "started_ms": 12, "took_ms": 30},
        ]}});
        let planned = serde_json::json!({"name": "e1", "state": "planned", "timeline": null});
        insta::assert_snapshot!(timelines(&serde_json::json!([joined, planned])));
    }
}
