//! Near-duplicates: exact copies, trimmed copies, and articles that differ in a number.

use std::fmt::Write;

use crate::support::configs::openai;
use crate::support::desk::Desk;
use crate::support::mock::Mock;

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
    let desk = Desk::with(&openai(&mock), 1);
    desk.write("input/b/original.txt", story());
    desk.write("input/c/crlf.txt", story().replace('\n', "\r\n"));
    desk.write("input/c/trimmed.txt", trimmed(2));
    desk.write("input/c/updated.txt", story().replace("privé 125 foyers", "privé 825 foyers"));
    desk.run(&["run"]).exits(0);
    let copy_of = |source: &str| desk.row(source)["copy_of"].clone();
    let copies = |desk: &Desk| -> Vec<(String, String)> {
        desk.rows().iter().filter(|row| !row["copy_of"].is_empty()).map(|row| (row["source"].clone(), row["copy_of"].clone())).collect()
    };
    let expected = ["input/c/crlf.txt", "input/c/trimmed.txt"].map(|source| (source.to_owned(), "input/b/original.txt".to_owned()));
    assert_eq!(copies(&desk), expected);
    assert!(desk.row("input/c/trimmed.txt")["flags"].contains("copy") && !desk.row("input/c/updated.txt")["flags"].contains("copy"));
    // The mock returns the first sentence, which all texts share. So each text needs its own summary call, and they share one translation.
    assert_eq!(mock.count(), 6, "an exact copy is free, a trimmed one is only told");
    let before = desk.table();
    desk.run(&["run"]).exits(0);
    assert_eq!(desk.table(), before);
    // A new article that sorts before the others becomes their original, until it is removed.
    desk.write("input/a.txt", story());
    desk.run(&["run"]).exits(0);
    assert_eq!(copy_of("input/b/original.txt"), "input/a.txt");
    std::fs::remove_file(desk.path("input/a.txt")).unwrap();
    desk.run(&["run"]).exits(0);
    assert_eq!(copies(&desk), expected);
    assert_eq!(copy_of("input/b/original.txt"), "");
    desk.write("config.toml", config(&mock, "off"));
    desk.run(&["run"]).exits(0);
    assert_eq!(copies(&desk), [], "switched off, no row says anything");
    assert_eq!(mock.count(), 6);
}

#[test]
fn a_trimmed_copy_reuses_the_summary_of_its_original() {
    let mock = Mock::good();
    let desk = Desk::with(&config(&mock, "reuse"), 0);
    desk.write("input/a/original.txt", story());
    for number in 1..=4 {
        desk.write(&format!("input/b/{number}.txt"), trimmed(number));
    }
    desk.write("input/c/updated.txt", trimmed(1).replace("privé 125 foyers", "privé 825 foyers"));
    desk.write("input/d/longer.txt", format!("{}\n\nÀ Rennes, le préfet a promis 3 millions d'euros.", story()));
    let plan = || serde_json::from_str::<serde_json::Value>(&desk.run(&["plan", "--json"]).exits(0).stdout).unwrap();
    assert_eq!((&plan()["copies"], &plan()["new"]), (&4.into(), &3.into()), "{}", plan());
    desk.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 4, "a summary each for the original, the update and the longer one, and one translation");
    let original = desk.row("input/a/original.txt");
    for number in 1..=4 {
        let row = desk.row(&format!("input/b/{number}.txt"));
        assert_eq!((row["copy_of"].as_str(), row["status"].as_str()), ("input/a/original.txt", "done"));
        assert_eq!((&row["summary_en"], &row["title_en"]), (&original["summary_en"], &original["title_en"]));
    }
    assert_eq!(desk.row("input/c/updated.txt")["copy_of"], "");
    assert_eq!(desk.row("input/d/longer.txt")["copy_of"], "input/a/original.txt", "told, and paid for: it says more");
    // A copy that arrives in a later run takes the summary from the ledger, and no other row is made again.
    desk.write("input/e.txt", trimmed(2));
    let before = desk.row("input/b/1.txt");
    assert_eq!((&plan()["moved"], &plan()["endpoints"]), (&1.into(), &serde_json::json!([])), "{}", plan());
    desk.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 4);
    assert_eq!(desk.row("input/e.txt")["summary_en"], original["summary_en"]);
    assert_eq!(desk.row("input/b/1.txt"), before);
}

#[test]
fn a_copy_of_a_failed_article_is_summarised_itself() {
    let mock = Mock::scripted(|request, _| {
        if request.text().contains("129 foyers") {
            crate::support::mock::Deed::status(400, "{}")
        } else {
            crate::support::mock::Deed::usual(request)
        }
    });
    let desk = Desk::with(&config(&mock, "reuse"), 0);
    desk.write("input/a.txt", story());
    desk.write("input/b.txt", trimmed(1));
    desk.run(&["run"]).exits(3);
    assert_eq!((desk.row("input/a.txt")["status"].as_str(), desk.row("input/b.txt")["status"].as_str()), ("failed", "done"));
}

#[test]
fn an_unknown_value_of_near_is_reported() {
    let mock = Mock::good();
    let desk = Desk::with(&config(&mock, "reus"), 1);
    let ended = desk.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("did you mean `reuse`?"), "{}", ended.stderr);
}
