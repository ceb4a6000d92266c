//! From what was seen of a path to what is believed of it. Pure.

/// What a path carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Less than the vLAN's packets: whatever becomes fragments on the way is lost.
    Narrow,
    /// The vLAN's packets.
    Standard,
    /// Large ones.
    Wide,
}

/// So many looks in a row must tell of less: one may be bad luck on a lossy path.
const FALL: u32 = 2;
/// So many looks in a row must tell of more: a path that comes and goes would cost each time.
const RISE: u32 = 5;

/// What is believed, and what speaks against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judge {
    level: Level,
    doubts: u32,
    hopes: u32,
    /// Until the path has once fallen, a first proof is enough.
    fallen: bool,
}

impl Judge {
    /// A path of which nothing is known yet but that it is there.
    pub fn new() -> Self {
        Self { level: Level::Standard, doubts: 0, hopes: 0, fallen: false }
    }

    /// What is believed.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Whether the next look should come at once.
    pub fn is_doubtful(&self) -> bool {
        self.doubts > 0
    }

    /// One more look: what got through, or nothing at all, which tells that the peer is away and nothing of the path.
    /// Whether something else is believed now.
    pub fn note(&mut self, seen: Option<Level>) -> bool {
        let before = self.level;
        match seen {
            Some(seen) if seen < self.level => {
                (self.doubts, self.hopes) = (self.doubts + 1, 0);
                if self.doubts >= FALL {
                    *self = Self { level: seen, doubts: 0, hopes: 0, fallen: true };
                }
            }
            Some(seen) if seen > self.level => {
                (self.doubts, self.hopes) = (0, self.hopes + 1);
                if self.hopes >= RISE || !self.fallen {
                    *self = Self { level: seen, doubts: 0, hopes: 0, fallen: self.fallen };
                }
            }
            None | Some(_) => (self.doubts, self.hopes) = (0, 0),
        }
        self.level != before
    }
}

impl Default for Judge {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::Level::{Narrow, Standard, Wide};
    use super::*;

    fn after(looks: &[Option<Level>]) -> Level {
        let mut judge = Judge::new();
        for look in looks {
            judge.note(*look);
        }
        judge.level()
    }

    #[test]
    fn a_first_proof_is_enough() {
        assert_eq!(after(&[None, Some(Standard), Some(Wide)]), Wide);
    }

    #[test]
    fn one_bad_look_is_no_verdict_and_two_are() {
        assert_eq!(after(&[Some(Wide), Some(Narrow), Some(Wide), Some(Standard)]), Wide);
        assert_eq!(after(&[Some(Wide), Some(Narrow), Some(Narrow)]), Narrow);
    }

    #[test]
    fn a_path_that_has_fallen_must_hold_for_a_while() {
        let fallen = [Some(Wide), Some(Standard), Some(Standard)];
        let with = |n: usize| after(&[&fallen[..], &vec![Some(Wide); n]].concat());
        assert_eq!((with(4), with(5)), (Standard, Wide));
        assert_eq!(after(&[&fallen[..], &[Some(Wide); 4], &[Some(Standard)], &[Some(Wide); 4]].concat()), Standard);
    }

    #[test]
    fn silence_tells_nothing_of_the_path() {
        assert_eq!(after(&[Some(Wide), None, None, None, Some(Standard), None, Some(Standard)]), Wide);
    }
}
