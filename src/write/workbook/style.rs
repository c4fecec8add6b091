//! The looks of the cells.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook};

use crate::model::{Lang, Severity};

/// Dark text on a light fill, for each severity: readable on screen and in print, and
/// distinguishable without seeing red and green.
const INFO: (u32, u32) = (0x0044_5566, 0x00E8_EDF2);
const WARNING: (u32, u32) = (0x007A_4B00, 0x00FF_E9B8);
const ERROR: (u32, u32) = (0x0099_1B1B, 0x00FB_D5D5);

/// The looks of the cells of all sheets.
pub(super) struct Style {
    pub(super) head: Format,
    pub(super) plain: Format,
    pub(super) wrapped: Format,
    /// Like the two fields above, for a text that Excel would run as a formula if somebody typed
    /// it.
    plain_quoted: Format,
    wrapped_quoted: Format,
    pub(super) link: Format,
    pub(super) count: Format,
    pub(super) money: Format,
    pub(super) date: Format,
    pub(super) time: Format,
    info: Format,
    warning: Format,
    error: Format,
}

/// How a text is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    /// On one line.
    Plain,
    /// On as many lines as it needs.
    Wrapped,
    /// Coloured.
    Severity(Severity),
}

impl Style {
    pub(super) fn new(book: &mut Workbook, lang: Lang) -> Self {
        let cell = || Format::new().set_align(FormatAlign::Top);
        let coloured = |(text, fill): (u32, u32)| cell().set_font_color(Color::RGB(text)).set_background_color(Color::RGB(fill));
        let (date, time) = if lang == Lang::FR { ("dd/mm/yyyy", "dd/mm/yyyy hh:mm") } else { ("yyyy-mm-dd", "yyyy-mm-dd hh:mm") };
        let head = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::VerticalCenter);
        let style = Self {
            head: head.set_background_color(Color::RGB(0x00E2_E8E4)).set_border_bottom(FormatBorder::Thin),
            plain: cell(),
            wrapped: cell().set_text_wrap(),
            plain_quoted: cell().set_quote_prefix(),
            wrapped_quoted: cell().set_text_wrap().set_quote_prefix(),
            link: cell().set_font_color(Color::RGB(0x0005_5160)).set_underline(rust_xlsxwriter::FormatUnderline::Single),
            count: cell().set_num_format("#,##0"),
            money: cell().set_num_format("#,##0.00####"),
            date: cell().set_num_format(date).set_align(FormatAlign::Left),
            time: cell().set_num_format(time).set_align(FormatAlign::Left),
            info: coloured(INFO),
            warning: coloured(WARNING),
            error: coloured(ERROR).set_bold(),
        };
        // Sheets that are not yet part of the workbook can only use formats that it knows.
        style.all().into_iter().for_each(|format| book.register_format(format));
        style
    }

    fn all(&self) -> [&Format; 13] {
        [
            &self.head,
            &self.plain,
            &self.wrapped,
            &self.plain_quoted,
            &self.wrapped_quoted,
            &self.link,
            &self.count,
            &self.money,
            &self.date,
            &self.time,
            &self.info,
            &self.warning,
            &self.error,
        ]
    }

    /// The format of a text with this look. `formula` says whether it looks like a formula.
    pub(super) fn text(&self, look: Look, formula: bool) -> &Format {
        match (look, formula) {
            (Look::Plain, false) => &self.plain,
            (Look::Plain, true) => &self.plain_quoted,
            (Look::Wrapped, false) => &self.wrapped,
            (Look::Wrapped, true) => &self.wrapped_quoted,
            (Look::Severity(Severity::Info), _) => &self.info,
            (Look::Severity(Severity::Warning), _) => &self.warning,
            (Look::Severity(Severity::Error), _) => &self.error,
        }
    }
}
