//! The instance metadata service, version 2: a session by PUT, then questions that carry its token. Who asks is known by the
//! address. As in EC2's user guide, "Use the Instance Metadata Service to access instance metadata".

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnetwork::Ipv4Network;
use jiff::Timestamp;
use landbridge::naming::Mac;
use nix::sys::socket::{Shutdown, shutdown};
use std::os::fd::AsRawFd as _;

use super::api::{Api, Instance};
use super::dhcp::Dhcp;
use super::http::Message;
use super::{Shared, Site};
use crate::error::LabResult;
use crate::{Lab, Machine};

/// Where the service is.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// The longest session in seconds.
const LONGEST: u64 = 21_600;

/// Nobody may hold a thread for longer with a slow request.
const SLOWEST: Duration = Duration::from_secs(10);

/// The running service. Dropped, it ends.
pub(super) struct Metadata {
    listener: Arc<TcpListener>,
    _dhcp: Dhcp,
}

struct Service {
    state: Shared,
    api: Api,
    sessions: Mutex<HashMap<String, Session>>,
}

struct Session {
    instance: String,
    until: Instant,
}

/// An answer, and how far it may travel.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: &'static str,
    body: String,
    hops: Option<u32>,
}

impl Answer {
    fn of(status: &'static str) -> Self {
        Self { status, body: String::new(), hops: None }
    }

    fn ok(body: impl Into<String>) -> Self {
        Self { body: body.into(), ..Self::of("200 OK") }
    }
}

impl Metadata {
    pub(super) fn start(lab: &Lab, site: &Site<'_>, api: &Api, state: &Shared) -> LabResult<Self> {
        let machine = lab.machine("metadata").nic("eth0", site.network, format!("{ADDRESS}/16").as_str());
        let machine = machine.route(site.reaches, "eth0").start()?;
        let gateway = be_the_gateway(&machine, site)?;
        let dhcp = Dhcp::start(&machine, gateway, state)?;
        let listener = Arc::new(super::listen(&machine, (ADDRESS, 80).into())?);
        let service = Arc::new(Service { state: state.clone(), api: api.clone(), sessions: Mutex::default() });
        let accepting = Arc::clone(&listener);
        std::thread::spawn(move || {
            while let Ok((stream, from)) = accepting.accept() {
                let service = Arc::clone(&service);
                // Whoever hangs up has no use for an answer.
                std::thread::spawn(move || drop(service.converse(&stream, from.ip())));
            }
        });
        Ok(Self { listener, _dhcp: dhcp })
    }
}

impl Drop for Metadata {
    fn drop(&mut self) {
        // Wakes the thread that accepts; it fails only when that has ended already.
        let _ = shutdown(self.listener.as_raw_fd(), Shutdown::Both);
    }
}

/// Instances that are told their way send everything to the subnet's first address, as in EC2.
fn be_the_gateway(machine: &Machine, site: &Site<'_>) -> LabResult<Ipv4Addr> {
    let subnet: Ipv4Network = site.subnet.parse().expect("the subnet of a drawing");
    let gateway = subnet.nth(1).expect("a subnet with addresses");
    let conf = "/proc/sys/net/ipv4/conf";
    let forward = format!(
        "ip addr add {gateway}/{} dev eth0 && echo 1 >/proc/sys/net/ipv4/ip_forward && \
         echo 0 >{conf}/all/send_redirects && echo 0 >{conf}/eth0/send_redirects",
        subnet.prefix()
    );
    machine.run(&forward).expect_ok()?;
    Ok(gateway)
}

impl Service {
    fn converse(&self, stream: &TcpStream, from: IpAddr) -> io::Result<()> {
        stream.set_read_timeout(Some(SLOWEST))?;
        let request = Message::read_request(stream)?;
        let answer = self.answer(&request, from);
        if let Some(hops) = answer.hops {
            stream.set_ttl(hops)?;
        }
        let first = format!("HTTP/1.1 {}", answer.status);
        let headers = vec![("Content-Type".to_owned(), "text/plain".to_owned())];
        Message { first, headers, body: answer.body.into_bytes() }.write(stream)
    }

    fn answer(&self, request: &Message, from: IpAddr) -> Answer {
        let instances = self.state.lock().instances.clone();
        let Some(instance) = instances.iter().find(|it| IpAddr::V4(it.address) == from && it.state == "running") else {
            return Answer::of("404 Not Found");
        };
        match (request.first.split(' ').next(), request.second()) {
            // What a proxy sends on isn't the machine's own question.
            (Some("PUT"), "/latest/api/token") if request.header("x-forwarded-for").is_some() => {
                Answer::of("403 Forbidden")
            }
            (Some("PUT"), "/latest/api/token") => self.open_session(request, instance),
            (Some("GET"), path) if self.may_ask(request, instance) => self.tell(path, instance),
            (Some("GET"), _) => Answer::of("401 Unauthorized"),
            _ => Answer::of("405 Method Not Allowed"),
        }
    }

    fn open_session(&self, request: &Message, instance: &Instance) -> Answer {
        let life = request.header("x-aws-ec2-metadata-token-ttl-seconds").and_then(|text| text.parse().ok());
        let Some(life @ 1..=LONGEST) = life else { return Answer::of("400 Bad Request") };
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let token = STANDARD.encode(format!("{}/{}", instance.id, sessions.len()));
        let until = Instant::now() + Duration::from_secs(life);
        sessions.insert(token.clone(), Session { instance: instance.id.clone(), until });
        Answer { hops: Some(instance.hops), ..Answer::ok(token) }
    }

    fn may_ask(&self, request: &Message, instance: &Instance) -> bool {
        let Some(token) = request.header("x-aws-ec2-metadata-token") else { return !instance.sessions_only };
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let valid = |session: &Session| session.instance == instance.id && session.until > Instant::now();
        sessions.get(token).is_some_and(valid)
    }

    fn tell(&self, path: &str, instance: &Instance) -> Answer {
        // `/latest/…`, or `/2021-03-23/…`: what we tell has never changed.
        let place = path.trim_start_matches('/').split_once('/').map_or("", |(_, place)| place);
        if place.trim_end_matches('/') == "user-data" {
            return match self.api.user_data(&instance.id).map(|told| STANDARD.decode(told.trim())) {
                Ok(Ok(told)) if !told.is_empty() => Answer::ok(String::from_utf8_lossy(&told)),
                Ok(_) => Answer::of("404 Not Found"),
                Err(_) => Answer::of("500 Internal Server Error"),
            };
        }
        let notice = self.state.lock().notices.get(&instance.id).copied();
        facts(place, instance, notice).map_or_else(|| Answer::of("404 Not Found"), Answer::ok)
    }
}

/// What is told of an instance beside its user-data, at a place like `meta-data/instance-id`.
fn facts(place: &str, instance: &Instance, notice: Option<Timestamp>) -> Option<String> {
    let (place, known) = (place.trim_end_matches('/'), known(instance, notice));
    if let Some((_, fact)) = known.iter().find(|(known, _)| known == place) {
        return Some(fact.clone());
    }
    let folder = format!("{place}/");
    let inside = known.iter().filter_map(|(known, _)| known.strip_prefix(&folder));
    let mut inside: Vec<String> = inside.map(entry).collect();
    inside.dedup();
    (!inside.is_empty()).then(|| inside.join("\n"))
}

/// Every fact, by its place, in the order in which folders list them.
fn known(instance: &Instance, notice: Option<Timestamp>) -> Vec<(String, String)> {
    let (address, mac) = (instance.address.to_string(), Mac::of(instance.address).to_string());
    let name = format!("ip-{}", address.replace('.', "-"));
    let card = format!("network/interfaces/macs/{mac}");
    let facts = [
        ("ami-id".to_owned(), instance.ami.clone()),
        ("hostname".to_owned(), name.clone()),
        ("instance-id".to_owned(), instance.id.clone()),
        ("instance-type".to_owned(), instance.kind.clone()),
        ("local-hostname".to_owned(), name),
        ("local-ipv4".to_owned(), address.clone()),
        ("mac".to_owned(), mac.clone()),
        (format!("{card}/device-number"), "0".to_owned()),
        (format!("{card}/local-ipv4s"), address),
        (format!("{card}/mac"), mac),
        ("placement/availability-zone".to_owned(), "us-east-1a".to_owned()),
    ];
    let document = serde_json::json!({
        "instanceId": instance.id, "imageId": instance.ami, "instanceType": instance.kind, "privateIp": instance.address,
        "region": "us-east-1", "availabilityZone": "us-east-1a",
    });
    let action = |at: Timestamp| {
        let action = serde_json::json!({"action": "terminate", "time": at.strftime("%FT%TZ").to_string()});
        ("spot/instance-action".to_owned(), action.to_string())
    };
    let facts = facts.into_iter().chain(notice.map(action)).map(|(place, fact)| (format!("meta-data/{place}"), fact));
    facts.chain([("dynamic/instance-identity/document".to_owned(), document.to_string())]).collect()
}

/// A folder ends with a stroke.
fn entry(name: &str) -> String {
    name.split_once('/').map_or_else(|| name.to_owned(), |(folder, _)| format!("{folder}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_stand_in_folders() {
        let instance = Instance::example("i-1", "running");
        let told = |place| facts(place, &instance, None);
        assert_eq!(told("meta-data/instance-id").as_deref(), Some("i-1"));
        assert_eq!(told("meta-data/placement/").as_deref(), Some("availability-zone"));
        assert_eq!(told("meta-data/no-such"), None);
        let all = told("meta-data/").expect("a folder");
        assert!(all.starts_with("ami-id\nhostname\n") && all.ends_with("\nnetwork/\nplacement/"), "{all}");
        assert_eq!(told("meta-data/network/interfaces/macs/").as_deref(), Some("02:4c:cb:00:71:04/"));
        assert_eq!(told("dynamic/instance-identity").as_deref(), Some("document"));
    }

    #[test]
    fn a_notice_stands_among_the_facts_as_in_ec2s_guide() {
        let instance = Instance::example("i-1", "running");
        let told = facts("meta-data/spot/instance-action", &instance, Some(Timestamp::UNIX_EPOCH));
        assert_eq!(told.as_deref(), Some(r#"{"action":"terminate","time":"1970-01-01T00:00:00Z"}"#));
        assert_eq!(facts("meta-data/spot/instance-action", &instance, None), None);
    }
}
