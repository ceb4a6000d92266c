//! The lab's cloud: what the API reports running is a machine that asks the metadata service who it is.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use netns_tests::cloud::{BARE_AMI, Cloud, Site};
use netns_tests::{Lab, LabResult, Machine};

const SOON: Duration = Duration::from_mins(1);

/// A session, as a person opens one.
const SESSION: &str =
    "curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token";

struct World {
    // Before the lab: its threads use it.
    cloud: Cloud,
    frontend: Machine,
    lab: Arc<Lab>,
}

fn world(name: &str) -> LabResult<World> {
    let lab = Arc::new(Lab::new(name)?);
    let (internet, network) = (lab.network("internet")?, lab.network("cloud")?);
    let _wan = lab.wan(&network, &internet)?;
    let frontend = lab.machine("frontend").nic("wan0", &internet, "198.51.100.1/24").route("203.0.113.0/24", "wan0");
    let frontend = frontend.start()?;
    frontend.write_file_with_mode(
        "/root/.aws/credentials",
        "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = example\n",
        0o600,
    )?;
    let site = Site {
        internet: &internet,
        api: Ipv4Addr::new(198, 51, 100, 20),
        network: &network,
        subnet: "203.0.113.0/24",
        reaches: "198.51.100.0/24",
    };
    Ok(World { cloud: Cloud::open(&lab, &site)?, frontend, lab })
}

impl World {
    /// The provider, on the front-end, with credentials found there by the usual chain.
    fn ec2(&self, words: &str) -> LabResult<String> {
        let line = format!("landbridge-lab-ec2 {} {} {words}", self.cloud.endpoint(), self.cloud.subnet());
        Ok(self.frontend.run(&line).env("HOME", "/root").expect_ok()?.trim().to_owned())
    }
}

#[test]
fn an_instance_is_a_machine_that_reads_its_user_data_and_ends_with_it() -> LabResult<()> {
    let world = world("cloud")?;
    let id = world.ec2(&format!("run 1 {BARE_AMI} '#cloud-config for e1'"))?;
    let machine = world.cloud.machine(&id, SOON)?;

    let curl = "curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/user-data";
    assert_eq!(machine.run(curl).expect_ok()?, "401", "the first version is refused");
    let ask = |place: &str| {
        let header = format!("-H \"X-aws-ec2-metadata-token: $({SESSION})\"");
        machine.run(&format!("curl -sf {header} http://169.254.169.254/latest/{place}")).expect_ok()
    };
    assert_eq!(ask("user-data")?, "#cloud-config for e1");
    assert_eq!(ask("meta-data/instance-id")?, id);
    let address = ask("meta-data/local-ipv4")?;
    assert_eq!(world.ec2("list")?, format!("e1 {id} Running Some({address})"));
    machine.run("ping -c 1 -W 5 198.51.100.1").expect_ok()?;

    world.ec2("end 1")?;
    world.cloud.await_empty(SOON)?;
    assert_eq!(world.cloud.states()?, ["terminated"]);
    assert_eq!(world.ec2("left")?, "");
    assert!(world.lab.machines().iter().all(|it| it.name() != machine.name()), "its machine is still there");
    Ok(())
}

#[test]
fn a_sessions_token_travels_one_hop_and_is_nobody_elses() -> LabResult<()> {
    let world = world("sessions")?;
    let first = world.ec2(&format!("run 1 {BARE_AMI} one"))?;
    let second = world.ec2(&format!("run 2 {BARE_AMI} two"))?;
    let first = world.cloud.machine(&first, SOON)?;
    let second = world.cloud.machine(&second, SOON)?;

    let mut listening = first.run("exec tcpdump -lnv -i eth0 -c 20 src 169.254.169.254 and tcp port 80").spawn()?;
    listening.wait_for_output("listening on", SOON)?;
    let token = first.run(SESSION).expect_ok()?;
    listening.wait_for_output("ttl 1,", SOON)?;

    let with_token = |machine: &Machine| {
        let line = format!(
            "curl -s -o /dev/null -w '%{{http_code}}' -H 'X-aws-ec2-metadata-token: {token}' \
                            http://169.254.169.254/latest/user-data"
        );
        machine.run(&line).expect_ok()
    };
    assert_eq!(with_token(&first)?, "200");
    assert_eq!(with_token(&second)?, "401");
    let forwarded = SESSION.replace("-sf", "-s -o /dev/null -w '%{http_code}' -H 'X-Forwarded-For: 10.0.0.1'");
    assert_eq!(first.run(&forwarded).expect_ok()?, "403");
    Ok(())
}

#[test]
fn a_machine_that_dies_is_a_terminated_instance() -> LabResult<()> {
    let world = world("death")?;
    let id = world.ec2(&format!("run 1 {BARE_AMI} nothing"))?;
    world.cloud.machine(&id, SOON)?.crash()?;
    world.cloud.await_empty(SOON)?;
    assert_eq!(world.ec2("list")?.split(' ').nth(2), Some("Gone"));
    Ok(())
}
