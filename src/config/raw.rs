//! The config as it is written: the types that TOML is parsed into, with the place of each value.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use toml::Spanned;

use super::run::RawRun;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    #[serde(default)]
    pub(super) input: RawInput,
    #[serde(default)]
    pub(super) output: RawOutput,
    #[serde(default)]
    pub(super) summary: RawSummary,
    #[serde(default)]
    pub(super) endpoint: Vec<Spanned<RawEndpoint>>,
    #[serde(default)]
    pub(super) glossary: RawGlossary,
    #[serde(default)]
    pub(super) embedded: RawEmbedded,
    #[serde(default)]
    pub(super) prompts: RawPrompts,
    #[serde(default)]
    pub(super) page: RawPage,
    #[serde(default)]
    pub(super) run: RawRun,
    #[serde(default)]
    pub(super) duplicates: super::duplicates::RawDuplicates,
    #[serde(default)]
    pub(super) checks: super::checks::RawChecks,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInput {
    pub(super) paths: Option<Vec<String>>,
    pub(super) allow_empty: Option<bool>,
    pub(super) max_megabytes: Option<Spanned<i64>>,
    #[serde(default)]
    pub(super) fields: super::fields::RawFields,
    pub(super) rules: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOutput {
    pub(super) folder: Option<String>,
    pub(super) profile: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSummary {
    pub(super) route: Option<Spanned<String>>,
    pub(super) words: Option<Spanned<i64>>,
    pub(super) sentences: Option<Spanned<i64>>,
    pub(super) style: Option<String>,
    pub(super) tone: Option<String>,
    pub(super) keep_text: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGlossary {
    pub(super) file: Option<Spanned<String>>,
}

/// Files that replace the shipped prompts.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrompts {
    pub(super) rules: Option<Spanned<String>>,
    pub(super) manner: Option<Spanned<String>>,
    pub(super) terms: Option<Spanned<String>>,
    pub(super) summarise: Option<Spanned<String>>,
    pub(super) translate: Option<Spanned<String>>,
    pub(super) digest: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEndpoint {
    pub(super) name: Spanned<String>,
    pub(super) does: Vec<Spanned<String>>,
    pub(super) dialect: Spanned<String>,
    pub(super) url: Option<Spanned<String>>,
    pub(super) model: Option<String>,
    pub(super) key: Option<Spanned<RawKey>>,
    pub(super) allow_http: Option<bool>,
    pub(super) concurrency: Option<Spanned<NumberOrAuto>>,
    pub(super) timeout: Option<Spanned<String>>,
    pub(super) connect_timeout: Option<Spanned<String>>,
    pub(super) wait_for: Option<Spanned<String>>,
    pub(super) max_characters: Option<Spanned<i64>>,
    pub(super) max_bytes: Option<Spanned<i64>>,
    pub(super) max_tokens: Option<Spanned<i64>>,
    pub(super) requests_per_minute: Option<Spanned<i64>>,
    pub(super) tokens_per_minute: Option<Spanned<i64>>,
    pub(super) characters_per_minute: Option<Spanned<i64>>,
    pub(super) price: Option<Spanned<RawPrice>>,
    pub(super) context: Option<Spanned<i64>>,
    pub(super) json: Option<Spanned<String>>,
    pub(super) token_limit: Option<Spanned<String>>,
    pub(super) english: Option<Spanned<String>>,
    pub(super) glossary_id: Option<Spanned<String>>,
    pub(super) template: Option<Spanned<RawTemplate>>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTemplate {
    pub(super) path: Option<Spanned<String>>,
    pub(super) headers: Option<BTreeMap<String, Spanned<String>>>,
    pub(super) body: Option<Spanned<String>>,
    pub(super) text: Option<Spanned<String>>,
    pub(super) texts: Option<Spanned<String>>,
    pub(super) error: Option<Spanned<String>>,
    pub(super) finish: Option<Spanned<String>>,
    pub(super) finished: Option<Vec<String>>,
    pub(super) tokens_in: Option<Spanned<OneOrMore>>,
    pub(super) tokens_out: Option<Spanned<OneOrMore>>,
    pub(super) characters: Option<Spanned<OneOrMore>>,
    pub(super) probe: Option<Spanned<String>>,
    pub(super) most_texts: Option<Spanned<i64>>,
}

/// Prices per million, in the user's currency.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrice {
    pub(super) tokens_in: Option<f64>,
    pub(super) tokens_out: Option<f64>,
    pub(super) characters: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPage {
    pub(super) rows: Option<Spanned<i64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEmbedded {
    pub(super) translator: Option<Spanned<String>>,
    pub(super) model: Option<Spanned<String>>,
    pub(super) fetch: Option<bool>,
    pub(super) models_dir: Option<String>,
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
