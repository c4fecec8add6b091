//! PDF with a text layer. `content` finds the characters of a page and their positions, `layout`
//! arranges them in lines in reading order, and `paragraphs` joins the lines into paragraphs.

mod budget;
mod content;
mod encoding;
mod font;
mod inflate;
mod layout;
mod paragraphs;
mod running;
mod word;

use std::panic::{AssertUnwindSafe, catch_unwind};

use hayro_syntax::{LoadPdfError, Pdf as File};

use super::format::{Document, Item};
use super::key::Key;
use super::written::{self, Properties};
use crate::model::{ErrorCode, Flag, Reject};
use budget::Budget;
use layout::Line;

pub(super) struct Pdf;

/// Maximum number of pages. A newspaper has a hundred, a report a thousand.
const MAX_PAGES: usize = 5_000;
/// A document with fewer letters per page than this is treated as having no text layer: a scanner
/// may add page numbers, but no text.
const FEWEST_LETTERS: usize = 5;
/// A text with more than one unknown character in this many is flagged.
const MOST_UNKNOWN: usize = 100;

/// The rows of a page, and how high and low the page reaches.
struct Page {
    rows: Vec<Line>,
    top: f32,
    bottom: f32,
}

impl Document for Pdf {
    fn looks_like(&self, head: &[u8]) -> bool {
        head.trim_ascii_start().starts_with(b"%PDF-")
    }

    fn items(&self, bytes: &[u8], max: u64) -> Result<Vec<Item>, Reject> {
        // The parser is a young crate, and a strange file may make it panic.
        let read = catch_unwind(AssertUnwindSafe(|| read(bytes, max)));
        read.unwrap_or_else(|_| Err(malformed("its structure is invalid")))
    }
}

fn read(bytes: &[u8], max: u64) -> Result<Vec<Item>, Reject> {
    inflate::refuse_bombs(bytes, max)?;
    let file = File::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(_) => Reject::new(ErrorCode::Unreadable, "the PDF is encrypted; save a copy without a password"),
        LoadPdfError::Invalid => malformed("it has no pages that can be found"),
    })?;
    let (pages, unknown, given_up) = pages(&file, max)?;
    let letters: usize = pages.iter().flat_map(|page| &page.rows).map(Line::letters).sum();
    if given_up.is_empty() && letters < FEWEST_LETTERS * pages.len() || unknown > letters {
        return Err(without_text(unknown));
    }
    let lines = lines(pages);
    let has_several = paragraphs::have_several_articles(&lines);
    let mut drafts = if letters == 0 { Vec::new() } else { written::drafts(paragraphs::blocks(lines), properties(&file)) };
    if let [draft] = drafts.as_mut_slice()
        && has_several
    {
        draft.flags.push(Flag::Several);
    }
    if unknown * MOST_UNKNOWN > letters {
        for draft in &mut drafts {
            draft.flags.push(Flag::Encoding);
        }
    }
    Ok(drafts.into_iter().map(Ok).chain(given_up).collect())
}

/// The pages with their rows, the number of unknown characters, and the rows of the pages that are
/// skipped.
fn pages(file: &File, max: u64) -> Result<(Vec<Page>, usize, Vec<Item>), Reject> {
    let (mut pages, mut given_up, mut unknown, mut size) = (Vec::new(), Vec::new(), 0, 0);
    let whole = Budget::of_document();
    for (number, page) in file.pages().iter().enumerate() {
        let rest = if number < MAX_PAGES { whole.check() } else { Err(format!("there are more than {MAX_PAGES}")) };
        if let Err(reason) = rest {
            given_up.push(row_of_page(number, &format!("this and all later pages, because {reason}")));
            break;
        }
        match content::read(page, max, &Budget::of_page()) {
            Ok(found) => {
                unknown += found.unknown;
                size += found.words.iter().map(|word| word.text.len() as u64).sum::<u64>();
                pages.push(Page { rows: layout::rows(found.words), top: found.top, bottom: found.bottom });
            }
            Err(reason) => given_up.push(row_of_page(number, &reason)),
        }
        if size > max {
            let what = format!("the text of the PDF is over the limit input.max_megabytes = {}", max >> 20);
            return Err(Reject::new(ErrorCode::TooLarge, format!("{what}; raise the limit to read it")));
        }
    }
    Ok((pages, unknown, given_up))
}

/// The lines of the pages in reading order, without running heads.
fn lines(mut pages: Vec<Page>) -> Vec<Vec<Line>> {
    running::remove(&mut pages);
    pages.into_iter().map(|page| layout::in_order(page.rows)).collect()
}

/// The row of a page whose text is left out.
fn row_of_page(number: usize, reason: &str) -> Item {
    let page = number + 1;
    Err((Key::Own(format!("page-{page}")), Reject::new(ErrorCode::TooLarge, format!("page {page} was skipped: {reason}"))))
}

fn without_text(unknown: usize) -> Reject {
    let reason = if unknown > 0 {
        "no text in it: the fonts of the PDF do not say which letters they show; run OCR on it first"
    } else {
        "no text in it: the pages of the PDF are images; run OCR on it first"
    };
    Reject::new(ErrorCode::Empty, reason)
}

fn malformed(what: &str) -> Reject {
    Reject::new(ErrorCode::Malformed, format!("the PDF is damaged: {what}"))
}

fn properties(file: &File) -> Properties {
    let text = |bytes: &Option<Box<[u8]>>| bytes.as_deref().map(encoding::document_text);
    let about = file.metadata();
    Properties { title: text(&about.title), author: text(&about.author), language: None }
}

#[cfg(test)]
mod tests;
