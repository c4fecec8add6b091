//! Unchanged input is free: known files are not opened, moved articles are recognised, current outputs are not written.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use crate::support::articles::french;
use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::test_dir::{TestDir, sources};

/// Sets a file's modification time back by an hour and some seconds.
fn age(dir: &TestDir, name: &str, seconds: u64) {
    let time = SystemTime::now() - Duration::from_secs(3600 + seconds);
    File::options().write(true).open(dir.path(name)).unwrap().set_modified(time).unwrap();
}

/// Overwrites a file with content of the same length and restores its time, so that it looks unchanged.
fn swap(dir: &TestDir, name: &str) {
    let path = dir.path(name);
    let before = fs::metadata(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap().replace("du port", "du lac");
    fs::write(&path, text.replace("du lac", "du bac ")).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(before.len()).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().ino(), before.ino());
}

fn dir(mock: &Mock, count: usize) -> TestDir {
    let dir = TestDir::with(&openai(mock), count);
    (1..=count).for_each(|number| age(&dir, &format!("input/{number:03}.txt"), number as u64));
    dir
}

#[test]
fn a_file_with_the_same_size_time_and_inode_is_not_opened() {
    let mock = Mock::good();
    let dir = dir(&mock, 3);
    dir.run(&["run"]).exits(0);
    let table = dir.table();
    // Artificial, but it shows that the file is not opened.
    swap(&dir, "input/002.txt");
    let summary = dir.run(&["run"]).exits(0).summary();
    assert_eq!([&summary["found"], &summary["done"], &summary["earlier"], &summary["requests"]], [3, 3, 3, 0], "{summary}");
    assert_eq!(dir.table(), table);
    // With another time, the file is read.
    age(&dir, "input/002.txt", 50);
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 6 + 2);
}

#[test]
fn a_file_that_was_just_written_is_read_again() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    dir.run(&["run"]).exits(0);
    swap(&dir, "input/002.txt");
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 4 + 2, "its time was too close to the reading to be relied on");
}

#[test]
fn a_changed_setting_opens_the_files_and_repeats_the_calls_it_shapes() {
    let mock = Mock::good();
    let dir = dir(&mock, 3);
    dir.run(&["run"]).exits(0);
    dir.write("config.toml", openai(&mock).replace("words = 60", "words = 90"));
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 6 + 3);
}

#[test]
fn renamed_and_copied_articles_are_recognised_by_content() {
    let mock = Mock::good();
    let dir = dir(&mock, 2);
    dir.run(&["run"]).exits(0);
    let before = dir.row("input/001.txt");
    fs::create_dir(dir.path("input/sub")).unwrap();
    fs::rename(dir.path("input/001.txt"), dir.path("input/sub/b.txt")).unwrap();
    fs::copy(dir.path("input/002.txt"), dir.path("input/copy.txt")).unwrap();
    let summary = dir.run(&["run"]).exits(0).summary();
    assert_eq!(sources(&dir.rows()), ["input/002.txt", "input/copy.txt", "input/sub/b.txt"]);
    assert_eq!(dir.row("input/sub/b.txt")["summary_en"], before["summary_en"]);
    assert_eq!((mock.count(), &summary["cached"]), (4, &serde_json::json!(0)), "not even the replies were looked up");
}

#[test]
fn a_removed_file_leaves_the_table_and_returns_free() {
    let mock = Mock::good();
    let dir = dir(&mock, 3);
    dir.run(&["run"]).exits(0);
    let table = dir.table();
    fs::rename(dir.path("input/002.txt"), dir.path("002.txt")).unwrap();
    dir.run(&["run"]).exits(0);
    assert_eq!(sources(&dir.rows()), ["input/001.txt", "input/003.txt"]);
    fs::rename(dir.path("002.txt"), dir.path("input/002.txt")).unwrap();
    dir.run(&["run"]).exits(0);
    assert_eq!((dir.table(), mock.count()), (table, 6));
}

#[test]
fn switching_the_input_back_is_free() {
    let mock = Mock::good();
    let dir = dir(&mock, 2);
    dir.write("other/a.txt", french(8));
    dir.run(&["run"]).exits(0);
    let table = dir.table();
    dir.run(&["run", "other", "input/002.txt"]).exits(0);
    assert_eq!(sources(&dir.rows()), ["input/002.txt", "other/a.txt"]);
    dir.run(&["run"]).exits(0);
    assert_eq!((dir.table(), mock.count()), (table, 6));
}

#[test]
fn an_article_that_left_its_list_leaves_the_table() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    let list = |keys: &[&str]| {
        let articles: Vec<_> = keys.iter().map(|key| serde_json::json!({"id": key, "title": key, "text": french(key.len())})).collect();
        serde_json::Value::from(articles).to_string()
    };
    dir.write("input/list.json", list(&["a", "bb", "ccc"]));
    dir.run(&["run"]).exits(0);
    dir.write("input/list.json", list(&["a", "ccc"]));
    dir.run(&["run"]).exits(0);
    assert_eq!(sources(&dir.rows()), ["input/list.json#a", "input/list.json#ccc"]);
    assert_eq!(mock.count(), 6);
}

#[test]
fn only_outdated_outputs_are_written() {
    let mock = Mock::good();
    let dir = dir(&mock, 2);
    dir.run(&["run"]).exits(0);
    let inode = || fs::metadata(dir.path("output/summaries.csv")).unwrap().ino();
    let (before, table) = (inode(), dir.table());
    dir.run(&["run"]).exits(0);
    assert_eq!(inode(), before);
    dir.write("output/summaries.csv", "edited by hand");
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.table(), table);
    dir.run(&["run", "--profile", "excel-fr"]).exits(0);
    assert!(dir.table().starts_with(b"\xef\xbb\xbf"));
    fs::remove_file(dir.path("output/summaries.csv")).unwrap();
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.table(), table);
}

#[test]
fn a_failed_article_is_retried_even_if_its_file_is_unchanged() {
    let mock = Mock::scripted(|request, number| {
        if number == 0 { crate::support::mock::Action::status(400, "{}") } else { crate::support::mock::Action::normal(request) }
    });
    let dir = dir(&mock, 1);
    dir.run(&["run"]).exits(3);
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.row("input/001.txt")["status"], "done");
}
