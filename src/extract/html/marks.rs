//! Reads small marks in a line: the numbers of footnotes, which are left out, and exponents.

use super::element::Element;
use super::tree::{Id, Page};

/// A mark in a line.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Mark {
    /// Leads to a footnote.
    Note,
    /// An exponent, in superscript digits.
    Power(String),
}

/// The longest mark, in characters.
const LONGEST: usize = 8;

/// Words that can be right before an exponent, besides the base ten and symbols of one letter.
const UNITS: &[&str] = &["m", "km", "cm", "mm", "dm", "hm", "dam", "ft", "in", "mi", "yd", "10"];

/// The kind of mark of an element, if it is a mark. `before` is the text of the line so far.
pub(super) fn mark(page: &Page, id: Id, before: &str) -> Option<Mark> {
    let is_raised = page.name(id) == "sup";
    let is_inner_link = page.element(id) == Some(Element::Link) && page.attr(id, "href").is_some_and(|href| href.starts_with('#'));
    if !is_raised && !is_inner_link {
        return None;
    }
    let text = page.text(id);
    let text = text.trim();
    let inner = text.trim_matches(['[', ']', '(', ')', ' ', '\u{a0}']);
    if text.chars().count() > LONGEST || !is_number_of_note(inner) {
        return None;
    }
    let linked = is_inner_link || page.any_below(id, |id| page.element(id) == Some(Element::Link));
    let is_number = inner.bytes().all(|byte| byte.is_ascii_digit());
    let letters = inner.chars().all(char::is_alphabetic);
    if !linked && text == inner && is_number && takes_power(before) {
        Some(Mark::Power(inner.chars().map(raised).collect()))
    } else if linked || !letters {
        Some(Mark::Note)
    } else {
        None
    }
}

/// Whether a text can be the number of a note: digits (several, with commas), one letter, or a sign.
fn is_number_of_note(text: &str) -> bool {
    let is_sign = |c: char| matches!(c, '*' | '†' | '‡' | '§' | '↩' | '↑');
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let numbers = digits > 0 && digits <= 6 && text.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | ' ' | '-' | '–'));
    let letter = text.chars().count() == 1 && text.chars().all(|c| c.is_ascii_lowercase());
    numbers || letter || (!text.is_empty() && text.chars().all(is_sign))
}

/// Whether a number that is raised after a text is an exponent: «300 m», «10», «x».
fn takes_power(before: &str) -> bool {
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let letter = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit());
    letter || UNITS.contains(&word) || (!unit.is_empty() && UNITS.contains(&unit))
}

fn raised(digit: char) -> char {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    digit.to_digit(10).and_then(|digit| RAISED.get(digit as usize)).copied().unwrap_or(digit)
}

#[cfg(test)]
mod tests {
    use crate::extract::html::fragment;

    #[test]
    fn notes_are_left_out_and_powers_stay() {
        for (html, text) in [
            ("47 %<sup><a href=\"#n2\">2</a></sup> en 2019<sup>1</sup>, puis", "47 % en 2019, puis"),
            ("en 2025<a href=\"#fn:3\" class=note>[3]</a>.", "en 2025."),
            ("en 2025 [<a href=\"#nb1\">1</a>].", "en 2025."),
            ("douze morts<sup>*</sup> et<sup><a href='#x'>a</a></sup> deux", "douze morts et deux"),
            ("une hausse<sup>[1, 2]</sup> de 3", "une hausse de 3"),
            ("300 m<sup>2</sup>, 45km<sup>2</sup> et 10<sup>6</sup>", "300 m², 45km² et 10⁶"),
            ("le XXI<sup>e</sup> siècle, la 1<sup>re</sup>, M<sup>me</sup> X, n<sup>o</sup> 3", "le XXIe siècle, la 1re, Mme X, no 3"),
            ("CO<sub>2</sub>, voir <a href='#suite'>plus bas</a>, marque<sup>®</sup>", "CO2, voir plus bas, marque®"),
            ("de <del>12</del> <ins>15</ins> morts, à <s>20</s> 10 euros", "de 15 morts, à 10 euros"),
            ("<q>Trop tard</q>, a dit le maire.", "“Trop tard”, a dit le maire."),
        ] {
            assert_eq!(fragment::text(&format!("<p>{html}</p>")).unwrap().replace('\u{a0}', " "), text, "{html}");
        }
    }
}
