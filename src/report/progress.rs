//! The progress of a run: bars on a terminal, a line now and then elsewhere, nothing with
//! `--quiet`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::bars::Bars;
use super::{Event, Verbosity, can_draw, counted, human_duration, print_stderr};
use crate::model::{RunSummary, Task};

/// Counts events and shows the counts.
#[derive(Debug)]
pub struct Progress {
    start: OnceLock<Instant>,
    expected: AtomicU64,
    found: AtomicU64,
    done: AtomicU64,
    earlier: AtomicU64,
    skipped: AtomicU64,
    failed: AtomicU64,
    links: AtomicU64,
    display: Display,
}

#[derive(Debug)]
enum Display {
    Bars(Box<Bars>),
    Lines,
    Nothing,
}

impl Progress {
    /// Counts from zero. `tasks` are the calls that the route makes; each gets a bar. The clock
    /// starts with [`Progress::start_clock`], or when the time is first asked for.
    pub fn new(verbosity: Verbosity, tasks: &[Task]) -> Self {
        let display = match verbosity {
            Verbosity::Quiet => Display::Nothing,
            _ if can_draw() => Display::Bars(Box::new(Bars::new(tasks))),
            _ => Display::Lines,
        };
        let zero = || AtomicU64::new(0);
        Self {
            start: OnceLock::new(),
            expected: zero(),
            found: zero(),
            done: zero(),
            earlier: zero(),
            skipped: zero(),
            failed: zero(),
            links: zero(),
            display,
        }
    }

    /// Starts the clock of the run, unless it has started already. The time before, such as the
    /// wait for a ledger, does not count.
    pub fn start_clock(&self) {
        self.start.get_or_init(Instant::now);
    }

    /// Counts from zero again, for another pass over the articles. The time goes on.
    pub fn begin_again(&self) {
        let Self { expected, found, done, earlier, skipped, failed, links, .. } = self;
        for count in [expected, found, done, earlier, skipped, failed, links] {
            count.store(0, Ordering::Relaxed);
        }
    }

    /// Counts an event and updates the bars.
    pub fn update(&self, event: Event) {
        match event {
            Event::Expected(files) => self.expected.fetch_max(files, Ordering::Relaxed),
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
            Event::Links(links) => self.links.fetch_add(links, Ordering::Relaxed),
            Event::Read | Event::Answered(_) => 0,
        };
        if let Display::Bars(bars) = &self.display {
            bars.update(event, self.total(), self.failed.load(Ordering::Relaxed));
        }
    }

    /// The number of articles, as far as it is known.
    pub fn total(&self) -> u64 {
        self.expected.load(Ordering::Relaxed).max(self.found.load(Ordering::Relaxed))
    }

    /// The articles so far. Articles that have not ended are pending. If the run ended early, files
    /// that it expected but did not reach are pending too.
    pub fn counts(&self, cut_short: bool) -> RunSummary {
        let [done, earlier, skipped, failed] =
            [&self.done, &self.earlier, &self.skipped, &self.failed].map(|count| count.load(Ordering::Relaxed));
        let found = if cut_short { self.total() } else { self.found.load(Ordering::Relaxed) };
        let ended = done + skipped + failed;
        let found = found.max(ended);
        let links = self.links.load(Ordering::Relaxed);
        RunSummary { found, done, earlier, skipped, failed, pending: found - ended, links, ..RunSummary::default() }
    }

    /// The time since the start of the run.
    pub fn elapsed(&self) -> Duration {
        self.start.get_or_init(Instant::now).elapsed()
    }

    /// Prints a line of progress, unless there are bars or the run is quiet.
    pub fn print_line(&self) {
        if let Display::Lines = self.display {
            let RunSummary { done, skipped, failed, .. } = self.counts(false);
            let (total, ended) = (self.total(), done + skipped + failed);
            print_stderr(&format!(
                "depeche: {ended} of {} in {}: {done} done, {failed} failed{}",
                counted(total, "article"),
                human_duration(self.elapsed()),
                self.time_left(total, ended)
            ));
        }
    }

    fn time_left(&self, total: u64, ended: u64) -> String {
        let seconds = self.elapsed().as_secs_f64();
        if ended == 0 || seconds < 1.0 {
            return String::new();
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of articles are far below 2^53")]
        let (rate, rest) = (ended as f64 / seconds, total.saturating_sub(ended) as f64);
        format!(", {rate:.1}/s, about {} left", human_duration(Duration::from_secs_f64(rest / rate)))
    }

    /// Prints a line about work that has no bar, unless the run is quiet.
    pub fn say(&self, line: &str) {
        match &self.display {
            Display::Nothing => {}
            _ => self.suspend(|| print_stderr(&format!("depeche: {line}"))),
        }
    }

    /// Whether progress is printed as lines.
    pub fn prints_lines(&self) -> bool {
        matches!(self.display, Display::Lines)
    }

    /// Calls `print` while the bars are hidden.
    pub fn suspend(&self, print: impl FnOnce()) {
        match &self.display {
            Display::Bars(bars) => bars.suspend(print),
            _ => print(),
        }
    }

    /// Adds a bar for a download; hidden if no bars can be drawn.
    pub fn download(&self, name: &str) -> ProgressBar {
        match &self.display {
            Display::Bars(bars) => bars.download(name),
            _ => ProgressBar::hidden(),
        }
    }

    /// Removes the bars.
    pub fn finish(&self) {
        if let Display::Bars(bars) = &self.display {
            bars.finish();
        }
    }
}
