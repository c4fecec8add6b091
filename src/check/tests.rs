//! Runs the checks on the labelled set of `tests/data/checks`: correct pairs, and the same pairs with
//! one planted error each. `benches/checks.py` computes the table in `docs/checks.md` from this set.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::table::assert_entries;
use super::{Context, check};
use crate::model::{Flag, Lang};

#[derive(Deserialize)]
struct Pair {
    id: String,
    planted: Option<String>,
    from: Lang,
    to: Lang,
    summary: bool,
    source: String,
    target: String,
}

#[derive(Default)]
struct Score {
    planted: u32,
    caught: u32,
    false_alarms: u32,
}

fn pairs() -> Vec<Pair> {
    let lines = include_str!("../../tests/data/checks/pairs.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn planted_errors_are_found_and_correct_pairs_are_not_flagged() {
    let mut scores: BTreeMap<Flag, Score> = BTreeMap::new();
    let mut wrong = Vec::new();
    for pair in pairs() {
        let context = Context::of_pair((&pair.source, Some(pair.from)), (&pair.target, Some(pair.to)), pair.summary);
        let found: Vec<Flag> = check(&context, &[]).into_iter().map(|finding| finding.check).collect();
        let planted = pair.planted.as_deref().map(|code| Flag::parse(code).unwrap());
        if let Some(planted) = planted {
            let score = scores.entry(planted).or_default();
            score.planted += 1;
            score.caught += u32::from(found.contains(&planted));
        }
        for flag in Flag::ALL.into_iter().filter(|flag| planted.is_none() && found.contains(flag)) {
            scores.entry(flag).or_default().false_alarms += 1;
            wrong.push(format!("{}: {}", pair.id, flag.code()));
        }
    }
    for (flag, Score { planted, caught, false_alarms }) in scores {
        let (precision, recall) = (f64::from(caught) / f64::from(caught + false_alarms), f64::from(caught) / f64::from(planted));
        let strict = matches!(flag, Flag::Number | Flag::Date);
        assert!(precision >= if strict { 0.98 } else { 0.9 }, "{}: precision {precision}, {wrong:?}", flag.code());
        assert!(recall >= if strict { 0.98 } else { 0.8 }, "{}: recall {recall}", flag.code());
    }
}

/// A pair with an error that `benches/labelled.py` planted.
#[derive(Deserialize)]
struct Planted {
    kind: String,
    #[serde(flatten)]
    pair: Pair,
}

#[test]
fn every_kind_of_planted_error_is_found() {
    let lines = include_str!("../../tests/data/checks/planted.jsonl").lines();
    let mut kinds: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for Planted { kind, pair } in lines.map(|line| serde_json::from_str(line).unwrap()) {
        let context = Context::of_pair((&pair.source, Some(pair.from)), (&pair.target, Some(pair.to)), pair.summary);
        let planted = pair.planted.as_deref().map(|code| Flag::parse(code).unwrap());
        let is_found = check(&context, &[]).into_iter().any(|finding| Some(finding.check) == planted);
        let (times, found) = kinds.entry(kind).or_default();
        *times += 1;
        *found += u32::from(is_found);
    }
    assert!(kinds.values().map(|(times, _)| times).sum::<u32>() > 800);
    for (kind, (times, found)) in kinds {
        let wanted = match kind.as_str() {
            // Some words that are left are words of the other language too: `tribunal`.
            "a word left" => 0.75,
            // A summary may say the same in other words.
            "a negation added in a summary" => 0.7,
            _ => 0.8,
        };
        assert!(f64::from(found) >= wanted * f64::from(times), "{kind}: {found} of {times}");
    }
}

/// The files with this extension in `src/check`.
fn data_files(extension: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check");
    let folders = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|found| found == extension)).collect()
}

#[test]
fn every_line_of_every_data_file_can_be_read_and_none_is_listed_twice() {
    let (lists, tables) = (data_files("txt"), data_files("tsv"));
    assert_eq!((lists.len(), tables.len()), (24, 16), "{lists:?} {tables:?}");
    for list in lists {
        println!("{}", list.display());
        assert_entries(&[&fs::read_to_string(list).unwrap()], |row| (row.len() == 1).then(|| row.join("\t")));
    }
    for table in tables {
        println!("{}", table.display());
        let is_pairs = table.ends_with("exonyms.tsv") || table.ends_with("sounds.tsv");
        let fits = |columns: usize| if is_pairs { columns == 2 } else { columns >= 2 };
        assert_entries(&[&fs::read_to_string(&table).unwrap()], |row| fits(row.len()).then(|| row.join("\t")));
    }
}

proptest::proptest! {
    /// No text makes a check panic, and every span is valid.
    #[test]
    fn any_two_texts_can_be_compared(source in "(\\PC|[0-9.,:/ h%€-]|deux|vingt| et |-|\n){0,60}", target in "(\\PC|[0-9.,:/ %$-]|two|hundred| and |pm|\n){0,60}") {
        for (from, to, summary) in [(Lang::FR, Lang::EN, false), (Lang::EN, Lang::FR, false), (Lang::FR, Lang::FR, true), (Lang::EN, Lang::FR, true)] {
            for finding in check(&Context::of_pair((&source, Some(from)), (&target, Some(to)), summary), &[]) {
                if let Some(span) = finding.span {
                    proptest::prop_assert!(target.get(span).is_some());
                }
            }
        }
    }
}
