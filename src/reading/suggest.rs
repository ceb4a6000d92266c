//! "Did you mean …?"

/// The candidate that `word` was most likely meant to be: at most a third of its letters differ.
pub(crate) fn closest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    let fold = |text: &str| text.to_lowercase().replace('_', "-");
    let folded = fold(word);
    candidates
        .iter()
        .map(|candidate| (distance(&folded, &fold(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance: insertions, deletions and substitutions of one letter.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        assert_eq!(closest("sheduler", &["nfs", "nis", "scheduler"]), Some("scheduler"));
        assert_eq!(closest("instance_type", &["region", "instance-type"]), Some("instance-type"));
        assert_eq!(closest("vncpu", &["CPU", "VCPU", "KERNEL_CMD"]), Some("VCPU"));
        assert_eq!(closest("subnets", &["subnet", "uplink"]), Some("subnet"));
    }

    #[test]
    fn another_word_is_not() {
        assert_eq!(closest("colour", &["subnet", "workers", "mtu"]), None);
        assert_eq!(closest("nos", &["cpus"]), None);
    }
}
