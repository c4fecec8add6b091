//! Whether a percentage goes up or down: `en hausse de 5 %` against `down 5%`.

use crate::check::context::Pair;
use crate::check::facts::Figure;
use crate::check::lexicon::{Dimension, Meaning};
use crate::check::text::Text;

/// How many words before and after a figure may give its direction.
const BEFORE: usize = 6;
const AFTER: usize = 4;

/// A percentage of the target and the same one of the source, if one goes up and the other down.
pub(super) fn reversed<'p>(pair: &Pair<'p>) -> Option<(&'p Figure, &'p Figure)> {
    pair.target.figures().iter().filter(|figure| is_percentage(figure)).find_map(|figure| {
        let mut same = pair.source.figures().iter().filter(|other| is_percentage(other) && figure.equals(other));
        // If the source has the same percentage twice, the two cannot be told apart.
        let (Some(other), None) = (same.next(), same.next()) else { return None };
        let (here, there) = (direction(pair.target, figure)?, direction(pair.source, other)?);
        (here != there).then_some((figure, other))
    })
}

fn is_percentage(figure: &Figure) -> bool {
    figure.measure().is_some_and(|measure| measure.dimension == Dimension::Ratio && measure.factor < 1.0)
}

/// Whether the words around the figure say that it goes up. `None` if they say neither or both.
fn direction(text: &Text, figure: &Figure) -> Option<bool> {
    let ends = |at: usize| text.tokens().get(at).is_none_or(|token| matches!(text.word(token), "," | ";" | "." | ":" | "(" | ")"));
    let before = (0..figure.tokens.start).rev().take(BEFORE).take_while(|at| !ends(*at));
    let after = (figure.tokens.end..).take(AFTER).take_while(|at| !ends(*at));
    let (mut up, mut down) = (false, false);
    for at in before.chain(after) {
        match text.meaning(at) {
            Some(Meaning::Up) => up = true,
            Some(Meaning::Down) => down = true,
            _ => {}
        }
    }
    (up != down).then_some(up)
}
