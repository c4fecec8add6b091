//! What the user wrote, with its place in the file, made into what the program uses; or all that is wrong with it, and where.

mod checks;
mod duplicates;
mod endpoint;
mod fields;
mod glossary;
mod key;
mod options;
mod place;
mod prompts;
mod raw;
mod resolve;
mod rules;
mod run;
#[cfg(test)]
mod sample;
mod template;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::model::{Entry, Task, Wish};

pub use checks::Checks;
pub use duplicates::Near;
pub use endpoint::is_loopback;
pub use fields::Fields;
pub use options::{JsonMode, Options, TokenLimit};
pub use place::Problem;
pub use prompts::{Occasion, Prompts, SHIPPED_PROMPTS};
pub use resolve::{Overrides, load};
pub use rules::{Rules, Said};
pub use run::{MostFailures, RunFlags, RunSettings};
pub use template::{Template, pick};

/// The config that ships with the program, used where there is no file and as the template of `depeche init embedded`.
pub const SHIPPED: &str = include_str!("../../config.toml");

/// What the config must know of a dialect to judge an endpoint; the `dialect` stage gives it.
#[derive(Clone, Copy, Debug)]
pub struct DialectFacts {
    /// The name in the config.
    pub name: &'static str,
    /// What a service of this dialect can be asked.
    pub tasks: &'static [Task],
    /// Whether the endpoint must name a URL (the embedded one has none).
    pub needs_url: bool,
    /// Whether the endpoint must name a model.
    pub needs_model: bool,
    /// Calls at once where the user says `auto`, to begin with.
    pub concurrency: usize,
    /// The most that `auto` may go up to.
    pub most_concurrency: usize,
    /// The keys that it knows beyond those that all share.
    pub keys: &'static [&'static str],
}

/// Everything that a run needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder that the config's paths are relative to; sources below it are named relative to it.
    pub folder: PathBuf,
    /// Files and folders to read.
    pub input: Vec<PathBuf>,
    /// Bytes; no more is ever held of a file at once: a larger file is rejected unread, unless it is a list of articles that can
    /// be read one after the other.
    pub max_bytes: u64,
    /// What is done with near copies.
    pub near: Near,
    /// What fields and columns are called.
    pub fields: Fields,
    /// What is no part of an article.
    pub rules: Arc<Rules>,
    /// Where the table and the ledger are.
    pub output: PathBuf,
    /// How the table is written.
    pub profile: Profile,
    /// How an article becomes a row.
    pub summary: Summary,
    /// The glossary's entries; none where the config names no file.
    pub glossary: Vec<Entry>,
    /// The services, in order of preference.
    pub endpoints: Vec<Endpoint>,
    /// What happens when a check finds something.
    pub checks: Checks,
    /// The endpoint that ships with the program.
    pub embedded: Embedded,
    /// Articles on the page at most.
    pub page_rows: usize,
    /// What ends a run early, and whom it tells.
    pub run: RunSettings,
}

impl Config {
    /// The endpoints that do `task`, in order of preference; the digest is a kind of summary that only chat models make.
    pub fn endpoints_for(&self, task: Task) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().filter(move |endpoint| endpoint.can(task))
    }

    /// The tasks that the chosen route asks for.
    pub fn tasks(&self) -> &'static [Task] {
        match (self.summary.route, self.summary.keep_text) {
            (Route::SummariseThenTranslate | Route::TranslateThenSummarise, _) => &[Task::Summarise, Task::Translate],
            (Route::SingleCall, false) => &[Task::Digest],
            (Route::SingleCall, true) => &[Task::Digest, Task::Translate],
        }
    }
}

/// The section `[summary]`: how an article becomes a row.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Which calls are made, in which order.
    pub route: Route,
    /// How the summary is wished for.
    pub wish: Wish,
    /// Whether the whole text is kept in both languages.
    pub keep_text: bool,
}

/// How the table is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    /// UTF-8, commas, LF.
    Plain,
    /// What a French Excel opens with a double click: BOM, semicolons, CRLF.
    ExcelFr,
}

/// How an article becomes a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Route {
    /// A summary in the article's language, then title and summary translated.
    SummariseThenTranslate,
    /// The article translated to English, the English summarised, the summary translated back.
    TranslateThenSummarise,
    /// One chat call returns titles and summaries in both languages.
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
    /// What it is used for: summaries, translations, or both.
    pub does: Vec<Task>,
    /// Its wire format.
    pub dialect: &'static str,
    /// Where it is, without a slash at the end; empty for the embedded endpoint until it is started.
    pub url: String,
    /// The model to ask for, where the dialect has models.
    pub model: Option<String>,
    /// The key, where it wants one.
    pub key: Option<SecretString>,
    /// Whether it is a chat model: it listens to prompts, and can make a digest.
    pub chat: bool,
    /// Calls at once.
    pub concurrency: Concurrency,
    /// What it may be asked in a minute.
    pub rates: Rates,
    /// What it costs; none: unknown, which is not nothing.
    pub price: Option<Price>,
    /// For a whole call, from its start to the last byte of the answer.
    pub timeout: Duration,
    /// For name look-up, connection and TLS together.
    pub connect_timeout: Duration,
    /// How long the endpoint may be away before the run goes on, or ends, without it.
    pub wait_for: Duration,
    /// Characters of text in one call; none: what is usual for the dialect. A longer article takes several calls.
    pub max_characters: Option<usize>,
    /// The same in bytes.
    pub max_bytes: Option<usize>,
    /// The same in tokens, estimated.
    pub max_tokens: Option<usize>,
    /// What it is told, where it is a chat model.
    pub prompts: Arc<Prompts>,
    /// What only some dialects know.
    pub options: Options,
}

impl Endpoint {
    /// Whether it may be asked for `task`.
    pub fn can(&self, task: Task) -> bool {
        match task {
            Task::Digest => self.chat && self.does.contains(&Task::Summarise),
            _ => self.does.contains(&task),
        }
    }

    /// An endpoint of `dialect` at `url` with the model `m`, for tests.
    #[cfg(test)]
    pub(crate) fn sample(dialect: &'static str, url: &str) -> Self {
        Self {
            name: "e".into(),
            does: vec![Task::Summarise, Task::Translate],
            dialect,
            url: url.into(),
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
        }
    }
}

/// Calls at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Concurrency {
    /// As many as the user says.
    Fixed(usize),
    /// As many as the service turns out to take.
    Auto {
        /// To begin with.
        start: usize,
        /// Never more.
        most: usize,
    },
}

impl Concurrency {
    /// Never more than this.
    pub fn most(self) -> usize {
        match self {
            Self::Fixed(number) => number,
            Self::Auto { most, .. } => most,
        }
    }
}

/// What a service may be asked in a minute; none: no limit is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rates {
    /// Requests.
    pub requests: Option<u64>,
    /// Tokens, of prompts and answers together.
    pub tokens: Option<u64>,
    /// Characters of the user's text.
    pub characters: Option<u64>,
}

/// What a million costs, in the user's currency.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Price {
    /// Tokens of prompts.
    pub tokens_in: f64,
    /// Tokens of answers.
    pub tokens_out: f64,
    /// Characters of the user's text.
    pub characters: f64,
}

/// Which translator the embedded endpoint uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Translator {
    /// Firefox Translations' models where they can be had, else Apertium.
    Auto,
    /// Only Firefox Translations' models.
    Firefox,
    /// Only Debian's Apertium.
    Apertium,
}

/// The endpoint that ships with the program.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// Which translator.
    pub translator: Translator,
    /// Architecture of the Firefox models: `tiny` or `base-memory`.
    pub model: String,
    /// Whether a missing model may be fetched.
    pub fetch: bool,
    /// Models that the user put there, looked at first.
    pub models_dir: Option<PathBuf>,
    /// Where models are fetched from instead of Mozilla: the address that holds `records.json`.
    pub mirror: Option<String>,
}

/// A hash of settings, written out as text; never 0, which the ledger uses for "unknown".
pub(crate) fn hash(text: &str) -> i64 {
    let bytes = blake3::hash(text.as_bytes());
    let first = bytes.as_bytes().first_chunk::<8>().copied().unwrap_or_default();
    // 0 means that nothing is known.
    match i64::from_le_bytes(first) {
        0 => 1,
        hash => hash,
    }
}
