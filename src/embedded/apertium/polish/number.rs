//! Numbers from one language's writing to the other's. A number that is not clearly written the source's way stays.

/// `2 000,5` to `2,000.5` and `12,5 %` to `12.5%`.
pub(super) fn english_from_french(text: &str) -> String {
    let text = clusters(text, is_french_joint, french_cluster);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '%' && out.ends_with(' ') && out.trim_end().ends_with(|c: char| c.is_ascii_digit()) {
            out.truncate(out.trim_end().len());
        }
        out.push(c);
    }
    out
}

/// `2,000.5` to `2 000,5`, with no-break spaces, where `source` has the number too and not as a time (`at 6.30`).
pub(super) fn french_from_english(source: &str, text: &str) -> String {
    clusters(
        text,
        |c| matches!(c, ',' | '.'),
        |number| {
            let known = source.contains(number) && !source.contains(&format!("at {number}"));
            english_number(number).filter(|_| known)
        },
    )
}

/// Rewrites every run of digits and joints (a joint stands between two digits) that `convert` knows and that is no part
/// of a word.
fn clusters(text: &str, is_joint: fn(char) -> bool, convert: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = cluster_end(rest, is_joint);
        let (cluster, next) = rest.split_at(end);
        let glued = out.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | ',' | '/' | '-' | ':' | '_'));
        match convert(cluster).filter(|_| !glued) {
            Some(converted) => out.push_str(&converted),
            None => out.push_str(cluster),
        }
        rest = next;
    }
    out.push_str(rest);
    out
}

/// Where the cluster that `text` starts with ends.
fn cluster_end(text: &str, is_joint: fn(char) -> bool) -> usize {
    let bytes = text.as_bytes();
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let digit_follows = bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        if !(c.is_ascii_digit() || is_joint(c) && digit_follows) {
            break;
        }
        end = at + 1;
    }
    end
}

fn is_french_joint(c: char) -> bool {
    matches!(c, ' ' | ',' | '.')
}

/// A run of numbers as a French text has them; none if one of them could be read in two ways.
fn french_cluster(cluster: &str) -> Option<String> {
    if let Some(number) = grouped(cluster, ' ', ',') {
        return Some(write(&number, ",", "."));
    }
    // Not one number: a year and a share («en 2012 12,5 %»), a telephone number. Only decimals are safe there.
    let groups: Vec<&str> = cluster.split(' ').collect();
    if groups.len() > 1 && groups.iter().skip(1).any(|group| whole(group).len() == 3) {
        return None;
    }
    let converted: Vec<String> =
        groups.iter().map(|group| decimal(group, ',').map_or_else(|| (*group).to_owned(), |number| write(&number, "", "."))).collect();
    Some(converted.join(" "))
}

/// One number as an English text has it.
fn english_number(number: &str) -> Option<String> {
    let parts = grouped(number, ',', '.').or_else(|| decimal(number, '.'))?;
    Some(write(&parts, "\u{a0}", ","))
}

/// The groups of a whole number, and its decimals.
type Parts<'a> = (Vec<&'a str>, Option<&'a str>);

/// A number in groups of three digits, perhaps with decimals.
fn grouped(number: &str, group: char, point: char) -> Option<Parts<'_>> {
    let (whole, decimals) = match number.split_once(point) {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (number, None),
    };
    let groups: Vec<&str> = whole.split(group).collect();
    let (first, others) = groups.split_first()?;
    let fits = (1..=3).contains(&first.len()) && !others.is_empty() && others.iter().all(|group| group.len() == 3);
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let clean = groups.iter().all(|group| digits(group)) && decimals.is_none_or(digits) && !first.starts_with('0');
    (fits && clean).then_some((groups, decimals))
}

/// A number without groups but with decimals.
fn decimal(number: &str, point: char) -> Option<Parts<'_>> {
    let (whole, decimals) = number.split_once(point)?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(decimals)).then(|| (vec![whole], Some(decimals)))
}

fn write((groups, decimals): &Parts<'_>, group: &str, point: &str) -> String {
    let whole = groups.join(group);
    decimals.map_or_else(|| whole.clone(), |decimals| format!("{whole}{point}{decimals}"))
}

fn whole(number: &str) -> &str {
    number.split([',', '.']).next().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn french_numbers_are_written_the_english_way() {
        for (french, english) in [
            ("12,5 % de 2 000 euros", "12.5% de 2,000 euros"),
            ("2 000 000,25", "2,000,000.25"),
            ("de 3,2 à 4,5", "de 3.2 à 4.5"),
            ("0,7 point", "0.7 point"),
            ("en 2012 12,5 %", "en 2012 12.5%"),
            ("75 000 dont 1,5", "75,000 dont 1.5"),
        ] {
            assert_eq!(english_from_french(french), english);
        }
    }

    #[test]
    fn what_is_not_clearly_a_number_stays() {
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
            assert_eq!(english_from_french(text), text);
        }
        for text in ["1.2.3", "10.30pm, at 6.30", "12,13", "2012", "1,50,000", "x1.5"] {
            let same = text.replace("10.30pm", "10:30pm");
            assert_eq!(french_from_english(&same, &same), same);
        }
    }

    #[test]
    fn english_numbers_are_written_the_french_way() {
        let french = |text: &str| french_from_english(text, text);
        assert_eq!(french("2,000.5 and 12.5%"), "2\u{a0}000,5 and 12,5%");
        assert_eq!(french("1,500,000"), "1\u{a0}500\u{a0}000");
        assert_eq!(french_from_english("other", "12.5"), "12.5");
    }

    proptest! {
        #[test]
        fn the_digits_are_never_touched(text in "[0-9 .,%a/-]{0,40}") {
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            prop_assert_eq!(digits(&english_from_french(&text)), digits(&text));
            prop_assert_eq!(digits(&french_from_english(&text, &text)), digits(&text));
        }

        #[test]
        fn a_number_keeps_its_value_both_ways(whole in 0_u32..2_000_000_000, cents in 0_u32..100) {
            let mut groups = whole.to_string();
            let mut at = groups.len();
            while at > 3 { at -= 3; groups.insert(at, ','); }
            let english = format!("{groups}.{cents:02}");
            let french = french_from_english(&english, &english);
            prop_assert_eq!(english_from_french(&french.replace('\u{a0}', " ")), english);
        }
    }
}
