//! Judges the `[[endpoint]]` sections: who they are, what they do, where, with which key, how fast, and for how much.

use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;

use super::raw::{NumberOrAuto, RawEndpoint, RawKey, RawPrice};
use super::resolve::{Judge, Overrides};
use super::{Concurrency, DialectFacts, Endpoint, Price, Rates, key};
use crate::model::Task;

/// How long an endpoint that is away is waited for: a service that starts with the machine is there by then, and a run that nobody can
/// serve ends within a minute.
const PATIENCE: Duration = Duration::from_secs(45);
const TASKS: &[(&str, Task)] = &[("summarise", Task::Summarise), ("translate", Task::Translate)];

impl Judge<'_> {
    pub(super) fn endpoints(&mut self, raw: Vec<Spanned<RawEndpoint>>, overrides: &Overrides) -> Vec<Endpoint> {
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
                endpoint.wait_for = overrides.wait_for.unwrap_or(endpoint.wait_for);
                endpoint.concurrency = overrides.concurrency.map_or(endpoint.concurrency, Concurrency::Fixed);
                endpoints.push(endpoint);
            }
        }
        endpoints
    }

    fn endpoint(&mut self, span: &Range<usize>, mut raw: RawEndpoint) -> Option<Endpoint> {
        let choices: Vec<(&str, DialectFacts)> = self.dialects.iter().map(|facts| (facts.name, *facts)).collect();
        let known = choices.iter().any(|(name, _)| name == raw.dialect.get_ref());
        let facts = self.choose(Some(raw.dialect.clone()), "dialect", &choices, *self.dialects.first()?);
        let does = raw.does.iter().filter_map(|task| self.task(task, &facts, known)).collect();
        if known {
            self.nothing_is_missing(span, &raw, &facts);
        }
        let url = raw.url.as_ref().and_then(|url| self.url(url));
        let key = raw.key.as_ref().and_then(|raw| self.key(raw));
        if let (Some(written), Some(url), Some(_)) = (&raw.url, &url, &key) {
            self.key_is_safe(written, url, raw.allow_http.unwrap_or(false));
        }
        let options = self.options(&facts, &mut raw, key.is_some());
        let timeout = raw.timeout.and_then(|written| self.duration(&written)).unwrap_or(Duration::from_mins(2));
        let connect_timeout = raw.connect_timeout.and_then(|written| self.duration(&written)).unwrap_or(Duration::from_secs(10));
        let wait_for = raw.wait_for.and_then(|written| self.duration(&written)).unwrap_or(PATIENCE);
        Some(Endpoint {
            concurrency: self.concurrency(raw.concurrency, &facts),
            rates: Rates {
                requests: self.a_minute(raw.requests_per_minute, "requests_per_minute"),
                tokens: self.a_minute(raw.tokens_per_minute, "tokens_per_minute"),
                characters: self.a_minute(raw.characters_per_minute, "characters_per_minute"),
            },
            price: raw.price.and_then(|price| self.price(&price)),
            max_characters: raw.max_characters.map(|written| self.number(Some(written), "max_characters", 0, 500..=10_000_000)),
            max_bytes: raw.max_bytes.map(|written| self.number(Some(written), "max_bytes", 0, 500..=10_000_000)),
            max_tokens: raw.max_tokens.map(|written| self.number(Some(written), "max_tokens", 0, 500..=10_000_000)),
            name: raw.name.into_inner(),
            does,
            dialect: facts.name,
            chat: facts.tasks.contains(&Task::Digest),
            url: url.unwrap_or_default(),
            model: raw.model,
            key,
            timeout,
            connect_timeout,
            wait_for,
            prompts: super::Prompts::shipped(),
            options,
        })
    }

    fn nothing_is_missing(&mut self, span: &Range<usize>, raw: &RawEndpoint, facts: &DialectFacts) {
        let name = raw.name.get_ref();
        if raw.does.is_empty() {
            self.problem(span, format!("endpoint `{name}` does nothing"), Some("does = [\"summarise\", \"translate\"]".into()));
        }
        if facts.needs_url && raw.url.is_none() {
            self.problem(span, format!("endpoint `{name}` has no `url`"), None);
        }
        if facts.needs_model && raw.model.as_deref().is_none_or(str::is_empty) {
            let hint = "the service's own name for it, as `depeche doctor` lists them".to_owned();
            self.problem(span, format!("endpoint `{name}` has no `model`"), Some(hint));
        }
    }

    fn concurrency(&mut self, written: Option<Spanned<NumberOrAuto>>, facts: &DialectFacts) -> Concurrency {
        match written.map(|written| (written.span(), written.into_inner())) {
            Some((span, NumberOrAuto::Number(number))) => {
                Concurrency::Fixed(self.number(Some(Spanned::new(span, number)), "concurrency", facts.concurrency, 1..=10_000))
            }
            _ => Concurrency::Auto { start: facts.concurrency, most: facts.most_concurrency.max(facts.concurrency) },
        }
    }

    fn a_minute(&mut self, written: Option<Spanned<i64>>, key: &str) -> Option<u64> {
        let written = written?;
        u64::try_from(self.number(Some(written), key, 1, 1..=1_000_000_000)).ok()
    }

    /// Prices may be nothing, but not less than nothing; one that is no number would make every sum unknown without a word.
    fn price(&mut self, raw: &Spanned<RawPrice>) -> Option<Price> {
        let RawPrice { tokens_in, tokens_out, characters } = raw.get_ref();
        let good = |price: &Option<f64>| price.is_none_or(|price| (0.0..=1e6).contains(&price));
        if ![tokens_in, tokens_out, characters].into_iter().all(good) {
            self.problem(&raw.span(), "a price is what a million costs, from 0 to 1000000", None);
            return None;
        }
        let by_tokens = tokens_in.is_some() && tokens_out.is_some();
        if !by_tokens && (characters.is_none() || tokens_in.is_some() || tokens_out.is_some()) {
            let hint = "{ tokens_in = 0.15, tokens_out = 0.60 } or { characters = 20.0 }, each the price of a million".to_owned();
            self.problem(&raw.span(), "`price` needs both tokens_in and tokens_out, or characters", Some(hint));
            return None;
        }
        Some(Price {
            tokens_in: tokens_in.unwrap_or_default(),
            tokens_out: tokens_out.unwrap_or_default(),
            characters: characters.unwrap_or_default(),
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

    pub(super) fn url(&mut self, written: &Spanned<String>) -> Option<String> {
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

    fn key(&mut self, raw: &Spanned<RawKey>) -> Option<secrecy::SecretString> {
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

    pub(super) fn duration(&mut self, written: &Spanned<String>) -> Option<Duration> {
        let parsed = written.get_ref().parse::<jiff::SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
        let good = parsed.filter(|duration| (Duration::from_millis(100)..=Duration::from_hours(24)).contains(duration));
        if good.is_none() {
            let hint = "such as \"120s\" or \"2m\", from 100ms to 24h".to_owned();
            self.problem(&written.span(), format!("`{}` is no usable time", written.get_ref()), Some(hint));
        }
        good
    }
}

/// Whether a URL's host is this machine.
pub fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
