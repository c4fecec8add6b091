use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use proptest::prelude::*;

use super::*;
use crate::extract::draft::Draft;
use crate::extract::html::fragment;

const MAX: u64 = 4 << 20;

/// A ZIP archive of files.
fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (name, content) in files {
        let (mut entry, config) = archive.new_file(name).compression_method(rawzip::CompressionMethod::DEFLATE).start().unwrap();
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
        writer.write_all(content.as_bytes()).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

fn drafts(bytes: &[u8]) -> Vec<Draft> {
    Office.items(bytes, MAX).unwrap().into_iter().map(Result::unwrap).collect()
}

fn lines(draft: &Draft) -> Vec<String> {
    let text = fragment::text(&draft.body).unwrap();
    text.lines().map(|line| line.replace('\u{a0}', " ").trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

fn docx(body: &str) -> Vec<u8> {
    let document = format!("<w:document xmlns:w=\"urn:w\"><w:body>{body}</w:body></w:document>");
    let styles = "<w:styles xmlns:w=\"urn:w\"><w:style w:styleId=\"Titre\"><w:name w:val=\"Title\"/></w:style>\
        <w:style w:styleId=\"Titre1\"><w:name w:val=\"heading 1\"/></w:style>\
        <w:style w:styleId=\"Lgende\"><w:name w:val=\"caption\"/></w:style></w:styles>";
    let core = "<cp:coreProperties xmlns:cp=\"urn:cp\" xmlns:dc=\"urn:dc\"><dc:title>Modèle</dc:title><dc:creator>Jeanne Exemple</dc:creator></cp:coreProperties>";
    let relations = "<Relationships><Relationship Type=\"urn:x/officeDocument\" Target=\"word/document2.xml\"/></Relationships>";
    zip(&[
        ("[Content_Types].xml", "<Types/>"),
        ("_rels/.rels", relations),
        ("docProps/core.xml", core),
        ("word/styles.xml", styles),
        ("word/document2.xml", &document),
        ("word/header1.xml", "<w:hdr xmlns:w=\"urn:w\"><w:p><w:r><w:t>La Gazette</w:t></w:r></w:p></w:hdr>"),
    ])
}

fn run(text: &str) -> String {
    format!("<w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r>")
}

fn styled(style: &str, content: &str) -> String {
    format!("<w:p><w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr>{content}</w:p>")
}

#[test]
fn a_docx_is_read_by_its_styles() {
    let cell = |text: &str| format!("<w:tc><w:p>{}</w:p></w:tc>", run(text));
    let row = |first: &str, second: &str| format!("<w:tr>{}{}</w:tr>", cell(first), cell(second));
    let body = [
        styled("Titre", &run("Le budget &amp; la dette")),
        styled("Titre1", &run("Un intertitre")),
        format!("<w:p>{}<w:r><w:br/></w:r>{}</w:p>", run("Première ligne,"), run("deuxième.")),
        styled("Lgende", &run("Le quai, mardi.")),
        format!("<w:tbl>{}{}</w:tbl>", row("Poste", "2026"), row("Voirie", "49,9 M€")),
    ];
    let draft = drafts(&docx(&body.concat())).remove(0);
    assert_eq!((draft.title.as_deref(), draft.author.as_deref()), (Some("Le budget & la dette"), Some("Jeanne Exemple")));
    assert_eq!(lines(&draft), ["Un intertitre", "Première ligne,", "deuxième.", "Poste | 2026", "Voirie | 49,9 M€"]);
}

#[test]
fn in_a_docx_deleted_and_hidden_text_and_notes_go_and_inserted_text_stays() {
    let raised = |text: &str| format!("<w:r><w:rPr><w:vertAlign w:val=\"superscript\"/></w:rPr><w:t>{text}</w:t></w:r>");
    let text_box = "<w:r><mc:AlternateContent xmlns:mc=\"urn:mc\"><mc:Choice><w:txbxContent><w:p><w:r><w:t>Un encadré.</w:t></w:r></w:p></w:txbxContent></mc:Choice>\
        <mc:Fallback><w:txbxContent><w:p><w:r><w:t>Un encadré.</w:t></w:r></w:p></w:txbxContent></mc:Fallback></mc:AlternateContent></w:r>";
    let body = [
        styled("Titre", &run("T")),
        format!(
            "<w:p>{}<w:del><w:r><w:delText>12</w:delText></w:r></w:del><w:ins>{}</w:ins>{}<w:r><w:footnoteReference w:id=\"1\"/></w:r>{}{}{}</w:p>",
            run("Un coût de "),
            run("15"),
            run(" millions"),
            raised("1"),
            run(" pour 300 m"),
            raised("2"),
        ),
        "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>Caché.</w:t></w:r><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>".to_owned(),
        format!("<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr>{}</w:p><w:p>{}</w:p>", run("Une phrase "), run("qui continue.")),
        format!("<w:p>{}{text_box}</w:p>", run("Autour.")),
    ];
    let draft = drafts(&docx(&body.concat())).remove(0);
    assert_eq!(lines(&draft), ["Un coût de 15 millions pour 300 m²", "Une phrase qui continue.", "Autour.", "Un encadré."]);
}

fn odt(body: &str, manifest: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content xmlns:office=\"urn:o\"><office:automatic-styles>\
        <style:style style:name=\"P1\" style:parent-style-name=\"Title\"/>\
        <style:style style:name=\"T1\"><style:text-properties style:text-position=\"super 58%\"/></style:style>\
        <style:style style:name=\"T2\"><style:text-properties text:display=\"none\"/></style:style></office:automatic-styles>\
        <office:body><office:text>{body}</office:text></office:body></office:document-content>"
    );
    zip(&[
        ("mimetype", "application/vnd.oasis.opendocument.text"),
        ("META-INF/manifest.xml", manifest),
        ("content.xml", &content),
        (
            "styles.xml",
            "<office:document-styles><style:master-page><style:header><text:p>La Gazette</text:p></style:header></style:master-page></office:document-styles>",
        ),
        (
            "meta.xml",
            "<office:document-meta><office:meta><meta:initial-creator>Jeanne Exemple</meta:initial-creator><dc:creator>admin</dc:creator></office:meta></office:document-meta>",
        ),
    ])
}

#[test]
fn an_odt_is_read_by_its_styles_without_notes_and_deletions() {
    let body = "<text:tracked-changes><text:changed-region><text:deletion><text:p>Supprimé.</text:p></text:deletion></text:changed-region></text:tracked-changes>\
        <text:p text:style-name=\"P1\">Le budget</text:p><text:h text:outline-level=\"2\">Un intertitre</text:h>\
        <text:p>Un coût de<text:s/>15 millions<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Une note.</text:p></text:note-body></text:note><text:s/>\
        pour 300 m<text:span text:style-name=\"T1\">2</text:span><text:span text:style-name=\"T2\">caché</text:span><office:annotation><text:p>À revoir.</text:p></office:annotation>.</text:p>\
        <text:list><text:list-item><text:p>Un point.</text:p></text:list-item></text:list>\
        <table:table><table:table-row><table:table-cell><text:p>Poste</text:p></table:table-cell><table:table-cell><text:p>2026</text:p></table:table-cell></table:table-row></table:table>";
    let draft = drafts(&odt(body, "<manifest/>")).remove(0);
    assert_eq!((draft.title.as_deref(), draft.author.as_deref()), (Some("Le budget"), Some("Jeanne Exemple")));
    assert_eq!(lines(&draft), ["Un intertitre", "Un coût de 15 millions pour 300 m².", "Un point.", "Poste | 2026"]);
    let encrypted = Office.items(&odt(body, "<manifest><file-entry><encryption-data/></file-entry></manifest>"), MAX).unwrap_err();
    assert!(encrypted.code == ErrorCode::Unreadable && encrypted.reason.contains("encrypted"), "{encrypted}");
}

fn epub(pages: &[(&str, &str)]) -> Vec<u8> {
    let items: Vec<String> =
        pages.iter().map(|(name, _)| format!("<item id=\"{name}\" href=\"text/{name}\" media-type=\"application/xhtml+xml\"/>")).collect();
    let items = items.concat();
    let spine: Vec<String> = pages.iter().map(|(name, _)| format!("<itemref idref=\"{name}\"/>")).collect();
    let spine = spine.concat();
    let package = format!(
        "<package><metadata xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>La Gazette</dc:title><dc:creator>Jeanne Exemple</dc:creator>\
        <dc:date>2026-03-03</dc:date><dc:language>fr</dc:language></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>"
    );
    let container = "<container><rootfiles><rootfile full-path=\"OPS/book.opf\"/></rootfiles></container>";
    let pages: Vec<(String, String)> = pages
        .iter()
        .map(|(name, body)| {
            (
                format!("OPS/text/{name}"),
                format!("<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title>x</title></head>{body}</html>"),
            )
        })
        .collect();
    let mut files = vec![("mimetype", "application/epub+zip"), ("META-INF/container.xml", container), ("OPS/book.opf", &package)];
    files.extend(pages.iter().map(|(name, page)| (name.as_str(), page.as_str())));
    zip(&files)
}

#[test]
fn a_chapter_of_an_epub_is_an_article_and_a_page_without_a_heading_continues_it() {
    let text = "<p>Le conseil a voté le budget mardi soir, sans surprise.</p>".repeat(8);
    let chapter = |title: &str| format!("<body><h1>{title}</h1>{text}</body>");
    let pages = [
        ("cover.xhtml", "<body epub:type=\"cover\"><p>La Gazette</p></body>".to_owned()),
        ("un.xhtml", chapter("Un")),
        ("suite.xhtml", "<body><p>La suite du premier.</p></body>".to_owned()),
        ("deux.xhtml", chapter("Deux")),
    ];
    let pages: Vec<(&str, &str)> = pages.iter().map(|(name, page)| (*name, page.as_str())).collect();
    let found = drafts(&epub(&pages));
    let titles: Vec<Option<&str>> = found.iter().map(|draft| draft.title.as_deref()).collect();
    assert_eq!(titles, [Some("Un"), Some("Deux")]);
    assert_eq!(lines(&found[0]).last().unwrap(), "La suite du premier.");
    assert_eq!((found[0].published.as_deref(), found[0].section.as_deref()), (Some("2026-03-03"), Some("La Gazette")));
    let single = drafts(&epub(&pages[1..2])).remove(0);
    assert_eq!((single.key, single.title.as_deref()), (crate::extract::key::Key::File, Some("Un")));
}

#[test]
fn other_archives_are_skipped_by_name_and_bombs_are_stopped() {
    let reason = |files: &[(&str, &str)]| Office.items(&zip(files), MAX).unwrap_err();
    for (files, what) in [
        (vec![("a.txt", "Un texte.")], "ZIP archive"),
        (vec![("[Content_Types].xml", "<Types/>"), ("xl/workbook.xml", "<x/>")], "Excel"),
        (vec![("[Content_Types].xml", "<Types/>"), ("ppt/presentation.xml", "<x/>")], "PowerPoint"),
        (vec![("mimetype", "application/vnd.oasis.opendocument.spreadsheet")], "OpenDocument"),
    ] {
        let reject = reason(&files);
        assert!(reject.code == ErrorCode::Binary && reject.reason.contains(what), "{reject}");
    }
    let bomb = docx(&format!("<w:p>{}</w:p>", run(&"0".repeat(8 << 20))));
    assert!(bomb.len() < 20_000);
    assert_eq!(Office.items(&bomb, MAX).unwrap_err().code, ErrorCode::TooLarge);
    let deep = docx(&"<w:sdt>".repeat(10_000));
    assert_eq!(Office.items(&deep, MAX).unwrap_err().code, ErrorCode::TooDeep);
}

#[test]
fn a_cut_document_is_malformed() {
    let whole = docx(&styled("Titre", &run("T")));
    for end in (4..whole.len()).step_by(7) {
        assert_eq!(Office.items(&whole[..end], MAX).unwrap_err().code, ErrorCode::Malformed, "{end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_changed_document_gives_a_text_or_a_reason(at in 4_usize..900, byte: u8) {
        for mut bytes in [docx(&styled("Titre", &run("T"))), odt("<text:p>T</text:p>", "<m/>"), epub(&[("a.xhtml", "<body><p>T</p></body>")])] {
            if let Some(changed) = bytes.get_mut(at) {
                *changed = byte;
            }
            let _ = Office.items(&bytes, MAX);
        }
    }
}
