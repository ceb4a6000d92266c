//! Amounts as people read them.

use std::time::Duration;

use jiff::Timestamp;

/// The time from `then` to `now` in two units: `13s`, `2m13s`, `3h12m`, `4d7h`. A `then` in the future is `0s`.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    clock(Duration::from_secs(u64::try_from(now.as_second() - then.as_second()).unwrap_or(0)))
}

/// A length of time in two units: `13s`, `2m13s`, `3h12m`, `4d7h`.
pub fn clock(length: Duration) -> String {
    let secs = length.as_secs();
    let (minutes, hours, days) = (secs / 60, secs / 3600, secs / 86_400);
    match secs {
        0..60 => format!("{secs}s"),
        60..3600 => format!("{minutes}m{:02}s", secs % 60),
        3600..86_400 => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

/// How long a stage took: `12 ms`, `1.42 s`, `2m13s`.
pub fn took(length: Duration) -> String {
    match length.as_millis() {
        ms @ 0..1000 => format!("{ms} ms"),
        ms @ 1000..60_000 => format!("{}.{:02} s", ms / 1000, ms % 1000 / 10),
        _ => clock(length),
    }
}

/// An amount of memory given in KiB: `512M`, `1.7G`, `2.0T`.
pub fn memory(kib: u64) -> String {
    let tenths = |unit: u64, letter: char| {
        let tenths = (kib.saturating_mul(10) + unit / 2) / unit;
        format!("{}.{}{letter}", tenths / 10, tenths % 10)
    };
    match kib {
        0..1024 => format!("{kib}K"),
        1024..1_048_576 => format!("{}M", kib / 1024),
        1_048_576..1_073_741_824 => tenths(1 << 20, 'G'),
        _ => tenths(1 << 30, 'T'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_two_units_at_most() {
        for (secs, text) in
            [(0, "0s"), (59, "59s"), (60, "1m00s"), (133, "2m13s"), (11_520, "3h12m"), (370_800, "4d07h")]
        {
            assert_eq!(clock(Duration::from_secs(secs)), text);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_shows_no_negative_time() {
        assert_eq!(ago(Timestamp::from_second(100).expect("a time"), Timestamp::UNIX_EPOCH), "0s");
    }

    #[test]
    fn stages_are_told_in_the_unit_that_fits() {
        for (ms, text) in [(0, "0 ms"), (999, "999 ms"), (1420, "1.42 s"), (59_999, "59.99 s"), (133_000, "2m13s")] {
            assert_eq!(took(Duration::from_millis(ms)), text);
        }
    }

    #[test]
    fn memory_is_told_in_the_unit_that_fits() {
        for (kib, text) in
            [(512, "512K"), (131_072, "128M"), (1_782_580, "1.7G"), (8_387_584, "8.0G"), (1 << 31, "2.0T")]
        {
            assert_eq!(memory(kib), text);
        }
    }
}
