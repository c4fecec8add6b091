//! The input of the checks: the texts of a row, and which text was written from which.

use std::cell::OnceCell;

use super::alignment::{Bead, align};
use super::facts::TextWithFacts;
use super::text::Text;
use crate::model::{Article, Digest, Field, Lang};
use crate::plan::Glossary;

/// How the target of a pair relates to its source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Relation {
    /// It says the same in the other language.
    Translation,
    /// It says part of it, shorter.
    Summary,
}

/// A text and the text that it was written from.
#[derive(Clone, Copy)]
pub(super) struct Pair<'c> {
    pub(super) relation: Relation,
    pub(super) source: &'c TextWithFacts<'c>,
    pub(super) target: &'c TextWithFacts<'c>,
    beads: &'c OnceCell<Vec<Bead>>,
}

impl<'c> Pair<'c> {
    /// Which sentences translate which.
    pub(super) fn beads(&self) -> &'c [Bead] {
        self.beads.get_or_init(|| align(self.source, self.target))
    }
}

/// A pair's relation, its source and target as indices of the texts, and their alignment, once it is
/// computed.
struct PairPlace {
    relation: Relation,
    source: usize,
    target: usize,
    beads: OnceCell<Vec<Bead>>,
}

impl PairPlace {
    fn new(relation: Relation, source: usize, target: usize) -> Self {
        Self { relation, source, target, beads: OnceCell::new() }
    }
}

/// The texts of one row.
pub struct Context<'a> {
    texts: Vec<TextWithFacts<'a>>,
    pairs: Vec<PairPlace>,
    /// The day the article was published.
    pub(super) published: Option<jiff::civil::Date>,
    /// The length that was asked for a summary, in words.
    pub(super) words: Option<usize>,
    /// The user's glossary.
    pub(super) glossary: Option<&'a Glossary>,
}

impl<'a> Context<'a> {
    /// A row: the article, its titles and summaries of about `words` words, and its whole text in
    /// the table's two languages, empty if not kept.
    pub fn of_row(article: &'a Article, digest: &'a Digest, kept: [&'a str; 2], words: usize) -> Self {
        let published = article.published.as_deref().and_then(|published| published.get(..10)?.parse().ok());
        let mut context = Self { texts: Vec::new(), pairs: Vec::new(), published, words: Some(words), glossary: None };
        let whole = context.add(Text::of_article(article));
        let is_kept = kept.iter().any(|text| !text.is_empty());
        for (lang, kept) in Lang::TABLE.into_iter().zip(kept) {
            let (title, summary) = digest.get(lang);
            let own = article.language == Some(lang);
            context.add(Text::new(Field::title(lang), Some(lang), title).given(own));
            let summary = context.add(Text::new(Field::summary(lang), Some(lang), summary));
            let text = context.add(Text::new(Field::text(lang), Some(lang), kept).given(own));
            if own {
                context.pairs.push(PairPlace::new(Relation::Summary, whole, summary));
            } else if is_kept {
                context.pairs.push(PairPlace::new(Relation::Translation, whole, text));
            }
        }
        context.pair_languages(article.language);
        context
    }

    /// Two texts of any table: a source, and the summary or translation of it.
    pub fn of_pair(source: (&'a str, Option<Lang>), target: (&'a str, Option<Lang>), summary: bool) -> Self {
        let relation = if summary { Relation::Summary } else { Relation::Translation };
        let source = Text::new(Field::SourceColumn, source.1, source.0).given(true);
        let target = Text::new(Field::TargetColumn, target.1, target.0);
        let texts = vec![source.into(), target.into()];
        Self { texts, pairs: vec![PairPlace::new(relation, 0, 1)], published: None, words: None, glossary: None }
    }

    /// Adds the user's glossary.
    #[must_use]
    pub fn with_glossary(mut self, glossary: &'a Glossary) -> Self {
        self.glossary = Some(glossary);
        self
    }

    /// Pairs the titles and the summaries; those in the article's language are the sources.
    fn pair_languages(&mut self, language: Option<Lang>) {
        let from = if language == Some(Lang::EN) { Lang::EN } else { Lang::FR };
        let to = if from == Lang::EN { Lang::FR } else { Lang::EN };
        for of in [Field::title, Field::summary] {
            let place = |lang| self.texts.iter().position(|text| text.field == of(lang));
            if let (Some(source), Some(target)) = (place(from), place(to)) {
                self.pairs.push(PairPlace::new(Relation::Translation, source, target));
            }
        }
    }

    fn add(&mut self, text: Text<'a>) -> usize {
        self.texts.push(text.into());
        self.texts.len() - 1
    }

    /// Every text that an endpoint wrote, except empty ones.
    pub(super) fn written(&self) -> impl Iterator<Item = &Text<'a>> {
        self.texts.iter().map(|text| &**text).filter(|text| !text.given && !text.is_empty())
    }

    /// Every pair, even those with an empty text.
    pub(super) fn all_pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        self.pairs.iter().filter_map(|PairPlace { relation, source, target, beads }| {
            Some(Pair { relation: *relation, source: self.texts.get(*source)?, target: self.texts.get(*target)?, beads })
        })
    }

    /// Every pair without an empty text.
    pub(super) fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        self.all_pairs().filter(|pair| !pair.source.is_empty() && !pair.target.is_empty())
    }

    /// The pairs whose target is `text`.
    pub(super) fn pairs_of(&self, text: &Text) -> impl Iterator<Item = Pair<'_>> {
        let field = text.field;
        self.pairs().filter(move |pair| pair.target.field == field)
    }

    /// The pairs of a text and its translation.
    pub(super) fn translations(&self) -> impl Iterator<Item = Pair<'_>> {
        self.pairs().filter(|pair| pair.relation == Relation::Translation)
    }
}
