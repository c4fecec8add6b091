//! The ledger on a `PostgreSQL` server. Without Debian's package `postgresql` these tests are skipped, and say so.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;

use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::postgres::Postgres;
use crate::support::process::Running;
use crate::support::repository;
use crate::support::test_dir::TestDir;

/// A folder with articles and a ledger on this server.
fn dir(mock: &Mock, server: &Postgres, articles: usize) -> TestDir {
    TestDir::with(&format!("{}\n{}", openai(mock), server.config()), articles)
}

#[test]
fn a_run_gives_the_same_table_as_with_a_file_and_every_command_works() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let with_file = TestDir::with(&openai(&mock), 5);
    with_file.run(&["run"]).exits(0);
    let dir = dir(&mock, &server, 5);
    assert!(dir.run(&["status"]).exits(0).stdout.contains("no run has started yet"));
    let before = mock.count();
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count() - before, 10);
    assert_eq!(dir.without_times(), with_file.without_times());
    assert!(!dir.path("output/ledger.db").exists() && !dir.path("output/ledger.lock").exists());
    let table = dir.table();
    let second = dir.run(&["run"]).exits(0).summary();
    assert_eq!((dir.table(), mock.count() - before), (table, 10));
    assert_eq!((&second["done"], &second["earlier"]), (&5.into(), &5.into()));
    let status = dir.run(&["status"]).exits(0).stdout;
    assert!(status.contains("Table: 5 done") && status.contains("llm"), "{status}");
    let why = dir.run(&["why", "input/001.txt"]).exits(0).stdout;
    assert!(why.contains("status     done") && why.matches("  call ").count() == 2, "{why}");
    let file = dir.run(&["export", "--format", "jsonl"]).exits(0).stdout;
    assert_eq!(file.lines().count(), 5);
    let plan: serde_json::Value = serde_json::from_str(&dir.run(&["plan", "--json"]).exits(0).stdout).unwrap();
    assert_eq!(plan["unchanged"], 5);
    assert!(dir.run(&["forget", "--older-than", "1d"]).exits(0).stdout.contains("unneeded replies"));
    std::fs::remove_file(dir.path("input/001.txt")).unwrap();
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.rows().len(), 4);
    dir.run(&["retry"]).exits(0);
}

/// A run with these lines in place of a server's.
fn refused(mock: &Mock, ledger: &str, arguments: &[&str]) -> crate::support::process::Ended {
    let dir = TestDir::with(&format!("{}\n{ledger}", openai(mock)), 1);
    let ended = dir.run(&[&["run", "--wait-for", "200ms"], arguments].concat());
    assert_eq!(ended.stderr.matches("error: ").count(), 1, "{}", ended.stderr);
    assert_eq!(mock.count(), 0);
    ended
}

/// The address of a server that answers everything as a web server does.
fn web_server() -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            // The client may have gone.
            let _ = std::io::Read::read(&mut stream, &mut [0; 100]);
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    address
}

#[test]
fn what_is_wrong_with_the_config_or_the_server_is_said_in_one_message() {
    let mock = Mock::good();
    let with_password = refused(&mock, "[ledger]\nurl = \"postgres://u:secret@127.0.0.1/d\"\n", &[]).exits(2);
    assert!(with_password.stderr.contains("contains a password") && !with_password.stderr.contains("secret"), "{}", with_password.stderr);
    let reuse = "[ledger]\nurl = \"postgres://u@127.0.0.1/d\"\n[duplicates]\nnear = \"reuse\"\n";
    let reuse = refused(&mock, reuse, &[]).exits(2).stderr;
    assert!(reuse.contains("config.toml:27:8: `near = \"reuse\"` cannot be used"), "{reuse}");
    // Nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let away = refused(&mock, &format!("[ledger]\nurl = \"postgres://u@127.0.0.1:{port}/d\"\n"), &[]).exits(5).stderr;
    assert!(away.contains(&format!("the ledger on 127.0.0.1:{port}/d, schema `depeche` has been unavailable")), "{away}");
    let other = refused(&mock, &format!("[ledger]\nurl = \"postgres://u@{}/d\"\n", web_server()), &[]).exits(2).stderr;
    assert!(other.contains("the server at this address is not PostgreSQL"), "{other}");
    let Some(server) = Postgres::start() else { return };
    server.sql(
        "CREATE ROLE guest LOGIN; CREATE SCHEMA newer; CREATE TABLE newer.version (version INTEGER); INSERT INTO newer.version VALUES (99)",
    );
    let url =
        |user: &str, rest: &str| format!("[ledger]\nurl = \"{}{rest}\"\n", server.url().replace("//postgres@", &format!("//{user}@")));
    let no_right = refused(&mock, &url("guest", ""), &[]).exits(2).stderr;
    assert!(no_right.contains("permission denied") && no_right.contains("hint: grant"), "{no_right}");
    server.sql("CREATE SCHEMA of_another; CREATE TABLE of_another.version (version INTEGER)");
    let no_usage = refused(&mock, &format!("{}schema = \"of_another\"\n", url("guest", "")), &[]).exits(2).stderr;
    assert!(no_usage.contains("permission denied for schema of_another"), "{no_usage}");
    server.create_database("latin", "LATIN1");
    let latin = url("postgres", "").replace("/postgres\"", "/latin\"");
    let latin = refused(&mock, &latin, &[]).exits(2).stderr;
    assert!(latin.contains("its encoding is LATIN1, but depeche needs UTF8"), "{latin}");
    let nobody = refused(&mock, &url("nobody", ""), &[]).exits(2).stderr;
    assert!(nobody.contains("role \"nobody\" does not exist"), "{nobody}");
    let no_database = refused(&mock, &url("postgres", "2"), &[]).exits(2).stderr;
    assert!(no_database.contains("hint: make it with `createdb`"), "{no_database}");
    let newer = refused(&mock, &format!("{}schema = \"newer\"\n", url("postgres", "")), &[]).exits(2).stderr;
    assert!(newer.contains("its version is 99") && newer.contains("a newer depeche made it"), "{newer}");
    let no_tls = refused(&mock, &url("postgres", "?sslmode=require"), &[]).exits(2).stderr;
    assert!(no_tls.contains("no TLS"), "{no_tls}");
}

#[test]
fn a_certificate_is_checked_as_libpq_does() {
    let Some(mut server) = Postgres::start() else { return };
    let mock = Mock::good();
    let file = |name: &str| repository(&format!("tests/data/tls/{name}.pem"));
    let roots = |name: &str| format!("&sslrootcert={}", file(name).display());
    let run = |server: &Postgres, query: &str| {
        let ledger = format!("[ledger]\nurl = \"{}?{query}\"\n", server.url());
        TestDir::with(&format!("{}\n{ledger}", openai(&mock)), 1).run(&["run"])
    };
    server.encrypt(&file("good"));
    for query in ["sslmode=require", &format!("sslmode=require{}", roots("ca")), &format!("sslmode=verify-full{}", roots("ca"))] {
        run(&server, query).exits(0);
    }
    let unknown = run(&server, &format!("sslmode=require{}", roots("self"))).exits(2).stderr;
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    server.encrypt(&file("version-1"));
    run(&server, "").exits(0);
    run(&server, "sslmode=require").exits(0);
    let version = run(&server, &format!("sslmode=verify-ca{}", roots("ca"))).exits(2).stderr;
    assert!(version.contains("its certificate is of version 1"), "{version}");
}

/// The server compiles a query (`jit`) if the estimated cost of its plan is high. It is high if the
/// plan must read a whole table.
#[test]
fn the_server_compiles_no_query() {
    let explain = &["shared_buffers=16MB", "session_preload_libraries=auto_explain", "auto_explain.log_min_duration=0"];
    let Some(server) = Postgres::start_with(explain) else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 2);
    for command in [&["run"][..], &["status"], &["export"], &["plan"]] {
        dir.run(command).exits(0);
    }
    let log = server.log();
    assert!(log.contains("Query Text:") && !log.contains("JIT:"), "{}", log.split("JIT:").next().unwrap_or_default());
}

#[test]
fn a_warning_about_the_server_is_printed_and_its_password_is_found() {
    let Some(server) = Postgres::start_with(&["shared_buffers=16MB", "fsync=off"]) else { return };
    let mock = Mock::good();
    let user = dir(&mock, &server, 1);
    assert!(user.run(&["run"]).exits(0).stderr.contains("runs with fsync = off"));
    server.sql("CREATE ROLE guest LOGIN PASSWORD 'secret'; GRANT CREATE ON DATABASE postgres TO guest");
    server.allow("host all postgres all trust\nhost all all all scram-sha-256\n");
    let url = server.url().replace("//postgres@", "//guest@");
    let dir = TestDir::with(&format!("{}\n[ledger]\nurl = \"{url}\"\nschema = \"other\"\n", openai(&mock)), 1);
    assert!(dir.run(&["run"]).exits(2).stderr.contains("the server asks for a password"));
    let ended = Running::start(dir.command(&["run"]).env("PGPASSWORD", "secret")).wait().exits(0);
    assert!(dir.leaks("secret", &ended).is_empty());
    dir.write("home/.pgpass", "*:*:*:guest:secret\n");
    set_permissions(dir.path("home/.pgpass"), Permissions::from_mode(0o644)).unwrap();
    let unsafe_file = dir.run(&["run"]).exits(2).stderr;
    assert!(unsafe_file.contains("is not read, because others may read it"), "{unsafe_file}");
    set_permissions(dir.path("home/.pgpass"), Permissions::from_mode(0o600)).unwrap();
    dir.run(&["run"]).exits(0);
}

#[test]
fn a_kill_and_a_restart_of_the_server_lose_nothing_and_pay_nothing_twice() {
    let Some(mut server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 8);
    mock.hold();
    mock.let_through(5);
    let run = dir.start(&["run"]);
    mock.wait_for_requests(9);
    server.wait_for("SELECT count(*) FROM call WHERE state = 'answered'", "5");
    run.kill();
    let in_flight: usize = server.sql("SELECT count(*) FROM call WHERE state = 'claimed'")[0].parse().unwrap();
    // On the same machine it is certain that the killed run is dead, so its lease is not waited
    // for.
    let mut run = dir.start(&["run"]);
    run.wait_for_line("an earlier run was killed with up to 4 calls in flight");
    assert_eq!(in_flight, 4);
    // The dead run's calls may take four of these.
    mock.let_through(5);
    server.wait_for("SELECT count(*) > 5 FROM call WHERE state = 'answered'", "t");
    server.kill();
    mock.release();
    server.start_again();
    run.wait().exits(0);
    assert_eq!(mock.distinct_billable().len(), 16);
    assert_eq!(mock.count(), 16 + in_flight, "only the calls in flight at the kill are repeated");
    assert_eq!(server.sql("SELECT sum(attempts) FROM waste WHERE outcome = 'killed'"), ["4"]);
    assert_eq!(server.sql("SELECT count(*) FROM call WHERE state <> 'answered'"), ["0"]);
    assert!(dir.rows().iter().all(|row| row["status"] == "done"));
}

#[test]
fn processes_that_start_at_once_make_the_tables_once() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 3);
    // The ledger does not depend on the server's defaults.
    server.sql("ALTER ROLE postgres SET default_transaction_isolation = 'repeatable read'");
    let runs = [(); 6].map(|()| dir.start(&["run"]));
    for run in runs {
        run.wait().exits(0);
    }
    assert_eq!((mock.count(), dir.rows().len()), (6, 3));
}

#[test]
fn a_run_with_an_empty_ledger_beside_a_table_pays_for_nothing() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    dir.run(&["run"]).exits(0);
    let on_server = format!("{}\n{}", openai(&mock), server.config());
    dir.write("config.toml", &on_server);
    let refused = dir.run(&["run"]).exits(2).stderr;
    assert!(refused.contains("has a table, but the ledger on ") && refused.contains("depeche ledger migrate --to postgres"), "{refused}");
    dir.run(&["ledger", "migrate", "--to", "postgres"]).exits(0);
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 4);
    // The schema's name is misspelt.
    std::fs::remove_file(dir.path("output/ledger.db")).unwrap();
    dir.write("config.toml", format!("{on_server}schema = \"depesche\"\n"));
    let refused = dir.run(&["run"]).exits(2).stderr;
    assert!(refused.contains("schema `depesche` is empty") && refused.contains("check `url` and `schema`"), "{refused}");
    assert_eq!(mock.count(), 4);
    dir.run(&["run", "--new-ledger"]).exits(0);
    assert_eq!(mock.count(), 8);
    dir.run(&["run"]).exits(0);
    assert_eq!(mock.count(), 8);
}

#[test]
fn doctor_says_whether_the_ledger_can_be_used_and_changes_nothing() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 1);
    let said = dir.run(&["doctor"]).exits(0).stdout;
    assert!(said.contains("ok    the ledger on 127.0.0.1:") && said.contains("no TLS; the first run makes the ledger"), "{said}");
    assert_eq!(server.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'depeche'"), ["0"]);
    dir.run(&["run"]).exits(0);
    assert!(dir.run(&["doctor"]).exits(0).stdout.contains("; no run is active"));
    server.sql("INSERT INTO worker (run, name, place, lease_until, grace) VALUES (1, 'node1', '', now() + interval '1 hour', '0')");
    assert!(dir.run(&["doctor"]).exits(0).stdout.contains("; 1 process is active"));

    server.sql("CREATE ROLE guest LOGIN");
    let refused = |from: &str, to: &str, exit: i32| {
        let config = format!("{}\n{}", openai(&mock), server.config());
        dir.write("other.toml", config.replace(from, to));
        dir.run(&["doctor", "--config", "other.toml"]).exits(exit).stdout
    };
    let no_right = refused("//postgres@", "//guest@", 2);
    assert!(no_right.contains("permission denied for schema depeche") && no_right.contains("ok    endpoint `llm`"), "{no_right}");
    server.sql("GRANT USAGE ON SCHEMA depeche TO guest; GRANT SELECT ON ALL TABLES IN SCHEMA depeche TO guest");
    let reader = refused("//postgres@", "//guest@", 2);
    assert!(reader.contains("the user may not write in it"), "{reader}");
    server.sql("CREATE SCHEMA other");
    let (from, to) =
        (format!("{}\"\nlease", server.url()), format!("{}\"\nschema = \"other\"\nlease", server.url().replace("//postgres@", "//guest@")));
    let cannot_make = refused(&from, &to, 2);
    assert!(cannot_make.contains("schema `other`: the user may not make it"), "{cannot_make}");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let away = refused(&server.url(), &url, 5);
    assert!(away.contains("fail  the ledger on ") && away.contains("is unavailable: "), "{away}");
    let standby = server.standby();
    let reads_only = refused(&server.url(), &standby.url(), 2);
    assert!(reads_only.contains("a standby, which takes no writes"), "{reads_only}");
}
