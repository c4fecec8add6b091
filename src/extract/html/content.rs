//! Decides which blocks of a page are the article.
//!
//! The area with the most prose is the core, as in the readability algorithm: a block adds its
//! prose to the score of its own area and half as much, again and again, to the areas around it.
//! Then prose next to the core is added, and lists of links and related articles in the core are
//! removed.

mod standfirst;
mod tidy;

use std::ops::Range;

use super::blocks::{Area, Block, Caption, Frame, Layout};
use super::element::Kind;
use crate::config::Rules;
use crate::extract::non_article;
use crate::model::fold;
use tidy::Place;

/// The shortest text (in bytes) that counts as prose.
const SHORT: usize = 25;
/// The longest heading that can introduce related articles.
const LONGEST_HEADING: usize = 100;
/// The longest notice about cookies, and how many areas of one can have a higher score than the article.
const LONGEST_NOTICE: usize = 8_000;
const MOST_NOTICES: usize = 6;
/// A block adds to the scores of this many areas around it.
const MAX_DISTANCE: i32 = 5;

/// The metadata of the article.
#[derive(Clone, Copy, Default)]
pub(super) struct About<'a> {
    pub(super) title: Option<&'a str>,
    /// The heading that shows it, perhaps in other words.
    pub(super) heading: Option<&'a str>,
    /// The summary for search engines, often the lead.
    pub(super) description: Option<&'a str>,
}

/// The text of the article.
#[derive(Default)]
pub(super) struct Content {
    pub(super) paragraphs: Vec<String>,
    /// The captions of its pictures.
    pub(super) captions: Vec<String>,
    /// Whether it ends at a paywall.
    pub(super) cut: bool,
}

/// Finds the text of the article.
pub(super) fn content(layout: &Layout, rules: &Rules, about: About) -> Content {
    let title = title_position(layout, about);
    let tails = tidy::tails(layout, rules, title);
    let Some(core) = core(layout, rules, &tails).or_else(|| core(layout, rules, &[])) else { return Content::default() };
    let mut chosen = chosen(layout, rules, core, title);
    let gate = tidy::tidy(layout, rules, Place { core, title, tails: &tails }, &mut chosen).max(layout.gate);
    fill_gaps(layout, &mut chosen);
    standfirst::add(layout, rules, core, title, about.description, &mut chosen);
    tidy::drop_empty_headings(layout, &mut chosen);
    let last = chosen.iter().rposition(|keep| *keep);
    let cut = gate.is_some_and(|gate| last.is_none_or(|last| last < gate));
    let captions = captions(layout, core, title, &chosen);
    let kept = layout.blocks.iter().zip(&chosen).filter(|(_, chosen)| **chosen);
    Content { paragraphs: kept.map(|(block, _)| block.text.clone()).collect(), captions, cut }
}

/// The captions of the pictures in the article. These are between the title (or the first chosen
/// block) and the last chosen block, or below that block in the core.
fn captions(layout: &Layout, core: usize, title: Option<usize>, chosen: &[bool]) -> Vec<String> {
    let first = chosen.iter().position(|keep| *keep);
    let last = chosen.iter().rposition(|keep| *keep);
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    let first = title.map_or(first, |title| first.min(title + 1));
    let is_inside = |caption: &&Caption| {
        (first..=last).contains(&caption.before) || (caption.before == last + 1 && is_within(layout, caption.area, core))
    };
    let mut captions: Vec<String> = Vec::new();
    for caption in layout.captions.iter().filter(is_inside) {
        if !captions.contains(&caption.text) {
            captions.push(caption.text.clone());
        }
    }
    captions
}

/// How many bytes of a block are prose.
#[expect(clippy::cast_precision_loss, reason = "texts are short enough")]
fn prose(block: &Block) -> f64 {
    let sentence = || block.length > LONGEST_HEADING && ends_like_sentence(&block.text);
    if (matches!(block.kind, Kind::Heading(_)) && !sentence()) || block.length < SHORT || block.linked * 2 > block.length {
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

/// The area with the highest score. Text after the article does not count, and a notice about
/// cookies is not chosen.
fn core(layout: &Layout, rules: &Rules, tails: &[bool]) -> Option<usize> {
    let mut scores = vec![0.0; layout.areas.len()];
    for (number, block) in layout.blocks.iter().enumerate() {
        let mut area = outside_items(layout, block.area)?;
        let prose = if tails.get(number) == Some(&true) { 0.0 } else { prose(block) };
        for distance in 0..MAX_DISTANCE {
            if let Some(score) = scores.get_mut(area) {
                *score += prose * 0.5_f64.powi(distance);
            }
            let parent = outside_items(layout, layout.areas.get(area)?.parent)?;
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
    let mut weighed: Vec<(usize, f64)> = weighed.enumerate().filter(|(_, score)| *score > 0.0).collect();
    weighed.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let is_notice = |area: usize| layout.areas.get(area).is_some_and(|area| is_cookie_notice(layout, area, rules));
    let best = weighed.iter().take(MOST_NOTICES).find(|(area, _)| !is_notice(*area));
    best.or(weighed.first()).map(|(area, _)| *area)
}

/// The area itself. If the area is an item of a list, the area around the list, because an item
/// alone is not the article.
fn outside_items(layout: &Layout, mut area: usize) -> Option<usize> {
    while let Some(item) = Some(layout.areas.get(area)?).filter(|area| area.frame == Frame::Item) {
        area = item.parent;
    }
    Some(area)
}

fn is_cookie_notice(layout: &Layout, area: &Area, rules: &Rules) -> bool {
    let blocks = blocks_of(layout, area);
    let length: usize = blocks.iter().map(|block| block.length).sum();
    length <= LONGEST_NOTICE && {
        let text: Vec<String> = blocks.iter().map(|block| fold(&block.text)).collect();
        non_article::is_cookie_notice(&text.join("\n"), rules)
    }
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

/// Marks the blocks of the core, and similar blocks next to it. Goes out as far as the nearest
/// element that is an article by its name, or else the whole page.
fn chosen(layout: &Layout, rules: &Rules, core: usize, title: Option<usize>) -> Vec<bool> {
    let mut chosen = vec![false; layout.blocks.len()];
    let mut take = |(from, to): (usize, usize)| chosen.iter_mut().take(to).skip(from).for_each(|keep| *keep = true);
    let Some(area) = layout.areas.get(core) else { return Vec::new() };
    take(area.blocks);
    let prose_of = |area: &Area| blocks_of(layout, area).iter().map(prose).sum::<f64>();
    let (mut inner, mut at, mut steps) = (core, area, 0);
    while (at.frame == Frame::Other || is_entry(layout, inner, title)) && at.parent != inner {
        let outer = at.parent;
        let Some(around) = layout.areas.get(outer) else { break };
        for (number, block) in layout.blocks.iter().enumerate().take(around.blocks.1).skip(around.blocks.0) {
            if block.area == outer && joins(block, number < area.blocks.0) {
                take((number, number + 1));
            }
        }
        let style = layout.areas.get(inner).and_then(|area| area.style);
        // Farther out, an area needs more text to belong: pages are full of small boxes with text.
        // This does not apply in the area that the page calls the text of the article.
        let least = if steps == 0 || around.content { 80.0 } else { (prose_of(area) * 0.2).max(80.0) };
        let headed = (prose_of(area) * 0.5).max(80.0);
        for (number, beside) in layout.areas.iter().enumerate().skip(outer + 1) {
            if beside.blocks.0 >= around.blocks.1 {
                break;
            }
            let same_style = style.is_some() && beside.style == style;
            let before = beside.blocks.1 <= area.blocks.0;
            let needed = Needed { same_style, least, headed };
            if beside.parent == outer && number != inner && continues_core(layout, rules, beside, before, needed) {
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

/// The conditions for an area next to the core to belong to it.
#[derive(Clone, Copy)]
struct Needed {
    /// It has the same class as the core.
    same_style: bool,
    /// The least prose, and the least of an area with headings.
    least: f64,
    headed: f64,
}

/// Whether an area next to the core continues it. It must be prose with few links, and not a list
/// of articles, whose headings are links. An area with the same class as the core needs little
/// text. An area of another class after the core must not have a heading, unless it has much text,
/// like the entries of a live blog.
#[expect(clippy::cast_precision_loss, reason = "texts are short enough")]
fn continues_core(layout: &Layout, rules: &Rules, area: &Area, before: bool, needed: Needed) -> bool {
    let Needed { same_style, least, headed } = needed;
    let blocks = blocks_of(layout, area);
    let all: usize = blocks.iter().map(|block| block.length).sum();
    if before && blocks.iter().all(|block| block.lede) && all > SHORT {
        return links(layout, area) < 0.25;
    }
    let text: f64 = blocks.iter().map(prose).sum();
    let mut headings = blocks.iter().filter(|block| matches!(block.kind, Kind::Heading(_)));
    let is_foreign = |block: &Block| block.linked * 2 > block.length || rules.is_tail(&tidy::bare(&block.text));
    let has_foreign_heading = if same_style || before || text >= headed { headings.any(is_foreign) } else { headings.next().is_some() };
    let most_links = if same_style { 0.5 } else { 0.25 };
    if same_style && !has_foreign_heading && blocks.iter().all(|block| block.linked == 0) && all > SHORT {
        return true;
    }
    !has_foreign_heading
        && links(layout, area) < most_links
        && text >= if same_style { SHORT as f64 } else { least }
        && text > all as f64 * 0.5
}

/// Whether an `article` is one of several entries below a common title: others of the same class
/// are next to it, and have text of their own.
fn is_entry(layout: &Layout, number: usize, title: Option<usize>) -> bool {
    let Some(area) = layout.areas.get(number).filter(|area| area.frame == Frame::Article && area.style.is_some()) else { return false };
    let headed = |area: &Area| blocks_of(layout, area).iter().any(|block| matches!(block.kind, Kind::Heading(_)) && block.linked > 0);
    let alike = layout
        .areas
        .iter()
        .enumerate()
        .filter(|(other, beside)| *other != number && beside.parent == area.parent && beside.style == area.style && !headed(beside));
    title.is_some_and(|title| title < area.blocks.0) && !headed(area) && alike.count() > 0
}

/// Adds short blocks without links between chosen blocks, if their areas have the same class: they
/// are headings without the markup of a heading.
fn fill_gaps(layout: &Layout, chosen: &mut [bool]) {
    let style = |block: &Block| {
        let mut area = block.area;
        loop {
            let here = layout.areas.get(area)?;
            if here.style.is_some() || here.parent == area {
                return here.style;
            }
            area = here.parent;
        }
    };
    let kept: Vec<usize> = chosen.iter().enumerate().filter(|(_, keep)| **keep).map(|(number, _)| number).collect();
    for pair in kept.windows(2) {
        let [before, after] = pair else { continue };
        let (Some(first), Some(last)) = (layout.blocks.get(*before), layout.blocks.get(*after)) else { continue };
        let wanted = style(first);
        let gap = layout.blocks.get(before + 1..*after).unwrap_or_default();
        let fits = |block: &Block| block.kind == Kind::Paragraph && block.linked == 0 && style(block) == wanted;
        if wanted.is_some() && wanted == style(last) && gap.len() <= 2 && gap.iter().all(fits) {
            chosen.iter_mut().take(*after).skip(before + 1).for_each(|keep| *keep = true);
        }
    }
}

/// The position of the heading that is the title. It may have badges besides.
fn title_position(layout: &Layout, about: About) -> Option<usize> {
    let titles: Vec<String> = [about.heading, about.title].into_iter().flatten().map(fold).collect();
    let place = |fits: &dyn Fn(&str, &str) -> bool| {
        layout.blocks.iter().position(|block| {
            let text = fold(&block.text);
            matches!(block.kind, Kind::Heading(1..=3)) && titles.iter().any(|title| fits(&text, title))
        })
    };
    let contains = |text: &str, title: &str| text.contains(title) && text.len() < 2 * title.len();
    place(&|text, title| text == title).or_else(|| place(&contains))
}

fn is_within(layout: &Layout, mut area: usize, outer: usize) -> bool {
    while area > outer {
        let Some(parent) = layout.areas.get(area).map(|area| area.parent) else { return false };
        area = parent;
    }
    area == outer
}
