//! Prepares text for Apertium and makes its replies readable: numbers, clock times, punctuation,
//! unknown names, and words that come out wrong because of the detour through Spanish.
//!
//! It changes only what it recognises with certainty. The word tables are in the data files of this
//! folder.

mod clock;
mod names;
mod number;
mod words;

use super::Direction;
pub(super) use names::Names;
use words::Words;

/// Prepares a line for the first leg. Returns the names that must be put back.
#[must_use]
pub(super) fn before(direction: Direction, text: &str) -> (String, Names) {
    let (text, names) = Names::shield(direction, &simplify_punctuation(text));
    let text = match direction {
        // «Des» at the beginning is an article; Apertium takes it for "of the".
        Direction::FrEn => {
            let text = text.strip_prefix("Des ").map_or_else(|| text.clone(), words::capitalise);
            number::to_english(&clock::from_french(&text))
        }
        Direction::EnFr => number::name_currencies(&clock::from_english(&text)),
    };
    (Words::of(direction).rewrite_source(&text), names)
}

/// Makes the second leg's reply readable. `source` is the input of the first leg.
#[must_use]
pub(super) fn after(direction: Direction, source: &str, names: &Names, reply: &str) -> String {
    let text = Words::of(direction).correct(source, &lower_second_word(source, &normalize_spaces(reply)));
    let text = match direction {
        Direction::FrEn => replace_quotes(&words::in_simple_past(&clock::to_english(&text)), "\"", "\""),
        Direction::EnFr => french_punctuation(&number::to_french(source, &clock::to_french(&text))),
    };
    match_sentence_ends(source, &names.restore(&text))
}

/// Writes quotes, apostrophes, spaces and ligatures as the dictionaries do.
fn simplify_punctuation(text: &str) -> String {
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
    out.replace("« ", "\"").replace(" »", "\"").replace(['«', '»'], "\"")
}

/// Leaves one space between words and none before closing punctuation.
fn normalize_spaces(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let punctuation = !word.contains(char::is_alphanumeric) && word != "...";
        let closing = punctuation && word.starts_with([',', '.', ';', ':', '!', '?', ')', ']', '%', '…']);
        if !out.is_empty() && !closing {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Apertium writes the word after an unknown first word with a capital: «Macron Has said».
fn lower_second_word(source: &str, text: &str) -> String {
    let Some((first, rest)) = text.split_once(' ') else { return text.to_owned() };
    let second = words::leading_word(rest);
    let is_word = second.starts_with(char::is_uppercase) && second.chars().skip(1).all(char::is_lowercase);
    let is_false = is_word && source.to_lowercase().starts_with(&first.to_lowercase()) && !words::contains(source, second);
    if is_false { format!("{first} {}{}", second.to_lowercase(), &rest[second.len()..]) } else { text.to_owned() }
}

/// Puts a no-break space before `: ; ! ? %`, and guillemets around quotations.
fn french_punctuation(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let after_word = out.ends_with(|last: char| last.is_alphanumeric() || matches!(last, ')' | '"'));
        let word_ends = chars.peek().is_none_or(|next| !next.is_alphanumeric() && !matches!(next, '/' | '_' | '&' | '='));
        if matches!(c, ':' | ';' | '!' | '?' | '%') && after_word && word_ends {
            out.push('\u{a0}');
        }
        out.push(c);
    }
    replace_quotes(&out, "«\u{a0}", "\u{a0}»")
}

/// Replaces straight quotes by `open` and `close`, without spaces inside them. Quotes that do not
/// pair up stay.
fn replace_quotes(text: &str, open: &str, close: &str) -> String {
    let parts: Vec<&str> = text.split('"').collect();
    if parts.len().is_multiple_of(2) {
        return text.to_owned();
    }
    let quoted = |(at, part): (usize, &&str)| if at % 2 == 0 { (*part).to_owned() } else { format!("{open}{}{close}", part.trim()) };
    parts.iter().enumerate().map(quoted).collect()
}

/// Starts the sentence with a capital if the source does, and ends it with one full stop if the
/// source does.
fn match_sentence_ends(source: &str, text: &str) -> String {
    let mut text = text.trim();
    if text.ends_with("..") && !text.ends_with("...") && !source.trim_end().ends_with("..") {
        text = text.strip_suffix('.').unwrap_or(text);
    }
    let first = source.chars().find(|c| c.is_alphanumeric());
    if first.is_some_and(char::is_uppercase) { words::capitalise(text) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(direction: Direction, text: &str) -> String {
        before(direction, text).0
    }

    #[test]
    fn prepares_punctuation_numbers_times_titles_and_verbs_of_speech() {
        assert_eq!(prepared(Direction::FrEn, "« L’œuvre »\u{a0}: 3"), "\"L'oeuvre\" : 3");
        assert_eq!(prepared(Direction::FrEn, "12,5\u{202f}% de 2 000 euros à 18 h 30"), "12.5 % de 2,000 euros à 18:30");
        assert_eq!(prepared(Direction::FrEn, "« Non », a-t-elle déclaré à M. Roy."), "\"Non\", ella a déclaré à Sr. Roy.");
        assert_eq!(prepared(Direction::EnFr, "Mr. Smith left at 6 pm."), "Sr. Smith left at 18:00.");
        assert_eq!(prepared(Direction::EnFr, "It costs £31 million."), "It costs 31 million pounds.");
    }

    #[test]
    fn the_english_reply_is_made_readable() {
        let after = |source, reply| after(Direction::FrEn, source, &Names::default(), reply);
        assert_eq!(after("Sr. Macron a dit.", "Mr. Macron has said."), "Mr Macron said.");
        assert_eq!(after("Macron a parlé à Paris.", "Macron Has spoken at Paris."), "Macron spoke at Paris.");
        assert_eq!(after("Il part ?", "course  ?"), "Course?");
        assert_eq!(after("Les E.U.", "The US.."), "The US.");
        assert_eq!(after("un titre", "a title"), "a title");
    }

    #[test]
    fn french_gets_no_break_spaces_and_guillemets() {
        let after = |source, reply| after(Direction::EnFr, source, &Names::default(), reply);
        assert_eq!(after("\"No\": 12.5%, 2,000!", "\"Non\": 12.5%, 2,000!"), "«\u{a0}Non\u{a0}»\u{a0}: 12,5\u{a0}%, 2\u{a0}000\u{a0}!");
        assert_eq!(after("31 million pounds", "31 millions livres"), "31 millions de livres");
        assert_eq!(after("5 pounds", "5 tu livres"), "5 livres");
        assert_eq!(after("See http://x.y/?a=b 10:30", "Vois http://x.y/?a=b 10:30"), "Vois http://x.y/?a=b 10:30");
    }
}
