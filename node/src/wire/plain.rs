//! Words of another machine, as they may be shown on a person's terminal: without what a terminal takes for orders.

use serde::{Deserialize, Deserializer};

/// For serde's `deserialize_with`: a text without control characters but ends of lines.
pub(super) fn text<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    String::deserialize(input).map(|text| plain(&text))
}

/// The same for several.
pub(super) fn texts<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    Vec::<String>::deserialize(input).map(|texts| texts.iter().map(|text| plain(text)).collect())
}

/// The text, with a replacement character for each control character but ends of lines; tabs become spaces.
pub fn plain(text: &str) -> String {
    text.replace('\t', " ").chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use crate::wire::Failure;

    #[test]
    fn what_a_terminal_would_take_for_an_order_is_no_part_of_a_failure() {
        let said = r#"{"expected": "a tunnel", "seen": "\u001b]0;owned\u0007\u001b[2J\nline", "remedy": "a\tb\r"}"#;
        let failure: Failure = serde_json::from_str(said).expect("a failure");
        assert_eq!(failure.seen, "\u{fffd}]0;owned\u{fffd}\u{fffd}[2J\nline");
        assert_eq!(failure.remedy, "a b\u{fffd}");
    }
}
