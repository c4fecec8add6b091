//! The user's glossary: obeyed on every backend, checked, and paid for only where it changed.

use crate::support::configs::service;
use crate::support::desk::Desk;
use crate::support::mock::Mock;

const GLOSSARY: &str = "fr,en,note\nOTSC,CSTO,\nHaut-Karabakh,Nagorno-Karabakh,\nPachinian,Pashinyan,\n";

fn article(who: &str) -> String {
    format!(
        "{who} parle de la digue\n\n{who} a parlé mercredi de la digue du port, qui a tenu. Elle a résisté à la tempête de la nuit, a annoncé \
         la mairie dans un communiqué. Les réparations doivent durer encore huit mois, selon les services de la ville.\n"
    )
}

fn desk(mock: &Mock, dialect: &str, lines: &str) -> Desk {
    let desk = Desk::with(&format!("[glossary]\nfile = \"glossary.csv\"\n\n{}", service(mock, dialect, lines)), 0);
    desk.write("glossary.csv", GLOSSARY);
    desk.write("input/1.txt", article("L’OTSC"));
    desk.write("input/2.txt", article("M. Pachinian"));
    desk.write("input/3.txt", article("Le maire"));
    desk
}

#[test]
fn translators_without_a_glossary_get_their_terms_through_and_no_mark_is_left() {
    for dialect in ["libretranslate", "apertium"] {
        let mock = Mock::good();
        let desk = desk(&mock, dialect, "");
        desk.run(&["run"]).exits(0);
        let rows = desk.rows();
        assert!(desk.row("input/1.txt")["title_en"].contains("CSTO"), "{dialect}: {rows:?}");
        assert!(desk.row("input/2.txt")["summary_en"].to_uppercase().contains("PASHINYAN"), "{dialect}: {rows:?}");
        assert!(!rows.iter().any(|row| row["title_en"].contains(['⟦', '⟧']) || row["flags"].contains("glossary")), "{dialect}: {rows:?}");
    }
}

#[test]
fn chat_models_are_told_the_terms_that_occur_and_a_missing_one_is_flagged() {
    let mock = Mock::good();
    let desk = desk(&mock, "openai", "");
    desk.run(&["run"]).exits(0);
    let told = |request: &crate::support::http::Request| request.json()["messages"][0]["content"].as_str().unwrap().to_owned();
    let translations: Vec<String> = mock.requests().iter().map(told).filter(|system| system.contains("JSON list")).collect();
    assert_eq!(translations.iter().filter(|system| system.contains("\n- OTSC = CSTO")).count(), 1);
    assert_eq!(translations.iter().filter(|system| system.contains("one of these terms")).count(), 2, "only where one occurs");
    // This model does not listen.
    assert_eq!(desk.row("input/1.txt")["flags"], "glossary");
    assert_eq!(desk.row("input/3.txt")["flags"], "");
}

#[test]
fn a_changed_entry_redoes_only_the_articles_that_hold_it() {
    let mock = Mock::good();
    let desk = desk(&mock, "libretranslate", "");
    desk.run(&["run"]).exits(0);
    let before = mock.count();
    assert_eq!(before, 3);
    desk.write("glossary.csv", GLOSSARY.replace("CSTO", "Tashkent-Pact").replace("Haut-", "Bas-"));
    desk.run(&["run"]).exits(0);
    assert_eq!(mock.count(), before + 1, "the article about the OTSC, and no other");
    assert!(desk.row("input/1.txt")["title_en"].contains("TASHKENT-PACT"));
    desk.write("glossary.csv", format!("{}Ouagadougou,Ouagadougou\n", GLOSSARY.replace("CSTO", "Tashkent-Pact")));
    desk.run(&["run"]).exits(0);
    assert_eq!(mock.count(), before + 1, "an entry that occurs nowhere costs nothing");
}

#[test]
fn faults_of_the_file_are_named_with_line_and_column_before_anything_is_asked() {
    let mock = Mock::good();
    let desk = desk(&mock, "openai", "");
    desk.write("glossary.csv", "fr,en\nOTSC,CSTO\nOTSC,OTC\n");
    let ended = desk.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("glossary.csv:3:6: `OTSC` is `CSTO` in line 2, and here `OTC`"), "{}", ended.stderr);
    std::fs::remove_file(desk.path("glossary.csv")).unwrap();
    let ended = desk.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("the glossary `glossary.csv` cannot be read"), "{}", ended.stderr);
    assert_eq!(mock.count(), 0);
}
