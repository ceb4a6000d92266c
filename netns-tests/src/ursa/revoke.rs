//! How long a revoked worker is still heard.

use std::time::Duration;

use crate::{LabResult, Machine};

use super::{PATIENCE, Ursa};

/// A revocation as the front-end's bridge and clock saw it.
#[derive(Clone, Copy, Debug)]
pub struct Revoked {
    /// From the command's start to the worker's last packet on the vLAN.
    pub last_packet: Duration,
    /// From the command's start to its end.
    pub command: Duration,
}

impl Ursa {
    /// Revokes a worker that sends a packet every 20 ms, and sees when the last one comes. The worker's own clock plays no
    /// part. Returns once `pki revoke` has ended and the worker's OpenVPN was refused when it asked again.
    pub fn revoke_under_traffic(&self, worker: &Machine) -> LabResult<Revoked> {
        let (name, address) = (worker.name(), self.address(worker.name())?);
        let line = format!("tcpdump -i lbbr-ursa -n -tt -l icmp and src host {address}");
        let capture = self.frontend.run(&line).spawn()?;
        let mut pings = worker.run("ping -i 0.02 10.77.0.1").spawn()?;
        pings.wait_for_output("icmp_seq=10", PATIENCE)?;
        let said = self.frontend.run(&format!("date +%s.%N; landbridge pki revoke {name}; date +%s.%N")).expect_ok()?;
        self.frontend.wait_until(
            &format!(
                "grep -E '{name}.*(revoked|AUTH_FAILED|client-config-dir)|VERIFY ERROR.*CN={name}' \
                 /var/log/landbridge/openvpn-*.log"
            ),
            PATIENCE,
        )?;
        pings.signal(2)?;
        capture.signal(2)?;
        let seen = capture.wait(PATIENCE)?.out();
        let times: Vec<f64> = said.lines().filter_map(|line| line.parse().ok()).collect();
        let last = seen.lines().filter_map(|line| line.split(' ').next()?.parse::<f64>().ok()).next_back();
        let (Some(last), &[begun, ended]) = (last, times.as_slice()) else {
            panic!("no packet before the revocation, or no clock: {said}{seen}");
        };
        let since = |at: f64| Duration::from_secs_f64((at - begun).max(0.0));
        Ok(Revoked { last_packet: since(last), command: since(ended) })
    }
}
