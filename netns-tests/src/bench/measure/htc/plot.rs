//! The plot: efficiency over the round trip, a line for each bag and loss. Pure.

use std::fmt::Write as _;

/// A line of the plot.
pub(super) struct Series {
    pub(super) bag: String,
    pub(super) loss_percent: f64,
    /// Round trip in milliseconds, efficiency; by round trip.
    pub(super) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 400.0;
/// Around the plotted area: left, top, right, bottom.
const MARGIN: (f64, f64, f64, f64) = (56.0, 34.0, 210.0, 48.0);
const LONGEST_MS: f64 = 80.0;
/// A colour a bag, dark enough on white and light enough on black.
const COLOURS: [&str; 2] = ["#2f7ed8", "#d9662b"];
const STYLE: &str = "text { font: 13px system-ui, sans-serif; fill: #555 } .axis { stroke: #999 } .grid { stroke: #999; opacity: .25 } \
    .goal { stroke: #3a9a5b; stroke-dasharray: 6 4 } .goal-text { fill: #3a9a5b } path { fill: none; stroke-width: 2 } \
    @media (prefers-color-scheme: dark) { text { fill: #bbb } .goal-text { fill: #5fc283 } }";

/// The drawing.
pub(super) fn svg(series: &[Series], goal: f64) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"Efficiency of a remote worker over the round trip\">\n<style>{STYLE}</style>\n"
    );
    axes(&mut svg);
    let (left, right) = (x(0.0), x(LONGEST_MS));
    let _ = writeln!(svg, "<line class=\"goal\" x1=\"{left}\" x2=\"{right}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/>", y(goal));
    let _ = writeln!(
        svg,
        "<text class=\"goal-text\" x=\"{:.1}\" y=\"{:.1}\">{goal} to reach</text>",
        right + 10.0,
        y(goal) - 6.0
    );
    let mut bags: Vec<&str> = Vec::new();
    for (row, one) in (0_u8..).zip(series) {
        if !bags.contains(&one.bag.as_str()) {
            bags.push(&one.bag);
        }
        let colour = COLOURS[(bags.len() - 1) % COLOURS.len()];
        line(&mut svg, one, colour);
        legend(&mut svg, one, colour, y(goal) + 26.0 + 22.0 * f64::from(row));
    }
    svg + "</svg>\n"
}

fn axes(svg: &mut String) {
    for tenth in [0_u8, 2, 4, 6, 8, 10] {
        let part = f64::from(tenth) / 10.0;
        let (left, right, at) = (x(0.0), x(LONGEST_MS), y(part));
        let class = if tenth == 0 { "axis" } else { "grid" };
        let _ = writeln!(svg, "<line class=\"{class}\" x1=\"{left}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>");
        let _ =
            writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{part:.1}</text>", left - 8.0, at + 4.0);
    }
    for ms in [0_u8, 20, 40, 60, 80] {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{ms}</text>",
            x(f64::from(ms)),
            y(0.0) + 20.0
        );
    }
    let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"20\">efficiency: local time / remote time</text>", x(0.0));
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">round trip to the cloud, ms</text>",
        x(LONGEST_MS),
        y(0.0) + 40.0
    );
}

fn line(svg: &mut String, series: &Series, colour: &str) {
    let mut path = String::new();
    for (ms, part) in &series.points {
        let _ = write!(path, "{}{:.1},{:.1}", if path.is_empty() { "M" } else { " L" }, x(*ms), y(*part));
        let _ = writeln!(svg, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\" fill=\"{colour}\"/>", x(*ms), y(*part));
    }
    let _ = writeln!(svg, "<path d=\"{path}\" stroke=\"{colour}\" stroke-dasharray=\"{}\"/>", dashes(series));
}

fn legend(svg: &mut String, series: &Series, colour: &str, at: f64) {
    let left = x(LONGEST_MS) + 10.0;
    let _ = writeln!(
        svg,
        "<path d=\"M{left:.1},{0:.1} h30\" stroke=\"{colour}\" stroke-dasharray=\"{1}\"/>",
        at - 4.0,
        dashes(series)
    );
    let lost = if series.loss_percent > 0.0 { format!("{} % lost", series.loss_percent) } else { "no loss".to_owned() };
    let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{at:.1}\">{}, {lost}</text>", left + 38.0, series.bag);
}

/// The more is lost, the thinner the line.
fn dashes(series: &Series) -> &'static str {
    match series.loss_percent {
        none if none <= 0.0 => "none",
        some if some < 0.5 => "8 4",
        _ => "2 4",
    }
}

fn x(ms: f64) -> f64 {
    MARGIN.0 + ms / LONGEST_MS * (WIDTH - MARGIN.0 - MARGIN.2)
}

/// A little room above 1, for a remote worker that was quicker.
fn y(part: f64) -> f64 {
    HEIGHT - MARGIN.3 - part.clamp(0.0, 1.1) / 1.1 * (HEIGHT - MARGIN.1 - MARGIN.3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bag_has_a_colour_and_every_loss_a_pattern() {
        let one = |bag: &str, loss_percent, end| Series {
            bag: bag.to_owned(),
            loss_percent,
            points: vec![(0.0, 1.0), (20.0, 0.97), (80.0, end)],
        };
        let series = [one("short tasks", 0.0, 0.9), one("short tasks", 1.0, 0.4), one("long tasks", 0.1, 1.02)];
        insta::assert_snapshot!(svg(&series, 0.98));
    }
}
