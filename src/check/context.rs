//! What the checks look at: the texts of a row, and which was made from which.

use super::text::Text;
use crate::model::{Article, Digest, Field, Lang};
use crate::plan::Glossary;

/// How a text came from another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Relation {
    /// It says the same in the other language: nothing more, nothing less.
    Translation,
    /// It says some of it, shorter.
    Summary,
}

/// A text and what it was made from.
#[derive(Clone, Copy)]
pub(super) struct Pair<'c> {
    pub(super) relation: Relation,
    pub(super) source: &'c Text<'c>,
    pub(super) target: &'c Text<'c>,
}

/// The texts of one row.
pub struct Context<'a> {
    texts: Vec<Text<'a>>,
    pairs: Vec<(Relation, usize, usize)>,
    /// The day the article was published.
    pub(super) published: Option<jiff::civil::Date>,
    /// The length of a summary that was asked for, in words.
    pub(super) words: Option<usize>,
    /// The user's glossary.
    pub(super) glossary: Option<&'a Glossary>,
}

impl<'a> Context<'a> {
    /// A row: the article, what was made of it in about `words` words, and the whole texts in the table's two languages where they are kept.
    pub fn of_row(article: &'a Article, digest: &'a Digest, kept: [&'a str; 2], words: usize) -> Self {
        let published = article.published.as_deref().and_then(|published| published.get(..10)?.parse().ok());
        let mut context = Self { texts: Vec::new(), pairs: Vec::new(), published, words: Some(words), glossary: None };
        let whole = context.add(Text::of_article(article));
        for (lang, kept) in Lang::TABLE.into_iter().zip(kept) {
            let (title, summary) = digest.get(lang);
            let own = article.language == Some(lang);
            context.add(Text::new(Field::title(lang), Some(lang), title).given(own));
            let summary = context.add(Text::new(Field::summary(lang), Some(lang), summary));
            let text = context.add(Text::new(Field::text(lang), Some(lang), kept).given(own));
            if own {
                context.pairs.push((Relation::Summary, whole, summary));
            } else {
                context.pairs.push((Relation::Translation, whole, text));
            }
        }
        context.pair_languages(article.language);
        context
    }

    /// A text of a table that somebody else made, and what it was made from.
    pub fn of_pair(source: (&'a str, Option<Lang>), target: (&'a str, Option<Lang>), summary: bool) -> Self {
        let relation = if summary { Relation::Summary } else { Relation::Translation };
        let texts = vec![Text::new(Field::Source, source.1, source.0).given(true), Text::new(Field::Target, target.1, target.0)];
        Self { texts, pairs: vec![(relation, 0, 1)], published: None, words: None, glossary: None }
    }

    /// The same, where there is a glossary.
    #[must_use]
    pub fn with_glossary(mut self, glossary: &'a Glossary) -> Self {
        self.glossary = Some(glossary);
        self
    }

    /// Titles and summaries in the two languages say the same: that in the article's language is what the other was made from.
    fn pair_languages(&mut self, language: Option<Lang>) {
        let from = if language == Some(Lang::EN) { Lang::EN } else { Lang::FR };
        let to = if from == Lang::EN { Lang::FR } else { Lang::EN };
        for of in [Field::title, Field::summary] {
            let place = |lang| self.texts.iter().position(|text| text.field == of(lang));
            if let (Some(source), Some(target)) = (place(from), place(to)) {
                self.pairs.push((Relation::Translation, source, target));
            }
        }
    }

    fn add(&mut self, text: Text<'a>) -> usize {
        self.texts.push(text);
        self.texts.len() - 1
    }

    /// Every text that somebody made and that is not empty.
    pub(super) fn made(&self) -> impl Iterator<Item = &Text<'a>> {
        self.texts.iter().filter(|text| !text.given && !text.is_empty())
    }

    /// Every two texts of which one was made from the other.
    pub(super) fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        self.pairs
            .iter()
            .filter_map(|(relation, source, target)| {
                Some(Pair { relation: *relation, source: self.texts.get(*source)?, target: self.texts.get(*target)? })
            })
            .filter(|pair| !pair.source.is_empty() && !pair.target.is_empty())
    }

    /// The pairs of which one is the translation of the other.
    pub(super) fn translations(&self) -> impl Iterator<Item = Pair<'_>> {
        self.pairs().filter(|pair| pair.relation == Relation::Translation)
    }
}
