//! The API as its own machine room uses it: what is wanted, and what has become of it.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use serde::Deserialize;

use super::http::Message;
use crate::Machine;
use crate::error::{LabError, LabResult, io_error};

/// moto takes the region and the service from here, and checks nothing.
const SIGNATURE: &str =
    "AWS4-HMAC-SHA256 Credential=lab/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0";

/// The API, reached from inside of its machine.
#[derive(Clone)]
pub(super) struct Api {
    machine: Machine,
    address: SocketAddr,
}

/// An instance as the API reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instance {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) address: Ipv4Addr,
    pub(super) ami: String,
    pub(super) kind: String,
    /// Whether its metadata is told to holders of a session alone.
    pub(super) sessions_only: bool,
    /// How far a session's token may travel.
    pub(super) hops: u32,
}

#[cfg(test)]
impl Instance {
    pub(super) fn example(id: &str, state: &str) -> Self {
        Self {
            id: id.into(),
            state: state.into(),
            address: [203, 0, 113, 4].into(),
            ami: "ami-1".into(),
            kind: "m1.small".into(),
            sessions_only: true,
            hops: 1,
        }
    }
}

impl Api {
    pub(super) fn new(machine: &Machine, address: SocketAddr) -> Self {
        Self { machine: machine.clone(), address }
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// An action. Parameters are written as they are: none of ours needs quoting.
    pub(super) fn ask(&self, action: &str, parameters: &[(&str, &str)]) -> LabResult<String> {
        let parameters = [("Version", "2016-11-15"), ("Action", action)].into_iter().chain(parameters.iter().copied());
        let body = parameters.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let headers =
            [("Host", "api"), ("Authorization", SIGNATURE), ("Content-Type", "application/x-www-form-urlencoded")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let request = Message { first: "POST / HTTP/1.1".to_owned(), headers, body: body.into_bytes() };
        let exchange = || {
            let stream = TcpStream::connect(self.address)?;
            request.write(&stream)?;
            Message::read_answer(&stream)
        };
        let answer = self.machine.netns().enter(exchange).map_err(io_error("asking the cloud for", action))?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.second() == "200" {
            return Ok(text);
        }
        Err(LabError::Agent { machine: "api".to_owned(), message: format!("{action}: {} {text}", answer.first) })
    }

    /// A network with one subnet for everything, and the subnet's id.
    pub(super) fn make_subnet(&self, block: &str) -> LabResult<String> {
        let network: NetworkMade = read("CreateVpc", &self.ask("CreateVpc", &[("CidrBlock", block)])?)?;
        let parameters = [("CidrBlock", block), ("VpcId", network.vpc.id.as_str())];
        let subnet: SubnetMade = read("CreateSubnet", &self.ask("CreateSubnet", &parameters)?)?;
        Ok(subnet.subnet.id)
    }

    pub(super) fn instances(&self) -> LabResult<Vec<Instance>> {
        let listed: Listed = read("DescribeInstances", &self.ask("DescribeInstances", &[])?)?;
        let instances = listed.reservations.item.into_iter().flat_map(|it| it.instances.item);
        Ok(instances.filter_map(InstanceListed::into_instance).collect())
    }

    /// What an instance was told, in base64; empty when nothing.
    pub(super) fn user_data(&self, id: &str) -> LabResult<String> {
        let parameters = [("InstanceId", id), ("Attribute", "userData")];
        let told: Told = read("user-data", &self.ask("DescribeInstanceAttribute", &parameters)?)?;
        Ok(told.user_data.value.unwrap_or_default())
    }

    pub(super) fn terminate(&self, id: &str) -> LabResult<()> {
        self.ask("TerminateInstances", &[("InstanceId.1", id)]).map(drop)
    }
}

fn read<'a, T: Deserialize<'a>>(what: &str, text: &'a str) -> LabResult<T> {
    let wrong = |error| LabError::Agent { machine: "api".into(), message: format!("{what}: {error}: {text}") };
    quick_xml::de::from_str(text).map_err(wrong)
}

#[derive(Deserialize)]
struct NetworkMade {
    vpc: NetworkId,
}

#[derive(Deserialize)]
struct NetworkId {
    #[serde(rename = "vpcId")]
    id: String,
}

#[derive(Deserialize)]
struct SubnetMade {
    subnet: SubnetId,
}

#[derive(Deserialize)]
struct SubnetId {
    #[serde(rename = "subnetId")]
    id: String,
}

/// EC2's lists.
#[derive(Deserialize)]
struct Items<T> {
    #[serde(default = "Vec::new")]
    item: Vec<T>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "reservationSet")]
    reservations: Items<Reservation>,
}

#[derive(Deserialize)]
struct Reservation {
    #[serde(rename = "instancesSet")]
    instances: Items<InstanceListed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InstanceListed {
    instance_id: String,
    instance_state: Named,
    private_ip_address: Option<String>,
    image_id: String,
    instance_type: String,
    metadata_options: Option<MetadataOptions>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetadataOptions {
    http_tokens: String,
    http_put_response_hop_limit: u32,
}

#[derive(Deserialize)]
struct Told {
    #[serde(rename = "userData")]
    user_data: Value,
}

#[derive(Deserialize)]
struct Value {
    value: Option<String>,
}

impl InstanceListed {
    /// `None` for one without an address: it has no machine yet.
    fn into_instance(self) -> Option<Instance> {
        let metadata = self.metadata_options.as_ref();
        Some(Instance {
            address: self.private_ip_address?.parse().ok()?,
            sessions_only: metadata.is_some_and(|it| it.http_tokens == "required"),
            hops: metadata.map_or(1, |it| it.http_put_response_hop_limit),
            id: self.instance_id,
            state: self.instance_state.name,
            ami: self.image_id,
            kind: self.instance_type,
        })
    }
}
