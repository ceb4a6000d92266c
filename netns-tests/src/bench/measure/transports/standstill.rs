//! How long a stream stands still when its way begins to drop fragments, as the receiver sees it.

use std::time::Duration;

use crate::bench::Outcome;
use crate::bench::measure::stream::Stream;
use crate::machine::Machine;
use crate::ursa::Ursa;

/// Beside the port of the streams that are only counted.
const PORT: u16 = 5299;
/// For the fall-back, and for the sender's next attempt after it.
const SECONDS: u32 = 14;
const SOON: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_mins(1);

/// The longest time without a byte, in a stream from the worker to the front-end whose fragments are dropped from its second second on.
pub(super) fn measure(ursa: &Ursa, worker: &Machine) -> Outcome<Duration> {
    let serve = format!("iperf3 --server --one-off --json --interval 0.1 --port {PORT}");
    let receiver = ursa.frontend.run(&serve).deadline(PATIENCE).spawn()?;
    ursa.frontend.wait_until(&format!("ss --listening --tcp --numeric | grep :{PORT}"), SOON)?;
    let stream = Stream { port: PORT, ..Stream::to("10.77.0.1", SECONDS) };
    let mut sender = worker.run(&format!("{} --forceflush", stream.shown())).deadline(PATIENCE).spawn()?;
    sender.wait_for_output("1.00-2.00", SOON)?;
    ursa.wan.block_fragments(true);
    sender.wait(PATIENCE)?;
    let seen = receiver.wait(PATIENCE)?.out();
    ursa.wan.block_fragments(false);
    longest(&serde_json::from_str(&seen)?)
}

/// In what `iperf3 --json` says of a stream. One that did not go on has no end to its silence, and is an error.
fn longest(seen: &serde_json::Value) -> Outcome<Duration> {
    let (mut silent, mut longest) = (0.0, 0.0_f64);
    for interval in seen["intervals"].as_array().ok_or("iperf3 told of no intervals")? {
        let sum = &interval["sum"];
        let (bytes, seconds) =
            sum["bytes"].as_u64().zip(sum["seconds"].as_f64()).ok_or("an interval without numbers")?;
        silent = if bytes > 0 { 0.0 } else { silent + seconds };
        longest = longest.max(silent);
    }
    if silent >= longest {
        return Err(format!("the stream was silent for its last {silent:.1} s").into());
    }
    Ok(Duration::from_secs_f64(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(bytes: &[u64]) -> serde_json::Value {
        let interval = |bytes: &u64| serde_json::json!({ "sum": { "bytes": bytes, "seconds": 0.1 } });
        serde_json::json!({ "intervals": bytes.iter().map(interval).collect::<Vec<_>>() })
    }

    #[test]
    fn the_longest_silence_between_two_bytes_counts() {
        let took = longest(&seen(&[9, 0, 9, 0, 0, 0, 9, 0])).expect("a silence");
        assert!((took.as_secs_f64() - 0.3).abs() < 1e-9, "{took:?}");
    }

    #[test]
    fn a_stream_that_never_goes_on_is_an_error() {
        assert!(longest(&seen(&[9, 0, 0, 0])).is_err());
        assert!(longest(&seen(&[9, 9])).is_err(), "nothing was dropped");
    }
}
