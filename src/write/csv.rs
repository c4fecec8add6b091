//! `summaries.csv`: the table.

use csv::{Terminator, WriterBuilder};

use super::Output;
use crate::config::Profile;
use crate::model::Row;

pub(super) struct Csv;

/// The columns, by the names and in the order that users' macros and imports rely on.
const COLUMNS: [&str; 17] = [
    "id",
    "source",
    "title_fr",
    "title_en",
    "summary_fr",
    "summary_en",
    "language",
    "published",
    "url",
    "status",
    "flags",
    "error",
    "words",
    "summary_endpoint",
    "translation_endpoint",
    "cost",
    "processed_at",
];

impl Output for Csv {
    fn file_name(&self) -> &'static str {
        "summaries.csv"
    }

    fn head(&self, profile: Profile) -> Vec<u8> {
        let mark: &[u8] = if profile == Profile::ExcelFr { b"\xef\xbb\xbf" } else { b"" };
        [mark, &record(profile, COLUMNS.map(ToOwned::to_owned))].concat()
    }

    fn row(&self, profile: Profile, row: &Row) -> Vec<u8> {
        let Row {
            id,
            source,
            digest,
            language,
            published,
            url,
            flags,
            error,
            words,
            summary_endpoint,
            translation_endpoint,
            processed_at,
            ..
        } = row;
        let cost = row.cost.map_or_else(String::new, |cost| decimal(cost, profile));
        let text = |text: &String| harmless(text);
        record(
            profile,
            [
                id.clone(),
                text(source),
                text(&digest.title_fr),
                text(&digest.title_en),
                text(&digest.summary_fr),
                text(&digest.summary_en),
                language.clone(),
                text(published),
                text(url),
                row.status.code().to_owned(),
                flags.clone(),
                text(error),
                words.to_string(),
                text(summary_endpoint),
                text(translation_endpoint),
                cost,
                processed_at.clone(),
            ],
        )
    }
}

fn record(profile: Profile, cells: [String; 17]) -> Vec<u8> {
    let (delimiter, end) = match profile {
        Profile::Plain => (b',', Terminator::Any(b'\n')),
        Profile::ExcelFr => (b';', Terminator::CRLF),
    };
    let mut writer = WriterBuilder::new().delimiter(delimiter).terminator(end).from_writer(Vec::new());
    // Writing to memory cannot fail, and every record has 17 cells.
    let _ = writer.write_record(cells);
    writer.into_inner().unwrap_or_default()
}

/// A number as the profile's spreadsheet reads it; at most six decimals, none that say nothing.
fn decimal(number: f64, profile: Profile) -> String {
    let text = format!("{number:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.').to_owned();
    if profile == Profile::ExcelFr { text.replace('.', ",") } else { text }
}

/// A cell that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection); so does one whose
/// formula hides behind spaces, a byte order mark or quotes. Plain numbers stay. NUL, which spreadsheets end a cell at, goes.
fn harmless(cell: &str) -> String {
    let cell = cell.replace('\0', "");
    let hidden = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '"' | '\'' | '\u{200b}');
    let shown = cell.trim_start_matches(hidden);
    let formula = shown.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let control = cell.starts_with(['\t', '\r', '\n']);
    if (formula && !is_number(&cell)) || control { format!("'{cell}") } else { cell }
}

/// A signed number, with a sign of percent or a unit of money at most.
fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | ' ' | '\u{a0}' | '\u{202f}' | '%' | '€' | '$'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Digest, Status};

    fn row(title: &str) -> Row {
        Row {
            id: "0123456789abcdef".into(),
            source: "input/a.txt".into(),
            digest: Digest { title_fr: title.into(), summary_fr: "Une «phrase»; une, autre.".into(), ..Digest::default() },
            language: "fr".into(),
            published: "2026-11-23".into(),
            url: String::new(),
            status: Status::Done,
            flags: "draft".into(),
            error: String::new(),
            words: 12,
            summary_endpoint: "embedded".into(),
            translation_endpoint: "embedded".into(),
            cost: Some(0.0125),
            processed_at: "2026-11-23T00:00:00Z".into(),
        }
    }

    #[test]
    fn the_profiles_differ_in_mark_delimiter_line_end_and_decimal_sign() {
        let plain = String::from_utf8([Csv.head(Profile::Plain), Csv.row(Profile::Plain, &row("Titre"))].concat()).unwrap();
        assert!(plain.starts_with("id,source,title_fr,"));
        assert!(plain.ends_with("embedded,embedded,0.0125,2026-11-23T00:00:00Z\n"));
        let excel = String::from_utf8([Csv.head(Profile::ExcelFr), Csv.row(Profile::ExcelFr, &row("Titre"))].concat()).unwrap();
        assert!(excel.starts_with("\u{feff}id;source;"));
        assert!(excel.contains("\"Une «phrase»; une, autre.\";"));
        assert!(excel.ends_with("embedded;embedded;0,0125;2026-11-23T00:00:00Z\r\n"));
    }

    #[test]
    fn formulas_are_neutralised_and_numbers_are_not() {
        for formula in [
            "=1+1",
            "+cmd|' /C calc'!A0",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "＝1+1",
            "  =1",
            "\"=1\"",
            "'=1",
            "\u{feff}=1",
            "- Le dialogue",
            "\n=1",
        ] {
            assert!(harmless(formula).starts_with('\''), "{formula:?}");
        }
        for number in ["-12", "+3,5 %", "-1 200 €", "– Le tiret", "Titre = texte", "12"] {
            assert_eq!(harmless(number), number);
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_the_table(title in "[^\\x00]{0,60}") {
            for profile in [Profile::Plain, Profile::ExcelFr] {
                let bytes = Csv.row(profile, &row(&title));
                let delimiter = if profile == Profile::Plain { b',' } else { b';' };
                let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(bytes.as_slice());
                let records: Vec<_> = reader.records().collect::<Result<_, _>>().unwrap();
                prop_assert_eq!(records.len(), 1);
                let cell = records[0].get(2).unwrap();
                let guarded = format!("'{title}");
                prop_assert!(cell == title || cell == guarded);
            }
        }
    }
}
