//! The reader that collects the figures of a text; the files beside this one each read one kind.

use std::ops::{Deref, Range};

use super::figure::Figure;
use crate::check::text::Text;

/// Collects figures. Each method that reads one takes the position of its first token and returns
/// the position after its last.
pub(super) struct FigureReader<'t> {
    pub(super) text: &'t Text<'t>,
    pub(super) figures: Vec<Figure>,
}

impl FigureReader<'_> {
    /// Adds `figure`, written in these tokens; returns the position after them.
    pub(super) fn push(&mut self, tokens: Range<usize>, mut figure: Figure) -> usize {
        let next = tokens.end;
        figure.span = self.text.span(tokens.clone());
        figure.tokens = tokens;
        self.figures.push(figure);
        next
    }
}

impl<'t> Deref for FigureReader<'t> {
    type Target = Text<'t>;

    fn deref(&self) -> &Self::Target {
        self.text
    }
}
