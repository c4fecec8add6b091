//! Finds the message that a message forwards.

use crate::extract::word_count::count_words;
use crate::model::{fold, one_line};

/// Words of the line above a forwarded message.
const MARKS: &[&str] = &[
    "forwarded message",
    "begin forwarded message",
    "message transféré",
    "message transmis",
    "message réexpédié",
    "message d'origine",
    "original message",
];
/// The fields above the text of a forwarded message.
const FIELDS: &[(&str, Field)] = &[
    ("de", Field::From),
    ("from", Field::From),
    ("date", Field::Date),
    ("envoyé", Field::Date),
    ("envoyé le", Field::Date),
    ("sent", Field::Date),
    ("objet", Field::Subject),
    ("sujet", Field::Subject),
    ("subject", Field::Subject),
    ("à", Field::Other),
    ("to", Field::Other),
    ("cc", Field::Other),
    ("cci", Field::Other),
    ("bcc", Field::Other),
    ("reply-to", Field::Other),
    ("répondre à", Field::Other),
    ("importance", Field::Other),
    ("pour", Field::Other),
];
/// The most lines from the mark to the last field.
const MOST_FIELD_LINES: usize = 14;
/// How many forwarded messages may be nested.
const MAX_DEPTH: usize = 5;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    From,
    Date,
    Subject,
    Other,
}

/// A forwarded message. Fields that its header does not have are `None`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Forwarded {
    pub(super) text: String,
    pub(super) from: Option<String>,
    pub(super) date: Option<String>,
    pub(super) subject: Option<String>,
}

/// The innermost message that a text forwards. Returns `None` if it forwards none, or if most of the text is
/// above it, as in a reply.
pub(super) fn forwarded(text: &str) -> Option<Forwarded> {
    let mut found = inner(text)?;
    for _ in 1..MAX_DEPTH {
        let Some(deeper) = inner(&found.text) else { break };
        found = Forwarded {
            from: deeper.from.or(found.from),
            date: deeper.date.or(found.date),
            subject: deeper.subject.or(found.subject),
            ..deeper
        };
    }
    Some(found)
}

fn inner(text: &str) -> Option<Forwarded> {
    let lines: Vec<&str> = text.lines().map(|line| line.trim_start_matches(['>', ' ']).trim_end()).collect();
    let mark = lines.iter().position(|line| is_mark(line));
    let header = mark.map_or_else(|| (0..lines.len()).find(|at| is_header(&lines, *at)), |mark| Some(mark + 1))?;
    let (fields, end) = fields(&lines, header);
    // A mark without a header is only a line of text. A header without a mark must be complete.
    if fields.is_empty() {
        return None;
    }
    let body = unquoted(text, end);
    let above = lines.get(..mark.unwrap_or(header)).unwrap_or_default().join("\n");
    if count_words(&above) > count_words(&body) {
        return None;
    }
    let field = |wanted: Field| {
        fields.iter().find(|(field, _)| *field == wanted).map(|(_, value)| one_line(value)).filter(|value| !value.is_empty())
    };
    Some(Forwarded {
        text: body,
        from: field(Field::From).map(|from| name(&from)),
        date: field(Field::Date),
        subject: field(Field::Subject),
    })
}

fn is_mark(line: &str) -> bool {
    let folded = fold(line);
    let bare = folded.trim_matches(|c: char| matches!(c, '-' | '_' | '=' | ' ' | ':' | '*'));
    bare.len() < 60 && MARKS.iter().any(|mark| bare == *mark || bare.ends_with(mark) && bare.starts_with("début d"))
}

/// Whether the fields that Outlook writes without a mark start at this line: sender, date and
/// subject.
fn is_header(lines: &[&str], at: usize) -> bool {
    let starts = lines.get(at).and_then(|line| field(line)).is_some_and(|(field, _)| field == Field::From);
    let all = || {
        let (found, _) = fields(lines, at);
        [Field::From, Field::Date, Field::Subject].iter().all(|wanted| found.iter().any(|(field, _)| field == wanted))
    };
    starts && all()
}

/// The field that a line holds. Mail programs may write its name in bold.
fn field(line: &str) -> Option<(Field, String)> {
    let plain = line.replace('*', "");
    let (name, value) = plain.split_once(':')?;
    let name = fold(name.trim());
    FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| (*field, value.trim().to_owned()))
}

/// The fields from a line on, and the line where the text starts.
fn fields(lines: &[&str], start: usize) -> (Vec<(Field, String)>, usize) {
    let mut found: Vec<(Field, String)> = Vec::new();
    let mut at = start;
    let mut end = start;
    while let Some(line) = lines.get(at).filter(|_| at < start + MOST_FIELD_LINES) {
        match (field(line), found.last_mut()) {
            (Some(field), _) => {
                found.push(field);
                end = at + 1;
            }
            // A long list of receivers goes on in the next line.
            (None, Some((Field::Other, value))) if !line.is_empty() && at == end && line.contains('@') => {
                value.push_str(line);
                end = at + 1;
            }
            (None, _) if line.is_empty() => {
                // HTML as text may have blank lines between fields.
                let next = lines.get(at + 1).and_then(|next| field(next));
                if !found.is_empty() && next.is_none() {
                    break;
                }
            }
            (None, _) => break,
        }
        at += 1;
    }
    (found, end)
}

/// The text from a line on, without the marks of a quotation if all of it is quoted.
fn unquoted(text: &str, from: usize) -> String {
    let lines: Vec<&str> = text.lines().skip(from).collect();
    let is_quoted = lines.iter().filter(|line| !line.trim().is_empty()).all(|line| line.starts_with('>'));
    let plain = |line: &&str| {
        if is_quoted { line.strip_prefix('>').map_or(*line, |rest| rest.strip_prefix(' ').unwrap_or(rest)) } else { *line }.to_owned()
    };
    lines.iter().map(plain).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The name of a sender: `Jeanne Exemple <j@exemple.invalid>`, `[mailto:j@exemple.invalid]`.
fn name(from: &str) -> String {
    let name = from.split(['<', '[']).next().unwrap_or_default().trim().trim_matches('"').trim();
    if name.is_empty() { from.to_owned() } else { name.to_owned() }
}

/// A subject without the marks of answers and forwards.
pub(super) fn bare_subject(subject: &str) -> &str {
    const MARKS: &[&str] = &["re", "ré", "rép", "tr", "fwd", "fw", "transf", "wg", "aw"];
    let mut bare = subject.trim();
    while let Some((_, rest)) = bare.split_once(':').filter(|(mark, _)| MARKS.contains(&fold(mark.trim()).as_str())) {
        bare = rest.trim_start();
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Le conseil municipal a adopté mardi soir le budget.\n\nUn second vote est prévu.";

    #[test]
    fn a_forwarded_message_is_found_whatever_program_wrote_it() {
        for above in [
            "Pour info.\n\n---------- Forwarded message ---------\nDe : Jeanne Exemple <j@exemple.invalid>\nDate: mar. 3 mars 2026 à 08:00\nSubject: Le budget\nTo: <desk@exemple.invalid>,\n <b@exemple.invalid>\n\n\n",
            "---------- Message transféré ----------\n*De :* Jeanne Exemple <j@exemple.invalid>\n*Objet :* Le budget\n*Date :* mar. 3 mars 2026 à 08:00\n\n",
            "Bonjour,\nVoici.\n\nDe : Jeanne Exemple [mailto:j@exemple.invalid]\nEnvoyé : mar. 3 mars 2026 à 08:00\nÀ : Desk\nObjet : Le budget\n\n",
            "-----Message d'origine-----\nDe: Jeanne Exemple\nEnvoyé: mar. 3 mars 2026 à 08:00\nObjet: Le budget\n",
            "Début du message réexpédié :\n\nDe: Jeanne Exemple <j@exemple.invalid>\nObjet: Le budget\nDate: mar. 3 mars 2026 à 08:00\nÀ: Desk\n\n",
        ] {
            let found = forwarded(&format!("{above}{TEXT}")).unwrap_or_else(|| panic!("{above}"));
            assert_eq!(
                (found.text.as_str(), found.from.as_deref(), found.subject.as_deref()),
                (TEXT, Some("Jeanne Exemple"), Some("Le budget")),
                "{above}"
            );
            assert_eq!(found.date.as_deref(), Some("mar. 3 mars 2026 à 08:00"));
        }
        let quoted: String = format!("From: Jane <j@a.invalid>\nSubject: Un\n\n{TEXT}")
            .lines()
            .flat_map(|line| ["> ", line, "\n"].map(str::to_owned))
            .collect();
        assert_eq!(forwarded(&format!("Begin forwarded message:\n\n{quoted}")).unwrap().text, TEXT);
        let twice = format!("-----Original Message-----\nFrom: A\nSubject: Un\n\n-----Original Message-----\nFrom: B\n\n{TEXT}");
        let found = forwarded(&twice).unwrap();
        assert_eq!((found.text.as_str(), found.from.as_deref(), found.subject.as_deref()), (TEXT, Some("B"), Some("Un")));
    }

    #[test]
    fn other_messages_forward_nothing() {
        let reply = format!("{TEXT}\n\nDe : Jean\nEnvoyé : hier\nObjet : Budget\n\nMerci.");
        for text in [TEXT, "De : la mairie\nUn texte.", "Original message\nUn texte.", reply.as_str()] {
            assert_eq!(forwarded(text), None, "{text}");
        }
    }

    #[test]
    fn subjects_lose_their_marks() {
        for (subject, bare) in [
            ("TR : Fwd: Le budget", "Le budget"),
            ("Re: RE: Le budget", "Le budget"),
            ("Budget : le vote", "Budget : le vote"),
            ("Re", "Re"),
        ] {
            assert_eq!(bare_subject(subject), bare);
        }
    }
}
