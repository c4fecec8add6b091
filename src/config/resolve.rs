//! From what is written to what is used: every value judged, every fault collected with its place.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::place::{Problem, nearest};
use super::raw::{NumberOrAuto, RawConfig, RawEmbedded, RawEndpoint};
use super::{Config, DialectFacts, Embedded, Endpoint, Profile, Route, SHIPPED, Translator, key};
use crate::model::Task;

/// A config is a page of text; anything larger is some other file named by mistake.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

const PROFILES: &[(&str, Profile)] = &[("plain", Profile::Plain), ("excel-fr", Profile::ExcelFr)];
const ROUTES: &[(&str, Route)] = &[("summarise-then-translate", Route::SummariseThenTranslate), ("single-call", Route::SingleCall)];
const TASKS: &[(&str, Task)] = &[("summarise", Task::Summarise), ("translate", Task::Translate)];
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

struct Judge<'a> {
    path: &'a Path,
    text: &'a str,
    folder: PathBuf,
    dialects: &'a [DialectFacts],
    problems: Vec<Problem>,
}

impl Judge<'_> {
    fn judge(mut self, raw: RawConfig, overrides: &Overrides) -> Result<Config, Vec<Problem>> {
        let named = |flag: &Option<String>, written: Option<Spanned<String>>| {
            flag.clone().map_or(written, |name| Some(Spanned::new(usize::MAX..usize::MAX, name)))
        };
        let profile = self.choose(named(&overrides.profile, raw.output.profile), "profile", PROFILES, Profile::Plain);
        let route = self.choose(named(&overrides.route, raw.summary.route), "route", ROUTES, Route::SummariseThenTranslate);
        let words = self.number(raw.summary.words, "words", 60, 10..=1000);
        let megabytes = self.number(raw.input.max_megabytes, "max_megabytes", 10, 1..=1000);
        let embedded = self.embedded(raw.embedded);
        let endpoints = self.endpoints(raw.endpoint, overrides);
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
            max_bytes: u64::try_from(megabytes).unwrap_or(u64::MAX) << 20,
            output,
            profile,
            route,
            words,
            endpoints,
            embedded,
        };
        if self.problems.is_empty() {
            self.route_can_be_done(&config);
        }
        if self.problems.is_empty() { Ok(config) } else { Err(self.problems) }
    }

    fn problem(&mut self, span: &Range<usize>, message: impl Into<String>, hint: Option<String>) {
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

    fn choose<T: Copy>(&mut self, written: Option<Spanned<String>>, key: &str, choices: &[(&str, T)], default: T) -> T {
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

    fn number(&mut self, written: Option<Spanned<i64>>, key: &str, default: usize, range: std::ops::RangeInclusive<i64>) -> usize {
        let Some(written) = written else { return default };
        if range.contains(written.get_ref()) {
            return usize::try_from(*written.get_ref()).unwrap_or(default);
        }
        let (low, high) = (range.start(), range.end());
        self.problem(&written.span(), format!("`{key}` is {}, but must be between {low} and {high}", written.get_ref()), None);
        default
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

    fn endpoints(&mut self, raw: Vec<Spanned<RawEndpoint>>, overrides: &Overrides) -> Vec<Endpoint> {
        let mut names = HashSet::new();
        let mut endpoints = Vec::new();
        for raw in raw {
            let span = raw.span();
            let raw = raw.into_inner();
            if !names.insert(raw.name.get_ref().clone()) {
                self.problem(
                    &raw.name.span(),
                    format!("two endpoints are named `{}`", raw.name.get_ref()),
                    Some("give each its own name".into()),
                );
            }
            if let Some(mut endpoint) = self.endpoint(&span, raw) {
                endpoint.concurrency = overrides.concurrency.unwrap_or(endpoint.concurrency);
                endpoints.push(endpoint);
            }
        }
        endpoints
    }

    fn endpoint(&mut self, span: &Range<usize>, raw: RawEndpoint) -> Option<Endpoint> {
        let choices: Vec<(&str, DialectFacts)> = self.dialects.iter().map(|facts| (facts.name, *facts)).collect();
        let known = choices.iter().any(|(name, _)| name == raw.dialect.get_ref());
        let facts = self.choose(Some(raw.dialect.clone()), "dialect", &choices, *self.dialects.first()?);
        let does = raw.does.iter().filter_map(|task| self.task(task, &facts, known)).collect();
        if raw.does.is_empty() {
            self.problem(
                span,
                format!("endpoint `{}` does nothing", raw.name.get_ref()),
                Some("does = [\"summarise\", \"translate\"]".into()),
            );
        }
        if known && facts.needs_url && raw.url.is_none() {
            self.problem(span, format!("endpoint `{}` has no `url`", raw.name.get_ref()), None);
        }
        if known && facts.needs_model && raw.model.as_deref().is_none_or(str::is_empty) {
            self.problem(
                span,
                format!("endpoint `{}` has no `model`", raw.name.get_ref()),
                Some("the service's own name for it, as `depeche doctor` lists them".into()),
            );
        }
        let url = raw.url.as_ref().and_then(|url| self.url(url));
        let key = raw.key.as_ref().and_then(|raw| self.key(raw));
        if let (Some(written), Some(url), Some(_)) = (&raw.url, &url, &key) {
            self.key_is_safe(written, url, raw.allow_http.unwrap_or(false));
        }
        let concurrency = match raw.concurrency.map(|written| (written.span(), written.into_inner())) {
            Some((span, NumberOrAuto::Number(number))) => {
                self.number(Some(Spanned::new(span, number)), "concurrency", facts.concurrency, 1..=10_000)
            }
            _ => facts.concurrency,
        };
        let timeout = raw.timeout.and_then(|written| self.duration(&written)).unwrap_or(Duration::from_mins(2));
        let max_characters = raw.max_characters.map(|written| self.number(Some(written), "max_characters", 0, 500..=10_000_000));
        Some(Endpoint {
            name: raw.name.into_inner(),
            does,
            dialect: facts.name,
            url: url.unwrap_or_default(),
            model: raw.model,
            key,
            concurrency,
            timeout,
            max_characters,
        })
    }

    fn task(&mut self, written: &Spanned<String>, facts: &DialectFacts, dialect_known: bool) -> Option<Task> {
        let before = self.problems.len();
        let task = self.choose(Some(written.clone()), "does", TASKS, Task::Summarise);
        if self.problems.len() > before {
            return None;
        }
        if dialect_known && !facts.tasks.contains(&task) {
            self.problem(&written.span(), format!("a service of the dialect `{}` cannot {task}", facts.name), None);
        }
        Some(task)
    }

    fn url(&mut self, written: &Spanned<String>) -> Option<String> {
        let fault = match reqwest::Url::parse(written.get_ref()) {
            Err(error) => format!("`{}` is not a URL: {error}", written.get_ref()),
            Ok(url) if !matches!(url.scheme(), "http" | "https") => format!("`{}://` is not supported, only http and https", url.scheme()),
            Ok(url) if url.host_str().is_none_or(str::is_empty) => "the URL names no host".into(),
            // The URL is not repeated: it holds a password.
            Ok(url) if !url.username().is_empty() || url.password().is_some() => "the URL holds a user name or password".into(),
            Ok(url) if url.query().is_some() || url.fragment().is_some() => "the URL has a ? or #, but paths are put behind it".into(),
            Ok(url) => return Some(url.as_str().trim_end_matches('/').to_owned()),
        };
        self.problem(&written.span(), fault, Some("such as \"http://localhost:5000\"; a key goes to `key = { env = … }`".into()));
        None
    }

    fn key(&mut self, raw: &Spanned<super::raw::RawKey>) -> Option<secrecy::SecretString> {
        match key::fetch(raw.get_ref(), &self.folder) {
            Ok(key) => Some(key),
            Err(fault) => {
                self.problem(&raw.span(), fault, Some("set it before the run; in cron, in the crontab or in an environment file".into()));
                None
            }
        }
    }

    /// A key over plain http to another machine can be read by everybody on the way.
    fn key_is_safe(&mut self, written: &Spanned<String>, url: &str, allow_http: bool) {
        let Ok(parsed) = reqwest::Url::parse(url) else { return };
        if parsed.scheme() == "http" && !is_loopback(&parsed) && !allow_http {
            let hint = "use https, or say `allow_http = true` if the network between is yours".to_owned();
            self.problem(&written.span(), "the key would travel unencrypted to another machine", Some(hint));
        }
    }

    fn duration(&mut self, written: &Spanned<String>) -> Option<Duration> {
        let parsed = written.get_ref().parse::<jiff::SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
        let good = parsed.filter(|duration| (Duration::from_millis(100)..=Duration::from_hours(24)).contains(duration));
        if good.is_none() {
            let hint = "such as \"120s\" or \"2m\", from 100ms to 24h".to_owned();
            self.problem(&written.span(), format!("`{}` is no usable time", written.get_ref()), Some(hint));
        }
        good
    }

    /// The chosen route must have somebody to do each of its tasks.
    fn route_can_be_done(&mut self, config: &Config) {
        for task in config.tasks() {
            let Some(endpoint) = config.endpoint_for(*task) else {
                let wanted = if *task == Task::Digest { Task::Summarise } else { *task };
                let hint = format!("add an [[endpoint]] with does = [\"{wanted}\"]");
                self.problems.push(Problem::of(self.path, format!("no endpoint does `{wanted}`")).hint(hint));
                continue;
            };
            let facts = self.dialects.iter().find(|facts| facts.name == endpoint.dialect);
            if !facts.is_some_and(|facts| facts.tasks.contains(task)) {
                let message =
                    format!("the route `single-call` needs a chat model, but endpoint `{}` speaks `{}`", endpoint.name, endpoint.dialect);
                self.problems.push(
                    Problem::of(self.path, message)
                        .hint("use an endpoint of the dialect `openai`, or route = \"summarise-then-translate\""),
                );
            }
        }
    }
}

/// Whether a URL's host is this machine.
pub fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
