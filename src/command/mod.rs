//! What the user types: one file a subcommand.

mod check;
mod doctor;
mod endpoints;
mod export;
mod finish;
mod forget;
mod init;
mod models;
mod plan;
mod read;
mod retry;
mod room;
mod run;
mod serve;
mod status;
mod why;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::config::{Config, Overrides, RunFlags, load};
use crate::dialect;
use crate::model::{Exit, Fault};
use crate::report::{self, Loudness, complain, lost};

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "depeche", version, about, long_about = LONG, after_help = EXITS, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArguments,
}

const LONG: &str = "Reads a folder of articles, has each one summarised and translated by the HTTP services that config.toml names, \
and writes a bilingual French-English table. Without a subcommand it does `run`.";

const EXITS: &str = "Exit codes:
  0  all done, nothing to do, or skipped  5    an endpoint is away; later may help
  1  a bug of depeche                     6    stopped by a limit that you set
  2  usage, config, or state files        11   another run holds the ledger
  3  finished, but some articles failed   130  interrupted
  4  an endpoint says stop: mend it       143  terminated";

#[derive(Debug, Subcommand)]
enum Command {
    /// Make or renew the table (this is what happens without a subcommand)
    Run(RunArguments),
    /// Show what a run would do and cost; makes no call
    Plan(PlanArguments),
    /// Try again what failed, and nothing else
    Retry(RetryArguments),
    /// Show the last runs, failures by reason, and costs
    Status(FolderArguments),
    /// Show what happened to an article: when, which calls, what they cost
    Why(WhyArguments),
    /// Print rows of the ledger once more, as CSV or JSON lines
    Export(ExportArguments),
    /// Prune the ledger by age; the table stays as it is
    Forget(ForgetArguments),
    /// Show what is understood of each article, as JSON lines; calls nobody
    Read(ReadArguments),
    /// Check summaries or translations in a table that somebody else made; calls nobody
    Check(CheckArguments),
    /// Check the config and ask each endpoint whether it is there and knows its work
    Doctor(Common),
    /// Run the embedded endpoint alone, for other programs
    Serve(ServeArguments),
    /// Write a commented config for a service
    Init(InitArguments),
    /// Show which translation models are here; fetch them with --fetch
    Models(ModelsArguments),
    /// Print the completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Clone, Debug, Default, Args)]
struct Common {
    /// The config [default: config.toml, else the one that ships with the program]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Say only what went wrong
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more; twice: every attempt
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Clone, Debug, Default, Args)]
struct RunArguments {
    /// Files and folders to read, `-` for standard input [default: input.paths of the config]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
    /// Folder for the table and the ledger [default: output.folder of the config]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// summarise-then-translate, translate-then-summarise, or single-call
    #[arg(long, value_name = "ROUTE")]
    route: Option<String>,
    /// Calls at once to each endpoint
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    concurrency: Option<usize>,
    /// plain, or excel-fr: BOM, semicolons, CRLF
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// How long an endpoint that is away is waited for [default: what the endpoint says, else 45s]
    #[arg(long, value_name = "TIME", value_parser = span)]
    wait_for: Option<Duration>,
    /// Begin a new ledger although the table is there: everything is paid for again
    #[arg(long)]
    new_ledger: bool,
    /// Where another run holds the ledger, wait for its end
    #[arg(long)]
    wait: bool,
    /// The log on standard error: text or json
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json"], hide_possible_values = true)]
    log_format: Option<String>,
    #[command(flatten)]
    limits: LimitArguments,
}

/// What ends a run early, with exit code 6.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Limits (exit code 6)")]
struct LimitArguments {
    /// End before the call that would make the night cost more
    #[arg(long, value_name = "SUM")]
    max_cost: Option<f64>,
    /// End when so many articles were made
    #[arg(long, value_name = "N")]
    max_articles: Option<i64>,
    /// End after so long, as 4h or 90m
    #[arg(long, value_name = "TIME")]
    max_time: Option<String>,
    /// End by this time of day, as 06:30
    #[arg(long, value_name = "HH:MM")]
    deadline: Option<String>,
    /// End when more fail: a number, or a share as 10%
    #[arg(long, value_name = "N|N%")]
    max_failures: Option<String>,
}

impl LimitArguments {
    fn flags(&self) -> RunFlags {
        let Self { max_cost, max_articles, max_time, deadline, max_failures } = self.clone();
        RunFlags { max_cost, max_articles, max_time, deadline, max_failures, log: None }
    }
}

/// A span of time as the config has it: `45s`, `2m`.
fn span(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
    parsed.ok_or_else(|| "such as 45s or 2m".into())
}

#[derive(Debug, Args)]
struct PlanArguments {
    #[command(flatten)]
    run: RunArguments,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug, Args)]
struct RetryArguments {
    #[command(flatten)]
    common: Common,
    /// Folder of the table and the ledger [default: output.folder of the config]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Where another run holds the ledger, wait for its end
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    limits: LimitArguments,
}

/// Whose ledger is asked.
#[derive(Debug, Args)]
struct FolderArguments {
    /// Folder of the table and the ledger [default: output.folder of the config]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

impl FolderArguments {
    fn load(&self) -> Result<Config, Fault> {
        self.common.load(&Overrides { output: self.output.clone(), ..Overrides::default() })
    }
}

#[derive(Debug, Args)]
struct WhyArguments {
    /// A file, a source as the table names it, or an id
    #[arg(value_name = "FILE")]
    file: String,
    #[command(flatten)]
    folder: FolderArguments,
}

#[derive(Debug, Args)]
struct ExportArguments {
    #[command(flatten)]
    folder: FolderArguments,
    /// csv or jsonl
    #[arg(long, value_name = "FORMAT", default_value = "csv", value_parser = ["csv", "jsonl"])]
    format: String,
    /// plain or excel-fr [default: output.profile of the config]
    #[arg(long, value_name = "PROFILE", value_parser = ["plain", "excel-fr"])]
    profile: Option<String>,
    /// Rows made on this day or later (UTC)
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// Rows made on this day or earlier
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Articles published on this day or later
    #[arg(long, value_name = "DATE")]
    published_since: Option<String>,
    /// Articles published on this day or earlier
    #[arg(long, value_name = "DATE")]
    published_until: Option<String>,
    /// Rows with this status
    #[arg(long, value_name = "STATUS", value_parser = ["done", "failed", "skipped", "quarantined"])]
    status: Option<String>,
    /// Rows with this flag
    #[arg(long, value_name = "FLAG")]
    flag: Option<String>,
    /// Also rows that are no longer in the table
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
struct ForgetArguments {
    /// What is older, as 90d or 6mo
    #[arg(long, value_name = "AGE")]
    older_than: String,
    /// Only say what would be forgotten
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    folder: FolderArguments,
}

#[derive(Debug, Args)]
struct ReadArguments {
    /// Files and folders to read; `-` is standard input
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct CheckArguments {
    /// The table: CSV with a row of column names; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The column with the texts that the others were made from
    #[arg(long, value_name = "COLUMN")]
    source: String,
    /// The column to check: translations of the source, or summaries of it
    #[arg(long, value_name = "COLUMN")]
    target: String,
    /// fr or en [default: what the source column reads as]
    #[arg(long, value_name = "LANGUAGE")]
    from: Option<String>,
    /// fr or en [default: what the target column reads as]
    #[arg(long, value_name = "LANGUAGE")]
    to: Option<String>,
    /// The target sums up its source [default: if both are in one language, or it is less than half as long]
    #[arg(long)]
    summary: bool,
    /// Print a JSON object for each row that has a flag
    #[arg(long)]
    jsonl: bool,
}

#[derive(Debug, Args)]
struct ServeArguments {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5005")]
    listen: SocketAddr,
    /// The environment variable that holds the key which requests must bring; needed for other addresses than loopback
    #[arg(long, value_name = "VARIABLE")]
    key_env: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct InitArguments {
    /// The service; see --list
    #[arg(default_value = "embedded")]
    service: String,
    /// List the services
    #[arg(long)]
    list: bool,
    /// Where to write; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "config.toml")]
    output: PathBuf,
    /// Write the prompts that chat models are told to this folder instead, to be changed and named in the config
    #[arg(long, value_name = "DIR")]
    prompts: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ModelsArguments {
    /// Fetch what is missing
    #[arg(long)]
    fetch: bool,
    #[command(flatten)]
    common: Common,
}

impl Common {
    fn loudness(&self) -> Loudness {
        match (self.quiet, self.verbose) {
            (true, _) => Loudness::Quiet,
            (false, 0) => Loudness::Normal,
            (false, more) => Loudness::Verbose(more),
        }
    }

    fn load(&self, overrides: &Overrides) -> Result<Config, Fault> {
        load(self.config.as_deref(), overrides, &dialect::facts()).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Fault::usage(lines.join("\n"))
        })
    }
}

/// Does what the arguments say. A bug that panics ends as exit code 1 and a line that names its place; what it panicked with may hold text
/// of an article or a key, and is not said.
pub fn run(arguments: Arguments) -> Exit {
    on_its_feet(|| carry_out(arguments))
}

fn on_its_feet(what: impl FnOnce() -> Exit) -> Exit {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".into(), ToString::to_string);
        report::stumble(&format!("a bug of depeche at {place}; please report it, with the file if one is named"));
    }));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(what)).unwrap_or(Exit::Bug)
}

fn carry_out(arguments: Arguments) -> Exit {
    let result = match arguments.command.unwrap_or(Command::Run(arguments.run)) {
        Command::Run(arguments) => run::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Retry(arguments) => retry::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Why(arguments) => why::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Forget(arguments) => forget::run(&arguments),
        Command::Read(arguments) => read::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Doctor(common) => doctor::run(&common),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Models(arguments) => models::run(&arguments),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "depeche", &mut std::io::stdout());
            Ok(Exit::Done)
        }
    };
    let result = result
        .and_then(|exit| if lost() { Err(Fault::usage("standard output takes no more; what was to be said is lost")) } else { Ok(exit) });
    result.unwrap_or_else(|fault| {
        complain_of(&fault);
        fault.exit
    })
}

/// Says what went wrong.
fn complain_of(fault: &Fault) {
    let style = console::Style::new().for_stderr().red().bold();
    complain(&format!("{} {}", style.apply_to("error:"), fault.message));
}

/// The runtime for all that waits: two threads carry thousands of calls.
fn runtime() -> Result<tokio::runtime::Runtime, Fault> {
    room::for_threads()?;
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.map_err(|error| Fault::usage(format!("no threads to wait with: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_bug_ends_as_exit_code_1() {
        assert_eq!((on_its_feet(|| Exit::SomeFailed), on_its_feet(|| panic!("text of an article"))), (Exit::SomeFailed, Exit::Bug));
    }
}
