//! Gives each article of a file a name.

use std::collections::HashMap;

use crate::model::{clean, one_line};

/// What identifies an article within its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Key {
    /// Nothing: it is the only article of the file.
    #[default]
    File,
    /// Its own id or URL.
    Own(String),
    /// A hash of its content, if it has no id. Not its position, which changes from night to night.
    Content,
}

/// The most characters of a key. A longer key is cut and gets a hash.
const LONGEST_KEY: usize = 200;
/// The number of hexadecimal digits of a hash in a key.
const HASH_DIGITS: usize = 12;

/// The key of an article without an id.
pub(super) fn content_key(content: &[u8]) -> String {
    blake3::hash(content).to_hex().chars().take(HASH_DIGITS).collect()
}

/// Names the articles of a file, so that no two articles get the same row.
pub(super) struct Names {
    file: String,
    /// A hash of each key and how often it was used. The keys themselves would take too much
    /// memory: a file may hold a million articles.
    seen: HashMap<u64, u32>,
}

impl Names {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), seen: HashMap::new() }
    }

    /// The name of the next article. A repeated key gets a hash of the content appended; if that is
    /// repeated too, a number as well.
    pub(super) fn next(&mut self, key: &Key, content: &str) -> String {
        let key = match key {
            Key::File => return self.file.clone(),
            Key::Own(own) => Some(shorten(&one_line(&clean(own)))).filter(|own| !own.is_empty()),
            Key::Content => None,
        };
        let hash = || content_key(content.as_bytes());
        let key = key.unwrap_or_else(hash);
        if self.count_use(&key) == 1 {
            return format!("{}#{key}", self.file);
        }
        let key = format!("{key}-{}", hash());
        let mut unique = key.clone();
        // The number counts earlier uses, so this ends at once unless an article's own id looks
        // like such a key.
        while self.count_use(&unique) > 1 {
            unique = format!("{key}-{}", self.count_use(&key));
        }
        format!("{}#{unique}", self.file)
    }

    /// How often a key was used, this time included.
    fn count_use(&mut self, key: &str) -> u32 {
        let hash = blake3::hash(key.as_bytes());
        let bytes = hash.as_bytes().first_chunk::<8>().copied().unwrap_or_default();
        let count_use = self.seen.entry(u64::from_le_bytes(bytes)).or_default();
        *count_use += 1;
        *count_use
    }
}

fn shorten(key: &str) -> String {
    if key.chars().count() <= LONGEST_KEY {
        return key.to_owned();
    }
    let start: String = key.chars().take(LONGEST_KEY).collect();
    format!("{start}…{}", content_key(key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_id_or_a_hash_of_the_content_and_is_unique() {
        let mut names = Names::new("a.json");
        let own = |id: &str| Key::Own(id.into());
        assert_eq!(names.next(&own("1"), "Un."), "a.json#1");
        let second = names.next(&own("1"), "Deux.");
        assert_eq!(second, format!("a.json#1-{}", content_key("Deux.".as_bytes())));
        let third = names.next(&own("1"), "Deux.");
        assert!(third.starts_with(&second) && third != second && names.next(&own("1"), "Deux.") != third);
        assert_eq!(names.next(&Key::Content, "Trois."), format!("a.json#{}", content_key("Trois.".as_bytes())));
        assert_eq!(names.next(&Key::File, ""), "a.json");
    }

    #[test]
    fn a_long_key_is_cut_and_stays_unique() {
        let mut names = Names::new("a");
        let address = |end: &str| Key::Own(format!("https://a.invalid/{}{end}", "x".repeat(400)));
        let (first, second) = (names.next(&address("1"), ""), names.next(&address("2"), ""));
        assert!(first != second && first.chars().count() < 230, "{first}");
    }
}
