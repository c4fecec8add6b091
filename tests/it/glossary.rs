//! The user's glossary: every service follows it, it is checked, and a change costs only the articles it concerns.

use serde_json::json;

use crate::models::install;
use crate::support::configs::{service, toy};
use crate::support::mock::{Action, Mock};
use crate::support::test_dir::TestDir;
use crate::support::wire;

const GLOSSARY: &str = "fr,en,note\nOTSC,CSTO,\nHaut-Karabakh,Nagorno-Karabakh,\nPachinian,Pashinyan,\n";

fn article(who: &str) -> String {
    format!(
        "{who} parle de la digue\n\n{who} a parlé mercredi de la digue du port, qui a tenu. Elle a résisté à la tempête de la nuit, a annoncé \
         la mairie dans un communiqué. Les réparations doivent durer encore huit mois, selon les services de la ville.\n"
    )
}

fn dir(mock: &Mock, dialect: &str, lines: &str) -> TestDir {
    let dir = TestDir::with(&format!("[glossary]\nfile = \"glossary.csv\"\n\n{}", service(mock, dialect, lines)), 0);
    dir.write("glossary.csv", GLOSSARY);
    dir.write("input/1.txt", article("L’OTSC"));
    dir.write("input/2.txt", article("Monsieur Pachinian"));
    dir.write("input/3.txt", article("Le maire"));
    dir
}

#[test]
fn terms_pass_through_services_without_a_glossary() {
    let lines = "[endpoint.template]\npath = \"/translate\"\ntexts = \"/translatedText/*\"\nmost_texts = 10\n\
        body = '{\"q\": {{ texts }}, \"source\": {{ from }}, \"target\": {{ to }}}'";
    for (dialect, lines) in [("libretranslate", ""), ("apertium", ""), ("template", lines)] {
        let mock = Mock::good();
        let dir = dir(&mock, dialect, lines);
        dir.run(&["run"]).exits(0);
        let rows = dir.rows();
        assert!(dir.row("input/1.txt")["title_en"].contains("CSTO"), "{dialect}: {rows:?}");
        assert!(dir.row("input/2.txt")["summary_en"].to_uppercase().contains("PASHINYAN"), "{dialect}: {rows:?}");
        assert!(!rows.iter().any(|row| row["title_en"].contains(['⟦', '⟧']) || row["flags"].contains("glossary")), "{dialect}: {rows:?}");
    }
}

#[test]
fn a_lost_term_is_flagged() {
    // Replaces every name by another.
    let mock = Mock::scripted(|request, _| {
        let answer = wire::answer(request);
        let text = String::from_utf8_lossy(&answer.body).replace("CSTO", "XXXX").replace("PASHINYAN", "PASHA").replace("OTSC", "YYYY");
        Action::Answer(crate::support::http::Response::new(answer.status, text))
    });
    for dialect in ["libretranslate", "apertium"] {
        let dir = dir(&mock, dialect, "");
        // Terms are protected by markers, so a term is lost only if its marker is.
        dir.run(&["run"]).exits(0);
        let flagged = |source: &str| dir.row(source)["flags"].split(' ').any(|flag| flag == "glossary");
        let lost = dialect == "libretranslate";
        assert_eq!((flagged("input/1.txt"), flagged("input/3.txt")), (lost, false), "{dialect}: {:?}", dir.row("input/1.txt"));
    }
}

#[test]
fn a_term_dropped_by_the_neural_model_is_flagged() {
    // The toy model knows only the names Lyon and Paris, and uses one of them for every name.
    let dir = TestDir::with(&format!("[glossary]\nfile = \"glossary.csv\"\n\n{}", toy("models")), 0);
    install(&dir, "models/fr-en");
    dir.write("glossary.csv", "fr,en\nOTSC,CSTO\nLyon,Lyon\n");
    let article = |who: &str| {
        let sentence =
            format!("La mairie de {who} a rejeté la construction d'un pont. Le gouvernement a adopté le projet de loi à Paris. ");
        format!("La mairie de {who} a rejeté le plan d'aide\n\n{}", sentence.repeat(3))
    };
    dir.write("input/1.txt", article("OTSC"));
    dir.write("input/2.txt", article("Lyon"));
    dir.run(&["run"]).exits(0);
    let (lost, kept) = (dir.row("input/1.txt"), dir.row("input/2.txt"));
    assert!(!lost["title_en"].contains("CSTO") && lost["flags"].split(' ').any(|flag| flag == "glossary"), "{lost:?}");
    assert!(kept["title_en"].contains("Lyon") && !kept["flags"].contains("glossary"), "{kept:?}");
}

#[test]
fn prompts_contain_the_terms_that_occur_and_a_missing_term_is_flagged() {
    let mock = Mock::good();
    let dir = dir(&mock, "openai", "");
    dir.run(&["run"]).exits(0);
    let prompt = |request: &crate::support::http::Request| request.json()["messages"][0]["content"].as_str().unwrap().to_owned();
    let translations: Vec<String> = mock.requests().iter().map(prompt).filter(|system| system.contains("JSON list")).collect();
    assert_eq!(translations.iter().filter(|system| system.contains("\n- OTSC = CSTO")).count(), 1);
    assert_eq!(translations.iter().filter(|system| system.contains("one of these terms")).count(), 2, "only where one occurs");
    // This model ignores its prompt. It does not translate either, which other checks flag.
    let flagged = |source: &str| dir.row(source)["flags"].split(' ').any(|flag| flag == "glossary");
    assert!(flagged("input/1.txt") && !flagged("input/3.txt"));
}

#[test]
fn a_changed_entry_redoes_only_articles_that_contain_it() {
    let mock = Mock::good();
    let dir = dir(&mock, "libretranslate", "");
    dir.run(&["run"]).exits(0);
    let before = mock.billable();
    assert_eq!(before, 3);
    dir.write("glossary.csv", GLOSSARY.replace("CSTO", "Tashkent-Pact").replace("Haut-", "Bas-"));
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.billable(), before + 1, "the article about the OTSC, and no other");
    assert!(dir.row("input/1.txt")["title_en"].contains("TASHKENT-PACT"));
    dir.write("glossary.csv", format!("{}Ouagadougou,Ouagadougou\n", GLOSSARY.replace("CSTO", "Tashkent-Pact")));
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.billable(), before + 1, "an entry that occurs nowhere costs nothing");
}

#[test]
fn errors_in_the_file_are_reported_with_line_and_column_before_any_request() {
    let mock = Mock::good();
    let dir = dir(&mock, "openai", "");
    dir.write("glossary.csv", "fr,en\nOTSC,CSTO\nOTSC,OTC\n");
    let ended = dir.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("glossary.csv:3:6: `OTSC` is already `CSTO` in line 2, but `OTC` here"), "{}", ended.stderr);
    std::fs::remove_file(dir.path("glossary.csv")).unwrap();
    let ended = dir.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("cannot use the glossary `glossary.csv`: "), "{}", ended.stderr);
    assert_eq!(mock.count(), 0);
}

#[test]
fn deepls_glossary_is_created_once_and_used_only_for_texts_with_terms() {
    let kept = std::sync::Mutex::new(Vec::new());
    let mock = Mock::scripted(move |request, _| match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/v3/glossaries") => Action::Answer(crate::support::http::Response::json(&json!({"glossaries": *kept.lock().unwrap()}))),
        ("POST", "/v3/glossaries") => {
            let made = json!({"glossary_id": "g-7", "name": request.json()["name"]});
            kept.lock().unwrap().push(made.clone());
            Action::status(201, &made.to_string())
        }
        _ => Action::Answer(wire::answer(request)),
    });
    let dir = dir(&mock, "deepl", "");
    dir.run(&["run"]).exits(0);
    dir.write("input/4.txt", article("L’OTSC, encore"));
    dir.run(&["run"]).exits(0);
    let requests = mock.requests();
    let made: Vec<_> = requests.iter().filter(|request| request.path == "/v3/glossaries" && request.method == "POST").collect();
    assert_eq!(made.len(), 1);
    let entries = &made[0].json()["dictionaries"];
    assert_eq!(entries[0]["entries"], "OTSC\tCSTO\nHaut-Karabakh\tNagorno-Karabakh\nPachinian\tPashinyan");
    assert_eq!((&entries[1]["source_lang"], &entries[1]["target_lang"]), (&json!("en"), &json!("fr")));
    let named = |request: &&crate::support::http::Request| request.json()["glossary_id"] == "g-7";
    let translations: Vec<_> = requests.iter().filter(|request| request.path == "/v2/translate").collect();
    assert_eq!((translations.len(), translations.into_iter().filter(named).count()), (4, 3));
}
