//! Nebula, as its quick start has it: an authority, a lighthouse and a host.

use super::{Ends, Outcome, Peer, hand_over};

pub(super) const NEBULA: Peer = Peer { name: "Nebula", left_inside: "10.93.0.1", start };

/// The authority is the left end's.
const SIGN: &str = "mkdir -p /etc/nebula && cd /etc/nebula && nebula-cert ca -name bench && \
    nebula-cert sign -name left -ip 10.93.0.1/24 && nebula-cert sign -name right -ip 10.93.0.2/24";

fn start(ends: &Ends) -> Outcome<()> {
    ends.left.run(SIGN).expect_ok()?;
    for file in ["ca.crt", "right.crt", "right.key"] {
        hand_over(ends.left, &format!("/etc/nebula/{file}"), ends.right)?;
    }
    let ends = [(ends.left, include_str!("lighthouse.yml")), (ends.right, include_str!("host.yml"))];
    for (machine, config) in ends {
        machine.write_file("/etc/nebula/config.yml", config)?;
        machine.run("nebula -config /etc/nebula/config.yml >/var/log/nebula.log 2>&1").spawn()?;
    }
    Ok(())
}
