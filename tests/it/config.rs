//! Errors in a config: exit code 2, a message with line and column, and no request.

use std::fs;

use crate::support::configs::{openai, with_key};
use crate::support::mock::Mock;
use crate::support::test_dir::TestDir;

/// The error message for the usual config with `from` replaced by `to`.
fn changed(from: &str, to: &str) -> String {
    let mock = Mock::good();
    let config = openai(&mock);
    assert!(config.contains(from), "{from}");
    refused(&mock, &config.replace(from, to))
}

/// The error message for a config that the program must refuse before it sends or writes anything.
fn refused(mock: &Mock, config: &str) -> String {
    let dir = TestDir::with(config, 1);
    let said = ["run", "doctor"].map(|command| {
        let ended = dir.run(&[command]).exits(2);
        assert_eq!(ended.stdout, "");
        dir.redact(&ended.stderr).replace(&mock.url(), "MOCK")
    });
    assert_eq!(said[0], said[1], "every command says the same");
    assert_eq!(mock.count(), 0);
    assert!(!dir.path("output").exists());
    said[0].clone()
}

#[test]
fn a_misspelt_key_is_reported_with_position_and_suggestion() {
    insta::assert_snapshot!(changed("concurrency = 4", "concurency = 4"), @r"
    error: config.toml:18:1: unknown key `concurency`
      hint: did you mean `concurrency`?
    ");
    insta::assert_snapshot!(changed("[summary]", "[sumary]"), @r"
    error: config.toml:8:2: unknown key `sumary`
      hint: did you mean `summary`?
    ");
    insta::assert_snapshot!(changed("words = 60", "xyzzy = 60"), @r"
    error: config.toml:10:1: unknown key `xyzzy`
      hint: the keys in this section are route, words, sentences, style, tone, keep_text
    ");
}

#[test]
fn a_wrong_type_is_reported_with_its_position() {
    insta::assert_snapshot!(changed("words = 60", "words = \"sixty\""), @r#"error: config.toml:10:9: invalid type: string "sixty", expected a whole number"#);
    insta::assert_snapshot!(changed("paths = [\"input\"]", "paths = \"input\""), @r#"error: config.toml:2:9: invalid type: string "input", expected a list"#);
    insta::assert_snapshot!(changed("words = 60", "words = "), @"error: config.toml:10:9: string values must be quoted, expected literal string");
}

#[test]
fn numbers_out_of_range_are_reported_with_the_range() {
    insta::assert_snapshot!(changed("words = 60", "words = 5"), @"error: config.toml:10:9: `words` is 5, but must be between 10 and 1000");
    insta::assert_snapshot!(changed("concurrency = 4", "concurrency = 0"), @"error: config.toml:18:15: `concurrency` is 0, but must be between 1 and 10000");
    insta::assert_snapshot!(changed("concurrency = 4", "concurrency = 1000000000"), @"error: config.toml:18:15: `concurrency` is 1000000000, but must be between 1 and 10000");
    insta::assert_snapshot!(changed("timeout = \"100s\"", "timeout = \"0s\""), @r#"
    error: config.toml:19:11: invalid duration: `0s`
      hint: use a time such as "120s" or "2m", from 100ms to 24h
    "#);
    insta::assert_snapshot!(changed("paths = [\"input\"]", "max_megabytes = -1"), @"error: config.toml:2:17: `max_megabytes` is -1, but must be between 1 and 1000");
}

#[test]
fn an_unknown_choice_is_reported_with_the_choices() {
    insta::assert_snapshot!(changed("dialect = \"openai\"", "dialect = \"opennai\""), @r"
    error: config.toml:15:11: invalid `dialect`: `opennai`
      hint: did you mean `openai`?
    ");
    insta::assert_snapshot!(changed("route = \"summarise-then-translate\"", "route = \"fast\""), @r"
    error: config.toml:9:9: invalid `route`: `fast`
      hint: use one of summarise-then-translate, translate-then-summarise, single-call
    ");
    insta::assert_snapshot!(changed("profile = \"plain\"", "profile = \"exel-fr\""), @r"
    error: config.toml:6:11: invalid `profile`: `exel-fr`
      hint: did you mean `excel-fr`?
    ");
    insta::assert_snapshot!(changed("\"translate\"]", "\"traduire\"]"), @r"
    error: config.toml:14:22: invalid `does`: `traduire`
      hint: use one of summarise, translate, review
    ");
}

#[test]
fn an_invalid_url_is_reported() {
    let address = |to: &str| {
        let mock = Mock::good();
        refused(&mock, &openai(&mock).replace(&format!("{}/v1", mock.url()), to))
    };
    insta::assert_snapshot!(address("localhost 8080"), @r#"
    error: config.toml:16:7: `localhost 8080` is not a URL: relative URL without a base
      hint: use a URL such as "http://localhost:5000"; a key belongs in `key = { env = … }`
    "#);
    insta::assert_snapshot!(address("file:///etc/passwd"), @r#"
    error: config.toml:16:7: `file://` is not supported, only http and https
      hint: use a URL such as "http://localhost:5000"; a key belongs in `key = { env = … }`
    "#);
    insta::assert_snapshot!(address("ftp://127.0.0.1/v1"), @r#"
    error: config.toml:16:7: `ftp://` is not supported, only http and https
      hint: use a URL such as "http://localhost:5000"; a key belongs in `key = { env = … }`
    "#);
    insta::assert_snapshot!(address("http://user:s3cret@127.0.0.1:9/v1"), @r#"
    error: config.toml:16:7: the URL contains a user name or password
      hint: use a URL such as "http://localhost:5000"; a key belongs in `key = { env = … }`
    "#);
}

#[test]
fn a_missing_or_inline_key_is_reported_and_never_printed() {
    let key = |to: &str| {
        let mock = Mock::good();
        refused(&mock, &with_key(&mock).replace("{ env = \"DEPECHE_TEST_KEY\" }", to))
    };
    insta::assert_snapshot!(key("{ env = \"DEPECHE_TEST_KEY\" }"), @r"
    error: config.toml:18:7: the environment variable `DEPECHE_TEST_KEY` for the key is not set
      hint: set it before the run; for cron, in the crontab or an environment file
    ");
    insta::assert_snapshot!(key("{ file = \"no-such-file\" }"), @r"
    error: config.toml:18:7: cannot read the key file `DIR/no-such-file`: No such file or directory (os error 2)
      hint: put the key, and nothing else, in that file
    ");
    insta::assert_snapshot!(key("\"sk-in-the-open-1234\""), @r#"error: config.toml:18:7: a key must not be in the config; say where to find it: { env = "VARIABLE" } or { file = "PATH" }"#);
    insta::assert_snapshot!(key("{ enviroment = \"X\" }"), @r#"error: config.toml:18:7: write a key as { env = "VARIABLE" } or { file = "PATH" }"#);
}

#[test]
fn a_key_is_not_sent_unencrypted_to_another_machine() {
    let mock = Mock::good();
    let config = with_key(&mock).replace(&mock.url(), "http://192.0.2.1").replace("{ env = \"DEPECHE_TEST_KEY\" }", "{ file = \"key\" }");
    let dir = TestDir::with(&config, 0);
    dir.write("key", "sk-test\n");
    let ended = dir.run(&["run"]).exits(2);
    insta::assert_snapshot!(dir.redact(&ended.stderr), @r"
    error: config.toml:16:7: the key would be sent unencrypted to another machine
      hint: use https, or set `allow_http = true` if you trust the network
    ");
}

#[test]
fn a_key_with_white_space_is_refused_and_never_printed() {
    let mock = Mock::good();
    let dir = TestDir::with(&with_key(&mock).replace("{ env = \"DEPECHE_TEST_KEY\" }", "{ file = \"key\" }"), 1);
    dir.write("key", "sk-one\nsk-two\n");
    let ended = dir.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("contains white space") && !ended.stderr.contains("sk-"), "{}", ended.stderr);
    dir.write("key", "  sk-one\r\n");
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.requests()[0].header("authorization"), Some("Bearer sk-one"));
}

#[test]
fn endpoints_must_have_unique_names_and_cover_the_route() {
    let second = "[[endpoint]]\nname = \"llm\"\ndoes = [\"translate\"]\ndialect = \"openai\"\nurl = \"http://127.0.0.1:9\"\nmodel = \"m\"\n\n[embedded]";
    insta::assert_snapshot!(changed("[embedded]", second), @r"
    error: config.toml:22:8: duplicate endpoint name `llm`
      hint: give each endpoint its own name
    ");
    insta::assert_snapshot!(changed("\"summarise\", \"translate\"", "\"translate\""), @r#"
    error: config.toml: no endpoint does `summarise`
      hint: add an [[endpoint]] with does = ["summarise"]
    "#);
    insta::assert_snapshot!(changed("\"summarise\", \"translate\"", ""), @r#"
    error: config.toml:12:1: endpoint `llm` has no tasks in `does`
      hint: use does = ["summarise", "translate"]
    "#);
    insta::assert_snapshot!(changed("dialect = \"openai\"", "dialect = \"libretranslate\""), @"error: config.toml:14:9: services with the dialect `libretranslate` cannot summarise");
}

#[test]
fn all_errors_are_reported_at_once() {
    let mock = Mock::good();
    let said = refused(
        &mock,
        &openai(&mock).replace("words = 60", "words = 5").replace("\"plain\"", "\"x\"").replace("concurrency = 4", "concurrency = 0"),
    );
    assert_eq!(said.matches("config.toml:").count(), 3, "{said}");
}

#[test]
fn a_flag_is_validated_like_the_config() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    let ended = dir.run(&["run", "--route", "singel-call"]).exits(2);
    assert!(ended.stderr.contains("a similar value exists: 'single-call'"), "{}", ended.stderr);
    let ended = dir.run(&["run", "--max-time", "soon"]).exits(2);
    assert!(ended.stderr.starts_with("error: command line: "), "{}", ended.stderr);
    assert_eq!(mock.count(), 0);
}

#[test]
fn an_invalid_config_file_is_reported() {
    let dir = TestDir::new();
    let said = |name: &str| dir.redact(&dir.run(&["run", "--config", name]).exits(2).stderr);
    dir.write("latin.toml", b"# caf\xe9\n");
    fs::create_dir(dir.path("folder.toml")).unwrap();
    fs::File::create(dir.path("large.toml")).unwrap().set_len(100 << 20).unwrap();
    dir.write("empty.toml", "");
    insta::assert_snapshot!(said("latin.toml"), @r"
    error: latin.toml: not UTF-8: invalid byte at position 6
      hint: save it as UTF-8
    ");
    insta::assert_snapshot!(said("folder.toml"), @r"
    error: folder.toml: not a file
      hint: create one with `depeche init SERVICE`, or name another with `--config FILE`
    ");
    insta::assert_snapshot!(said("large.toml"), @r"
    error: large.toml: 100 MB is too large for a config
      hint: create one with `depeche init SERVICE`, or name another with `--config FILE`
    ");
    insta::assert_snapshot!(said("none.toml"), @r"
    error: none.toml: cannot read it: No such file or directory (os error 2)
      hint: create one with `depeche init SERVICE`, or name another with `--config FILE`
    ");
    insta::assert_snapshot!(said("empty.toml"), @r#"
    error: empty.toml: no endpoint does `summarise`
      hint: add an [[endpoint]] with does = ["summarise"]
    empty.toml: no endpoint does `translate`
      hint: add an [[endpoint]] with does = ["translate"]
    "#);
}

#[test]
fn show_says_where_each_value_comes_from_and_hides_keys() {
    let mock = Mock::good();
    let dir = TestDir::with(&with_key(&mock).replace("{ env = \"DEPECHE_TEST_KEY\" }", "{ file = \"key\" }"), 0);
    dir.write("key", "sk-secret");
    let config = fs::read_to_string(dir.path("config.toml")).unwrap() + "\n[run]\nping = \"https://hc.example/secret-id\"\n";
    dir.write("config.toml", &config);
    let shown = dir.run(&["config", "show", "--route", "single-call", "--max-articles", "7", "--quiet"]).exits(0).stdout;
    let line = |key: &str| shown.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap_or_else(|| panic!("no {key}: {shown}"));
    let written = config.lines().position(|line| line.starts_with("words")).unwrap() + 1;
    for (key, value, origin) in [
        ("route", "\"single-call\"", "command line: --route".to_owned()),
        ("max_articles", "7", "command line: --max-articles".to_owned()),
        ("words", "60", format!("config.toml:{written}")),
        ("connect_timeout", "\"10s\"", "default".to_owned()),
    ] {
        let parts: Vec<&str> = line(key).split_once(" = ").unwrap().1.split(" # ").map(str::trim).collect();
        assert_eq!(parts, [value, &origin], "{key}");
    }
    assert!(line("key").contains("{ file = \"key\" }") && !shown.contains("secret"), "{shown}");
    // What it prints is a config again, with the same values.
    dir.write("shown.toml", &shown);
    let again = dir.run(&["config", "show", "--config", "shown.toml"]).exits(0).stdout;
    let values = |text: &str| {
        let values = text.lines().map(|line| line.split(" # ").next().unwrap().trim().to_owned());
        values.filter(|line| !line.starts_with('#')).collect::<Vec<_>>()
    };
    assert_eq!(values(&again), values(&shown));
}

#[test]
fn the_schema_is_printed_and_written_by_init() {
    let dir = TestDir::new();
    let schema = dir.run(&["config", "schema"]).exits(0).stdout;
    let parsed: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(parsed["properties"]["output"]["properties"]["profile"]["enum"][1], "excel-fr");
    dir.run(&["init", "openai"]).exits(0);
    assert_eq!(fs::read_to_string(dir.path("config.schema.json")).unwrap().trim_end(), schema.trim_end());
}
