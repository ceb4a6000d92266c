//! The instance metadata service, version 2: a session by PUT, then questions that carry its token. Who asks is known by the
//! address. As in EC2's user guide, "Use the Instance Metadata Service to access instance metadata".

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nix::sys::socket::{Shutdown, shutdown};
use std::os::fd::AsRawFd as _;

use super::api::{Api, Instance};
use super::http::Message;
use super::{Shared, Site};
use crate::Lab;
use crate::error::LabResult;

/// Where the service is.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// The longest session in seconds.
const LONGEST: u64 = 21_600;

/// Nobody may hold a thread for longer with a slow request.
const SLOWEST: Duration = Duration::from_secs(10);

/// The running service. Dropped, it ends.
pub(super) struct Metadata {
    listener: Arc<TcpListener>,
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
        let machine = machine.route(site.subnet, "eth0").start()?;
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
        Ok(Self { listener })
    }
}

impl Drop for Metadata {
    fn drop(&mut self) {
        // Wakes the thread that accepts; it fails only when that has ended already.
        let _ = shutdown(self.listener.as_raw_fd(), Shutdown::Both);
    }
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
        facts(place, instance).map_or_else(|| Answer::of("404 Not Found"), Answer::ok)
    }
}

/// What is told of an instance beside its user-data.
fn facts(place: &str, instance: &Instance) -> Option<String> {
    let name = format!("ip-{}", instance.address.to_string().replace('.', "-"));
    let known = [
        ("ami-id", instance.ami.clone()),
        ("hostname", name.clone()),
        ("instance-id", instance.id.clone()),
        ("instance-type", instance.kind.clone()),
        ("local-hostname", name),
        ("local-ipv4", instance.address.to_string()),
        ("placement/availability-zone", "us-east-1a".to_owned()),
    ];
    let place = place.trim_end_matches('/');
    let beneath = match place.strip_prefix("meta-data")? {
        "" => "",
        below => below.strip_prefix('/')?,
    };
    if let Some((_, fact)) = known.iter().find(|(name, _)| *name == beneath) {
        return Some(fact.clone());
    }
    let folder = if beneath.is_empty() { String::new() } else { format!("{beneath}/") };
    let mut inside: Vec<String> =
        known.iter().filter_map(|(name, _)| name.strip_prefix(folder.as_str())).map(entry).collect();
    inside.dedup();
    (!inside.is_empty()).then(|| inside.join("\n"))
}

/// A folder ends with a stroke.
fn entry(name: &str) -> String {
    name.split_once('/').map_or_else(|| name.to_owned(), |(folder, _)| format!("{folder}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance() -> Instance {
        Instance {
            id: "i-1".into(),
            state: "running".into(),
            address: [203, 0, 113, 4].into(),
            ami: "ami-1".into(),
            kind: "m1.small".into(),
            sessions_only: true,
            hops: 1,
        }
    }

    #[test]
    fn facts_stand_in_folders() {
        assert_eq!(facts("meta-data/instance-id", &instance()).as_deref(), Some("i-1"));
        assert_eq!(facts("meta-data/placement/", &instance()).as_deref(), Some("availability-zone"));
        assert_eq!(facts("meta-data/no-such", &instance()), None);
        let all = facts("meta-data/", &instance()).expect("a folder");
        assert!(all.starts_with("ami-id\nhostname\n") && all.ends_with("\nplacement/"), "{all}");
    }
}
