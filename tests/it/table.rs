//! The table: columns, order, encoding, safety in spreadsheets, and permissions.

use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::support::articles::{english, french};
use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::test_dir::{TestDir, mode, rows, sources};

const COLUMNS: &str = "id,source,title_fr,title_en,summary_fr,summary_en,language,published,url,status,flags,error,words,\
    summary_endpoint,translation_endpoint,cost,processed_at,text_fr,text_en,author,section,copy_of";

#[test]
fn a_mixed_folder_gives_one_row_for_each_article_in_path_order() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    let body = french(5).replace("La digue numéro 5 tient bon\n\n", "");
    dir.write("input/b.md", format!("---\ntitle: Titre du billet\ndate: 2026-11-15\n---\n\n{body}"));
    let page = format!(
        "<html lang=\"fr\"><head><title>T</title><link rel=\"canonical\" href=\"https://exemple.invalid/p\"></head>\
         <body><article><h1>Titre de la page</h1><p>{body}</p></article></body></html>"
    );
    dir.write("input/a.html", page);
    dir.write(
        "input/z.json",
        serde_json::json!([{"id": "k1", "title": "Un", "text": french(6)}, {"id": "k2", "title": "Two", "text": english(6)}]).to_string(),
    );
    dir.write("input/empty.txt", "");
    dir.run(&["run"]).exits(0);
    let bytes = dir.table();
    assert_eq!(String::from_utf8(bytes.clone()).unwrap().lines().next(), Some(COLUMNS));
    assert!(!bytes.contains(&b'\r'));
    let rows = dir.rows();
    assert_eq!(
        sources(&rows),
        ["input/001.txt", "input/002.txt", "input/a.html", "input/b.md", "input/empty.txt", "input/z.json#k1", "input/z.json#k2"]
    );
    assert_eq!(dir.row("input/a.html")["url"], "https://exemple.invalid/p");
    assert_eq!(
        (dir.row("input/b.md")["title_fr"].as_str(), dir.row("input/b.md")["published"].as_str()),
        ("Titre du billet", "2026-11-15")
    );
    assert_eq!(dir.row("input/z.json#k2")["language"], "en");
    let ids: std::collections::HashSet<_> = rows.iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids.len(), rows.len());
    for row in &rows {
        assert_eq!(row["status"] == "skipped", row["source"] == "input/empty.txt", "{row:?}");
        let time = &row["processed_at"];
        assert!(time.len() == 20 && time.ends_with('Z'), "{time}");
    }
}

#[test]
fn the_french_excel_profile_has_bom_semicolons_and_crlf() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    dir.run(&["run"]).exits(0);
    let plain = dir.rows();
    dir.run(&["run", "--profile", "excel-fr"]).exits(0);
    let bytes = dir.table();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.starts_with(&format!("\u{feff}{}\r\n", COLUMNS.replace(',', ";"))), "{text}");
    assert!(text.lines().count() == 3 && text.matches('\n').count() == text.matches("\r\n").count());
    assert_eq!(rows(&bytes, b';'), plain, "another form of the same rows, and no call");
    assert_eq!(mock.count(), 4);
}

#[test]
fn formulas_in_cells_are_disarmed() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    let titles = ["=1+1", "+33 appels", "@SUM(A1)", "-2+3", "=HYPERLINK(\"http://x\")"];
    for (number, title) in titles.iter().enumerate() {
        dir.write(&format!("input/{number}.json"), serde_json::json!({"title": title, "text": french(number)}).to_string());
    }
    dir.write("input/=1+1.txt", french(9));
    dir.run(&["run", "input", "--config", "config.toml"]).exits(0);
    for (row, title) in dir.rows().iter().zip(titles) {
        assert_eq!(row["title_fr"], format!("'{title}"));
    }
    for row in dir.rows() {
        for (column, cell) in &row {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{column}: {cell}");
        }
    }
}

#[test]
fn quotes_separators_and_line_breaks_survive_a_round_trip() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    let title = "Un «titre», \"cité\"; œuvre à 3 € — 日本語 🚢";
    dir.write("input/a.json", serde_json::json!({"title": title, "text": french(1)}).to_string());
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.row("input/a.json")["title_fr"], title);
}

#[test]
fn only_the_owner_can_read_the_files() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    dir.run(&["run"]).exits(0);
    assert_eq!(mode(&dir.path("output")), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(dir.path("output")).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(
        names,
        [
            "digest.html",
            "flags.jsonl",
            "ledger.db",
            "ledger.lock",
            "metrics.prom",
            "quarantine.csv",
            "report.json",
            "summaries.csv",
            "summaries.jsonl",
            "summaries.xlsx"
        ],
        "and nothing else is left behind"
    );
}

#[test]
fn control_characters_and_invalid_utf8_in_file_names_are_escaped() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    for (number, name) in [&b"a\nb.txt"[..], b"c\x1b[31m.txt", b"d\xff.txt", b"--help.txt"].into_iter().enumerate() {
        fs::write(dir.path("input").join(std::ffi::OsStr::from_bytes(name)), french(number)).unwrap();
    }
    let ended = dir.run(&["run", "-vv"]).exits(0);
    assert_eq!(sources(&dir.rows()), ["input/--help.txt", "input/a\\x0Ab.txt", "input/c\\x1B[31m.txt", "input/d\\xFF.txt"]);
    assert!(!ended.stderr.contains('\u{1b}') && !ended.stdout.contains('\u{1b}'));
}

#[test]
fn an_edited_or_deleted_table_is_rebuilt_without_calls() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    dir.run(&["run"]).exits(0);
    let table = dir.table();
    for damage in [&b"half a li"[..], b""] {
        fs::write(dir.path("output/summaries.csv"), damage).unwrap();
        dir.run(&["run"]).exits(0);
        assert_eq!(dir.table(), table);
    }
    fs::remove_file(dir.path("output/summaries.csv")).unwrap();
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.table(), table);
    assert_eq!(mock.count(), 4);
}

#[test]
fn an_output_folder_that_cannot_be_created_is_reported_before_any_request() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    dir.write("output", "a file is in the way");
    let ended = dir.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("output"), "{}", ended.stderr);
    assert_eq!(mock.count(), 0);
}

#[test]
fn outputs_deleted_during_a_run_are_rebuilt_or_reported() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    dir.run(&["run"]).exits(0);
    let during = |words: &str, what: &dyn Fn()| {
        dir.write("config.toml", openai(&mock).replace("words = 60", words));
        mock.hold();
        let before = mock.count();
        let run = dir.start(&["run"]);
        mock.wait_for_requests(before + 1);
        what();
        mock.release();
        run.wait()
    };
    during("words = 80", &|| std::fs::remove_file(dir.path("output/summaries.csv")).unwrap()).exits(0);
    assert_eq!(dir.rows().len(), 3);
    let before = mock.count();
    // Files may arrive while the folder is being removed, so try again.
    let ended = during("words = 90", &|| while std::fs::remove_dir_all(dir.path("output")).is_err() {}).exits(2);
    assert!(ended.stderr.contains("was moved or deleted during the run"), "{}", ended.stderr);
    assert!(mock.count() - before <= 3, "what was in flight, and nothing more");
}

#[test]
fn only_the_formats_of_the_config_are_written_and_others_are_removed() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    let written = || {
        let names = fs::read_dir(dir.path("output")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> =
            names.filter(|name| ["csv", "xlsx", "html", "jsonl"].iter().any(|ending| name.ends_with(ending))).collect();
        names.sort();
        names
    };
    dir.run(&["run"]).exits(0);
    let all = ["digest.html", "flags.jsonl", "quarantine.csv", "summaries.csv", "summaries.jsonl", "summaries.xlsx"];
    assert_eq!(written(), all);
    assert_eq!(mode(&dir.path("output/summaries.xlsx")), 0o600);
    // A file that somebody has changed is not removed.
    dir.write("output/flags.jsonl", "my own");
    let config = |formats: &str| openai(&mock).replacen("[output]\n", &format!("[output]\nformats = {formats}\n"), 1);
    dir.write("config.toml", config("[\"xlsx\", \"html\"]"));
    let ended = dir.run(&["run"]).exits(0);
    assert_eq!(written(), ["digest.html", "flags.jsonl", "summaries.xlsx"]);
    assert_eq!(ended.summary()["table"], "output/summaries.xlsx");
    assert_eq!(mock.count(), 4, "nothing is paid for again");
    let before = fs::read(dir.path("output/summaries.xlsx")).unwrap();
    assert!(before.starts_with(b"PK"));
    dir.write("config.toml", config("[\"xls\"]"));
    let ended = dir.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("invalid `formats`: `xls`") && ended.stderr.contains("did you mean `xlsx`?"), "{}", ended.stderr);
    dir.write("config.toml", config("[]"));
    assert!(dir.run(&["run"]).exits(2).stderr.contains("`formats` is empty"));
}
