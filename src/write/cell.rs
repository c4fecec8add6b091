//! Knows how a spreadsheet reads a cell: formulas, numbers, dates, quotes, and its longest text.

use std::borrow::Cow;

use crate::extract::sentences;

/// The longest text of a cell in Excel, in UTF-16 units.
const LONGEST: usize = 32_767;

/// Puts an apostrophe before a cell that a spreadsheet would run as a formula (OWASP, CSV
/// injection), even if spaces, a byte order mark or quotes come first. Plain numbers stay. Removes
/// NUL, at which spreadsheets end a cell.
pub(super) fn harmless(cell: Cow<'_, str>) -> Cow<'_, str> {
    let cell = if cell.contains('\0') { Cow::Owned(cell.replace('\0', "")) } else { cell };
    if is_formula(&cell) { Cow::Owned(format!("'{cell}")) } else { cell }
}

/// Whether a spreadsheet would run a text as a formula if somebody typed it, or if another program
/// passed it on.
pub(super) fn is_formula(cell: &str) -> bool {
    let hidden = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '"' | '\'' | '\u{200b}');
    let shown = cell.trim_start_matches(hidden);
    let formula = shown.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let control = cell.starts_with(['\t', '\r', '\n']);
    (formula && !is_number(cell)) || control
}

/// The text without the characters that XML forbids: control characters, U+FFFE and U+FFFF.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{fffe}' | '\u{ffff}');
    if text.contains(hidden) { Cow::Owned(text.replace(hidden, "")) } else { Cow::Borrowed(text) }
}

/// A number with an optional sign, percent sign or currency.
fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | ' ' | '\u{a0}' | '\u{202f}' | '%' | '€' | '$'))
}

/// The cell in quotes if it holds a separator of any common profile, a quote or a line break. So no
/// formula hides behind a separator when another program splits the line.
pub(super) fn quoted(cell: &str) -> Cow<'_, str> {
    if cell.contains([',', ';', '\t', '"', '\r', '\n']) {
        Cow::Owned(format!("\"{}\"", cell.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(cell)
    }
}

/// The part of the text that fits into a cell, cut after a sentence, and whether it was cut.
pub(super) fn fitting(text: Cow<'_, str>) -> (Cow<'_, str>, bool) {
    // An apostrophe may come before it.
    let most = LONGEST - 1;
    if text.len() <= most {
        return (text, false);
    }
    let mut units = 0;
    let beyond = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > most
    });
    let Some((end, _)) = beyond else { return (text, false) };
    let kept = text.get(..end).unwrap_or_default();
    let whole = sentences::spans(kept).pop().map_or(0, |last| last.start);
    let kept = if whole > 0 { kept.get(..whole).unwrap_or_default().trim_end() } else { kept };
    (Cow::Owned(kept.to_owned()), true)
}

/// Whether Excel reads a text as a date, a time, a fraction or a number that it then shows in
/// another form: `14 juillet`, `3/4`, `1-0`, `007`, `1E10`.
pub(super) fn reads_as_value(text: &str) -> bool {
    let text = text.trim();
    if text.len() > 40 {
        return false;
    }
    is_numeric_date(text) || is_changed_number(text) || is_date_in_words(text)
}

/// Two or three short numbers with one kind of separator: `3/4`, `12.03.2021`, `12:30`.
fn is_numeric_date(text: &str) -> bool {
    let is_short = |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    ['/', '-', '.', ':'].into_iter().any(|separator| {
        let parts: Vec<&str> = text.split(separator).map(str::trim).collect();
        (2..=3).contains(&parts.len()) && parts.into_iter().all(is_short)
    })
}

/// A number that Excel shows in another form: with zeros before it, an exponent, or too many digits.
fn is_changed_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let decimal = |part: &str| part.split_once(['.', ',']).map_or_else(|| digits(part), |(whole, rest)| digits(whole) && digits(rest));
    let has_exponent = text
        .split_once(['e', 'E'])
        .is_some_and(|(number, power)| decimal(number) && digits(power.strip_prefix(['+', '-']).unwrap_or(power)));
    let compact: String = text.chars().filter(|c| !matches!(c, ' ' | '\u{a0}' | '\u{202f}')).collect();
    has_exponent || digits(&compact) && compact.len() > 1 && (compact.starts_with('0') || compact.len() > 11)
}

/// A month with a day, a year or both: `14 juillet`, `mars 2024`, `1-Jan-24`.
fn is_date_in_words(text: &str) -> bool {
    let parts: Vec<String> = text
        .to_lowercase()
        .split([' ', '-', '/', '.', ',', '\u{a0}', '\u{202f}'])
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    let is_number = |part: &str| {
        let part = ["er", "st", "nd", "rd", "th"].iter().find_map(|suffix| part.strip_suffix(suffix)).unwrap_or(part);
        (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let months = parts.iter().filter(|part| is_month(part)).count();
    (2..=3).contains(&parts.len()) && months == 1 && parts.iter().all(|part| is_month(part) || is_number(part))
}

/// Whether a word in lower case is a month in French or English, or its abbreviation.
fn is_month(word: &str) -> bool {
    const MONTHS: [&str; 24] = [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let letters = word.chars().count();
    MONTHS.iter().any(|month| month.starts_with(word) && (letters >= 3)) || matches!(word, "fevrier" | "aout" | "decembre" | "fev" | "aou")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_disarmed_and_numbers_are_not() {
        for formula in [
            "=1+1",
            "+cmd|' /C calc'!A0",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "＝1+1",
            "  =1",
            "\"=1\"",
            "'=1",
            "\u{feff}=1",
            "- Le dialogue",
            "\n=1",
        ] {
            assert!(harmless(Cow::Borrowed(formula)).starts_with('\''), "{formula:?}");
        }
        for number in ["-12", "+3,5 %", "-1 200 €", "– Le tiret", "Titre = texte", "12"] {
            assert_eq!(harmless(Cow::Borrowed(number)), number);
        }
    }

    #[test]
    fn texts_that_excel_would_turn_into_values_are_recognised() {
        for value in [
            "14 juillet",
            "1er mai",
            "mars 2024",
            "14 Jul 2024",
            "1-Jan-24",
            "3/4",
            "1-0",
            "12/03/2021",
            "2021-03-12",
            "12:30",
            "007",
            "06 12 34 56 78",
            "1E10",
            "1,5e3",
            "123456789012",
            "Sept 11",
        ] {
            assert!(reads_as_value(value), "{value}");
        }
        for text in
            ["12", "3,5 %", "14 juillet : le défilé", "Mai 68 et après", "mai", "A3/4", "Paris", "1-0 pour Lens", "", "12 000", "Décès"]
        {
            assert!(!reads_as_value(text), "{text}");
        }
    }

    #[test]
    fn a_text_is_cut_only_where_no_cell_holds_it() {
        let fits = "é".repeat(LONGEST - 1);
        assert_eq!(fitting(Cow::Borrowed(&fits)), (Cow::Borrowed(fits.as_str()), false));
        let (cut, is_cut) = fitting(Cow::Owned("😀".repeat(20_000)));
        assert_eq!((cut.chars().count(), is_cut), ((LONGEST - 1) / 2, true), "without sentences at a character");
    }

    #[test]
    fn every_separator_is_quoted() {
        assert_eq!(quoted("a;=1").as_ref(), "\"a;=1\"");
        assert_eq!(quoted("a\t\"b\"").as_ref(), "\"a\t\"\"b\"\"\"");
        assert_eq!(quoted("a b").as_ref(), "a b");
    }
}
