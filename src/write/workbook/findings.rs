//! The sheet of the findings: one row for each, which leads to its article.

use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::sheets::{Head, Layout, Limits, Sheets};
use super::style::{Look, Style};
use crate::model::{Lang, Row};
use crate::write::{explain, words};

const fn head(fr: &'static str, en: &'static str, width: u32) -> Head {
    Head { fr, en, width }
}

/// The columns; [`Findings::add`] fills them in this order.
static HEADS: [Head; 9] = [
    head("Code", "Code", 12),
    head("Signalement", "Flag", 18),
    head("Gravité", "Severity", 13),
    head("Article", "Article", 40),
    head("Texte", "Text", 16),
    head("Trouvé", "Found", 34),
    head("Attendu", "Expected", 34),
    head("Explication", "Explanation", 60),
    head("Source", "Source", 30),
];

pub(super) struct Findings {
    sheets: Sheets,
    lang: Lang,
}

impl Findings {
    pub(super) fn new(lang: Lang, limits: Limits) -> Self {
        let name = words::of(lang, "sheet-findings");
        let layout = Layout { name, heads: HEADS.iter().collect(), lang, frozen: 1, printed: 8 };
        Self { sheets: Sheets::new(layout, limits), lang }
    }

    /// Writes the findings of a row, which is at `place` in the workbook.
    pub(super) fn add(&mut self, row: &Row, place: &str, book: &mut Workbook, style: &Style) -> Result<(), XlsxError> {
        for finding in &row.findings {
            let (sheets, code) = (&mut self.sheets, finding.check.code());
            sheets.next_row(book, style)?;
            sheets.text(0, code, Look::Plain, style)?;
            sheets.text(1, words::of(self.lang, &format!("flag-{code}")), Look::Plain, style)?;
            let severity = finding.severity.code();
            sheets.text(2, words::of(self.lang, &format!("severity-{severity}")), Look::Severity(finding.severity), style)?;
            let title = if self.lang == Lang::FR { &row.digest.title_fr } else { &row.digest.title_en };
            sheets.text(3, title, Look::Wrapped, style)?;
            sheets.text(4, words::of(self.lang, &format!("field-{}", finding.field)), Look::Plain, style)?;
            sheets.text(5, &finding.found, Look::Wrapped, style)?;
            sheets.text(6, &finding.expected, Look::Wrapped, style)?;
            sheets.text(7, &explain::explanation(finding, self.lang), Look::Wrapped, style)?;
            sheets.link(8, &row.source, Some(place), style)?;
        }
        Ok(())
    }

    /// What Excel's limits left out, in a sentence each.
    pub(super) fn notices(&self) -> Vec<String> {
        self.sheets.notices()
    }

    pub(super) fn finish(&mut self, book: &mut Workbook, style: &Style) -> Result<Vec<Worksheet>, XlsxError> {
        self.sheets.finish(book, style)
    }
}
