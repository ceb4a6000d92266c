//! Machines on request: a template becomes workers, on hosts and in the cloud, and they go without a trace.

use std::time::Duration;

use netns_tests::LabResult;
use netns_tests::ursa::{TEMPLATE, Ursa};

/// For machines that boot and join side by side on a busy machine.
const PATIENCE: Duration = Duration::from_mins(4);

#[test]
fn a_template_of_2008_becomes_workers_on_a_host_and_in_the_cloud_and_they_go_without_a_trace() -> LabResult<()> {
    let (makers, ursa) = Ursa::up_with_makers("boot")?;
    let boot =
        |how: &str| ursa.landbridge(&format!("worker boot --template {TEMPLATE} {how} --wait 3m")).deadline(PATIENCE);
    let dry =
        ursa.landbridge(&format!("worker boot --template {TEMPLATE} --count 18 --spread --dry-run")).expect_ok()?;
    insta::assert_snapshot!(dry);
    assert_eq!(ursa.ask("worker list")?, serde_json::json!([]), "nobody was asked for");
    print!("{}", boot("--name w1 --on ursa02").expect_ok()?);
    print!("{}", boot("--name e1 --on ec2").expect_ok()?);
    for name in ["w1", "e1"] {
        assert_eq!(ursa.state(name)?, "ready");
        let job = format!("qsub -sync y -cwd -j y -o {name}.out -b y -l h={name} hostname");
        ursa.as_ada(&ursa.frontend, &job)?;
        assert_eq!(ursa.as_ada(&ursa.frontend, &format!("cat {name}.out"))?, format!("{name}\n"));
    }
    print!("{}", ursa.landbridge("host list").expect_ok()?);
    print!("{}", ursa.landbridge("worker show e1").expect_ok()?);
    print!("{}", ursa.landbridge("report deploy").expect_ok()?);
    assert_eq!(ursa.landbridge("audit").expect_ok()?, "nothing is left over\n");

    for name in ["w1", "e1"] {
        ursa.landbridge(&format!("worker destroy {name} --wait 3m")).deadline(PATIENCE).expect_ok()?;
    }
    makers.cloud.await_empty(PATIENCE)?;
    assert_eq!(makers.cloud.states()?, ["terminated"]);
    ursa.hosts[1].run("ip link show vm-w1").expect_failure()?;
    assert_eq!(ursa.landbridge("audit").expect_ok()?, "nothing is left over\n");
    let report = ursa.ask("report deploy")?;
    assert_eq!(report["workers"].as_array().map(Vec::len), Some(2), "workers that are gone count: {report}");
    Ok(())
}

#[test]
fn of_several_that_boot_side_by_side_one_may_fail_and_all_are_told_of() -> LabResult<()> {
    let (makers, ursa) = Ursa::up_with_makers("several")?;
    let line = format!("worker boot --template {TEMPLATE} --count 3 --on ec2 --wait 3m --output json");
    let boot = ursa.landbridge(&line).deadline(PATIENCE).spawn()?;
    ursa.frontend.wait_until("landbridge worker list --output json | grep -c 'i-[0-9a-f]' | grep -w 3", PATIENCE)?;
    let doomed = ursa.ask("worker list")?[0].clone();
    let instance = doomed["machine"].as_str().unwrap_or_default().to_owned();
    makers.cloud.ask("TerminateInstances", &[("InstanceId.1", &instance)])?;

    let told = boot.wait(PATIENCE)?;
    assert_eq!(told.status, 1, "{}{}", told.out(), told.err());
    let workers: serde_json::Value = serde_json::from_str(&told.out()).expect("JSON");
    let ends = workers.as_array().into_iter().flatten().map(|worker| (worker["name"].clone(), worker["state"].clone()));
    let expected = ["w1", "w2", "w3"].map(|name| {
        let end = if doomed["name"] == name { "failed" } else { "ready" };
        (name.into(), end.into())
    });
    assert_eq!(ends.collect::<Vec<(serde_json::Value, serde_json::Value)>>(), expected, "{workers:#}");
    let name = doomed["name"].as_str().unwrap_or_default();
    assert!(told.err().contains(&format!("{name} is failed")), "{}", told.err());
    Ok(())
}
