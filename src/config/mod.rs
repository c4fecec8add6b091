//! What the user wrote, with its place in the file, made into what the program uses; or all that is wrong with it, and where.

mod key;
mod place;
mod raw;
mod resolve;

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::model::Task;

pub use place::Problem;
pub use resolve::{Overrides, is_loopback, load};

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
    /// Calls at once where the user says `auto`.
    pub concurrency: usize,
}

/// Everything that a run needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder that the config's paths are relative to; sources below it are named relative to it.
    pub folder: PathBuf,
    /// Files and folders to read.
    pub input: Vec<PathBuf>,
    /// Bytes; a larger file is rejected unread.
    pub max_bytes: u64,
    /// Where the table and the ledger are.
    pub output: PathBuf,
    /// How the table is written.
    pub profile: Profile,
    /// How an article becomes a row.
    pub route: Route,
    /// The wished length of a summary, in words.
    pub words: usize,
    /// The services, in order of preference.
    pub endpoints: Vec<Endpoint>,
    /// The endpoint that ships with the program.
    pub embedded: Embedded,
}

impl Config {
    /// The first endpoint that does `task`; the digest is a kind of summary.
    pub fn endpoint_for(&self, task: Task) -> Option<&Endpoint> {
        let wanted = if task == Task::Digest { Task::Summarise } else { task };
        self.endpoints.iter().find(|endpoint| endpoint.does.contains(&wanted))
    }

    /// The tasks that the chosen route asks for.
    pub fn tasks(&self) -> &'static [Task] {
        match self.route {
            Route::SummariseThenTranslate => &[Task::Summarise, Task::Translate],
            Route::SingleCall => &[Task::Digest],
        }
    }
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
    /// One chat call returns titles and summaries in both languages.
    SingleCall,
}

impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SummariseThenTranslate => "summarise-then-translate",
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
    /// Calls at once.
    pub concurrency: usize,
    /// For a whole call, from its start to the last byte of the answer.
    pub timeout: Duration,
    /// Characters of text in one call; none: what is usual for the dialect. A longer article takes several calls.
    pub max_characters: Option<usize>,
}

#[cfg(test)]
impl Endpoint {
    /// An endpoint for tests: a new field has its plain value here, and no other test has to know of it.
    pub fn sample(dialect: &'static str, url: &str) -> Self {
        Self {
            name: "e".into(),
            does: vec![Task::Summarise, Task::Translate],
            dialect,
            url: url.into(),
            model: None,
            key: None,
            concurrency: 1,
            timeout: Duration::from_secs(1),
            max_characters: None,
        }
    }
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
