//! TCP streams between machines, as iperf3 counts them.

use std::time::{Duration, Instant};

use crate::bench::Outcome;
use crate::machine::Machine;

const PATIENCE: Duration = Duration::from_mins(1);

/// In which direction the bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// From the one who called to the one who was called.
    ToServer,
    /// The other way.
    FromServer,
}

impl Direction {
    pub(super) const BOTH: [Self; 2] = [Self::ToServer, Self::FromServer];
}

/// Serves one stream at a time on each of these ports, until the machine ends.
pub(super) fn serve(machine: &Machine, ports: impl IntoIterator<Item = u16>) -> Outcome<()> {
    for port in ports {
        machine.run(&format!("iperf3 --server --daemon --port {port}")).expect_ok()?;
    }
    Ok(())
}

/// iperf3's own port.
pub(super) const PORT: u16 = 5201;

/// One stream of TCP.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    /// To whom.
    pub(super) server: String,
    /// Where it serves.
    pub(super) port: u16,
    /// How long.
    pub(super) seconds: u32,
    /// The congestion control of both ends.
    pub(super) congestion: &'static str,
}

impl Stream {
    /// To iperf3's own port, under Debian's congestion control.
    pub(super) fn to(server: &str, seconds: u32) -> Self {
        Self { server: server.to_owned(), port: PORT, seconds, congestion: "cubic" }
    }

    /// As a command to the server that tells a person what it does, second by second.
    pub(super) fn shown(&self) -> String {
        let Self { server, port, seconds, congestion } = self;
        format!("iperf3 --time {seconds} --congestion {congestion} --port {port} --client {server}")
    }

    fn line(&self, direction: Direction) -> String {
        let reverse = if direction == Direction::FromServer { " --reverse" } else { "" };
        format!("{}{reverse} --json", self.shown())
    }
}

/// What arrives of a stream, in Gbit/s.
pub(super) fn gigabits(client: &Machine, stream: &Stream, direction: Direction) -> Outcome<f64> {
    let line = stream.line(direction);
    let until = Instant::now() + PATIENCE;
    loop {
        let said = client.run(&line).deadline(PATIENCE).expect_ok()?;
        let said: serde_json::Value = serde_json::from_str(&said)?;
        let bits = said["end"]["sum_received"]["bits_per_second"].as_f64();
        match (bits, said["error"].as_str()) {
            (Some(bits), _) => return Ok(bits / 1e9),
            // The server is still at the end of the stream before.
            (None, Some(error)) if error.contains("busy") && Instant::now() < until => {}
            (None, error) => return Err(format!("iperf3 told no rate: {}", error.unwrap_or("and not why")).into()),
        }
    }
}
