//! Whether a share goes up or down: `en hausse de 5 %` against `down 5%`.

use super::figure::Figure;
use crate::check::context::Pair;
use crate::check::lexicon::{Dimension, Lex};
use crate::check::text::Text;

/// Words before and behind a figure in which its direction is said.
const BEFORE: usize = 6;
const BEHIND: usize = 4;

/// A share of the target and that of the source that it repeats, where one goes up and the other down.
pub(super) fn turned<'p>(pair: &Pair<'p>) -> Option<(&'p Figure, &'p Figure)> {
    pair.target.figures().iter().filter(|figure| is_share(figure)).find_map(|figure| {
        let mut same = pair.source.figures().iter().filter(|other| is_share(other) && figure.is(other));
        // Where the same share stands twice, nobody can tell which is which.
        let (Some(other), None) = (same.next(), same.next()) else { return None };
        let (here, there) = (direction(pair.target, figure)?, direction(pair.source, other)?);
        (here != there).then_some((figure, other))
    })
}

fn is_share(figure: &Figure) -> bool {
    figure.measure().is_some_and(|measure| measure.dimension == Dimension::Ratio && measure.factor < 1.0)
}

/// Whether the words around say that it goes up; none where they say nothing, or both.
fn direction(text: &Text, figure: &Figure) -> Option<bool> {
    let ends = |at: usize| text.tokens().get(at).is_none_or(|token| matches!(text.word(token), "," | ";" | "." | ":" | "(" | ")"));
    let before = (0..figure.tokens.start).rev().take(BEFORE).take_while(|at| !ends(*at));
    let behind = (figure.tokens.end..).take(BEHIND).take_while(|at| !ends(*at));
    let (mut up, mut down) = (false, false);
    for at in before.chain(behind) {
        match text.meanings().get(at) {
            Some(Some(Lex::Up)) => up = true,
            Some(Some(Lex::Down)) => down = true,
            _ => {}
        }
    }
    (up != down).then_some(up)
}
