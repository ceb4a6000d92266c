//! WireGuard in user space (wireguard-go), as wireguard.com's quick start has it.

use super::{Ends, Outcome, PATIENCE, Peer};

pub(super) const WIREGUARD: Peer = Peer { name: "wireguard-go", left_inside: "10.94.0.1", start };

const KEYS: &str = "mkdir -p -m 700 /etc/wireguard && cd /etc/wireguard && wg genkey | tee own.key | wg pubkey";

/// What wg-quick would do, without its look for a kernel module.
const UP: &str = "wireguard-go wg0 2>/var/log/wireguard.log && wg setconf wg0 /etc/wireguard/wg0.conf && \
    ip address add ADDRESS/24 dev wg0 && ip link set mtu 1420 up dev wg0";

fn start(ends: &Ends) -> Outcome<()> {
    let (left, right) = (ends.left.run(KEYS).expect_ok()?, ends.right.run(KEYS).expect_ok()?);
    let roles = [
        (ends.left, include_str!("left.conf"), right.trim(), "10.94.0.1"),
        (ends.right, include_str!("right.conf"), left.trim(), "10.94.0.2"),
    ];
    for (machine, config, other, address) in roles {
        let own = machine.read_text("/etc/wireguard/own.key")?;
        let config = config.replace("OWN_KEY", own.trim()).replace("OTHER_KEY", other);
        machine.write_file_with_mode("/etc/wireguard/wg0.conf", config, 0o600)?;
        machine.run(&UP.replace("ADDRESS", address)).deadline(PATIENCE).expect_ok()?;
    }
    Ok(())
}
