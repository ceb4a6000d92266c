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
