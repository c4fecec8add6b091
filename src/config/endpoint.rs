//! Validates the `[[endpoint]]` sections.

use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use super::overrides::Overrides;
use super::raw::{NumberOrAuto, RawEndpoint, RawKey, RawPrice};
use super::spanned::Spanned;
use super::validator::Validator;
use super::{Concurrency, DialectFacts, Endpoint, Price, Rates, key};
use crate::model::Task;

/// The default of `wait_for`. It is long enough for a service that starts together with the
/// machine. A run without any service still ends within a minute.
const DEFAULT_WAIT: Duration = Duration::from_secs(45);
/// The default of `timeout`.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(2);
/// The default of `timeout` in a tier that lets calls wait for room. `OpenAI` recommends it for its
/// flex tier.
const TIER_TIMEOUT: Duration = Duration::from_mins(15);
/// The tasks that `does` may name. Chat models that summarise can also do `Task::Digest`, which is a
/// whole row in one call.
pub(super) const TASKS: &[(&str, Task)] = &[("summarise", Task::Summarise), ("translate", Task::Translate), ("review", Task::Review)];

impl Validator<'_> {
    pub(super) fn endpoints(&mut self, raw: Vec<Spanned<RawEndpoint>>, overrides: &Overrides) -> Vec<Endpoint> {
        let mut names = HashSet::new();
        let mut endpoints = Vec::new();
        for raw in raw {
            let span = raw.span();
            let raw = raw.into_inner();
            if !names.insert(raw.name.get_ref().clone()) {
                self.problem(
                    &raw.name.span(),
                    format!("duplicate endpoint name `{}`", raw.name.get_ref()),
                    Some("give each endpoint its own name".into()),
                );
            }
            if let Some(mut endpoint) = self.endpoint(&span, raw, overrides.without_models) {
                endpoint.wait_for = overrides.wait_for.unwrap_or(endpoint.wait_for);
                endpoint.concurrency = overrides.concurrency.map_or(endpoint.concurrency, Concurrency::Fixed);
                endpoints.push(endpoint);
            }
        }
        endpoints
    }

    fn endpoint(&mut self, span: &Range<usize>, mut raw: RawEndpoint, without_model: bool) -> Option<Endpoint> {
        let choices: Vec<(&str, DialectFacts)> = self.dialects.iter().map(|facts| (facts.name, *facts)).collect();
        let known = choices.iter().any(|(name, _)| name == raw.dialect.get_ref());
        let facts = self.choose(Some(raw.dialect.clone()), "dialect", &choices, *self.dialects.first()?);
        let does = raw.does.iter().filter_map(|task| self.task(task, &facts, known)).collect();
        if known {
            self.check_required(span, &raw, &facts, without_model);
        }
        let url = raw.url.as_ref().and_then(|url| self.url(url));
        let key = raw.key.as_ref().and_then(|raw| self.key(raw));
        // If the key cannot be read, this is reported elsewhere. A template that uses the key is
        // still right.
        let has_key = raw.key.is_some();
        if let (Some(written), Some(url), Some(_)) = (&raw.url, &url, &key) {
            self.check_key_is_encrypted(written, url, raw.allow_http.unwrap_or(false));
        }
        let options = self.options(&facts, &mut raw, has_key);
        let form = raw.batch.as_ref().and_then(|batch| batch.get_ref().form.clone());
        let batch_form = self.batch_form(form, &facts, url.as_deref().unwrap_or_default());
        let batch = raw.batch.take().and_then(|written| self.batch(&written, url.as_deref().unwrap_or_default()));
        let default = if options.tier.is_some() { TIER_TIMEOUT } else { DEFAULT_TIMEOUT };
        let timeout = raw.timeout.and_then(|written| self.duration(&written)).unwrap_or(default);
        let connect_timeout = raw.connect_timeout.and_then(|written| self.duration(&written)).unwrap_or(Duration::from_secs(10));
        let wait_for = raw.wait_for.and_then(|written| self.duration(&written)).unwrap_or(DEFAULT_WAIT);
        Some(Endpoint {
            concurrency: self.concurrency(raw.concurrency, &facts),
            rates: Rates {
                requests: self.rate(raw.requests_per_minute, "requests_per_minute"),
                tokens: self.rate(raw.tokens_per_minute, "tokens_per_minute"),
                characters: self.rate(raw.characters_per_minute, "characters_per_minute"),
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
            service: raw.service.and_then(|written| self.service(written)),
            model: raw.model,
            key,
            timeout,
            connect_timeout,
            wait_for,
            prompts: super::Prompts::shipped(),
            options,
            batch,
            batch_form,
        })
    }

    /// The name of a service, which must not look like a URL.
    fn service(&mut self, written: Spanned<String>) -> Option<String> {
        let name = written.get_ref();
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if name.is_empty() || !plain {
            let hint = "use a name such as \"vllm\": letters, digits, `-`, `_` and `.`".to_owned();
            self.problem(&written.span(), format!("invalid `service`: `{name}`"), Some(hint));
            return None;
        }
        Some(written.into_inner())
    }

    fn check_required(&mut self, span: &Range<usize>, raw: &RawEndpoint, facts: &DialectFacts, without_model: bool) {
        let name = raw.name.get_ref();
        if raw.does.is_empty() {
            let hint = "use does = [\"summarise\", \"translate\"]".to_owned();
            self.problem(span, format!("endpoint `{name}` has no tasks in `does`"), Some(hint));
        }
        if facts.needs_url && raw.url.is_none() {
            self.problem(span, format!("endpoint `{name}` has no `url`"), None);
        }
        if facts.needs_model && !without_model && raw.model.as_deref().is_none_or(str::is_empty) {
            let hint = "write the model's name as the service spells it; `depeche doctor` lists the service's models".to_owned();
            self.problem(span, format!("endpoint `{name}` has no `model`"), Some(hint));
        }
    }

    fn concurrency(&mut self, written: Option<Spanned<NumberOrAuto>>, facts: &DialectFacts) -> Concurrency {
        match written.map(|written| (written.span(), written.into_inner())) {
            Some((span, NumberOrAuto::Number(number))) => {
                Concurrency::Fixed(self.number(Some(Spanned::new(span, number)), "concurrency", facts.concurrency, 1..=10_000))
            }
            _ => Concurrency::Auto { start: facts.concurrency, max: facts.max_concurrency.max(facts.concurrency) },
        }
    }

    fn rate(&mut self, written: Option<Spanned<i64>>, key: &str) -> Option<u64> {
        let written = written?;
        u64::try_from(self.number(Some(written), key, 1, 1..=1_000_000_000)).ok()
    }

    /// Prices from 0 up. A NaN would silently make every sum unknown.
    fn price(&mut self, raw: &Spanned<RawPrice>) -> Option<Price> {
        let RawPrice { tokens_in, tokens_out, characters } = raw.get_ref();
        let valid = |price: &Option<f64>| price.is_none_or(|price| (0.0..=1e6).contains(&price));
        if ![tokens_in, tokens_out, characters].into_iter().all(valid) {
            self.problem(&raw.span(), "a price must be between 0 and 1000000 (per million tokens or characters)", None);
            return None;
        }
        let by_tokens = tokens_in.is_some() && tokens_out.is_some();
        if !by_tokens && (characters.is_none() || tokens_in.is_some() || tokens_out.is_some()) {
            let hint = "use { tokens_in = 0.15, tokens_out = 0.60 } or { characters = 20.0 }, in prices per million".to_owned();
            self.problem(&raw.span(), "`price` needs both `tokens_in` and `tokens_out`, or `characters`", Some(hint));
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
            self.problem(&written.span(), format!("services with the dialect `{}` cannot {task}", facts.name), None);
        }
        Some(task)
    }

    fn key(&mut self, raw: &Spanned<RawKey>) -> Option<secrecy::SecretString> {
        match key::read(raw.get_ref(), &self.folder) {
            Ok(key) => Some(key),
            Err(message) => {
                let hint = match raw.get_ref() {
                    RawKey::Env(_) => "set it before the run; for cron, in the crontab or an environment file",
                    RawKey::File(_) => "put the key, and nothing else, in that file",
                };
                self.problem(&raw.span(), message, Some(hint.into()));
                None
            }
        }
    }

    /// Refuses to send a key over plain http to another machine.
    fn check_key_is_encrypted(&mut self, written: &Spanned<String>, url: &str, allow_http: bool) {
        let Ok(parsed) = reqwest::Url::parse(url) else { return };
        if parsed.scheme() == "http" && !is_loopback(&parsed) && !allow_http {
            let hint = "use https, or set `allow_http = true` if you trust the network".to_owned();
            self.problem(&written.span(), "the key would be sent unencrypted to another machine", Some(hint));
        }
    }
}

/// Whether the URL's host is this machine.
pub fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
