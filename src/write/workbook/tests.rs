//! Tests of the workbook, read back by another crate.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use proptest::prelude::*;

use super::*;
use crate::model::{Day, Digest, Field, Finding, Flag, Severity, Status};
use crate::write::row;

fn workbook(view: &View, limits: Limits, rows: &[Row]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = WorkbookWriter::new(view, limits).unwrap();
    for row in rows {
        writer.row(row, &mut Vec::new()).unwrap();
    }
    let days = vec![Day { date: "2026-11-24".into(), done: 7, failed: 1, cost: 0.1 + 0.2 }];
    writer.end(&History { days, ..History::default() }, &mut bytes).unwrap();
    bytes
}

fn view() -> View {
    View { output: std::env::temp_dir(), ..View::default() }
}

fn opened(bytes: Vec<u8>) -> Xlsx<Cursor<Vec<u8>>> {
    Xlsx::new(Cursor::new(bytes)).unwrap()
}

/// The cells of a sheet, with the head.
fn cells(book: &mut Xlsx<Cursor<Vec<u8>>>, sheet: &str) -> Vec<Vec<Data>> {
    let range = book.worksheet_range(sheet).unwrap();
    range.rows().map(<[Data]>::to_vec).collect()
}

/// A part of the package as text.
fn part(bytes: &[u8], name: &str) -> String {
    let archive = rawzip::ZipArchive::from_slice(bytes).unwrap();
    let entry = archive.entries().map(Result::unwrap).find(|entry| entry.file_path().as_ref() == name.as_bytes()).unwrap();
    let inflate = flate2::read::DeflateDecoder::new(archive.get_entry(entry.wayfinder()).unwrap().data());
    io::read_to_string(inflate).unwrap()
}

fn doubtful() -> Row {
    let number = Finding::new(Flag::Number, Severity::Error, Field::SummaryEn, "20,000 is not in the source")
        .found("20,000", None)
        .expected("2 000");
    Row { url: "https://www.journal.example/%C3%A9t%C3%A9?a=1&b=2#c".into(), ..row("Titre") }.with_findings(vec![number])
}

#[test]
fn cells_have_types_and_heads_have_the_language_of_the_page() {
    let mut french = opened(workbook(&view(), Limits::EXCEL, &[doubtful()]));
    assert_eq!(french.sheet_names(), ["Articles", "Signalements", "Chiffres"]);
    let articles = cells(&mut french, "Articles");
    assert_eq!(
        articles[0][..6],
        ["Date", "Titre (fr)", "Titre (en)", "Résumé (fr)", "Résumé (en)", "Signalements"].map(|head| Data::String(head.into()))
    );
    assert!(matches!(&articles[1][0], Data::DateTime(date) if (date.as_f64() - 46_349.0).abs() < 1e-9), "{:?}", articles[1][0]);
    assert_eq!((&articles[1][15], &articles[1][16]), (&Data::Float(12.0), &Data::Float(0.0125)));
    let findings = cells(&mut french, "Signalements");
    assert_eq!(findings[1][0], Data::String("number".into()));
    assert_eq!(findings[1][5..7], ["20,000", "2 000"].map(|text| Data::String(text.into())));
    let figures = cells(&mut french, "Chiffres");
    assert!(figures.iter().any(|row| row[..2] == [Data::String("à vérifier".into()), Data::Float(1.0)]), "{figures:?}");
    assert!(figures.iter().any(|row| row[3] == Data::Float(0.3)), "costs are rounded: {figures:?}");
    let english = View { language: Some(Lang::EN), keep_text: true, ..view() };
    let mut english = opened(workbook(&english, Limits::EXCEL, &[doubtful()]));
    assert_eq!(english.sheet_names(), ["Articles", "Findings", "Figures"]);
    assert_eq!(cells(&mut english, "Articles")[0].last(), Some(&Data::String("Text (en)".into())));
}

#[test]
fn rows_lead_to_their_source_original_and_article_and_flags_have_notes() {
    let view = View { rows: Some(1), folder: std::env::temp_dir(), ..view() };
    let bytes = workbook(&view, Limits::EXCEL, &[doubtful()]);
    let links = part(&bytes, "xl/worksheets/_rels/sheet1.xml.rels");
    for target in ["digest.html", "./input/a.txt", "https://www.journal.example/été?a=1&amp;b=2"] {
        assert!(links.contains(&format!("Target=\"{target}\"")), "no {target} in {links}");
    }
    let sheet = part(&bytes, "xl/worksheets/sheet1.xml");
    assert!(sheet.contains("location=\"a-0123456789abcdef\"") && sheet.contains("location=\"c\""), "{sheet}");
    assert!(part(&bytes, "xl/worksheets/sheet2.xml").contains("location=\"'Articles'!A2\""));
    assert!(part(&bytes, "xl/comments1.xml").contains("ne correspond pas à la source"));
    let unknown = workbook(&View { rows: None, ..view }, Limits::EXCEL, &[doubtful()]);
    assert!(!part(&unknown, "xl/worksheets/_rels/sheet1.xml.rels").contains("digest.html"), "the page may not show the row");
}

#[test]
fn quarantined_rows_have_a_sheet_of_their_own_if_there_are_any() {
    let quarantined = Row { status: Status::Quarantined, ..doubtful() };
    let mut book = opened(workbook(&view(), Limits::EXCEL, &[row("a"), quarantined]));
    assert_eq!(book.sheet_names(), ["Articles", "Quarantaine", "Signalements", "Chiffres"]);
    assert_eq!(cells(&mut book, "Articles").len(), 2);
    assert_eq!(cells(&mut book, "Quarantaine").len(), 2);
}

#[test]
fn beyond_the_limits_there_are_more_sheets_and_fewer_links_and_notes_and_the_figures_say_so() {
    let limits = Limits { rows: 4, links: 4, notes: 1, heights: 2 };
    let digest = Digest { summary_fr: "Une phrase. ".repeat(20), ..Digest::default() };
    let rows: Vec<Row> = (0..7).map(|_| Row { digest: digest.clone(), ..doubtful() }).collect();
    let bytes = workbook(&view(), limits, &rows);
    assert_eq!(part(&bytes, "xl/comments1.xml").matches("<comment ").count(), 1);
    assert_eq!(part(&bytes, "xl/worksheets/sheet1.xml").matches("customHeight").count(), 2);
    assert!(part(&bytes, "xl/worksheets/sheet5.xml").contains("location=\"'Articles 2'!A2\""), "a finding leads to the second sheet");
    let mut book = opened(bytes);
    let names = ["Articles", "Articles 2", "Articles 3", "Signalements", "Signalements 2", "Signalements 3", "Chiffres"];
    assert_eq!(book.sheet_names(), names);
    let lengths = names.map(|name| cells(&mut book, name).len());
    assert_eq!(lengths[..6], [4, 4, 2, 4, 4, 2]);
    let figures = format!("{:?}", cells(&mut book, "Chiffres"));
    for notice in ["elles sont sur 3 feuilles.", "à partir de la 3e ligne"] {
        assert!(figures.split("Articles").any(|rest| rest.contains(notice)), "{notice}: {figures}");
    }
    assert!(figures.contains("Signalements\\u{a0}: une feuille d’Excel ne tient pas toutes"), "{figures}");
}

#[test]
fn a_text_that_no_cell_holds_is_cut_and_the_row_says_so() {
    let long =
        Row { digest: Digest { summary_fr: "Le maire a signé. ".repeat(3_000), ..Digest::default() }, flags: "draft".into(), ..row("") };
    let mut book = opened(workbook(&view(), Limits::EXCEL, &[long]));
    let cells = cells(&mut book, "Articles");
    assert_eq!(cells[1][5], Data::String("draft cut".into()));
    assert!(matches!(&cells[1][3], Data::String(text) if text.encode_utf16().count() < 32_767 && text.ends_with("signé.")));
}

#[test]
fn without_rows_there_are_heads() {
    let mut book = opened(workbook(&view(), Limits::EXCEL, &[]));
    assert_eq!(book.sheet_names(), ["Articles", "Signalements", "Chiffres"]);
    assert_eq!(cells(&mut book, "Articles").len(), 1);
}

#[test]
fn a_full_disk_is_an_error_of_the_disk() {
    let full = io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error());
    let panicked = guarded::<()>(|| panic!("as the crate does: {full:?}"));
    assert_eq!(panicked.unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert!(!is_write_failure());
}

/// Texts that a spreadsheet might run, resolve or refuse.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        prop::sample::select(vec![
            "=1+1",
            "=HYPERLINK(\"http://x\")",
            "+cmd|' /C calc'!A0",
            "@SUM(A1)",
            "-2+3",
            "{=1}",
            "http://a.example/%zz#\"<>",
            "mailto:a@b.example",
            "internal:'x'!A1",
            "file:///etc/passwd",
            "_x0041_",
            "\u{0}\u{1b}\u{fffe}\u{ffff}\r\n",
            "]]></t><f>1+1</f>",
            "\u{202e}",
            "https://a.example/%C3",
            "",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_text_is_read_back_as_it_is_and_never_as_a_formula(texts in prop::collection::vec(hostile(), 9)) {
        let [title, summary, url, source, flags, author, found, published, id] = <[String; 9]>::try_from(texts).unwrap();
        let finding = Finding::new(Flag::Name, Severity::Warning, Field::SummaryEn, summary.clone()).found(found, None).expected(author.clone());
        let digest = Digest { title_fr: title.clone(), summary_fr: summary, ..Digest::default() };
        let row = Row { digest, url, source, author, published, id, flags, findings: vec![finding], ..row("") };
        let view = View { rows: Some(1), ..view() };
        let bytes = workbook(&view, Limits::EXCEL, &[row]);
        for sheet in ["xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"] {
            prop_assert!(!part(&bytes, sheet).contains("<f"));
        }
        let mut book = opened(bytes);
        let cells = cells(&mut book, "Articles");
        let visible = crate::write::cell::visible(&title).into_owned();
        let read = match &cells[1][1] { Data::String(text) => text.clone(), Data::Empty => String::new(), other => format!("{other:?}") };
        prop_assert_eq!(read, visible);
    }
}
