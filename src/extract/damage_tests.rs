//! Files of many articles that cannot be read to their end: the articles before the damage stay, one
//! reject says what happened, and the reading ends.

use std::io::Write;

use super::articles;
use crate::config::{Fields, Rules};
use crate::model::{ErrorCode, Reject, Source};
use crate::read::{self, Bytes};

const MAX: u64 = 10 << 20;

/// Each format that is read one article at a time, as a head and three articles.
fn formats() -> Vec<(&'static str, String, [String; 3])> {
    let text = |number: usize| {
        let sentences: Vec<String> =
            (0..40).map(|line| format!("La commune {} a voté {} euros.", number * 7919 + line * 31, line * line * 97)).collect();
        sentences.join(" ")
    };
    let each = |make: &dyn Fn(usize, String) -> String| [1, 2, 3].map(|number| make(number, text(number)));
    let record = |number: usize, text: String| {
        let page = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nTitre\n\n{text}");
        let length = page.len();
        format!(
            "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://a.invalid/{number}\r\nContent-Length: {length}\r\n\r\n{page}\r\n\r\n"
        )
    };
    let message = |number: usize, text: String| {
        format!(
            "From a Fri Nov 13 08:00:00 2026\nFrom: A <a@a.invalid>\nMessage-ID: <{number}@a.invalid>\nSubject: Titre\nContent-Type: text/plain; charset=utf-8\n\n{text}\n\n"
        )
    };
    vec![
        ("a.jsonl", String::new(), each(&|number, text| format!("{{\"id\":{number},\"title\":\"Titre\",\"text\":\"{text}\"}}\n"))),
        ("a.csv", "id,title,text\n".to_owned(), each(&|number, text| format!("{number},Titre,{text}\n"))),
        ("a.mbox", String::new(), each(&message)),
        ("a.warc", String::new(), each(&record)),
    ]
}

/// A JSON list, which is read one article at a time if it is over the limit for the whole file.
fn list() -> (&'static str, String, [String; 3]) {
    let (_, _, [first, second, third]) = formats().remove(0);
    ("a.json", "[".to_owned(), [first + ",", second + ",", third + "]"])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// How many articles are found, and the rejects of the file. More than a few items mean that the
/// reading does not end.
fn found(name: &str, bytes: Bytes, size: u64) -> (usize, Vec<Reject>) {
    let source = Source { path: name.into(), name: name.into(), size, stamp: None };
    let (mut count, mut rejects) = (0, Vec::new());
    let articles = match articles(&source, bytes, &Fields::default()) {
        Ok(articles) => articles,
        Err(reject) => return (0, vec![reject]),
    };
    for article in articles.take(50) {
        match article.finish(&Rules::shipped()) {
            Ok(article) => {
                assert!(article.body.starts_with("La commune ") && article.body.ends_with(" 147537 euros."), "{}", article.body);
                count += 1;
            }
            Err((row, reject)) => {
                assert_eq!(row, name);
                rejects.push(reject);
            }
        }
    }
    (count, rejects)
}

fn found_in(name: &str, bytes: Vec<u8>) -> (usize, Vec<Reject>) {
    found(name, Bytes::of(bytes, MAX).unwrap(), 0)
}

/// Each format and packing: its name, its packed articles together, and one by one.
fn packed() -> Vec<(String, Vec<u8>, [Vec<u8>; 3])> {
    let pack = |(name, head, [first, second, third]): (&str, String, [String; 3]), packing: &str| {
        let pack: fn(&[u8]) -> Vec<u8> = if packing == "gz" { gzip } else { zstd };
        let together = pack([head.as_str(), &first, &second, &third].concat().as_bytes());
        (format!("{name}.{packing}"), together, [head + &first, second, third].map(|text| pack(text.as_bytes())))
    };
    ["gz", "zst"].into_iter().flat_map(|packing| formats().into_iter().map(move |format| pack(format, packing))).collect()
}

#[test]
fn whole_files_are_read_however_they_are_packed() {
    for (name, together, one_by_one) in packed() {
        assert_eq!(found_in(&name, together.clone()), (3, vec![]), "{name}");
        assert_eq!(found_in(&name, one_by_one.concat()), (3, vec![]), "{name}");
        let padding = if name.ends_with("gz") { 1000 } else { 0 };
        assert_eq!(found_in(&name, [together, vec![0; padding]].concat()), (3, vec![]), "{name}");
    }
}

#[test]
fn members_that_end_within_a_line_are_joined() {
    for (name, head, articles) in formats() {
        let text = head + &articles.concat();
        for length in [1, 7, 1000] {
            let members: Vec<u8> = text.as_bytes().chunks(length).flat_map(|chunk| [gzip(chunk), gzip(b"")].concat()).collect();
            assert_eq!(found_in(&format!("{name}.gz"), members), (3, vec![]), "{name}, {length} bytes each");
        }
    }
}

#[test]
fn a_cut_file_keeps_the_articles_before_the_cut() {
    for (name, _, [first, second, third]) in packed() {
        // `zstd` keeps a short text in one block. A cut leaves nothing of it, so nothing shows that
        // the message before it has ended.
        let expected = if name == "a.mbox.zst" { 1 } else { 2 };
        let (count, rejects) = found_in(&name, [first, second, third[..third.len() / 2].to_vec()].concat());
        let [reject] = rejects.as_slice() else { panic!("{name}: {rejects:?}") };
        assert_eq!((count, reject.code), (expected, ErrorCode::Malformed), "{name}: {reject}");
        assert!(reject.reason.ends_with("the compressed data is truncated"), "{name}: {reject}");
    }
}

#[test]
fn bytes_behind_the_compressed_data_cost_no_article() {
    for (name, together, _) in packed() {
        for behind in [&b"x"[..], b"\n", b"\0\0x", b"{\"id\":4}\n", b"From b\n"] {
            let (count, rejects) = found_in(&name, [&together, behind].concat());
            let [reject] = rejects.as_slice() else { panic!("{name}: {rejects:?}") };
            assert_eq!((count, reject.code), (3, ErrorCode::Malformed), "{name}: {reject}");
            assert!(reject.reason.contains("followed by"), "{name}: {reject}");
        }
    }
}

#[test]
fn a_wrong_checksum_is_told_once() {
    for (name, mut together, _) in packed() {
        // The last byte of gzip is part of the length, that of Zstandard of the checksum.
        *together.last_mut().unwrap() ^= 1;
        let (count, rejects) = found_in(&name, together);
        let [reject] = rejects.as_slice() else { panic!("{name}: {rejects:?}") };
        assert!(count <= 3 && reject.reason.contains("checksum"), "{name}: {reject}");
    }
}

#[test]
fn a_decompression_bomb_is_told_once() {
    let line = format!("{{\"text\":\"{}\"}}\n", "a".repeat(1 << 20));
    for pack in [gzip, zstd] {
        let source = Source { path: "a.jsonl".into(), name: "a.jsonl".into(), size: 0, stamp: None };
        let found = articles(&source, Bytes::of(pack(line.repeat(8).as_bytes()), 2 << 20).unwrap(), &Fields::default()).unwrap();
        let codes: Vec<&str> = found
            .take(50)
            .map(|article| article.finish(&Rules::shipped()).map_or_else(|(_, reject)| reject.code.as_str(), |_| "read"))
            .collect();
        assert_eq!((codes.len(), codes.last()), (2, Some(&"too-large")), "{codes:?}");
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_keeps_its_whole_articles() {
    let dir = tempfile::tempdir().unwrap();
    for (name, head, articles) in formats().into_iter().chain([list()]) {
        let path = dir.path().join(name);
        let text = head + &articles.concat();
        for change in ["touched", "appended", "cut", "packed and touched"] {
            let packed = change.starts_with("packed");
            // A packed list is read whole. If a list continues after its end, that is reported
            // before the change.
            if name == "a.json" && (packed || change == "appended") {
                continue;
            }
            std::fs::write(&path, if packed { gzip(text.as_bytes()) } else { text.clone().into_bytes() }).unwrap();
            let max = if name == "a.json" { text.len() as u64 - 1 } else { MAX };
            let source = Source { path: path.clone(), name: name.into(), size: text.len() as u64, stamp: None };
            let bytes = read::open(&source, max).unwrap();
            let file = std::fs::File::options().append(true).open(&path).unwrap();
            match change {
                "appended" => (&file).write_all(articles[0].as_bytes()).unwrap(),
                "cut" => file.set_len(text.len() as u64 - 20).unwrap(),
                _ => file.set_modified(std::time::UNIX_EPOCH).unwrap(),
            }
            let (count, rejects) = found(name, bytes, text.len() as u64);
            let codes: Vec<ErrorCode> = rejects.iter().map(|reject| reject.code).collect();
            assert_eq!(codes, [ErrorCode::Changing], "{name} {change}: {rejects:?}");
            // The first bytes were read before the change. The last message of a mailbox ends with the file.
            let expected = if name == "a.mbox" { 2..=3 } else { 3..=4 };
            assert!(expected.contains(&count), "{name} {change}: {count}");
        }
    }
}
