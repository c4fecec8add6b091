//! Numbers, rewritten from one language's notation to the other's. An ambiguous number stays as it
//! is.

/// In French: `2 000,5` becomes `2,000.5`.
pub(super) fn to_english(text: &str) -> String {
    replace_numbers(text, &[' ', ',', '.'], french_numbers)
}

/// In English: `2,000.5` becomes `2 000,5`, with no-break spaces. Only numbers that `source` has
/// too are rewritten, and no times (`at 6.30`).
pub(super) fn to_french(source: &str, text: &str) -> String {
    replace_numbers(text, &[',', '.'], |number| {
        let known = source.contains(number) && !source.contains(&format!("at {number}"));
        let parsed = grouped(number, ',', '.').or_else(|| decimal(number, '.')).filter(|_| known)?;
        Some(parsed.write("\u{a0}", ","))
    })
}

/// In English: `£31 million` becomes `31 million pounds`. Apertium moves a mark before a number to
/// another word of the sentence.
pub(super) fn name_currencies(text: &str) -> String {
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    for at in (0..words.len()).rev() {
        let Some((amount, name)) = amount(&words[at]) else { continue };
        let scale = words.get(at + 1).is_some_and(|next| SCALES.contains(&next.trim_end_matches(PUNCTUATION)));
        let last = if scale { at + 1 } else { at };
        words[at] = amount;
        // Before the punctuation after it.
        let end = words[last].trim_end_matches(PUNCTUATION).len();
        words[last].insert_str(end, &format!(" {name}"));
    }
    words.join(" ")
}

const SCALES: &[&str] = &["thousand", "million", "billion"];
/// The characters that may follow an amount without a space.
const PUNCTUATION: [char; 8] = [',', '.', ';', ':', '!', '?', ')', '"'];

/// The number of an amount with its punctuation, and the name of the currency whose mark is before it.
fn amount(word: &str) -> Option<(String, &'static str)> {
    let (mark, name) = [('£', "pounds"), ('$', "dollars")].into_iter().find(|(mark, _)| word.contains(*mark))?;
    let (before, number) = word.split_once(mark)?;
    let digits = number.trim_end_matches(PUNCTUATION);
    let is_number =
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.'));
    (is_number && matches!(before, "" | "(" | "\"")).then(|| (format!("{before}{number}"), name))
}

/// Rewrites every run of digits and separators with `convert`, except inside words, dates and
/// codes.
fn replace_numbers(text: &str, separators: &[char], convert: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let digit_follows = |at: usize| rest[at..].chars().nth(1).is_some_and(|c| c.is_ascii_digit());
        let inside = |at: usize, c: char| c.is_ascii_digit() || separators.contains(&c) && digit_follows(at);
        let end = rest.char_indices().find(|&(at, c)| !inside(at, c)).map_or(rest.len(), |(at, _)| at);
        let (run, next) = rest.split_at(end);
        let attached = out.ends_with(|c: char| c.is_alphanumeric() || ".,/-:_".contains(c));
        match convert(run).filter(|_| !attached) {
            Some(converted) => out.push_str(&converted),
            None => out.push_str(run),
        }
        rest = next;
    }
    out.push_str(rest);
    out
}

/// Rewrites the numbers of a run in French notation; `None` if the run is ambiguous.
fn french_numbers(run: &str) -> Option<String> {
    if let Some(number) = grouped(run, ' ', ',') {
        return Some(number.write(",", "."));
    }
    // Several numbers: a year and a percentage («en 2012 12,5 %»), a telephone number. Only the
    // decimals are safe to rewrite, and nothing is if a group of three digits may belong to the
    // number before it.
    let numbers: Vec<&str> = run.split(' ').collect();
    let whole_length = |number: &str| number.find([',', '.']).unwrap_or(number.len());
    if numbers.iter().skip(1).any(|number| whole_length(number) == 3) {
        return None;
    }
    let convert = |number: &&str| decimal(number, ',').map_or_else(|| (*number).to_owned(), |parsed| parsed.write("", "."));
    Some(numbers.iter().map(convert).collect::<Vec<_>>().join(" "))
}

/// The parts of a written number.
struct Number<'a> {
    groups: Vec<&'a str>,
    decimals: Option<&'a str>,
}

impl Number<'_> {
    fn write(&self, group: &str, point: &str) -> String {
        let whole = self.groups.join(group);
        self.decimals.map_or_else(|| whole.clone(), |decimals| format!("{whole}{point}{decimals}"))
    }
}

/// Parses a number in groups of three digits, with or without decimals.
fn grouped(number: &str, group: char, point: char) -> Option<Number<'_>> {
    let (whole, decimals) = number.split_once(point).map_or((number, None), |(whole, decimals)| (whole, Some(decimals)));
    let groups: Vec<&str> = whole.split(group).collect();
    let (first, others) = groups.split_first()?;
    let fits = first.len() <= 3 && !first.starts_with('0') && !others.is_empty() && others.iter().all(|group| group.len() == 3);
    let clean = groups.iter().copied().chain(decimals).all(is_digits);
    (fits && clean).then_some(Number { groups, decimals })
}

/// Parses a number without groups but with decimals.
fn decimal(number: &str, point: char) -> Option<Number<'_>> {
    let (whole, decimals) = number.split_once(point)?;
    (is_digits(whole) && is_digits(decimals)).then(|| Number { groups: vec![whole], decimals: Some(decimals) })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn currencies_are_named_after_their_amounts() {
        for (english, named) in [
            ("It will cost £31 million a year.", "It will cost 31 million pounds a year."),
            ("It costs $250.", "It costs 250 dollars."),
            ("(£1.2 billion, he said)", "(1.2 billion pounds, he said)"),
            ("It costs £12m, A$5 and US$3.", "It costs £12m, A$5 and US$3."),
        ] {
            assert_eq!(name_currencies(english), named);
        }
    }

    #[test]
    fn french_numbers_become_english() {
        for (french, english) in [
            ("12,5 % de 2 000 euros", "12.5 % de 2,000 euros"),
            ("2 000 000,25", "2,000,000.25"),
            ("de 3,2 à 4,5", "de 3.2 à 4.5"),
            ("0,7 point", "0.7 point"),
            ("en 2012 12,5 %", "en 2012 12.5 %"),
            ("75 000 dont 1,5", "75,000 dont 1.5"),
        ] {
            assert_eq!(to_english(french), english);
        }
    }

    #[test]
    fn ambiguous_numbers_stay() {
        for text in [
            "en 2019 300 personnes",
            "01 42 33 44 55",
            "1,2,3",
            "3-1",
            "17/04/2012",
            "A380 500",
            "01 42 333 444",
            "12 345 67",
            "192.168.1.1",
            "v1.2,3",
            "1.500 euros",
        ] {
            assert_eq!(to_english(text), text);
        }
        for text in ["1.2.3", "10:30pm, at 6.30", "12,13", "2012", "1,50,000", "x1.5"] {
            assert_eq!(to_french(text, text), text);
        }
    }

    #[test]
    fn english_numbers_become_french() {
        let french = |text: &str| to_french(text, text);
        assert_eq!(french("2,000.5 and 12.5%"), "2\u{a0}000,5 and 12,5%");
        assert_eq!(french("1,500,000"), "1\u{a0}500\u{a0}000");
        assert_eq!(to_french("other", "12.5"), "12.5");
    }

    proptest! {
        #[test]
        fn digits_never_change(text in "[0-9 .,%a/é-]{0,40}") {
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            prop_assert_eq!(digits(&to_english(&text)), digits(&text));
            prop_assert_eq!(digits(&to_french(&text, &text)), digits(&text));
        }

        #[test]
        fn a_number_keeps_its_value_both_ways(whole in 0_u32..2_000_000_000, cents in 0_u32..100) {
            let mut groups = whole.to_string();
            let mut at = groups.len();
            while at > 3 { at -= 3; groups.insert(at, ','); }
            let english = format!("{groups}.{cents:02}");
            let french = to_french(&english, &english);
            prop_assert_eq!(to_english(&french.replace('\u{a0}', " ")), english);
        }
    }
}
