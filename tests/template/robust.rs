//! No text whatever makes the parsers panic, loop, or point outside of it.

use landbridge::template::{Format, Target, WorkerTemplate, parse, to_opennebula, to_toml};
use proptest::prelude::*;

use super::{corpus, read};

/// How many mutations of the corpus are tried: some seconds' worth.
const MUTATIONS: u64 = 20_000;

fn try_all(text: &str) {
    for format in [Format::Opennebula, Format::Toml] {
        let found = match parse(text, format) {
            Ok(parsed) => {
                if format == Format::Opennebula {
                    assert_survives(&parsed.template);
                }
                for target in [Target::Libvirt, Target::Ec2] {
                    let limits = parsed.findings_for(target, text);
                    assert!(limits.list.iter().all(|f| text.get(f.place.span.clone()).is_some()), "{limits:?}\n{text}");
                }
                parsed.warnings
            }
            Err(found) => {
                assert!(found.errors() > 0, "refused without an error:\n{text}");
                found
            }
        };
        assert!(found.list.iter().all(|f| text.get(f.place.span.clone()).is_some()), "{found:?}\n{text}");
    }
}

/// What was read survives both syntaxes, but for a text that OpenNebula's can't say.
fn assert_survives(template: &WorkerTemplate) {
    let one = to_opennebula(template).ok().map(|text| (text, Format::Opennebula));
    for (text, format) in one.into_iter().chain([(to_toml(template), Format::Toml)]) {
        let again = parse(&text, format).map(|parsed| parsed.template);
        assert_eq!(again.as_ref(), Ok(template), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        try_all(&text);
    }

    #[test]
    fn any_heap_of_delimiters_is_read_or_refused(text in "[A-C=\\[\\],#\"\\\\ \n\ré]{0,80}") {
        try_all(&text);
    }
}

/// Marsaglia's xorshift: the same mutations every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).expect("below a usize")
    }
}

/// Cuts, doubles, swaps and puts in bytes; what is no UTF-8 then is replaced, as reading a file would refuse it.
fn mutate(texts: &[Vec<u8>], dice: &mut Dice) -> String {
    let mut text = texts[dice.below(texts.len())].clone();
    for _ in 0..=dice.below(4) {
        let at = dice.below(text.len() + 1);
        let end = (at + dice.below(12)).min(text.len());
        match dice.below(4) {
            0 => drop(text.drain(at..end)),
            1 => drop(text.splice(at..at, b"[]=,#\"\\\n"[dice.below(8)..].iter().copied().take(1))),
            2 => {
                let other = &texts[dice.below(texts.len())];
                let from = dice.below(other.len() + 1);
                let part = &other[from..(from + dice.below(40)).min(other.len())];
                drop(text.splice(at..end, part.iter().copied()));
            }
            _ => {
                let byte = u8::try_from(dice.below(256)).expect("a byte");
                text.insert(at, byte);
            }
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn mutations_of_the_golden_cases_are_read_or_refused() {
    let texts: Vec<Vec<u8>> = corpus().iter().map(|path| read(path).into_bytes()).collect();
    let mut dice = Dice(0x2008_0824);
    for _ in 0..MUTATIONS {
        try_all(&mutate(&texts, &mut dice));
    }
}
