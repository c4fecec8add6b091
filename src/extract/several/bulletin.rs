//! News-agency bulletins: reports that each start with a dateline («PARIS, 3 mars 2026 (AFP) – …»),
//! or at least titled texts between rules.

use crate::extract::draft::Draft;
use crate::extract::key::Key;
use crate::extract::plain_text::{self, is_title};
use crate::extract::{date, tail};
use crate::model::Flag;

/// How far into a line (in bytes) its dateline may reach.
const LONGEST_DATELINE: usize = 90;
/// How many lines (title, subtitle, keywords) may be above the dateline of a report.
const MOST_HEAD_LINES: usize = 4;
/// A piece without a dateline that has at most this many words is the heading of the bulletin.
const LONGEST_HEADING: usize = 25;

/// The reports of a bulletin. Returns `None` for a text with at most one dateline.
pub(super) fn drafts(text: &str) -> Option<Vec<Draft>> {
    let one_article = || vec![Draft { flags: vec![Flag::Several], ..plain_text::draft(text) }];
    if text.lines().filter(|line| is_dateline(line.trim_start())).take(2).count() < 2 {
        return has_titled_pieces(text).then(one_article);
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let datelines: Vec<usize> = (0..lines.len()).filter(|at| lines.get(*at).is_some_and(|line| is_dateline(line))).collect();
    let starts = divided(&lines, &datelines).or_else(|| titled(&lines, &datelines));
    let Some(starts) = starts else {
        return Some(one_article());
    };
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    Some(starts.iter().zip(ends).map(|(start, end)| report(lines.get(*start..end).unwrap_or_default())).collect())
}

/// Whether a line starts with a place, a date and an agency in brackets, or only with the agency.
fn is_dateline(line: &str) -> bool {
    dateline(line).is_some()
}

/// The dateline that a line starts with: it names an agency, or at least a place and a day.
fn dateline(line: &str) -> Option<&str> {
    let head = line.get(..line.floor_char_boundary(LONGEST_DATELINE)).unwrap_or(line);
    by_agency(line, head).or_else(|| by_day(head))
}

/// A dateline such as «PARIS, 3 mars –» or «Paris, le 3 mars 2026 -».
fn by_day(head: &str) -> Option<&str> {
    let end = [" - ", " – ", " — "].iter().filter_map(|dash| head.find(dash)).min()?;
    let dateline = head.get(..end)?;
    let (place, day) = dateline.split_once(',')?;
    let is_place = place.starts_with(char::is_uppercase) && place.split(' ').count() <= 4;
    // Any year makes a date of a day.
    let is_day =
        day.split_whitespace().count() <= 4 && date::find(&format!("{day} 2000"), true).is_some_and(|found| found.before.trim().len() <= 3);
    (is_place && is_day).then_some(dateline)
}

fn by_agency<'a>(line: &str, head: &'a str) -> Option<&'a str> {
    let open = head.find('(')?;
    let close = open + head.get(open..)?.find(')')?;
    let right = line.get(close + 1..)?.trim_start().starts_with(['-', '–', '—', ':', '.']);
    let before = head.get(..open)?;
    let is_place = before.trim().is_empty() || before.starts_with(char::is_uppercase);
    (right && is_place && !before.contains(['.', '!', '?', '«', '"']) && tail::is_agency(head.get(open + 1..close)?))
        .then(|| head.get(..close + 1).unwrap_or(head))
}

/// Whether rules divide a text into pieces that each have a title and a text. A column may be divided by
/// stars, and headings may be underlined.
fn has_titled_pieces(text: &str) -> bool {
    let is_rule = |line: &str| line.len() >= 5 && line.trim().chars().all(|c| matches!(c, '-' | '=' | '_' | '#')) && line.trim().len() >= 5;
    if text.lines().filter(|line| is_rule(line)).take(1).count() == 0 {
        return false;
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_piece = |piece: &[&str]| {
        let filled: Vec<&str> = piece.iter().copied().filter(|line| !line.is_empty()).collect();
        let words: usize = filled.iter().skip(1).map(|line| line.split_whitespace().count()).sum();
        words > LONGEST_HEADING && filled.first().is_some_and(|line| is_title(line))
    };
    let pieces: Vec<&[&str]> = lines.split(|line| is_rule(line)).filter(|piece| piece.iter().any(|line| !line.is_empty())).collect();
    pieces.len() > 1 && pieces.iter().all(|piece| is_piece(piece))
}

/// Whether a line only divides: «-----», «***», «NNNN».
fn is_divider(line: &str) -> bool {
    let is_rule = line.len() >= 3 && line.chars().all(|c| matches!(c, '-' | '=' | '_' | '*' | '+' | '#' | '~' | '–' | '—' | '•' | ' '));
    is_rule || matches!(line, "NNNN" | "ZCZC")
}

/// Where the reports start if there are dividers between all of them.
fn divided(lines: &[&str], datelines: &[usize]) -> Option<Vec<usize>> {
    let mut starts = Vec::new();
    let mut start = 0;
    for end in (0..=lines.len()).filter(|at| lines.get(*at).is_none_or(|line| is_divider(line))) {
        let piece = lines.get(start..end).unwrap_or_default();
        let place = |line: usize| datelines.partition_point(|at| *at < line);
        let inside = datelines.get(place(start)..place(end)).unwrap_or_default();
        let words: usize = piece.iter().map(|line| line.split_whitespace().count()).sum();
        match inside {
            [one] => {
                let above = lines.get(start..*one).unwrap_or_default();
                if above.iter().filter(|line| !line.is_empty()).count() > MOST_HEAD_LINES {
                    return None;
                }
                starts.push(start);
            }
            [] if words <= LONGEST_HEADING => {}
            _ => return None,
        }
        start = end + 1;
    }
    (starts.len() == datelines.len()).then_some(starts)
}

/// Where the reports start if each has a title right above its dateline, and nothing else divides the text.
fn titled(lines: &[&str], datelines: &[usize]) -> Option<Vec<usize>> {
    if lines.iter().filter(|line| is_divider(line)).count() > 1 {
        return None;
    }
    let title_above = |dateline: &usize| {
        let title = (0..*dateline).rev().find(|at| lines.get(*at).is_some_and(|line| !line.is_empty()))?;
        let before = title.checked_sub(1).and_then(|at| lines.get(at));
        // A paragraph may also lack its full stop; the blank line shows that this is not the end of
        // one.
        let stands_alone = before.is_none_or(|line| line.is_empty());
        lines.get(title).filter(|line| is_title(line) && stands_alone && !is_dateline(line)).map(|_| title)
    };
    let starts: Vec<usize> = datelines.iter().map(title_above).collect::<Option<_>>()?;
    let heading: usize = lines.get(..*starts.first()?)?.iter().map(|line| line.split_whitespace().count()).sum();
    (heading <= LONGEST_HEADING).then_some(starts)
}

/// The article of a report.
fn report(lines: &[&str]) -> Draft {
    let head = lines.iter().position(|line| is_dateline(line)).unwrap_or(0);
    let kept = lines.iter().enumerate().filter(|(at, line)| !(is_divider(line) || *at < head && line.starts_with("ZCZC")));
    let text: Vec<&str> = kept.map(|(_, line)| *line).collect();
    let dated = lines.get(head).and_then(|line| dateline(line)).filter(|dateline| date::find(dateline, true).is_some());
    let draft = plain_text::draft(text.join("\n").trim());
    Draft { key: Key::Content, title: draft.title.as_deref().map(without_number), published: dated.map(str::to_owned), ..draft }
}

/// A title without its number in the bulletin: «3. La digue».
fn without_number(title: &str) -> String {
    let rest = title.trim_start_matches(|c: char| c.is_ascii_digit());
    // A longer number is a year.
    let digits = title.len() - rest.len();
    let bare = rest.strip_prefix(['.', ')', '/']).filter(|bare| (1..=2).contains(&digits) && bare.starts_with(' '));
    bare.unwrap_or(title).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(place: &str) -> String {
        format!("{place}, 3 mars 2026 (AFP) - Le conseil municipal a voté mardi le budget.\n\nLa maire a salué ce vote.")
    }

    fn titles(text: &str) -> Vec<String> {
        drafts(text).unwrap().into_iter().map(|draft| draft.title.unwrap_or_default()).collect()
    }

    #[test]
    fn reports_that_are_divided_or_titled_are_articles() {
        let (one, two) = (report("LYON"), report("PARIS"));
        for text in [
            format!("Le budget de Lyon\n\n{one}\n\n-----\n\nCelui de Paris\n{two}\n"),
            format!("BULLETIN DU 3 MARS\n\n***\nLe budget de Lyon\n{one}\nNNNN\nZCZC\nCelui de Paris\n{two}\nNNNN"),
            format!("Le budget de Lyon\n\n{one}\n\nCelui de Paris\n\n{two}"),
            format!("Bulletin\n\nLe budget de Lyon\n{one}\n\nCelui de Paris\n{two}").replace("(AFP) -", "(ats/afp) –"),
            format!("Le budget de Lyon\n{one}\n====\nCelui de Paris\n{two}").replace(" (AFP)", ""),
        ] {
            assert_eq!(titles(&text), ["Le budget de Lyon", "Celui de Paris"], "{text}");
            let drafts = drafts(&text).unwrap();
            assert!(drafts.iter().all(|draft| draft.body.ends_with("ce vote.") && draft.flags.is_empty()), "{drafts:?}");
            assert_eq!(drafts[1].published.as_deref().and_then(|date| date::parse(date, true)).as_deref(), Some("2026-03-03"));
        }
    }

    #[test]
    fn reports_that_run_into_each_other_are_one_article_with_a_flag() {
        let undated = "---\nLa digue\n\nSelon les services techniques, la rénovation de la digue coûtera à elle seule sept millions d'euros, répartis sur quatre exercices, a dit la maire de la ville.\n---";
        for between in ["", undated] {
            let drafts = drafts(&format!("Le budget\n\n{}\n\n{between}\n\n{}", report("LYON"), report("PARIS"))).unwrap();
            assert_eq!((drafts.len(), drafts[0].flags.as_slice()), (1, &[Flag::Several][..]), "{between}");
        }
    }

    #[test]
    fn titled_texts_between_rules_are_flagged() {
        let text = "Le conseil municipal a voté mardi le budget. ".repeat(5);
        let flagged = drafts(&format!("Le budget\n\n{text}\n\n----------\n\nLa digue\n\n{text}")).unwrap();
        assert_eq!((flagged.len(), flagged[0].flags.as_slice()), (1, &[Flag::Several][..]));
        for ordinary in [
            format!("Titre\n\n{text}\n\n* * *\n\nSuite\n{text}"),
            format!("Titre\n=====\n\n{text}\n\nInter\n-----\n{text}"),
            format!("Titre\n{text}\n-----\n{text}"),
        ] {
            assert_eq!(drafts(&ordinary), None, "{ordinary}");
        }
    }

    #[test]
    fn a_title_loses_its_number() {
        for (title, bare) in [
            ("3. La digue", "La digue"),
            ("12) La digue", "La digue"),
            ("3 morts à Lyon", "3 morts à Lyon"),
            ("2026. Un an", "2026. Un an"),
            ("3.5 % de hausse", "3.5 % de hausse"),
        ] {
            assert_eq!(without_number(title), bare);
        }
    }

    #[test]
    fn a_text_with_one_dateline_is_ordinary() {
        for text in
            [report("LYON"), "Un.\n\n-----\n\nDeux (AFP) - trois.\n".to_owned(), "Il a dit (sic) - oui.\nPuis (non) - rien.".to_owned()]
        {
            assert_eq!(drafts(&text), None, "{text}");
        }
    }
}
