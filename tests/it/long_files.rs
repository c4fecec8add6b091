//! Long files on a shared ledger: several processes each read a range of their articles. Without Debian's package
//! `postgresql` these tests are skipped, and say so.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, SystemTime};

use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::postgres::Postgres;
use crate::support::test_dir::TestDir;

const RANGES_TAKEN: &str = "SELECT count(DISTINCT worker) FROM piece WHERE part_of IS NOT NULL AND state = 'taken'";

/// A config that makes one call for each article.
fn config(mock: &Mock) -> String {
    openai(mock).replace("summarise-then-translate", "single-call").replace("concurrency = 4", "concurrency = 32")
}

/// Two folders with the same files: with a ledger in a file, and with one on the server.
fn dirs(mock: &Mock, server: &Postgres, files: &[(&str, Vec<u8>)]) -> [TestDir; 2] {
    [config(mock), format!("{}\n{}", config(mock), server.config())].map(|config| {
        let dir = TestDir::with(&config, 0);
        for (name, content) in files {
            write(&dir, name, content);
        }
        dir
    })
}

/// Puts a file in place that was not written just now: it may be divided.
fn write(dir: &TestDir, name: &str, content: &[u8]) {
    dir.write(name, content);
    let file = File::options().write(true).open(dir.path(name)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_mins(1)).unwrap();
    std::fs::rename(dir.path(name), dir.path(&format!("input/{name}"))).unwrap();
}

fn text(number: usize) -> String {
    format!(
        "La digue {number} du port de Brennec a tenu. Elle a résisté {number} heures à la tempête de la nuit, a annoncé la mairie. \
         Les {number} réparations commencées au printemps doivent durer encore {number} mois, selon les services techniques de la ville. \
         Les {number} habitants du quartier attendaient ces travaux, et le conseil municipal a voté leur budget à l'unanimité."
    )
}

/// An article as a line. Some have no id, the id of another one, or the text of another one.
fn line(number: usize) -> String {
    let id = match number % 50 {
        7 => String::new(),
        8 => "\"id\":\"twice\",".to_owned(),
        _ => format!("\"id\":\"{number}\","),
    };
    let text = text(if number % 100 == 99 { number - 90 } else { number });
    format!("{{{id}\"title\":\"La digue numéro {number}\",\"text\":\"{text}\"}}\n")
}

fn json_lines(count: usize) -> Vec<u8> {
    (0..count).map(line).collect::<String>().into_bytes()
}

fn mailbox(count: usize) -> Vec<u8> {
    let message = |number: usize| {
        format!(
            "From a@a.invalid Fri Nov 13 08:00:00 2026\nFrom: H <h@a.invalid>\nMessage-ID: <{number}@a.invalid>\n\
             Subject: Le pont {number}\nContent-Type: text/plain; charset=utf-8\n\n{}\n\n",
            text(number + 10_000)
        )
    };
    (0..count).map(message).collect::<String>().into_bytes()
}

/// A crawl with a member for each record, as crawlers write it.
fn crawl(count: usize, from: usize) -> Vec<u8> {
    let record = |number: usize| {
        let page = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nLe quai {number}\n\n{}", text(number + from));
        let (length, address) = (page.len(), number / 2);
        let head = format!("WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://a.invalid/{address}\r\nContent-Length: {length}");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        write!(encoder, "{head}\r\n\r\n{page}\r\n\r\n").unwrap();
        encoder.finish().unwrap()
    };
    (0..count).flat_map(record).collect()
}

/// The number of ranges of each long file.
fn ranges(server: &Postgres) -> Vec<String> {
    server
        .sql("SELECT convert_from(names[1], 'UTF8') || ' ' || count(*) FROM piece WHERE part_of IS NOT NULL GROUP BY names ORDER BY names")
}

#[test]
fn several_processes_share_long_files_and_give_the_table_of_one() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let mut lines = json_lines(1000);
    let middle = lines.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(500).unwrap().0 + 1;
    lines.splice(middle..middle, *b"{\"id\":\"broken\",\"text\":\n");
    let mut cut = crawl(400, 30_000);
    cut.truncate(cut.len() - 100);
    let files = [("a.jsonl", lines), ("b.mbox", mailbox(1000)), ("c.warc.gz", crawl(1000, 20_000)), ("d.warc.gz", cut)];
    let [with_file, dir] = dirs(&mock, &server, &files);
    with_file.run(&["run"]).exits(3);
    let before = mock.count();
    mock.hold();
    let first = dir.start(&["run", "--piece-size", "100"]);
    mock.wait_for_requests(before + 1);
    let others = [(); 3].map(|()| dir.start(&["work"]));
    server.wait_for(RANGES_TAKEN, "4");
    mock.release();
    for other in others {
        other.wait().exits(0);
    }
    let run = first.wait().exits(3).summary();
    assert_eq!(dir.without_times(), with_file.without_times());
    assert_eq!(mock.count(), 2 * before);
    assert_eq!((&run["found"], &run["done"], &run["failed"]), (&3401.into(), &3399.into(), &2.into()));
    assert_eq!(ranges(&server), ["a.jsonl 11", "b.mbox 10", "c.warc.gz 10", "d.warc.gz 4"]);
    // The files with a failed row are read again, and nothing is paid for again.
    assert_eq!(server.sql("SELECT count(*) FROM file WHERE settings_hash <> 0 AND in_table"), ["2"]);
    assert_eq!(server.sql("SELECT sum(done) FROM file WHERE settings_hash <> 0"), ["2000"]);
    let table = dir.table();
    dir.run(&["run", "--piece-size", "70"]).exits(3);
    assert_eq!((dir.table(), mock.count()), (table, 2 * before));
    assert_eq!(ranges(&server), ["a.jsonl 26", "b.mbox 10", "c.warc.gz 10", "d.warc.gz 10"]);
}

#[test]
fn a_worker_that_is_killed_in_a_range_is_replaced() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let [with_file, dir] = dirs(&mock, &server, &[("a.jsonl", json_lines(800))]);
    with_file.run(&["run"]).exits(0);
    let before = mock.count();
    mock.hold();
    let run = dir.start(&["run", "--piece-size", "50"]);
    mock.wait_for_requests(before + 1);
    let worker = dir.start(&["work"]);
    server.wait_for(RANGES_TAKEN, "2");
    mock.let_through(100);
    server.wait_for("SELECT count(*) >= 100 FROM call WHERE state = 'answered'", "t");
    worker.kill();
    mock.release();
    let run = run.wait().exits(0).summary();
    assert_eq!((&run["found"], &run["done"], &run["failed"]), (&800.into(), &800.into(), &0.into()));
    assert_eq!(dir.without_times(), with_file.without_times());
    let killed: usize = server.sql("SELECT coalesce(sum(attempts), 0) FROM waste WHERE outcome = 'killed'")[0].parse().unwrap();
    assert!(mock.count() <= 2 * before + killed, "only the calls in flight are repeated: {killed}");
    assert_eq!(mock.distinct_billable().len(), before);
    assert_eq!(server.sql("SELECT count(*) FROM piece WHERE state <> 'done'"), ["0"]);
    assert_eq!(dir.run(&["run"]).exits(0).summary()["earlier"], 800);
    assert_eq!(ranges(&server), ["a.jsonl 16"], "the file has not changed");
}

#[test]
fn a_process_that_is_killed_while_it_divides_a_file_is_replaced() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let [with_file, dir] = dirs(&mock, &server, &[]);
    // It makes the tables.
    dir.article(1);
    dir.run(&["run"]).exits(0);
    std::fs::remove_file(dir.path("input/001.txt")).unwrap();
    for dir in [&with_file, &dir] {
        write(dir, "a.jsonl", &json_lines(800));
    }
    with_file.run(&["run"]).exits(0);
    // The long file is the next piece after this one.
    let next = server.sql("SELECT max(number) + 2 FROM piece").remove(0);
    let held = server.hold(&format!(
        "INSERT INTO piece (run, files, folders, names, last_file, part_of, first) VALUES (0, '{{0}}', '{{}}', '{{}}', 0, {next}, 300)"
    ));
    mock.hold();
    let killed = dir.start(&["run", "--piece-size", "100"]);
    // It waits for the range that starts there.
    server.wait_for(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%ON CONFLICT (part_of, first)%' AND wait_event_type = 'Lock'",
        "1",
    );
    let worker = dir.start(&["work"]);
    server.wait_for(RANGES_TAKEN, "2");
    killed.kill();
    drop(held);
    mock.release();
    worker.wait().exits(0);
    assert_eq!(ranges(&server), ["a.jsonl 8"]);
    assert_eq!(server.sql("SELECT count(*) FROM piece WHERE state <> 'done'"), ["0"]);
    let before = mock.count();
    dir.run(&["run"]).exits(0);
    assert_eq!((dir.without_times(), mock.count()), (with_file.without_times(), before));
}

#[test]
fn a_file_that_changes_after_it_was_listed_is_read_whole_and_again_in_the_next_run() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let old = json_lines(800);
    let [with_file, dir] = dirs(&mock, &server, &[("a.jsonl", old.clone())]);
    mock.hold();
    let run = dir.start(&["run", "--piece-size", "50"]);
    mock.wait_for_requests(1);
    let worker = dir.start(&["work"]);
    server.wait_for(RANGES_TAKEN, "2");
    server.wait_for("SELECT count(*) FROM piece WHERE state = 'divided'", "1");
    // The first article goes, and others come.
    let first = old.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let new = [&old[first..], (2000..2100).map(line).collect::<String>().as_bytes()].concat();
    write(&dir, "a.jsonl", &new);
    mock.release();
    worker.wait();
    run.wait().exits(0);
    assert_eq!(server.sql("SELECT count(*) FROM piece WHERE again"), ["1"]);
    write(&with_file, "a.jsonl", &new);
    with_file.run(&["run"]).exits(0);
    let sources = |dir: &TestDir| dir.rows().into_iter().map(|row| row["source"].clone()).collect::<std::collections::BTreeSet<_>>();
    assert!(sources(&dir).is_superset(&sources(&with_file)), "no article is lost");
    let before = mock.count();
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), before);
    assert_eq!(dir.without_times(), with_file.without_times());
}

#[test]
fn max_articles_holds_within_a_long_file() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let [with_file, dir] = dirs(&mock, &server, &[("a.jsonl", json_lines(800))]);
    with_file.run(&["run"]).exits(0);
    let before = mock.count();
    mock.hold();
    let config = std::fs::read_to_string(dir.path("config.toml")).unwrap();
    dir.write("config.toml", format!("{config}\n[run]\nmax_articles = 150\n"));
    let run = dir.start(&["run", "--piece-size", "50"]);
    mock.wait_for_requests(before + 1);
    let worker = dir.start(&["work"]);
    server.wait_for(RANGES_TAKEN, "2");
    mock.release();
    worker.wait().exits(6);
    run.wait().exits(6);
    assert_eq!(server.sql("SELECT count(*) FROM row WHERE status = 'done'"), ["150"]);
    dir.write("config.toml", config);
    dir.run(&["run", "--piece-size", "100"]).exits(0);
    assert_eq!(dir.without_times(), with_file.without_times());
    assert_eq!(mock.count(), 2 * before);
}
