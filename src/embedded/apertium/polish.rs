//! What is done to a text before, between and after Apertium's two legs, so that the result can be read: typography,
//! numbers, times, titles, names, and a short table of words that the way through Spanish gets wrong.
//!
//! Everything here is pure and conservative: what is not clearly recognised stays as it is.

mod number;
mod rule;
mod table;
mod time;
mod word;

use super::Direction;

/// A letter that no dictionary knows, put after an unknown name so that the second leg does not take it for a word of
/// its language («Peña Nieto» is no grandson).
const SHIELD: char = 'ƿ';

/// Marks that Apertium puts before a word it does not know, or cannot translate, or cannot inflect.
const MARKS: [char; 3] = ['*', '@', '#'];

/// Prepares a line for the first leg.
#[must_use]
pub(super) fn before(direction: Direction, text: &str) -> String {
    let text = plain(text);
    match direction {
        Direction::FrEn => {
            let text = number::english_from_french(&time::french_times(&text));
            let text = word::replace_all(&text, table::FRENCH_FIRST);
            rule::french_speech(&time::french_ago(&time::first_of_month(&text)))
        }
        Direction::EnFr => {
            let text = time::english_times(&rule::currency(&text));
            word::replace_all(&time::on_weekday(&text), table::ENGLISH_FIRST)
        }
    }
}

/// Works on the Spanish between the legs: `source` is what the first leg was given, `spanish` its reply with marks.
#[must_use]
pub(super) fn between(source: &str, spanish: &str) -> String {
    let mut out = String::with_capacity(spanish.len() + 8);
    let mut rest = spanish;
    while let Some(at) = rest.find(MARKS) {
        let mark = &rest[at..=at];
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let name = word::leading(rest);
        if name.is_empty() || source.contains(mark) {
            out.push_str(mark);
            continue;
        }
        out.push_str(name);
        rest = &rest[name.len()..];
        if mark == "*" && word::is_name(name) && !table::SPANISH.contains(&name) && word::contains(source, name) {
            out.push(SHIELD);
        }
    }
    out.push_str(rest);
    out
}

/// Makes a line of the second leg's reply readable; `source` is the line as it was to be translated.
#[must_use]
pub(super) fn after(direction: Direction, source: &str, raw: &str) -> String {
    let text = raw.replace(SHIELD, "");
    let text = if source.contains('*') { text } else { text.replace('*', "") };
    let text = spaces(&text);
    let text = word::lower_false_capitals(source, &text, table::common(direction));
    let text = match direction {
        Direction::FrEn => {
            let text = word::fix_article(&word::repair(source, &text, table::REPAIR_ENGLISH), table::REPAIR_ENGLISH);
            let text = word::replace_all(&rule::simple_past(source, &text), table::ENGLISH_LAST);
            quotes(&time::parts_of_days(source, &time::english_dates(&text)), "\"", "\"")
        }
        Direction::EnFr => {
            let text = word::repair(source, &text, table::REPAIR_FRENCH);
            let text = word::replace_all(&text, table::FRENCH_LAST);
            french_typography(&number::french_from_english(source, &time::french_clock(&text)))
        }
    };
    finish(source, &text)
}

/// Quotes, apostrophes, spaces and ligatures as the dictionaries know them.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '’' | 'ʼ' | '‘' => out.push('\''),
            '“' | '”' | '„' => out.push('"'),
            'œ' => out.push_str("oe"),
            'Œ' => out.push_str("Oe"),
            '\u{ad}' | '\u{200b}' | '\u{feff}' => {}
            _ if c.is_whitespace() => out.push(' '),
            _ => out.push(c),
        }
    }
    let out = out.replace("« ", "\"").replace(" »", "\"");
    out.replace(['«', '»'], "\"")
}

/// One space between words, none before a closing mark (English; French gets its spaces back at the end).
fn spaces(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let mark = !word.chars().any(char::is_alphanumeric);
        let closes = mark && word.starts_with([',', '.', ';', ':', '!', '?', ')', ']', '%', '…']) && word != "...";
        if !out.is_empty() && !closes {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// French marks: a no-break space before `: ; ! ? %`, and guillemets where straight quotes come in pairs.
fn french_typography(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends = chars.peek().is_none_or(|next| !next.is_alphanumeric() && !matches!(next, '/' | '_' | '&' | '='));
        let after_word = out.ends_with(|last: char| last.is_alphanumeric() || matches!(last, ')' | '"'));
        if after_word && ends && matches!(c, ':' | ';' | '!' | '?' | '%') {
            out.push('\u{a0}');
        }
        out.push(c);
    }
    quotes(&out, "«\u{a0}", "\u{a0}»")
}

/// Straight quotes, where they come in pairs, as `open` and `close`, without spaces on their inner side.
fn quotes(text: &str, open: &str, close: &str) -> String {
    let parts: Vec<&str> = text.split('"').collect();
    if parts.len().is_multiple_of(2) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (at, part) in parts.iter().enumerate() {
        if at % 2 == 0 {
            out.push_str(part);
        } else {
            out.push_str(open);
            out.push_str(part.trim());
            out.push_str(close);
        }
    }
    out
}

/// The capital at the start and the stop at the end, as the source has them.
fn finish(source: &str, text: &str) -> String {
    let mut text = text.trim().to_owned();
    if text.ends_with("..") && !text.ends_with("...") && !source.trim_end().ends_with("..") {
        text.pop();
    }
    let first = source.chars().find(|c| c.is_alphanumeric());
    if first.is_some_and(char::is_uppercase) { word::capitalise(&text) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dictionaries_do_not_know_is_made_plain() {
        assert_eq!(before(Direction::FrEn, "« L’œuvre »\u{a0}: 3"), "\"L'oeuvre\" : 3");
        assert_eq!(before(Direction::FrEn, "12,5\u{202f}% de 2 000 euros"), "12.5% de 2,000 euros");
    }

    #[test]
    fn an_unknown_name_is_shielded_and_marks_go() {
        assert_eq!(between("M. Nieto contrer", "M. *Nieto *contrer #ser"), "M. Nietoƿ contrer ser");
        assert_eq!(between("2 * 3 *Nieto", "2 * 3 *Nieto"), "2 * 3 *Nieto");
    }

    #[test]
    fn the_reply_is_made_readable() {
        let polish = |source, raw| after(Direction::FrEn, source, raw);
        assert_eq!(polish("M. Macron a dit.", "M. Macronƿ Has said."), "M. Macron said.");
        assert_eq!(polish("Il part ?", "course  ?"), "Course?");
        assert_eq!(polish("Les E.U.", "The US.."), "The US.");
        assert_eq!(polish("un titre", "a title"), "a title");
    }

    #[test]
    fn french_gets_its_spaces_and_guillemets() {
        let polish = |source, raw| after(Direction::EnFr, source, raw);
        assert_eq!(polish("\"No\": 12.5%, 2,000!", "\"Non\": 12.5%, 2,000!"), "«\u{a0}Non\u{a0}»\u{a0}: 12,5\u{a0}%, 2\u{a0}000\u{a0}!");
        assert_eq!(polish("See http://x.y/?a=b 10:30", "Vois http://x.y/?a=b 10:30"), "Vois http://x.y/?a=b 10:30");
    }
}
