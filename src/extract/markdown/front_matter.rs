//! Front matter: YAML between lines of `---`, TOML between lines of `+++`.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Splits `text` into front matter and body. Keys are in lower case. Without valid front matter,
/// all of `text` is the body.
pub(super) fn split(text: &str) -> (BTreeMap<String, String>, &str) {
    let text = text.trim_start();
    for fence in ["---", "+++"] {
        let Some(rest) = text.strip_prefix(fence).and_then(|rest| rest.strip_prefix('\n')) else { continue };
        let Some((front, body)) = split_at_fence(rest, fence) else { continue };
        let fields = if fence == "---" { serde_saphyr::from_str(front).ok() } else { toml::from_str(front).ok() };
        // A line of dashes may also be a horizontal rule.
        if let Some(Fields(fields)) = fields {
            return (fields, body);
        }
        if front.lines().any(|line| line.split_once([':', '=']).is_some_and(|(name, _)| name.trim().chars().all(char::is_alphanumeric))) {
            return (pairs(front, if fence == "---" { ':' } else { '=' }), body);
        }
    }
    (BTreeMap::new(), text)
}

/// The text before and after the first line that is only `fence`.
fn split_at_fence<'a>(text: &'a str, fence: &str) -> Option<(&'a str, &'a str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_end() == fence {
            return Some((text.get(..at)?, text.get(at + line.len()..)?));
        }
        at += line.len();
    }
    None
}

/// Reads front matter line by line, if it is not valid YAML: `title: Paris: la digue cède` is
/// common.
fn pairs(front: &str, separator: char) -> BTreeMap<String, String> {
    let pair = |line: &str| {
        let (key, value) = line.split_once(separator)?;
        let value = value.trim().trim_matches(['"', '\'']).trim();
        (!value.is_empty() && !key.starts_with([' ', '#', '-'])).then(|| (key.trim().to_lowercase(), value.to_owned()))
    };
    front.lines().filter_map(pair).collect()
}

/// A map with text values. Lists are joined, maps in it are left out.
struct Fields(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Fields;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("keys and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = BTreeMap::new();
                while let Some(Text(key)) = map.next_key()? {
                    let Text(value) = map.next_value()?;
                    if !value.is_empty() {
                        fields.entry(key.to_lowercase()).or_insert(value);
                    }
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Map)
    }
}

/// Any value as text.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Text;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.trim().to_owned()))
            }

            fn visit_bool<E>(self, yes: bool) -> Result<Text, E> {
                Ok(Text(yes.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text(String::new()))
            }

            fn visit_none<E>(self) -> Result<Text, E> {
                Ok(Text(String::new()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text, A::Error> {
                let mut texts = Vec::new();
                while let Some(Text(text)) = list.next_element()? {
                    texts.push(text);
                }
                texts.retain(|text| !text.is_empty());
                Ok(Text(texts.join(", ")))
            }

            /// A TOML date is deserialised as a map with one entry. Of other maps, `name` is used
            /// (authors).
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                let mut found = String::new();
                while let Some(key) = map.next_key::<String>()? {
                    if key == "name" || key.starts_with("$__toml") {
                        Text(found) = map.next_value()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Text(found))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(front: &str) -> Vec<(String, String)> {
        let text = format!("{front}\nCorps.\n");
        let (fields, body) = split(&text);
        assert_eq!(body.trim(), "Corps.", "{front}");
        fields.into_iter().collect()
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.into(), value.into())
    }

    #[test]
    fn yaml_and_toml_are_parsed() {
        let yaml = "---\ntitle: >-\n  Une ligne\n  et sa suite\ndate: 2026-11-13\nauthors:\n  - name: Jeanne E.\n  - Luc M.\ndraft: false\nempty:\n---";
        assert_eq!(
            fields(yaml),
            [
                pair("authors", "Jeanne E., Luc M."),
                pair("date", "2026-11-13"),
                pair("draft", "false"),
                pair("title", "Une ligne et sa suite")
            ]
        );
        let toml = "+++\ntitle = \"L'\\u00e9t\\u00e9\"\ndate = 2026-11-13T08:00:00Z\n+++";
        assert_eq!(fields(toml), [pair("date", "2026-11-13T08:00:00Z"), pair("title", "L'été")]);
    }

    #[test]
    fn front_matter_that_is_not_valid_yaml_is_read_line_by_line() {
        assert_eq!(
            fields("---\ntitle: Paris : la digue cède: bilan\nlang: fr\n---"),
            [pair("lang", "fr"), pair("title", "Paris : la digue cède: bilan")]
        );
    }

    #[test]
    fn horizontal_rules_are_not_front_matter_and_yaml_bombs_stay_small() {
        assert_eq!(split("---\n\nJuste du texte.\n").1, "---\n\nJuste du texte.\n");
        let mut bomb = "---\na0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..30 {
            let before = level - 1;
            let aliases = format!("*a{before}, ").repeat(6);
            bomb = format!("{bomb}a{level}: &a{level} [{aliases}x]\n");
        }
        bomb.push_str("---\nCorps.\n");
        let (fields, body) = split(&bomb);
        assert_eq!(body, "Corps.\n");
        assert!(fields.values().map(String::len).sum::<usize>() < 10_000);
    }
}
