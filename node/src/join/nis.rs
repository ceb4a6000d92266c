//! The NIS domain: bound, and asked for a user.

use std::io;
use std::process::Output;

use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{Duration, Instant, sleep, timeout};

use super::worker::Worker;
use crate::machine::{Block, Directory, File, MachineSpec, Process, Readiness, Residue};
use crate::wire::{Failure, NisBundle};
use crate::words;

/// rpcbind's socket, which is there before it answers.
const RPCBIND_SOCKET: &str = "/run/rpcbind.sock";
/// Where it keeps what has registered.
const RPCBIND_STATE: &str = "/run/rpcbind";
/// The port mapper's port (RFC 1833).
const RPCBIND_PORT: u16 = 111;
/// Both programs are ready within a few round trips.
const START: Duration = Duration::from_secs(10);
/// Between two questions to ypbind: there is no event for "bound".
const PAUSE: Duration = Duration::from_millis(25);
/// When ypbind has not bound after this long, the server itself is asked what is wrong.
const DOUBT: Duration = Duration::from_secs(1);
/// What one question may take.
const QUESTION: Duration = Duration::from_secs(3);

/// Whether a port mapper runs that is not ours (asked before the first join): it is then used, and left alone.
pub async fn has_foreign_rpcbind() -> bool {
    let knock = TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, RPCBIND_PORT));
    matches!(timeout(QUESTION, knock).await, Ok(Ok(_)))
}

/// The domain's files, the port mapper, ypbind, and the name service switch.
pub fn resources(nis: &NisBundle, worker: &Worker) -> MachineSpec {
    let directory = |path: &str| Directory { path: path.into(), mode: 0o755, owner: None };
    let mut spec = MachineSpec::default();
    spec.push(directory("/var/yp/binding"));
    spec.push(File::open("/etc/defaultdomain", format!("{}\n", nis.domain)));
    spec.push(Block {
        path: "/etc/yp.conf".into(),
        name: "domain".into(),
        text: format!("domain {} server {}\n", nis.domain, nis.server),
        first: true,
        replaces: vec!["domain ".into(), "ypserver ".into(), "broadcast".into()],
    });
    if !worker.attachment.foreign_rpcbind {
        rpcbind(&mut spec, &worker.bundle.address.ip().to_string());
    }
    for version in 1..=3 {
        spec.push(Residue { path: format!("/var/yp/binding/{}.{version}", nis.domain).into() });
    }
    spec.push(Residue { path: "/run/ypbind.pid".into() });
    // -local-only: nobody else has business with our binding.
    let ypbind = ["ypbind", "-n", "-local-only"];
    spec.push(process("ypbind", &ypbind, Readiness::Running, &["/etc/yp.conf", "/etc/defaultdomain"]));
    spec.push(Block {
        path: "/etc/nsswitch.conf".into(),
        name: "nis".into(),
        text: "passwd: files nis\ngroup: files nis\nhosts: files nis dns\n".into(),
        first: false,
        replaces: vec!["passwd:".into(), "group:".into(), "hosts:".into()],
    });
    spec
}

/// Debian's runs as a user of its own. `-w`: what has registered survives its restart. `-h`: it answers on the vLAN and on
/// loopback, which it adds itself.
fn rpcbind(spec: &mut MachineSpec, address: &str) {
    spec.push(Directory { path: RPCBIND_STATE.into(), mode: 0o755, owner: Some("_rpc".into()) });
    let files = ["/run/rpcbind/rpcbind.xdr", "/run/rpcbind/portmap.xdr", "/run/rpcbind.lock", RPCBIND_SOCKET];
    for path in files {
        spec.push(Residue { path: path.into() });
    }
    let argv = ["rpcbind", "-f", "-w", "-h", address];
    spec.push(process("rpcbind", &argv, Readiness::Unix(RPCBIND_SOCKET.into()), &[]));
}

fn process(name: &str, argv: &[&str], ready: Readiness, restart_on: &[&str]) -> Process {
    Process {
        name: name.into(),
        argv: argv.iter().map(|&word| word.into()).collect(),
        env: Vec::new(),
        restart_on: restart_on.iter().map(Into::into).collect(),
        reload_on: Vec::new(),
        ready,
        deadline: START,
    }
}

/// ypbind is bound, the map has users, and the C library finds one of them.
pub async fn prove(nis: &NisBundle, until: Instant) -> Result<(), Failure> {
    bound(nis, until).await?;
    let Some(user) = first_user(nis, until).await? else { return Ok(()) };
    match ask("getent", &["passwd", &user]).await {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err(Failure {
            expected: format!("the NIS user {user} to be known to the C library"),
            seen: "getent passwd does not find it".into(),
            remedy: "install libnss-nis (Debian: apt install libnss-nis); see /etc/nsswitch.conf".into(),
        }),
    }
}

async fn bound(nis: &NisBundle, until: Instant) -> Result<(), Failure> {
    let doubt = Instant::now() + DOUBT;
    loop {
        if succeeded(ask("ypwhich", &[]).await, "ypwhich")?.is_some() {
            return Ok(());
        }
        let now = Instant::now();
        if now >= doubt
            && let Some(failure) = server_says(nis, now >= until).await
        {
            return Err(failure);
        }
        sleep(PAUSE).await;
    }
}

/// What the server itself says of the domain; `None` when it serves it, or may yet answer.
async fn server_says(nis: &NisBundle, last: bool) -> Option<Failure> {
    let server = nis.server.to_string();
    let poll = ask("yppoll", &["-h", &server, "-d", &nis.domain, "passwd.byname"]).await;
    let said = poll.map(|output| text(&output)).unwrap_or_default();
    judge(nis, &said, last)
}

fn judge(nis: &NisBundle, said: &str, last: bool) -> Option<Failure> {
    let NisBundle { domain, server } = nis;
    let expected = format!("the NIS domain {domain} to be served at {server}");
    if said.contains("is not supported by") {
        let seen = "the server knows no such domain".into();
        let remedy = "see services.nis.domain in cluster.toml, then landbridge up".into();
        return Some(Failure { expected, seen, remedy });
    }
    if !last {
        return None;
    }
    let (seen, remedy) = if said.contains("is supported") {
        ("it is, but ypbind does not bind to it", "see ypbind's log on this machine")
    } else {
        (
            "no NIS server answers there",
            "start the front-end's services: landbridge up; its securenets must have the vLAN",
        )
    };
    Some(Failure { expected, seen: seen.into(), remedy: remedy.into() })
}

async fn first_user(nis: &NisBundle, until: Instant) -> Result<Option<String>, Failure> {
    loop {
        if let Some(cat) = succeeded(ask("ypcat", &["passwd.byname"]).await, "ypcat")? {
            let users = String::from_utf8_lossy(&cat.stdout);
            let first = users.lines().find_map(|line| line.split_once(':')).map(|(name, _)| name.to_owned());
            return Ok(first);
        }
        if Instant::now() >= until {
            return Err(Failure {
                expected: format!("the map passwd.byname of the NIS domain {}", nis.domain),
                seen: "ypcat does not get it".into(),
                remedy: "see the NIS maps on the front-end: landbridge up builds them".into(),
            });
        }
        sleep(PAUSE).await;
    }
}

/// Why the programs of NIS don't run.
pub fn explain(error: &(dyn std::error::Error + 'static)) -> Failure {
    if words::is_missing_program(error) {
        return words::missing_program("NIS", "rpcbind and ypbind", "rpcbind ypbind-mt yp-tools libnss-nis");
    }
    words::local("rpcbind and ypbind to run", error)
}

/// What a question brought; `None` when it failed or took too long, as it does while ypbind has not bound.
fn succeeded(answer: io::Result<Output>, program: &str) -> Result<Option<Output>, Failure> {
    match answer {
        Ok(output) => Ok(Some(output).filter(|output| output.status.success())),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(words::missing_program("NIS", program, "yp-tools"))
        }
        Err(error) => Err(words::local(&format!("an answer from {program}"), &error)),
    }
}

async fn ask(program: &str, arguments: &[&str]) -> io::Result<Output> {
    let output = Command::new(program).args(arguments).kill_on_drop(true).output();
    let answer = timeout(QUESTION, output).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    tracing::debug!(program, ?arguments, ?answer, "asked");
    answer
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nis() -> NisBundle {
        NisBundle { domain: "ursa.vlan".into(), server: std::net::Ipv4Addr::new(10, 77, 0, 1) }
    }

    #[test]
    fn an_unknown_domain_is_known_at_once() {
        let failure = judge(&nis(), "Domain ursa.vlan is not supported by 10.77.0.1.\n", false).expect("a failure");
        assert_eq!(
            failure.to_string(),
            "expected the NIS domain ursa.vlan to be served at 10.77.0.1; saw the server knows no such domain"
        );
    }

    #[test]
    fn a_server_that_may_yet_start_is_waited_for() {
        let silent = "Cannot contact 10.77.0.1, no NIS server running or wrong protocol?\n";
        assert_eq!(judge(&nis(), silent, false), None);
        let failure = judge(&nis(), silent, true).expect("a failure");
        assert_eq!(failure.seen, "no NIS server answers there");
    }

    #[test]
    fn a_served_domain_that_is_not_bound_is_ypbinds_fault() {
        let served = "Domain ursa.vlan is supported.\nMap passwd.byname has order number 1795354777.\n";
        assert_eq!(judge(&nis(), served, false), None);
        assert!(judge(&nis(), served, true).expect("a failure").seen.contains("ypbind"));
    }
}
