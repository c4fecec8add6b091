//! How far the run is: bars in a terminal, a line now and then without one, nothing when quiet.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::{Loudness, can_draw, complain};
use crate::model::{RunSummary, Task};

/// What happens in a run.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The input holds so many files, as a first look says; what is found may differ.
    Expected(u64),
    /// So many articles more were found.
    Found(u64),
    /// A source was read.
    Read,
    /// A call was answered, by its endpoint or by the ledger.
    Answered(Task),
    /// An article is done; `earlier`: its row stood in the ledger.
    Done {
        /// Whether no work was needed.
        earlier: bool,
    },
    /// An article was left out by a rule.
    Skipped,
    /// A file was found that is as an earlier run left it, with so many rows.
    Unchanged {
        /// Rows that are done.
        done: u64,
        /// Rows that were skipped.
        skipped: u64,
    },
    /// An article failed.
    Failed,
}

/// Counts what happens and shows it.
#[derive(Debug)]
pub struct Progress {
    start: Instant,
    expected: AtomicU64,
    found: AtomicU64,
    done: AtomicU64,
    earlier: AtomicU64,
    skipped: AtomicU64,
    failed: AtomicU64,
    shown: Shown,
}

#[derive(Debug)]
enum Shown {
    Bars(Box<Bars>),
    Lines,
    Nothing,
}

#[derive(Debug)]
struct Bars {
    all: MultiProgress,
    read: ProgressBar,
    summarise: ProgressBar,
    translate: ProgressBar,
    rows: ProgressBar,
}

impl Progress {
    /// Progress as it suits the place that the program runs in. `tasks`: the calls that the route makes, a bar each.
    pub fn new(loudness: Loudness, tasks: &[Task]) -> Self {
        let shown = match loudness {
            Loudness::Quiet => Shown::Nothing,
            _ if can_draw() => Shown::Bars(Box::new(Bars::new(tasks))),
            _ => Shown::Lines,
        };
        let zero = || AtomicU64::new(0);
        Self {
            start: Instant::now(),
            expected: zero(),
            found: zero(),
            done: zero(),
            earlier: zero(),
            skipped: zero(),
            failed: zero(),
            shown,
        }
    }

    /// Counts and shows an event.
    pub fn tell(&self, event: Event) {
        match event {
            Event::Expected(all) => self.expected.fetch_max(all, Ordering::Relaxed),
            Event::Found(more) => self.found.fetch_add(more, Ordering::Relaxed),
            Event::Done { earlier } => {
                self.earlier.fetch_add(u64::from(earlier), Ordering::Relaxed);
                self.done.fetch_add(1, Ordering::Relaxed)
            }
            Event::Unchanged { done, skipped } => {
                self.found.fetch_add(done + skipped, Ordering::Relaxed);
                self.earlier.fetch_add(done, Ordering::Relaxed);
                self.done.fetch_add(done, Ordering::Relaxed);
                self.skipped.fetch_add(skipped, Ordering::Relaxed)
            }
            Event::Skipped => self.skipped.fetch_add(1, Ordering::Relaxed),
            Event::Failed => self.failed.fetch_add(1, Ordering::Relaxed),
            Event::Read | Event::Answered(_) => 0,
        };
        if let Shown::Bars(bars) = &self.shown {
            bars.tell(event, self.total());
        }
    }

    /// How many articles there will be, as far as is known.
    pub fn total(&self) -> u64 {
        self.expected.load(Ordering::Relaxed).max(self.found.load(Ordering::Relaxed))
    }

    /// The articles so far, with those that have not ended as pending; `cut_short`: those that the walk has not come to are pending too.
    pub fn counts(&self, cut_short: bool) -> RunSummary {
        let [done, earlier, skipped, failed] =
            [&self.done, &self.earlier, &self.skipped, &self.failed].map(|count| count.load(Ordering::Relaxed));
        let found = if cut_short { self.total() } else { self.found.load(Ordering::Relaxed) };
        let ended = done + skipped + failed;
        let found = found.max(ended);
        RunSummary { found, done, earlier, skipped, failed, pending: found - ended, ..RunSummary::default() }
    }

    /// Since the run began.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// The line that is printed now and then where no bar can be drawn.
    pub fn line(&self) {
        if let Shown::Lines = self.shown {
            let RunSummary { done, skipped, failed, .. } = self.counts(false);
            let (total, ended) = (self.total(), done + skipped + failed);
            complain(&format!(
                "depeche: {ended} of {total} articles after {}: {done} done, {failed} failed{}",
                clock(self.elapsed()),
                self.left(total, ended)
            ));
        }
    }

    fn left(&self, total: u64, ended: u64) -> String {
        let seconds = self.elapsed().as_secs_f64();
        if ended == 0 || seconds < 1.0 {
            return String::new();
        }
        // Counts of articles are far below where f64 loses a unit.
        #[expect(clippy::cast_precision_loss, reason = "an estimate for a person")]
        let (rate, rest) = (ended as f64 / seconds, total.saturating_sub(ended) as f64);
        format!(", {rate:.1}/s, about {} left", clock(Duration::from_secs_f64(rest / rate)))
    }

    /// Whether lines are printed.
    pub fn prints_lines(&self) -> bool {
        matches!(self.shown, Shown::Lines)
    }

    /// Runs `print` with the bars out of the way.
    pub fn around(&self, print: impl FnOnce()) {
        match &self.shown {
            Shown::Bars(bars) => bars.all.suspend(print),
            _ => print(),
        }
    }

    /// A bar for a download, which goes when it is dropped by [`ProgressBar::finish_and_clear`]; hidden where no bar can be drawn.
    pub fn download(&self, name: &str) -> ProgressBar {
        let style = style("{prefix:>12} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}");
        match &self.shown {
            Shown::Bars(bars) => bars.all.add(ProgressBar::new(0).with_style(style).with_prefix(name.to_owned())),
            _ => ProgressBar::hidden(),
        }
    }

    /// Takes the bars down.
    pub fn end(&self) {
        if let Shown::Bars(bars) = &self.shown {
            for bar in [&bars.read, &bars.summarise, &bars.translate, &bars.rows] {
                bar.finish_and_clear();
            }
            // A line drawn around a log message may stand; a terminal that cannot be cleared is none.
            let _ = bars.all.clear();
        }
    }
}

impl Bars {
    fn new(tasks: &[Task]) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let bar = |name: &'static str, wanted: bool| {
            if !wanted {
                return ProgressBar::hidden();
            }
            let bar = all.add(ProgressBar::new(0).with_prefix(name));
            bar.set_style(style("{prefix:>10} [{bar:30.cyan}] {pos}/{len}  {rate}  {eta} left  {msg:.red}"));
            bar
        };
        let read = bar("read", true);
        let first = if tasks.contains(&Task::Digest) { "digest" } else { "summarise" };
        let summarise = bar(first, true);
        let translate = bar("translate", tasks.contains(&Task::Translate));
        let rows = bar("rows", true);
        Self { all, read, summarise, translate, rows }
    }

    fn tell(&self, event: Event, total: u64) {
        match event {
            Event::Expected(_) | Event::Found(_) => {
                for bar in [&self.read, &self.summarise, &self.translate, &self.rows] {
                    bar.set_length(total);
                }
            }
            Event::Read => self.read.inc(1),
            Event::Answered(Task::Translate) => self.translate.inc(1),
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
                for bar in [&self.read, &self.summarise, &self.translate, &self.rows] {
                    bar.set_length(total);
                    bar.inc(done + skipped);
                }
            }
            Event::Failed => {
                let failed = self.rows.message().split(' ').next().and_then(|count| count.parse::<u64>().ok()).unwrap_or(0) + 1;
                self.rows.set_message(format!("{failed} failed"));
                self.rows.inc(1);
            }
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let plain = ProgressStyle::default_bar();
    let style = plain.clone().template(template).unwrap_or(plain).progress_chars("━╸ ");
    style.with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
        // A bar that cannot be written has nobody to see it.
        let _ = write!(out, "{:.1}/s", state.per_sec());
    })
}

/// A span of time as a person says it.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) => format!("{:.1} s", time.as_secs_f64()),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_said_as_people_do() {
        assert_eq!(clock(Duration::from_millis(3210)), "3.2 s");
        assert_eq!(clock(Duration::from_secs(125)), "2 min 05 s");
        assert_eq!(clock(Duration::from_mins(122)), "2 h 02 min");
    }
}
