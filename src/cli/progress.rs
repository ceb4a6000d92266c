//! Long work, as it goes on: a spinner with the step that is under way on a terminal, a plain line a step elsewhere.

use std::io::{IsTerminal as _, Write};
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
    lines: Vec<Line>,
    screen: Screen,
}

struct Line {
    name: String,
    bar: ProgressBar,
    last: String,
}

enum Screen {
    Terminal,
    Plain(Box<dyn Write>),
    Quiet,
}

impl Crowd {
    /// `quiet` shows nothing on standard output.
    pub(super) fn new(names: &[impl ToString], quiet: bool) -> Self {
        Self::on(
            match (quiet, std::io::stdout().is_terminal()) {
                (true, _) => Screen::Quiet,
                (false, true) => Screen::Terminal,
                (false, false) => Screen::Plain(Box::new(std::io::stdout())),
            },
            names,
        )
    }

    fn on(screen: Screen, names: &[impl ToString]) -> Self {
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}");
        let style = style.expect("a template that is well-formed");
        let line = |name: &dyn ToString| {
            let bar = match screen {
                Screen::Terminal => all.add(ProgressBar::new_spinner()),
                Screen::Plain(_) | Screen::Quiet => ProgressBar::hidden(),
            };
            bar.set_style(style.clone());
            bar.enable_steady_tick(Duration::from_millis(100));
            Line { name: name.to_string(), bar, last: String::new() }
        };
        Self { lines: names.iter().map(|name| line(name)).collect(), screen }
    }

    /// One of them is at this step, so long after the start.
    pub(super) fn show(&mut self, name: &impl ToString, step: &str, ended: bool, after: Duration) {
        let name = name.to_string();
        let Some(line) = self.lines.iter_mut().find(|line| line.name == name && line.last != step) else { return };
        step.clone_into(&mut line.last);
        let text = format!("{name:<12} {step:<20} {:>7.1} s", after.as_secs_f64());
        match (&mut self.screen, ended) {
            (Screen::Terminal, true) => line.bar.finish_with_message(text),
            (Screen::Terminal, false) => line.bar.set_message(text),
            // A reader who has gone needs no more lines.
            (Screen::Plain(out), _) => drop(writeln!(out, "{text}")),
            (Screen::Quiet, _) => {}
        }
    }

    /// All is done, or is not waited for any more.
    pub(super) fn finish(self) {
        for line in self.lines {
            line.bar.abandon();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Two workers' ways, as they are looked at again and again.
    fn boot_two(crowd: &mut Crowd) {
        let steps = [
            ("w1", "provisioning", 0),
            ("w2", "provisioning", 0),
            ("w1", "provisioning", 250),
            ("w1", "booting", 500),
            ("w2", "failed: provisioning", 750),
            ("w1", "joining: nfs", 2250),
            ("w1", "ready", 8600),
        ];
        for (name, step, ms) in steps {
            let ended = ["ready", "failed"].iter().any(|end| step.starts_with(end));
            crowd.show(&name, step, ended, Duration::from_millis(ms));
        }
    }

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn without_a_terminal_every_change_is_a_line() {
        let paper = Paper::default();
        boot_two(&mut Crowd::on(Screen::Plain(Box::new(paper.clone())), &["w1", "w2"]));
        let lines = paper.0.lock().expect("no panic").clone();
        insta::assert_snapshot!(String::from_utf8(lines).expect("text"));
    }

    #[test]
    fn on_a_terminal_each_has_one_line_that_stays_as_it_ended() {
        let mut crowd = Crowd::on(Screen::Terminal, &["w1", "w2"]);
        boot_two(&mut crowd);
        assert!(crowd.lines.iter().all(|line| line.bar.is_finished()));
        let shown: Vec<_> = crowd.lines.iter().map(|line| line.bar.message()).collect();
        insta::assert_snapshot!(shown.join("\n"));
    }
}
