//! Figures that are to be reached.

use serde::{Deserialize, Serialize};

use crate::bench::statistics::Unit;

/// On which side of the figure it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// It is reached at this figure or above.
    AtLeast(f64),
    /// It is reached at this figure or below.
    AtMost(f64),
}

/// A figure of the design, and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// Of what: `one reconcile of 1,000 workers`.
    pub what: String,
    /// What both numbers count.
    pub unit: Unit,
    /// What is to be reached.
    pub asked: Bound,
    /// What was; `None` when it could not be measured.
    pub got: Option<f64>,
    /// What holds it back, as it was measured; shown while the goal is not reached.
    pub held_back: Option<String>,
}

impl Goal {
    /// A goal, and what was measured for it.
    pub fn new(what: &str, unit: Unit, asked: Bound, got: Option<f64>) -> Self {
        Self { what: what.to_owned(), unit, asked, got, held_back: None }
    }

    /// Says what holds it back, for as long as it isn't reached.
    pub fn or_because(mut self, held_back: impl Into<String>) -> Self {
        self.held_back = Some(held_back.into());
        self
    }

    /// Whether it is reached. What could not be measured is not.
    pub fn is_reached(&self) -> bool {
        match (self.asked, self.got) {
            (_, None) => false,
            (Bound::AtLeast(figure), Some(got)) => got >= figure,
            (Bound::AtMost(figure), Some(got)) => got <= figure,
        }
    }

    /// What was asked, as `≤ 50.0 ms`.
    pub fn shown_asked(&self) -> String {
        match self.asked {
            Bound::AtLeast(figure) => format!("≥ {}", self.unit.show(figure)),
            Bound::AtMost(figure) => format!("≤ {}", self.unit.show(figure)),
        }
    }

    /// What was got, in so many digits that it is seen on which side of the figure it is.
    pub fn shown_got(&self) -> String {
        let Some(got) = self.got else { return "not measured".to_owned() };
        let (Bound::AtLeast(figure) | Bound::AtMost(figure)) = self.asked;
        let shown = self.unit.show(got);
        if self.is_reached() || shown != self.unit.show(figure) { shown } else { self.unit.show_exactly(got) }
    }

    /// One word on it.
    pub fn verdict(&self) -> &'static str {
        if self.is_reached() { "reached" } else { "not reached" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(asked: Bound, got: Option<f64>) -> Goal {
        Goal::new("a thing", Unit::Times, asked, got)
    }

    #[test]
    fn the_figure_itself_is_reached_on_either_side() {
        assert!(goal(Bound::AtLeast(8.0), Some(8.0)).is_reached());
        assert!(goal(Bound::AtMost(8.0), Some(8.0)).is_reached());
        assert!(!goal(Bound::AtLeast(8.0), Some(7.99)).is_reached());
        assert!(!goal(Bound::AtMost(8.0), Some(8.01)).is_reached());
    }

    #[test]
    fn one_that_is_missed_by_a_hair_does_not_look_like_the_figure() {
        assert_eq!(goal(Bound::AtLeast(0.98), Some(0.9769)).shown_got(), "0.977 ×");
        assert_eq!(goal(Bound::AtLeast(0.98), Some(0.9801)).shown_got(), "0.98 ×");
    }

    #[test]
    fn what_could_not_be_measured_is_not_reached() {
        assert!(!goal(Bound::AtMost(8.0), None).is_reached());
        assert_eq!(goal(Bound::AtMost(8.0), None).shown_got(), "not measured");
    }
}
