//! Clock times: Apertium passes `18:30` unchanged, but neither `18 h 30` nor `6.30 p.m.`.

/// Words after which `18 h` without minutes is a time of day, not a duration.
const BEFORE_TIME: [&str; 6] = ["à", "vers", "dès", "avant", "après", "jusqu'à"];

/// In French: `18 h 30` and `18h30` become `18:30`, and `à 18 h` becomes `à 18:00`.
pub(super) fn from_french(text: &str) -> String {
    replace_times(text, 3, french_time)
}

/// In English: `10.30 am`, `6pm` and `6:30 p.m.` become times of the 24-hour clock.
pub(super) fn from_english(text: &str) -> String {
    replace_times(text, 2, |token, _| english_time(token))
}

/// In English: `to 18:30` becomes `at 18:30`.
pub(super) fn to_english(text: &str) -> String {
    fix_preposition(text, &["to"], "at", str::to_owned)
}

/// In French: `en 18:30` becomes `à 18 h 30`, with no-break spaces.
pub(super) fn to_french(text: &str) -> String {
    fix_preposition(text, &["en", "à", "dans"], "à", |clock| clock.replacen(':', "\u{a0}h\u{a0}", 1))
}

/// Replaces every time that `parse` recognises in up to `longest` tokens; `parse` gets the token
/// before it too.
fn replace_times(text: &str, longest: usize, parse: impl Fn(&str, &str) -> Option<String>) -> String {
    let mut rest: &[&str] = &text.split(' ').collect::<Vec<_>>();
    let mut out: Vec<String> = Vec::with_capacity(rest.len());
    while let [first, ..] = rest {
        let previous = out.last().map_or("", String::as_str);
        let time = (1..=longest).rev().find_map(|count| Some((parse(&rest.get(..count)?.concat(), previous)?, count)));
        let (token, count) = time.unwrap_or_else(|| ((*first).to_owned(), 1));
        out.push(token);
        rest = rest.get(count..).unwrap_or_default();
    }
    out.join(" ")
}

fn french_time(token: &str, previous: &str) -> Option<String> {
    let (hours, rest) = token.split_once('h')?;
    let (minutes, tail) = split_digits(rest);
    let timed = minutes.is_empty() && BEFORE_TIME.contains(&previous.to_lowercase().as_str());
    let minutes = if timed { "00" } else { minutes };
    let valid = is_time(hours, minutes) && !tail.contains(char::is_alphanumeric);
    valid.then(|| format!("{hours}:{minutes}{tail}"))
}

fn english_time(token: &str) -> Option<String> {
    let (hours, rest) = split_digits(token);
    let (minutes, rest) = rest.strip_prefix([':', '.']).map_or(("00", rest), split_digits);
    let halves = [("p.m.", 12), ("a.m.", 0), ("pm", 12), ("am", 0)];
    let (tail, half) = halves.iter().find_map(|(mark, half)| Some((rest.strip_prefix(mark)?, half)))?;
    let hour = hours.parse::<u32>().ok().filter(|hour| (1..=12).contains(hour))? % 12 + half;
    let valid = is_time(hours, minutes) && !tail.contains(char::is_alphanumeric);
    valid.then(|| format!("{hour}:{minutes}{tail}"))
}

/// Gives a clock time the preposition `right` instead of one in `wrong`. The end of a range (`18:30
/// to 19:00`) stays.
fn fix_preposition(text: &str, wrong: &[&str], right: &str, write: impl Fn(&str) -> String) -> String {
    let mut out: Vec<String> = Vec::new();
    for token in text.split(' ') {
        match out.as_slice() {
            [.., start, _] if is_clock(start) => out.push(token.to_owned()),
            [.., last] if is_clock(token) && wrong.contains(&last.as_str()) => {
                out.pop();
                out.extend([right.to_owned(), write(token)]);
            }
            _ => out.push(token.to_owned()),
        }
    }
    out.join(" ")
}

/// Whether a token is a time such as `18:30`, possibly with punctuation after it.
fn is_clock(token: &str) -> bool {
    token.split_once(':').is_some_and(|(hours, rest)| {
        let (minutes, tail) = split_digits(rest);
        is_time(hours, minutes) && !tail.contains(char::is_alphanumeric)
    })
}

fn is_time(hours: &str, minutes: &str) -> bool {
    let up_to = |digits: &str, most: u32| split_digits(digits).1.is_empty() && digits.parse::<u32>().is_ok_and(|number| number <= most);
    up_to(hours, 24) && minutes.len() == 2 && up_to(minutes, 59)
}

/// The digits at the start of a text, and the rest.
fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_times_become_clock_times_and_durations_stay() {
        assert_eq!(from_french("à 18 h 30, puis 9h05."), "à 18:30, puis 9:05.");
        assert_eq!(from_french("vers 18 h."), "vers 18:00.");
        for text in ["pendant 24 h", "les 35 h", "à 130 km/h", "à 48 h 00", "à 18 heures", "18 h 75", ""] {
            assert_eq!(from_french(text), text);
        }
    }

    #[test]
    fn english_times_move_to_the_24_hour_clock() {
        assert_eq!(from_english("at 10:30 am, 6pm, 6.30 p.m."), "at 10:30, 18:00, 18:30");
        assert_eq!(from_english("12am 12 pm"), "0:00 12:00");
        for text in ["I am", "13 pm", "10 amps", "at 10.30", "0am"] {
            assert_eq!(from_english(text), text);
        }
    }

    #[test]
    fn clock_times_get_their_preposition() {
        assert_eq!(to_english("it leaves to 18:30."), "it leaves at 18:30.");
        assert_eq!(to_english("from 18:30 to 20:00"), "from 18:30 to 20:00");
        assert_eq!(to_french("est en 10:30."), "est à 10\u{a0}h\u{a0}30.");
    }
}
