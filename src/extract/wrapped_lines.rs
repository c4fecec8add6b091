//! Joins the lines of a text that was broken at a fixed width: mail programs and agencies break at
//! about 72 characters.

/// A text with a longer line (in characters) was not wrapped at a fixed width.
const WIDEST: usize = 90;
/// A line that is broken at a width has at least this length.
const SHORTEST: usize = 40;
/// How much shorter than the width a full line may be, because the next word did not fit.
const SLACK: usize = 6;

/// The fewest lines that were broken in a text whose lines may also be paragraphs.
const FEWEST: usize = 3;

/// The width at which a text may be broken (in characters). Returns `None` if a line is too long.
fn width(lines: &[&str]) -> Option<usize> {
    let width = lines.iter().filter(|line| !line.contains("://")).map(|line| line.chars().count()).max().unwrap_or(0);
    (width <= WIDEST).then_some(width)
}

/// Whether the first word of the next line would not have fitted on a line.
fn is_full(line: &str, next: &str, width: usize) -> bool {
    let word = next.split(' ').next().unwrap_or_default();
    let length = line.chars().count();
    length >= SHORTEST && length + 1 + word.chars().count() + SLACK > width
}

/// Whether the lines of a text were certainly wrapped at a fixed width: nearly every line that is
/// followed by another one is full.
pub(super) fn is_wrapped(text: &str) -> bool {
    // Most texts have a longer line, whatever its letters.
    if text.lines().any(|line| line.len() > 4 * WIDEST) {
        return false;
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let Some(width) = width(&lines) else { return false };
    let followed = lines.windows(2).filter_map(|pair| match pair {
        [line, next] if !line.is_empty() && !next.is_empty() => Some(is_full(line, next, width)),
        _ => None,
    });
    let (mut full, mut other) = (0, 0);
    followed.for_each(|is_full| if is_full { full += 1 } else { other += 1 });
    full >= FEWEST && full >= 4 * other
}

/// The text with one line for each paragraph. A line was broken if the first word of the next one
/// would not have fitted. A sentence may end there only if blank lines separate the paragraphs.
pub(super) fn unwrapped(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let Some(width) = width(&lines) else { return lines.join("\n") };
    let spaced = lines.windows(3).any(|window| matches!(window, [before, "", after] if !before.is_empty() && !after.is_empty()));
    let mut joined = String::with_capacity(text.len());
    for (at, line) in lines.iter().enumerate() {
        joined.push_str(line);
        let Some(next) = lines.get(at + 1) else { break };
        let continues = next.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '«' | '"' | '(' | '“'));
        let ends = line.ends_with(['.', '!', '?', '…', '»']);
        joined.push(if is_full(line, next, width) && continues && (spaced || !ends) { ' ' } else { '\n' });
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
    fn a_text_is_wrapped_if_nearly_all_of_its_lines_are_full() {
        let paragraph = "Le conseil municipal a adopté mardi soir, à une large majorité, le\nbudget de la ville, qui s'élève à 42 millions d'euros pour l'année\nprochaine, a annoncé la maire dans un communiqué de presse.";
        assert!(is_wrapped(&format!("{paragraph}\n\n{paragraph}")));
        for text in [
            "Un.\nDeux.\nTrois.",
            "La maire a défendu un effort de solidarité envers les écoles.\nElle a été applaudie.\nL'opposition a voté contre, jugeant la hausse injuste.\nFin.",
            &format!("{paragraph}\n\n{}", "mot ".repeat(60)),
        ] {
            assert!(!is_wrapped(text), "{text}");
        }
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
