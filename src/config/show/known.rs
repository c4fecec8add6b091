//! The keys of each section, with the options that override them and their defaults.

use std::path::Path;
use std::time::Duration;

use crate::config::checks::{CHECKS, DEFAULT_REVIEW_SHARE};
use crate::config::duplicates::NEAR;
use crate::config::options::{ENGLISH, JSON};
use crate::config::overrides::Overrides;
use crate::config::resolve::{LANGUAGES, MODELS, PROFILES, TRANSLATORS};
use crate::config::validator::name_of;
use crate::config::{Concurrency, Config, DialectFacts, Endpoint, MailSettings, OutputFormat};
use crate::model::{Action, Flag};

/// A key of the config.
pub(super) struct Known {
    pub(super) key: &'static str,
    /// The option that sets it on this command line, and the value.
    pub(super) option: Option<(&'static str, String)>,
    /// What the program uses if the file does not have the key; `None` if it uses nothing, or if
    /// that depends on other values.
    pub(super) default: Option<String>,
}

impl Known {
    /// With an option that overrides it, if that is set.
    fn option(mut self, name: &'static str, value: Option<String>) -> Self {
        self.option = value.map(|value| (name, value));
        self
    }
}

/// A key without a default.
fn unset(key: &'static str) -> Known {
    Known { key, option: None, default: None }
}

/// A key with a default. If the file has the key, `default` is not used.
fn key(key: &'static str, default: impl Into<String>) -> Known {
    Known { key, option: None, default: Some(default.into()) }
}

/// A text as TOML writes it.
pub(super) fn text(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn list<'a>(texts: impl Iterator<Item = std::borrow::Cow<'a, str>>) -> String {
    toml::Value::Array(texts.map(|text| toml::Value::from(text.into_owned())).collect()).to_string()
}

fn duration(duration: Duration) -> String {
    text(&format!("{:#}", jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::MAX)))
}

/// The sections, with the keys that have a default or an option. Those of `endpoint` are in
/// [`endpoint`].
pub(super) fn sections(config: &Config, overrides: &Overrides) -> Vec<(&'static str, Vec<Known>)> {
    let mut sections = vec![
        ("input", input(config, overrides)),
        ("output", output(config, overrides)),
        ("page", vec![key("rows", config.page_rows.to_string()), page_language(config)]),
        ("duplicates", vec![key("near", text(name_of(NEAR, config.near)))]),
        ("summary", summary(config, overrides)),
        ("glossary", vec![unset("file")]),
        ("prompts", Vec::new()),
        ("endpoint", Vec::new()),
        ("checks", checks(config)),
        ("run", run(overrides)),
        ("ledger", ledger(config)),
        ("embedded", embedded(config)),
    ];
    // Unlike other sections, this one has required keys.
    sections.extend(config.mail.as_ref().map(|settings| ("mail", mail(settings))));
    sections
}

fn page_language(config: &Config) -> Known {
    config.page_language.map_or(unset("language"), |language| key("language", text(name_of(LANGUAGES, language))))
}

fn checks(config: &Config) -> Vec<Known> {
    let action = |action| text(name_of(&Action::ALL, action));
    let share = config.checks.review_share();
    let review = if share.is_some() { config.checks.action(Flag::Review) } else { Action::Off };
    let own = [key("review", action(review)), key("review_share", share.unwrap_or(DEFAULT_REVIEW_SHARE).to_string())];
    CHECKS.into_iter().map(|check| key(check.code(), action(config.checks.action(check)))).chain(own).collect()
}

fn relative<'a>(path: &'a Path, config: &Config) -> std::borrow::Cow<'a, str> {
    path.strip_prefix(&config.folder).unwrap_or(path).to_string_lossy()
}

fn input(config: &Config, overrides: &Overrides) -> Vec<Known> {
    let paths = (!overrides.paths.is_empty()).then(|| list(overrides.paths.iter().map(|path| path.to_string_lossy())));
    let allow_empty = overrides.run.allow_empty.then(|| "true".to_owned());
    vec![
        key("paths", list(config.input.iter().map(|path| relative(path, config)))).option("PATH", paths),
        key("max_megabytes", (config.max_bytes >> 20).to_string()),
        key("allow_empty", "false").option("--allow-empty", allow_empty),
        unset("rules"),
    ]
}

fn output(config: &Config, overrides: &Overrides) -> Vec<Known> {
    let folder = overrides.output.as_ref().map(|folder| text(&folder.to_string_lossy()));
    vec![
        key("folder", text(&relative(&config.output, config))).option("--output", folder),
        key("profile", text(name_of(PROFILES, config.profile))).option("--profile", overrides.profile.as_deref().map(text)),
        key("formats", list(config.formats.iter().map(|format| name_of(OutputFormat::ALL, *format).into()))),
    ]
}

fn summary(config: &Config, overrides: &Overrides) -> Vec<Known> {
    vec![
        key("route", text(&config.summary.route.to_string())).option("--route", overrides.route.as_deref().map(text)),
        key("words", config.summary.spec.words.to_string()),
        unset("sentences"),
        unset("style"),
        unset("tone"),
        key("keep_text", config.summary.keep_text.to_string()),
    ]
}

fn run(overrides: &Overrides) -> Vec<Known> {
    let flags = &overrides.run;
    vec![
        unset("max_cost").option("--max-cost", flags.max_cost.map(|cost| cost.to_string())),
        unset("max_articles").option("--max-articles", flags.max_articles.map(|count| count.to_string())),
        unset("max_time").option("--max-time", flags.max_time.as_deref().map(text)),
        unset("deadline").option("--deadline", flags.deadline.as_deref().map(text)),
        unset("max_failures").option("--max-failures", flags.max_failures.as_deref().map(text)),
        unset("ping"),
        key("log", text("text")).option("--log-format", flags.log.as_deref().map(text)),
    ]
}

fn mail(mail: &MailSettings) -> Vec<Known> {
    let mut keys: Vec<Known> = ["smtp", "tls", "user", "key", "from", "to"].map(unset).into();
    keys.extend([
        key("attach_megabytes", (mail.attach >> 20).to_string()),
        key("always", mail.always.to_string()),
        key("timeout", duration(mail.timeout)),
        key("wait_for", duration(mail.wait_for)),
    ]);
    keys
}

fn ledger(config: &Config) -> Vec<Known> {
    let Some(server) = &config.ledger else { return ["url", "schema", "lease", "password"].map(unset).into() };
    vec![unset("url"), key("schema", text(&server.schema)), key("lease", duration(server.lease)), unset("password")]
}

fn embedded(config: &Config) -> Vec<Known> {
    vec![
        key("translator", text(name_of(TRANSLATORS, config.embedded.translator))),
        key("model", text(name_of(MODELS, config.embedded.model.as_str()))),
        key("fetch", config.embedded.fetch.to_string()),
        unset("models_dir"),
        unset("mirror"),
    ]
}

/// The keys of an endpoint, with those that only its dialect has.
pub(super) fn endpoint(endpoint: &Endpoint, overrides: &Overrides, dialects: &[DialectFacts]) -> Vec<Known> {
    let concurrency = match endpoint.concurrency {
        Concurrency::Auto { .. } => text("auto"),
        Concurrency::Fixed(number) => number.to_string(),
    };
    let mut keys: Vec<Known> = ["name", "does", "dialect", "url", "service", "model", "key"].map(unset).into();
    keys.extend([
        key("allow_http", "false"),
        key("concurrency", concurrency).option("--concurrency", overrides.concurrency.map(|number| number.to_string())),
        key("timeout", duration(endpoint.timeout)),
        key("connect_timeout", duration(endpoint.connect_timeout)),
        key("wait_for", duration(endpoint.wait_for)).option("--wait-for", overrides.wait_for.map(duration)),
    ]);
    keys.extend(["max_characters", "max_bytes", "max_tokens"].map(unset));
    keys.extend(["requests_per_minute", "tokens_per_minute", "characters_per_minute", "price"].map(unset));
    let facts = dialects.iter().find(|facts| facts.name == endpoint.dialect);
    keys.extend(facts.into_iter().flat_map(|facts| facts.keys).map(|name| match *name {
        "json" => key("json", text(name_of(JSON, endpoint.options.json))),
        "english" => key("english", text(name_of(ENGLISH, endpoint.options.english))),
        name => unset(name),
    }));
    keys
}
