//! tinc 1.0, as a switch: a layer-2 segment like Landbridge's.

use super::{Ends, Outcome, Peer, hand_over};

pub(super) const TINC: Peer = Peer { name: "tinc", left_inside: "10.92.0.1", start };

const NET: &str = "/etc/tinc/bench";

fn start(ends: &Ends) -> Outcome<()> {
    let roles = [
        (ends.left, "left", include_str!("left.conf"), include_str!("host-left"), "10.92.0.1"),
        (ends.right, "right", include_str!("right.conf"), include_str!("host-right"), "10.92.0.2"),
    ];
    for (machine, name, conf, host, address) in roles {
        machine.write_file(format!("{NET}/tinc.conf"), conf)?;
        machine.write_file(format!("{NET}/hosts/{name}"), host)?;
        let up = include_str!("tinc-up").replace("ADDRESS", address);
        machine.write_file_with_mode(format!("{NET}/tinc-up"), up, 0o755)?;
        machine.run("tincd --net=bench --generate-keys=2048 </dev/null").expect_ok()?;
    }
    hand_over(ends.left, &format!("{NET}/hosts/left"), ends.right)?;
    hand_over(ends.right, &format!("{NET}/hosts/right"), ends.left)?;
    for (machine, ..) in roles {
        machine.run("tincd --net=bench").expect_ok()?;
    }
    Ok(())
}
