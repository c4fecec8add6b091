//! The keys of an endpoint that only some dialects know, judged: a key that means nothing to the dialect is an error, not a comment.

use std::sync::Arc;

use toml::Spanned;

use super::raw::RawEndpoint;
use super::resolve::Judge;
use super::template::{self, Template};
use super::{DialectFacts, Endpoint};
use crate::model::Entry;

const JSON: &[(&str, JsonMode)] = &[("schema", JsonMode::Schema), ("object", JsonMode::Object), ("none", JsonMode::None)];
const TOKEN_LIMITS: &[(&str, TokenLimit)] =
    &[("max_tokens", TokenLimit::MaxTokens), ("max_completion_tokens", TokenLimit::MaxCompletionTokens)];
const ENGLISH: &[(&str, &str)] = &[("EN-GB", "EN-GB"), ("EN-US", "EN-US")];

/// What an endpoint is told beyond the keys that all dialects share.
#[derive(Clone, Debug)]
pub struct Options {
    /// The model's context window, in tokens, where the service must be asked for it (`ollama`).
    pub context: Option<u32>,
    /// How a chat model is held to JSON.
    pub json: JsonMode,
    /// What a chat service calls the limit of the answer's tokens; none: by the host.
    pub token_limit: Option<TokenLimit>,
    /// Whether the model takes a temperature; found out by asking.
    pub temperature: bool,
    /// Which English a translator writes (`deepl`).
    pub english: &'static str,
    /// A glossary that is kept at the service (`deepl`).
    pub glossary_id: Option<String>,
    /// The same, made from the config's glossary; found out before the first call (`deepl`).
    pub made_glossary: Option<String>,
    /// The config's glossary, where the service keeps a copy of it (`deepl`).
    pub glossary: Arc<[Entry]>,
    /// Characters that the service takes in a text; found out by asking (`libretranslate`).
    pub most_characters: Option<usize>,
    /// Texts that it takes in a call; found out by its refusal (`libretranslate`).
    pub most_texts: Option<usize>,
    /// How a service without a dialect of its own is asked.
    pub template: Option<Arc<Template>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            context: None,
            json: JsonMode::Schema,
            token_limit: None,
            temperature: true,
            english: "EN-GB",
            glossary_id: None,
            made_glossary: None,
            glossary: Arc::default(),
            most_characters: None,
            most_texts: None,
            template: None,
        }
    }
}

impl Options {
    /// What of them shapes an answer, for the ledger's keys; empty where all is as usual, so that a key that comes with a later
    /// version makes nobody pay again.
    pub fn shape(&self) -> String {
        let mut shape = String::new();
        if self.english != Self::default().english {
            shape.push_str(self.english);
        }
        for part in self.glossary_id.iter().chain(self.template.as_deref().map(Template::written)) {
            shape.push('\n');
            shape.push_str(part);
        }
        shape
    }
}

/// How a chat model is held to JSON, from the strictest to trust alone; the reading is tolerant in every case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonMode {
    /// By a schema that the service enforces.
    Schema,
    /// By the service, but to any object.
    Object,
    /// By the prompt alone.
    None,
}

/// What a chat service calls the limit of the answer's tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenLimit {
    /// The old name, which other servers know.
    MaxTokens,
    /// The new name, which `OpenAI`'s newer models want.
    MaxCompletionTokens,
}

impl Judge<'_> {
    /// The options of an endpoint.
    pub(super) fn options(&mut self, facts: &DialectFacts, raw: &mut RawEndpoint, has_key: bool) -> Options {
        self.keys_mean_something(facts, raw);
        let usual = Options::default();
        let context = raw.context.take().map(|written| self.number(Some(written), "context", 8192, 512..=10_000_000));
        if facts.keys.contains(&"template") && raw.template.is_none() {
            let message = format!("endpoint `{}` has no [endpoint.template]", raw.name.get_ref());
            self.problem(&raw.name.span(), message, Some("docs/services.md has three to start from".into()));
        }
        let template = raw.template.take().and_then(|raw| template::judge(self, raw, has_key)).map(Arc::new);
        if template.as_ref().is_some_and(|template| template.texts.is_some())
            && let Some(task) = raw.does.iter().find(|task| *task.get_ref() != "translate")
        {
            let hint = "its answer is a list of translations (`texts`); a chat model's or a summary's stands at `text`";
            self.problem(&task.span(), format!("this template cannot {}", task.get_ref()), Some(hint.into()));
        }
        Options {
            context: context.and_then(|context| u32::try_from(context).ok()),
            json: self.choose(raw.json.take(), "json", JSON, usual.json),
            token_limit: raw
                .token_limit
                .take()
                .map(|written| self.choose(Some(written), "token_limit", TOKEN_LIMITS, TokenLimit::MaxTokens)),
            english: self.choose(raw.english.take(), "english", ENGLISH, usual.english),
            glossary_id: raw.glossary_id.take().map(Spanned::into_inner),
            template,
            ..usual
        }
    }

    /// Gives the glossary to endpoints whose service keeps a copy of it, unless the user keeps one there.
    pub(super) fn keep_glossary(&self, endpoints: &mut [Endpoint], glossary: &[Entry]) {
        let keeps =
            |endpoint: &Endpoint| self.dialects.iter().any(|facts| facts.name == endpoint.dialect && facts.keys.contains(&"glossary_id"));
        for endpoint in endpoints.iter_mut().filter(|endpoint| keeps(endpoint) && endpoint.options.glossary_id.is_none()) {
            endpoint.options.glossary = glossary.into();
        }
    }

    fn keys_mean_something(&mut self, facts: &DialectFacts, raw: &RawEndpoint) {
        let written = [
            ("context", raw.context.as_ref().map(Spanned::span)),
            ("json", raw.json.as_ref().map(Spanned::span)),
            ("token_limit", raw.token_limit.as_ref().map(Spanned::span)),
            ("english", raw.english.as_ref().map(Spanned::span)),
            ("glossary_id", raw.glossary_id.as_ref().map(Spanned::span)),
            ("template", raw.template.as_ref().map(Spanned::span)),
        ];
        for (key, span) in written {
            let Some(span) = span.filter(|_| !facts.keys.contains(&key)) else { continue };
            let knows: Vec<&str> = self.dialects.iter().filter(|facts| facts.keys.contains(&key)).map(|facts| facts.name).collect();
            self.problem(
                &span,
                format!("`{key}` means nothing to the dialect `{}`", facts.name),
                Some(format!("it is for {}", knows.join(", "))),
            );
        }
    }
}
