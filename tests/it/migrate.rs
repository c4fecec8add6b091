//! `depeche ledger migrate`, on a real server. Without Debian's package `postgresql` these tests are skipped, and say so.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::postgres::Postgres;
use crate::support::process::Ended;
use crate::support::test_dir::TestDir;

const FILE: &str = "output/ledger.db";

/// Writes a config that names the server.
fn use_server(dir: &TestDir, mock: &Mock, server: &Postgres) {
    dir.write("config.toml", format!("{}\n{}", openai(mock), server.config()));
}

fn migrate(dir: &TestDir, to: &str) -> Ended {
    dir.run(&["ledger", "migrate", "--to", to])
}

/// Every column of every record of a ledger in a file, by table.
fn records(path: &Path) -> BTreeMap<String, Vec<String>> {
    let ledger = rusqlite::Connection::open(path).unwrap();
    let mut names = ledger.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let of_table = |name: &String| {
        let mut statement = ledger.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns = statement.column_count();
        let record = |row: &rusqlite::Row| Ok((0..columns).map(|at| format!("{:?}", row.get_ref_unwrap(at))).collect::<Vec<_>>().join(" "));
        let mut records: Vec<String> = statement.query_map([], record).unwrap().map(Result::unwrap).collect();
        records.sort_unstable();
        records
    };
    names.iter().map(|name| (name.clone(), of_table(name))).collect()
}

/// Every column of every record of a ledger on the server that a file has, too.
fn server_records(server: &Postgres, schema: &str) -> BTreeMap<&'static str, Vec<String>> {
    let tables = [
        ("run", "'settings' - 'lister' - 'listed'"),
        ("call", "'worker' - 'failure'"),
        ("waste", "'worker'"),
        ("row", "'number'"),
        ("file", "''"),
        ("output", "''"),
        ("batch", "''"),
        ("line", "''"),
        ("ledger", "''"),
    ];
    let records = |table, without| server.sql(&format!("SELECT to_jsonb(t) - {without} FROM {schema}.{table} AS t ORDER BY 1"));
    tables.into_iter().map(|(table, without)| (table, records(table, without))).collect()
}

/// Records with values that a run of a test does not make: missing ones, the largest numbers, bytes that are no text.
const UNUSUAL: &str = "
    INSERT INTO run (number, started_at, version, process, cost, seconds) VALUES (7, '2026-11-20T02:00:00Z', '0.1', 812, 1e-300, 0.1);
    INSERT INTO run VALUES (8, '2026-11-20T02:00:00Z', '2026-11-20T02:10:00Z', 3, '0.1', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0.1, 0.2, 13);
    INSERT INTO call VALUES (x'00ff', 'answered', 0, 'é', 'digest', 9223372036854775807, NULL, '2026', 0, 'openai', NULL, '{\"a\": \"\\u0000\"}', NULL, 3, 4);
    INSERT INTO call VALUES (x'01', 'claimed', 7, 'llm', 'review', 5, 0.1, '2026', 3, NULL, NULL, NULL, NULL, NULL, NULL);
    INSERT INTO call VALUES (x'02', 'claimed', 7, 'llm', 'review', 5, NULL, '2026', 1, NULL, NULL, NULL, NULL, NULL, NULL);
    INSERT INTO waste VALUES (7, x'03', 'llm', 'digest', 10, 0.30000000000000004, '2026', 'twice', 3), (8, x'03', 'llm', 'digest', 10, NULL, '2026', 'lost', 1);
    INSERT INTO row VALUES ('Ångström\n\"quoted\".txt', NULL, 8, 'i1', '𝄞', '', '', '', '', '', '', 'failed', '', 'timeout: slow', 0, '', '', NULL, '',
        'a' || char(9) || 'b', '', '', '', 'x.txt', '[]', x'00', x'', NULL, 0);
    INSERT INTO file VALUES (x'ff2f00', x'fe', 99, -1, -9223372036854775808, -2, -3, 0, 8, 4, 5);
    INSERT INTO output VALUES ('é.csv', 1, 2, -3, -4);
    INSERT INTO batch VALUES (1, 'sent', 7, 'llm', 'http://h', 'depeche-1', 'f', 'b', 2, 300, 40, 0.1, 'a', 'b', 'c', 'd', 'e', 'in_progress', 1, 0, 2);
    INSERT INTO batch VALUES (2, 'intended', 8, 'llm', 'http://h', 'depeche-2', NULL, NULL, 0, 0, 0, NULL, 'a', NULL, NULL, NULL, NULL, '', NULL, NULL, NULL);
    INSERT INTO line VALUES (x'04', 1, 'llm', 'digest', 7, '{}', 2, 1, '', ''), (x'05', NULL, 'llm', 'digest', 7, '{}', 0, 0, 'too-large', 'no');";

/// A folder with the ledger of a run and of a killed run, and with records of every kind.
fn with_every_kind(mock: &Mock) -> TestDir {
    let dir = TestDir::with(&openai(mock), 3);
    dir.run(&["run"]).exits(0);
    dir.article(4);
    mock.hold();
    let killed = dir.start(&["run"]);
    mock.wait_for_in_flight(1);
    killed.kill();
    mock.release();
    rusqlite::Connection::open(dir.path(FILE)).unwrap().execute_batch(UNUSUAL).unwrap();
    dir
}

#[test]
fn a_copy_to_the_server_and_back_has_every_column_of_every_table() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = with_every_kind(&mock);
    use_server(&dir, &mock, &server);
    let before = fs::read(dir.path(FILE)).unwrap();
    let said = migrate(&dir, "postgres").exits(0).stdout;
    assert_eq!(fs::read(dir.path(FILE)).unwrap(), before, "the copied ledger was changed");
    insta::assert_snapshot!(dir.redact(&said).replace(&server.url(), "URL"), @"
    Copied the ledger in `DIR/output` to the ledger on URL, schema `depeche`
      runs                                         4
      answered calls                               7
      calls that may have been billed for nothing  5
      rows                                         4
      files                                        4
      outputs                                      7
      batches                                      2
      calls for batches                            2
    Runs with this config go on with the server. Use only one of the two from now on: neither knows what the other pays for.
    ");
    fs::rename(dir.path(FILE), dir.path("output/first.db")).unwrap();
    let back = migrate(&dir, "sqlite").exits(0).stdout;
    assert_eq!(back.lines().skip(1).take(8).collect::<Vec<_>>(), said.lines().skip(1).take(8).collect::<Vec<_>>());
    // Every key of [ledger] needs a server, so the whole section must go.
    assert!(back.contains("To go on with the file, remove [ledger] from the config."), "{back}");
    // What was in flight when its run was killed is waste, as it is after the next run.
    rusqlite::Connection::open(dir.path("output/first.db"))
        .unwrap()
        .execute_batch(
            "INSERT INTO waste SELECT run, key, endpoint, task, characters, cost, made_at, 'killed', attempts FROM call WHERE state = 'claimed';
             DELETE FROM call WHERE state = 'claimed'",
        )
        .unwrap();
    let (expected, copied) = (records(&dir.path("output/first.db")), records(&dir.path(FILE)));
    assert!(expected.values().all(|records| !records.is_empty()), "{expected:?}");
    assert_eq!(copied, expected);
    assert_eq!(mock.count(), 7);
}

#[test]
fn a_copy_to_a_file_and_back_has_every_column_that_a_file_has() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = with_every_kind(&mock);
    use_server(&dir, &mock, &server);
    migrate(&dir, "postgres").exits(0);
    // Two more processes of a run, one of them dead, and another machine's outputs.
    server.sql(
        "INSERT INTO worker (run, name, place, lease_until, grace, state) SELECT 7, 'node1, process 99', '', '2026-01-01', '0', state
            FROM unnest('{ended,alive}'::text[]) AS t (state);
         INSERT INTO waste VALUES (7, '\\x03', 100, 'llm', 'digest', 10, 0.5, '2026', 'late', 1);
         INSERT INTO call (key, state, run, worker, endpoint, task, characters, cost, made_at, attempts)
            SELECT key, state, 7, 100, 'llm', 'digest', 10, 0.1, '2027', 2
            FROM unnest(ARRAY['\\x03', '\\x06', '\\x07']::bytea[], '{claimed,free,failed}'::text[]) AS t (key, state);
         INSERT INTO output VALUES ('/other', 'summaries.csv', 1, 2, 3, 4)",
    );
    fs::remove_file(dir.path(FILE)).unwrap();
    migrate(&dir, "sqlite").exits(0);
    let settings = format!("{}\n{}schema = \"second\"\n", openai(&mock), server.config());
    dir.write("config.toml", settings);
    migrate(&dir, "postgres").exits(0);
    // The file keeps one record of what several processes wasted on a call.
    server.sql(
        "DELETE FROM waste WHERE run = 7 AND key = '\\x03'; DELETE FROM call WHERE state <> 'answered'; DELETE FROM output WHERE folder = '/other'",
    );
    let merged = "second.waste WHERE run = 7 AND key = '\\x03'";
    let spent = server.sql(&format!("SELECT attempts || ' ' || round((cost * attempts)::numeric, 9) || ' ' || made_at FROM {merged}"));
    assert_eq!(spent, ["6 1.600000000 2027"]);
    server.sql(&format!("DELETE FROM {merged}"));
    assert_eq!(server_records(&server, "second"), server_records(&server, "depeche"));
    // The next run and the next process get numbers that are not in use.
    assert_eq!(server.sql("SELECT nextval(pg_get_serial_sequence('second.run', 'number'))"), ["9"]);
    assert_eq!(server.sql("SELECT nextval(pg_get_serial_sequence('second.worker', 'id'))"), ["9"]);
}

/// The bytes and the inode of every output, except for the report of the last run.
fn outputs(dir: &TestDir) -> BTreeMap<String, (Vec<u8>, u64)> {
    let files = fs::read_dir(dir.path("output")).unwrap().map(Result::unwrap);
    let outputs = files.filter(|file| {
        let name = file.file_name().into_string().unwrap();
        !name.contains("ledger") && !["report.json", "metrics.prom"].contains(&name.as_str())
    });
    let of =
        |file: fs::DirEntry| (file.file_name().into_string().unwrap(), (fs::read(file.path()).unwrap(), file.metadata().unwrap().ino()));
    outputs.map(of).collect()
}

#[test]
fn a_run_on_the_copy_makes_no_request_and_leaves_the_outputs_as_they_are() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 5);
    dir.run(&["run"]).exits(0);
    let mut calls = 10;
    let mut check = |articles: usize| {
        let before = outputs(&dir);
        let plan: serde_json::Value = serde_json::from_str(&dir.run(&["plan", "--json"]).exits(0).stdout).unwrap();
        assert_eq!(plan["unchanged"], articles);
        let run = dir.run(&["run"]).exits(0).summary();
        assert_eq!((&run["requests"], &run["earlier"], mock.count()), (&0.into(), &articles.into(), calls));
        assert!(before.len() > 2 && before == outputs(&dir), "an output was written again");
        // And it goes on from there.
        dir.article(articles + 1);
        dir.run(&["run"]).exits(0);
        calls += 2;
        assert_eq!((dir.rows().len(), mock.count()), (articles + 1, calls));
    };
    use_server(&dir, &mock, &server);
    migrate(&dir, "postgres").exits(0);
    check(5);
    fs::remove_file(dir.path(FILE)).unwrap();
    migrate(&dir, "sqlite").exits(0);
    dir.write("config.toml", openai(&mock));
    check(6);
    assert_eq!(records(&dir.path(FILE))["run"].len(), 5);
}

#[test]
fn a_copy_needs_a_server_and_something_to_copy_and_an_empty_ledger() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    let refused = |to: &str, part: &str| {
        let said = migrate(&dir, to).exits(2).stderr;
        assert!(said.contains(part) && said.matches("error: ").count() == 1, "no `{part}` in {said}");
    };
    refused("postgres", "hint: add url = ");
    use_server(&dir, &mock, &server);
    refused("postgres", "no ledger in `");
    refused("sqlite", "no ledger on postgres://");
    assert!(!dir.path("output").exists(), "it made a folder");
    dir.run(&["run"]).exits(0);
    migrate(&dir, "sqlite").exits(0);
    let (file, on_server) = (records(&dir.path(FILE)), server_records(&server, "depeche"));
    refused("postgres", "is not empty");
    refused("sqlite", "ledger.db` exists");
    fs::rename(dir.path(FILE), dir.path("output/away.db")).unwrap();
    dir.write("output/ledger.db-wal", "replies");
    refused("sqlite", "ledger.db-wal` exists without its ledger");
    assert_eq!((records(&dir.path("output/away.db")), server_records(&server, "depeche")), (file, on_server));
    assert_eq!(mock.count(), 2);
}

#[test]
fn a_copy_is_refused_while_a_run_is_active_on_either_ledger() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    dir.run(&["run"]).exits(0);
    let while_active = |to: &[&str]| {
        dir.article(mock.count());
        let before = mock.count();
        mock.hold();
        let run = dir.start(&["run", "--new-ledger"]);
        mock.wait_for_requests(before + 1);
        use_server(&dir, &mock, &server);
        for to in to {
            let said = migrate(&dir, to).exits(11).stderr;
            assert!(said.contains("another run (") && said.contains("try again when it has ended"), "{said}");
        }
        mock.release();
        run.wait().exits(0);
    };
    while_active(&["postgres"]);
    fs::rename(dir.path(FILE), dir.path("output/first.db")).unwrap();
    while_active(&["sqlite"]);
    // Now the other ends are in use: a run on the file while the server has a ledger, and the other way round.
    dir.write("config.toml", openai(&mock));
    fs::rename(dir.path("output/first.db"), dir.path(FILE)).unwrap();
    while_active(&["sqlite", "postgres"]);
    while_active(&["postgres"]);
}

#[test]
fn a_copy_that_is_killed_leaves_nothing() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = with_every_kind(&mock);
    use_server(&dir, &mock, &server);
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'depeche'";
    // It waits for the lock when all tables but the last two are copied.
    let interrupt = |to: &str, lock: &str| {
        let held = server.hold(lock);
        let copy = dir.start(&["ledger", "migrate", "--to", to]);
        server.wait_for(waits, "1");
        copy.kill();
        drop(held);
        server.wait_for("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'depeche'", "0");
    };
    migrate(&dir, "postgres").exits(0);
    server.sql("TRUNCATE run, worker, call, waste, row, file, output, batch, line");
    interrupt("postgres", "LOCK TABLE line IN SHARE MODE");
    let left = server_records(&server, "depeche");
    assert!(left.iter().all(|(table, records)| records.is_empty() || *table == "ledger"), "{left:?}");
    migrate(&dir, "postgres").exits(0);
    let first = records(&dir.path(FILE));
    fs::remove_file(dir.path(FILE)).unwrap();
    interrupt("sqlite", "LOCK TABLE line IN ACCESS EXCLUSIVE MODE");
    assert!(!dir.path(FILE).exists());
    migrate(&dir, "sqlite").exits(0);
    assert_eq!(records(&dir.path(FILE))["row"], first["row"]);
    let left = fs::read_dir(dir.path("output")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(left.filter(|name| name.starts_with(".ledger-")).count(), 0);
}

#[test]
fn an_older_ledger_is_migrated_before_it_is_copied() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    dir.run(&["run"]).exits(0);
    use_server(&dir, &mock, &server);
    // The tables of version 5 lack those of version 6.
    let older = "DROP TABLE batch; DROP TABLE line; DROP TABLE ledger; PRAGMA user_version = 5";
    rusqlite::Connection::open(dir.path(FILE)).unwrap().execute_batch(older).unwrap();
    migrate(&dir, "postgres").exits(0);
    assert!(dir.path("output/ledger.db.v5").exists());
    dir.run(&["run"]).exits(0);
    server.sql("DROP TABLE timeline; UPDATE version SET version = 5");
    fs::remove_file(dir.path(FILE)).unwrap();
    migrate(&dir, "sqlite").exits(0);
    dir.write("config.toml", openai(&mock));
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 4);
}
