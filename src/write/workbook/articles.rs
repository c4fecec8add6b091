//! The sheet of the articles. The columns that readers need first come first.

use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::sheets::{Head, Layout, Limits, Sheets, file_address, web_address};
use super::style::{Look, Style};
use crate::config::OutputFormat;
use crate::model::{Lang, Row, Severity, Status};
use crate::write::{View, explain, link, words};

const fn head(fr: &'static str, en: &'static str, width: u32) -> Head {
    Head { fr, en, width }
}

/// The columns; [`Articles::add`] fills them in this order.
static HEADS: [Head; 23] = [
    head("Date", "Date", 11),
    head("Titre (fr)", "Title (fr)", 34),
    head("Titre (en)", "Title (en)", 34),
    head("Résumé (fr)", "Summary (fr)", 52),
    head("Résumé (en)", "Summary (en)", 52),
    head("Signalements", "Flags", 16),
    head("Page", "Page", 7),
    head("Adresse", "Address", 26),
    head("Source", "Source", 26),
    head("État", "Status", 10),
    head("Motif", "Reason", 26),
    head("Langue", "Language", 9),
    head("Rubrique", "Section", 14),
    head("Auteur", "Author", 18),
    head("Copie de", "Copy of", 20),
    head("Mots", "Words", 8),
    head("Coût", "Cost", 10),
    head("Résumé par", "Summary by", 14),
    head("Traduction par", "Translation by", 14),
    head("Traité (UTC)", "Processed (UTC)", 17),
    head("Identifiant", "Id", 19),
    head("Texte (fr)", "Text (fr)", 40),
    head("Texte (en)", "Text (en)", 40),
];
/// How many of the last columns have whole texts, which only some configs keep.
const TEXTS: usize = 2;
const FLAGS: u16 = 5;
/// Columns that stay in view: the date and the first title.
const FROZEN: u16 = 2;
/// Columns that are printed: up to the flags.
const PRINTED: u16 = 6;
/// How many rows with only remarks get a note. Often all rows are drafts.
const REMARKED: u64 = 500;

pub(super) struct Articles {
    sheets: Sheets,
    lang: Lang,
    keep_text: bool,
    /// Whether the page shows every row, so that each row can link to it.
    on_page: bool,
    /// The prefix of links to source files.
    base: String,
    /// Rows so far whose note has only remarks.
    remarked: u64,
    quarantined: bool,
}

impl Articles {
    /// The sheet of the quarantined rows, or of all other rows.
    pub(super) fn new(view: &View, quarantined: bool, limits: Limits) -> Self {
        let heads = HEADS.iter().take(if view.keep_text { HEADS.len() } else { HEADS.len() - TEXTS }).collect();
        let name = words::of(view.reader(), if quarantined { "sheet-quarantine" } else { "sheet-articles" });
        let layout = Layout { name, heads, lang: view.reader(), frozen: FROZEN, printed: PRINTED };
        Self {
            sheets: Sheets::new(layout, limits),
            lang: view.reader(),
            keep_text: view.keep_text,
            on_page: view.formats.contains(&OutputFormat::Html) && view.rows.is_some_and(|rows| rows <= view.page_rows),
            base: link::base_path(&view.output, &view.folder),
            remarked: 0,
            quarantined,
        }
    }

    /// Writes a row, and returns the address of its place in the workbook.
    pub(super) fn add(&mut self, row: &Row, book: &mut Workbook, style: &Style) -> Result<String, XlsxError> {
        self.sheets.next_row(book, style)?;
        let place = self.sheets.place();
        let sheets = &mut self.sheets;
        sheets.date(0, &row.published, style)?;
        let texts = [&row.digest.title_fr, &row.digest.title_en, &row.digest.summary_fr, &row.digest.summary_en];
        let mut cut = false;
        for (column, text) in (1..).zip(texts) {
            cut |= sheets.text(column, text, Look::Wrapped, style)?;
        }
        if self.keep_text {
            // Not wrapped: a row as high as the screen cannot be read.
            for (column, text) in (21..).zip([&row.text_fr, &row.text_en]) {
                cut |= sheets.text(column, text, Look::Plain, style)?;
            }
        }
        self.links(row, style)?;
        self.particulars(row, style)?;
        self.flags(row, cut, style)?;
        Ok(place)
    }

    /// The columns from the page to the source.
    fn links(&mut self, row: &Row, style: &Style) -> Result<(), XlsxError> {
        if self.on_page {
            let address = format!("file:///digest.html#a-{}", row.id);
            self.sheets.link(6, words::of(self.lang, "see"), Some(&address), style)?;
        }
        let web = link::web(&row.url).and_then(|(address, _)| web_address(address));
        self.sheets.link(7, &row.url, web.as_deref(), style)?;
        let file = link::file_path(&row.source, &self.base).and_then(|path| file_address(&path));
        self.sheets.link(8, &row.source, file.as_deref(), style)
    }

    /// The columns from the status to the id.
    fn particulars(&mut self, row: &Row, style: &Style) -> Result<(), XlsxError> {
        let sheets = &mut self.sheets;
        let look = if matches!(row.status, Status::Failed | Status::Quarantined) { Look::Severity(Severity::Error) } else { Look::Plain };
        sheets.text(9, row.status.code(), look, style)?;
        sheets.text(10, &row.error, Look::Wrapped, style)?;
        let texts = [&row.language, &row.section, &row.author, &row.copy_of];
        for (column, text) in (11..).zip(texts) {
            sheets.text(column, text, Look::Plain, style)?;
        }
        sheets.number(15, count(row.words), &style.count)?;
        if let Some(cost) = row.cost {
            sheets.number(16, cost, &style.money)?;
        }
        sheets.text(17, &row.summary_endpoint, Look::Plain, style)?;
        sheets.text(18, &row.translation_endpoint, Look::Plain, style)?;
        sheets.date(19, row.processed_at.trim_end_matches('Z'), style)?;
        sheets.text(20, &row.id, Look::Plain, style).map(drop)
    }

    /// The codes of the flags in the colour of the most severe flag, with a note that explains
    /// them.
    fn flags(&mut self, row: &Row, cut: bool, style: &Style) -> Result<(), XlsxError> {
        let flags = if cut { format!("{} cut", row.flags).trim_start().to_owned() } else { row.flags.clone() };
        let severity = row.findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Info);
        self.sheets.text(FLAGS, &flags, Look::Severity(severity), style)?;
        let only_remarks = severity == Severity::Info;
        self.remarked += u64::from(only_remarks && !row.findings.is_empty());
        if row.findings.is_empty() || (only_remarks && self.remarked > REMARKED) {
            return Ok(());
        }
        self.sheets.note(FLAGS, &explain::lines(row, self.lang))
    }

    /// What Excel's limits left out, in a sentence each.
    pub(super) fn notices(&self) -> Vec<String> {
        self.sheets.notices()
    }

    /// The sheets. There is none for the quarantined rows if no row is quarantined.
    pub(super) fn finish(&mut self, book: &mut Workbook, style: &Style) -> Result<Vec<Worksheet>, XlsxError> {
        if self.quarantined && self.sheets.is_empty() { Ok(Vec::new()) } else { self.sheets.finish(book, style) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "no article has 2^52 words")]
fn count(words: usize) -> f64 {
    words as f64
}
