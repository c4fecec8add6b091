//! Near-duplicates: exact copies, trimmed copies, and articles that differ in a number.

use std::fmt::Write;

use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::test_dir::TestDir;

/// An agency report of ten sentences.
fn story() -> String {
    let mut text = String::from("La tempête frappe la côte\n\n");
    for (number, town) in
        ["Brennec", "Kerlan", "Portmeur", "Saint-Aubin", "Lesvin", "Trégan", "Morlan", "Plouvier", "Carnoët", "Ploumar"].iter().enumerate()
    {
        let _ = write!(text, "À {town}, la tempête de mardi a privé {} foyers de courant, selon la mairie de la commune. ", 120 + number);
    }
    text
}

/// The report without its last `count` sentences.
fn trimmed(count: usize) -> String {
    let story = story();
    let sentences: Vec<&str> = story.split_inclusive("commune. ").collect();
    sentences[..sentences.len() - count].concat()
}

fn config(mock: &Mock, near: &str) -> String {
    format!("{}\n[duplicates]\nnear = \"{near}\"\n", openai(mock))
}

#[test]
fn rows_name_the_article_they_copy() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    dir.write("input/b/original.txt", story());
    dir.write("input/c/crlf.txt", story().replace('\n', "\r\n"));
    dir.write("input/c/trimmed.txt", trimmed(2));
    dir.write("input/c/updated.txt", story().replace("privé 125 foyers", "privé 825 foyers"));
    dir.run(&["run"]).exits(0);
    let copy_of = |source: &str| dir.row(source)["copy_of"].clone();
    let copies = |dir: &TestDir| -> Vec<(String, String)> {
        dir.rows().iter().filter(|row| !row["copy_of"].is_empty()).map(|row| (row["source"].clone(), row["copy_of"].clone())).collect()
    };
    let expected = ["input/c/crlf.txt", "input/c/trimmed.txt"].map(|source| (source.to_owned(), "input/b/original.txt".to_owned()));
    assert_eq!(copies(&dir), expected);
    assert!(dir.row("input/c/trimmed.txt")["flags"].contains("copy") && !dir.row("input/c/updated.txt")["flags"].contains("copy"));
    // The mock returns the first sentence, which all texts share. So each text needs its own summary call, and they share one translation.
    assert_eq!(mock.count(), 6, "an exact copy is free, a trimmed one is only reported");
    let before = dir.table();
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.table(), before);
    // A new article that sorts before the others becomes their original, until it is removed.
    dir.write("input/a.txt", story());
    dir.run(&["run"]).exits(0);
    assert_eq!(copy_of("input/b/original.txt"), "input/a.txt");
    std::fs::remove_file(dir.path("input/a.txt")).unwrap();
    dir.run(&["run"]).exits(0);
    assert_eq!(copies(&dir), expected);
    assert_eq!(copy_of("input/b/original.txt"), "");
    dir.write("config.toml", config(&mock, "off"));
    dir.run(&["run"]).exits(0);
    assert_eq!(copies(&dir), [], "with `off`, no row names an original");
    assert_eq!(mock.count(), 6);
}

#[test]
fn a_trimmed_copy_reuses_the_summary_of_its_original() {
    let mock = Mock::good();
    let dir = TestDir::with(&config(&mock, "reuse"), 0);
    dir.write("input/a/original.txt", story());
    for number in 1..=4 {
        dir.write(&format!("input/b/{number}.txt"), trimmed(number));
    }
    dir.write("input/c/updated.txt", trimmed(1).replace("privé 125 foyers", "privé 825 foyers"));
    dir.write("input/d/longer.txt", format!("{}\n\nÀ Rennes, le préfet a promis 3 millions d'euros.", story()));
    let plan = || serde_json::from_str::<serde_json::Value>(&dir.run(&["plan", "--json"]).exits(0).stdout).unwrap();
    assert_eq!((&plan()["copies"], &plan()["new"]), (&4.into(), &3.into()), "{}", plan());
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 4, "a summary each for the original, the update and the longer one, and one translation");
    let original = dir.row("input/a/original.txt");
    for number in 1..=4 {
        let row = dir.row(&format!("input/b/{number}.txt"));
        assert_eq!((row["copy_of"].as_str(), row["status"].as_str()), ("input/a/original.txt", "done"));
        assert_eq!((&row["summary_en"], &row["title_en"]), (&original["summary_en"], &original["title_en"]));
    }
    assert_eq!(dir.row("input/c/updated.txt")["copy_of"], "");
    assert_eq!(dir.row("input/d/longer.txt")["copy_of"], "input/a/original.txt", "reported, and paid for because it says more");
    // A copy that arrives in a later run takes the summary from the ledger, and no other row is made again.
    dir.write("input/e.txt", trimmed(2));
    let before = dir.row("input/b/1.txt");
    assert_eq!((&plan()["moved"], &plan()["endpoints"]), (&1.into(), &serde_json::json!([])), "{}", plan());
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 4);
    assert_eq!(dir.row("input/e.txt")["summary_en"], original["summary_en"]);
    assert_eq!(dir.row("input/b/1.txt"), before);
}

#[test]
fn a_copy_of_a_failed_article_is_summarised_itself() {
    let mock = Mock::scripted(|request, _| {
        if request.text().contains("129 foyers") {
            crate::support::mock::Action::status(400, "{}")
        } else {
            crate::support::mock::Action::normal(request)
        }
    });
    let dir = TestDir::with(&config(&mock, "reuse"), 0);
    dir.write("input/a.txt", story());
    dir.write("input/b.txt", trimmed(1));
    dir.run(&["run"]).exits(3);
    assert_eq!((dir.row("input/a.txt")["status"].as_str(), dir.row("input/b.txt")["status"].as_str()), ("failed", "done"));
}

#[test]
fn an_unknown_value_of_near_is_reported() {
    let mock = Mock::good();
    let dir = TestDir::with(&config(&mock, "reus"), 1);
    let ended = dir.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("did you mean `reuse`?"), "{}", ended.stderr);
}
