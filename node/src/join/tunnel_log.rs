//! What OpenVPN's log says about a tunnel that did not come up. Pure.

use crate::wire::Failure;

/// Why there is no tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not one packet came back.
    NoAnswer,
    /// The front-end's machine says that nothing listens on the port.
    NothingListens,
    /// By our clock the front-end's certificate is not valid yet, or not any more.
    Clock,
    /// The server's certificate is from somebody else.
    OtherAuthority,
    /// The server talked to us until it saw our certificate.
    CertificateRefused,
    /// The handshake went through, and the server knows no such worker.
    NotAdmitted,
    /// The kernel has no tap devices for us.
    NoTap,
    /// The options don't go together.
    Options,
    /// Nothing that we know.
    Unclear,
}

/// Judges the last attempt in a log of level 3.
pub fn judge(log: &str) -> Verdict {
    let attempt = log.rfind("link remote:").map_or(log, |at| &log[at..]);
    let says = |text: &str| attempt.contains(text);
    let said = |text: &str| log.contains(text);
    if said("Cannot open TUN/TAP") || said("Cannot ioctl TUNSETIFF") {
        Verdict::NoTap
    } else if said("Options error:") {
        Verdict::Options
    } else if said("AUTH_FAILED") {
        Verdict::NotAdmitted
    } else if said("error=certificate is not yet valid") || said("error=certificate has expired") {
        Verdict::Clock
    } else if said("VERIFY ERROR:") || said("VERIFY KU ERROR") || said("VERIFY EKU ERROR") {
        Verdict::OtherAuthority
    } else if said("VERIFY OK: depth=0") && !said("Peer Connection Initiated") {
        Verdict::CertificateRefused
    } else if says("[ECONNREFUSED]") || (says("failed: Connection refused") && !said("TLS: Initial packet from")) {
        Verdict::NothingListens
    } else if (says("link remote:") || says("to establish TCP connection")) && !said("TLS: Initial packet from") {
        Verdict::NoAnswer
    } else {
        Verdict::Unclear
    }
}

/// Whether a first packet is on its way to a server, as far as this log goes.
pub fn has_called(log: &str) -> bool {
    log.contains("to establish TCP connection") || log.contains("link remote:")
}

/// The tunnel's far end as the configuration names it: `ADDRESS:PORT`.
pub fn remote(config: &str) -> String {
    let words = config.lines().find_map(|line| line.trim().strip_prefix("remote "));
    let mut words = words.unwrap_or_default().split_whitespace();
    match (words.next(), words.next()) {
        (Some(address), Some(port)) => format!("{address}:{port}"),
        (Some(address), None) => address.to_owned(),
        _ => "the front-end".into(),
    }
}

impl Verdict {
    /// The verdict for a person.
    pub fn failure(self, remote: &str) -> Failure {
        let (expected, seen, remedy) = match self {
            Self::NoAnswer => (
                format!("an OpenVPN server at {remote}"),
                "no answer to any packet: the port is blocked on the way, or nothing is there".into(),
                "let TCP or UDP through to that port, as the cluster's transport is (firewalls, security groups, this network's own rules)",
            ),
            Self::NothingListens => (
                format!("an OpenVPN server at {remote}"),
                "the machine is there, but nothing listens on the port".into(),
                "start the tunnel server: landbridge up, on the front-end",
            ),
            Self::Clock => (
                "a server certificate that is valid now".into(),
                "by this machine's clock it is not valid yet, or not any more".into(),
                "set this machine's clock, then join again",
            ),
            Self::OtherAuthority => (
                "the cluster's own OpenVPN server".into(),
                format!("{remote} shows a certificate from another authority, or one that is no server's"),
                "see who answers there; the address is public in cluster.toml",
            ),
            Self::CertificateRefused => (
                "a server that takes this machine's certificate".into(),
                format!("{remote} broke off when it saw the certificate: it is revoked, or expired"),
                "see landbridge pki show, on the front-end; landbridge-node leave and a new token give a new one",
            ),
            Self::NotAdmitted => (
                "a server that admits this worker".into(),
                format!("{remote} knows the certificate but no such worker (AUTH_FAILED)"),
                "see landbridge worker show, on the front-end: the worker may be destroyed or drained",
            ),
            Self::NoTap => (
                "a tap device".into(),
                "the kernel gives none: /dev/net/tun is missing, or not allowed here".into(),
                "load the module tun, or allow the device in this container",
            ),
            Self::Options => (
                "an openvpn that understands the front-end's configuration".into(),
                "it refuses an option; see openvpn.log".into(),
                "install OpenVPN 2.6 or newer",
            ),
            Self::Unclear => (format!("a tunnel to {remote}"), "none; see openvpn.log".into(), "see openvpn.log"),
        };
        Failure { expected, seen, remedy: remedy.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One golden case a log, as OpenVPN 2.6.14 wrote it.
    #[test]
    fn each_log_has_its_verdict() {
        let cases = [
            ("no-answer", include_str!("openvpn-logs/no-answer.log"), Verdict::NoAnswer),
            ("nothing-listens", include_str!("openvpn-logs/nothing-listens.log"), Verdict::NothingListens),
            ("no-answer-tcp", include_str!("openvpn-logs/no-answer-tcp.log"), Verdict::NoAnswer),
            ("nothing-listens-tcp", include_str!("openvpn-logs/nothing-listens-tcp.log"), Verdict::NothingListens),
            ("not-yet-valid", include_str!("openvpn-logs/not-yet-valid.log"), Verdict::Clock),
            ("expired-server", include_str!("openvpn-logs/expired-server.log"), Verdict::Clock),
            ("other-authority", include_str!("openvpn-logs/other-authority.log"), Verdict::OtherAuthority),
            ("revoked", include_str!("openvpn-logs/revoked.log"), Verdict::CertificateRefused),
            ("not-admitted", include_str!("openvpn-logs/not-admitted.log"), Verdict::NotAdmitted),
            ("success", include_str!("openvpn-logs/success.log"), Verdict::Unclear),
            ("empty", "", Verdict::Unclear),
        ];
        for (name, log, verdict) in cases {
            assert_eq!(judge(log), verdict, "{name}");
        }
    }

    #[test]
    fn the_words_for_each_verdict() {
        let all = [
            Verdict::NoAnswer,
            Verdict::NothingListens,
            Verdict::Clock,
            Verdict::OtherAuthority,
            Verdict::CertificateRefused,
            Verdict::NotAdmitted,
            Verdict::NoTap,
            Verdict::Options,
        ];
        let text: Vec<String> = all
            .iter()
            .map(|verdict| {
                let failure = verdict.failure("198.51.100.1:1194");
                format!("{verdict:?}\n  {failure}\n  {}", failure.remedy)
            })
            .collect();
        insta::assert_snapshot!(text.join("\n"));
    }

    #[test]
    fn the_far_end_stands_in_the_configuration() {
        assert_eq!(remote("client\nremote 198.51.100.1 1194 udp4\n"), "198.51.100.1:1194");
        assert_eq!(remote("client"), "the front-end");
    }
}
