//! Values of a template, whichever syntax they come from.

use super::{Authorized, Cpu, Disk, DiskFormat, Places};
use crate::reading::{Code, Placed, Sink};

/// More processors or slots than any machine has.
const MOST_COUNT: i64 = 4096;
/// More memory or disk than any machine has: a pebibyte, in MiB.
const MOST_MIB: u64 = 1 << 30;

/// `1`, `0.5`, `2.25`: processors, kept in hundredths, rounded up.
pub(super) fn cpu(text: &Placed<String>, sink: &Sink<'_>) -> Option<Cpu> {
    let Some((whole, fraction)) = decimal(&text.value) else {
        let message = format!("{:?} is no number of processors", text.value);
        sink.error(Code::NumberIllFormed, &text.span, message, "write it like 1 or 0.5");
        return None;
    };
    let cents = format!("{fraction:0<2}");
    let (cents, rest) = cents.split_at(2);
    let rounded = rest.bytes().any(|digit| digit != b'0');
    let whole: Option<u32> = whole.parse().ok().filter(|whole| i64::from(*whole) <= MOST_COUNT);
    let hundredths = whole.and_then(|whole| Some(whole * 100 + cents.parse::<u32>().ok()? + u32::from(rounded)));
    match hundredths {
        Some(hundredths) if hundredths > 0 => {
            if rounded {
                let message =
                    format!("{} processors are counted as {}.{:02}", text.value, hundredths / 100, hundredths % 100);
                sink.warning(Code::CpuRounded, &text.span, message, "processors are counted in hundredths, rounded up");
            }
            Some(Cpu(hundredths))
        }
        _ => {
            let message = format!("{} processors are out of range: 0.01 to {MOST_COUNT}", text.value);
            sink.error(Code::CpuOutOfRange, &text.span, message, "it is the share that the worker is promised");
            None
        }
    }
}

/// The digits before and after the point of a number without sign or exponent.
fn decimal(text: &str) -> Option<(&str, &str)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(fraction)).then_some((whole, fraction))
}

/// A number of processors or slots in digits.
pub(super) fn count_text(text: &Placed<String>, sink: &Sink<'_>) -> Option<u32> {
    if text.value.is_empty() || !text.value.bytes().all(|b| b.is_ascii_digit()) {
        let message = format!("{:?} is no whole number", text.value);
        sink.error(Code::NumberIllFormed, &text.span, message, "write it like 2");
        return None;
    }
    // What doesn't fit into 64 bits is out of range like what does.
    count(&Placed { value: text.value.parse().unwrap_or(i64::MAX), span: text.span.clone() }, sink)
}

/// A number of processors or slots.
pub(super) fn count(number: &Placed<i64>, sink: &Sink<'_>) -> Option<u32> {
    if (1..=MOST_COUNT).contains(&number.value) {
        return u32::try_from(number.value).ok();
    }
    let message = format!("{} is out of range: 1 to {MOST_COUNT}", number.value);
    sink.error(
        Code::CountOutOfRange,
        &number.span,
        message,
        "leave it out, and it follows from the share of processors",
    );
    None
}

/// MiB as OpenNebula writes them: `512`, and as its newer tools do, `512M`, `2G`, `0.5g`.
pub(super) fn mib_text(text: &Placed<String>, sink: &Sink<'_>) -> Option<u64> {
    let upper = text.value.trim().to_ascii_uppercase();
    let number = upper.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale: Option<u64> = match upper[number.len()..].trim_end_matches("IB").trim_end_matches('B') {
        "" if upper.len() == number.len() => Some(1),
        "M" => Some(1),
        "G" => Some(1 << 10),
        "T" => Some(1 << 20),
        _ => None,
    };
    let Some((scale, (whole, fraction))) = scale.zip(decimal(number.trim_end())) else {
        let message = format!("{:?} is no amount of memory or disk", text.value);
        sink.error(Code::MemoryIllFormed, &text.span, message, "write MiB as a number, like 512, or an amount like 2G");
        return None;
    };
    // Nine digits of a fraction are more than a MiB of a TiB can tell.
    let nines = fraction.get(..9).unwrap_or(fraction);
    let digits = u32::try_from(nines.len()).unwrap_or_default();
    let part = (nines.parse::<u64>().unwrap_or_default() * scale).div_ceil(10_u64.pow(digits));
    let whole = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(scale)).unwrap_or(u64::MAX);
    mib(whole.saturating_add(part), text, sink)
}

/// An amount that was read, in range.
pub(super) fn mib(mib: u64, text: &Placed<String>, sink: &Sink<'_>) -> Option<u64> {
    if (1..=MOST_MIB).contains(&mib) {
        return Some(mib);
    }
    let message = format!("{} is out of range: 1 MiB to 1024 TiB", text.value);
    sink.error(Code::SizeOutOfRange, &text.span, message, "numbers without a unit are MiB");
    None
}

/// `yes` and `no`, in OpenNebula's many words.
pub(super) fn boolean(text: &Placed<String>, sink: &Sink<'_>) -> Option<bool> {
    match text.value.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => {
            let message = format!("{:?} is neither yes nor no", text.value);
            sink.error(Code::BooleanIllFormed, &text.span, message, "write \"yes\" or \"no\"");
            None
        }
    }
}

/// A device's name inside the machine, without `/dev/`.
pub(super) fn target(text: &Placed<String>, sink: &Sink<'_>) -> Option<String> {
    let name = text.value.as_str();
    if (1..=15).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        return Some(name.to_owned());
    }
    let message = format!("{name:?} is no device's name");
    sink.error(Code::TargetIllFormed, &text.span, message, "write it without a path, for example \"sda\" or \"vda\"");
    None
}

/// TCP ports as OpenNebula's EC2 driver takes them: `22`, `22,80`, `8000-8100`.
pub(super) fn ports(text: &Placed<String>, sink: &Sink<'_>) -> Option<Vec<Authorized>> {
    let ranges = text.value.split(',').map(str::trim).filter(|range| !range.is_empty());
    let found: Option<Vec<_>> = ranges.map(port_range).collect();
    if found.is_none() {
        let message = format!("{:?} is no list of TCP ports", text.value);
        sink.error(Code::PortsIllFormed, &text.span, message, "write it like \"22\" or \"22,8000-8100\"; 1 to 65535");
    }
    found
}

fn port_range(range: &str) -> Option<Authorized> {
    let (from, to) = range.split_once('-').unwrap_or((range, range));
    let number = |port: &str| port.trim().parse::<u16>().ok().filter(|port| *port > 0);
    let (from, to) = (number(from)?, number(to)?);
    (from <= to).then_some(Authorized { from, to })
}

/// FAMILY.SIZE.
pub(super) fn instance_type(text: &Placed<String>, sink: &Sink<'_>) -> Option<String> {
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if text.value.split_once('.').is_some_and(|(family, size)| word(family) && word(size)) {
        return Some(text.value.clone());
    }
    let message = format!("{:?} is no instance type", text.value);
    sink.error(Code::InstanceTypeIllFormed, &text.span, message, "write FAMILY.SIZE, for example \"m1.small\"");
    None
}

/// A disk image's format by its name.
pub(super) fn format(name: &str) -> Option<DiskFormat> {
    match name.to_ascii_lowercase().as_str() {
        "raw" => Some(DiskFormat::Raw),
        "qcow2" => Some(DiskFormat::Qcow2),
        _ => None,
    }
}

/// No two disks may have one name.
pub(super) fn different_targets(disks: &[Disk], places: &Places, sink: &Sink<'_>) {
    let place = |n: usize| places.get(&format!("DISK[{n}]")).cloned().unwrap_or_default();
    for (n, disk) in disks.iter().enumerate() {
        let Some(target) = &disk.target else { continue };
        let Some(first) = disks[..n].iter().position(|other| other.target.as_ref() == Some(target)) else { continue };
        let message = format!("two disks are called {target:?}");
        let also = (&place(first), "the first of them");
        sink.clash(Code::TargetTwice, &place(n), also, message, "give each a name of its own");
    }
}
