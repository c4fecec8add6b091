//! Groups of options that several commands share.

#![expect(clippy::doc_markdown, reason = "clap prints these comments as help")]

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};

use crate::config::{Config, Overrides, Problem, RunFlags, Shown, load, show};
use crate::dialect;
use crate::model::{Fault, Flag};
use crate::report::Verbosity;

const LIMITS: &str = "Limits (exit code 6)";
const LOGGING: &str = "Logging options";

/// For every command that reads the config.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::command) struct ConfigArguments {
    /// Config file [default: config.toml, if it exists]
    #[arg(long = "config", value_name = "FILE")]
    pub(in crate::command) file: Option<PathBuf>,
}

/// For every command that works on one ledger.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::command) struct FolderArguments {
    /// Folder of the table and the ledger [config: output.folder, default: output]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArguments,
}

impl FolderArguments {
    /// These options as the user wrote them, each after a space, for commands that the user may run
    /// next.
    pub(in crate::command) fn as_written(&self) -> String {
        let option = |name: &str, path: Option<&PathBuf>| path.map_or_else(String::new, |path| format!(" --{name} {}", path.display()));
        option("config", self.config.file.as_ref()) + &option("output", self.output.as_ref())
    }
}

/// For every command that writes a log.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::command) struct LogArguments {
    /// Print errors only
    #[arg(short, long, conflicts_with = "verbose", help_heading = LOGGING)]
    quiet: bool,
    /// Log decisions (-v), or every attempt too (-vv)
    #[arg(short, long, action = clap::ArgAction::Count, help_heading = LOGGING)]
    verbose: u8,
}

/// For commands without a log. Scripts may pass these options to every command.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::command) struct IgnoredLogArguments {
    #[arg(short, long = "quiet", conflicts_with = "_verbose", hide = true)]
    _quiet: bool,
    #[arg(short, long = "verbose", action = clap::ArgAction::Count, hide = true)]
    _verbose: u8,
}

/// For a run and its estimate: the options that shape the calls.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::command) struct CallArguments {
    /// How to summarise and translate an article
    /// [config: summary.route, default: summarise-then-translate]
    #[arg(long, value_name = "ROUTE", value_parser = routes())]
    route: Option<String>,
    /// Maximum concurrent calls to each endpoint [config: endpoint.concurrency, default: auto]
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000)
    )]
    concurrency: Option<usize>,
}

/// For every command that makes calls and writes the table.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::command) struct ExecutionArguments {
    #[command(flatten)]
    pub(in crate::command) folder: FolderArguments,
    #[command(flatten)]
    calls: CallArguments,
    /// Format of the table [config: output.profile, default: plain]
    #[arg(long, value_name = "PROFILE", value_parser = profiles())]
    profile: Option<String>,
    /// Wait this long for an unavailable endpoint, e.g. 2m
    /// [config: endpoint.wait_for, default: 45s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    wait_for: Option<Duration>,
    /// Wait if another run is active
    #[arg(long)]
    pub(in crate::command) wait: bool,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    pub(in crate::command) log: LogArguments,
    /// Format of the log on standard error [config: run.log, default: text]
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json"], help_heading = LOGGING)]
    log_format: Option<String>,
}

/// What ends a run early.
#[derive(Clone, Debug, Default, Args)]
struct LimitArguments {
    /// Stop before spending more than SUM in 12 hours [config: run.max_cost]
    ///
    /// Earlier runs in the last 12 hours count. Every endpoint needs a price.
    #[arg(long, value_name = "SUM", help_heading = LIMITS)]
    max_cost: Option<f64>,
    /// Stop after N articles [config: run.max_articles]
    ///
    /// Articles that have not changed do not count.
    #[arg(long, value_name = "N", help_heading = LIMITS)]
    max_articles: Option<i64>,
    /// Stop after this much time, e.g. 4h or 90m [config: run.max_time]
    #[arg(long, value_name = "DURATION", help_heading = LIMITS)]
    max_time: Option<String>,
    /// Stop at a local time, e.g. 06:30 [config: run.deadline]
    #[arg(long, value_name = "HH:MM", help_heading = LIMITS)]
    deadline: Option<String>,
    /// Stop when more than N articles, or N% of them, have failed [config: run.max_failures]
    ///
    /// A percentage applies from the 20th article on.
    #[arg(long, value_name = "N|N%", help_heading = LIMITS)]
    max_failures: Option<String>,
}

impl ConfigArguments {
    pub(in crate::command) fn load(&self, overrides: &Overrides) -> Result<Config, Fault> {
        load(self.file.as_deref(), overrides, &dialect::facts()).map_err(|problems| fault(&problems))
    }
}

fn fault(problems: &[Problem]) -> Fault {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Fault::usage(lines.join("\n"))
}

impl FolderArguments {
    pub(in crate::command) fn load(&self) -> Result<Config, Fault> {
        self.load_with(Overrides::default())
    }

    /// Loads the config with these overrides, and the output folder on top.
    pub(super) fn load_with(&self, overrides: Overrides) -> Result<Config, Fault> {
        self.config.load(&Overrides { output: self.output.clone(), ..overrides })
    }
}

impl CallArguments {
    pub(super) fn overrides(&self) -> Overrides {
        let Self { route, concurrency } = self.clone();
        Overrides { route, concurrency, ..Overrides::default() }
    }
}

impl ExecutionArguments {
    pub(super) fn load(&self, paths: Vec<PathBuf>, allow_empty: bool) -> Result<Config, Fault> {
        self.folder.config.load(&self.overrides(paths, allow_empty))
    }

    /// What [`Self::load`] would load, and where it comes from.
    pub(super) fn show(&self, paths: Vec<PathBuf>, allow_empty: bool) -> Result<Shown, Fault> {
        let overrides = self.overrides(paths, allow_empty);
        show(self.folder.config.file.as_deref(), &overrides, &dialect::facts()).map_err(|problems| fault(&problems))
    }

    fn overrides(&self, paths: Vec<PathBuf>, allow_empty: bool) -> Overrides {
        let LimitArguments { max_cost, max_articles, max_time, deadline, max_failures } = self.limits.clone();
        let log = self.log_format.clone();
        Overrides {
            paths,
            output: self.folder.output.clone(),
            profile: self.profile.clone(),
            run: RunFlags { max_cost, max_articles, max_time, deadline, max_failures, log, allow_empty },
            wait_for: self.wait_for,
            ..self.calls.overrides()
        }
    }
}

impl LogArguments {
    pub(in crate::command) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, level) => Verbosity::Verbose(level),
        }
    }
}

fn routes() -> [PossibleValue; 3] {
    [
        PossibleValue::new("summarise-then-translate").help("Summarise the article, then translate its title and summary"),
        PossibleValue::new("translate-then-summarise").help("Translate the article to English, then summarise it"),
        PossibleValue::new("single-call").help("Get everything in one call to a chat model"),
    ]
}

pub(super) fn profiles() -> [PossibleValue; 2] {
    [
        PossibleValue::new("plain").help("UTF-8, commas, LF"),
        PossibleValue::new("excel-fr").help("For French Excel: byte order mark, semicolons, decimal commas, CRLF"),
    ]
}

/// The codes of the flags: the names of the checks, and a few others.
pub(super) fn flags() -> PossibleValuesParser {
    Flag::ALL.map(Flag::code).into()
}

/// Parses a duration as the config writes it: `45s`, `2m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
    parsed.ok_or_else(|| "expected a duration such as 45s or 2m".into())
}
