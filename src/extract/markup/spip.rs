//! Removes the marks of SPIP, the CMS of many French newspapers: `{{{intertitre}}}`, `[texte->url]`,
//! `<img12|center>`.

use std::borrow::Cow;

use super::near;

/// Tags of SPIP with a number: pictures, documents and other articles in the text.
const MODELS: &[&str] = &["img", "doc", "emb", "document", "image", "video", "audio", "art", "article", "album", "galerie"];
/// Tags around blocks.
const BLOCKS: &[&str] =
    &["<quote>", "</quote>", "<poesie>", "</poesie>", "<poetry>", "</poetry>", "<cadre>", "</cadre>", "<intro>", "</intro>"];

/// `text` without the marks. Borrowed if it is not a text of SPIP.
pub(super) fn removed(text: &str) -> Cow<'_, str> {
    if !is_spip(text) {
        return Cow::Borrowed(text);
    }
    // In HTML, a line break in the text means nothing.
    let between = if text.contains("<p") { "<br>" } else { "\n\n" };
    let mut plain = without_models(&in_one_language(text));
    for block in BLOCKS.iter().chain(&["{{{", "}}}"]) {
        plain = plain.replace(block, between);
    }
    plain.retain(|c| !matches!(c, '{' | '}'));
    plain = without_links(&plain).replace('~', "\u{a0}");
    Cow::Owned(plain.lines().filter_map(line).collect::<Vec<_>>().join("\n"))
}

/// The longest text of a link (in bytes).
const LONGEST_LINK: usize = 500;
/// The longest name of a tag with a number.
const LONGEST_MODEL: usize = 10;

/// Whether a text has a mark that only SPIP has.
fn is_spip(text: &str) -> bool {
    let is_heading = || text.contains("{{{") && text.contains("}}}");
    let is_link = || text.match_indices("->").any(|(at, _)| link_around(text, at).is_some());
    let is_model = || text.match_indices('<').any(|(at, _)| text.get(at..).and_then(model).is_some());
    is_heading() || is_link() || is_model() || text.contains("<multi>")
}

/// The French or else the first text of each `<multi>[fr]Oui[en]Yes</multi>`.
fn in_one_language(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, inside)) = rest.split_once("<multi>") {
        let (inside, after) = inside.split_once("</multi>").unwrap_or((inside, ""));
        let texts = || inside.split('[').filter_map(|part| part.split_once(']'));
        let chosen = texts().find(|(language, _)| *language == "fr").or_else(|| texts().next()).map_or(inside, |(_, text)| text);
        plain.extend([before, chosen]);
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// The brackets around an arrow: `[texte->url]` is on one line, and its address has no space.
fn link_around(text: &str, arrow: usize) -> Option<(usize, usize)> {
    let from = text.floor_char_boundary(arrow.saturating_sub(LONGEST_LINK));
    let open = from + text.get(from..arrow)?.rfind(['[', ']', '\n'])?;
    let close = arrow + near(text.get(arrow..)?).find([']', ' ', '\n'])?;
    text.get(open..)?.strip_prefix('[')?;
    (text.as_bytes().get(close) == Some(&b']')).then_some((open, close))
}

/// The length of a tag such as `<img12|center>` at the start of `text`.
fn model(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('<')?;
    let digits = inside.bytes().take(LONGEST_MODEL).position(|byte| byte.is_ascii_digit())?;
    let rest = inside.get(digits..)?.trim_start_matches(|c: char| c.is_ascii_digit());
    let end = near(rest).find(['>', '<', '\n'])?;
    let right = MODELS.contains(&inside.get(..digits)?) && rest.as_bytes().get(end) == Some(&b'>') && (end == 0 || rest.starts_with('|'));
    right.then(|| text.len() - rest.len() + end + 1)
}

fn without_models(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        plain.push_str(before);
        let skipped = model(tag);
        plain.push_str(if skipped.is_some() { "\n\n" } else { "<" });
        rest = tag.get(skipped.unwrap_or(1)..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// Removes links and keeps their texts, and removes notes, which are in double brackets.
fn without_links(text: &str) -> String {
    let has_notes = text.contains("]]");
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('[') {
        let (before, bracket) = rest.split_at(at);
        plain.push_str(before);
        let note = near(bracket).strip_prefix("[[").filter(|_| has_notes).and_then(|note| note.find("]]")).map(|length| length + 4);
        let inside = bracket.get(1..).unwrap_or_default();
        let end = near(inside).find(['[', ']', '\n']).filter(|end| inside.as_bytes().get(*end) == Some(&b']'));
        let link = end.and_then(|end| Some((inside.get(..end)?, inside.get(end + 1..)?)));
        match (note, link) {
            (Some(length), _) => rest = bracket.get(length..).unwrap_or_default(),
            (None, Some((inside, after))) if inside.contains("->") || inside.starts_with('?') => {
                let shown = inside.split("->").next().unwrap_or_default();
                // After a bar comes a title that is shown when the mouse is over the link.
                plain.push_str(shown.trim_start_matches('?').split('|').next().unwrap_or_default());
                rest = after;
            }
            _ => {
                plain.push('[');
                rest = inside;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// A line without the marks of lists and tables. Returns `None` for a rule.
fn line(line: &str) -> Option<String> {
    let text = line.trim();
    if text.len() >= 4 && text.chars().all(|c| c == '-') {
        return None;
    }
    if text.len() > 1 && text.starts_with('|') && text.ends_with('|') {
        return Some(text.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join(" | "));
    }
    let item = text.strip_prefix("-*").or_else(|| text.strip_prefix("-#")).map(|item| item.trim_start_matches(['*', '#']));
    Some(item.or_else(|| text.strip_prefix("_ ")).map_or(line, str::trim).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spip_marks_are_removed() {
        let text = "{{{Un intertitre}}}\n\nLe {maire} et {{la ville}} [ont voté->https://a.invalid/1|titre], dit [?Lyon].[[Une note.]]\n<img12|center>\n-* un\n-# deux\n_ trois\n----\n|a|b|\n<quote>Oui~!</quote> [->art3]";
        let plain = removed(text);
        let lines: Vec<&str> = plain.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, ["Un intertitre", "Le maire et la ville ont voté, dit Lyon.", "un", "deux", "trois", "a | b", "Oui\u{a0}!"]);
    }

    #[test]
    fn one_language_of_several_is_kept() {
        assert_eq!(removed("Le <multi>[en]budget[fr]vote</multi> et <multi>[en]x</multi>."), "Le vote et x.");
        assert_eq!(removed("<p>{{{Inter}}}Un.</p>"), "<p><br>Inter<br>Un.</p>");
    }

    #[test]
    fn other_texts_are_kept() {
        for text in ["De 3 -> 5 [voir]", "[a -> b c]", "Un {mot} ~ deux", "<img src=\"a\">", "<h1>Un</h1>", "<img1", "a{{{b"] {
            assert!(matches!(removed(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
