//! The lines in which two texts differ, for a plan.

use similar::{ChangeTag, TextDiff};

/// More lines than this are only counted.
const SHOWN: usize = 8;

/// `- old` and `+ new` lines, indented, at most [`SHOWN`] of them.
pub(super) fn lines(old: &str, new: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(old, new);
    let changed: Vec<String> = diff
        .iter_all_changes()
        .filter_map(|change| match change.tag() {
            ChangeTag::Equal => None,
            ChangeTag::Delete => Some(format!("    - {}", change.value().trim_end())),
            ChangeTag::Insert => Some(format!("    + {}", change.value().trim_end())),
        })
        .collect();
    if changed.len() <= SHOWN {
        return changed;
    }
    let more = format!("    … and {} more lines", changed.len() - SHOWN);
    changed.into_iter().take(SHOWN).chain([more]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_difference_is_cut_and_counted() {
        let new: Vec<String> = (0..20).map(|n| format!("line {n}\n")).collect();
        let shown = lines("", &new.concat());
        assert_eq!(shown.len(), SHOWN + 1);
        assert_eq!(shown[SHOWN], "    … and 12 more lines");
    }
}
