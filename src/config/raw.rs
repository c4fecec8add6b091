//! The config as it is written: the types that TOML is parsed into, with the place of each value.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::run::RawRun;
use super::spanned::Spanned;

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    /// What to read.
    #[serde(default)]
    pub(super) input: RawInput,
    /// Where the table goes.
    #[serde(default)]
    pub(super) output: RawOutput,
    /// Route and style of the summaries.
    #[serde(default)]
    pub(super) summary: RawSummary,
    /// The services, in order of preference. A later service takes over work that an earlier one
    /// cannot do.
    #[serde(default)]
    pub(super) endpoint: Vec<Spanned<RawEndpoint>>,
    /// Translations of names and terms.
    #[serde(default)]
    pub(super) glossary: RawGlossary,
    /// The endpoint that ships with the program.
    #[serde(default)]
    pub(super) embedded: RawEmbedded,
    /// Files that replace the prompts for chat models. `depeche init --prompts DIR` writes the ones
    /// that depeche uses.
    #[serde(default)]
    pub(super) prompts: RawPrompts,
    /// The page, digest.html.
    #[serde(default)]
    pub(super) page: RawPage,
    /// A mail after a run.
    pub(super) mail: Option<super::mail::RawMail>,
    /// What ends a run early, notifications, and logging.
    #[serde(default)]
    pub(super) run: RawRun,
    /// What to do about articles with the same text.
    #[serde(default)]
    pub(super) ledger: super::ledger::RawLedger,
    #[serde(default)]
    pub(super) duplicates: super::duplicates::RawDuplicates,
    /// What to do when a check finds something.
    #[serde(default)]
    pub(super) checks: super::checks::RawChecks,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawInput {
    /// Files and folders, read recursively; hidden files are skipped. The default is the folder `input`.
    pub(super) paths: Option<Vec<String>>,
    /// Whether an empty input empties the table. By default, the table keeps its rows, and the exit
    /// code is 3.
    pub(super) allow_empty: Option<bool>,
    /// Larger files are skipped unread, from 1 to 1000; in files of many articles, the limit is for
    /// each article. Default: 10.
    pub(super) max_megabytes: Option<Spanned<i64>>,
    /// Your names of JSON fields and CSV columns, tried before the common ones. A dot selects a
    /// field of an object.
    #[serde(default)]
    pub(super) fields: super::fields::RawFields,
    /// A file with more lines, beginnings and class names to remove as boilerplate.
    pub(super) rules: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawOutput {
    /// The folder of the table, the page and the ledger. Default: "output".
    pub(super) folder: Option<String>,
    /// The format of the table: UTF-8 with commas, or for French Excel. Default: "plain".
    pub(super) profile: Option<Spanned<String>>,
    /// The formats to write. Default: all.
    pub(super) formats: Option<Spanned<Vec<Spanned<String>>>>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawSummary {
    /// The calls that make a row, and their order. Default: "summarise-then-translate".
    pub(super) route: Option<Spanned<String>>,
    /// Approximate length of a summary, from 10 to 1000. Default: 60.
    pub(super) words: Option<Spanned<i64>>,
    /// Length of a summary in sentences, from 1 to 50; instead of `words`.
    pub(super) sentences: Option<Spanned<i64>>,
    /// For chat models, such as "short sentences, the present tense".
    pub(super) style: Option<String>,
    /// For chat models, such as "neutral".
    pub(super) tone: Option<String>,
    /// Whether to keep the whole text in both languages, in the columns `text_fr` and `text_en`.
    /// Default: false.
    pub(super) keep_text: Option<bool>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawGlossary {
    /// A CSV file with the columns fr, en and note.
    pub(super) file: Option<Spanned<String>>,
}

/// Files that replace the shipped prompts.
#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrompts {
    /// The rules of every prompt.
    pub(super) rules: Option<Spanned<String>>,
    /// Length, style and tone.
    pub(super) manner: Option<Spanned<String>>,
    /// The terms of the glossary.
    pub(super) terms: Option<Spanned<String>>,
    /// The prompt for a summary.
    pub(super) summarise: Option<Spanned<String>>,
    /// The prompt for translations.
    pub(super) translate: Option<Spanned<String>>,
    /// The prompt of the route `single-call`.
    pub(super) digest: Option<Spanned<String>>,
    pub(super) review: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawEndpoint {
    /// Its name in messages and in the table.
    pub(super) name: Spanned<String>,
    /// The tasks it is used for.
    pub(super) does: Vec<Spanned<String>>,
    /// Its wire format.
    pub(super) dialect: Spanned<String>,
    /// Its URL; for `openai` and `anthropic` up to /v1.
    pub(super) url: Option<Spanned<String>>,
    /// Endpoints with the same name of a service share their answers, whatever their URL.
    pub(super) service: Option<Spanned<String>>,
    /// The model, if the dialect has models. `depeche doctor` lists them.
    pub(super) model: Option<String>,
    /// Where to find the key: { env = "VARIABLE" } or { file = "PATH" }; never the key itself.
    pub(super) key: Option<Spanned<RawKey>>,
    /// Required to send a key over plain http to another machine.
    pub(super) allow_http: Option<bool>,
    /// Concurrent calls, from 1 to 10000, or "auto": as many as the service turns out to handle.
    /// Default: "auto".
    pub(super) concurrency: Option<Spanned<NumberOrAuto>>,
    /// The time limit of a whole call. Default: "120s".
    pub(super) timeout: Option<Spanned<String>>,
    /// The time limit for connecting. Default: "10s".
    pub(super) connect_timeout: Option<Spanned<String>>,
    /// How long to wait for the endpoint if it is unavailable. Default: "45s".
    pub(super) wait_for: Option<Spanned<String>>,
    /// Maximum characters of text in one call; a longer article is summarised in parts.
    pub(super) max_characters: Option<Spanned<i64>>,
    /// Maximum bytes of text in one call.
    pub(super) max_bytes: Option<Spanned<i64>>,
    /// Maximum tokens of text in one call, estimated.
    pub(super) max_tokens: Option<Spanned<i64>>,
    /// A limit of requests per minute; by default the limit that the service reports.
    pub(super) requests_per_minute: Option<Spanned<i64>>,
    /// A rate limit for tokens of prompts and answers together.
    pub(super) tokens_per_minute: Option<Spanned<i64>>,
    /// A rate limit for characters of text.
    pub(super) characters_per_minute: Option<Spanned<i64>>,
    /// Prices per million tokens or characters, in your currency; unknown by default.
    pub(super) price: Option<Spanned<RawPrice>>,
    /// `ollama`: the context window to request, in tokens. Default: 8192.
    pub(super) context: Option<Spanned<i64>>,
    /// Chat models: how to make a model answer in JSON. Default: "schema".
    pub(super) json: Option<Spanned<String>>,
    /// `openai`: the parameter for the token limit; by default learned from the service.
    pub(super) token_limit: Option<Spanned<String>>,
    /// `openai`: "flex" costs about half, but may be slow or busy.
    pub(super) tier: Option<Spanned<String>>,
    /// The cost of a call of the tier, as a share of the full price. Default: 0.5.
    pub(super) discount: Option<Spanned<f64>>,
    /// `deepl`: the variant of English. Default: "EN-GB".
    pub(super) english: Option<Spanned<String>>,
    /// `deepl`: the id of a glossary that you keep there.
    pub(super) glossary_id: Option<Spanned<String>>,
    /// `template`: the request to a JSON service without a dialect of its own, and the places of
    /// the values in its answer.
    pub(super) template: Option<Spanned<RawTemplate>>,
    /// Half-price batches, which are answered within a day.
    pub(super) batch: Option<Spanned<super::batch::RawBatch>>,
}

#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawTemplate {
    /// Appended to the endpoint's `url`.
    pub(super) path: Option<Spanned<String>>,
    /// Headers of the request, such as { X-Api-Key = "{{ key }}" }.
    pub(super) headers: Option<BTreeMap<String, Spanned<String>>>,
    /// JSON with placeholders; without a body the request is a GET.
    pub(super) body: Option<Spanned<String>>,
    /// The place of the answer of a chat model, or of a summary, as a JSON pointer.
    pub(super) text: Option<Spanned<String>>,
    /// Or: the place of the translations, one for each text.
    pub(super) texts: Option<Spanned<String>>,
    /// The place of an error message.
    pub(super) error: Option<Spanned<String>>,
    /// The place of the finish reason.
    pub(super) finish: Option<Spanned<String>>,
    /// The values of the finish reason for a complete answer.
    pub(super) finished: Option<Vec<String>>,
    /// The places of the token counts of the prompt.
    pub(super) tokens_in: Option<Spanned<OneOrMore>>,
    /// The places of the token counts of the answer.
    pub(super) tokens_out: Option<Spanned<OneOrMore>>,
    /// The places of the numbers of characters billed.
    pub(super) characters: Option<Spanned<OneOrMore>>,
    /// A path that costs nothing, for `depeche doctor`.
    pub(super) probe: Option<Spanned<String>>,
    /// Maximum number of texts in one call. Default: 1.
    pub(super) most_texts: Option<Spanned<i64>>,
}

/// Prices per million, in the user's currency.
#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrice {
    /// Per million tokens of prompts.
    pub(super) tokens_in: Option<f64>,
    /// Per million tokens of answers.
    pub(super) tokens_out: Option<f64>,
    /// Per million characters of text.
    pub(super) characters: Option<f64>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawPage {
    /// Maximum number of articles in digest.html, from 1 to 50000. Default: 5000.
    pub(super) rows: Option<Spanned<i64>>,
    /// The language of the page, the workbook and the mail. By default, the page follows the
    /// browser, and the others are French.
    pub(super) language: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawEmbedded {
    /// "firefox": neural; "apertium": drafts; "auto": the best available. Default: "auto".
    pub(super) translator: Option<Spanned<String>>,
    /// The size of the Firefox models. Default: "tiny".
    pub(super) model: Option<Spanned<String>>,
    /// Whether to download a missing model from Mozilla once, and keep it. Default: true.
    pub(super) fetch: Option<bool>,
    /// A folder with your own models: fr-en/ and en-fr/, each with its SHA256SUMS.
    pub(super) models_dir: Option<String>,
    /// The URL of a folder with records.json and its attachments, instead of Mozilla.
    pub(super) mirror: Option<Spanned<String>>,
}

/// Where to find a key; never the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RawKey {
    Env(String),
    File(String),
}

impl<'de> Deserialize<'de> for RawKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = RawKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("{ env = \"VARIABLE\" } or { file = \"PATH\" }")
            }

            // The message must not contain the key, so it does not repeat the value.
            fn visit_str<E: de::Error>(self, _: &str) -> Result<RawKey, E> {
                Err(E::custom("a key must not be in the config; say where to find it: { env = \"VARIABLE\" } or { file = \"PATH\" }"))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<RawKey, A::Error> {
                let invalid = "write a key as { env = \"VARIABLE\" } or { file = \"PATH\" }";
                let key = match map.next_key::<String>()?.as_deref() {
                    Some("env") => RawKey::Env(map.next_value()?),
                    Some("file") => RawKey::File(map.next_value()?),
                    _ => return Err(de::Error::custom(invalid)),
                };
                if map.next_key::<String>()?.is_some() { Err(de::Error::custom(invalid)) } else { Ok(key) }
            }
        }
        deserializer.deserialize_any(KeyVisitor)
    }
}

/// A text, or a list of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OneOrMore(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = OneOrMore;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMore, E> {
                Ok(OneOrMore(vec![text.to_owned()]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<OneOrMore, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(list)).map(OneOrMore)
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// `concurrency`: a number, or `"auto"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberOrAuto {
    Number(i64),
    Auto,
}

impl<'de> Deserialize<'de> for NumberOrAuto {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;
        impl Visitor<'_> for NumberVisitor {
            type Value = NumberOrAuto;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or \"auto\"")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<NumberOrAuto, E> {
                Ok(NumberOrAuto::Number(number))
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<NumberOrAuto, E> {
                if word == "auto" { Ok(NumberOrAuto::Auto) } else { Err(E::invalid_value(de::Unexpected::Str(word), &self)) }
            }
        }
        deserializer.deserialize_any(NumberVisitor)
    }
}
