//! The example of a driver in docs/ does what docs/driver.md says, with a real QEMU.

use std::time::Duration;

use landbridge::provider;
use landbridge::provider::driver::wire::{Launch, Wanted};
use netns_tests::{Lab, LabResult, Machine};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_mins(1);
const DRIVER: &str = "/usr/local/lib/example-driver";
const IMAGE: &str = "/srv/blank.raw";

#[test]
fn the_example_driver_makes_a_machine_once_and_takes_all_of_it_away() -> LabResult<()> {
    let lab = Lab::new("example-driver")?;
    let host = lab.machine("frontend").start()?;
    host.write_file_with_mode(DRIVER, include_str!("../../docs/example-driver"), 0o755)?;
    host.run(&format!("truncate --size 1M {IMAGE}; ip link add lbbr-ursa type bridge; ip link set lbbr-ursa up"))
        .expect_ok()?;
    let offer = ask(&host, "offer", &request())?;
    assert!(offer["cpu"].as_u64() >= Some(100), "{offer}");

    let machine = ask(&host, "provision", &request())?;
    assert_eq!((&machine["state"], &machine["id"]), (&json!("running"), &json!("lb-ursa-w1-7-1")));
    assert_eq!(ask(&host, "provision", &request())?, machine, "twice is once");
    assert_eq!(host.run("pgrep -c qemu").expect_ok()?.trim(), "1");
    assert_eq!(ask(&host, "list", &request())?, json!({"machines": [machine], "leftovers": []}));
    host.run("ip link show master lbbr-ursa | grep ex7-1").expect_ok()?;
    assert_eq!(host.run("stat -c %a /var/lib/example-driver/ursa/ursa01").expect_ok()?, "700\n", "seeds are secret");
    host.run("tr '\\0' ' ' <\"/proc/$(pgrep qemu)/cmdline\" | grep SECRET").expect_failure()?;
    assert!(ask(&host, "console", &request())?["console"].is_string());

    let mut broken = request();
    broken["machine"]["template"]["disks"] = json!([]);
    broken["launch"]["name"] = json!("lb-ursa-w2-8-1");
    let refused = host.run(&format!("{DRIVER} provision")).stdin(broken.to_string()).expect_failure()?;
    let refused: Value = serde_json::from_str(&refused.out()).expect("JSON");
    assert_eq!((&refused["kind"], &refused["left"]), (&json!("refused"), &json!("nothing")));

    for _ in 0..2 {
        assert_eq!(ask(&host, "destroy", &request())?, json!({}));
    }
    assert_eq!(ask(&host, "list", &request())?["machines"], json!([]));
    host.run("pgrep qemu || ip link show master lbbr-ursa | grep ex7").expect_failure()?;
    assert_eq!(host.run("find /var/lib/example-driver -type f -not -name .lock").expect_ok()?, "");
    Ok(())
}

/// What the front-end would ask about the example's machine.
fn request() -> Value {
    let order = provider::example("w1", 7);
    let mut request = json!({
        "version": 1, "cluster": "ursa", "host": "ursa01",
        "launch": Launch::from(&order.launch), "machine": Wanted::from(&order),
    });
    request["machine"]["template"]["disks"][0]["source"] = json!({"image": IMAGE});
    request
}

fn ask(host: &Machine, operation: &str, request: &Value) -> LabResult<Value> {
    let answer = host.run(&format!("{DRIVER} {operation}")).stdin(request.to_string()).deadline(SOON).expect_ok()?;
    Ok(serde_json::from_str(&answer).expect("JSON"))
}
