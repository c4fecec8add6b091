//! Joins the lines of a text that was broken at a fixed width: mail programs and agencies break at
//! about 72 characters.

/// A text with a longer line (in characters) is not broken at a width.
const WIDEST: usize = 90;
/// A line that is broken at a width has at least this length.
const SHORTEST: usize = 40;
/// How far a line may be from the width, because the last word that fitted may be short.
const SLACK: usize = 6;

/// The text with one line for each paragraph. A line was broken if the first word of the next one
/// would not have fitted. A sentence may end there only if blank lines separate the paragraphs.
pub(super) fn unwrapped(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let length = |line: &str| line.chars().count();
    let width = lines.iter().filter(|line| !line.contains("://")).map(|line| length(line)).max().unwrap_or(0);
    if width > WIDEST {
        return lines.join("\n");
    }
    let spaced = lines.windows(3).any(|window| matches!(window, [before, "", after] if !before.is_empty() && !after.is_empty()));
    let mut joined = String::with_capacity(text.len());
    for (at, line) in lines.iter().enumerate() {
        joined.push_str(line);
        let Some(next) = lines.get(at + 1) else { break };
        let word = next.split(' ').next().unwrap_or_default();
        let is_full = length(line) >= SHORTEST && length(line) + 1 + length(word) + SLACK > width;
        let continues = next.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '«' | '"' | '(' | '“'));
        let ends = line.ends_with(['.', '!', '?', '…', '»']);
        joined.push(if is_full && continues && (spaced || !ends) { ' ' } else { '\n' });
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_were_broken_are_joined() {
        let text = "Le conseil municipal a adopté mardi soir, à une large majorité, le\nbudget de la ville.\n\nFin.\n- un\n- deux";
        assert_eq!(unwrapped(text), text.replacen("le\nbudget", "le budget", 1));
        let full = "Le conseil municipal a adopté mardi soir le budget de la ville entière.\nLa maire a salué ce vote à une\nlarge majorité.\n\nFin.";
        assert_eq!(unwrapped(full).lines().next().unwrap().len(), full.lines().take(2).map(str::len).sum::<usize>() + 1, "{full}");
    }

    #[test]
    fn short_paragraphs_on_lines_of_their_own_are_kept() {
        for text in [
            "La maire a défendu un effort de solidarité envers les écoles.\nL'opposition a voté contre.",
            "Un titre assez long pour être une ligne de texte\nUne phrase bien plus longue qui vient après ce titre, et finit ici.",
        ] {
            assert_eq!(unwrapped(text), text);
        }
    }
}
