//! Unchanged input is free: known files are not opened, moved articles are recognised, current outputs are not written.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use crate::support::articles::french;
use crate::support::configs::openai;
use crate::support::desk::{Desk, sources};
use crate::support::mock::Mock;

/// Sets a file's modification time back by an hour and some seconds.
fn age(desk: &Desk, name: &str, seconds: u64) {
    let time = SystemTime::now() - Duration::from_secs(3600 + seconds);
    File::options().write(true).open(desk.path(name)).unwrap().set_modified(time).unwrap();
}

/// Overwrites a file with content of the same length and restores its time, so that it looks unchanged.
fn swap(desk: &Desk, name: &str) {
    let path = desk.path(name);
    let before = fs::metadata(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap().replace("du port", "du lac");
    fs::write(&path, text.replace("du lac", "du bac ")).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(before.len()).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().ino(), before.ino());
}

fn desk(mock: &Mock, count: usize) -> Desk {
    let desk = Desk::with(&openai(mock), count);
    (1..=count).for_each(|number| age(&desk, &format!("input/{number:03}.txt"), number as u64));
    desk
}

#[test]
fn a_file_with_the_same_size_time_and_inode_is_not_opened() {
    let mock = Mock::good();
    let desk = desk(&mock, 3);
    desk.run(&["run"]).exits(0);
    let table = desk.table();
    // Artificial, but it shows that the file is not opened.
    swap(&desk, "input/002.txt");
    let summary = desk.run(&["run"]).exits(0).summary();
    assert_eq!([&summary["found"], &summary["done"], &summary["earlier"], &summary["requests"]], [3, 3, 3, 0], "{summary}");
    assert_eq!(desk.table(), table);
    // With another time, the file is read.
    age(&desk, "input/002.txt", 50);
    desk.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 6 + 2);
}

#[test]
fn a_file_that_was_just_written_is_read_again() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 2);
    desk.run(&["run"]).exits(0);
    swap(&desk, "input/002.txt");
    desk.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 4 + 2, "its time was too close to the reading to be relied on");
}

#[test]
fn a_changed_setting_opens_the_files_and_repeats_the_calls_it_shapes() {
    let mock = Mock::good();
    let desk = desk(&mock, 3);
    desk.run(&["run"]).exits(0);
    desk.write("config.toml", openai(&mock).replace("words = 60", "words = 90"));
    desk.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 6 + 3);
}

#[test]
fn renamed_and_copied_articles_are_recognised_by_content() {
    let mock = Mock::good();
    let desk = desk(&mock, 2);
    desk.run(&["run"]).exits(0);
    let before = desk.row("input/001.txt");
    fs::create_dir(desk.path("input/sub")).unwrap();
    fs::rename(desk.path("input/001.txt"), desk.path("input/sub/b.txt")).unwrap();
    fs::copy(desk.path("input/002.txt"), desk.path("input/copy.txt")).unwrap();
    let summary = desk.run(&["run"]).exits(0).summary();
    assert_eq!(sources(&desk.rows()), ["input/002.txt", "input/copy.txt", "input/sub/b.txt"]);
    assert_eq!(desk.row("input/sub/b.txt")["summary_en"], before["summary_en"]);
    assert_eq!((mock.count(), &summary["remembered"]), (4, &serde_json::json!(0)), "not even the replies were looked up");
}

#[test]
fn a_removed_file_leaves_the_table_and_returns_free() {
    let mock = Mock::good();
    let desk = desk(&mock, 3);
    desk.run(&["run"]).exits(0);
    let table = desk.table();
    fs::rename(desk.path("input/002.txt"), desk.path("002.txt")).unwrap();
    desk.run(&["run"]).exits(0);
    assert_eq!(sources(&desk.rows()), ["input/001.txt", "input/003.txt"]);
    fs::rename(desk.path("002.txt"), desk.path("input/002.txt")).unwrap();
    desk.run(&["run"]).exits(0);
    assert_eq!((desk.table(), mock.count()), (table, 6));
}

#[test]
fn switching_the_input_back_is_free() {
    let mock = Mock::good();
    let desk = desk(&mock, 2);
    desk.write("other/a.txt", french(8));
    desk.run(&["run"]).exits(0);
    let table = desk.table();
    desk.run(&["run", "other", "input/002.txt"]).exits(0);
    assert_eq!(sources(&desk.rows()), ["input/002.txt", "other/a.txt"]);
    desk.run(&["run"]).exits(0);
    assert_eq!((desk.table(), mock.count()), (table, 6));
}

#[test]
fn an_article_that_left_its_list_leaves_the_table() {
    let mock = Mock::good();
    let desk = Desk::with(&openai(&mock), 0);
    let list = |keys: &[&str]| {
        let articles: Vec<_> = keys.iter().map(|key| serde_json::json!({"id": key, "title": key, "text": french(key.len())})).collect();
        serde_json::Value::from(articles).to_string()
    };
    desk.write("input/list.json", list(&["a", "bb", "ccc"]));
    desk.run(&["run"]).exits(0);
    desk.write("input/list.json", list(&["a", "ccc"]));
    desk.run(&["run"]).exits(0);
    assert_eq!(sources(&desk.rows()), ["input/list.json#a", "input/list.json#ccc"]);
    assert_eq!(mock.count(), 6);
}

#[test]
fn only_outdated_outputs_are_written() {
    let mock = Mock::good();
    let desk = desk(&mock, 2);
    desk.run(&["run"]).exits(0);
    let inode = || fs::metadata(desk.path("output/summaries.csv")).unwrap().ino();
    let (before, table) = (inode(), desk.table());
    desk.run(&["run"]).exits(0);
    assert_eq!(inode(), before);
    desk.write("output/summaries.csv", "edited by hand");
    desk.run(&["run"]).exits(0);
    assert_eq!(desk.table(), table);
    desk.run(&["run", "--profile", "excel-fr"]).exits(0);
    assert!(desk.table().starts_with(b"\xef\xbb\xbf"));
    fs::remove_file(desk.path("output/summaries.csv")).unwrap();
    desk.run(&["run"]).exits(0);
    assert_eq!(desk.table(), table);
}

#[test]
fn a_failed_article_is_retried_even_if_its_file_is_unchanged() {
    let mock = Mock::scripted(|request, number| {
        if number == 0 { crate::support::mock::Deed::status(400, "{}") } else { crate::support::mock::Deed::usual(request) }
    });
    let desk = desk(&mock, 1);
    desk.run(&["run"]).exits(3);
    desk.run(&["run"]).exits(0);
    assert_eq!(desk.row("input/001.txt")["status"], "done");
}
