//! EC2's provider by hand, inside of a machine of the lab: `landbridge-lab-ec2 URL SUBNET VERB …`, with credentials where a person
//! would have them. Verbs: `run N AMI USER-DATA`, `list`, `end N`, `left`.

use std::error::Error;

use landbridge::bootstrap::Seed;
use landbridge::naming::{self, Mac};
use landbridge::provider::ec2::{Ec2, Patience};
use landbridge::provider::{Launch, Order, Provider as _};
use landbridge::spec::{Cloud, ClusterName};
use landbridge::template::{Authorized, Cpu, Ec2 as Wish, WorkerTemplate};
use landbridge_pki::NodeName;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [endpoint, subnet, verb @ ..] = words.as_slice() else { return Err("URL SUBNET VERB …".into()) };
    let cluster = ClusterName::new("ursa")?;
    let ec2 = Ec2::connect(cluster, NodeName::new("ec2")?, cloud(endpoint, subnet), Patience::default()).await;
    match verb {
        ["run", n, ami, user_data] => println!("{}", ec2.provision(&order(n, ami, user_data)?).await?.id.0),
        ["list"] => {
            for machine in ec2.machines().await? {
                println!("{} {} {:?} {:?}", machine.launch.worker, machine.id.0, machine.state, machine.address);
            }
        }
        ["end", n] => ec2.destroy(&launch(n)?).await?,
        ["left"] => {
            for leftover in ec2.leftovers().await? {
                println!("{:?} {}", leftover.kind, leftover.id);
            }
        }
        verb => return Err(format!("no such verb: {}", verb.join(" ")).into()),
    }
    Ok(())
}

fn cloud(endpoint: &str, subnet: &str) -> Cloud {
    Cloud {
        region: "us-east-1".into(),
        instance_type: "m1.small".into(),
        workers: 5,
        endpoint: Some(endpoint.into()),
        cpus: None,
        memory_mib: None,
        subnet: Some(subnet.into()),
        spot: false,
    }
}

fn launch(n: &str) -> Result<Launch, Box<dyn Error>> {
    let worker = NodeName::new(format!("e{n}"))?;
    Ok(Launch { cluster: ClusterName::new("ursa")?, worker, worker_id: n.parse()?, attempt: 1 })
}

fn order(n: &str, ami: &str, user_data: &str) -> Result<Order, Box<dyn Error>> {
    let wish = Wish {
        ami: ami.into(),
        key_pair: None,
        instance_type: None,
        authorized_ports: vec![Authorized { from: 22, to: 22 }],
        spot: false,
        other: std::collections::BTreeMap::default(),
    };
    let template = WorkerTemplate {
        name: None,
        cpu: Cpu(100),
        vcpu: None,
        memory_mib: 128,
        os: None,
        disks: Vec::new(),
        nics: Vec::new(),
        ec2: Some(wish),
        slots: None,
        other: std::collections::BTreeMap::default(),
    };
    let launch = launch(n)?;
    let bridge = naming::bridge(&launch.cluster);
    let seed = Seed { user_data: user_data.into(), meta_data: String::new(), network_config: None };
    Ok(Order { launch, template, bridge, mac: Mac([2, 0, 0, 0, 0, 1]), seed })
}
