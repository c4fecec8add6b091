//! Times, dates and stretches of time, in the words of either language.

use super::word::{self, bare};

/// Words after which a bare `18 h` is a time of day and no duration.
const BEFORE_TIME: [&str; 6] = ["à", "vers", "dès", "avant", "après", "jusqu'à"];

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

const MOIS: [&str; 12] =
    ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"];

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// What a number that starts a stretch of time may be, beside digits.
const COUNTS: [&str; 16] = [
    "un",
    "une",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "neuf",
    "dix",
    "quinze",
    "vingt",
    "trente",
    "quelques",
    "plusieurs",
];

const UNITS: [&str; 11] = ["an", "ans", "année", "années", "mois", "semaine", "semaines", "jour", "jours", "heures", "minutes"];

/// `18 h 30`, `18h30` and `à 18 h` to `18:30` and `18:00`.
pub(super) fn french_times(text: &str) -> String {
    let tokens: Vec<&str> = text.split(' ').collect();
    let mut out: Vec<String> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let timed = out.last().is_some_and(|last| BEFORE_TIME.contains(&last.to_lowercase().as_str()));
        let time = (1..=3)
            .rev()
            .filter(|count| at + count <= tokens.len())
            .find_map(|count| french_time(&tokens[at..at + count].concat(), timed).map(|time| (count, time)));
        let (count, token) = time.unwrap_or_else(|| (1, tokens[at].to_owned()));
        out.push(token);
        at += count;
    }
    out.join(" ")
}

fn french_time(token: &str, timed: bool) -> Option<String> {
    let (hours, rest) = token.split_once('h')?;
    let (minutes, tail) = split_digits(rest);
    let minutes = match minutes.len() {
        2 => minutes,
        0 if timed => "00",
        _ => return None,
    };
    let fits = is_number(hours, 24) && is_number(minutes, 59) && !tail.contains(char::is_alphanumeric);
    fits.then(|| format!("{hours}:{minutes}{tail}"))
}

/// `1er mai` to `1 mai`: the dictionaries make a date of that.
pub(super) fn first_of_month(text: &str) -> String {
    MOIS.iter().fold(text.to_owned(), |text, month| text.replace(&format!("1er {month}"), &format!("1 {month}")))
}

/// `il y a dix ans` with Spanish's «hace», which the first leg lets through and the second makes "ten years ago".
pub(super) fn french_ago(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("l y a ") {
        let (head, tail) = rest.split_at(at + "l y a ".len());
        let mut words = tail.split(' ').take(4).map(|word| word.trim_end_matches([',', '.', ';', ':']));
        let counts = words.next().is_some_and(|word| COUNTS.contains(&word) || is_number(word, 10_000));
        match head.strip_suffix("Il y a ").map(|kept| (kept, "Hace ")).or_else(|| head.strip_suffix("il y a ").map(|kept| (kept, "hace ")))
        {
            Some((kept, hace)) if counts && words.any(|word| UNITS.contains(&word)) => {
                out.push_str(kept);
                out.push_str(hace);
            }
            _ => out.push_str(head),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// `10.30 am`, `6pm` and `6:30 p.m.` to the 24-hour clock.
pub(super) fn english_times(text: &str) -> String {
    let tokens: Vec<&str> = text.split(' ').collect();
    let mut out: Vec<String> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let time = (1..=2)
            .rev()
            .filter(|count| at + count <= tokens.len())
            .find_map(|count| english_time(&tokens[at..at + count].concat()).map(|time| (count, time)));
        let (count, token) = time.unwrap_or_else(|| (1, tokens[at].to_owned()));
        out.push(token);
        at += count;
    }
    out.join(" ")
}

fn english_time(token: &str) -> Option<String> {
    let (hours, rest) = split_digits(token);
    let (minutes, rest) = match rest.strip_prefix([':', '.']) {
        Some(rest) => split_digits(rest),
        None => ("00", rest),
    };
    let halves = [("p.m.", 12), ("a.m.", 0), ("pm", 12), ("am", 0)];
    let (tail, half) = halves.iter().find_map(|(mark, half)| Some((rest.strip_prefix(mark)?, half)))?;
    if !is_number(hours, 12) || minutes.len() != 2 || !is_number(minutes, 59) || tail.contains(char::is_alphanumeric) {
        return None;
    }
    let hour = hours.parse::<u32>().ok().filter(|&hour| hour > 0)? % 12 + half;
    Some(format!("{hour}:{minutes}{tail}"))
}

/// `on Monday` to `Monday`: the Spanish and the French have no preposition there.
pub(super) fn on_weekday(text: &str) -> String {
    WEEKDAYS.iter().fold(text.to_owned(), |text, day| text.replace(&format!(" on {day}"), &format!(" {day}")))
}

/// In English: `the Wednesday in the morning` (from «mercredi matin») to `Wednesday morning`, and so with the evening, which
/// Spanish calls the afternoon.
pub(super) fn parts_of_days(source: &str, text: &str) -> String {
    let later = if source.contains("soir") { "evening" } else { "afternoon" };
    WEEKDAYS.iter().fold(text.to_owned(), |text, day| {
        let text = text.replace(&format!("the {day} in the morning"), &format!("{day} morning"));
        text.replace(&format!("the {day} in the afternoon"), &format!("{day} {later}"))
    })
}

/// In English: `it 4 September` (from «le 4 septembre») to `on 4 September`, `to the 18:30` to `at 18:30`.
pub(super) fn english_dates(text: &str) -> String {
    // The month that is a verb too loses its capital.
    let text = (1..=31).fold(text.to_owned(), |text, day| word::replace(&text, &format!("{day} may"), &format!("{day} May")));
    let tokens: Vec<&str> = text.split(' ').collect();
    let mut out: Vec<&str> = Vec::with_capacity(tokens.len());
    for (at, &token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).copied().unwrap_or_default();
        let date = is_number(next, 31) && tokens.get(at + 2).is_some_and(|month| MONTHS.contains(&bare(month)));
        match (token, out.last().copied()) {
            ("it", _) if date => out.push("on"),
            ("the", Some("of" | "from" | "to" | "on")) if date => {}
            ("to", _) if is_clock(next) || next == "the" && tokens.get(at + 2).is_some_and(|t| is_clock(t)) => {
                out.push("at");
            }
            ("the", Some("to" | "at")) if is_clock(next) => {}
            _ => out.push(token),
        }
    }
    out.join(" ")
}

/// In French: `en 18:30` to `à 18 h 30`.
pub(super) fn french_clock(text: &str) -> String {
    let tokens: Vec<&str> = text.split(' ').collect();
    let mut out: Vec<String> = Vec::with_capacity(tokens.len());
    for (at, &token) in tokens.iter().enumerate() {
        let clock_next = tokens.get(at + 1).is_some_and(|next| is_clock(next));
        if matches!(token, "en" | "à" | "dans") && clock_next {
            out.push("à".to_owned());
        } else if is_clock(token) && at > 0 && matches!(tokens[at - 1], "en" | "à" | "dans") {
            out.push(token.replacen(':', "\u{a0}h\u{a0}", 1));
        } else {
            out.push(token.to_owned());
        }
    }
    out.join(" ")
}

/// Whether a token is a time such as `18:30`, with or without a mark after it.
fn is_clock(token: &str) -> bool {
    let Some((hours, rest)) = token.split_once(':') else {
        return false;
    };
    let (minutes, tail) = split_digits(rest);
    is_number(hours, 24) && minutes.len() == 2 && is_number(minutes, 59) && !tail.contains(char::is_alphanumeric)
}

/// The digits that a text starts with, and the rest.
fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// Whether a text is a whole number of up to `most`.
fn is_number(text: &str, most: u32) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u32>().is_ok_and(|number| number <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_times_become_clock_times_and_durations_stay() {
        assert_eq!(french_times("à 18 h 30, puis 9h05."), "à 18:30, puis 9:05.");
        assert_eq!(french_times("vers 18 h."), "vers 18:00.");
        for text in ["pendant 24 h", "les 35 h", "à 130 km/h", "à 48 h 00", "à 18 heures", "18 h 75"] {
            assert_eq!(french_times(text), text);
        }
    }

    #[test]
    fn english_times_become_the_same_time_of_day() {
        assert_eq!(english_times("at 10:30 am, 6pm, 6.30 p.m."), "at 10:30, 18:00, 18:30");
        assert_eq!(english_times("12am 12 pm"), "0:00 12:00");
        for text in ["I am", "13 pm", "10 amps", "at 10.30", "0am"] {
            assert_eq!(english_times(text), text);
        }
    }

    #[test]
    fn years_ago_but_not_what_there_is() {
        assert_eq!(french_ago("Il y a dix ans, il y a un chat."), "Hace dix ans, il y a un chat.");
        assert_eq!(french_ago("parti il y a 2 mois"), "parti hace 2 mois");
        assert_eq!(french_ago("qu'il y a deux chats"), "qu'il y a deux chats");
    }

    #[test]
    fn dates_and_times_get_their_preposition() {
        assert_eq!(english_dates("it 4 September, to the 18:30. of the 1 May"), "on 4 September, at 18:30. of 1 May");
        assert_eq!(english_dates("it 4 men"), "it 4 men");
        assert_eq!(english_dates("strike it 1 may."), "strike on 1 May.");
        assert_eq!(french_clock("est en 10:30."), "est à 10\u{a0}h\u{a0}30.");
        assert_eq!(first_of_month("le 1er mai, le 1er homme"), "le 1 mai, le 1er homme");
        assert_eq!(on_weekday("said on Monday"), "said Monday");
    }
}
