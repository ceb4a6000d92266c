//! Long work, as it goes on: a spinner with the step that is under way on a terminal, a plain line a step elsewhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

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
