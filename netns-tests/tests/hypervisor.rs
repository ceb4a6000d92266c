//! The lab's hypervisor keeps the drivers' protocol, and its machines join by what their seed tells them.

use std::time::Duration;

use netns_tests::LabResult;
use netns_tests::hypervisor::{DRIVER, Hypervisor};
use netns_tests::ursa::{Ursa, Way};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_mins(1);

#[test]
fn a_machine_that_a_driver_was_asked_for_joins_by_its_seed_and_goes_without_a_trace() -> LabResult<()> {
    let ursa = Ursa::up("driver")?;
    let _hypervisor = Hypervisor::start(&ursa.lab, &ursa.frontend)?;
    let token = ursa.token("w1", Way::Bridge, "ursa01")?;
    let address = ursa.address("w1")?;
    let template = json!({"name": null, "cpu": 100, "vcpu": null, "memory_mib": 256, "os": null, "disks": [], "nics": [], "ec2": null, "slots": null, "other": {}});
    let order = with(&json!({"machine": {
        "template": template, "vcpus": 1, "memory_mib": 256, "bridge": "lbbr-ursa", "mac": mac(&address),
        "seed": {"user_data": format!("#cloud-config\n# landbridge: {token}\n"), "meta_data": "instance-id: x\n", "network_config": null},
    }}));

    let machine = ask(&ursa, "provision", &order)?;
    assert_eq!(machine["state"], "pending", "accepted before it runs");
    assert_eq!(ask(&ursa, "provision", &order)?["id"], machine["id"], "twice is once");
    ursa.await_state("w1", "ready", SOON)?;
    assert_eq!(ask(&ursa, "list", &with(&json!({})))?["machines"][0]["state"], "running");
    assert_eq!(ask(&ursa, "list", &json!({"version": 1, "cluster": "ursa", "host": "ursa02"}))?["machines"], json!([]));
    let reading = format!("echo '{}' | {DRIVER} console | grep 'w1 is ready'", with(&json!({})));
    let console = ursa.frontend.wait_until(&reading, SOON)?;
    assert!(!console.contains(&token), "the token is on the console");

    ask(&ursa, "destroy", &with(&json!({})))?;
    ask(&ursa, "destroy", &with(&json!({})))?;
    assert_eq!(ask(&ursa, "list", &with(&json!({})))?["machines"], json!([]));
    ursa.hosts[0].run("ip link show vm-w1").expect_failure()?;
    let refused = ursa.frontend.run(&format!("{DRIVER} dance")).stdin("{}").expect_failure()?;
    assert!(refused.out().contains("is no operation"), "{}", refused.out());
    Ok(())
}

/// A request about w1's first machine, with more in it.
fn with(more: &Value) -> Value {
    let mut request = json!({"version": 1, "cluster": "ursa", "host": "ursa01",
        "launch": {"name": "lb-ursa-w1-1-1", "worker": "w1", "worker_id": 1, "attempt": 1}});
    for (key, value) in more.as_object().into_iter().flatten() {
        request[key] = value.clone();
    }
    request
}

fn ask(ursa: &Ursa, operation: &str, request: &Value) -> LabResult<Value> {
    let answer = ursa.frontend.run(&format!("{DRIVER} {operation}")).stdin(request.to_string()).expect_ok()?;
    Ok(serde_json::from_str(&answer).expect("JSON"))
}

fn mac(address: &str) -> String {
    let address = address.parse().expect("an address");
    landbridge::naming::Mac::of(address).to_string()
}
