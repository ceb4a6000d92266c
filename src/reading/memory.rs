//! Amounts of memory as people write them.

/// The bytes of a unit: binary ones by IEC 80000-13, decimal ones by SI.
const UNITS: [(&str, u64); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// Reads `8 GiB`, `512MiB`, `1.5 GiB` or `8 GB` and gives whole MiB, rounded down. `None` when it is no amount.
pub(crate) fn parse_mib(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit_start = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = (text[..unit_start].trim_end(), &text[unit_start..]);
    let (_, unit_bytes) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 6 {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let scaled = whole.parse::<u128>().ok()?.checked_mul(scale)?.checked_add(fraction.parse().ok()?)?;
    u64::try_from(scaled.checked_mul(u128::from(*unit_bytes))? / scale / (1 << 20)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, mib) in [
            ("8 GiB", 8192),
            ("8GiB", 8192),
            ("8 gib", 8192),
            ("512 MiB", 512),
            ("1.5 GiB", 1536),
            ("2 TiB", 2 << 20),
            ("1 GB", 953),
            ("1048576 KiB", 1024),
        ] {
            assert_eq!(parse_mib(text), Some(mib), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "8",
            "8 G",
            "GiB",
            "8 GiB/s",
            "-8 GiB",
            "1..5 GiB",
            ".5 GiB",
            "8 apples",
            "99999999999999999999999999999999999999 TiB",
        ] {
            assert_eq!(parse_mib(text), None, "{text}");
        }
    }
}
