//! Revoking: from the command's start to the last packet that the front-end takes from the worker.

use std::time::Duration;

use crate::bench::report::{Bound, Goal, Section, Table};
use crate::bench::statistics::{Sample, Unit};
use crate::bench::{Measurement, Outcome};
use crate::ursa::{Ursa, Way};

/// This measurement.
pub const REVOCATION: Measurement =
    Measurement { name: "revocation", title: "Revoked, until its traffic stops", measure };

const ROUNDS: u8 = 5;
const PATIENCE: Duration = Duration::from_secs(20);

/// Records every packet of the worker's, revokes it under fire, and goes on recording for longer than a session could come back in.
/// Prints the moments of the command's start, of its end, and of the last packet.
const REVOKE: &str = r#"
set -e
tcpdump --immediate-mode -l -n -tt -i lbbr-ursa "icmp and src host $ADDRESS" >/tmp/seen 2>/tmp/tcpdump &
recorder=$!
until [ "$(wc -l </tmp/seen)" -gt 100 ]; do sleep 0.05; done
date +%s.%N
landbridge pki revoke "$WORKER" >/dev/null
date +%s.%N
sleep 2
kill $recorder
wait $recorder || true
awk '/^[0-9]+[.][0-9]+ / { last = $1 } END { print last }' /tmp/seen
"#;

fn measure(section: &mut Section) -> Outcome<()> {
    section.note(
        "A worker behind the tunnel sends 500 packets a second to the front-end, which records them on the vLAN's bridge; `landbridge \
         pki revoke` is run there, and the recording goes on for two more seconds. Elsewhere a revoked client's session lives until \
         its next renegotiation, which OpenVPN's default makes up to 3,600 s.",
    );
    let ursa = Ursa::light("bench-revocation")?;
    let (mut last, mut command) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        if let Some((packet, whole)) = section.attempt("revoking", || revoke(&ursa, round)) {
            last.push(packet);
            command.push(whole);
        }
    }
    let [last, command] = [last, command].map(|times| Sample::new(Unit::Milliseconds, times));
    let worst = last.as_ref().map(|sample| sample.spread().1);
    let mut table = Table::new(["from the command's start", "time"]);
    table.row("to the last packet", [last.into()]);
    table.row("to the command's end", [command.into()]);
    section.tables.push(table);
    section.goals =
        vec![Goal::new("revoked until traffic stops, the slowest", Unit::Milliseconds, Bound::AtMost(1000.0), worst)];
    Ok(())
}

/// Milliseconds from the command's start to the last packet, and to its own end.
fn revoke(ursa: &Ursa, round: u8) -> Outcome<(f64, f64)> {
    let name = format!("r{round}");
    let worker = ursa.light_instance(&name, &format!("203.0.113.{}/24", 30 + round))?;
    ursa.join(&worker, Way::Tunnel, "ec2")?;
    let _fire = worker.run("exec ping -q -i 0.002 10.77.0.1").spawn()?;
    let address = ursa.address(&name)?;
    let said =
        ursa.frontend.run(REVOKE).env("ADDRESS", &address).env("WORKER", &name).deadline(PATIENCE).expect_ok()?;
    let moments: Vec<f64> = said.lines().filter_map(|line| line.trim().parse().ok()).collect();
    worker.stop();
    match moments.as_slice() {
        [start, end, last] => Ok(((last - start) * 1000.0, (end - start) * 1000.0)),
        _ => Err(format!("no moments: {said}").into()),
    }
}
