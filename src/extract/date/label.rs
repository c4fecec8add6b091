//! Reads the label before a date: «Publié le», «Mis à jour le».

use std::collections::HashSet;
use std::sync::LazyLock;

use super::find;
use crate::extract::word_list::entries;
use crate::model::fold;

/// The event that a date refers to, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::extract) enum Label {
    /// The publication.
    Published,
    /// A change.
    Changed,
}

/// A date with its label.
#[derive(PartialEq, Eq, Debug)]
pub(in crate::extract) struct Labelled {
    pub(in crate::extract) label: Label,
    pub(in crate::extract) iso: String,
}

static LABELS: LazyLock<Vec<(Label, &str)>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let (kind, text) = line.split_once('\t')?;
        let label = if kind == "published" { Label::Published } else { Label::Changed };
        Some((label, text))
    };
    entries(include_str!("labels.tsv")).filter_map(line).collect()
});

/// Words that are usual next to the date of an article.
static USUAL: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("usual_words.txt")).collect());
/// Words that are usual next to the date of something else: an offer, an event, a birth.
static OTHER_DATES: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("other_dates.txt")).collect());

/// The best of the labelled dates in a short text: the date of publication, wherever it is.
pub(in crate::extract) fn labelled(text: &str, day_first: bool) -> Option<Labelled> {
    let places = places(text);
    let ends = places.iter().skip(1).map(|(at, _)| *at).chain([text.len()]);
    let dated = places.iter().zip(ends).filter_map(|((start, label), end)| {
        let found = find(text.get(*start..end)?, day_first)?;
        Some(Labelled { label: *label, iso: found.iso })
    });
    // The first of equals.
    dated.min_by_key(|found| found.label)
}

/// The label that is nearest to the end of `text`, where a date follows.
pub(in crate::extract) fn label_at_end(text: &str) -> Option<Label> {
    places(text).last().map(|(_, label)| *label)
}

/// Whether a text starts with the label of a date.
pub(in crate::extract) fn starts_with_label(text: &str) -> bool {
    places(text).first().is_some_and(|(at, _)| *at == 0)
}

/// How many words around a date are neither names nor usual next to the date of an article. «Par
/// Jeanne Exemple, le 3 mars 2026 – 4 min» has no such words; «Le 3 mars, la digue a cédé» has
/// some.
pub(in crate::extract) fn strange_words(text: &str) -> usize {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.contains(char::is_alphabetic));
    let is_usual = |word: &str| {
        let folded = fold(word);
        let date = super::month(&folded).is_some() || super::day(word).is_some() || folded.ends_with("day") || folded.ends_with("di");
        let usual = USUAL.contains(folded.as_str()) || date || folded.starts_with(|c: char| c.is_ascii_digit());
        let label = || LABELS.iter().any(|(_, label)| label.split(' ').next().is_some_and(|first| folded.starts_with(first)));
        let name = word.starts_with(char::is_uppercase) && !OTHER_DATES.contains(folded.as_str());
        usual || name || label()
    };
    words.filter(|word| !is_usual(word)).count()
}

/// Where the labels of a text start, in order.
fn places(text: &str) -> Vec<(usize, Label)> {
    let mut places = Vec::new();
    let mut previous = ' ';
    for (at, c) in text.char_indices() {
        if !previous.is_alphanumeric() && c.is_alphabetic() {
            let rest = fold(text.get(at..).unwrap_or_default());
            if let Some((label, _)) = LABELS.iter().find(|(_, start)| rest.starts_with(start)) {
                places.push((at, *label));
            }
        }
        previous = c;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_tell_the_date_of_publication_from_others() {
        for (text, label, iso) in [
            ("Publié le 3 mars 2026 à 8h30, mis à jour le 5 mars 2026", Label::Published, "2026-03-03T08:30:00"),
            ("Mis à jour le 5 mars 2026 à 10h12 | Publié le 3 mars 2026", Label::Published, "2026-03-03"),
            ("Modifié le 05/03/26 – Mis en ligne le 03/03/26", Label::Published, "2026-03-03"),
            ("Last updated on March 5, 2026. First published March 3, 2026", Label::Published, "2026-03-03"),
            ("Mise à jour : 5 mars 2026", Label::Changed, "2026-03-05"),
        ] {
            assert_eq!(labelled(text, true), Some(Labelled { label, iso: iso.to_owned() }), "{text}");
        }
        assert_eq!(labelled("Le 3 mars 2026", true), None);
        for (text, strange) in [
            ("Par Jeanne Exemple, à Brennec, le 3 mars 2026 – 4 min de lecture", 0),
            ("Le Littoral | mardi 3 mars 2026, 490 mots", 0),
            ("By Jane Sample on March 3rd, 2026 at 6:30 pm", 0),
            ("Le 3 mars 2026, la digue avait déjà cédé.", 4),
            ("Offre valable jusqu'au 3 mars 2026", 4),
            ("Concert le 3 mars 2026", 1),
        ] {
            assert_eq!(strange_words(text), strange, "{text}");
        }
        assert_eq!(label_at_end("Publié le 3 mars, mis à jour le"), Some(Label::Changed));
    }
}
