//! A value of the config with its place in the file.

use std::ops::Range;

use serde::Deserialize;

/// A value and its byte range in the file. We have our own type, because the test that makes the
/// JSON Schema cannot describe the type of `toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Spanned<T>(toml::Spanned<T>);

impl<T> Spanned<T> {
    /// A value with its place.
    pub(super) fn new(span: Range<usize>, value: T) -> Self {
        Self(toml::Spanned::new(span, value))
    }

    /// The byte range in the file.
    pub(super) fn span(&self) -> Range<usize> {
        self.0.span()
    }

    /// The value.
    pub(super) fn get_ref(&self) -> &T {
        self.0.get_ref()
    }

    /// The value, without its place.
    pub(super) fn into_inner(self) -> T {
        self.0.into_inner()
    }
}
