//! Dates as articles write them, to ISO 8601.

const MONTHS: &[(&str, u8)] = &[
    ("janv", 1),
    ("jan", 1),
    ("févr", 2),
    ("fevr", 2),
    ("fév", 2),
    ("feb", 2),
    ("mars", 3),
    ("mar", 3),
    ("avr", 4),
    ("apr", 4),
    ("mai", 5),
    ("may", 5),
    ("juin", 6),
    ("jun", 6),
    ("juil", 7),
    ("jul", 7),
    ("août", 8),
    ("aout", 8),
    ("aug", 8),
    ("sept", 9),
    ("sep", 9),
    ("oct", 10),
    ("nov", 11),
    ("déc", 12),
    ("dec", 12),
];

/// The date in `text`, as `YYYY-MM-DD` or with its time and zone where those are given in ISO 8601 or as in e-mails. Understands
/// French and English dates written out («mardi 17 avril 2026», `April 17, 2026`). None where there is no certain date.
pub(super) fn parse(text: &str) -> Option<String> {
    let text = text.trim();
    iso(text).or_else(|| mail(text)).or_else(|| written(text))
}

fn iso(text: &str) -> Option<String> {
    let zoned = text.replacen(' ', "T", 1);
    if let Ok(moment) = jiff::fmt::temporal::DateTimeParser::new().parse_timestamp(&zoned) {
        let offset = jiff::fmt::temporal::Pieces::parse(zoned.as_str()).ok().and_then(|pieces| pieces.to_numeric_offset());
        return Some(offset.map_or_else(|| moment.to_string(), |offset| moment.display_with_offset(offset).to_string()));
    }
    if let Ok(moment) = zoned.parse::<jiff::civil::DateTime>() {
        return Some(if zoned.contains('T') { moment.to_string() } else { moment.date().to_string() });
    }
    None
}

fn mail(text: &str) -> Option<String> {
    let moment = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(moment.timestamp().display_with_offset(moment.offset()).to_string())
}

/// A day's number, a month's name and a year, in either order of the first two.
fn written(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.windows(3).find_map(|window| {
        let [first, second, third] = window else { return None };
        let year: i16 = third.parse().ok().filter(|year| (1900..2200).contains(year))?;
        let (month, day) = month(second).zip(day(first)).or_else(|| month(first).zip(day(second)))?;
        jiff::civil::Date::new(year, i8::try_from(month).ok()?, day).ok().map(|date| date.to_string())
    })
}

fn month(word: &str) -> Option<u8> {
    let word = word.to_lowercase();
    MONTHS.iter().find(|(start, _)| word.starts_with(start)).map(|(_, number)| *number)
}

fn day(word: &str) -> Option<i8> {
    let digits = word.trim_end_matches("er").trim_end_matches("st").trim_end_matches("nd").trim_end_matches("rd").trim_end_matches("th");
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_out_in_iso_8601() {
        for (written, iso) in [
            ("2026-11-13T08:00:00+01:00", "2026-11-13T08:00:00+01:00"),
            ("2026-11-13 08:00:00", "2026-11-13T08:00:00"),
            ("2026-11-13T07:00:00Z", "2026-11-13T07:00:00+00:00"),
            ("2026-11-13", "2026-11-13"),
            ("Fri, 13 Nov 2026 08:00:00 +0100", "2026-11-13T08:00:00+01:00"),
            ("Publié le vendredi 13 novembre 2026 à 8 h 30", "2026-11-13"),
            ("1er août 2026", "2026-08-01"),
            ("April 17th, 2026", "2026-04-17"),
        ] {
            assert_eq!(parse(written).as_deref(), Some(iso), "{written}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for written in ["", "hier", "31 février 2026", "13/11/26", "en mars 2026"] {
            assert_eq!(parse(written), None, "{written}");
        }
    }
}
