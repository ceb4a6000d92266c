//! Long work, as it goes on: a spinner with the step that is under way on a terminal, a plain line a step elsewhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Shows steps as they begin.
pub(super) struct Steps {
    spinner: Option<ProgressBar>,
}

impl Steps {
    pub(super) fn new() -> Self {
        let spinner = std::io::stdout().is_terminal().then(|| {
            let spinner = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}");
            spinner.set_style(style.expect("a template that is well-formed"));
            spinner.enable_steady_tick(Duration::from_millis(100));
            spinner
        });
        Self { spinner }
    }

    /// A step begins; the one before it has ended.
    pub(super) fn begin(&mut self, line: &str) {
        match &self.spinner {
            Some(spinner) => {
                let ended = spinner.message();
                if !ended.is_empty() {
                    spinner.println(ended);
                }
                spinner.set_message(line.to_owned());
            }
            None => println!("{line}"),
        }
    }

    /// All is done.
    pub(super) fn finish(self) {
        if let Some(spinner) = &self.spinner {
            let ended = spinner.message();
            spinner.finish_and_clear();
            if !ended.is_empty() {
                println!("{ended}");
            }
        }
    }
}

/// A failure leaves the step that failed on the screen.
impl Drop for Steps {
    fn drop(&mut self) {
        if let Some(spinner) = &self.spinner
            && !spinner.is_finished()
        {
            spinner.abandon();
        }
    }
}

/// Many things at once: a line each on a terminal, a plain line for every change elsewhere.
pub(super) struct Crowd {
    lines: Vec<(String, ProgressBar, String)>,
    terminal: bool,
    quiet: bool,
}

impl Crowd {
    /// `quiet` shows nothing on standard output.
    pub(super) fn new(names: &[impl ToString], quiet: bool) -> Self {
        let terminal = !quiet && std::io::stdout().is_terminal();
        let screen = MultiProgress::new();
        let style = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}");
        let style = style.expect("a template that is well-formed");
        let line = |name: &dyn ToString| {
            let bar = if terminal { screen.add(ProgressBar::new_spinner()) } else { ProgressBar::hidden() };
            bar.set_style(style.clone());
            bar.enable_steady_tick(Duration::from_millis(100));
            (name.to_string(), bar, String::new())
        };
        Self { lines: names.iter().map(|name| line(name)).collect(), terminal, quiet }
    }

    /// One of them is at this step, so long after the start.
    pub(super) fn show(&mut self, name: &impl ToString, step: &str, ended: bool, after: Duration) {
        let name = name.to_string();
        let Some((_, bar, last)) = self.lines.iter_mut().find(|(line, ..)| *line == name) else { return };
        if last == step {
            return;
        }
        step.clone_into(last);
        let text = format!("{name:<12} {step:<20} {:>7.1} s", after.as_secs_f64());
        match (self.terminal, ended) {
            (true, true) => bar.finish_with_message(text),
            (true, false) => bar.set_message(text),
            _ if self.quiet => {}
            _ => println!("{text}"),
        }
    }

    /// All is done, or is not waited for any more.
    pub(super) fn finish(self) {
        for (_, bar, _) in self.lines {
            bar.abandon();
        }
    }
}
