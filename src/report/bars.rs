//! The bars on a terminal: one for reading, one per kind of call, one for finished rows.

use std::fmt::Write;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::Event;
use crate::model::Task;

#[derive(Debug)]
pub(super) struct Bars {
    multi: MultiProgress,
    read: ProgressBar,
    summarise: ProgressBar,
    translate: ProgressBar,
    rows: ProgressBar,
}

impl Bars {
    pub(super) fn new(tasks: &[Task]) -> Self {
        let template = template(console::Term::stderr().size().1);
        let multi = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let bar = |name: &'static str, shown: bool| {
            if !shown {
                return ProgressBar::hidden();
            }
            let bar = multi.add(ProgressBar::new(0).with_prefix(name));
            bar.set_style(style(template));
            bar
        };
        let read = bar("read", true);
        let first = if tasks.contains(&Task::Digest) { "digest" } else { "summarise" };
        let summarise = bar(first, true);
        let translate = bar("translate", tasks.contains(&Task::Translate));
        let rows = bar("rows", true);
        Self { multi, read, summarise, translate, rows }
    }

    fn all(&self) -> [&ProgressBar; 4] {
        [&self.read, &self.summarise, &self.translate, &self.rows]
    }

    /// Shows an event. `total` and `failed` are counts of articles.
    pub(super) fn update(&self, event: Event, total: u64, failed: u64) {
        match event {
            Event::Expected(_) | Event::Found(_) => self.all().into_iter().for_each(|bar| bar.set_length(total)),
            Event::Read => self.read.inc(1),
            Event::Answered(Task::Translate) => self.translate.inc(1),
            // Only some rows are reviewed, so there is no bar for that.
            Event::Answered(Task::Review) | Event::Links(_) => {}
            Event::Answered(_) => self.summarise.inc(1),
            Event::Done { earlier } => {
                if earlier {
                    self.summarise.inc(1);
                    self.translate.inc(1);
                }
                self.rows.inc(1);
            }
            Event::Skipped => self.rows.inc(1),
            Event::Unchanged { done, skipped } => {
                for bar in self.all() {
                    bar.set_length(total);
                    bar.inc(done + skipped);
                }
            }
            Event::Failed => {
                self.rows.set_message(format!("{failed} failed"));
                self.rows.inc(1);
            }
        }
    }

    pub(super) fn suspend(&self, print: impl FnOnce()) {
        self.multi.suspend(print);
    }

    pub(super) fn download(&self, name: &str) -> ProgressBar {
        let style = style("{prefix:>12} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}");
        self.multi.add(ProgressBar::new(0).with_style(style).with_prefix(name.to_owned()))
    }

    pub(super) fn finish(&self) {
        self.all().into_iter().for_each(ProgressBar::finish_and_clear);
        // Clearing is best effort.
        let _ = self.multi.clear();
    }
}

/// The format of a bar on a terminal of this many columns. A line that is too long would be cut
/// before the number of failures.
fn template(columns: u16) -> &'static str {
    if columns < 88 {
        "{prefix:>9} [{bar:12.cyan}] {pos}/{len} {eta} {msg:.red}"
    } else {
        "{prefix:>10} [{bar:30.cyan}] {pos}/{len}  {rate}  {eta} left  {msg:.red}"
    }
}

fn style(template: &str) -> ProgressStyle {
    let plain = ProgressStyle::default_bar();
    let style = plain.clone().template(template).unwrap_or(plain).progress_chars("━╸ ");
    style.with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
        // Drawing is best effort.
        let _ = write!(out, "{:.1}/s", state.per_sec());
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_fit_their_terminal() {
        let longest = |columns| {
            let values = [
                ("{prefix:>9}", "summarise"),
                ("{prefix:>10}", " summarise"),
                ("{pos}/{len}", "12345/50000"),
                ("{rate}", "123.4/s"),
                ("{eta}", "12m"),
                ("{msg:.red}", "12345 failed"),
                ("{bar:12.cyan}", "━━━━━━━━━━━━"),
                ("{bar:30.cyan}", "━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━"),
            ];
            let line = values.iter().fold(template(columns).to_owned(), |line, (key, value)| line.replace(key, value));
            assert!(!line.contains('{'), "{line}");
            console::measure_text_width(&line)
        };
        assert!(longest(60) <= 60 && longest(87) <= 60, "{}", longest(60));
        assert!(longest(88) <= 88 && longest(200) <= 88, "{}", longest(88));
    }
}
