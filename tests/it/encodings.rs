//! The same article in many encodings and packings: it is read correctly and paid for once, or excluded with a reason.

use std::fs;
use std::io::Write;

use unicode_normalization::UnicodeNormalization;

use crate::support::articles::french;
use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::test_dir::{TestDir, sources};

/// An article with the characters that encodings often damage, without those that ISO-8859-15 lacks.
fn article() -> String {
    french(1).replace("numéro 1", "« œuvre » à 3 €")
}

fn encoded(encoding: &'static encoding_rs::Encoding, text: &str) -> Vec<u8> {
    let (bytes, _, lost) = encoding.encode(text);
    assert!(!lost);
    bytes.into_owned()
}

fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

fn utf32(text: &str, order: fn(u32) -> [u8; 4]) -> Vec<u8> {
    text.chars().map(u32::from).flat_map(order).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn an_article_is_the_same_in_every_encoding_and_normal_form() {
    let text = article();
    let with = |mark: &[u8], bytes: Vec<u8>| [mark, &bytes].concat();
    let disguises: Vec<(&str, Vec<u8>)> = vec![
        ("utf8", text.clone().into_bytes()),
        ("utf8-mark", with(b"\xef\xbb\xbf", text.clone().into_bytes())),
        ("utf16le-mark", with(b"\xff\xfe", utf16(&text, u16::to_le_bytes))),
        ("utf16be-mark", with(b"\xfe\xff", utf16(&text, u16::to_be_bytes))),
        ("utf16le", utf16(&text, u16::to_le_bytes)),
        ("utf16be", utf16(&text, u16::to_be_bytes)),
        ("utf32le-mark", with(b"\xff\xfe\0\0", utf32(&text, u32::to_le_bytes))),
        ("utf32be", utf32(&text, u32::to_be_bytes)),
        ("windows-1252", encoded(encoding_rs::WINDOWS_1252, &text)),
        ("iso-8859-15", encoded(encoding_rs::ISO_8859_15, &text)),
        ("mac-roman", encoded(encoding_rs::MACINTOSH, &text)),
        ("nfd", text.nfd().collect::<String>().into_bytes()),
        ("crlf", text.replace('\n', "\r\n").into_bytes()),
        ("cr", text.replace('\n', "\r").into_bytes()),
        ("no-end", text.trim_end().as_bytes().to_vec()),
        ("invisible", text.replace("digue", "di\u{ad}gue\u{200b}").replace("tenu", "te\u{0}nu\u{1b}\u{202e}").into_bytes()),
    ];
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    for (name, bytes) in &disguises {
        dir.write(&format!("input/{name}.txt"), bytes);
    }
    fs::hard_link(dir.path("input/utf8.txt"), dir.path("input/hard-link.txt")).unwrap();
    fs::copy(dir.path("input/utf8.txt"), dir.path("input/copy.txt")).unwrap();
    dir.run(&["run"]).exits(0);
    let rows = dir.rows();
    assert_eq!(rows.len(), disguises.len() + 2);
    for row in rows {
        assert_eq!(row["title_fr"], "La digue « œuvre » à 3 € tient bon", "{}", row["source"]);
        assert!(!row["flags"].contains("encoding") && !row["flags"].contains("mojibake"), "{row:?}");
    }
    assert_eq!(mock.count(), 2, "paid for once");
}

#[test]
fn damaged_bytes_are_flagged_and_the_rest_is_read() {
    let text = article();
    let cut = text.as_bytes()[..text.len() - 1].iter().copied().chain(*b" Fin \xc3").collect();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("bad-byte", [text.as_bytes(), b"Un octet \xe9 seul.\n"].concat(), "encoding"),
        ("cut", cut, "encoding"),
        ("overlong", [text.as_bytes(), b"Un \xc0\xaf deux.\n"].concat(), "encoding"),
        ("spoilt", encoding_rs::WINDOWS_1252.decode_without_bom_handling(text.as_bytes()).0.into_owned().into_bytes(), "mojibake"),
    ];
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    for (name, bytes, _) in &cases {
        dir.write(&format!("input/{name}.txt"), bytes);
    }
    let surrogate = serde_json::json!({"title": "La digue « œuvre » à 3 € tient bon", "text": format!("{} EMOJI", french(1))});
    dir.write("input/surrogate.json", surrogate.to_string().replace("EMOJI", "\\ud83d"));
    dir.run(&["run"]).exits(0);
    for (name, _, flag) in &cases {
        let row = dir.row(&format!("input/{name}.txt"));
        assert_eq!(row["title_fr"], "La digue « œuvre » à 3 € tient bon", "{name}");
        assert!(row["flags"].split(' ').any(|code| code == *flag), "{name}: {}", row["flags"]);
    }
    assert!(dir.row("input/surrogate.json")["flags"].contains("encoding"));
    for request in mock.requests() {
        assert!(!request.text().contains("Ã©"), "{}", request.text());
    }
}

#[test]
fn unknown_encodings_and_malformed_files_are_never_sent() {
    // "L'été dernier, l'élève était déjà à l'école" in a DOS code page, and Russian without a declared encoding.
    let dos = b"L'\x82t\x82 dernier\n\nL'\x82l\x8ave \x82tait d\x82j\x85 \x85 l'\x82cole, dit le ma\x8ctre.\n".repeat(5);
    let russian = encoded(encoding_rs::WINDOWS_1251, &"Президент выступил с заявлением в среду вечером в Москве. ".repeat(5));
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("dos.txt", dos, "encoding"),
        ("russian.txt", russian, "encoding"),
        ("picture.txt.gz", gzip(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "binary"),
        ("twice.txt.gz", gzip(&gzip(article().as_bytes())), "binary"),
        ("bomb.txt.gz", crate::support::wire::gzip_bomb(64), "too-large"),
        ("bomb.jsonl.gz", crate::support::wire::gzip_bomb(64), "too-large"),
        ("torn.txt.gz", gzip(article().as_bytes())[..60].to_vec(), "malformed"),
        (
            "attributes.html",
            format!("<html><body {}><p>Un.</p>", (0..50_000).fold(String::new(), |all, at| all + &format!("a{at}=1 "))).into_bytes(),
            "too-deep",
        ),
        ("entities.xml", b"<!DOCTYPE a [<!ENTITY b \"x\"><!ENTITY c \"&b;&b;\">]><rss><channel></channel></rss>".to_vec(), "empty"),
        ("nan.json", b"{\"text\": NaN}".to_vec(), "malformed"),
        ("types.json", b"{\"title\": 3, \"text\": {\"a\": []}}".to_vec(), "empty"),
        ("header.csv", b"a,b,c\n1,2,3\n".to_vec(), "malformed"),
    ];
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    for (name, bytes, _) in &cases {
        dir.write(&format!("input/{name}"), bytes);
    }
    dir.run(&["run"]).exits(3);
    for (name, _, code) in &cases {
        let row = dir.row(&format!("input/{name}"));
        assert!(row["error"].starts_with(&format!("{code}: ")), "{name}: {}", row["error"]);
    }
    assert_eq!(mock.count(), 0);
}

#[test]
fn odd_names_and_deep_folders_are_read() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    let names = ["=1+1.txt", "<b>gras</b>.txt", "$(touch PWNED).txt", "; touch PWNED.txt", "'\"`.txt", &format!("{}.txt", "n".repeat(240))];
    for name in &names {
        dir.write(&format!("input/{name}"), french(1));
    }
    // Two names that differ only in case, and a path of 3,000 bytes.
    dir.write("input/Nom.txt", french(1));
    dir.write("input/nom.txt", french(1));
    let deep = format!("input/{}a.txt", format!("{}/", "d".repeat(240)).repeat(12));
    dir.write(&deep, french(1));
    dir.run(&["run"]).exits(0);
    let rows = dir.rows();
    assert_eq!(rows.len(), names.len() + 3);
    assert!(rows.iter().all(|row| row["status"] == "done"));
    assert!(sources(&rows).contains(&deep.as_str()));
    assert!(!dir.path("PWNED").exists() && !dir.path("input/PWNED").exists());
    assert_eq!(mock.count(), 2);
}
