//! `[run]`: limits, notifications and logging of a run.

use std::time::Duration;

use jiff::civil::Time;
use serde::Deserialize;

use super::spanned::Spanned;
use super::validator::{Validator, flag_or};

/// The formats of the log, and whether each is JSON.
pub(super) const LOGS: &[(&str, bool)] = &[("text", false), ("json", true)];

/// `[run]`. A limit that is `None` does not apply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunSettings {
    /// The maximum cost in twelve hours, in the currency of the prices.
    pub max_cost: Option<f64>,
    /// The maximum number of articles to do.
    pub max_articles: Option<u64>,
    /// The maximum duration.
    pub max_time: Option<Duration>,
    /// The local time of day at which the run ends.
    pub deadline: Option<Time>,
    /// The number of failed articles that ends the run.
    pub max_failures: Option<FailureLimit>,
    /// A URL that gets a POST when the run succeeds. When it does not, `/fail` is appended to the
    /// URL.
    pub ping: Option<String>,
    /// Whether to log JSON.
    pub log_json: bool,
    /// Whether an input without any file empties the table, instead of counting as a fault. It is a
    /// key of `[input]`.
    pub allow_empty: bool,
}

/// How many articles may fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FailureLimit {
    /// An absolute number.
    Count(u64),
    /// A share of all articles tried, from 0 to 1.
    Share(f64),
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawRun {
    /// Stops before spending more than this in 12 hours, in the currency of the prices.
    max_cost: Option<Spanned<f64>>,
    /// Stops after this many articles; unchanged articles do not count.
    max_articles: Option<Spanned<i64>>,
    /// Stops after this much time, such as "4h".
    max_time: Option<Spanned<String>>,
    /// Stops at this local time, such as "06:30".
    deadline: Option<Spanned<String>>,
    /// Stops when more articles than this have failed: a share such as "10%", or a number such as
    /// "50".
    max_failures: Option<Spanned<String>>,
    /// A URL that gets a POST after each run, with /fail appended unless the exit code is 0.
    ping: Option<Spanned<String>>,
    /// The format of the log on standard error. Default: "text".
    log: Option<Spanned<String>>,
}

/// The flags that override `[run]`.
#[derive(Clone, Debug, Default)]
pub struct RunFlags {
    /// See [`RunSettings::max_cost`].
    pub max_cost: Option<f64>,
    /// See [`RunSettings::max_articles`].
    pub max_articles: Option<i64>,
    /// See [`RunSettings::max_time`].
    pub max_time: Option<String>,
    /// See [`RunSettings::deadline`].
    pub deadline: Option<String>,
    /// See [`RunSettings::max_failures`].
    pub max_failures: Option<String>,
    /// `text` or `json`.
    pub log: Option<String>,
    /// See [`RunSettings::allow_empty`].
    pub allow_empty: bool,
}

impl RawRun {
    /// Applies the flags of the command line.
    fn with_flags(self, flags: RunFlags) -> Self {
        Self {
            max_cost: flag_or(flags.max_cost, self.max_cost),
            max_articles: flag_or(flags.max_articles, self.max_articles),
            max_time: flag_or(flags.max_time, self.max_time),
            deadline: flag_or(flags.deadline, self.deadline),
            max_failures: flag_or(flags.max_failures, self.max_failures),
            ping: self.ping,
            log: flag_or(flags.log, self.log),
        }
    }
}

impl Validator<'_> {
    pub(super) fn run(&mut self, raw: RawRun, allow_empty: bool, flags: &RunFlags) -> RunSettings {
        let raw = raw.with_flags(flags.clone());
        RunSettings {
            max_cost: raw.max_cost.and_then(|written| self.cost(&written)),
            max_articles: raw.max_articles.map(|written| self.number(Some(written), "max_articles", 1, 1..=1_000_000_000) as u64),
            max_time: raw.max_time.and_then(|written| self.duration(&written)),
            deadline: raw.deadline.and_then(|written| self.time_of_day(&written, "deadline")),
            max_failures: raw.max_failures.and_then(|written| self.failures(&written)),
            ping: raw.ping.and_then(|written| self.url(&written)),
            log_json: self.choose(raw.log, "log", LOGS, false),
            allow_empty: allow_empty || flags.allow_empty,
        }
    }

    fn cost(&mut self, written: &Spanned<f64>) -> Option<f64> {
        let cost = *written.get_ref();
        if cost.is_finite() && cost > 0.0 {
            return Some(cost);
        }
        self.problem(&written.span(), format!("`max_cost` is {cost}, but must be above 0"), None);
        None
    }

    /// A local time of day.
    pub(super) fn time_of_day(&mut self, written: &Spanned<String>, key: &str) -> Option<Time> {
        let parsed = Time::strptime("%H:%M", written.get_ref()).ok();
        if parsed.is_none() {
            let message = format!("invalid `{key}`: `{}`", written.get_ref());
            self.problem(&written.span(), message, Some("use a time of day such as \"06:30\"".into()));
        }
        parsed
    }

    fn failures(&mut self, written: &Spanned<String>) -> Option<FailureLimit> {
        let text = written.get_ref().trim();
        let most = match text.strip_suffix('%') {
            Some(share) => {
                let share = share.trim().parse::<f64>().ok().filter(|share| (0.0..=100.0).contains(share));
                share.map(|share| FailureLimit::Share(share / 100.0))
            }
            None => text.parse().ok().map(FailureLimit::Count),
        };
        if most.is_none() {
            let message = format!("invalid `max_failures`: `{text}`");
            self.problem(&written.span(), message, Some("use a share such as \"10%\" or a number such as \"50\"".into()));
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn run_settings(lines: &str, flags: &RunFlags) -> Result<RunSettings, String> {
        let raw = toml::from_str::<RawRun>(lines).map_err(|error| error.to_string())?;
        let mut validator = Validator { path: Path::new("c"), text: lines, folder: PathBuf::new(), dialects: &[], problems: Vec::new() };
        let run = validator.run(raw, false, flags);
        validator.problems.first().map_or(Ok(run), |problem| Err(problem.to_string()))
    }

    #[test]
    fn every_limit_is_read_and_flags_take_precedence() {
        let lines = "max_cost = 5\nmax_articles = 100\nmax_time = \"4h\"\ndeadline = \"06:30\"\nmax_failures = \"10%\"\nlog = \"json\"";
        let run = run_settings(lines, &RunFlags { max_failures: Some("7".into()), ..RunFlags::default() }).unwrap();
        let wanted = RunSettings {
            max_cost: Some(5.0),
            max_articles: Some(100),
            max_time: Some(Duration::from_hours(4)),
            deadline: Some(Time::constant(6, 30, 0, 0)),
            max_failures: Some(FailureLimit::Count(7)),
            ping: None,
            log_json: true,
            allow_empty: false,
        };
        assert_eq!(run, wanted);
        assert_eq!(run_settings("max_failures = \"2.5 %\"", &RunFlags::default()).unwrap().max_failures, Some(FailureLimit::Share(0.025)));
    }

    #[test]
    fn invalid_limits_are_reported_with_their_place() {
        for lines in [
            "max_cost = nan",
            "max_cost = 0.0",
            "max_cost = -1",
            "max_articles = 0",
            "deadline = \"25:00\"",
            "deadline = \"6h\"",
            "max_time = \"soon\"",
            "max_failures = \"120%\"",
            "max_failures = \"-1\"",
            "log = \"xml\"",
            "ping = \"ftp://x\"",
        ] {
            let problem = run_settings(lines, &RunFlags::default()).unwrap_err();
            assert!(problem.starts_with("c:1:"), "{lines}: {problem}");
        }
        assert!(run_settings("max_cots = 1", &RunFlags::default()).unwrap_err().contains("max_cots"));
    }
}
