//! Removes blocks that are not part of the article from the chosen blocks.

use std::collections::HashSet;

use super::super::blocks::{Area, Block, Layout};
use super::super::element::Kind;
use super::{LONGEST_HEADING, SHORT, blocks_of, ends_like_sentence, is_within, prose};
use crate::config::Rules;
use crate::model::fold;

/// The longest block that can be an offer to subscribe.
const LONGEST_OFFER: usize = 400;
/// The longest text below the title of a teaser, and how many blocks a teaser has at most.
const LONGEST_TEASER: usize = 400;
const MOST_IN_TEASER: usize = 5;
/// The shortest text that is not repeated by chance, and the longest that is compared with others.
const SHORTEST_REPEAT: usize = 40;
const LONGEST_REPEAT: usize = 400;
/// How many blocks are searched for repeats. (The time grows with the square of it.)
const MOST_BLOCKS: usize = 300;

/// The place of the article.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) core: usize,
    /// The position of the title.
    pub(super) title: Option<usize>,
    /// The blocks after the article, by [`tails`].
    pub(super) tails: &'a [bool],
}

/// Removes the blocks that are not part of the article. Returns how many blocks come before the
/// last paywall.
pub(super) fn tidy(layout: &Layout, rules: &Rules, place: Place, chosen: &mut [bool]) -> Option<usize> {
    let Place { core, title, tails } = place;
    cut_before_title(layout, chosen, title);
    drop_teasers(layout, core, chosen);
    drop_link_lists(layout, core, tails, chosen);
    let paywall = drop_offers(layout, rules, core, chosen);
    drop_repeats(layout, chosen);
    drop_edges(layout, rules, core, chosen);
    paywall
}

/// A heading in the form in which it is compared with the rules.
pub(super) fn bare(text: &str) -> String {
    fold(text).trim_start_matches(|c: char| !c.is_alphabetic()).trim_end_matches([' ', ':', '»', '>', '…', '.']).to_owned()
}

/// Removes the blocks before the title, unless most of the prose is before it.
fn cut_before_title(layout: &Layout, chosen: &mut [bool], title: Option<usize>) {
    let Some(at) = title else { return };
    let text = |range: &[Block]| range.iter().map(prose).sum::<f64>();
    let (before, after) = layout.blocks.split_at(at);
    if text(before) < text(after) {
        chosen.iter_mut().take(at + 1).for_each(|keep| *keep = false);
    }
}

/// Removes teasers of other articles from the core: areas with a title that is a link and a sentence or
/// two. If they have more than a third of the text, they are the article.
fn drop_teasers(layout: &Layout, core: usize, chosen: &mut [bool]) {
    let alike = |one: &Area, other: &Area| one.style.is_some() && one.style == other.style && one.parent == other.parent;
    let inner = || layout.areas.iter().enumerate().filter(|(id, _)| *id != core && is_within(layout, *id, core)).map(|(_, area)| area);
    // The entries of a live blog may have links as titles, too, but some of them are long.
    let is_entry =
        |area: &Area| inner().any(|other| alike(area, other) && !blocks_of(layout, other).is_empty() && !is_teaser(layout, other));
    let teasers: Vec<(usize, usize)> = inner().filter(|area| is_teaser(layout, area) && !is_entry(area)).map(|area| area.blocks).collect();
    let length = |(from, to): (usize, usize)| -> usize {
        let blocks = layout.blocks.iter().zip(chosen.iter()).take(to).skip(from);
        blocks.filter(|(_, keep)| **keep).map(|(block, _)| block.length).sum()
    };
    let taken: usize = teasers.iter().map(|range| length(*range)).sum();
    if taken * 3 < length((0, layout.blocks.len())) {
        for (from, to) in teasers {
            chosen.iter_mut().take(to).skip(from).for_each(|keep| *keep = false);
        }
    }
}

/// Whether an area has a title that is a link, no other heading, and little text below it.
fn is_teaser(layout: &Layout, area: &Area) -> bool {
    let blocks = blocks_of(layout, area);
    let is_heading = |block: &&Block| matches!(block.kind, Kind::Heading(_));
    let is_link = |block: &Block| block.linked * 10 >= block.length * 8;
    let is_title = |block: &&Block| is_link(block) && block.length <= 2 * LONGEST_HEADING;
    let mut headings = blocks.iter().filter(is_heading).peekable();
    let titled = match headings.peek() {
        Some(_) => headings.all(|block| is_title(&block)),
        None => blocks.first().filter(is_title).is_some_and(|block| block.length >= SHORT && !ends_like_sentence(&block.text)),
    };
    let text: usize = blocks.iter().filter(|block| !is_link(block)).map(|block| block.length).sum();
    titled && (2..=MOST_IN_TEASER).contains(&blocks.len()) && (1..=LONGEST_TEASER).contains(&text)
}

/// Removes boxes that offer to subscribe or to sign in: areas of the core with such an offer and no
/// other prose. Returns how many blocks come before the last one that is a paywall.
fn drop_offers(layout: &Layout, rules: &Rules, core: usize, chosen: &mut [bool]) -> Option<usize> {
    let mut paywall = None;
    let is_offer = |block: &Block| block.length <= LONGEST_OFFER && rules.is_offer(&fold(&block.text));
    let offers: Vec<bool> = layout.blocks.iter().zip(chosen.iter()).map(|(block, keep)| *keep && is_offer(block)).collect();
    for area in layout.areas.iter().enumerate().filter(|(id, _)| !is_within(layout, core, *id)).map(|(_, area)| area) {
        let (from, to) = area.blocks;
        let range = || offers.iter().zip(&layout.blocks).take(to).skip(from);
        let is_box =
            range().any(|(offer, _)| *offer) && range().all(|(offer, block)| *offer || block.kind == Kind::Item || prose(block) < 80.0);
        if is_box {
            if range().any(|(_, block)| rules.paywall(&fold(&block.text))) {
                paywall = paywall.max(Some(from));
            }
            chosen.iter_mut().take(to).skip(from).for_each(|keep| *keep = false);
        }
    }
    paywall
}

/// Removes paragraphs that occur twice, and paragraphs that repeat a part of another paragraph,
/// such as quotations that pages show again in large letters.
fn drop_repeats(layout: &Layout, chosen: &mut [bool]) {
    let texts: Vec<Option<String>> =
        layout.blocks.iter().zip(chosen.iter()).map(|(block, keep)| keep.then(|| words(&block.text))).collect();
    if texts.iter().flatten().count() > MOST_BLOCKS {
        return;
    }
    let mut seen = HashSet::new();
    for (number, (block, keep)) in layout.blocks.iter().zip(chosen.iter_mut()).enumerate() {
        let Some(Some(text)) = texts.get(number) else { continue };
        if block.kind == Kind::Row || text.len() < SHORTEST_REPEAT {
            continue;
        }
        let repeats = |other: &String| other.len() > text.len() && other.contains(text.as_str());
        let quoted = text.len() <= LONGEST_REPEAT && texts.iter().flatten().any(repeats);
        if quoted || !seen.insert(text) {
            *keep = false;
        }
    }
}

/// The words of a text, without its punctuation.
fn words(text: &str) -> String {
    fold(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Removes lists of links, fragments, and the text after the article.
fn drop_link_lists(layout: &Layout, core: usize, tails: &[bool], chosen: &mut [bool]) {
    for (number, (block, keep)) in layout.blocks.iter().zip(chosen.iter_mut()).enumerate() {
        // A heading of the text can be a link to the subject of the text below it.
        let introduces_prose = matches!(block.kind, Kind::Heading(_))
            && block.area == core
            && layout.blocks.get(number + 1).is_some_and(|next| next.area == core && prose(next) >= 80.0);
        // A whole sentence can be a link.
        let is_sentence = block.kind == Kind::Paragraph && block.length >= 80 && block.text.ends_with('.');
        let most_links = if block.kind == Kind::Paragraph { 8 } else { 5 };
        let mostly_links = !introduces_prose && !is_sentence && block.linked * 10 > block.length * most_links;
        let most = if block.timed { 2 * SHORT } else { SHORT };
        let is_step =
            || is_numbered(&block.text) && layout.blocks.get(number + 1).is_some_and(|next| next.area == block.area && prose(next) > 0.0);
        let scrap = block.kind == Kind::Loose && block.length < most && !ends_like_sentence(&block.text) && !is_step();
        if tails.get(number) == Some(&true) || mostly_links || scrap {
            *keep = false;
        }
    }
}

/// Whether a text is a word and a number: «Étape 3».
fn is_numbered(text: &str) -> bool {
    let is_number = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once(' ')
        .is_some_and(|(word, number)| word.chars().all(char::is_alphabetic) && is_number(number.trim_end_matches([':', '.', ' '])))
}

/// Marks the blocks after a heading such as «Sur le même sujet» or «12 commentaires», up to the
/// next prose beside it.
pub(super) fn tails(layout: &Layout, rules: &Rules, title: Option<usize>) -> Vec<bool> {
    let mut tail: Option<usize> = None;
    let is_in_tail = |(number, block): (usize, &Block)| {
        let ends_tail = |tail| {
            let beside = block.area == tail && prose(block) >= 80.0 && block.linked * 10 < block.length;
            beside || !is_within(layout, block.area, tail)
        };
        if block.length < LONGEST_HEADING && rules.is_tail(&bare(&block.text)) {
            tail = Some(block.area);
        } else if title == Some(number) || tail.is_some_and(ends_tail) {
            tail = None;
        }
        tail.is_some()
    };
    layout.blocks.iter().enumerate().map(is_in_tail).collect()
}

/// Removes short pieces before the first and after the last prose: names, dates, tags. After the
/// last prose, it also removes offers to subscribe. (The line of a paywall is read later.)
fn drop_edges(layout: &Layout, rules: &Rules, core: usize, chosen: &mut [bool]) {
    let is_list = |block: &Block| block.kind == Kind::Item && block.area == core && block.linked == 0;
    let scrap = |block: &Block| {
        !matches!(block.kind, Kind::Heading(_) | Kind::Row)
            && !is_list(block)
            && !block.lede
            && block.length < 60
            && !ends_like_sentence(&block.text)
    };
    for (block, keep) in layout.blocks.iter().zip(chosen.iter_mut()).filter(|(_, keep)| **keep) {
        if !scrap(block) {
            break;
        }
        *keep = false;
    }
    let is_offer = |block: &Block| block.length <= LONGEST_OFFER && rules.is_offer(&fold(&block.text));
    for (block, keep) in layout.blocks.iter().zip(chosen.iter_mut()).rev().filter(|(_, keep)| **keep) {
        let is_paywall = rules.paywall(&fold(&block.text));
        if is_paywall || !(scrap(block) || is_offer(block)) {
            break;
        }
        *keep = false;
    }
}

/// Removes headings with no text before the next heading of the same or a higher level.
pub(super) fn drop_empty_headings(layout: &Layout, chosen: &mut [bool]) {
    let mut next = 0;
    for (block, keep) in layout.blocks.iter().zip(chosen.iter_mut()).rev().filter(|(_, keep)| **keep) {
        match block.kind {
            Kind::Heading(level) if next <= level => *keep = false,
            Kind::Heading(level) => next = level,
            _ => next = u8::MAX,
        }
    }
}
