//! The settings of an endpoint that only some dialects have. It is an error to set a key that the
//! endpoint's dialect does not have.

use std::sync::Arc;

use super::raw::RawEndpoint;
use super::spanned::Spanned;
use super::template::{self, Template};
use super::validator::Validator;
use super::{DialectFacts, Endpoint};
use crate::model::GlossaryEntry;

pub(super) const JSON: &[(&str, JsonMode)] = &[("schema", JsonMode::Schema), ("object", JsonMode::Object), ("none", JsonMode::None)];
pub(super) const TOKEN_LIMITS: &[(&str, TokenLimit)] =
    &[("max_tokens", TokenLimit::MaxTokens), ("max_completion_tokens", TokenLimit::MaxCompletionTokens)];
pub(super) const TIERS: &[(&str, Tier)] = &[("flex", Tier::Flex)];
pub(super) const ENGLISH: &[(&str, &str)] = &[("EN-GB", "EN-GB"), ("EN-US", "EN-US")];

/// The settings that only some dialects have, and the facts learned about the service.
#[derive(Clone, Debug)]
pub struct Options {
    /// The context window to request, in tokens (`ollama`).
    pub context: Option<u32>,
    /// How to make a chat model answer in JSON.
    pub json: JsonMode,
    /// The parameter for the token limit; `None` depends on the host (`openai`).
    pub token_limit: Option<TokenLimit>,
    /// The parameter for the token limit that the service refuses; learned from errors.
    pub refused_token_limit: Option<TokenLimit>,
    /// The highest token limit of an answer that the service accepts; learned from errors.
    pub highest_token_limit: Option<u64>,
    /// Whether the model accepts a temperature; learned from errors.
    pub temperature: bool,
    /// Whether the service accepts that a schema is strict; learned from errors.
    pub strict: bool,
    /// Whether the model accepts a message with the role `system`; learned from errors.
    pub system_role: bool,
    /// Tokens for a chat model's thoughts, besides those of its answer; learned from answers that
    /// were cut before they began.
    pub thinking_tokens: u64,
    /// The cheaper tier to ask for; `None` for the service's usual one (`openai`).
    pub tier: Option<Tier>,
    /// The cost of the cheaper tier, as a share of the price.
    pub discount: f64,
    /// The variant of English (`deepl`).
    pub english: &'static str,
    /// The id of a glossary that the user keeps at the service (`deepl`).
    pub glossary_id: Option<String>,
    /// The id of the service's copy of the config's glossary; learned before the first call
    /// (`deepl`).
    pub uploaded_glossary: Option<String>,
    /// The config's glossary, if the service is to keep a copy of it (`deepl`).
    pub glossary: Arc<[GlossaryEntry]>,
    /// The service's limit of characters per text; learned before the first call or from errors
    /// (`libretranslate`).
    pub max_text_characters: Option<usize>,
    /// The service's limit of texts per call; learned from errors (`libretranslate`).
    pub max_texts: Option<usize>,
    /// Request and answer of a service without a dialect of its own (`template`).
    pub template: Option<Arc<Template>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            context: None,
            json: JsonMode::Schema,
            token_limit: None,
            refused_token_limit: None,
            highest_token_limit: None,
            temperature: true,
            strict: true,
            system_role: true,
            thinking_tokens: 0,
            tier: None,
            discount: 0.5,
            english: "EN-GB",
            glossary_id: None,
            uploaded_glossary: None,
            glossary: Arc::default(),
            max_text_characters: None,
            max_texts: None,
            template: None,
        }
    }
}

impl Options {
    /// The settings that shape an answer, for the ledger's keys. Empty if all have their defaults,
    /// so that a new setting in a later version does not invalidate answers.
    pub fn shape(&self) -> String {
        let mut shape = String::new();
        if self.english != Self::default().english {
            shape.push_str(self.english);
        }
        for part in self.glossary_id.iter().chain(self.template.as_deref().map(Template::shape)) {
            shape.push('\n');
            shape.push_str(part);
        }
        shape
    }
}

/// How to make a chat model answer in JSON. The parser is tolerant in every case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonMode {
    /// The service enforces a schema.
    Schema,
    /// The service enforces JSON of any shape.
    Object,
    /// Only the prompt asks for it.
    None,
}

/// The parameter for the token limit of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenLimit {
    /// The old name, which most servers know.
    MaxTokens,
    /// The new name, which `OpenAI`'s newer models require.
    MaxCompletionTokens,
}

/// A cheaper tier of a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tier {
    /// Calls are answered when there is room for them, and may be refused or wait for minutes.
    Flex,
}

impl Validator<'_> {
    /// The options of an endpoint.
    pub(super) fn options(&mut self, facts: &DialectFacts, raw: &mut RawEndpoint, has_key: bool) -> Options {
        self.check_unused(facts, raw);
        let defaults = Options::default();
        let context = raw.context.take().map(|written| self.number(Some(written), "context", 8192, 512..=10_000_000));
        if facts.keys.contains(&"template") && raw.template.is_none() {
            let message = format!("endpoint `{}` has no [endpoint.template]", raw.name.get_ref());
            self.problem(&raw.name.span(), message, Some("docs/services.md has three examples".into()));
        }
        let template = raw.template.take().and_then(|raw| template::validate(self, raw, has_key)).map(Arc::new);
        if template.as_ref().is_some_and(|template| template.texts.is_some())
            && let Some(task) = raw.does.iter().find(|task| *task.get_ref() != "translate")
        {
            let hint = "its answer is a list of translations (`texts`); for chat models and summaries, use `text`";
            self.problem(&task.span(), format!("this template cannot {}", task.get_ref()), Some(hint.into()));
        }
        Options {
            context: context.and_then(|context| u32::try_from(context).ok()),
            json: self.choose(raw.json.take(), "json", JSON, defaults.json),
            token_limit: raw
                .token_limit
                .take()
                .map(|written| self.choose(Some(written), "token_limit", TOKEN_LIMITS, TokenLimit::MaxTokens)),
            tier: raw.tier.take().map(|written| self.choose(Some(written), "tier", TIERS, Tier::Flex)),
            discount: raw.discount.take().map_or(defaults.discount, |written| self.discount(&written)),
            english: self.choose(raw.english.take(), "english", ENGLISH, defaults.english),
            glossary_id: raw.glossary_id.take().map(Spanned::into_inner),
            template,
            ..defaults
        }
    }

    /// A share of the price, above 0.
    pub(super) fn discount(&mut self, written: &Spanned<f64>) -> f64 {
        let discount = *written.get_ref();
        if discount > 0.0 && discount <= 1.0 {
            return discount;
        }
        let hint = "it is the share of the price that is left: 0.5 is half price".to_owned();
        self.problem(&written.span(), format!("`discount` is {discount}, but must be above 0 and at most 1"), Some(hint));
        1.0
    }

    /// Gives the glossary to endpoints whose service can keep a copy of it, unless the user keeps a
    /// glossary there.
    pub(super) fn give_glossary(&self, endpoints: &mut [Endpoint], glossary: &[GlossaryEntry]) {
        let keeps =
            |endpoint: &Endpoint| self.dialects.iter().any(|facts| facts.name == endpoint.dialect && facts.keys.contains(&"glossary_id"));
        for endpoint in endpoints.iter_mut().filter(|endpoint| keeps(endpoint) && endpoint.options.glossary_id.is_none()) {
            endpoint.options.glossary = glossary.into();
        }
    }

    /// Reports keys that the dialect does not have.
    fn check_unused(&mut self, facts: &DialectFacts, raw: &RawEndpoint) {
        let written = [
            ("context", raw.context.as_ref().map(Spanned::span)),
            ("json", raw.json.as_ref().map(Spanned::span)),
            ("token_limit", raw.token_limit.as_ref().map(Spanned::span)),
            ("tier", raw.tier.as_ref().map(Spanned::span)),
            ("discount", raw.discount.as_ref().map(Spanned::span)),
            ("english", raw.english.as_ref().map(Spanned::span)),
            ("glossary_id", raw.glossary_id.as_ref().map(Spanned::span)),
            ("template", raw.template.as_ref().map(Spanned::span)),
            ("batch", raw.batch.as_ref().map(Spanned::span)),
        ];
        for (key, span) in written {
            let Some(span) = span.filter(|_| !facts.keys.contains(&key)) else { continue };
            let supporting: Vec<&str> = self.dialects.iter().filter(|facts| facts.keys.contains(&key)).map(|facts| facts.name).collect();
            self.problem(
                &span,
                format!("the dialect `{}` has no `{key}`", facts.name),
                Some(format!("it is for {}", supporting.join(", "))),
            );
        }
    }
}
