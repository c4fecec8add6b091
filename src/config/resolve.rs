//! Loads the config: reads and parses the file, validates every value, and resolves defaults, paths
//! and command-line flags.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::overrides::Overrides;
use super::problem::Problem;
use super::raw::{RawConfig, RawEmbedded, RawSummary};
use super::spanned::Spanned;
use super::validator::{Validator, flag_or};
use super::{Config, DialectFacts, Embedded, Endpoint, NearDuplicates, OutputFormat, Profile, Route, SHIPPED, Summary, Translator};
use crate::model::{Lang, SummarySpec, Task};

/// A larger file is not a config.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

pub(super) const PROFILES: &[(&str, Profile)] = &[("plain", Profile::Plain), ("excel-fr", Profile::ExcelFr)];
pub(super) const LANGUAGES: &[(&str, Lang)] = &[("fr", Lang::FR), ("en", Lang::EN)];
pub(super) const ROUTES: &[(&str, Route)] = &[
    ("summarise-then-translate", Route::SummariseThenTranslate),
    ("translate-then-summarise", Route::TranslateThenSummarise),
    ("single-call", Route::SingleCall),
];
/// Words per sentence in news: sets the number of words if the user sets sentences.
const WORDS_PER_SENTENCE: usize = 22;
pub(super) const TRANSLATORS: &[(&str, Translator)] =
    &[("auto", Translator::Auto), ("firefox", Translator::Firefox), ("apertium", Translator::Apertium)];
pub(super) const MODELS: &[(&str, &str)] = &[("tiny", "tiny"), ("base-memory", "base-memory")];

/// Loads `file`, or else `config.toml` in the working folder, or else the config that ships with
/// the program.
///
/// # Errors
/// Returns everything that is wrong with the config.
pub fn load(file: Option<&Path>, overrides: &Overrides, dialects: &[DialectFacts]) -> Result<Config, Vec<Problem>> {
    ConfigFile::find(file).map_err(|problem| vec![problem])?.load(overrides, dialects)
}

/// A config file that was read.
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// Whether it exists, or is the one that ships with the program.
    pub(super) exists: bool,
}

impl ConfigFile {
    /// Reads `file`, or else `config.toml` in the working folder, or else the config that ships with
    /// the program.
    pub(super) fn find(file: Option<&Path>) -> Result<Self, Problem> {
        let path = file.map_or_else(|| PathBuf::from("config.toml"), Path::to_path_buf);
        let exists = file.is_some() || path.symlink_metadata().is_ok();
        let text = if exists { read(&path)? } else { SHIPPED.to_owned() };
        Ok(Self { path, text, exists })
    }

    /// Parses and validates it.
    pub(super) fn load(&self, overrides: &Overrides, dialects: &[DialectFacts]) -> Result<Config, Vec<Problem>> {
        let (path, text) = (&self.path, &self.text);
        let raw: RawConfig = toml::from_str(text).map_err(|error| vec![Problem::from_toml(path, text, &error)])?;
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder.canonicalize().map_err(|error| vec![Problem::of(path, format!("cannot read its folder: {error}"))])?;
        Validator { path, text, folder, dialects, problems: Vec::new() }.resolve(raw, overrides)
    }
}

fn read(path: &Path) -> Result<String, Problem> {
    let problem =
        |message: String| Problem::of(path, message).hint("create one with `depeche init SERVICE`, or name another with `--config FILE`");
    let meta = std::fs::metadata(path).map_err(|error| problem(format!("cannot read it: {error}")))?;
    if !meta.is_file() {
        return Err(problem("not a file".into()));
    }
    if meta.len() > MAX_CONFIG_BYTES {
        return Err(problem(format!("{} MB is too large for a config", meta.len() >> 20)));
    }
    let bytes = std::fs::read(path).map_err(|error| problem(format!("cannot read it: {error}")))?;
    String::from_utf8(bytes).map_err(|error| {
        let byte = error.utf8_error().valid_up_to() + 1;
        Problem::of(path, format!("not UTF-8: invalid byte at position {byte}")).hint("save it as UTF-8")
    })
}

impl Validator<'_> {
    fn resolve(mut self, raw: RawConfig, overrides: &Overrides) -> Result<Config, Vec<Problem>> {
        let profile = flag_or(overrides.profile.clone(), raw.output.profile);
        let profile = self.choose(profile, "profile", PROFILES, Profile::Plain);
        let formats = self.formats(raw.output.formats);
        let route = flag_or(overrides.route.clone(), raw.summary.route.clone());
        let summary = self.summary(route, raw.summary);
        let megabytes = self.number(raw.input.max_megabytes, "max_megabytes", 10, 1..=1000);
        let glossary = self.glossary(raw.glossary.file);
        let rules = self.rules(raw.input.rules);
        let checks = self.checks(raw.checks);
        let near_span = raw.duplicates.near.as_ref().map(Spanned::span);
        let near = self.choose(raw.duplicates.near, "near", super::duplicates::NEAR, NearDuplicates::default());
        let page_rows = self.number(raw.page.rows, "rows", 5000, 1..=50_000);
        let page_language = raw.page.language.map(|written| self.choose(Some(written), "language", LANGUAGES, Lang::FR));
        let embedded = self.embedded(raw.embedded);
        let ledger = self.ledger(raw.ledger, overrides.wait_for);
        let run = self.run(raw.run, raw.input.allow_empty.unwrap_or(false), &overrides.run);
        let mail = self.mail(raw.mail);
        let prompts = self.prompts(raw.prompts);
        let mut endpoints = self.endpoints(raw.endpoint, overrides);
        self.give_glossary(&mut endpoints, &glossary);
        for endpoint in &mut endpoints {
            endpoint.prompts = Arc::clone(&prompts);
        }
        let input = self.input(raw.input.paths, overrides);
        let output = overrides.output.clone().unwrap_or_else(|| self.folder.join(raw.output.folder.as_deref().unwrap_or("output")));
        let config = Config {
            folder: self.folder.clone(),
            input,
            near,
            fields: raw.input.fields.into(),
            rules,
            max_bytes: u64::try_from(megabytes).unwrap_or(u64::MAX) << 20,
            output,
            ledger,
            profile,
            formats,
            summary,
            glossary,
            endpoints,
            checks,
            embedded,
            page_rows,
            page_language,
            mail,
            run,
        };
        if self.problems.is_empty() {
            self.check_route(&config);
            self.check_prices(&config);
            self.check_shared_ledger(&config, near_span.as_ref());
        }
        if self.problems.is_empty() { Ok(config) } else { Err(self.problems) }
    }

    /// The formats to write, each once; all of them by default.
    fn formats(&mut self, written: Option<Spanned<Vec<Spanned<String>>>>) -> Vec<OutputFormat> {
        let Some(written) = written else { return OutputFormat::ALL.iter().map(|(_, format)| *format).collect() };
        if written.get_ref().is_empty() {
            self.problem(&written.span(), "`formats` is empty, so no table would be written", Some("use formats = [\"csv\"]".into()));
        }
        let mut formats = Vec::new();
        for name in written.into_inner() {
            let format = self.choose(Some(name), "formats", OutputFormat::ALL, OutputFormat::Csv);
            if !formats.contains(&format) {
                formats.push(format);
            }
        }
        formats
    }

    fn input(&mut self, paths: Option<Vec<String>>, overrides: &Overrides) -> Vec<PathBuf> {
        if !overrides.paths.is_empty() {
            return overrides.paths.clone();
        }
        let paths = paths.unwrap_or_else(|| vec!["input".into()]);
        if paths.is_empty() {
            self.problems.push(Problem::of(self.path, "`paths` in [input] is empty").hint("use paths = [\"input\"]"));
        }
        paths.into_iter().map(|path| self.folder.join(path)).collect()
    }

    fn summary(&mut self, route: Option<Spanned<String>>, raw: RawSummary) -> Summary {
        if let (Some(_), Some(sentences)) = (&raw.words, &raw.sentences) {
            self.problem(&sentences.span(), "set `words` or `sentences`, not both", None);
        }
        let sentences = raw.sentences.map(|written| self.number(Some(written), "sentences", 3, 1..=50));
        let words = self.number(raw.words, "words", sentences.map_or(60, |count| count * WORDS_PER_SENTENCE), 10..=1000);
        Summary {
            route: self.choose(route, "route", ROUTES, Route::SummariseThenTranslate),
            spec: SummarySpec { words, sentences, style: raw.style, tone: raw.tone },
            keep_text: raw.keep_text.unwrap_or(false),
        }
    }

    fn embedded(&mut self, raw: RawEmbedded) -> Embedded {
        let mirror = raw.mirror.and_then(|mirror| self.url(&mirror));
        Embedded {
            translator: self.choose(raw.translator, "translator", TRANSLATORS, Translator::Auto),
            model: self.choose(raw.model, "model", MODELS, "tiny").to_owned(),
            fetch: raw.fetch.unwrap_or(true),
            models_dir: raw.models_dir.map(|dir| self.folder.join(dir)),
            mirror,
        }
    }

    /// A limit on the cost requires the price of every endpoint in use.
    fn check_prices(&mut self, config: &Config) {
        let used = |endpoint: &&Endpoint| config.tasks().iter().any(|task| endpoint.can(*task));
        let unknown = |endpoint: &&Endpoint| endpoint.dialect != "embedded" && endpoint.price.is_none();
        let unsaid = |endpoint: &&Endpoint| endpoint.batch.as_ref().is_some_and(|batch| batch.discount.is_none());
        for endpoint in config.endpoints.iter().filter(used).filter(unsaid).filter(|_| config.run.max_cost.is_some()) {
            let message = format!("`max_cost` needs the discount of batches of endpoint `{}`", endpoint.name);
            let hint = "add `discount` under [endpoint.batch]: the share of the price that a batch costs, such as 0.5";
            self.problems.push(Problem::of(self.path, message).hint(hint));
        }
        for endpoint in config.endpoints.iter().filter(used).filter(unknown).filter(|_| config.run.max_cost.is_some()) {
            let message = format!("`max_cost` needs the price of endpoint `{}`", endpoint.name);
            self.problems.push(Problem::of(self.path, message).hint("add one, such as price = { tokens_in = 0.15, tokens_out = 0.6 }"));
        }
    }

    /// The route requires an endpoint for each of its tasks.
    fn check_route(&mut self, config: &Config) {
        for task in config.tasks() {
            if config.endpoints_for(task).next().is_some() {
                continue;
            }
            let wanted = if task == Task::Digest { Task::Summarise } else { task };
            let problem = match config.endpoints_for(Task::Summarise).next().filter(|_| task == Task::Digest) {
                Some(other) => self.no_chat_model(other),
                None => Problem::of(self.path, format!("no endpoint does `{wanted}`"))
                    .hint(format!("add an [[endpoint]] with does = [\"{wanted}\"]")),
            };
            self.problems.push(problem);
        }
    }

    fn no_chat_model(&self, endpoint: &Endpoint) -> Problem {
        let (name, dialect) = (&endpoint.name, endpoint.dialect);
        let chats = self.dialects.iter().filter(|facts| facts.tasks.contains(&Task::Digest)).map(|facts| facts.name);
        let chats = chats.collect::<Vec<_>>().join(", ");
        Problem::of(self.path, format!("the route `single-call` needs a chat model, but the dialect of endpoint `{name}` is `{dialect}`"))
            .hint(format!("add an endpoint with the dialect {chats}, or set route = \"summarise-then-translate\""))
    }
}
