//! EC2's provider by hand, inside of a machine of the lab: `landbridge-lab-ec2 URL SUBNET VERB …`, with credentials where a person
//! would have them. Verbs: `run N AMI USER-DATA`, `list`, `end N`, `left`.

use std::error::Error;

use landbridge::bootstrap::Seed;
use landbridge::provider::ec2::{Ec2, Patience};
use landbridge::provider::{self, Launch, Order, Provider as _};
use landbridge::spec::{Cloud, ClusterName};
use landbridge::template::{Ec2 as Wish, WorkerTemplate};
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
    Ok(provider::example(&format!("e{n}"), n.parse()?).launch)
}

fn order(n: &str, ami: &str, user_data: &str) -> Result<Order, Box<dyn Error>> {
    let example = provider::example(&format!("e{n}"), n.parse()?);
    let wish = example.template.ec2.map(|wish| Wish { ami: ami.into(), key_pair: None, instance_type: None, ..wish });
    let seed = Seed { user_data: user_data.into(), ..example.seed };
    Ok(Order { template: WorkerTemplate { ec2: wish, ..example.template }, seed, ..example })
}
