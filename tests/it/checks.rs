//! The checks end to end: the action after a finding, and `depeche check` on any table.

use serde_json::{Value, json};

use crate::support::configs::openai;
use crate::support::http::Request;
use crate::support::mock::{Action, Mock};
use crate::support::test_dir::TestDir;
use crate::support::wire::completion;

/// A translator that puts a wrong number into every text, unless `right` returns true for the request.
fn wrong_number_unless(right: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Mock {
    Mock::scripted(move |request, _| {
        let system = request.json()["messages"][0]["content"].as_str().unwrap_or_default().to_owned();
        if !system.contains("JSON list of texts") || right(request) {
            return Action::normal(request);
        }
        Action::Answer(completion(&json!({"translations": ["Dyke number 99 holds", "Dyke number 1 of the port held."]}).to_string()))
    })
}

fn names_the_problem(request: &Request) -> bool {
    request.json()["messages"][0]["content"].as_str().is_some_and(|system| system.contains("99"))
}

fn with(mock: &Mock, actions: &str) -> String {
    format!("{}\n[checks]\n{actions}\n", openai(mock))
}

#[test]
fn a_retry_prompt_names_the_problem_and_is_paid_for_once() {
    let mock = wrong_number_unless(names_the_problem);
    let dir = TestDir::with(&with(&mock, "number = \"retry\""), 1);
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 3, "the summary, the translation, and the translation again");
    assert_eq!(dir.row("input/001.txt")["flags"], "");
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 3);
}

#[test]
fn a_finding_is_retried_once_only() {
    let mock = wrong_number_unless(|_| false);
    let dir = TestDir::with(&with(&mock, "number = \"retry\""), 1);
    dir.run(&["run"]).exits(0);
    assert_eq!((mock.count(), dir.row("input/001.txt")["flags"].as_str()), (3, "number"));
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 3);
}

#[test]
fn failover_gives_a_bad_translation_to_the_next_endpoint() {
    let mock = wrong_number_unless(|request| request.json()["model"] == "better");
    let second = format!(
        "[[endpoint]]\nname = \"second\"\ndoes = [\"translate\"]\ndialect = \"openai\"\nurl = \"{}/v1\"\nmodel = \"better\"\n\n[embedded]",
        mock.url()
    );
    let config = with(&mock, "number = \"failover\"").replace("[embedded]", &second);
    let dir = TestDir::with(&config, 1);
    dir.run(&["run"]).exits(0);
    let row = dir.row("input/001.txt");
    assert_eq!((row["flags"].as_str(), row["translation_endpoint"].as_str(), row["summary_endpoint"].as_str()), ("", "second", "llm"));
    assert_eq!(mock.count(), 3);
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 3);
}

#[test]
fn changing_the_action_releases_a_quarantined_row_without_calls() {
    let mock = wrong_number_unless(|_| false);
    let dir = TestDir::with(&with(&mock, "number = \"quarantine\""), 1);
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.rows().len(), 0);
    assert!(std::fs::read_to_string(dir.path("output/quarantine.csv")).unwrap().contains("Dyke number 99 holds"));
    let calls = mock.count();
    for (action, flags) in [("flag", "number"), ("off", "")] {
        dir.write("config.toml", with(&mock, &format!("number = \"{action}\"")));
        dir.run(&["run"]).exits(0);
        assert_eq!((dir.row("input/001.txt")["flags"].as_str(), mock.count()), (flags, calls), "{action}");
    }
}

#[test]
fn an_unknown_action_is_reported_with_its_position() {
    let mock = Mock::good();
    let dir = TestDir::with(&with(&mock, "number = \"retyr\""), 0);
    let ended = dir.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("config.toml:") && ended.stderr.contains("did you mean `retry`?"), "{}", ended.stderr);
}

const TABLE: &str = "\u{feff}id;fr;en\n\
    a;\"Le maire a reçu 2 000 habitants mardi, dans la salle du conseil de la ville.\";\"The mayor received 20,000 residents on Tuesday in the town's council chamber.\"\n\
    b;\"Les 34 élèves de la classe ont visité le musée de la ville avec leur maître.\";\"The 34 pupils of the class visited the town's museum with their teacher.\"\n";

#[test]
fn check_reads_any_table() {
    let dir = TestDir::new();
    dir.write("table.csv", TABLE);
    let arguments = ["check", "table.csv", "--source", "fr", "--target", "en"];
    let ended = dir.run(&[&arguments[..], &["--jsonl"]].concat()).exits(3);
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["id"], "a");
    let flag = &lines[0]["flags"][0];
    assert_eq!((&flag["check"], &flag["severity"]), (&json!("number"), &json!("error")));
    assert_eq!((&flag["found"], &flag["expected"]), (&json!("20,000"), &json!("2 000")));
    let ended = dir.run(&arguments).exits(3);
    assert!(
        ended.stdout.starts_with("a: error number: ") && ended.stdout.ends_with("2 rows checked, 1 flagged: number 1\n"),
        "{}",
        ended.stdout
    );
    let ended = dir.run(&["check", "table.csv", "--source", "fr", "--target", "english"]).exits(2);
    assert!(ended.stderr.contains("`english`") && ended.stderr.contains("id, fr, en"), "{}", ended.stderr);
    dir.write("table.csv", TABLE.replace("20,000", "2,000"));
    dir.run(&arguments).exits(0);
}
