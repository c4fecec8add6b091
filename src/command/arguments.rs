//! The command line as clap parses it, and its help.

#![expect(clippy::doc_markdown, reason = "clap prints these comments as help")]

mod batches;
mod groups;
mod ledger;
mod migrate;
mod work;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use self::batches::BatchFlags;
pub(super) use self::batches::{BatchArguments, BatchCommand};
use self::groups::{CallArguments, IgnoredLogArguments};
pub(super) use self::groups::{ConfigArguments, ExecutionArguments, FolderArguments, LogArguments};
pub(super) use self::ledger::{ExportArguments, FilterArguments, ForgetArguments, MailArguments, StatusArguments, WhyArguments};
pub(super) use self::migrate::{LedgerCommand, MigrateArguments};
pub(super) use self::work::WorkArguments;
use crate::config::{Config, Overrides, Shown};
use crate::model::Fault;

/// The default of `--piece-size`.
pub(super) const PIECE_SIZE: usize = 200;

const ABOUT: &str = "Summarise and translate a folder of articles into a French-English table";

const LONG_ABOUT: &str = "Summarise and translate a folder of articles into a French-English table

Calls the HTTP services named in config.toml. Without a config, calls the embedded endpoint.
`depeche` without a command is short for `depeche run`.

[config: KEY] names the config key that sets the default of an option.";

const AFTER_HELP: &str = "[config: KEY] names the config key that sets the default of an option.
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
  7    Batches are open: run again later to collect their answers
  11   Another run is active
  130  Interrupted (SIGINT)
  143  Terminated (SIGTERM)";

const CHECK_EXAMPLES: &str = "Examples:
  depeche check translations.csv --source text_fr --target text_en
  depeche check summaries.csv --source article --target summary --summary --jsonl";

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
    Retry(ExecutionArguments),
    /// Show the batches at services, or cancel them
    Batch(BatchArguments),
    /// Take part in a run on a shared ledger, on this or another machine
    ///
    /// Joins the run that is open on the PostgreSQL server under [ledger] in the config, and ends
    /// when all articles are done. Writes no outputs: `depeche run` does.
    Work(WorkArguments),
    /// Show recent runs, failures by reason, and costs
    Status(StatusArguments),
    /// Show an article's status, flags, calls and cost
    Why(WhyArguments),
    /// Print rows from the ledger as CSV or JSON Lines
    Export(ExportArguments),
    /// Delete old rows, replies and runs from the ledger
    ///
    /// Deletes rows that are no longer in the table, replies that no row needs, and runs. The table
    /// stays as it is.
    Forget(ForgetArguments),
    /// Copy the ledger from its file to a PostgreSQL server, or back
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
    },
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
    Doctor(DoctorArguments),
    /// Run the embedded endpoint as a server
    Serve(ServeArguments),
    /// Write a commented config for a service
    Init(InitArguments),
    /// Show the config in effect, or its JSON Schema
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Show which translation models are installed, or fetch them
    ///
    /// Exits with 4 if a model is missing.
    Models(ModelsArguments),
    /// Send the mail about the latest run again, or a test mail
    ///
    /// Sends it to the addresses under [mail] in the config. A run that has news sends its mail
    /// without this command.
    Mail(MailArguments),
    /// Print a shell completion script
    Completions {
        /// Shell to write the script for
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder
    Man {
        /// Folder to write them into, e.g. ~/.local/share/man/man1
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print each value that `depeche run` would use, and where it comes from
    ///
    /// Takes the arguments and options of `depeche run`. Secrets are not shown.
    Show(Box<RunArguments>),
    /// Print the JSON Schema of the config, for editors
    Schema,
}

#[derive(Clone, Debug, Default, Args)]
pub(super) struct RunArguments {
    /// Files and folders to read; `-` is standard input [config: input.paths, default: input]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) execution: ExecutionArguments,
    /// Empty the table if the input is empty [config: input.allow_empty]
    ///
    /// By default, the table keeps its rows, and the exit code is 3.
    #[arg(long)]
    pub(super) allow_empty: bool,
    #[command(flatten)]
    pub(super) batches: BatchFlags,
    /// Start a new ledger; all articles are billed again
    ///
    /// Only needed if the table exists but its ledger is gone.
    #[arg(long)]
    pub(super) new_ledger: bool,
    /// With a shared ledger, how many files (of a long file: articles) a process takes at a time
    #[arg(
        long,
        value_name = "N",
        default_value_t = PIECE_SIZE,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100_000)
    )]
    pub(super) piece_size: usize,
}

#[derive(Debug, Args)]
pub(super) struct PlanArguments {
    /// Files and folders to read; `-` is standard input [config: input.paths, default: input]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    folder: FolderArguments,
    #[command(flatten)]
    calls: CallArguments,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    _log: IgnoredLogArguments,
}

#[derive(Debug, Args)]
pub(super) struct ReadArguments {
    /// Files and folders to read; `-` is standard input
    #[arg(value_name = "PATH", required = true)]
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) config: ConfigArguments,
    #[command(flatten)]
    _log: IgnoredLogArguments,
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
pub(super) struct DoctorArguments {
    #[command(flatten)]
    pub(super) config: ConfigArguments,
    #[command(flatten)]
    pub(super) log: LogArguments,
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
    pub(super) config: ConfigArguments,
    #[command(flatten)]
    pub(super) log: LogArguments,
}

#[derive(Debug, Args)]
pub(super) struct InitArguments {
    /// Service to write the config for; without one, the services are listed
    #[arg(value_parser = super::init::services::names(), hide_possible_values = true)]
    pub(super) service: Option<String>,
    /// List the services
    #[arg(long)]
    pub(super) list: bool,
    /// File to write; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "config.toml", requires = "service")]
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
    pub(super) config: ConfigArguments,
    #[command(flatten)]
    pub(super) log: LogArguments,
}

impl RunArguments {
    pub(super) fn load(&self) -> Result<Config, Fault> {
        self.execution.load(self.paths.clone(), self.allow_empty)
    }

    pub(super) fn show(&self) -> Result<Shown, Fault> {
        self.execution.show(self.paths.clone(), self.allow_empty)
    }
}

impl PlanArguments {
    pub(super) fn load(&self) -> Result<Config, Fault> {
        self.folder.load_with(Overrides { paths: self.paths.clone(), ..self.calls.overrides() })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn clap_accepts_the_definitions() {
        Arguments::command().debug_assert();
    }

    /// The long options of a command, in the order of its help.
    fn options(command: &str) -> String {
        let root = Arguments::command();
        let command = root.find_subcommand(command).unwrap();
        let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
        shown.filter_map(clap::Arg::get_long).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_command_offers_the_options_that_it_heeds() {
        let shared = "output config route concurrency profile wait-for wait \
             max-cost max-articles max-time deadline max-failures quiet verbose log-format";
        for (command, expected) in [
            ("run", format!("{shared} allow-empty detach collect now new-ledger piece-size").as_str()),
            ("work", "output config route concurrency wait-for quiet verbose"),
            ("retry", shared),
            ("plan", "output config route concurrency json"),
            ("status", "json watch output config"),
            ("why", "output config"),
            ("batch", "output config"),
            ("export", "format profile output config since until published-since published-until status flag all"),
            ("forget", "older-than dry-run output config quiet verbose"),
            ("read", "config"),
            ("check", "source target from to summary jsonl"),
            ("doctor", "config quiet verbose"),
            ("serve", "listen key-env config quiet verbose"),
            ("init", "list output prompts"),
            ("man", ""),
            ("models", "fetch config quiet verbose"),
            ("mail", "test output config"),
            ("completions", ""),
        ] {
            assert_eq!(options(command), expected, "{command}");
        }
    }

    #[test]
    fn short_help_is_a_phrase_without_a_full_stop() {
        let root = Arguments::command();
        for command in std::iter::once(&root).chain(root.get_subcommands()) {
            let of_arguments = command.get_arguments().filter_map(clap::Arg::get_help);
            for help in command.get_about().into_iter().chain(of_arguments).map(ToString::to_string) {
                assert!(help.starts_with(|first: char| first.is_uppercase()) && !help.ends_with('.'), "{}: {help}", command.get_name());
            }
        }
    }
}
