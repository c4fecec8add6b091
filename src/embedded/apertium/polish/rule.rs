//! Patterns of a few words: who is speaking, sums of money, and the past.

use super::table::SAME_PAST;
use super::word::bare;

/// After these, `have` is no perfect of its own.
const AUXILIARIES: [&str; 16] =
    ["to", "would", "could", "should", "must", "may", "might", "will", "can", "not", "shall", "ought", "does", "do", "did", "cannot"];

/// Verbs whose subject is a person: participles, then present forms.
const SAID: [&str; 20] = [
    "dit",
    "déclaré",
    "ajouté",
    "affirmé",
    "expliqué",
    "précisé",
    "indiqué",
    "estimé",
    "assuré",
    "annoncé",
    "souligné",
    "rappelé",
    "répondu",
    "conclu",
    "confié",
    "raconté",
    "reconnu",
    "prévenu",
    "insisté",
    "lancé",
];
const SAYS: [&str; 20] = [
    "dit",
    "déclare",
    "ajoute",
    "affirme",
    "explique",
    "précise",
    "indique",
    "estime",
    "assure",
    "annonce",
    "souligne",
    "rappelle",
    "répond",
    "conclut",
    "confie",
    "raconte",
    "reconnaît",
    "prévient",
    "insiste",
    "poursuit",
];

/// `a-t-il dit`, `répond-elle` and `il a dit` with Spanish's «él» and «ella»: they reach English as "he" and "she",
/// where a French pronoun is lost on the way or becomes "it".
pub(super) fn french_speech(text: &str) -> String {
    let tokens: Vec<&str> = text.split(' ').collect();
    let mut out: Vec<String> = Vec::with_capacity(tokens.len());
    let question = text.contains('?');
    for (at, token) in tokens.iter().enumerate() {
        let verb = tokens.get(at + 1).map_or("", |next| bare(next));
        let verb_after = tokens.get(at + 2).map_or("", |next| bare(next));
        let spoken = match *token {
            "a-t-il" if SAID.contains(&verb) => Some("él a".to_owned()),
            "a-t-elle" if SAID.contains(&verb) => Some("ella a".to_owned()),
            "il" | "Il" | "elle" | "Elle" if SAYS.contains(&verb) || verb == "a" && SAID.contains(&verb_after) => {
                Some(pronoun(token).to_owned())
            }
            _ if question => None,
            _ => inverted(token),
        };
        out.push(spoken.unwrap_or_else(|| (*token).to_owned()));
    }
    out.join(" ")
}

/// `répond-il,` to `él répond,`.
fn inverted(token: &str) -> Option<String> {
    let (verb, rest) = token.split_once('-')?;
    let rest = rest.strip_prefix("t-").unwrap_or(rest);
    let subject = bare(rest);
    let known = SAYS.contains(&verb) && matches!(subject, "il" | "elle");
    known.then(|| format!("{} {verb}{}", pronoun(subject), &rest[subject.len()..]))
}

fn pronoun(french: &str) -> &'static str {
    match french {
        "il" => "él",
        "Il" => "Él",
        "Elle" => "Ella",
        _ => "ella",
    }
}

/// `$100 million` to `100 million dollars`: a sign before the number is taken for a part of the word before it.
pub(super) fn currency(text: &str) -> String {
    let tokens: Vec<&str> = text.split(' ').collect();
    let mut out: Vec<String> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let next = tokens.get(at + 1).copied().unwrap_or_default();
        let (count, token) = sum(tokens[at], next).unwrap_or_else(|| (1, tokens[at].to_owned()));
        out.push(token);
        at += count;
    }
    out.join(" ")
}

fn sum(token: &str, next: &str) -> Option<(usize, String)> {
    let open = token.len() - token.trim_start_matches(['(', '"']).len();
    let (open, rest) = token.split_at(open);
    let sign = rest.chars().next()?;
    let name = match sign {
        '$' => "dollars",
        '£' => "pounds",
        '€' => "euros",
        _ => return None,
    };
    let rest = &rest[sign.len_utf8()..];
    let end = rest.trim_end_matches(|c: char| !c.is_alphanumeric()).len();
    let (amount, tail) = rest.split_at(end);
    let (number, scale) = match amount.strip_suffix("bn").or_else(|| amount.strip_suffix('b')) {
        Some(number) => (number, " billion"),
        None => amount.strip_suffix('m').map_or((amount, ""), |number| (number, " million")),
    };
    let clean = number.starts_with(|c: char| c.is_ascii_digit()) && number.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    if !clean {
        return None;
    }
    let size = bare(next);
    if tail.is_empty() && scale.is_empty() && matches!(size, "million" | "billion" | "trillion") {
        return Some((2, format!("{open}{number} {size} {name}{}", &next[size.len()..])));
    }
    Some((1, format!("{open}{number}{scale} {name}{tail}")))
}

/// `has presented` to `presented`: what French tells in the perfect, English tells in the past. Not where the source
/// says that it lasts, nor after another auxiliary.
pub(super) fn simple_past(source: &str, text: &str) -> String {
    if source.contains("depuis") || source.contains("Depuis") || text.contains('?') {
        return text.to_owned();
    }
    let tokens: Vec<&str> = text.split(' ').collect();
    let mut out: Vec<&str> = Vec::with_capacity(tokens.len());
    for (at, &token) in tokens.iter().enumerate() {
        let verb = tokens.get(at + 1).map_or("", |next| bare(next));
        let past = verb.len() > 4 && verb.ends_with("ed") && verb != "need" || SAME_PAST.contains(&verb);
        let alone = !out.last().is_some_and(|last| AUXILIARIES.contains(&last.to_lowercase().as_str()));
        if !(matches!(token, "has" | "have") && past && alone) {
            out.push(token);
        }
    }
    out.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_speaks_is_kept() {
        assert_eq!(french_speech("\"Non\", a-t-elle ajouté."), "\"Non\", ella a ajouté.");
        assert_eq!(french_speech("Non, répond-il."), "Non, él répond.");
        assert_eq!(french_speech("Il a déclaré, il pleut"), "Él a déclaré, il pleut");
        assert_eq!(french_speech("Que dit-il ?"), "Que dit-il ?");
    }

    #[test]
    fn sums_of_money_get_their_name() {
        assert_eq!(currency("over $100 million, (£2bn) and $5."), "over 100 million dollars, (2 billion pounds) and 5 dollars.");
        for text in ["US$5", "$HOME", "$", "a $5-a-day job"] {
            assert_eq!(currency(text), text);
        }
    }
}
