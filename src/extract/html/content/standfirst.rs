//! Finds the standfirst: the sentence or two between title and text that sum the article up.

use super::super::blocks::{Block, Frame, Layout};
use super::super::element::Kind;
use super::{ends_like_sentence, is_within, tidy};
use crate::config::Rules;
use crate::extract::date;
use crate::extract::word_count::count_words;

/// The shortest and the longest standfirst, in bytes.
const SHORTEST: usize = 45;
const LONGEST: usize = 700;
const FEWEST_WORDS: usize = 7;
/// How many blocks can be between the title and the standfirst.
const FARTHEST: usize = 4;
/// How many words of the description a standfirst begins with.
const SAME_WORDS: usize = 6;

/// Adds the standfirst to the chosen blocks: the text that is also in the page's `description`, or
/// else the first sentence after the title in the element of the article.
pub(super) fn add(layout: &Layout, rules: &Rules, core: usize, title: Option<usize>, description: Option<&str>, chosen: &mut [bool]) {
    let Some(first) = layout.blocks.iter().zip(chosen.iter()).position(|(block, keep)| *keep && !matches!(block.kind, Kind::Heading(_)))
    else {
        return;
    };
    let start = title.map_or(0, |title| title + 1);
    if start > first {
        return;
    }
    let candidates = || layout.blocks.iter().enumerate().take(first).skip(start);
    let described = description.map(beginning).filter(|words| !words.is_empty());
    let by_description =
        candidates().find(|(_, block)| fits(block, rules) && described.as_ref().is_some_and(|words| *words == beginning(&block.text)));
    let frame = title.and_then(|title| frame(layout, core, title));
    let by_place = || {
        let near = candidates().take(if title.is_some() { FARTHEST } else { 0 });
        near.filter(|(_, block)| frame.is_some_and(|frame| is_within(layout, block.area, frame))).find(|(_, block)| fits(block, rules))
    };
    // A sentence right below the title, in the same element: the page need not say that it is an article.
    let by_title = || {
        let area = layout.blocks.get(title?)?.area;
        candidates().next().filter(|(_, block)| block.area == area && fits(block, rules) && ends_like_sentence(&block.text))
    };
    if candidates().any(|(number, _)| chosen.get(number) == Some(&true)) {
        return;
    }
    if let Some(keep) = by_description.or_else(by_place).or_else(by_title).and_then(|(number, _)| chosen.get_mut(number)) {
        *keep = true;
    }
}

/// Whether a block can be a standfirst: a sentence with hardly a link, and not a byline or a date.
fn fits(block: &Block, rules: &Rules) -> bool {
    let kind = matches!(block.kind, Kind::Paragraph | Kind::Loose | Kind::Heading(2..=4));
    let long = (SHORTEST..=LONGEST).contains(&block.length) && count_words(&block.text) >= FEWEST_WORDS;
    let whole = ends_like_sentence(&block.text) || block.length >= 60;
    kind && long && whole && block.linked * 4 <= block.length && !rules.is_tail(&tidy::bare(&block.text)) && !is_about_date(&block.text)
}

fn is_about_date(text: &str) -> bool {
    text.len() < 200 && date::labelled(text, true).is_some()
}

/// The first words of a text, without punctuation.
fn beginning(text: &str) -> Vec<String> {
    let folded = crate::model::fold(text);
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(SAME_WORDS).map(str::to_owned).collect()
}

/// The element around core and title that is an article or the main part of the page.
fn frame(layout: &Layout, core: usize, title: usize) -> Option<usize> {
    let title = layout.blocks.get(title)?.area;
    let mut at = core;
    loop {
        let area = layout.areas.get(at)?;
        if matches!(area.frame, Frame::Article | Frame::Main) && is_within(layout, title, at) {
            return Some(at);
        }
        if area.parent == at {
            return None;
        }
        at = area.parent;
    }
}
