//! The NIS domain: bound, and asked for a user.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::SystemTime;

use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{Duration, Instant, sleep, timeout};

use super::people;
use super::worker::Worker;
use crate::machine::{Block, Children, Directory, File, MachineSpec, Process, Readiness, Residue, Watch};
use crate::nice;
use crate::wire::{Failure, NisBundle};
use crate::words;

/// rpcbind's socket, which is there before it answers.
const RPCBIND_SOCKET: &str = "/run/rpcbind.sock";
/// Where it keeps what has registered.
const RPCBIND_STATE: &str = "/run/rpcbind";
/// The port mapper's port (RFC 1833).
const RPCBIND_PORT: u16 = 111;
/// Each program is ready within a few round trips.
const START: Duration = Duration::from_secs(10);
/// Where ypbind writes down whom it is bound to, a file a domain and version.
const BINDINGS: &str = "/var/yp/binding";
/// The machine's own users.
const PASSWD: &str = "/etc/passwd";
/// Between two questions that were answered in vain.
const PAUSE: Duration = Duration::from_millis(50);
/// When ypbind has not bound after this long, the server itself is asked what is wrong.
const DOUBT: Duration = Duration::from_secs(1);
/// A file's times are those of the kernel's last tick, and on some file systems of its last second.
pub(super) const GRAIN: Duration = Duration::from_secs(1);
/// What one question may take.
const QUESTION: Duration = Duration::from_secs(3);

/// Whether a port mapper runs that is not ours (asked before the first join): it is then used, and left alone.
pub async fn has_foreign_rpcbind() -> bool {
    let knock = TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, RPCBIND_PORT));
    matches!(timeout(QUESTION, knock).await, Ok(Ok(_)))
}

/// Whom programs ask for names, the domain's files, the port mapper, and ypbind.
pub fn resources(nis: &NisBundle, worker: &Worker) -> MachineSpec {
    let directory = |path: &str| Directory { path: path.into(), mode: 0o755, owner: None };
    let mut spec = people::resources(nis);
    spec.push(directory(BINDINGS));
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
        spec.push(Residue { path: format!("{BINDINGS}/{}.{version}", nis.domain).into() });
    }
    spec.push(Residue { path: "/run/ypbind.pid".into() });
    // -local-only: nobody else has business with our binding.
    let ypbind = ["ypbind", "-n", "-local-only"];
    spec.push(process("ypbind", &ypbind, Readiness::Running, &["/etc/yp.conf", "/etc/defaultdomain"]));
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
        grace: Process::GRACE,
        children: Children::End,
        starts_as_batch: false,
    }
}

/// ypbind is bound, the map has users, and the C library gets it from there, whatever it has in a table. `begun`: a moment before
/// ypbind was started, if it was.
pub async fn prove(nis: &NisBundle, begun: Option<SystemTime>, until: Instant) -> Result<(), Failure> {
    bound(nis, begun, until).await?;
    // One program tells it all when the domain has users of its own, which it nearly always has.
    if knows_more_than(&passwd()?, &ask("getent", &["--service=passwd:nis", "passwd"]).await) {
        return Ok(());
    }
    let Some(user) = first_user(nis, until).await? else { return Ok(()) };
    match ask("getent", &["--service=passwd:nis", "passwd", &user]).await {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err(Failure {
            expected: format!("the NIS user {user} to be known to the C library"),
            seen: "getent --service=passwd:nis passwd does not find it".into(),
            remedy: "install libnss-nis (Debian: apt install libnss-nis)".into(),
        }),
    }
}

fn passwd() -> Result<String, Failure> {
    std::fs::read_to_string(PASSWD).map_err(|error| words::local(&format!("to read {PASSWD}"), &error))
}

/// Whether the C library knows users who don't stand in the machine's own file.
fn knows_more_than(own: &str, answer: &io::Result<Output>) -> bool {
    let Ok(Output { stdout, .. }) = answer else { return false };
    let own: BTreeSet<&str> = own.lines().filter_map(user).collect();
    String::from_utf8_lossy(stdout).lines().filter_map(user).any(|user| !own.contains(user))
}

/// Whom a line of passwd(5) is about.
fn user(line: &str) -> Option<&str> {
    line.split_once(':').map(|(name, _)| name)
}

/// Waits until ypbind has written down whom it is bound to, since it `begun`; what is older may be another's word, and
/// ypbind is asked.
async fn bound(nis: &NisBundle, begun: Option<SystemTime>, until: Instant) -> Result<(), Failure> {
    let doubt = Instant::now() + DOUBT;
    let watch =
        Watch::of(Path::new(BINDINGS)).map_err(|error| words::local(&format!("to watch {BINDINGS}"), &error))?;
    loop {
        let written = written_down(nis);
        let is_fresh = begun.is_some_and(|begun| written.is_some_and(|at| at >= begun));
        if is_fresh || (written.is_some() && succeeded(ask("ypwhich", &[]).await, "ypwhich")?.is_some()) {
            return Ok(());
        }
        let now = Instant::now();
        if now >= doubt
            && let Some(failure) = server_says(nis, now >= until).await
        {
            return Err(failure);
        }
        // The file of before a crash may be there, and is not written again when it would stay the same.
        let pause = if written_down(nis).is_some() { PAUSE } else { DOUBT };
        let _ = timeout(pause, watch.changed()).await;
    }
}

/// Since when it stands written down whom ypbind is bound to, if it does.
fn written_down(nis: &NisBundle) -> Option<SystemTime> {
    let file = Path::new(BINDINGS).join(format!("{}.2", nis.domain));
    std::fs::metadata(file).ok().filter(|file| file.len() > 0)?.modified().ok()
}

/// What the server itself says of the domain; `None` when it serves it, or may yet answer.
async fn server_says(nis: &NisBundle, last: bool) -> Option<Failure> {
    let server = nis.server.to_string();
    let poll = ask("yppoll", &["-h", &server, "-d", &nis.domain, "passwd.byname"]).await;
    let said = poll.map(|output| text(&output)).unwrap_or_default();
    judge(nis, &said, last)
}

fn judge(nis: &NisBundle, said: &str, last: bool) -> Option<Failure> {
    let NisBundle { domain, server, .. } = nis;
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
            return Ok(users.lines().find_map(user).map(str::to_owned));
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
    let output = async {
        let mut command = Command::new(program);
        command.args(arguments).kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn()?;
        nice::give_way(child.id());
        child.wait_with_output().await
    };
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
        NisBundle { domain: "ursa.vlan".into(), server: std::net::Ipv4Addr::new(10, 77, 0, 1), people: None }
    }

    #[test]
    fn users_of_the_domain_are_told_from_the_machines_own() {
        use std::os::unix::process::ExitStatusExt as _;
        let own = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n";
        let says = |text: &str| {
            let (stdout, stderr) = (text.as_bytes().to_vec(), Vec::new());
            knows_more_than(own, &Ok(Output { status: std::process::ExitStatus::from_raw(0), stdout, stderr }))
        };
        assert!(says(&format!("{own}ada:x:1000:1000::/home/ada:/bin/bash\n")));
        assert!(!says(own));
        assert!(!knows_more_than(own, &Err(io::ErrorKind::TimedOut.into())));
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
