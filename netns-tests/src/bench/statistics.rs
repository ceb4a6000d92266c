//! Samples of one quantity. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Thousandths of a second.
    Milliseconds,
    /// Thousand millions of bits in a second.
    GbitPerSecond,
    /// So many in a second.
    PerSecond,
    /// 2^20 bytes.
    Mebibytes,
    /// How many times as much as something else.
    Times,
    /// A part of a whole, 1 for all of it.
    Part,
    /// Just how many.
    Count,
}

impl Unit {
    /// As it stands behind a number.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Seconds => " s",
            Self::Milliseconds => " ms",
            Self::GbitPerSecond => " Gbit/s",
            Self::PerSecond => " /s",
            Self::Mebibytes => " MiB",
            Self::Times => " ×",
            Self::Part | Self::Count => "",
        }
    }

    /// A number of this unit.
    pub fn show(self, value: f64) -> String {
        format!("{}{}", number(value), self.symbol())
    }

    /// The same to a thousandth.
    pub fn show_exactly(self, value: f64) -> String {
        format!("{value:.3}{}", self.symbol())
    }
}

/// Three digits that count, and no more than are known.
pub fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 99.5 => format!("{value:.0}"),
        middle if middle >= 9.95 => format!("{value:.1}"),
        small if small >= 0.0995 => format!("{value:.2}"),
        tiny if tiny >= 0.000_5 => format!("{value:.3}"),
        _ => "0".to_owned(),
    }
}

/// The values of several runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// What they count.
    pub unit: Unit,
    /// In the order of the runs; never empty.
    pub values: Vec<f64>,
}

impl Sample {
    /// The values of a quantity; `None` without any.
    pub fn new(unit: Unit, values: Vec<f64>) -> Option<Self> {
        (!values.is_empty()).then_some(Self { unit, values })
    }

    /// One value that has no spread.
    pub fn single(unit: Unit, value: f64) -> Self {
        Self { unit, values: vec![value] }
    }

    /// Times in milliseconds; `None` without any.
    pub fn of_milliseconds(times: &[Duration]) -> Option<Self> {
        Self::new(Unit::Milliseconds, times.iter().map(|time| time.as_secs_f64() * 1000.0).collect())
    }

    /// The middle one; of an even number, the mean of the two in the middle.
    pub fn median(&self) -> f64 {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
    }

    /// The least and the greatest.
    pub fn spread(&self) -> (f64, f64) {
        let sorted = self.sorted();
        (sorted[0], sorted[sorted.len() - 1])
    }

    /// The median, and the spread where there was more than one run.
    pub fn show(&self) -> String {
        let median = self.unit.show(self.median());
        match self.spread() {
            _ if self.values.len() == 1 => median,
            (least, greatest) => format!("{median} ({}–{})", number(least), number(greatest)),
        }
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::new(Unit::Milliseconds, values.to_vec()).expect("values")
    }

    #[test]
    fn the_median_is_the_middle_one_however_they_came() {
        assert!((sample(&[9.0, 1.0, 5.0]).median() - 5.0).abs() < f64::EPSILON);
        assert!((sample(&[9.0, 1.0, 5.0, 6.0]).median() - 5.5).abs() < f64::EPSILON);
    }

    #[test]
    fn one_wild_run_moves_the_spread_and_not_the_median() {
        let wild = sample(&[1.0, 1.1, 900.0]);
        assert!((wild.median() - 1.1).abs() < f64::EPSILON);
        assert_eq!(wild.spread(), (1.0, 900.0));
    }

    #[test]
    fn a_single_run_claims_no_spread() {
        assert_eq!(sample(&[12.0]).show(), "12.0 ms");
        assert_eq!(sample(&[12.0, 10.0, 14.0]).show(), "12.0 ms (10.0–14.0)");
    }

    #[test]
    fn nothing_measured_is_no_sample() {
        assert_eq!(Sample::new(Unit::Count, vec![]), None);
    }

    #[test]
    fn three_digits_are_shown_of_every_size() {
        let shown = [0.0, 0.001_23, 0.2345, 1.0, 9.999, 12.34, 99.96, 1234.5].map(number);
        assert_eq!(shown, ["0", "0.001", "0.23", "1.00", "10.0", "12.3", "100", "1234"]);
    }
}
