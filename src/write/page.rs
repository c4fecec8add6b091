//! `digest.html`: the page to read the articles on. It is one self-contained file: its style and
//! script are inline, a Content-Security-Policy allows them by hash, and everything from an article
//! is escaped.

mod align;
mod article;
mod chart;
mod head;
mod mark;
mod note;
mod pair;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use askama::Template;
use rayon::prelude::*;

use self::article::Article;
use self::head::Head;
use super::counts::Counts;
use super::selection::Selection;
use super::{History, Output, RowWriter, View, link, words};
use crate::config::OutputFormat;
use crate::model::{Lang, Row};

/// Articles per `div`. The browser lays out a `div` when it comes near the window; watching every
/// article would be slower.
const CHUNK: usize = 12;
/// Bytes of whole articles on the page. A browser takes long to open a page that is much larger.
const TEXTS: usize = 16 << 20;
/// Chunks to render in parallel, and to hold in memory until they are written.
const PARALLEL_CHUNKS: usize = 32;

pub(super) struct Page;

impl Output for Page {
    fn file_name(&self) -> &'static str {
        "digest.html"
    }

    fn format(&self) -> OutputFormat {
        OutputFormat::Html
    }

    fn begin(&self, view: &View, _: &mut dyn Write) -> io::Result<Box<dyn RowWriter>> {
        let base = link::base(&view.output, &view.folder);
        Ok(Box::new(PageWriter { base, opens: view.language, selection: Selection::new(view.page_rows, TEXTS), counts: Counts::default() }))
    }
}

/// Collects the rows. The head has counts over all rows, so the whole page is written at the end.
struct PageWriter {
    /// The prefix of links to source files.
    base: String,
    /// The language that the page opens in.
    opens: Option<Lang>,
    selection: Selection,
    counts: Counts,
}

impl RowWriter for PageWriter {
    fn row(&mut self, row: &Row, _: &mut dyn Write) -> io::Result<()> {
        self.counts.add(row);
        self.selection.offer(row);
        Ok(())
    }

    fn end(&mut self, history: &History, to: &mut (dyn Write + Send)) -> io::Result<()> {
        let selection = std::mem::replace(&mut self.selection, Selection::new(0, 0));
        let texts = selection.texts_if_not_all();
        let rows = selection.into_rows();
        Head::new(history, &self.counts, rows.len(), texts, self.opens).write_into(to).map_err(io::Error::other)?;
        let drafts = self.counts.are_drafts();
        for chunks in rows.chunks(CHUNK * PARALLEL_CHUNKS) {
            let articles: Vec<_> = chunks.par_iter().map(|row| render(row, &self.base, drafts)).collect::<Result<_, _>>()?;
            for chunk in articles.chunks(CHUNK) {
                to.write_all(b"\n<div class=\"chunk\">")?;
                chunk.iter().try_for_each(|article| to.write_all(article))?;
                to.write_all(b"\n</div>")?;
            }
        }
        let tail = Tail { keys: words::KEYS, version: env!("CARGO_PKG_VERSION"), made_at: &history.made_at };
        tail.write_into(to).map_err(io::Error::other)?;
        to.write_all(b"\n")
    }
}

fn render(row: &Row, base: &str, drafts: bool) -> io::Result<Vec<u8>> {
    let mut html = Vec::new();
    Article::new(row, base, drafts).write_into(&mut html).map_err(io::Error::other)?;
    Ok(html)
}

#[derive(Template)]
#[template(path = "tail.html", config = ".config/askama.toml")]
struct Tail<'a> {
    keys: &'static [(&'static str, &'static str)],
    version: &'static str,
    made_at: &'a str,
}
