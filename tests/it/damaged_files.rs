//! Compressed files of many articles that are cut, damaged or too greedy: the articles before the damage are done, one row says what
//! happened, and the run goes on with the other files.

use std::io::Write;

use serde_json::{Value, json};

use crate::support::articles::french;
use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::test_dir::{TestDir, sources};

fn line(number: usize) -> String {
    let article = french(number);
    let (title, text) = article.split_once("\n\n").unwrap();
    json!({"id": format!("n{number}"), "title": title, "text": text}).to_string() + "\n"
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str, window_log: u32) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.window_log(window_log).unwrap();
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A packed line, cut in half.
fn half(mut packed: Vec<u8>) -> Vec<u8> {
    packed.truncate(packed.len() / 2);
    packed
}

#[test]
fn a_damaged_list_costs_one_row_and_no_article_before_the_damage() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    dir.write("input/a.jsonl.gz", [gzip(&line(1)), half(gzip(&line(9)))].concat());
    dir.write("input/b.jsonl.gz", [gzip(&line(2)), b"x".to_vec()].concat());
    dir.write("input/c.jsonl.zst", [zstd(&line(3), 20), half(zstd(&line(9), 20))].concat());
    dir.write("input/d.jsonl.zst", [zstd(&line(4), 20), b"x".to_vec()].concat());
    dir.write("input/e.jsonl.gz", [gzip(&line(5)), vec![0; 512]].concat());
    dir.write("input/f.txt", french(6));
    let ended = dir.run(&["run"]).exits(3);
    let rows = dir.rows();
    let mut found = sources(&rows);
    found.sort_unstable();
    let expected = [
        "input/a.jsonl.gz",
        "input/a.jsonl.gz#n1",
        "input/b.jsonl.gz",
        "input/b.jsonl.gz#n2",
        "input/c.jsonl.zst",
        "input/c.jsonl.zst#n3",
        "input/d.jsonl.zst",
        "input/d.jsonl.zst#n4",
        "input/e.jsonl.gz#n5",
        "input/f.txt",
    ];
    assert_eq!(found, expected, "{}", ended.stderr);
    for row in &rows {
        let of_file = !row["source"].contains('#') && !row["source"].ends_with("txt");
        assert_eq!(row["status"], if of_file { "failed" } else { "done" }, "{row:?}");
        let reason = if row["source"].contains("/a.") || row["source"].contains("/c.") { "truncated" } else { "followed by" };
        assert!(!of_file || row["error"].starts_with("malformed: ") && row["error"].contains(reason), "{row:?}");
    }
    let calls = mock.count();
    dir.run(&["run"]).exits(3);
    assert_eq!(mock.count(), calls, "no article is asked for again");
}

#[test]
fn a_greedy_or_damaged_zstandard_file_is_refused_by_name() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    let mut greedy = zstd(&line(1), 27);
    assert_eq!(greedy[5], 17 << 3, "the window: five bits for its power of two above 10");
    dir.write("input/a.jsonl.zst", &greedy);
    greedy[5] = 21 << 3;
    dir.write("input/b.jsonl.zst", &greedy);
    let mut damaged = zstd(&line(1), 20);
    *damaged.last_mut().unwrap() ^= 1;
    dir.write("input/c.jsonl.zst", &damaged);
    let ended = dir.run(&["read", "input"]).exits(3);
    let read: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said = |at: usize| (read[at]["error"]["code"].as_str(), read[at]["error"]["reason"].as_str().unwrap_or_default());
    assert_eq!((read.len(), read[0]["title"].is_string()), (3, true), "{}", ended.stdout);
    assert!(said(1).0 == Some("too-large") && said(1).1.contains("128 MB"), "{}", read[1]);
    assert!(said(2).0 == Some("malformed") && said(2).1.contains("checksum"), "{}", read[2]);
}
