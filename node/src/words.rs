//! Failures in plain words: what was expected, what was seen, what to do.

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::api::{ApiError, Distrust};
use crate::machine::Cause;
use crate::paths::Paths;
use crate::wire::Failure;

/// How much of a program's log a person is shown.
const LAST_LINES: usize = 3;

/// An error and its causes on one line.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    causes(error).fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
    })
}

/// Whether somewhere inside it is said that a program is not there.
pub fn is_missing_program(error: &(dyn Error + 'static)) -> bool {
    let not_there = |error: &(dyn Error + 'static)| matches!(error.downcast_ref::<Cause>(), Some(Cause::NoProgram(_)));
    not_there(error) || causes(error).any(not_there)
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause: &&'e (dyn Error + 'static)| (*cause).source())
}

/// A program that a stage needs and the machine has not.
pub fn missing_program(what: &str, program: &str, package: &str) -> Failure {
    Failure {
        expected: format!("{program}, for {what}"),
        seen: "no such program on this machine".into(),
        remedy: format!("install it (Debian: apt install {package}), then join again"),
    }
}

/// A program that should have gone on, with the end of what it said.
pub fn ended(name: &str, paths: &Paths) -> Failure {
    let log = paths.log.join(format!("{name}.log"));
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    let lines: Vec<&str> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
    Failure {
        expected: format!("{name} to go on running"),
        seen: if last.is_empty() {
            "it ended without a word".into()
        } else {
            format!("it ended; its last words:\n{last}")
        },
        remedy: format!("see {}", log.display()),
    }
}

/// A stage whose time is up.
pub fn too_late(expected: &str, after: Duration) -> Failure {
    Failure {
        expected: expected.into(),
        seen: format!("nothing of the kind within {} s", after.as_secs()),
        remedy: "join again; if it stays so, see the logs of this machine and of the front-end".into(),
    }
}

/// Something on this machine that stands in the way, without a better word.
pub fn local(expected: &str, error: &(dyn Error + 'static)) -> Failure {
    Failure {
        expected: expected.into(),
        seen: chain(error),
        remedy: "put that right on this machine, then join again".into(),
    }
}

/// Why the front-end was not reached, or not believed. `front_end_clock` is its `Date` header, when a certificate's dates
/// are the trouble and it could be asked.
pub fn contact(error: &ApiError, front_end_clock: Option<&str>) -> Failure {
    match error {
        ApiError::Connect { endpoint, source } => connect(&endpoint.to_string(), source),
        ApiError::NoAnswer { endpoint, waited } => Failure {
            expected: format!("the front-end's API at {endpoint}"),
            seen: format!("no answer within {} s", waited.as_secs()),
            remedy: format!("let TCP port {} through on the way (firewalls, security groups)", endpoint.port()),
        },
        ApiError::Distrusted { endpoint, why } => distrust(&endpoint.to_string(), why, front_end_clock),
        ApiError::Shunned { endpoint, alert } => Failure {
            expected: format!("a front-end at {endpoint} that takes this machine's certificate"),
            seen: format!("it refused the certificate ({alert:?})"),
            remedy: "landbridge-node leave, then join with a new token".into(),
        },
        ApiError::Refused(refusal) => Failure {
            expected: "a front-end that agrees".into(),
            seen: refusal.message.clone(),
            remedy: refusal.remedy.clone(),
        },
        ApiError::Broken { endpoint, seen } => Failure {
            expected: format!("the front-end's API at {endpoint}"),
            seen: format!("something else, or an exchange that broke off: {seen}"),
            remedy: "see who answers there; both sides should be of one version of Landbridge".into(),
        },
        ApiError::Identity(what) => Failure {
            expected: "an identity that can be used".into(),
            seen: what.clone(),
            remedy: "landbridge-node leave, then join with a new token".into(),
        },
    }
}

fn connect(endpoint: &str, source: &io::Error) -> Failure {
    let (seen, remedy) = match source.kind() {
        io::ErrorKind::ConnectionRefused => (
            "nothing listens there (connection refused)".to_owned(),
            "start the front-end's daemon (landbridge up), or see whether the token has the right address",
        ),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            (format!("no way there ({source})"), "see this machine's addresses and routes: ip addr, ip route")
        }
        io::ErrorKind::TimedOut => {
            ("no answer".to_owned(), "let that TCP port through on the way (firewalls, security groups)")
        }
        _ => (source.to_string(), "see this machine's network: ip addr, ip route"),
    };
    Failure { expected: format!("the front-end's API at {endpoint}"), seen, remedy: remedy.into() }
}

fn distrust(endpoint: &str, why: &Distrust, front_end_clock: Option<&str>) -> Failure {
    let theirs = front_end_clock.map(|clock| format!("; the front-end's clock says {clock}")).unwrap_or_default();
    let set_clock = "set this machine's clock (chronyd -q, or date --set), then join again";
    match why {
        Distrust::OtherAuthority => Failure {
            expected: "the front-end of the authority that this machine was told to trust".into(),
            seen: format!("{endpoint} shows a certificate from another authority"),
            remedy: "make a new token on the front-end; if it stays so, somebody else answers at that address".into(),
        },
        Distrust::NoServer => Failure {
            expected: "the cluster's front-end".into(),
            seen: format!("{endpoint} shows the certificate of a host or worker"),
            remedy: "see who answers at that address".into(),
        },
        Distrust::NotYetValid { clock, from } => Failure {
            expected: "a front-end whose certificate is valid now".into(),
            seen: format!(
                "by this machine's clock ({}) it begins only in {}: the clock is slow{theirs}",
                moment(*clock),
                span(from.saturating_sub(*clock)),
            ),
            remedy: set_clock.into(),
        },
        Distrust::Expired { clock, until } => Failure {
            expected: "a front-end whose certificate is valid now".into(),
            seen: format!(
                "by this machine's clock ({}) it ended {} ago: the clock is fast, or the certificate was not renewed{theirs}",
                moment(*clock),
                span(clock.saturating_sub(*until)),
            ),
            remedy: format!("{set_clock}; if the clock is right: landbridge pki show, on the front-end"),
        },
    }
}

/// A moment, seconds since 1970, in UTC.
fn moment(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    at.map_or_else(|| format!("{seconds} s after 1970"), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// A length of time in its largest fitting unit.
fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use rustls::AlertDescription;

    use super::*;
    use crate::machine::{Children, Machine, MachineSpec, Owner, Place, Process, Readiness};
    use crate::wire::{Refusal, RefusalCode};

    fn every_error() -> Vec<(ApiError, Option<&'static str>)> {
        let endpoint: SocketAddr = "198.51.100.1:7443".parse().expect("an address");
        let connect = |kind: io::ErrorKind| (ApiError::Connect { endpoint, source: kind.into() }, None);
        let distrusted = |why| ApiError::Distrusted { endpoint, why };
        let clock = 1_700_000_000;
        let refusal = Refusal {
            code: RefusalCode::ExpiredToken,
            message: "the token's time was over 3 min ago".into(),
            remedy: "landbridge token create, on the front-end, makes a new one".into(),
        };
        vec![
            connect(io::ErrorKind::ConnectionRefused),
            connect(io::ErrorKind::NetworkUnreachable),
            connect(io::ErrorKind::TimedOut),
            (ApiError::NoAnswer { endpoint, waited: Duration::from_secs(5) }, None),
            (distrusted(Distrust::OtherAuthority), None),
            (distrusted(Distrust::NoServer), None),
            (distrusted(Distrust::NotYetValid { clock, from: clock + 90_000 }), Some("Fri, 15 Nov 2024 22:13:20 GMT")),
            (distrusted(Distrust::Expired { clock, until: clock - 4_000 }), None),
            (ApiError::Shunned { endpoint, alert: AlertDescription::CertificateRevoked }, None),
            (ApiError::Refused(refusal), None),
            (ApiError::Broken { endpoint, seen: "status 404 without a reason".into() }, None),
            (ApiError::Identity("the certificate can't be read".into()), None),
        ]
    }

    #[test]
    fn every_way_not_to_reach_the_front_end_has_its_words() {
        let words: Vec<String> = every_error()
            .iter()
            .map(|(error, clock)| {
                let failure = contact(error, *clock);
                format!("expected {}\nsaw      {}\nremedy   {}\n", failure.expected, failure.seen, failure.remedy)
            })
            .collect();
        insta::assert_snapshot!(words.join("\n"));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_known_from_the_machines_error() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        let place = Place { owner: Owner("test".into()), state: at("state"), run: at("run"), log: at("log") };
        let mut machine = Machine::open(place).await.expect("a machine");
        let mut spec = MachineSpec::default();
        spec.push(Process {
            name: "p".into(),
            argv: vec!["no-such-program".into()],
            env: Vec::new(),
            restart_on: Vec::new(),
            reload_on: Vec::new(),
            ready: Readiness::Running,
            deadline: Duration::from_secs(5),
            grace: Process::GRACE,
            children: Children::End,
            starts_as_batch: false,
        });
        let error = machine.converge(&spec).await.expect_err("there is no such program");
        assert!(is_missing_program(&error), "{}", chain(&error));
    }

    #[test]
    fn a_cause_that_the_error_repeats_is_said_once() {
        let endpoint = "198.51.100.1:7443".parse().expect("an address");
        let error = ApiError::Connect { endpoint, source: io::ErrorKind::ConnectionRefused.into() };
        assert_eq!(chain(&error), "connecting to 198.51.100.1:7443 failed: connection refused");
    }
}
