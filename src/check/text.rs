//! A text as the checks see it: its field, its language, and its tokens, each computed at most once.

mod lower;
mod token;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use super::lexicon::{Meaning, lexicon};
use crate::extract::sentences;
use crate::model::{Article, Field, Lang};

use lower::lower;
use token::tokens;
pub(super) use token::{Kind, Token};

/// One text of a row.
pub(super) struct Text<'a> {
    pub(super) field: Field,
    /// The language it should be in.
    pub(super) lang: Option<Lang>,
    /// Whether the text is given, not written by an endpoint: others are compared with it, and it
    /// gets no findings itself.
    pub(super) given: bool,
    content: Cow<'a, str>,
    /// The article that this text is.
    article: Option<&'a Article>,
    lower: OnceCell<String>,
    tokens: OnceCell<Vec<Token>>,
    meanings: OnceCell<Vec<Option<Meaning>>>,
    sentences: OnceCell<Vec<Range<usize>>>,
}

impl<'a> Text<'a> {
    /// What separates an article's title from its body. The blank line ends a sentence.
    const AFTER_TITLE: &'static str = "\n\n";

    /// A text that an endpoint wrote.
    pub(super) fn new(field: Field, lang: Option<Lang>, text: &'a str) -> Self {
        Self {
            field,
            lang,
            given: false,
            content: Cow::Borrowed(text),
            article: None,
            lower: OnceCell::new(),
            tokens: OnceCell::new(),
            meanings: OnceCell::new(),
            sentences: OnceCell::new(),
        }
    }

    /// An article: its title, then its body.
    pub(super) fn of_article(article: &'a Article) -> Self {
        let content = Cow::Owned(format!("{}{}{}", article.title, Self::AFTER_TITLE, article.body));
        Self { content, article: Some(article), given: true, ..Self::new(Field::Article, article.language, "") }
    }

    pub(super) fn given(self, given: bool) -> Self {
        Self { given, ..self }
    }

    pub(super) fn is_english(&self) -> bool {
        self.lang == Some(Lang::EN)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.content
    }

    pub(super) fn is_empty(&self) -> bool {
        self.content.trim().is_empty()
    }

    /// The text in lower case; every character keeps its byte position.
    pub(super) fn lower(&self) -> &str {
        self.lower.get_or_init(|| lower(&self.content))
    }

    /// Its words, numbers and marks, in order.
    pub(super) fn tokens(&self) -> &[Token] {
        self.tokens.get_or_init(|| tokens(&self.content))
    }

    /// The meaning of each token, in the order of the tokens.
    pub(super) fn meanings(&self) -> &[Option<Meaning>] {
        self.meanings.get_or_init(|| {
            let lexicon = lexicon(self.lang);
            let meaning = |token: &Token| if token.kind == Kind::Digits { None } else { lexicon.get(self.lower_word(token)).copied() };
            self.tokens().iter().map(meaning).collect()
        })
    }

    /// Its sentences, in bytes.
    pub(super) fn sentences(&self) -> &[Range<usize>] {
        self.sentences.get_or_init(|| {
            let spans = self.article.map_or_else(|| sentences::spans(self.as_str()), |article| self.sentences_of(article));
            spans.into_iter().filter(|span| self.at(span).contains(char::is_alphanumeric)).collect()
        })
    }

    /// The sentences of the title and the body, without splitting the body again.
    fn sentences_of(&self, article: &Article) -> Vec<Range<usize>> {
        let body = article.title.len() + Self::AFTER_TITLE.len();
        let mut spans = sentences::spans(self.at(&(0..body)));
        spans.extend(sentences::of_article(article).iter().map(|span| span.start + body..span.end + body));
        spans
    }

    /// The span of a range of sentences, in bytes.
    pub(super) fn sentence_span(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.sentences().get(range.start).map_or(self.content.len(), |span| span.start);
        start..self.sentences().get(range.end.saturating_sub(1)).map_or(start, |span| span.end).max(start)
    }

    /// The tokens that begin in `span`.
    pub(super) fn tokens_in(&self, span: &Range<usize>) -> Range<usize> {
        let place = |at: usize| self.tokens().partition_point(|token| token.span.start < at);
        place(span.start)..place(span.end)
    }

    /// The span of a range of tokens, in bytes.
    pub(super) fn span(&self, range: Range<usize>) -> Range<usize> {
        let start = self.tokens().get(range.start).map_or(0, |token| token.span.start);
        start..self.tokens().get(range.end.saturating_sub(1)).map_or(start, |token| token.span.end).max(start)
    }

    /// The text at `span`.
    pub(super) fn at(&self, span: &Range<usize>) -> &str {
        self.as_str().get(span.clone()).unwrap_or_default()
    }

    /// A token as it is written.
    pub(super) fn word(&self, token: &Token) -> &str {
        self.content.get(token.span.clone()).unwrap_or_default()
    }

    /// A token in lower case.
    pub(super) fn lower_word(&self, token: &Token) -> &str {
        self.lower().get(token.span.clone()).unwrap_or_default()
    }

    /// The token at `at` in lower case; empty past the end.
    pub(super) fn low(&self, at: usize) -> &str {
        self.tokens().get(at).map_or("", |token| self.lower_word(token))
    }

    /// The kind of the token at `at`.
    pub(super) fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens().get(at).map(|token| token.kind)
    }

    /// The meaning of the token at `at`.
    pub(super) fn meaning(&self, at: usize) -> Option<Meaning> {
        self.meanings().get(at).copied().flatten()
    }

    /// Whether the token at `at` follows the one before it without white space.
    pub(super) fn is_joined(&self, at: usize) -> bool {
        self.tokens().get(at).is_some_and(|token| !token.spaced)
    }

    /// Whether the text contains `word`, in lower case, as a whole word.
    pub(super) fn has_word(&self, word: &str) -> bool {
        let lower = self.lower();
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        lower.match_indices(word).any(|(at, _)| {
            let before = lower.get(..at).and_then(|before| before.chars().next_back());
            !letter(before) && !letter(lower.get(at + word.len()..).and_then(|after| after.chars().next()))
        })
    }

    /// How many words it has.
    pub(super) fn words(&self) -> usize {
        // A word with an apostrophe or a hyphen counts once, as people count.
        self.tokens().iter().filter(|token| token.spaced && token.kind != Kind::Mark).count()
    }

    /// What an explanation calls the text.
    pub(super) fn name(&self) -> &'static str {
        match self.field {
            Field::Article => "the article",
            Field::SourceColumn => "the source",
            Field::TargetColumn => "the target",
            Field::TitleFr => "the French title",
            Field::TitleEn => "the English title",
            Field::SummaryFr => "the French summary",
            Field::SummaryEn => "the English summary",
            Field::TextFr => "the French text",
            Field::TextEn => "the English text",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_article_has_the_sentences_of_its_whole_text(
            title in "([A-Z]?[a-zé]{1,6}[,:.?!]?[ «»\"(]{1,2}){1,6}[A-Z]?[a-z]{2,6}[.?!]?[»\")]?",
            body in "([A-Z]?[a-zé]{1,6}|[.?!«»\")…:,-]|[ \n]| ){0,40}",
        ) {
            let article = Article { title: title.trim().into(), body: body.trim().into(), language: Some(Lang::FR), ..Article::default() };
            let whole = Text::of_article(&article);
            let same = Text::new(Field::Article, whole.lang, whole.as_str());
            prop_assert_eq!(whole.sentences(), same.sentences());
        }
    }
}
