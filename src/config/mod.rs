//! The config: parsed (`raw`), validated (`validator` and a file for each section), and resolved
//! into what the program uses. Every problem is reported with its place in the file.

mod batch;
mod checks;
mod duplicates;
mod endpoint;
mod fields;
mod glossary;
mod key;
mod ledger;
mod mail;
mod options;
mod overrides;
mod problem;
mod prompts;
mod raw;
mod resolve;
mod rules;
mod run;
#[cfg(test)]
mod sample;
mod schema;
mod shared;
mod show;
mod spanned;
mod template;
mod validator;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::model::{GlossaryEntry, Lang, SummarySpec, Task};

pub use batch::{Batch, BatchForm, BatchMode, Late};
pub use checks::Checks;
pub use duplicates::NearDuplicates;
pub use endpoint::is_loopback;
pub use fields::Fields;
pub use ledger::LedgerServer;
pub use mail::{MailSettings, MailTls};
pub use options::{JsonMode, Options, Tier, TokenLimit};
pub use overrides::Overrides;
pub use problem::Problem;
pub use prompts::{Prompts, SHIPPED_PROMPTS};
pub use resolve::load;
pub use rules::{ClassHints, Rules};
pub use run::{FailureLimit, RunFlags, RunSettings};
pub use schema::SCHEMA;
pub use show::{Origin, Section, Setting, Shown, show};
pub use template::Template;
pub(crate) use template::select;

/// The config that ships with the program. Used if there is no file, and written by `depeche init
/// embedded`.
pub const SHIPPED: &str = include_str!("../../config.toml");

/// The facts about a dialect that the config needs to validate an endpoint. The `dialect` stage
/// provides them.
#[derive(Clone, Copy, Debug)]
pub struct DialectFacts {
    /// Its name in the config.
    pub name: &'static str,
    /// What a service of this dialect can do.
    pub tasks: &'static [Task],
    /// Whether the endpoint must name a URL (the embedded one has none).
    pub needs_url: bool,
    /// Whether the endpoint must name a model.
    pub needs_model: bool,
    /// The number of concurrent calls that `auto` starts with.
    pub concurrency: usize,
    /// The highest number of concurrent calls that `auto` may reach.
    pub max_concurrency: usize,
    /// Its config keys besides those of every dialect.
    pub keys: &'static [&'static str],
}

/// The resolved config of a run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The config's folder. Its paths, and the names of sources inside it, are relative to this.
    pub folder: PathBuf,
    /// Files and folders to read.
    pub input: Vec<PathBuf>,
    /// The size limit of a file, in bytes. In formats that are read article by article, it is the
    /// limit of an article.
    pub max_bytes: u64,
    /// What to do about near-duplicates.
    pub near: NearDuplicates,
    /// The names of JSON fields and CSV columns.
    pub fields: Fields,
    /// What to remove as boilerplate.
    pub rules: Arc<Rules>,
    /// The folder of the table and, unless it is on a server, the ledger.
    pub output: PathBuf,
    /// The server of the ledger; `None` if it is a file in the output folder.
    pub ledger: Option<LedgerServer>,
    /// The table's CSV profile.
    pub profile: Profile,
    /// The formats to write; at least one.
    pub formats: Vec<OutputFormat>,
    /// Route and style of the summaries.
    pub summary: Summary,
    /// The glossary's entries; empty without a glossary file.
    pub glossary: Vec<GlossaryEntry>,
    /// The services, in order of preference.
    pub endpoints: Vec<Endpoint>,
    /// What to do about the findings of each check.
    pub checks: Checks,
    /// The embedded endpoint.
    pub embedded: Embedded,
    /// The maximum number of articles in digest.html.
    pub page_rows: usize,
    /// The language of the page, the workbook and the mail: French or English. `None`: the page
    /// follows the browser, and the others are French.
    pub page_language: Option<Lang>,
    /// The mail after a run; `None` for no mail.
    pub mail: Option<MailSettings>,
    /// Limits, notifications and logging of a run.
    pub run: RunSettings,
}

impl Config {
    /// The endpoints that can do `task`, in order of preference.
    pub fn endpoints_for(&self, task: Task) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().filter(move |endpoint| endpoint.can(task))
    }

    /// The tasks of the route, and that of a reviewer.
    pub fn tasks(&self) -> Vec<Task> {
        let route: &[Task] = match (self.summary.route, self.summary.keep_text) {
            (Route::SummariseThenTranslate | Route::TranslateThenSummarise, _) => &[Task::Summarise, Task::Translate],
            (Route::SingleCall, false) => &[Task::Digest],
            (Route::SingleCall, true) => &[Task::Digest, Task::Translate],
        };
        let review = self.checks.review_share().map(|_| Task::Review);
        route.iter().copied().chain(review).collect()
    }
}

/// `[summary]`: route and style of the summaries.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The calls to make, and their order.
    pub route: Route,
    /// Length and style of a summary.
    pub spec: SummarySpec,
    /// Whether to keep the whole text in both languages.
    pub keep_text: bool,
}

/// A CSV profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    /// UTF-8, commas, LF.
    Plain,
    /// For a double click in French Excel: BOM, semicolons, CRLF.
    ExcelFr,
}

/// A format of the output files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutputFormat {
    /// The table and the quarantine as CSV.
    Csv,
    /// The table as an Excel workbook.
    Xlsx,
    /// The page for reading the articles.
    Html,
    /// The table and the findings as JSON Lines.
    Jsonl,
}

impl OutputFormat {
    /// All formats with their names in the config; all of them are written by default.
    pub const ALL: &[(&str, Self)] = &[("csv", Self::Csv), ("xlsx", Self::Xlsx), ("html", Self::Html), ("jsonl", Self::Jsonl)];
}

/// The calls that make a row from an article.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Route {
    /// Summarises the article in its language, then translates title and summary.
    SummariseThenTranslate,
    /// Translates the article into English, summarises the English, and translates the summary
    /// back.
    TranslateThenSummarise,
    /// Makes one call to a chat model, which returns titles and summaries in both languages.
    SingleCall,
}

impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SummariseThenTranslate => "summarise-then-translate",
            Self::TranslateThenSummarise => "translate-then-summarise",
            Self::SingleCall => "single-call",
        })
    }
}

/// A configured service.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its name in messages and in the table.
    pub name: String,
    /// The tasks it is used for.
    pub does: Vec<Task>,
    /// Its wire format.
    pub dialect: &'static str,
    /// Its URL without a trailing slash; empty for the embedded endpoint until it is started.
    pub url: String,
    /// The service's name, if the config sets it. It replaces the URL in the ledger's keys, so
    /// endpoints of one service share their answers, whatever their addresses.
    pub service: Option<String>,
    /// The model, if the dialect has models.
    pub model: Option<String>,
    /// The API key, if any.
    pub key: Option<SecretString>,
    /// Whether it is a chat model, which accepts prompts and can make a digest.
    pub chat: bool,
    /// Concurrent calls.
    pub concurrency: Concurrency,
    /// Rate limits.
    pub rates: Rates,
    /// Its price; `None` if unknown (not if free).
    pub price: Option<Price>,
    /// The timeout of a call, from its start to the last byte of the answer.
    pub timeout: Duration,
    /// The timeout of DNS, connection and TLS handshake together.
    pub connect_timeout: Duration,
    /// How long to wait for the endpoint when it is unavailable.
    pub wait_for: Duration,
    /// Maximum characters of text in one call; `None` for the dialect's default. A longer article
    /// takes several calls.
    pub max_characters: Option<usize>,
    /// Maximum bytes of text in one call.
    pub max_bytes: Option<usize>,
    /// Maximum tokens of text in one call, estimated.
    pub max_tokens: Option<usize>,
    /// The prompts, for a chat model.
    pub prompts: Arc<Prompts>,
    /// The settings that only some dialects have.
    pub options: Options,
    /// How to use the service's batches; `None` if all calls are made one by one.
    pub batch: Option<Batch>,
    /// The form of the service's batches, whether they are used or not; `None` if its dialect has
    /// none.
    pub batch_form: Option<BatchForm>,
}

impl Endpoint {
    /// Whether it can do `task`, and the config allows it to.
    pub fn can(&self, task: Task) -> bool {
        match task {
            Task::Digest => self.chat && self.does.contains(&Task::Summarise),
            _ => self.does.contains(&task),
        }
    }

    /// An endpoint for tests.
    #[cfg(test)]
    pub(crate) fn sample(dialect: &'static str, url: &str) -> Self {
        Self {
            name: "e".into(),
            does: vec![Task::Summarise, Task::Translate],
            dialect,
            url: url.into(),
            service: None,
            model: None,
            key: None,
            chat: true,
            concurrency: Concurrency::Fixed(1),
            rates: Rates::default(),
            price: None,
            timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
            wait_for: Duration::from_secs(1),
            max_characters: None,
            max_bytes: None,
            max_tokens: None,
            prompts: Prompts::shipped(),
            options: Options::default(),
            batch: None,
            batch_form: None,
        }
    }
}

/// Concurrent calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Concurrency {
    /// A fixed number.
    Fixed(usize),
    /// As many as the service turns out to handle.
    Auto {
        /// The number to start with.
        start: usize,
        /// The maximum.
        max: usize,
    },
}

impl Concurrency {
    /// The maximum.
    pub fn max(self) -> usize {
        match self {
            Self::Fixed(number) => number,
            Self::Auto { max, .. } => max,
        }
    }
}

/// Rate limits per minute; `None` if unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rates {
    /// Requests.
    pub requests: Option<u64>,
    /// Tokens of prompts and answers together.
    pub tokens: Option<u64>,
    /// Characters of the user's text.
    pub characters: Option<u64>,
}

/// Prices per million, in the user's currency.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Price {
    /// Tokens of prompts.
    pub tokens_in: f64,
    /// Tokens of answers.
    pub tokens_out: f64,
    /// Characters of the user's text.
    pub characters: f64,
}

/// The translator of the embedded endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Translator {
    /// Firefox Translations' models if they can be loaded or fetched, or else Apertium.
    Auto,
    /// Only Firefox Translations' models.
    Firefox,
    /// Only Debian's Apertium.
    Apertium,
}

/// `[embedded]`: the endpoint that ships with the program.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// The translator.
    pub translator: Translator,
    /// The architecture of the Firefox models: `tiny` or `base-memory`.
    pub model: String,
    /// Whether to fetch a missing model.
    pub fetch: bool,
    /// A folder with the user's own models, which are preferred.
    pub models_dir: Option<PathBuf>,
    /// The URL to fetch models from instead of Mozilla's; it must have `records.json`.
    pub mirror: Option<String>,
}

/// Hashes settings, given as text. Never returns 0, which means "unknown" in the ledger.
pub(crate) fn hash(text: &str) -> i64 {
    let bytes = blake3::hash(text.as_bytes());
    let first = bytes.as_bytes().first_chunk::<8>().copied().unwrap_or_default();
    match i64::from_le_bytes(first) {
        0 => 1,
        hash => hash,
    }
}
