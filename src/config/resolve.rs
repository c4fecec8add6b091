//! From what is written to what is used: every value judged, every fault collected with its place.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;

use super::place::{Problem, nearest};
use super::raw::{RawConfig, RawEmbedded, RawSummary};
use super::run::RunFlags;
use super::{Config, DialectFacts, Embedded, Endpoint, Profile, Route, SHIPPED, Summary, Translator};
use crate::model::{Task, Wish};

/// A config is a page of text; anything larger is some other file named by mistake.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

const PROFILES: &[(&str, Profile)] = &[("plain", Profile::Plain), ("excel-fr", Profile::ExcelFr)];
const ROUTES: &[(&str, Route)] = &[
    ("summarise-then-translate", Route::SummariseThenTranslate),
    ("translate-then-summarise", Route::TranslateThenSummarise),
    ("single-call", Route::SingleCall),
];
/// Words of a sentence in news, for those who count words when the user counts sentences.
const WORDS_A_SENTENCE: usize = 22;
const TRANSLATORS: &[(&str, Translator)] =
    &[("auto", Translator::Auto), ("firefox", Translator::Firefox), ("apertium", Translator::Apertium)];
const MODELS: &[(&str, &str)] = &[("tiny", "tiny"), ("base-memory", "base-memory")];

/// What the command line says instead of the config.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Files and folders, relative to the working folder.
    pub paths: Vec<PathBuf>,
    /// The output folder, relative to the working folder.
    pub output: Option<PathBuf>,
    /// A route's name.
    pub route: Option<String>,
    /// Calls at once, for every endpoint.
    pub concurrency: Option<usize>,
    /// A profile's name.
    pub profile: Option<String>,
    /// What ends the run early.
    pub run: RunFlags,
    /// How long an endpoint that is away is waited for.
    pub wait_for: Option<Duration>,
}

/// Reads and judges the config: `file`, else `config.toml` in the working folder, else the one that ships.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn load(file: Option<&Path>, overrides: &Overrides, dialects: &[DialectFacts]) -> Result<Config, Vec<Problem>> {
    let here = PathBuf::from("config.toml");
    let (path, text) = match file {
        Some(path) => (path.to_path_buf(), read(path).map_err(|problem| vec![problem])?),
        None if here.symlink_metadata().is_ok() => (here.clone(), read(&here).map_err(|problem| vec![problem])?),
        None => (here, SHIPPED.to_owned()),
    };
    let raw: RawConfig = toml::from_str(&text).map_err(|error| vec![Problem::from_toml(&path, &text, &error)])?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().map_err(|error| vec![Problem::of(&path, format!("its folder cannot be read: {error}"))])?;
    Judge { path: &path, text: &text, folder, dialects, problems: Vec::new() }.judge(raw, overrides)
}

fn read(path: &Path) -> Result<String, Problem> {
    let advice = "`depeche init SERVICE` writes one; `--config FILE` names another";
    let fault = |what: String| Problem::of(path, what).hint(advice);
    let meta = std::fs::metadata(path).map_err(|error| fault(format!("cannot be read: {error}")))?;
    if !meta.is_file() {
        return Err(fault("is not a file".into()));
    }
    if meta.len() > MAX_CONFIG_BYTES {
        return Err(fault(format!("is {} MB large: not a config", meta.len() >> 20)));
    }
    let bytes = std::fs::read(path).map_err(|error| fault(format!("cannot be read: {error}")))?;
    String::from_utf8(bytes).map_err(|error| {
        Problem::of(path, format!("is not UTF-8: byte {} fits no character", error.utf8_error().valid_up_to() + 1))
            .hint("save it again as UTF-8")
    })
}

/// Judges what is written; each section's judgement may stand in a file of its own.
pub(super) struct Judge<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    pub(super) folder: PathBuf,
    pub(super) dialects: &'a [DialectFacts],
    pub(super) problems: Vec<Problem>,
}

impl Judge<'_> {
    fn judge(mut self, raw: RawConfig, overrides: &Overrides) -> Result<Config, Vec<Problem>> {
        let named = |flag: &Option<String>, written: Option<Spanned<String>>| {
            flag.clone().map_or(written, |name| Some(Spanned::new(usize::MAX..usize::MAX, name)))
        };
        let profile = self.choose(named(&overrides.profile, raw.output.profile), "profile", PROFILES, Profile::Plain);
        let route = named(&overrides.route, raw.summary.route.clone());
        let summary = self.summary(route, raw.summary);
        let megabytes = self.number(raw.input.max_megabytes, "max_megabytes", 10, 1..=1000);
        let glossary = self.glossary(raw.glossary.file);
        let rules = self.rules(raw.input.rules);
        let checks = self.checks(raw.checks);
        let near = self.choose(raw.duplicates.near, "near", super::duplicates::NEAR, super::Near::default());
        let page_rows = self.number(raw.page.rows, "rows", 5000, 1..=50_000);
        let embedded = self.embedded(raw.embedded);
        let run = self.run(raw.run, &overrides.run);
        let prompts = self.prompts(raw.prompts);
        let mut endpoints = self.endpoints(raw.endpoint, overrides);
        self.keep_glossary(&mut endpoints, &glossary);
        for endpoint in &mut endpoints {
            endpoint.prompts = Arc::clone(&prompts);
        }
        if raw.input.paths.as_ref().is_some_and(Vec::is_empty) && overrides.paths.is_empty() {
            self.problems.push(Problem::of(self.path, "`paths` under [input] is empty").hint("such as paths = [\"input\"]"));
        }
        let input = if overrides.paths.is_empty() {
            raw.input.paths.unwrap_or_else(|| vec!["input".into()]).into_iter().map(|path| self.folder.join(path)).collect()
        } else {
            overrides.paths.clone()
        };
        let output = overrides.output.clone().unwrap_or_else(|| self.folder.join(raw.output.folder.as_deref().unwrap_or("output")));
        let config = Config {
            folder: self.folder.clone(),
            input,
            near,
            fields: raw.input.fields.into(),
            rules,
            max_bytes: u64::try_from(megabytes).unwrap_or(u64::MAX) << 20,
            output,
            profile,
            summary,
            glossary,
            endpoints,
            checks,
            embedded,
            page_rows,
            run,
        };
        if self.problems.is_empty() {
            self.route_can_be_done(&config);
            self.cost_can_be_capped(&config);
        }
        if self.problems.is_empty() { Ok(config) } else { Err(self.problems) }
    }

    pub(super) fn problem(&mut self, span: &Range<usize>, message: impl Into<String>, hint: Option<String>) {
        // A value from the command line has no place in the file.
        let message = message.into();
        let mut problem = if span.start == usize::MAX {
            Problem { file: "command line".into(), ..Problem::of(self.path, message) }
        } else {
            Problem::at(self.path, self.text, span, message)
        };
        problem.hint = hint;
        self.problems.push(problem);
    }

    pub(super) fn choose<T: Copy>(&mut self, written: Option<Spanned<String>>, key: &str, choices: &[(&str, T)], default: T) -> T {
        let Some(written) = written else { return default };
        if let Some((_, value)) = choices.iter().find(|(name, _)| name == written.get_ref()) {
            return *value;
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let hint = nearest(written.get_ref(), names.iter().copied())
            .map_or_else(|| format!("one of {}", names.join(", ")), |near| format!("did you mean `{near}`?"));
        self.problem(&written.span(), format!("`{key}` cannot be `{}`", written.get_ref()), Some(hint));
        default
    }

    pub(super) fn number(
        &mut self,
        written: Option<Spanned<i64>>,
        key: &str,
        default: usize,
        range: std::ops::RangeInclusive<i64>,
    ) -> usize {
        let Some(written) = written else { return default };
        if range.contains(written.get_ref()) {
            return usize::try_from(*written.get_ref()).unwrap_or(default);
        }
        let (low, high) = (range.start(), range.end());
        self.problem(&written.span(), format!("`{key}` is {}, but must be between {low} and {high}", written.get_ref()), None);
        default
    }

    fn summary(&mut self, route: Option<Spanned<String>>, raw: RawSummary) -> Summary {
        if let (Some(_), Some(sentences)) = (&raw.words, &raw.sentences) {
            self.problem(&sentences.span(), "a summary's length is `words` or `sentences`, not both", None);
        }
        let sentences = raw.sentences.map(|written| self.number(Some(written), "sentences", 3, 1..=50));
        let words = self.number(raw.words, "words", sentences.map_or(60, |count| count * WORDS_A_SENTENCE), 10..=1000);
        Summary {
            route: self.choose(route, "route", ROUTES, Route::SummariseThenTranslate),
            wish: Wish { words, sentences, style: raw.style, tone: raw.tone },
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

    /// A cap on the cost wants to know what a call costs.
    fn cost_can_be_capped(&mut self, config: &Config) {
        let used = |endpoint: &&Endpoint| config.tasks().iter().any(|task| endpoint.can(*task));
        let unknown = |endpoint: &&Endpoint| endpoint.dialect != "embedded" && endpoint.price.is_none();
        for endpoint in config.endpoints.iter().filter(used).filter(unknown).filter(|_| config.run.max_cost.is_some()) {
            let message = format!("`max_cost` cannot be kept: the price of endpoint `{}` is not known", endpoint.name);
            self.problems.push(Problem::of(self.path, message).hint("give it one, such as price = { tokens_in = 0.15, tokens_out = 0.6 }"));
        }
    }

    /// The chosen route must have somebody to do each of its tasks.
    fn route_can_be_done(&mut self, config: &Config) {
        for task in config.tasks() {
            if config.endpoints_for(*task).next().is_some() {
                continue;
            }
            let wanted = if *task == Task::Digest { Task::Summarise } else { *task };
            let problem = match config.endpoints_for(Task::Summarise).next().filter(|_| *task == Task::Digest) {
                Some(other) => {
                    let (name, dialect) = (&other.name, other.dialect);
                    let message = format!("the route `single-call` needs a chat model, but endpoint `{name}` speaks `{dialect}`");
                    let chats = self.dialects.iter().filter(|facts| facts.tasks.contains(&Task::Digest)).map(|facts| facts.name);
                    let hint =
                        format!("add an endpoint of {}, or route = \"summarise-then-translate\"", chats.collect::<Vec<_>>().join(", "));
                    Problem::of(self.path, message).hint(hint)
                }
                None => Problem::of(self.path, format!("no endpoint does `{wanted}`"))
                    .hint(format!("add an [[endpoint]] with does = [\"{wanted}\"]")),
            };
            self.problems.push(problem);
        }
    }
}
