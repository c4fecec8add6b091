//! Tests of the whole module. Those that need Apertium are skipped without it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

/// Finds Apertium; prints a line and returns `None` if it is not installed.
fn installed() -> Option<Installed> {
    let found = Installed::find(Path::new(MODES))
        .ok()
        .filter(|found| [Direction::FrEn, Direction::EnFr].iter().all(|&direction| found.has(direction)));
    if found.is_none() {
        eprintln!("skipped: Apertium is not installed");
    }
    found
}

fn translator(direction: Direction) -> Option<Translator> {
    installed().map(|found| found.translator(direction, TIMEOUT).unwrap())
}

fn count_running(pids: &[u32]) -> usize {
    pids.iter().filter(|pid| Path::new(&format!("/proc/{pid}")).exists()).count()
}

#[test]
fn french_becomes_english() {
    let Some(mut translator) = translator(Direction::FrEn) else {
        return;
    };
    let english = translator.translate("M. Macron a dit mardi que « l’œuvre » coûte 2 000 euros, soit 12,5 % du total.").unwrap();
    assert!(english.starts_with("Mr Macron said Tuesday that \"the work\""), "{english}");
    assert!(english.ends_with("2,000 euros, that is 12.5% of the total."), "{english}");
}

#[test]
fn english_becomes_french() {
    let Some(mut translator) = translator(Direction::EnFr) else {
        return;
    };
    let french = translator.translate("Mr. Smith said on Tuesday: the government lost $3 million.").unwrap();
    assert!(french.starts_with("M. Smith a dit"), "{french}");
    assert!(french.contains("mardi\u{a0}: le gouvernement a perdu"), "{french}");
}

#[test]
fn text_without_letters_and_special_characters_stay() {
    let Some(mut translator) = translator(Direction::FrEn) else {
        return;
    };
    for text in ["", "  ", "12 345,6 %", "— ***", "\n\n"] {
        assert_eq!(translator.translate(text).unwrap(), text);
    }
    let odd = translator.translate("Un [chat] ^noir$ <b> {x}\0 a/b @moi \\ fin\nLe chien.\n").unwrap();
    assert_eq!(odd.lines().count(), 2, "{odd}");
    assert!(odd.contains("[cat]") && odd.contains('^') && odd.contains("{x}") && odd.ends_with("The dog.\n"), "{odd}");
    // Requests and replies are still in step.
    assert_eq!(translator.translate("Le chat.").unwrap(), "The cat.");
}

#[test]
fn a_long_text_is_translated_in_parts() {
    let Some(mut translator) = translator(Direction::FrEn) else {
        return;
    };
    let english = translator.translate(&"Le chat dort. ".repeat(2_000)).unwrap();
    assert_eq!(english.matches("cat").count(), 2_000);
}

#[test]
fn a_killed_program_is_replaced() {
    let Some(mut translator) = translator(Direction::FrEn) else {
        return;
    };
    let pid = translator.pids()[3].to_string();
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    assert_eq!(translator.translate("Le chat.").unwrap(), "The cat.");
}

#[test]
fn a_stopped_program_times_out_and_is_replaced() {
    let Some(found) = installed() else { return };
    let mut translator = found.translator(Direction::FrEn, Duration::from_secs(3)).unwrap();
    let before = translator.pids();
    assert!(Command::new("kill").args(["-STOP", &before[2].to_string()]).status().unwrap().success());
    assert_eq!(translator.translate("Le chat.").unwrap(), "The cat.");
    assert_eq!(count_running(&before[..10]), 0, "the first leg's old programs are gone");
}

#[test]
fn no_process_is_left_behind() {
    let Some(mut translator) = translator(Direction::EnFr) else {
        return;
    };
    translator.translate("The cat.").unwrap();
    let pids = translator.pids();
    assert_eq!((pids.len(), count_running(&pids)), (21, 21));
    drop(translator);
    assert_eq!(count_running(&pids), 0);
}

#[test]
fn a_program_that_never_replies_is_an_error_and_is_stopped() {
    let sleep = Program { path: PathBuf::from("/bin/sleep"), args: vec!["1000".to_owned()] };
    let legs = [vec![sleep.clone()], vec![sleep]].map(|programs| Leg { programs, pipeline: None });
    let mut translator = Translator { direction: Direction::FrEn, legs, timeout: Duration::from_millis(50) };
    assert!(matches!(translator.translate("Le chat."), Err(Error::TimedOut { .. })));
    assert!(translator.pids().is_empty());
}

#[test]
fn missing_files_and_their_packages_are_named() {
    let error = Installed::find(Path::new("/nowhere")).unwrap_err().to_string();
    assert!(error.contains("/nowhere/fr-es.mode") && error.contains("apt install apertium apertium-fr-es"), "{error}");
    assert!(matches!(Direction::between("de", "fr"), Err(Error::Pair { .. })));
}

#[test]
fn the_version_is_the_same_each_time() {
    let (Some(one), Some(two)) = (installed(), installed()) else {
        return;
    };
    assert_eq!(one.version(), two.version());
    assert!(one.version().starts_with("apertium-"));
}

#[test]
fn one_direction_may_be_missing() {
    if installed().is_none() {
        return;
    }
    let folder = std::env::temp_dir().join(format!("apertium-modes-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for name in ["fr-es.mode", "spa-eng.mode"] {
        fs::copy(Path::new(MODES).join(name), folder.join(name)).unwrap();
    }
    let found = Installed::find(&folder).unwrap();
    assert!(found.has(Direction::FrEn) && !found.has(Direction::EnFr));
    assert!(matches!(found.translator(Direction::EnFr, TIMEOUT), Err(Error::Missing { .. })));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn long_lines_are_split_at_spaces() {
    assert_eq!(split_long_line("aa bb cc", 5), ["aa", "bb cc"]);
    assert_eq!(split_long_line("aaaaaa", 4), ["aaaa", "aa"]);
    assert_eq!(split_long_line("été été", 7), ["été été"]);
}
