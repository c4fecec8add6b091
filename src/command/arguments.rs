//! The command line as clap parses it, and its help.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Overrides, RunFlags, load};
use crate::dialect;
use crate::model::Fault;
use crate::report::Verbosity;

const ABOUT: &str = "Summarise and translate a folder of articles into a French-English table";

const LONG_ABOUT: &str = "Summarise and translate a folder of articles into a French-English table

The HTTP services named in config.toml do the work; without a config, the embedded endpoint does it. \
`depeche` without a command is short for `depeche run`.

[config: KEY] marks an option whose default comes from KEY in the config.";

const AFTER_HELP: &str = "[config: KEY] marks an option whose default comes from KEY in the config.
`depeche --help` also shows examples and exit codes.";

const AFTER_LONG_HELP: &str = "Examples:
  depeche articles/            Summarise and translate a folder
  depeche plan                 See what a run would do and cost
  depeche run --max-cost 5     Spend at most 5 in 12 hours
  depeche retry                Retry the articles that failed
  depeche why articles/a.txt   See what happened to an article
  depeche init openai          Write a config for OpenAI

Exit codes:
  0    Success, or nothing to do
  1    Bug in depeche
  2    Wrong usage, or a problem with the config, ledger or output folder
  3    Finished, but some articles failed; or the input is empty
  4    An endpoint refuses calls: fix its key, quota, URL or model
  5    An endpoint is unavailable: try again later
  6    Stopped by a limit that you set
  11   Another run is active
  130  Interrupted (SIGINT)
  143  Terminated (SIGTERM)";

const CHECK_EXAMPLES: &str = "Examples:
  depeche check translations.csv --source text_fr --target text_en
  depeche check summaries.csv --source article --target summary --summary --jsonl";

const LIMITS: &str = "Limits (exit code 6)";
const LOGGING: &str = "Logging options";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "depeche",
    version,
    about = ABOUT,
    long_about = LONG_ABOUT,
    after_help = AFTER_HELP,
    after_long_help = AFTER_LONG_HELP,
    args_conflicts_with_subcommands = true,
    max_term_width = 100
)]
pub struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) run: RunArguments,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Summarise and translate articles (the default command)
    Run(RunArguments),
    /// Estimate the calls, cost and time of a run, without making calls
    Plan(PlanArguments),
    /// Retry the articles that failed, and nothing else
    Retry(RetryArguments),
    /// Show recent runs, failures by reason, and costs
    Status(FolderArguments),
    /// Show an article's status, flags, calls and cost
    Why(WhyArguments),
    /// Print rows from the ledger as CSV or JSON Lines
    Export(ExportArguments),
    /// Delete old rows, replies and runs from the ledger
    ///
    /// Deletes rows that are no longer in the table, replies that no row needs, and runs. The table
    /// stays as it is.
    Forget(ForgetArguments),
    /// Print the extracted articles as JSON Lines; no network
    Read(ReadArguments),
    /// Check the summaries or translations in any CSV file; no network
    ///
    /// Prints a line for each finding. Exits with 3 if there are any.
    #[command(after_long_help = CHECK_EXAMPLES)]
    Check(CheckArguments),
    /// Check the config, and whether each endpoint is ready
    ///
    /// Sends each endpoint a request that costs nothing.
    Doctor(CommonArguments),
    /// Run the embedded endpoint as a server
    Serve(ServeArguments),
    /// Write a commented config for a service
    Init(InitArguments),
    /// Show which translation models are installed, or fetch them
    ///
    /// Exits with 4 if a model is missing.
    Models(ModelsArguments),
    /// Print a shell completion script
    Completions {
        /// Shell to write the script for
        shell: clap_complete::Shell,
    },
}

/// The options of every command that reads the config.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct CommonArguments {
    /// Config file [default: config.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Print errors only
    #[arg(short, long, conflicts_with = "verbose", help_heading = LOGGING)]
    quiet: bool,
    /// Log decisions (-v), or every attempt too (-vv)
    #[arg(short, long, action = clap::ArgAction::Count, help_heading = LOGGING)]
    verbose: u8,
}

#[derive(Clone, Debug, Default, Args)]
pub(super) struct RunArguments {
    /// Files and folders to read; `-` is standard input [config: input.paths]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Folder for the table and the ledger [config: output.folder]
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) common: CommonArguments,
    /// How to summarise and translate an article [config: summary.route]
    #[arg(long, value_name = "ROUTE", value_parser = routes())]
    pub(super) route: Option<String>,
    /// Maximum concurrent calls to each endpoint [config: endpoint.concurrency]
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000)
    )]
    pub(super) concurrency: Option<usize>,
    /// Format of the table [config: output.profile]
    #[arg(long, value_name = "PROFILE", value_parser = profiles())]
    pub(super) profile: Option<String>,
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = duration,
        help = "How long to wait for an unavailable endpoint, e.g. 45s [config: endpoint.wait_for]"
    )]
    pub(super) wait_for: Option<Duration>,
    #[arg(
        long,
        help = "Empty the table if the input is empty [config: input.allow_empty]",
        long_help = "Empty the table if the input is empty [config: input.allow_empty]\n\n\
                     By default, the table keeps its rows, and the exit code is 3."
    )]
    pub(super) allow_empty: bool,
    /// Wait if another run is active
    #[arg(long)]
    pub(super) wait: bool,
    /// Start a new ledger; all articles are billed again
    ///
    /// Only needed if the table exists but its ledger is gone.
    #[arg(long)]
    pub(super) new_ledger: bool,
    #[command(flatten)]
    pub(super) limits: LimitArguments,
    /// Format of the log on standard error [config: run.log]
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json"], help_heading = LOGGING)]
    pub(super) log_format: Option<String>,
}

/// The options that end a run early.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct LimitArguments {
    /// Stop before spending more than SUM in 12 hours
    ///
    /// Earlier runs in the last 12 hours count. Every endpoint needs a price.
    #[arg(long, value_name = "SUM", help_heading = LIMITS)]
    max_cost: Option<f64>,
    /// Stop after N articles
    ///
    /// Articles that have not changed do not count.
    #[arg(long, value_name = "N", help_heading = LIMITS)]
    max_articles: Option<i64>,
    /// Stop after this much time, e.g. 4h or 90m
    #[arg(long, value_name = "DURATION", help_heading = LIMITS)]
    max_time: Option<String>,
    /// Stop at a local time, e.g. 06:30
    #[arg(long, value_name = "HH:MM", help_heading = LIMITS)]
    deadline: Option<String>,
    /// Stop when more than N articles, or N% of them, have failed
    ///
    /// A percentage applies from the 20th article on.
    #[arg(long, value_name = "N|N%", help_heading = LIMITS)]
    max_failures: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct PlanArguments {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) run: RunArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct RetryArguments {
    #[command(flatten)]
    pub(super) folder: FolderArguments,
    /// Wait if another run is active
    #[arg(long)]
    pub(super) wait: bool,
    #[command(flatten)]
    pub(super) limits: LimitArguments,
}

/// The options of a command that works on one ledger.
#[derive(Clone, Debug, Args)]
pub(super) struct FolderArguments {
    /// Folder of the table and the ledger [config: output.folder]
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) common: CommonArguments,
}

#[derive(Debug, Args)]
pub(super) struct WhyArguments {
    /// A file, or a `source` or `id` from the table
    #[arg(value_name = "ARTICLE")]
    pub(super) article: String,
    #[command(flatten)]
    pub(super) folder: FolderArguments,
}

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "csv", value_parser = ["csv", "jsonl"])]
    pub(super) format: String,
    /// Format of the CSV [config: output.profile]
    #[arg(long, value_name = "PROFILE", value_parser = profiles())]
    pub(super) profile: Option<String>,
    #[command(flatten)]
    pub(super) folder: FolderArguments,
    #[command(flatten)]
    pub(super) filter: FilterArguments,
}

/// The rows to export.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct FilterArguments {
    /// Rows processed on this day (UTC) or later, e.g. 2026-11-25
    #[arg(long, value_name = "DATE")]
    pub(super) since: Option<String>,
    /// Rows processed on this day (UTC) or earlier
    #[arg(long, value_name = "DATE")]
    pub(super) until: Option<String>,
    /// Articles published on this day or later
    #[arg(long, value_name = "DATE")]
    pub(super) published_since: Option<String>,
    /// Articles published on this day or earlier
    #[arg(long, value_name = "DATE")]
    pub(super) published_until: Option<String>,
    /// Rows with this status
    #[arg(long, value_name = "STATUS", value_parser = ["done", "failed", "skipped", "quarantined"])]
    pub(super) status: Option<String>,
    /// Rows with this flag, e.g. number
    #[arg(long, value_name = "FLAG")]
    pub(super) flag: Option<String>,
    /// Include rows that are no longer in the table
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Args)]
pub(super) struct ForgetArguments {
    /// Delete what is older than this, e.g. 90d or 6mo
    #[arg(long, value_name = "AGE")]
    pub(super) older_than: String,
    /// Only show what would be deleted
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) folder: FolderArguments,
}

#[derive(Debug, Args)]
pub(super) struct ReadArguments {
    /// Files and folders to read; `-` is standard input
    #[arg(value_name = "PATH", required = true)]
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) common: CommonArguments,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// CSV file with column names in its first row; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Column with the original texts
    #[arg(long, value_name = "COLUMN")]
    pub(super) source: String,
    /// Column to check: translations or summaries of the source
    #[arg(long, value_name = "COLUMN")]
    pub(super) target: String,
    /// Language of the source column: fr or en [default: detected]
    #[arg(long, value_name = "LANGUAGE")]
    pub(super) from: Option<String>,
    /// Language of the target column: fr or en [default: detected]
    #[arg(long, value_name = "LANGUAGE")]
    pub(super) to: Option<String>,
    /// Treat the target as a summary, not a translation [default: detected]
    ///
    /// By default, a target in the language of its source, or less than half as long, is a summary.
    #[arg(long)]
    pub(super) summary: bool,
    /// Print one JSON object for each row with a finding
    #[arg(long)]
    pub(super) jsonl: bool,
}

#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5005")]
    pub(super) listen: SocketAddr,
    /// Environment variable with the key that clients must send
    ///
    /// Required unless the address is loopback.
    #[arg(long, value_name = "VARIABLE")]
    pub(super) key_env: Option<String>,
    #[command(flatten)]
    pub(super) common: CommonArguments,
}

#[derive(Debug, Args)]
pub(super) struct InitArguments {
    /// Service to write the config for; see --list
    #[arg(default_value = "embedded")]
    pub(super) service: String,
    /// List the services
    #[arg(long)]
    pub(super) list: bool,
    /// File to write; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "config.toml")]
    pub(super) output: PathBuf,
    /// Write the prompt templates to DIR instead of a config
    ///
    /// Edit them, and name them under [prompts] in the config.
    #[arg(long, value_name = "DIR")]
    pub(super) prompts: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ModelsArguments {
    /// Fetch missing models
    #[arg(long)]
    pub(super) fetch: bool,
    #[command(flatten)]
    pub(super) common: CommonArguments,
}

impl CommonArguments {
    pub(super) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, level) => Verbosity::Verbose(level),
        }
    }

    pub(super) fn load(&self, overrides: &Overrides) -> Result<Config, Fault> {
        load(self.config.as_deref(), overrides, &dialect::facts()).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Fault::usage(lines.join("\n"))
        })
    }
}

impl FolderArguments {
    pub(super) fn load(&self) -> Result<Config, Fault> {
        self.common.load(&Overrides { output: self.output.clone(), ..Overrides::default() })
    }
}

impl LimitArguments {
    pub(super) fn flags(&self) -> RunFlags {
        let Self { max_cost, max_articles, max_time, deadline, max_failures } = self.clone();
        RunFlags { max_cost, max_articles, max_time, deadline, max_failures, ..RunFlags::default() }
    }
}

fn routes() -> [PossibleValue; 3] {
    [
        PossibleValue::new("summarise-then-translate").help("Summarise the article, then translate its title and summary"),
        PossibleValue::new("translate-then-summarise").help("Translate the article to English, then summarise it"),
        PossibleValue::new("single-call").help("Get everything in one call to a chat model"),
    ]
}

fn profiles() -> [PossibleValue; 2] {
    [
        PossibleValue::new("plain").help("UTF-8, commas, LF"),
        PossibleValue::new("excel-fr").help("For French Excel: byte order mark, semicolons, decimal commas, CRLF"),
    ]
}

/// Parses a duration as the config writes it: `45s`, `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
    parsed.ok_or_else(|| "expected a duration such as 45s or 2m".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn clap_accepts_the_definitions() {
        Arguments::command().debug_assert();
    }
}
