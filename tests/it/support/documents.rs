//! An article as documents of other programs: DOCX, ODT, EPUB, RTF, PDF.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

fn zip(files: &[(&str, String)]) -> Vec<u8> {
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

/// The paragraphs of a text, each between a start and an end.
fn paragraphs(text: &str, start: &str, end: &str) -> String {
    let each: Vec<String> = text.trim().split("\n\n").map(|paragraph| format!("{start}{}{end}", paragraph.replace('\n', " "))).collect();
    each.concat()
}

pub(crate) fn docx(title: &str, text: &str) -> Vec<u8> {
    let style = "<w:p><w:pPr><w:pStyle w:val=\"Titre\"/></w:pPr>";
    let text = paragraphs(text, "<w:p><w:r><w:t>", "</w:t></w:r></w:p>");
    let document = format!("<w:document xmlns:w=\"urn:w\"><w:body>{style}<w:r><w:t>{title}</w:t></w:r></w:p>{text}</w:body></w:document>");
    let styles = "<w:styles xmlns:w=\"urn:w\"><w:style w:styleId=\"Titre\"><w:name w:val=\"Title\"/></w:style></w:styles>";
    zip(&[("[Content_Types].xml", "<Types/>".into()), ("word/styles.xml", styles.into()), ("word/document.xml", document)])
}

pub(crate) fn odt(title: &str, text: &str) -> Vec<u8> {
    let text = paragraphs(text, "<text:p>", "</text:p>");
    let content = format!(
        "<office:document-content><office:body><office:text><text:p text:style-name=\"Title\">{title}</text:p>{text}</office:text></office:body></office:document-content>"
    );
    zip(&[("mimetype", "application/vnd.oasis.opendocument.text".into()), ("content.xml", content)])
}

/// A book with a chapter for each article.
pub(crate) fn epub(articles: &[(&str, &str)]) -> Vec<u8> {
    let each = |make: &dyn Fn(usize) -> String| (1..=articles.len()).map(make).collect::<String>();
    let items = each(&|number| format!("<item id=\"c{number}\" href=\"c{number}.xhtml\" media-type=\"application/xhtml+xml\"/>"));
    let spine = each(&|number| format!("<itemref idref=\"c{number}\"/>"));
    let package = format!("<package><manifest>{items}</manifest><spine>{spine}</spine></package>");
    let container = "<container><rootfiles><rootfile full-path=\"book.opf\"/></rootfiles></container>";
    let mut files = vec![("mimetype", "application/epub+zip".into()), ("META-INF/container.xml", container.into()), ("book.opf", package)];
    let names: Vec<String> = (1..=articles.len()).map(|number| format!("c{number}.xhtml")).collect();
    for (name, (title, text)) in names.iter().zip(articles) {
        let text = paragraphs(text, "<p>", "</p>");
        files.push((name, format!("<html xmlns=\"http://www.w3.org/1999/xhtml\"><body><h1>{title}</h1>{text}</body></html>")));
    }
    zip(&files)
}

pub(crate) fn rtf(title: &str, text: &str) -> Vec<u8> {
    let unit = |unit: u16| if unit < 128 { char::from(unit.to_le_bytes()[0]).to_string() } else { format!("\\u{unit}?") };
    let escaped = |text: &str| text.encode_utf16().map(unit).collect::<Vec<_>>().concat();
    format!("{{\\rtf1\\ansi\\uc1 {}\\par {}}}", escaped(title), escaped(&paragraphs(text, "", "\\par "))).into_bytes()
}

/// A page with a line for each paragraph.
pub(crate) fn pdf(title: &str, text: &str) -> Vec<u8> {
    let mut page = format!("BT /F1 24 Tf 50 750 Td ({title}) Tj /F1 10 Tf 0 -40 Td\n");
    page.push_str(&paragraphs(text, "(", ") Tj 0 -40 Td\n").replace('’', "\\222"));
    page.push_str("ET");
    let content = encoding_rs::WINDOWS_1252.encode(&page).0.into_owned();
    let font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>";
    let mut bytes = format!(
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
        3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F1 {font}>>>>>>endobj\n\
        4 0 obj<</Length {}>>stream\n",
        content.len()
    )
    .into_bytes();
    bytes.extend(content);
    // Without a table of its objects: a reader looks for them.
    bytes.extend(b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF");
    bytes
}
