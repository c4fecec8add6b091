//! Removes the frame around the text of a message: a newsletter's lines above and below it, a
//! signature, and the addresses of links and pictures in plain text.

use std::sync::LazyLock;

use crate::extract::word_list::entries;
use crate::model::fold;

static TOP: LazyLock<Vec<&str>> = LazyLock::new(|| entries(include_str!("frame_top.txt")).collect());
static BOTTOM: LazyLock<Vec<&str>> = LazyLock::new(|| entries(include_str!("frame_bottom.txt")).collect());

/// How many lines at the start of a text may be its frame.
const TOP_LINES: usize = 8;
/// A line with more words is part of the frame only with a second sign.
const FEW_WORDS: usize = 12;
/// The bottom of a frame may hold at most this many words in lines that do not look like a frame:
/// the sender's address, legal notices.
const MOST_REST_WORDS: usize = 90;

/// The lines of a text without its frame.
pub(super) fn removed(text: &str) -> String {
    let text = without_signature(text);
    let lines: Vec<String> = text.lines().map(without_addresses).collect();
    let (start, end) = (above(&lines), below(&lines));
    let kept = lines.get(..end).unwrap_or_default().iter().enumerate();
    let kept = kept.filter(|(at, line)| *at >= start || !is_frame(line, &TOP) && !is_frame(line, &BOTTOM));
    kept.map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// A signature starts after a line of two hyphens and a space.
fn without_signature(text: &str) -> &str {
    const MOST_LINES: usize = 12;
    let at = text
        .find("\n-- \n")
        .or_else(|| text.rfind("\n--\n").filter(|at| text.get(*at..).is_some_and(|end| end.lines().count() <= MOST_LINES)));
    at.and_then(|at| text.get(..at)).filter(|before| !before.trim().is_empty()).unwrap_or(text)
}

/// A line without the addresses that mail programs write for links and pictures: `<https://…>`,
/// `[image: Logo]`, `[https://…]`. A line that is only an address is blank.
fn without_addresses(line: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(at) = rest.find(['<', '[']) {
        let (before, bracket) = rest.split_at(at);
        kept.push_str(before);
        let length = address(bracket);
        if length.is_none() {
            kept.push_str(bracket.get(..1).unwrap_or_default());
        }
        rest = bracket.get(length.unwrap_or(1)..).unwrap_or_default();
    }
    kept.push_str(rest);
    let bare = kept.trim();
    let is_rule = bare.len() > 2 && bare.chars().all(|c| matches!(c, '-' | '=' | '_' | '*' | '~' | '•' | '|' | ' '));
    let is_address = (bare.starts_with("http://") || bare.starts_with("https://")) && !bare.contains(' ');
    if is_address || is_rule || is_social(bare) { String::new() } else { kept.trim_end().to_owned() }
}

/// Whether a line is only the names of social networks.
fn is_social(line: &str) -> bool {
    const NETWORKS: &[&str] =
        &["facebook", "twitter", "x", "instagram", "linkedin", "youtube", "tiktok", "whatsapp", "bluesky", "mastodon", "threads"];
    let folded = fold(line);
    let mut names = folded.split([' ', '|', '·', ',', '/']).filter(|name| !name.is_empty()).peekable();
    names.peek().is_some() && names.all(|name| NETWORKS.contains(&name))
}

/// The length of an address in brackets at the start of `text`.
fn address(text: &str) -> Option<usize> {
    const LONGEST: usize = 2_000;
    let (marks, close) = if text.starts_with('<') {
        (&["http://", "https://", "mailto:"][..], '>')
    } else {
        (&["http://", "https://", "image:", "cid:"][..], ']')
    };
    let inside = text.get(1..text.floor_char_boundary(LONGEST))?;
    let length = inside.find(close)?;
    marks.iter().any(|mark| inside.starts_with(mark)).then_some(length + 2)
}

/// How many lines at the start are looked at for a frame.
fn above(lines: &[String]) -> usize {
    let mut seen = 0;
    lines
        .iter()
        .position(|line| {
            seen += usize::from(!line.trim().is_empty());
            seen > TOP_LINES
        })
        .unwrap_or(lines.len())
}

/// Where the bottom starts: the first line that is part of it, if hardly any text follows.
fn below(lines: &[String]) -> usize {
    let words = |line: &String| if is_frame(line, &BOTTOM) { 0 } else { line.split_whitespace().count() };
    let mut rest = 0;
    let mut end = lines.len();
    for (at, line) in lines.iter().enumerate().skip(1).rev() {
        rest += words(line);
        if rest > MOST_REST_WORDS {
            break;
        }
        if is_frame(line, &BOTTOM) {
            end = at;
        }
    }
    end
}

/// Whether a line has a phrase of a frame. A long line needs two, or must start with one, because
/// an article may mention «se désabonner» too.
fn is_frame(line: &str, phrases: &[&str]) -> bool {
    let folded = fold(line.trim());
    let found = phrases.iter().filter(|phrase| folded.contains(**phrase)).count();
    let starts = || phrases.iter().any(|phrase| phrase.contains(' ') && folded.starts_with(phrase));
    found > 0 && (found > 1 || folded.split_whitespace().count() <= FEW_WORDS || starts())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Le budget adopté\nLe conseil municipal a adopté mardi soir le budget.\n\nUn second vote est prévu.";

    #[test]
    fn the_frame_of_a_newsletter_is_removed() {
        for (above, below) in [
            (
                "Voir dans le navigateur\n",
                "\nVous recevez ce courriel parce que vous êtes inscrit à la lettre du Journal. Se désabonner\nLe Journal, 1 rue du Port",
            ),
            (
                "Si ce message ne s’affiche pas correctement, cliquez ici pour le voir en ligne\n\n",
                "\n\nGérer mes préférences | Se désinscrire\n© 2026 Le Journal",
            ),
            ("View this email in your browser <https://a.invalid/x>\n", "\nUnsubscribe | Manage preferences\nThe Paper, 1 Port Street"),
            ("", "\n-- \nJeanne Exemple\nLe Journal"),
            (
                "Voir cet e-mail dans votre navigateur (https://a.invalid/x)\n****\n",
                "\n----\nFacebook | Twitter\nSe désinscrire : https://a.invalid/u",
            ),
            ("[image: Logo]\n", "\nhttps://a.invalid/very/long\n<https://a.invalid>\n"),
        ] {
            assert_eq!(removed(&format!("{above}{TEXT}{below}")), TEXT, "{above}{below}");
        }
    }

    #[test]
    fn an_article_about_newsletters_is_kept() {
        let about =
            "Les clients de l'opérateur pourront se désabonner à tout moment et sans frais, a promis mardi le ministre de l'économie.";
        for text in [
            format!("{TEXT}\n{about}"),
            format!("{about}\n{TEXT}"),
            "Il a écrit [sic] que 3 < 5 et > 2.".to_owned(),
            "Se désabonner".to_owned(),
        ] {
            assert!(text == "Se désabonner" || removed(&text) == text, "{text}");
        }
    }
}
