//! Input that changes during a run: files that disappear, shrink, grow or are replaced. Also, very many files.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::articles::french;
use crate::support::configs::openai;
use crate::support::mock::{Action, Mock};
use crate::support::process::Running;
use crate::support::test_dir::TestDir;

/// Enough articles that the last ones are not yet read at the first request: reading runs ahead of the calls.
const AHEAD: usize = 160;

/// A service that calls `change` during its first request. The test sets the input folder before the run.
fn changed_by(change: impl Fn(&PathBuf) + Send + Sync + 'static) -> (Mock, std::sync::Arc<std::sync::OnceLock<PathBuf>>) {
    let folder = std::sync::Arc::new(std::sync::OnceLock::new());
    let input = std::sync::Arc::clone(&folder);
    let mock = Mock::scripted(move |request, number| {
        if number == 0 {
            change(input.get().unwrap());
        }
        Action::normal(request)
    });
    (mock, folder)
}

#[test]
fn files_that_vanish_shrink_or_are_replaced_are_reported_or_read_whole() {
    let shrunk = french(1000);
    let replaced = french(2000);
    let (now, new) = (shrunk.clone(), replaced.clone());
    let (mock, folder) = changed_by(move |input| {
        fs::remove_file(input.join("160.txt")).unwrap();
        fs::write(input.join("159.txt"), &now).unwrap();
        fs::write(input.join("other"), &new).unwrap();
        fs::rename(input.join("other"), input.join("158.txt")).unwrap();
    });
    let dir = TestDir::with(&openai(&mock).replace("concurrency = 4", "concurrency = 1"), AHEAD);
    dir.write("input/159.txt", format!("{}\n\n{}", french(159), french(3000)));
    folder.set(dir.path("input")).unwrap();
    let summary = dir.run(&["run"]).exits(3).summary();
    assert_eq!([&summary["found"], &summary["done"], &summary["failed"]], [160, 159, 1], "{summary}");
    let gone = dir.row("input/160.txt");
    assert!(gone["status"] == "failed" && gone["error"].starts_with("vanished: "), "{gone:?}");
    let sent = |text: &str| mock.requests().iter().any(|request| request.text().contains(text));
    assert!(sent("numéro 1000") && sent("numéro 2000"), "the content at the time of reading");
    assert!(!sent("numéro 159") && !sent("numéro 158") && !sent("numéro 3000"), "nothing of what stood there before");
}

#[test]
fn a_growing_file_is_read_again_and_its_row_replaced() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    let (half, rest) = (french(1), "\n\nLa seconde moitié vient plus tard, a dit la capitainerie mardi soir.\n");
    dir.write("input/a.txt", &half);
    dir.run(&["run"]).exits(0);
    let before = dir.row("input/a.txt");
    dir.write("input/a.txt", format!("{half}{rest}"));
    dir.run(&["run"]).exits(0);
    let after = dir.row("input/a.txt");
    assert!(dir.rows().len() == 1 && before["words"] != after["words"], "{before:?} {after:?}");
    assert!(mock.requests().iter().any(|request| request.text().contains("seconde moitié")));
}

/// A month's worth of files, read by a program that may open only a few at once.
#[test]
fn twenty_thousand_files_need_few_descriptors() {
    let dir = TestDir::new();
    // Only digits, so that language detection takes no time.
    let text = "Cotes\n\n12 34 56 78.\n";
    for number in 0..20_000 {
        fs::write(dir.path(&format!("input/{number:05}.txt")), text).unwrap();
    }
    let program = dir.command(&["read", "input"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 32; exec \"$@\"", "sh"]).arg(program.get_program()).args(program.get_args());
    limited.current_dir(dir.path("")).env_clear().env("HOME", dir.path("home"));
    let ended = Running::start(&mut limited).wait().exits(0);
    assert_eq!(ended.stdout.lines().count(), 20_000);
    assert!(ended.stdout.lines().all(|line| line.contains("12 34 56 78.")));
}
