//! Every format, from the file to its rows: lists with a row for each article, compressed files, pipes, wrong extensions.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::articles::french;
use crate::support::configs::openai;
use crate::support::documents::{docx, epub, odt, pdf, rtf};
use crate::support::mock::Mock;
use crate::support::process::Ended;
use crate::support::test_dir::{TestDir, sources};

/// The title and text of an article.
fn parts(number: usize) -> (String, String) {
    let article = french(number);
    let (title, text) = article.split_once("\n\n").unwrap();
    (title.to_owned(), text.to_owned())
}

fn object(number: usize) -> Value {
    let (title, text) = parts(number);
    json!({"id": format!("n{number}"), "title": title, "text": text, "date": "2026-11-13", "url": format!("https://a.invalid/{number}")})
}

fn lines(count: usize) -> String {
    (1..=count).flat_map(|number| [object(number).to_string(), "\n".into()]).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A file in each format, with two articles if the format can hold two.
fn files() -> Vec<(&'static str, Vec<u8>, Vec<&'static str>)> {
    let [(title, text), (second, other)] = [parts(1), parts(2)];
    let paragraphs = |text: &str| format!("<p>{}</p>", text.trim().replace("\n\n", "</p><p>"));
    let page = |title: &str, text: &str| {
        let paragraphs = paragraphs(text);
        format!(
            "<!DOCTYPE html><html lang=\"fr\"><head><title>{title}</title></head><body><article><h1>{title}</h1>{paragraphs}</article></body></html>"
        )
    };
    let row = |id: &str, title: &str, text: &str| format!("{id};{title};\"{text}\"\n");
    let item = |id: &str, title: &str, text: &str| {
        let body = paragraphs(text);
        format!(
            "<item><title>{title}</title><guid>{id}</guid><pubDate>ven., 13 nov. 2026 08:00:00 +0100</pubDate><content:encoded><![CDATA[{body}]]></content:encoded></item>"
        )
    };
    let mail = |id: &str, title: &str, text: &str| {
        format!(
            "From: TestDir <d@a.invalid>\nDate: Fri, 13 Nov 2026 08:00:00 +0100\nMessage-ID: <{id}@a.invalid>\nSubject: {title}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
        )
    };
    let message = |id: &str, title: &str, text: &str| format!("From d@a.invalid Fri Nov 13 08:00:00 2026\n{}\n", mail(id, title, text));
    let record = |address: &str, page: &str| {
        let content = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{page}");
        let length = content.len();
        format!("WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {address}\r\nContent-Length: {length}\r\n\r\n{content}\r\n\r\n")
    };
    let news = |id: &str, title: &str, text: &str| {
        let body = paragraphs(text);
        format!(
            "<newsItem guid=\"{id}\" xml:lang=\"fr\"><contentMeta><headline>{title}</headline></contentMeta><contentSet><inlineXML>{body}</inlineXML></contentSet></newsItem>"
        )
    };
    let yaml = format!("---\ntitle: \"{title}\"\ndate: 2026-11-13\n---\n\n{text}");
    let toml = format!("+++\ntitle = \"{title}\"\ndate = 2026-11-13\n+++\n\n{text}");
    vec![
        ("a.txt", french(1).into_bytes(), vec![""]),
        ("b.md", yaml.into_bytes(), vec![""]),
        ("c.markdown", toml.into_bytes(), vec![""]),
        ("d.htm", page(&title, &text).into_bytes(), vec![""]),
        ("e.json", json!([object(1), object(2)]).to_string().into_bytes(), vec!["#n1", "#n2"]),
        ("f.jsonl", lines(2).into_bytes(), vec!["#n1", "#n2"]),
        ("g.csv", format!("ID;Titre;Texte\n{}{}", row("x1", &title, &text), row("x2", &second, &other)).into_bytes(), vec!["#x1", "#x2"]),
        (
            "h.rss",
            format!("<rss><channel>{}{}</channel></rss>", item("g1", &title, &text), item("g2", &second, &other)).into_bytes(),
            vec!["#g1", "#g2"],
        ),
        ("i.eml", mail("m1", &title, &text).into_bytes(), vec![""]),
        (
            "j.mbox",
            format!("{}{}", message("m1", &title, &text), message("m2", &second, &other)).into_bytes(),
            vec!["#m1@a.invalid", "#m2@a.invalid"],
        ),
        (
            "k.warc.gz",
            [
                gzip(record("https://a.invalid/1", &page(&title, &text)).as_bytes()),
                gzip(record("https://a.invalid/2", &page(&second, &other)).as_bytes()),
            ]
            .concat(),
            vec!["#https://a.invalid/1", "#https://a.invalid/2"],
        ),
        (
            "l.xml",
            format!("<newsMessage><itemSet>{}{}</itemSet></newsMessage>", news("urn:1", &title, &text), news("urn:2", &second, &other))
                .into_bytes(),
            vec!["#urn:1", "#urn:2"],
        ),
        ("m.txt.gz", gzip(french(1).as_bytes()), vec![""]),
        ("n.docx", docx(&title, &text), vec![""]),
        ("o.odt", odt(&title, &text), vec![""]),
        ("p.epub", epub(&[(&title, &text), (&second, &other)]), vec!["#c1.xhtml", "#c2.xhtml"]),
        ("q.rtf", rtf(&title, &text), vec![""]),
        ("r.pdf", pdf(&title, &text), vec![""]),
        // The first bytes count, not the extension.
        ("s.doc", docx(&title, &text), vec![""]),
    ]
}

#[test]
fn every_format_gives_the_same_articles() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    for (name, bytes, _) in files() {
        dir.write(&format!("input/{name}"), bytes);
    }
    let said = dir.run(&["run"]).exits(0);
    let mut expected: Vec<String> =
        files().iter().flat_map(|(name, _, keys)| keys.iter().map(move |key| format!("input/{name}{key}"))).collect();
    expected.sort();
    let rows = dir.rows();
    let mut found: Vec<&str> = sources(&rows);
    found.sort_unstable();
    assert_eq!(found, expected, "{}", said.stderr);
    for row in &rows {
        let number = if row["title_fr"].contains("numéro 1") { 1 } else { 2 };
        assert_eq!(row["title_fr"], parts(number).0, "{}", row["source"]);
        assert_eq!(row["summary_fr"], format!("La digue {number} du port a tenu."), "{}", row["source"]);
    }
    // Two articles, with two calls each: a summary, and a translation of title and summary.
    assert_eq!(mock.count(), 4, "an article is asked for once, whatever it is packed in");
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 4, "keys are the same every night");
}

fn piped(dir: &TestDir, arguments: &[&str], bytes: &[u8]) -> Ended {
    let mut command = dir.command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn every_format_can_be_piped() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    piped(&dir, &["run", "-"], lines(3).as_bytes()).exits(0);
    assert_eq!(sources(&dir.rows()), ["(stdin)#n1", "(stdin)#n2", "(stdin)#n3"]);
    let packed = gzip(french(4).as_bytes());
    let ended = piped(&dir, &["read", "-"], &packed).exits(0);
    let article: Value = serde_json::from_str(ended.stdout.trim()).unwrap();
    assert_eq!((article["source"].as_str(), article["title"].as_str()), (Some("(stdin)"), Some("La digue numéro 4 tient bon")));
    let ended = piped(&dir, &["read", "-"], b"").exits(3);
    assert!(ended.stdout.contains("\"empty\""), "{}", ended.stdout);
}

#[test]
fn a_list_over_the_size_limit_is_read_article_by_article() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock).replace("paths = [\"input\"]", "paths = [\"input\"]\nmax_megabytes = 1"), 0);
    // Two articles, two megabytes of lines that are not articles, and one line of two megabytes.
    let mut list = lines(2);
    list += &(json!({"id": "none", "text": "", "keywords": "x".repeat(100)}).to_string() + "\n").repeat(10_000);
    list += &(json!({"id": "long", "text": "mot ".repeat(500_000)}).to_string() + "\n");
    list += "{\"id\":\"torn\",\"text\":";
    dir.write("input/list.jsonl", list);
    let ended = dir.run(&["read", "input"]);
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 10_004, "a line for every article");
    let codes: Vec<&str> = lines.iter().filter_map(|line| line["error"]["code"].as_str()).filter(|code| *code != "empty").collect();
    assert_eq!(codes, ["too-large", "malformed"]);
    assert_eq!(lines.iter().filter(|line| line["title"].is_string()).count(), 2);
}

#[test]
fn the_config_names_fields() {
    let mock = Mock::good();
    let config = openai(&mock).replace("[output]", "[input.fields]\ntitle = \"Überschrift\"\nbody = [\"inhalt.voll\"]\n\n[output]");
    let dir = TestDir::with(&config, 0);
    let (title, text) = parts(1);
    dir.write("input/a.json", json!({"Überschrift": title, "title": "no", "inhalt": {"voll": text}}).to_string());
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.row("input/a.json")["title_fr"], title);
    dir.write("config.toml", config.replace("title = \"Ü", "titel = \"Ü"));
    let ended = dir.run(&["run"]).exits(2);
    assert!(ended.stderr.contains("unknown key `titel`") && ended.stderr.contains("did you mean `title`?"), "{}", ended.stderr);
}

#[test]
fn a_signal_stops_a_run_that_waits_for_a_pipe() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 0);
    let mut command = dir.command(&["run", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(lines(2).as_bytes()).unwrap();
    pipe.flush().unwrap();
    mock.wait_for_requests(4);
    let twice = format!("kill -TERM {0}; kill -TERM {0}", child.id());
    assert!(std::process::Command::new("/bin/sh").arg("-c").arg(twice).status().unwrap().success());
    assert!(child.wait().unwrap().code().is_some_and(|code| code == 143));
    drop(pipe);
}
