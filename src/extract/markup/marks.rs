//! Removes the marks of Markdown and similar languages from fields that should be plain text:
//! `[texte](url)`, `**gras**`, `## intertitre`, `+++dropcap`, `[#image: …]`, `{: .small}`.

use std::borrow::Cow;

use super::near;

/// `text` without the marks. Borrowed if it has none that is certain.
pub(super) fn removed(text: &str) -> Cow<'_, str> {
    if !is_marked(text) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<String> = text.lines().filter_map(|line| block(line.trim()).map(|line| emphasis(&links(&line)))).collect();
    Cow::Owned(lines.join("\n"))
}

/// Whether a text has a mark that no prose has.
fn is_marked(text: &str) -> bool {
    let has = |mark: &str| memchr::memmem::find(text.as_bytes(), mark.as_bytes()).is_some();
    let starts_line = |mark: &str| has(mark) && text.lines().any(|line| line.trim_start().starts_with(mark));
    has("](http")
        || has("](/")
        || has("](#")
        || has("[#")
        || has("{: .")
        || starts_line("+++")
        || starts_line("## ")
        || starts_line("### ")
        || pairs(text, "**") > 0
}

/// How many pieces of a text are between two marks, each with text next to it.
fn pairs(text: &str, mark: &str) -> usize {
    if memchr::memmem::find(text.as_bytes(), mark.as_bytes()).is_none() {
        return 0;
    }
    text.lines()
        .map(|line| line.split(mark).skip(1).step_by(2).filter(|inside| is_between(inside) && line.matches(mark).count() > 1).count())
        .sum()
}

/// Whether a text can be between marks: it neither starts nor ends with a space.
fn is_between(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(char::is_whitespace) && !text.ends_with(char::is_whitespace)
}

/// A line without the mark of its block. Returns `None` if it has no text.
fn block(line: &str) -> Option<String> {
    let is_rule =
        line.len() >= 3 && ["*", "-", "_"].iter().any(|mark| line.replace([' '], "").trim_matches(|c| mark.contains(c)).is_empty());
    // A reference to an address: `[1]: https://…`
    let is_reference =
        line.starts_with('[') && line.split_once("]: ").is_some_and(|(_, address)| address.contains("://") && !address.contains(' '));
    if line.starts_with("+++") || is_rule || is_reference {
        return None;
    }
    let heading = line.trim_start_matches('#');
    let level = line.len() - heading.len();
    let text = if (1..=6).contains(&level) && heading.starts_with(' ') { heading } else { line };
    let text = text.strip_prefix("> ").unwrap_or(text);
    Some(text.trim().to_owned())
}

/// Removes pictures and attributes, and the addresses of links.
fn links(line: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(at) = rest.find(['[', '{']) {
        let (before, mark) = rest.split_at(at);
        plain.push_str(before);
        let length = attributes(mark).or_else(|| picture(mark)).or_else(|| {
            let (shown, length) = link(mark)?;
            // A picture is a link after an exclamation mark.
            if plain.ends_with('!') {
                plain.pop();
            } else {
                plain.push_str(shown);
            }
            Some(length)
        });
        if length.is_none() {
            plain.push_str(mark.get(..1).unwrap_or_default());
        }
        rest = mark.get(length.unwrap_or(1)..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// The length of attributes `{: .small}` that `mark` starts with.
fn attributes(mark: &str) -> Option<usize> {
    near(mark).strip_prefix("{:")?.find('}').map(|length| length + 3)
}

/// The length of a picture `[#image: …]` that `mark` starts with, and of the caption between bars
/// after it.
fn picture(mark: &str) -> Option<usize> {
    let inside = near(mark).strip_prefix("[#")?;
    let end = inside.find(']').filter(|end| inside.get(..*end).is_some_and(|inside| inside.contains(": ")))? + 3;
    let caption = near(mark.get(end..)?);
    let bars = caption.len() - caption.trim_start_matches('|').len();
    let closed = caption.get(bars..)?.find("|||").filter(|_| bars > 1);
    let behind = closed.map_or(0, |at| {
        let tail = caption.get(bars + at..).unwrap_or_default();
        bars + at + tail.len() - tail.trim_start_matches('|').len()
    });
    Some(end + behind)
}

/// The text of a link that `mark` starts with, and the length of the link.
fn link(mark: &str) -> Option<(&str, usize)> {
    let inside = near(mark).strip_prefix('[')?;
    let (shown, after) = inside.split_at(inside.find(['[', ']'])?);
    let (address, _) = after.strip_prefix("](")?.split_once(')')?;
    let right = !address.split('"').next().unwrap_or_default().trim().contains(' ');
    right.then_some((shown, shown.len() + address.len() + 4))
}

/// Removes the marks of bold and italic text: pairs with a word right inside them, and not in the
/// middle of a word.
fn emphasis(line: &str) -> String {
    ["**", "__", "*", "_"].iter().fold(line.to_owned(), |line, mark| without_pairs(&line, mark))
}

fn without_pairs(line: &str, mark: &str) -> String {
    let (mut plain, mut at) = (String::with_capacity(line.len()), 0);
    while let Some((open, close)) = pair(line, mark, at) {
        plain.push_str(line.get(at..open).unwrap_or_default());
        plain.push_str(line.get(open + mark.len()..close).unwrap_or_default());
        at = close + mark.len();
    }
    plain.push_str(line.get(at..).unwrap_or_default());
    plain
}

/// The positions of the next pair of marks around a text.
fn pair(line: &str, mark: &str, from: usize) -> Option<(usize, usize)> {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut open = from + line.get(from..)?.find(mark)?;
    loop {
        let inside = open + mark.len();
        let after = line.get(inside..)?;
        let close = inside + after.find(mark)?;
        let outside = (line.get(..open)?.chars().next_back(), line.get(close + mark.len()..)?.chars().next());
        if is_between(line.get(inside..close)?) && !is_word(outside.0) && !is_word(outside.1) {
            return Some((open, close));
        }
        open = close;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_removed_and_their_texts_kept() {
        let text = "+++dropcap\n\nLe [conseil](https://a.invalid/x \"Titre\") a **voté** *mardi* et __mercredi__.\n\n+++\n[#image: /photos/64]|||La digue, mardi.|||\n## Inter\n> Oui.\n***\n\n*Le Journal*{: .small} a vérifié ![digue](/a.jpg) 2 * 3 * 4, a_b_c.\n[1]: https://a.invalid";
        let plain = removed(text);
        let lines: Vec<&str> = plain.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, ["Le conseil a voté mardi et mercredi.", "Inter", "Oui.", "Le Journal a vérifié  2 * 3 * 4, a_b_c."]);
    }

    #[test]
    fn prose_with_stars_and_brackets_is_kept() {
        for text in ["5 * 3 et 2 ** 4 ou 3 ** 2", "# budget", "Note* et **", "[a] (b)", "un_deux_trois", "1. Un\n- deux"] {
            assert!(matches!(removed(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
