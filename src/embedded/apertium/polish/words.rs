//! The word tables of each direction, and the replacement of whole words and phrases.

use super::Direction;
use std::sync::LazyLock;

static FR_EN: LazyLock<Words> =
    LazyLock::new(|| Words { before: parse(include_str!("before-fr-en.tsv")), after: parse(include_str!("after-fr-en.tsv")) });

static EN_FR: LazyLock<Words> =
    LazyLock::new(|| Words { before: parse(include_str!("before-en-fr.tsv")), after: parse(include_str!("after-en-fr.tsv")) });

/// The word tables of one direction.
pub(super) struct Words {
    before: Vec<Rule>,
    after: Vec<Rule>,
}

/// One row of a table.
struct Rule {
    /// The rule applies only to sentences whose source has this word or phrase.
    cause: Option<&'static str>,
    from: &'static str,
    to: &'static str,
}

/// The entries of a data file.
fn lines(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn parse(file: &'static str) -> Vec<Rule> {
    let rule = |line: &'static str| {
        let mut columns = line.rsplit('\t');
        let (to, from) = (columns.next()?, columns.next()?);
        Some(Rule { cause: columns.next(), from, to })
    };
    lines(file).filter_map(rule).collect()
}

impl Words {
    /// The tables of `direction`.
    pub(super) fn of(direction: Direction) -> &'static Self {
        match direction {
            Direction::FrEn => &FR_EN,
            Direction::EnFr => &EN_FR,
        }
    }

    /// Rewrites the source for the first leg.
    pub(super) fn rewrite_source(&self, text: &str) -> String {
        self.before.iter().fold(text.to_owned(), |text, rule| replace(&text, rule.from, rule.to))
    }

    /// Corrects the reply of the second leg.
    pub(super) fn correct(&self, source: &str, text: &str) -> String {
        let source = source.to_lowercase();
        let applies = |rule: &&Rule| rule.cause.is_none_or(|cause| contains(&source, cause));
        self.after.iter().filter(applies).fold(text.to_owned(), |text, rule| replace(&text, rule.from, rule.to))
    }
}

/// The word or number at the start of a text; empty if the text starts with something else.
pub(super) fn leading_word(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len())]
}

/// The text with a capital as its first letter, unless it starts with a digit or an address.
pub(super) fn capitalise(text: &str) -> String {
    let at = text.find(char::is_alphanumeric).unwrap_or(text.len());
    let (head, rest) = text.split_at(at);
    let mut chars = rest.chars();
    match chars.next() {
        Some(first) if !leading_word(rest).starts_with("http") => head.chars().chain(first.to_uppercase()).chain(chars).collect(),
        _ => text.to_owned(),
    }
}

/// French uses the perfect where English uses the simple past: «has announced» becomes «announced».
/// The table has the irregular verbs.
pub(super) fn in_simple_past(text: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for word in text.split(' ') {
        let plain = word.trim_end_matches([',', ';', ':', '"']);
        if plain.ends_with("ed") && out.last().is_some_and(|last| matches!(*last, "has" | "have")) {
            out.pop();
        }
        out.push(word);
    }
    out.join(" ")
}

/// Whether `text` has `phrase` between word boundaries, with the same capitals.
pub(super) fn contains(text: &str, phrase: &str) -> bool {
    find(text, phrase).is_some()
}

/// Replaces a phrase between word boundaries, written with or without a capital.
pub(super) fn replace(text: &str, from: &str, to: &str) -> String {
    let replaced = replace_exactly(text, from, to);
    let title = capitalise(from);
    if title == from { replaced } else { replace_exactly(&replaced, &title, &capitalise(to)) }
}

fn replace_exactly(text: &str, from: &str, to: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find(rest, from) {
        out.push_str(&rest[..at]);
        out.push_str(to);
        rest = &rest[at + from.len()..];
    }
    out.push_str(rest);
    out
}

/// The first position of `phrase` between word boundaries.
pub(super) fn find(text: &str, phrase: &str) -> Option<usize> {
    let inside_word = |at: usize| text[..at].ends_with(char::is_alphanumeric) && text[at..].starts_with(char::is_alphanumeric);
    let mut positions = text.match_indices(phrase).map(|(at, _)| at);
    positions.find(|&at| !inside_word(at) && !inside_word(at + phrase.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_whole_words_only_and_keeps_their_capital() {
        assert_eq!(replace("The squad of squads. Squad!", "squad", "team"), "The team of squads. Team!");
        assert_eq!(replace("été squad", "squad", "team"), "été team");
        assert_eq!(replace("dit M. Dupont", "M.", "Sr."), "dit Sr. Dupont");
        assert_eq!(replace("le SAM. a", "M.", "Sr."), "le SAM. a");
    }

    #[test]
    fn a_correction_needs_its_cause_in_the_source() {
        let words = Words::of(Direction::FrEn);
        assert_eq!(words.correct("La fusée", "The flare"), "The rocket");
        assert_eq!(words.correct("La torche", "The flare"), "The flare");
        assert_eq!(words.correct("Un séisme", "A seism"), "An earthquake");
    }

    #[test]
    fn the_perfect_becomes_the_simple_past() {
        assert_eq!(in_simple_past("He has announced, and they have had talked"), "He announced, and they have had talked");
        assert_eq!(Words::of(Direction::FrEn).correct("x", "it has begun"), "it began");
    }

    #[test]
    fn capitalises_the_first_letter_except_in_an_address() {
        assert_eq!(capitalise("\"été\""), "\"Été\"");
        assert_eq!(capitalise("3 ans"), "3 ans");
        assert_eq!(capitalise("http://x"), "http://x");
        assert_eq!(capitalise("…"), "…");
    }

    #[test]
    fn every_row_of_the_tables_has_two_or_three_columns() {
        let files = ["before-fr-en.tsv", "after-fr-en.tsv", "before-en-fr.tsv", "after-en-fr.tsv"];
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/embedded/apertium/polish");
        for file in files {
            let text = std::fs::read_to_string(folder.join(file)).unwrap();
            for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
                let columns: Vec<&str> = line.split('\t').collect();
                assert!(matches!(columns.len(), 2 | 3) && columns.iter().all(|column| !column.is_empty()), "{file}: {line}");
            }
        }
    }
}
