//! Removes running heads and page numbers: lines at the edges of pages that are the same on several
//! pages, or are only a number.

use std::collections::{HashMap, HashSet};

use super::Page;
use super::layout::{Line, usual};
use crate::model::fold;

/// How many rows at the top and at the bottom of a page may be running heads.
const ROWS: usize = 3;
/// The longest running head, in words.
const LONGEST: usize = 16;
/// The part of a page that is its upper margin, with the first lines.
const MARGIN: f32 = 0.12;
/// A title is larger than the text by this factor.
const LARGER: f32 = 1.25;

pub(super) fn remove(pages: &mut [Page]) {
    let mut counts: HashMap<(bool, String), usize> = HashMap::new();
    for page in pages.iter() {
        let keys: HashSet<(bool, String)> = edges(&page.rows).into_iter().map(|(is_top, at)| (is_top, key(page.rows.get(at)))).collect();
        for key in keys {
            *counts.entry(key).or_default() += 1;
        }
    }
    for (number, page) in pages.iter_mut().enumerate() {
        let is_running = |(is_top, at): &(bool, usize)| {
            let key = key(page.rows.get(*at));
            let length = key.split(' ').count();
            is_page_number(&key) || length <= LONGEST && counts.get(&(*is_top, key)).is_some_and(|count| *count > 1)
        };
        let mut gone: Vec<usize> = edges(&page.rows).into_iter().filter(is_running).map(|(_, at)| at).collect();
        if number == 0 {
            gone.extend(above_title(page, &gone));
        }
        let mut at = 0;
        page.rows.retain(|_| {
            at += 1;
            !gone.contains(&(at - 1))
        });
    }
}

/// The rows at the edges of a page: whether they are at the top, and their numbers.
fn edges(rows: &[Line]) -> Vec<(bool, usize)> {
    let bottom = rows.len().saturating_sub(ROWS).max(rows.len().div_ceil(2));
    let top = (0..ROWS.min(bottom)).map(|at| (true, at));
    top.chain((bottom..rows.len()).map(|at| (false, at))).collect()
}

/// The text of a row with each number as `#`, so that it is the same on each page.
fn key(row: Option<&Line>) -> String {
    let mut key = String::new();
    for c in fold(&row.map(Line::text).unwrap_or_default()).chars() {
        if !c.is_ascii_digit() {
            key.push(c);
        } else if !key.ends_with('#') {
            key.push('#');
        }
    }
    key.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a row is only the number of a page: «12», «– 12 –», «Page 3 / 7», «p. 3 sur 7».
fn is_page_number(key: &str) -> bool {
    let words: Vec<&str> =
        key.split([' ', '-', '–', '—', '/', '.', '[', ']', '(', ')', '|', '·', '•']).filter(|word| !word.is_empty()).collect();
    let is_roman = matches!(words.as_slice(), [word] if word.chars().all(|c| matches!(c, 'i' | 'v' | 'x')));
    let numbers = words.iter().filter(|word| **word == "#").count();
    is_roman
        || (1..=2).contains(&numbers)
            && words.iter().all(|word| matches!(*word, "#" | "page" | "p" | "pages" | "sur" | "of" | "de" | "folio"))
}

/// The rows of the first page in its upper margin, above a title: a running head that no second
/// page repeats. The title is larger than the text, or bold.
fn above_title(page: &Page, gone: &[usize]) -> Vec<usize> {
    let left: Vec<(usize, &Line)> = page.rows.iter().enumerate().filter(|(number, _)| !gone.contains(number)).collect();
    let text = usual(left.iter().map(|(_, line)| (line.size, line.letters())));
    let largest = left.iter().map(|(_, line)| line.size).fold(0.0, f32::max);
    let is_title = |line: &Line| {
        if largest > LARGER * text { line.size >= 0.97 * largest } else { line.is_bold() }
    };
    let Some(at) = left.iter().position(|(_, line)| is_title(line)) else { return Vec::new() };
    let margin = page.top - MARGIN * (page.top - page.bottom);
    let title = left.get(at).map_or(margin, |(_, line)| line.base);
    let is_head = |line: &Line| {
        line.base > margin
            && line.base > title + 2.0 * line.size
            && line.size < 0.85 * largest.max(LARGER * text)
            && line.words.len() <= LONGEST
    };
    left.iter().take(at.min(ROWS)).filter(|(_, line)| is_head(line)).map(|(number, _)| *number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_numbers_are_recognised() {
        for text in ["#", "– # –", "page # / #", "p. # sur #", "xii", "[#]"] {
            assert!(is_page_number(text), "{text}");
        }
        for text in ["# morts", "en #", "# # #", "la page #", "vite", "#,# %", ""] {
            assert!(!is_page_number(text), "{text}");
        }
    }
}
