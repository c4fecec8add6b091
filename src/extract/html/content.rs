//! Decides which blocks of a page are the article.
//!
//! The area with the most prose is the core, as in the readability algorithm: a block adds its
//! prose to the score of its own area and half as much, again and again, to the areas around it.
//! Then prose next to the core is added, and lists of links and related articles in the core are
//! removed.

use std::ops::Range;

use super::blocks::{Area, Block, Frame, Layout};
use super::element::Kind;
use crate::config::Rules;
use crate::model::fold;

/// The shortest text (in bytes) that counts as prose.
const SHORT: usize = 25;
/// The longest heading that can introduce related articles.
const LONGEST_HEADING: usize = 100;
/// How many areas around it a block adds to the score of.
const MAX_DISTANCE: i32 = 5;

/// The paragraphs of the article.
pub(super) fn content(layout: &Layout, rules: &Rules, title: Option<&str>) -> Vec<String> {
    let Some(core) = core(layout) else { return Vec::new() };
    let title = title.and_then(|title| title_position(layout, title));
    let mut chosen = chosen(layout, core, title);
    cut_before_title(layout, &mut chosen, title);
    drop_link_lists(layout, rules, &mut chosen);
    drop_edges(layout, &mut chosen);
    drop_empty_headings(layout, &mut chosen);
    let kept = layout.blocks.iter().zip(&chosen).filter(|(_, chosen)| **chosen);
    kept.map(|(block, _)| block.text.clone()).collect()
}

/// How many bytes of a block are prose.
#[expect(clippy::cast_precision_loss, reason = "texts are short enough")]
fn prose(block: &Block) -> f64 {
    if matches!(block.kind, Kind::Heading(_)) || block.length < SHORT || block.linked * 2 > block.length {
        return 0.0;
    }
    let closed = ends_like_sentence(&block.text) || block.text.contains(". ");
    let weight = match (block.kind, closed) {
        (Kind::Item, false) => 0.1,
        (Kind::Item, true) => 0.5,
        (_, false) => 0.25,
        (_, true) => 1.0,
    };
    (block.length - block.linked) as f64 * weight
}

/// Whether a text ends like a sentence.
fn ends_like_sentence(text: &str) -> bool {
    text.trim_end_matches(['"', '»', '”', ')', ' ', '\u{a0}', '\u{202f}', '\'', '’']).ends_with(['.', '!', '?', '…', ':'])
}

/// The area with the highest score.
fn core(layout: &Layout) -> Option<usize> {
    let mut scores = vec![0.0; layout.areas.len()];
    for block in &layout.blocks {
        let mut area = block.area;
        for distance in 0..MAX_DISTANCE {
            if let Some(score) = scores.get_mut(area) {
                *score += prose(block) * 0.5_f64.powi(distance);
            }
            let parent = layout.areas.get(area)?.parent;
            if parent == area {
                break;
            }
            area = parent;
        }
    }
    let weighed = layout.areas.iter().zip(&scores).map(|(area, score)| {
        let hint = if area.content || area.frame == Frame::Article { 1.3 } else { 1.0 };
        score * hint * (1.0 - links(layout, area))
    });
    let best = weighed.enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
    best.filter(|(_, score)| *score > 0.0).map(|(area, _)| area)
}

fn blocks_of<'a>(layout: &'a Layout, area: &Area) -> &'a [Block] {
    layout.blocks.get(area.blocks.0..area.blocks.1).unwrap_or_default()
}

/// The share of an area's text that is links.
#[expect(clippy::cast_precision_loss, reason = "texts are short enough")]
fn links(layout: &Layout, area: &Area) -> f64 {
    let (all, linked) = blocks_of(layout, area).iter().fold((0, 0), |(all, linked), block| (all + block.length, linked + block.linked));
    linked as f64 / all.max(1) as f64
}

/// Marks the blocks of the core, and similar blocks next to it, out to the nearest element that is
/// an article by its name, or to the page.
fn chosen(layout: &Layout, core: usize, title: Option<usize>) -> Vec<bool> {
    let mut chosen = vec![false; layout.blocks.len()];
    let mut take = |(from, to): (usize, usize)| chosen.iter_mut().take(to).skip(from).for_each(|keep| *keep = true);
    let Some(area) = layout.areas.get(core) else { return Vec::new() };
    take(area.blocks);
    let prose_of = |area: &Area| blocks_of(layout, area).iter().map(prose).sum::<f64>();
    let (mut inner, mut at, mut steps) = (core, area, 0);
    while at.frame == Frame::Other && at.parent != inner {
        let outer = at.parent;
        let Some(around) = layout.areas.get(outer) else { break };
        for (number, block) in layout.blocks.iter().enumerate().take(around.blocks.1).skip(around.blocks.0) {
            if block.area == outer && joins(block, number < area.blocks.0) {
                take((number, number + 1));
            }
        }
        let style = layout.areas.get(inner).and_then(|area| area.style);
        // Farther out, an area needs more text to belong: pages are full of small boxes with text.
        let least = if steps == 0 { 80.0 } else { (prose_of(area) * 0.2).max(80.0) };
        for (number, beside) in layout.areas.iter().enumerate().skip(outer + 1) {
            if beside.blocks.0 >= around.blocks.1 {
                break;
            }
            let same_style = style.is_some() && beside.style == style;
            let before = beside.blocks.1 <= area.blocks.0;
            if beside.parent == outer && number != inner && continues_core(layout, beside, before, same_style, least) {
                take(beside.blocks);
            }
        }
        (inner, at) = (outer, around);
        steps += 1;
        if steps == MAX_DISTANCE {
            break;
        }
    }
    let from = title.unwrap_or(at.blocks.0);
    take_ledes(layout, from..area.blocks.0, &mut chosen);
    take_headings(layout, core, &mut chosen);
    chosen
}

/// Adds the leads among `blocks`.
fn take_ledes(layout: &Layout, blocks: Range<usize>, chosen: &mut [bool]) {
    for (block, keep) in layout.blocks.iter().zip(chosen.iter_mut()).take(blocks.end).skip(blocks.start) {
        *keep |= block.lede && block.length > SHORT && block.linked * 4 <= block.length;
    }
}

/// Adds a heading right before a chosen block, if its area contains the core.
fn take_headings(layout: &Layout, core: usize, chosen: &mut [bool]) {
    let mut next = false;
    for (block, keep) in layout.blocks.iter().zip(chosen.iter_mut()).rev() {
        *keep |= next && matches!(block.kind, Kind::Heading(_)) && is_within(layout, core, block.area);
        next = *keep;
    }
}

/// Whether a block next to the core belongs to it.
fn joins(block: &Block, before: bool) -> bool {
    let few_links = block.linked * 4 <= block.length;
    few_links && (prose(block) >= 80.0 || (before && block.lede && block.length > SHORT))
}

/// Whether an area next to the core continues it: prose with few links, and not a list of articles,
/// whose headings are links. An area with the same class as the core needs little text; an area of
/// another class after the core must not have a heading.
#[expect(clippy::cast_precision_loss, reason = "texts are short enough")]
fn continues_core(layout: &Layout, area: &Area, before: bool, same_style: bool, least: f64) -> bool {
    let blocks = blocks_of(layout, area);
    let all: usize = blocks.iter().map(|block| block.length).sum();
    if before && blocks.iter().all(|block| block.lede) && all > SHORT {
        return links(layout, area) < 0.25;
    }
    let mut headings = blocks.iter().filter(|block| matches!(block.kind, Kind::Heading(_)));
    let has_foreign_heading =
        if same_style || before { headings.any(|block| block.linked * 2 > block.length) } else { headings.next().is_some() };
    let text: f64 = blocks.iter().map(prose).sum();
    !has_foreign_heading && links(layout, area) < 0.25 && text >= if same_style { SHORT as f64 } else { least } && text > all as f64 * 0.5
}

/// The position of the heading that is the title.
fn title_position(layout: &Layout, title: &str) -> Option<usize> {
    let title = fold(title);
    layout.blocks.iter().position(|block| matches!(block.kind, Kind::Heading(1..=3)) && fold(&block.text) == title)
}

/// Removes what comes before the title, unless most of the prose does.
fn cut_before_title(layout: &Layout, chosen: &mut [bool], title: Option<usize>) {
    let Some(at) = title else { return };
    let text = |range: &[Block]| range.iter().map(prose).sum::<f64>();
    let (before, after) = layout.blocks.split_at(at);
    if text(before) < text(after) {
        chosen.iter_mut().take(at + 1).for_each(|keep| *keep = false);
    }
}

/// Removes lists of links, and what follows a heading such as «Sur le même sujet» up to the next
/// prose beside it.
fn drop_link_lists(layout: &Layout, rules: &Rules, chosen: &mut [bool]) {
    let mut tail: Option<usize> = None;
    for (block, keep) in layout.blocks.iter().zip(chosen.iter_mut()) {
        let mostly_links = block.linked * 10 > block.length * if block.kind == Kind::Paragraph { 8 } else { 5 };
        let ends_tail = |tail| {
            let beside = block.area == tail && prose(block) >= 80.0 && block.linked * 10 < block.length;
            beside || !is_within(layout, block.area, tail)
        };
        if block.length < LONGEST_HEADING && rules.is_tail(&bare(&block.text)) {
            tail = Some(block.area);
        } else if tail.is_some_and(ends_tail) {
            tail = None;
        }
        let scrap = block.kind == Kind::Loose && block.length < SHORT && !ends_like_sentence(&block.text);
        if tail.is_some() || mostly_links || scrap {
            *keep = false;
        }
    }
}

/// A heading in the form in which it is compared with the rules.
fn bare(text: &str) -> String {
    fold(text).trim_start_matches(|c: char| !c.is_alphanumeric()).trim_end_matches([' ', ':', '»', '>', '…', '.']).to_owned()
}

fn is_within(layout: &Layout, mut area: usize, outer: usize) -> bool {
    while area > outer {
        let Some(parent) = layout.areas.get(area).map(|area| area.parent) else { return false };
        area = parent;
    }
    area == outer
}

/// Removes short pieces before the first and after the last prose: names, dates, tags.
fn drop_edges(layout: &Layout, chosen: &mut [bool]) {
    let scrap =
        |block: &Block| !matches!(block.kind, Kind::Heading(_)) && !block.lede && block.length < 60 && !ends_like_sentence(&block.text);
    for (block, keep) in layout.blocks.iter().zip(chosen.iter_mut()).filter(|(_, keep)| **keep) {
        if !scrap(block) {
            break;
        }
        *keep = false;
    }
    for (block, keep) in layout.blocks.iter().zip(chosen.iter_mut()).rev().filter(|(_, keep)| **keep) {
        if !scrap(block) {
            break;
        }
        *keep = false;
    }
}

/// Removes headings with no text before the next heading of the same or a higher level.
fn drop_empty_headings(layout: &Layout, chosen: &mut [bool]) {
    let mut next = 0;
    for (block, keep) in layout.blocks.iter().zip(chosen.iter_mut()).rev().filter(|(_, keep)| **keep) {
        match block.kind {
            Kind::Heading(level) if next <= level => *keep = false,
            Kind::Heading(level) => next = level,
            _ => next = u8::MAX,
        }
    }
}
