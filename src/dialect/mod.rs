//! Wire formats: translate calls to HTTP requests, and HTTP responses to replies. No I/O here, so
//! that every dialect can be tested on recorded data without a server.

mod answer;
mod anthropic;
mod apertium;
pub(crate) mod batch;
mod chat;
mod classify;
mod common_errors;
mod deepl;
mod embedded;
mod ending;
mod error_message;
mod error_rules;
mod flex;
mod labels;
mod lenient_json;
mod libretranslate;
mod named_lines;
mod ollama;
mod openai;
mod placeholder;
mod request;
mod requested_pause;
mod review;
mod shapes;
mod template;
mod terms;
mod thoughts;

use serde_json::Value;

use crate::config::{DialectFacts, Endpoint, Options};
use crate::model::{CallError, CallLimits, CallRequest, Reply, Usage};

pub(crate) use answer::excerpt;
use answer::{check_model, error_in, json, not_a_translation, protocol_error, string_fields, translations};
pub use error_rules::ErrorRule;
pub(crate) use placeholder::is_placeholder;
use request::key_header;
pub use request::{Body, Headers, Request, Response};
pub(crate) use requested_pause::duration;

/// A step of preparing an endpoint for its first call.
pub enum Step {
    /// Send this first.
    Send(Request),
    /// Send this first, and go on even if the service refuses it.
    TrySend(Request),
    /// Make all calls with these options.
    Ready(Options),
}

/// A wire format. A new one is a file here and a line in [`DIALECTS`].
pub trait Dialect: Sync {
    /// Its name, and the other facts that the config needs.
    fn facts(&self) -> DialectFacts;

    /// The limits of one call.
    fn limits(&self, endpoint: &Endpoint) -> CallLimits;

    /// The number of requests that a call counts as, where the service limits requests per minute.
    fn weight(&self, _call: &CallRequest) -> u32 {
        1
    }

    /// The HTTP request for a call. `double_limit`: an earlier answer was cut at its token limit,
    /// so this request allows twice as many tokens.
    ///
    /// # Errors
    /// Fails if the service cannot take this call; nothing has been sent.
    fn request(&self, endpoint: &Endpoint, call: &CallRequest, double_limit: bool) -> Result<Request, CallError>;

    /// The most that the request for a call can use: a high estimate of the tokens of its prompt,
    /// and the tokens that it allows for the answer. For a translator, the characters of the texts.
    fn most_usage(&self, _endpoint: &Endpoint, call: &CallRequest, _double_limit: bool) -> Usage {
        Usage { characters: Some(call.characters()), ..Usage::default() }
    }

    /// Whether a larger [`Options::thinking_tokens`] makes room for longer answers.
    fn limits_answers(&self, _endpoint: &Endpoint) -> bool {
        false
    }

    /// The usage that an answer reports.
    fn usage(&self, _endpoint: &Endpoint, _answer: &Value) -> Usage {
        Usage::default()
    }

    /// The usage that the body of a response reports, even if the answer is unusable.
    fn usage_in(&self, endpoint: &Endpoint, body: &[u8]) -> Usage {
        json(body).map(|answer| self.usage(endpoint, &answer)).unwrap_or_default()
    }

    /// The reply in the body of a successful response.
    ///
    /// # Errors
    /// Fails if the answer is unusable.
    fn reply(&self, endpoint: &Endpoint, call: &CallRequest, body: &[u8]) -> Result<Reply, CallError>;

    /// The service's own error rules, which are tried before the common ones.
    fn error_rules(&self) -> &'static [ErrorRule] {
        &[]
    }

    /// The meaning of an error response; with status 200, of the error in an answer.
    fn classify_error(&self, _endpoint: &Endpoint, response: &Response) -> CallError {
        classify::classify(response, self.error_rules())
    }

    /// Options with which the service may accept a call that it has just refused, for example
    /// without a JSON schema. Later calls use them too. `None` if there is no other form of the
    /// request.
    fn adapt_options(&self, _endpoint: &Endpoint, _refused: &CallError) -> Option<Options> {
        None
    }

    /// The next step before the first call, given the response to the previous step (`None` at the
    /// start). Most services need no preparation.
    ///
    /// # Errors
    /// Fails if the service cannot be used at all.
    fn prepare(&self, endpoint: &Endpoint, _previous: Option<&Response>) -> Result<Step, CallError> {
        Ok(Step::Ready(endpoint.options.clone()))
    }

    /// A free request that shows whether the service is available and can do the calls; `None` if
    /// there is no such request.
    fn probe(&self, endpoint: &Endpoint) -> Option<Request>;

    /// The probe for servers that do not implement the first one, such as gateways.
    fn fallback_probe(&self, _endpoint: &Endpoint) -> Option<Request> {
        None
    }

    /// Summarises the response to either probe in a few words.
    ///
    /// # Errors
    /// A message that says what is missing, and what to do.
    fn check_probe(&self, endpoint: &Endpoint, body: &[u8]) -> Result<String, String>;
}

/// Every dialect.
pub static DIALECTS: &[&dyn Dialect] = &[
    &embedded::Embedded,
    &openai::OpenAi,
    &anthropic::Anthropic,
    &ollama::Ollama,
    &deepl::DeepL,
    &libretranslate::LibreTranslate,
    &apertium::Apertium,
    &template::ByTemplate,
];

/// The facts about every dialect that the config needs.
pub fn facts() -> Vec<DialectFacts> {
    DIALECTS.iter().map(|dialect| dialect.facts()).collect()
}

/// The dialect with this name.
pub fn find(name: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().find(|dialect| dialect.facts().name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::common_errors::COMMON;
    use super::error_rules::{ErrorRule, Statuses};
    use super::*;
    use crate::model::{ErrorCode, Verdict};

    #[test]
    fn names_are_unique() {
        let names: std::collections::HashSet<_> = facts().iter().map(|facts| facts.name).collect();
        assert_eq!(names.len(), DIALECTS.len());
    }

    /// The statuses of a rule: a status to try, and the text in docs/services.md.
    fn statuses(rule: &ErrorRule) -> (u16, String) {
        match rule.statuses {
            Statuses::Any => (500, "any".into()),
            Statuses::Refusals => (400, "4xx".into()),
            Statuses::RefusalsBut429 => (400, "4xx but 429".into()),
            Statuses::Failures => (500, "5xx".into()),
            Statuses::Only(list) => (list[0], list.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")),
        }
    }

    /// A message with each phrase of `rule` in it, by the first of its alternatives.
    fn examples(rule: &ErrorRule) -> Vec<String> {
        let part = |part: &str| part.split('/').next().unwrap_or_default().to_owned();
        let group = |group: &str| group.split(" + ").map(part).collect::<Vec<_>>().join(" ");
        let number = if rule.error == ErrorCode::MaxTokensLimit { " max tokens at most 512" } else { "" };
        let phrases = if rule.phrases.is_empty() { &[""] } else { rule.phrases };
        let sentence = |phrase: &&str| format!("Sorry: {}.{number}", phrase.split(" … ").map(group).collect::<Vec<_>>().join(" it "));
        phrases.iter().map(sentence).collect()
    }

    #[test]
    fn every_phrase_of_every_error_rule_decides() {
        for dialect in DIALECTS {
            let endpoint = Endpoint { model: Some("m".into()), ..Endpoint::sample(dialect.facts().name, "http://h") };
            let own = dialect.error_rules();
            let common = if own.is_empty() { COMMON } else { &[] };
            for rule in own.iter().chain(common) {
                for message in examples(rule) {
                    let body = serde_json::json!({"error": {"message": message}}).to_string();
                    let error = dialect.classify_error(&endpoint, &Response::new(statuses(rule).0, body));
                    assert_eq!((error.verdict, error.code), (rule.verdict, rule.error), "{}: {message}", dialect.facts().name);
                }
            }
        }
    }

    /// The error rules as a table in docs/services.md.
    fn table(rules: &[ErrorRule]) -> String {
        let line = |rule: &ErrorRule| {
            let contains = rule.phrases.iter().map(|phrase| format!("“{}”", phrase.replace('/', " / "))).collect::<Vec<_>>().join("; ");
            let action = match (rule.verdict, rule.error) {
                (Verdict::Stop, _) => "the endpoint is disabled for this run",
                (Verdict::Never, ErrorCode::TooLarge) => "the article is cut into smaller parts",
                (Verdict::Never, ErrorCode::MaxTokensLimit) => "retried at once with the limit that it names; later calls use it too",
                (Verdict::Never, ErrorCode::NoSystemRole) => {
                    "retried at once with the instructions in the user's message; later calls are sent so too"
                }
                (Verdict::Never, ErrorCode::NoSchema | ErrorCode::NoStrict | ErrorCode::NoMaxTokens | ErrorCode::NoTemperature) => {
                    "retried at once without it; later calls leave it out too"
                }
                (Verdict::BackOff, _) => "retried after a pause",
                (Verdict::Once, _) => "retried once",
                _ => "the article fails on this endpoint",
            };
            format!("| {} | {contains} | `{}` | {action} |\n", statuses(rule).1, rule.error)
        };
        let lines: String = rules.iter().map(line).collect();
        format!("| status | the response says | error code | what happens |\n|---|---|---|---|\n{lines}")
    }

    #[test]
    fn docs_contain_every_error_rule() {
        let docs = include_str!("../../docs/services.md");
        let own = DIALECTS.iter().map(|dialect| (dialect.facts().name, dialect.error_rules()));
        let own = own.filter(|(_, rules)| !rules.is_empty());
        let tables = own.chain([("every service", COMMON)]).map(|(name, rules)| (name, table(rules)));
        let missing: Vec<String> =
            tables.filter(|(_, table)| !docs.contains(table)).map(|(name, table)| format!("{name}:\n{table}")).collect();
        assert!(missing.is_empty(), "docs/services.md lacks the table of {}", missing.join("\n"));
    }

    #[test]
    fn docs_have_a_section_for_every_dialect() {
        let docs = include_str!("../../docs/services.md");
        for dialect in DIALECTS {
            let name = dialect.facts().name;
            assert!(docs.contains(&format!("\n## `{name}`")), "docs/services.md has no section for {name}");
        }
    }
}
