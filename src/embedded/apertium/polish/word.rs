//! Whole words in a text: finding, replacing, and the capitals that Apertium gets wrong.

/// One repair: where the source has the first word, the second in the translation becomes the third.
pub(super) type Repair = (&'static str, &'static str, &'static str);

/// The word or number that a text starts with; empty if it does not start with one.
pub(super) fn leading(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len())]
}

/// A token without the marks after it.
pub(super) fn bare(token: &str) -> &str {
    token.trim_end_matches(|c: char| !c.is_alphanumeric())
}

/// Whether a word starts with a capital (a single letter does too).
pub(super) fn is_title(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

/// Whether a word is several capitals: `WHO` is no question.
fn is_acronym(word: &str) -> bool {
    word.chars().count() > 1 && word.chars().all(char::is_uppercase)
}

/// Whether a word looks like a name: a capital, then small letters (an acronym may well be in a dictionary).
pub(super) fn is_name(word: &str) -> bool {
    is_title(word) && word.chars().count() > 2 && word.chars().skip(1).any(char::is_lowercase)
}

/// The text with its first letter a capital, unless a digit comes first.
pub(super) fn capitalise(text: &str) -> String {
    let Some(at) = text.find(char::is_alphanumeric) else {
        return text.to_owned();
    };
    // An address has no capital.
    if leading(&text[at..]).starts_with("http") {
        return text.to_owned();
    }
    let mut chars = text[at..].chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    text[..at].chars().chain(first).chain(chars).collect()
}

/// Whether `text` has `phrase` between word boundaries, written just so.
pub(super) fn contains(text: &str, phrase: &str) -> bool {
    find(text, phrase, 0).is_some()
}

/// Replaces a phrase wherever it stands between word boundaries, with and without a capital.
pub(super) fn replace(text: &str, from: &str, to: &str) -> String {
    let once = replace_exactly(text, from, to);
    let title = capitalise(from);
    if title == from { once } else { replace_exactly(&once, &title, &capitalise(to)) }
}

/// Replaces every phrase of a table.
pub(super) fn replace_all(text: &str, table: &[(&str, &str)]) -> String {
    table.iter().fold(text.to_owned(), |text, (from, to)| replace(&text, from, to))
}

/// Replaces words whose cause is in the source.
pub(super) fn repair(source: &str, text: &str, table: &[Repair]) -> String {
    let source = source.to_lowercase();
    let due = table.iter().filter(|(cause, _, _)| contains(&source, cause));
    due.fold(text.to_owned(), |text, (_, wrong, right)| replace(&text, wrong, right))
}

/// The English article before a word that a repair put in: `a earthquake` to `an earthquake`.
pub(super) fn fix_article(text: &str, table: &[Repair]) -> String {
    table.iter().filter(|(_, _, right)| contains(text, right)).fold(text.to_owned(), |text, (_, _, right)| {
        let (wrong, good) = if right.starts_with(['a', 'e', 'i', 'o', 'u', 'A']) { ("a", "an") } else { ("an", "a") };
        replace(&text, &format!("{wrong} {right}"), &format!("{good} {right}"))
    })
}

/// Lowers a capital that a common word got in the middle of a sentence: Apertium gives it to the word after an unknown
/// name. A word that the source writes with its capital keeps it.
pub(super) fn lower_false_capitals(source: &str, text: &str, common: &[&str]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(char::is_alphanumeric) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let (word, next) = rest.split_at(end);
        let lower = word.to_lowercase();
        let inside = out.ends_with(' ') && out.trim_end().ends_with(|c: char| c.is_alphanumeric() || matches!(c, ',' | ';' | ')'));
        let wrong = is_title(word) && !is_acronym(word) && common.contains(&lower.as_str());
        if inside && wrong && !contains(source, word) {
            out.push_str(&lower);
        } else {
            out.push_str(word);
        }
        rest = next;
    }
    out.push_str(rest);
    out
}

fn replace_exactly(text: &str, from: &str, to: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    while let Some(at) = find(text, from, done) {
        out.push_str(&text[done..at]);
        out.push_str(to);
        done = at + from.len();
    }
    out.push_str(&text[done..]);
    out
}

/// Where `phrase` stands between word boundaries, from a byte offset on.
fn find(text: &str, phrase: &str, from: usize) -> Option<usize> {
    let mut start = from;
    while let Some(at) = text[start..].find(phrase).map(|at| at + start) {
        let end = at + phrase.len();
        if is_boundary(text, at, phrase.chars().next()) && is_boundary(text, end, phrase.chars().next_back()) {
            return Some(at);
        }
        start = at + text[at..].chars().next().map_or(1, char::len_utf8);
    }
    None
}

/// Whether a phrase whose outermost character is `edge` may start or end here.
fn is_boundary(text: &str, at: usize, edge: Option<char>) -> bool {
    let joined = |c: char| c.is_alphanumeric();
    !(edge.is_some_and(joined) && text[..at].ends_with(joined) && text[at..].starts_with(joined))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_are_replaced_and_capitals_kept() {
        assert_eq!(replace("The squad of squads. Squad!", "squad", "team"), "The team of squads. Team!");
        assert_eq!(replace("été squad", "squad", "team"), "été team");
        assert_eq!(replace("dit M. Dupont", "M.", "Sr."), "dit Sr. Dupont");
        assert_eq!(replace("le SAM. a", "M.", "Sr."), "le SAM. a");
    }

    #[test]
    fn a_repair_needs_its_cause() {
        let table: &[Repair] = &[("fusée", "flare", "rocket")];
        assert_eq!(repair("La fusée", "The flare", table), "The rocket");
        assert_eq!(repair("La torche", "The flare", table), "The flare");
    }

    #[test]
    fn false_capitals_are_lowered_inside_a_sentence_only() {
        let lowered = |source, text| lower_false_capitals(source, text, &["has", "in"]);
        assert_eq!(lowered("Macron a dit", "Macron Has said"), "Macron has said");
        assert_eq!(lowered("x", "It went. Has he? In it."), "It went. Has he? In it.");
        assert_eq!(lowered("le magazine In Style", "the In Style"), "the In Style");
        assert_eq!(lowered("x", "dit l'OMS Has"), "dit l'OMS has");
        assert_eq!(lowered("x", "Nieva IN Paris"), "Nieva IN Paris");
    }

    #[test]
    fn the_first_letter_gets_its_capital() {
        assert_eq!(capitalise("\"été\""), "\"Été\"");
        assert_eq!(capitalise("3 ans"), "3 ans");
        assert_eq!(capitalise("http://x"), "http://x");
    }
}
