//! The provider against somebody else's idea of EC2: moto's server, on loopback.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use aws_sdk_ec2::types::{DeviceType, HttpTokensState, Instance, InstanceType};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::*;

/// A running server. It ends with the thread that started it, whatever becomes of that.
struct Moto {
    endpoint: String,
    _server: Child,
}

/// Where `scripts/setup` puts it.
fn packages() -> PathBuf {
    let home = std::env::var_os("HOME").unwrap_or_else(|| "/root".into());
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(|| PathBuf::from(home).join(".cache"), PathBuf::from);
    let environment = cache.join("landbridge/moto/current");
    assert!(environment.join("complete").exists(), "moto is missing at {}: run scripts/setup", environment.display());
    environment.join("lib/python3.11/site-packages")
}

impl Moto {
    async fn start() -> Self {
        let mut server = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "/usr/bin/python3", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
            .env("PYTHONPATH", packages())
            .env("MOTO_ENABLE_KEYPAIR_VALIDATION", "true")
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("setpriv, of util-linux");
        let mut lines = BufReader::new(server.stderr.take().expect("a pipe")).lines();
        while let Some(line) = lines.next_line().await.expect("what it says") {
            if let Some((_, address)) = line.split_once("Running on ") {
                let endpoint = address.trim().to_owned();
                // Nobody may leave it with a full pipe.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Self { endpoint, _server: server };
            }
        }
        panic!("moto ended before it listened: try `python3 -m moto.server`");
    }
}

struct Cloud {
    _moto: Moto,
    ec2: Ec2,
    ami: String,
}

/// A server, a provider, and the first of the server's images.
async fn start() -> Cloud {
    let moto = Moto::start().await;
    // Its first answer takes a while: it reads the tables of all of EC2.
    let patient = Patience { answer: Duration::from_mins(1), ..SHORT };
    let ec2 = provider(cluster("ursa"), cloud(&moto.endpoint), patient).await;
    let images = ec2.client.describe_images().send().await.expect("images");
    let mut ebs = images.images().iter().filter(|it| it.root_device_type() == Some(&DeviceType::Ebs));
    let ami = ebs.find_map(|it| it.image_id()).expect("an image on EBS").to_owned();
    Cloud { _moto: moto, ec2, ami }
}

impl Cloud {
    async fn made(&self, n: i64) -> Machine {
        self.ec2.provision(&order(n, &self.ami)).await.expect("an instance")
    }

    async fn shown(&self, machine: &Machine) -> Instance {
        let found = self.ec2.client.describe_instances().instance_ids(&machine.id.0).send().await.expect("an instance");
        found.reservations()[0].instances()[0].clone()
    }
}

#[tokio::test]
async fn an_instance_is_made_listed_and_ended_and_nothing_stays() {
    let cloud = start().await;
    let (first, second) = (cloud.made(1).await, cloud.made(2).await);
    assert_eq!(cloud.made(1).await.id, first.id, "twice is once, by the tags alone");
    let listed = cloud.ec2.machines().await.expect("a list");
    assert_eq!(listed.iter().map(|it| &it.launch).collect::<Vec<_>>(), [&launch(1), &launch(2)]);
    assert!(listed.iter().all(|it| it.state == MachineState::Running && it.address.is_some()));

    cloud.ec2.destroy(&launch(1)).await.expect("an end");
    cloud.ec2.destroy(&launch(1)).await.expect("nothing to do");
    let states: Vec<_> = cloud.ec2.machines().await.expect("a list").iter().map(|it| it.state).collect();
    assert_eq!(states, [MachineState::Gone, MachineState::Running]);
    assert!(!cloud.shown(&second).await.security_groups().is_empty());
    cloud.ec2.destroy(&launch(2)).await.expect("an end");
    assert_eq!(cloud.ec2.leftovers().await.expect("a list"), []);
    let groups = cloud.ec2.find_groups(vec![]).await.expect("groups");
    let names: Vec<_> = groups.iter().filter_map(|it| it.group_name()).collect();
    assert_eq!(names, ["default"]);
}

#[tokio::test]
async fn an_instance_is_what_was_promised() {
    let cloud = start().await;
    let machine = cloud.made(1).await;
    let instance = cloud.shown(&machine).await;
    let metadata = instance.metadata_options().expect("metadata options");
    assert_eq!(metadata.http_tokens(), Some(&HttpTokensState::Required));
    assert_eq!(metadata.http_put_response_hop_limit(), Some(1));
    assert_eq!(instance.instance_type().map(InstanceType::as_str), Some("m1.small"));

    let id = instance.block_device_mappings()[0].ebs().and_then(|it| it.volume_id()).expect("a root volume");
    let volumes = cloud.ec2.client.describe_volumes().volume_ids(id).send().await.expect("a volume");
    assert_eq!(volumes.volumes()[0].encrypted(), Some(true));

    let group = instance.security_groups()[0].group_id().expect("a group");
    let groups = cloud.ec2.client.describe_security_groups().group_ids(group).send().await.expect("a group");
    let rules = groups.security_groups()[0].ip_permissions();
    assert_eq!(rules.iter().map(|it| (it.from_port(), it.to_port())).collect::<Vec<_>>(), [(Some(22), Some(22))]);
}

#[tokio::test]
async fn what_moto_refuses_is_refused_in_its_words() {
    let cloud = start().await;
    let mut keyed = order(1, &cloud.ami);
    keyed.template.ec2.as_mut().expect("an EC2 part").key_pair = Some("gsg-keypair".into());
    for order in [order(2, "ami-00000000"), keyed] {
        let error = refused(&cloud.ec2, &order).await;
        assert_eq!(error.kind, FailureKind::Refused);
        assert!(error.seen.contains("does not exist"), "{error}");
    }
    let offered = cloud.ec2.offered().await.expect("an offer");
    assert_eq!((offered.cpu, offered.memory_mib), (100, 1740));
}
