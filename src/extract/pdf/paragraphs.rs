//! Lines become paragraphs: words that a line end divides are joined, footnotes are left out.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::layout::{Line, usual};
use crate::extract::word_list::entries;
use crate::extract::written::{self, Block, Role};
use crate::model::fold;

/// A title is larger than the text by the first factor, a heading by the second.
const TITLE: f32 = 1.25;
const HEADING: f32 = 1.12;
/// The headline of an article on a page with several is larger than the text by this factor, and this
/// many words of text follow it.
const HEADLINE: f32 = 1.4;
const FEWEST_TEXT_WORDS: usize = 50;
/// Footnotes are smaller than the text by this factor.
const FOOTNOTE: f32 = 0.9;
/// The distance of two lines of a paragraph is at most this many times the usual one.
const LEADING: f32 = 1.3;
/// A line that is indented by this many sizes starts a paragraph.
const INDENT: f32 = 0.7;
/// A line within a sentence that leaves this part of its column's width empty, and room for the
/// next word, ends a paragraph too: a byline, a line of an address.
const SHORT: f32 = 0.25;
/// The characters that divide a word at a line end.
const HYPHENS: [char; 3] = ['-', '\u{ad}', '\u{2010}'];
/// The longest heading, in words.
const LONGEST_HEADING: usize = 20;

/// Words that keep their hyphen at a line end: the parts before the hyphen, and the parts after it.
static BEFORE: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("hyphen_before.txt")).collect());
static BEHIND: LazyLock<HashSet<&str>> = LazyLock::new(|| entries(include_str!("hyphen_behind.txt")).collect());

/// The paragraphs of a document, from the lines of its pages.
pub(super) fn blocks(pages: Vec<Vec<Line>>) -> Vec<Block> {
    let body = usual(pages.iter().flatten().map(|line| (line.size, line.letters())));
    let pages: Vec<Vec<Line>> = pages.into_iter().map(|lines| without_footnotes(lines, body)).collect();
    let largest = pages.first().into_iter().flatten().filter(|line| line.letters() > 2).map(|line| line.size).fold(0.0, f32::max);
    let title = (largest >= TITLE * body).then_some(largest);
    let compounds = compounds(&pages);
    let mut writer = Writer { body, title, compounds, blocks: Vec::new(), open: None };
    for (number, page) in pages.iter().enumerate() {
        let mut start = 0;
        while let Some(first) = page.get(start) {
            let length = page.iter().skip(start).take_while(|line| line.column == first.column).count();
            writer.column(page.get(start..start + length).unwrap_or_default(), number == 0);
            start += length.max(1);
        }
    }
    writer.close();
    writer.blocks
}

/// Whether a page of several columns has more than one headline with text below it, as a page of a
/// newspaper does. A quotation in large letters is no headline.
pub(super) fn have_several_articles(pages: &[Vec<Line>]) -> bool {
    let body = usual(pages.iter().flatten().map(|line| (line.size, line.letters())));
    pages.iter().any(|page| {
        let is_large = |line: &Line| line.size >= HEADLINE * body;
        let (mut articles, mut words, mut headline) = (0, 0, String::new());
        for lines in page.chunk_by(|one, other| is_large(one) == is_large(other)) {
            if lines.first().is_some_and(is_large) {
                let text = lines.iter().map(Line::text).collect::<Vec<_>>().join(" ");
                let is_headline = text.split_whitespace().count() > 2 && !text.starts_with(['«', '“', '"']) && !text.ends_with('.');
                if is_headline {
                    (words, headline) = (0, text);
                }
                continue;
            }
            words += lines.iter().map(|line| line.words.len()).sum::<usize>();
            if words >= FEWEST_TEXT_WORDS && !headline.is_empty() {
                articles += 1;
                headline.clear();
            }
        }
        let has_columns = page.windows(2).any(|pair| matches!(pair, [one, other] if one.column != other.column));
        has_columns && articles > 1
    })
}

/// The words that have a hyphen inside a line. They keep it at a line end too.
fn compounds(pages: &[Vec<Line>]) -> HashSet<String> {
    let words = pages.iter().flatten().flat_map(|line| line.words.iter().rev().skip(1));
    let trimmed = words.map(|word| word.text.trim_matches(|c: char| !c.is_alphanumeric()));
    trimmed.filter(|word| word.contains('-')).map(fold).collect()
}

/// The lines without the footnotes at the end of a column: smaller lines, of which the first starts
/// with a number or a sign.
fn without_footnotes(mut lines: Vec<Line>, body: f32) -> Vec<Line> {
    let is_small = |line: &Line| line.size <= FOOTNOTE * body;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let column = line.column;
        let is_note = is_small(line) && starts_note(line);
        let rest = lines.iter().skip(at).take_while(|line| line.column == column);
        if is_note && rest.clone().all(is_small) {
            let count = rest.count();
            lines.drain(at..at + count);
        } else {
            at += 1;
        }
    }
    lines
}

fn starts_note(line: &Line) -> bool {
    let Some(first) = line.words.first() else { return false };
    let mark: String = first.text.chars().take_while(|c| !c.is_alphabetic()).collect();
    let inner = mark.trim_matches(['(', ')', '[', ']', '.', ' ']);
    !inner.is_empty() && inner.chars().count() <= 3 && inner.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '†' | '‡' | '§'))
}

struct Writer {
    /// The size of the running text.
    body: f32,
    /// The size of the title.
    title: Option<f32>,
    compounds: HashSet<String>,
    blocks: Vec<Block>,
    open: Option<Paragraph>,
}

/// A paragraph that may continue.
struct Paragraph {
    role: Role,
    line: written::Line,
    size: f32,
    is_bold: bool,
    /// The room that its last line left in the column.
    room: f32,
}

impl Writer {
    fn column(&mut self, lines: &[Line], is_first_page: bool) {
        let left = common_left(lines);
        let right = right(lines, self.body);
        let leading = leading(lines);
        for (number, line) in lines.iter().enumerate() {
            let before = number.checked_sub(1).and_then(|before| lines.get(before));
            let role = self.role(line, is_first_page);
            let text = line.text();
            let is_table = is_table_row(lines, number);
            let is_near = before.is_none_or(|before| before.base - line.base <= LEADING * leading.max(line.size));
            let is_indented =
                line.left - left > INDENT * line.size && before.is_none_or(|before| line.left - before.left > INDENT * line.size);
            let goes_on = self.open.as_ref().is_some_and(|open| {
                let alike = open.role == role
                    && (open.size - line.size).abs() < 0.06 * line.size
                    && (role == Role::Text || open.is_bold == line.is_bold());
                let is_continued = before.is_some() || continues(open.line.text(), &text);
                let may_end = before.is_some() && has_ended(open, line, right - left);
                let starts =
                    starts_item(&text) || is_indented && !starts_item(open.line.text()) && !continues_sentence(open.line.text(), &text);
                alike && !is_table && is_near && is_continued && (role != Role::Text || !may_end && !starts)
            });
            if !goes_on {
                self.close();
            }
            if is_table {
                self.row(line);
                continue;
            }
            self.add(line, role, right - line.right);
        }
    }

    fn role(&self, line: &Line, is_first_page: bool) -> Role {
        let is_title = is_first_page && self.title.is_some_and(|size| line.size >= 0.95 * size) && !self.blocks.iter().any(is_text);
        let is_heading = line.size >= HEADING * self.body && line.words.len() <= LONGEST_HEADING;
        match () {
            () if is_title => Role::Title,
            () if is_heading => Role::Heading,
            () => Role::Text,
        }
    }

    fn row(&mut self, line: &Line) {
        let cells = line.cells().into_iter().map(|words| {
            let mut cell = written::Line::default();
            for word in words {
                if word.is_raised {
                    cell.raise(&word.text);
                } else {
                    cell.push(if cell.is_blank() { "" } else { " " });
                    cell.push(&word.text);
                }
            }
            cell
        });
        self.blocks.push(Block::Row(cells.collect()));
    }

    fn add(&mut self, line: &Line, role: Role, room: f32) {
        let mut open = self.open.take().unwrap_or_else(|| Paragraph {
            role,
            line: written::Line::default(),
            size: line.size,
            is_bold: line.is_bold(),
            room,
        });
        for (number, word) in line.words.iter().enumerate() {
            let joined = number == 0 && !word.is_raised && self.join(&mut open.line, &word.text);
            let touches = number
                .checked_sub(1)
                .and_then(|before| line.words.get(before))
                .is_some_and(|before| word.left - before.right < 0.17 * line.size);
            if !joined && !open.line.is_blank() && !word.is_raised && !touches {
                open.line.push(" ");
            }
            if word.is_raised {
                open.line.raise(&word.text);
            } else {
                open.line.push(word.text.trim_matches('\u{ad}'));
            }
            if word.text.ends_with('\u{ad}') && number + 1 == line.words.len() {
                open.line.push("\u{ad}");
            }
        }
        open.room = room;
        self.open = Some(open);
    }

    /// Whether the first word of a line continues the last word of the line before it. Then the
    /// hyphen is removed, unless it belongs to the word.
    fn join(&self, line: &mut written::Line, next: &str) -> bool {
        let text = line.text();
        let last = text.rsplit(char::is_whitespace).next().unwrap_or_default();
        let Some(hyphen) = last.chars().next_back().filter(|c| HYPHENS.contains(c)) else { return false };
        let start = last.trim_end_matches(hyphen);
        if !start.ends_with(char::is_alphanumeric) {
            return false;
        }
        let belongs = hyphen != '\u{ad}' && self.keeps_hyphen(start, next);
        if !belongs {
            line.pop(hyphen);
        }
        true
    }

    fn keeps_hyphen(&self, start: &str, next: &str) -> bool {
        let next: String = next.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '’' | '\'')).collect();
        let (start, behind) = (fold(start.trim_start_matches(|c: char| !c.is_alphanumeric())), fold(&next));
        let whole = format!("{start}-{}", behind.trim_end_matches(['’', '\'', '-']));
        let first = behind.split(['-', '\'', '’']).next().unwrap_or_default();
        let before = start.rsplit(['-', '\'', '’']).next().unwrap_or_default();
        !next.starts_with(char::is_lowercase) || self.compounds.contains(&whole) || BEFORE.contains(before) || BEHIND.contains(first)
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.blocks.push(Block::Paragraph(open.role, open.line));
        }
    }
}

/// Whether a line is a row of a table: a line beside it has a gap at the same place.
fn is_table_row(lines: &[Line], number: usize) -> bool {
    let Some(line) = lines.get(number) else { return false };
    let beside = [number.checked_sub(1), number.checked_add(1)].into_iter().flatten().filter_map(|number| lines.get(number));
    beside.into_iter().any(|other| line.is_row_like(other))
}

/// Where most lines of a column start.
fn common_left(lines: &[Line]) -> f32 {
    let least = lines.iter().map(|line| line.left).fold(f32::MAX, f32::min);
    // The first lines of a column are enough to find out.
    let lines = lines.get(..lines.len().min(200)).unwrap_or_default();
    let near = |left: f32| lines.iter().filter(|line| (line.left - left).abs() < 1.0).count();
    lines.iter().map(|line| line.left).max_by_key(|left| near(*left)).filter(|left| near(*left) > 1).unwrap_or(least)
}

/// Where the longest line of a column ends. A title in it may be wider than the text.
fn right(lines: &[Line], body: f32) -> f32 {
    let end = |lines: &mut dyn Iterator<Item = &Line>| lines.map(|line| line.right).fold(f32::MIN, f32::max);
    let of_text = end(&mut lines.iter().filter(|line| line.size < HEADING * body));
    if of_text > f32::MIN { of_text } else { end(&mut lines.iter()) }
}

/// The usual distance of two lines.
fn leading(lines: &[Line]) -> f32 {
    let distances = lines.windows(2).filter_map(|pair| match pair {
        [one, other] => Some(one.base - other.base).filter(|distance| *distance > 0.5 * other.size && *distance < 3.0 * other.size),
        _ => None,
    });
    usual(distances.map(|distance| (distance, 1)))
}

fn is_text(block: &Block) -> bool {
    matches!(block, Block::Paragraph(Role::Text, line) if line.text().split_whitespace().count() > 12)
}

fn ends_sentence(text: &str) -> bool {
    text.trim_end_matches(['»', '”', '"', ')', '\u{a0}', ' ', ']']).ends_with(['.', '!', '?', '…', ':'])
}

/// Whether a paragraph ended with its last line: there was room for the first word of the next
/// line, and no word is divided.
fn has_ended(open: &Paragraph, next: &Line, width: f32) -> bool {
    if open.line.text().ends_with(HYPHENS) {
        return false;
    }
    let word = next.words.first().map_or(0.0, |word| word.right - word.left);
    let spare = if ends_sentence(open.line.text()) { 0.3 * next.size } else { SHORT * width };
    open.room > word + spare
}

/// Whether the first line of a column continues the paragraph before it.
fn continues(text: &str, next: &str) -> bool {
    !ends_sentence(text) || next.starts_with(char::is_lowercase)
}

/// Whether a line goes on within a sentence, whatever its indentation is.
fn continues_sentence(text: &str, next: &str) -> bool {
    !ends_sentence(text) && next.starts_with(char::is_lowercase)
}

/// Whether a line starts an item of a list.
fn starts_item(text: &str) -> bool {
    text.starts_with(['•', '▪', '◦', '‣', '●']) || text.starts_with("– ") || text.starts_with("— ") || text.starts_with("- ")
}
