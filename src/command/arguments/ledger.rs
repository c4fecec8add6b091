//! The options of the commands that use the ledger of earlier runs.

use clap::Args;

use super::groups::{FolderArguments, IgnoredLogArguments, LogArguments, flags, profiles};

#[derive(Debug, Args)]
pub(in crate::command) struct StatusArguments {
    /// Print JSON
    #[arg(long)]
    pub(in crate::command) json: bool,
    /// Print again every two seconds, until interrupted
    #[arg(long)]
    pub(in crate::command) watch: bool,
    #[command(flatten)]
    pub(in crate::command) folder: FolderArguments,
    #[command(flatten)]
    _log: IgnoredLogArguments,
}

#[derive(Debug, Args)]
pub(in crate::command) struct WhyArguments {
    /// A file, or a `source` or `id` from the table
    #[arg(value_name = "ARTICLE")]
    pub(in crate::command) article: String,
    #[command(flatten)]
    pub(in crate::command) folder: FolderArguments,
    #[command(flatten)]
    _log: IgnoredLogArguments,
}

#[derive(Debug, Args)]
pub(in crate::command) struct ExportArguments {
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "csv", value_parser = ["csv", "jsonl"])]
    pub(in crate::command) format: String,
    /// Format of the CSV [config: output.profile, default: plain]
    #[arg(long, value_name = "PROFILE", value_parser = profiles())]
    pub(in crate::command) profile: Option<String>,
    #[command(flatten)]
    pub(in crate::command) folder: FolderArguments,
    #[command(flatten)]
    pub(in crate::command) filter: FilterArguments,
    #[command(flatten)]
    _log: IgnoredLogArguments,
}

/// The rows to export.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub(in crate::command) struct FilterArguments {
    /// Rows processed on this day (UTC) or later, e.g. 2026-11-25
    #[arg(long, value_name = "DATE")]
    pub(in crate::command) since: Option<String>,
    /// Rows processed on this day (UTC) or earlier
    #[arg(long, value_name = "DATE")]
    pub(in crate::command) until: Option<String>,
    /// Articles published on this day or later
    #[arg(long, value_name = "DATE")]
    pub(in crate::command) published_since: Option<String>,
    /// Articles published on this day or earlier
    #[arg(long, value_name = "DATE")]
    pub(in crate::command) published_until: Option<String>,
    /// Rows with this status
    #[arg(long, value_name = "STATUS", value_parser = ["done", "failed", "skipped", "quarantined"])]
    pub(in crate::command) status: Option<String>,
    /// Rows with this flag, e.g. number
    #[arg(long, value_name = "FLAG", value_parser = flags())]
    pub(in crate::command) flag: Option<String>,
    /// Include rows that are no longer in the table
    #[arg(long)]
    pub(in crate::command) all: bool,
}

#[derive(Debug, Args)]
pub(in crate::command) struct ForgetArguments {
    /// Delete what is older than this, e.g. 90d or 6mo
    #[arg(long, value_name = "AGE")]
    pub(in crate::command) older_than: String,
    /// Only show what would be deleted
    #[arg(short = 'n', long)]
    pub(in crate::command) dry_run: bool,
    #[command(flatten)]
    pub(in crate::command) folder: FolderArguments,
    #[command(flatten)]
    pub(in crate::command) log: LogArguments,
}

#[derive(Debug, Args)]
pub(in crate::command) struct MailArguments {
    /// Send a short test mail instead, and show the server's answer
    #[arg(long)]
    pub(in crate::command) test: bool,
    #[command(flatten)]
    pub(in crate::command) folder: FolderArguments,
    #[command(flatten)]
    _log: IgnoredLogArguments,
}
