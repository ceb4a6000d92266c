//! OpenVPN by hand, at its defaults: the small set-up of its manual ("peer-fingerprint"), bridged as Landbridge's is (`dev tap`).

use super::{Ends, Outcome, PATIENCE, Peer};

pub(super) const OPENVPN: Peer = Peer { name: "OpenVPN by hand", left_inside: "10.91.0.1", start };

const SERVER: &str = include_str!("server.conf");
const CLIENT: &str = include_str!("client.conf");

/// As the manual makes them.
const KEYS: &str = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:secp384r1 -keyout own.key -out own.crt \
    -nodes -sha256 -days 3650 -subj /CN=$(hostname) 2>/dev/null && \
    openssl x509 -fingerprint -sha256 -noout -in own.crt | sed 's/.*=//'";

fn start(ends: &Ends) -> Outcome<()> {
    begin(ends, "by-hand", &|config| config.to_owned())
}

/// The same with something changed in both configurations.
fn begin(ends: &Ends, name: &str, change: &dyn Fn(&str) -> String) -> Outcome<()> {
    let directory = format!("/etc/openvpn/{name}");
    let make = |machine: &crate::Machine| {
        machine.run(&format!("mkdir -p {directory} && cd {directory} && {KEYS}")).expect_ok()
    };
    let (left, right) = (make(ends.left)?, make(ends.right)?);
    let roles = [(ends.left, SERVER, right, "server.conf"), (ends.right, CLIENT, left, "client.conf")];
    for (machine, config, other, file) in roles {
        let config = change(&config.replace("FINGERPRINT", other.trim()));
        machine.write_file(format!("{directory}/{file}"), config)?;
        machine.run(&format!("openvpn --cd {directory} --config {file} --daemon")).expect_ok()?;
    }
    Ok(())
}

/// OpenVPN by hand with further settings, beside others of its kind.
pub struct Variant {
    /// The left end's address inside the tunnel.
    pub left_inside: String,
}

impl Variant {
    /// Sets up the variant of this place over `proto` (`udp` or `tcp`), with these lines more at both ends, and waits until it carries.
    ///
    /// # Errors
    /// The machine's own words.
    pub fn start(ends: &Ends, place: u16, proto: &str, lines: &str) -> Outcome<Self> {
        let (port, subnet) = (12_000 + place, format!("10.91.{}", 100 + place));
        let change = |config: &str| {
            let side = if config.contains("\nclient\n") { "client" } else { "server" };
            let proto = if proto == "tcp" { format!("proto tcp-{side}\n") } else { String::new() };
            config.replace("10.91.0", &subnet) + &proto + &format!("port {port}\n") + lines
        };
        begin(ends, &format!("variant-{place}"), &change)?;
        let left_inside = format!("{subnet}.1");
        let answered = format!("until ping -c 1 -W 1 {left_inside}; do sleep 0.1; done");
        ends.right.run(&answered).deadline(PATIENCE).expect_ok()?;
        Ok(Self { left_inside })
    }
}
