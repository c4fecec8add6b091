//! Gives each article of a file a name.

use std::collections::{HashMap, HashSet};

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
    /// What names since the last [`Names::take_uses`] depend on, if somebody wants to know.
    depends: Option<Depends>,
}

/// Earlier uses of keys that are used again.
#[derive(Default)]
struct Depends {
    keys: HashSet<u64>,
    earlier: Vec<(u64, u32)>,
}

impl Names {
    pub(super) fn new(file: &str) -> Self {
        Self::after(file, &[])
    }

    /// The names of articles that come after others, which used keys so often.
    pub(super) fn after(file: &str, uses: &[(u64, u32)]) -> Self {
        Self { file: file.to_owned(), seen: uses.iter().copied().collect(), depends: None }
    }

    /// Like [`Names::new`]; [`Names::take_uses`] can be called.
    pub(super) fn observed(file: &str) -> Self {
        Self { depends: Some(Depends::default()), ..Self::new(file) }
    }

    /// What the names since the last call depend on: earlier uses of their keys, for [`Names::after`].
    pub(super) fn take_uses(&mut self) -> Vec<(u64, u32)> {
        self.depends.as_mut().map(std::mem::take).unwrap_or_default().earlier
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
        let hash = u64::from_le_bytes(hash.as_bytes().first_chunk::<8>().copied().unwrap_or_default());
        let count_use = self.seen.entry(hash).or_default();
        if let Some(depends) = &mut self.depends
            && depends.keys.insert(hash)
            && *count_use > 0
        {
            depends.earlier.push((hash, *count_use));
        }
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
    fn names_go_on_from_the_uses_that_they_depend_on() {
        let keys = ["1", "2", "1", "1", "3", "2", "1", "4", "1", "1"].map(|id| Key::Own(id.into()));
        let mut all = Names::new("a");
        let whole: Vec<String> = keys.iter().map(|key| all.next(key, "Un.")).collect();
        for at in 0..=keys.len() {
            let (before, after) = keys.split_at(at);
            let mut observed = Names::observed("a");
            let mut use_all = |keys: &[Key]| {
                for key in keys {
                    observed.next(key, "Un.");
                }
                observed.take_uses()
            };
            use_all(before);
            let mut part = Names::after("a", &use_all(after));
            let part: Vec<String> = after.iter().map(|key| part.next(key, "Un.")).collect();
            assert_eq!(part, whole[at..], "{at}");
        }
    }

    #[test]
    fn a_long_key_is_cut_and_stays_unique() {
        let mut names = Names::new("a");
        let address = |end: &str| Key::Own(format!("https://a.invalid/{}{end}", "x".repeat(400)));
        let (first, second) = (names.next(&address("1"), ""), names.next(&address("2"), ""));
        assert!(first != second && first.chars().count() < 230, "{first}");
    }
}
