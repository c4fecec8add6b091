//! Limits of the machine, sleep, and wrong clocks; and the order of writes to the disk.

use std::process::Command;

use rusqlite::Connection;

use crate::support::configs::openai;
use crate::support::mock::{Action, Mock};
use crate::support::process::{Ended, Running};
use crate::support::test_dir::TestDir;

/// Starts the program from a shell that first runs `before`, such as a `ulimit`.
fn under(dir: &TestDir, before: &str, arguments: &[&str]) -> Running {
    let program = dir.command(arguments);
    let mut shell = Command::new("/bin/bash");
    shell.arg("-c").arg(format!("{before}; exec \"$0\" \"$@\"")).arg(program.get_program()).args(program.get_args());
    shell.current_dir(program.get_current_dir().unwrap()).env_clear();
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Running::start(&mut shell)
}

#[test]
fn too_few_open_files_are_reported_before_the_first_request() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    for limit in [12, 20, 40, 60] {
        let ended = under(&dir, &format!("ulimit -n {limit}"), &["run"]).wait().exits(2);
        assert!(ended.stderr.contains("ulimit -n") || limit < 16, "{limit}: {}", ended.stderr);
    }
    assert_eq!(mock.count(), 0);
    under(&dir, "ulimit -n 70", &["run"]).wait().exits(0);
    assert_eq!(mock.count(), 6);
}

#[test]
fn the_limit_of_open_files_is_raised_as_needed() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock).replace("concurrency = 4", "concurrency = 300"), 3);
    under(&dir, "ulimit -Sn 100", &["run"]).wait().exits(0);
    let ended = under(&dir, "ulimit -n 300", &["run"]).wait().exits(2);
    assert!(ended.stderr.contains("too few open files allowed: 300") && ended.stderr.contains("need about 364"), "{}", ended.stderr);
}

#[test]
fn too_few_threads_are_reported_before_the_first_request() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 1);
    // The limit does not apply to root.
    let own = Command::new("chown").args(["-R", "61111"]).arg(dir.path(".")).status().is_ok_and(|status| status.success());
    let program = dir.path("program");
    std::fs::copy(env!("CARGO_BIN_EXE_depeche"), &program).unwrap();
    let as_nobody = |limit: usize| -> Option<Ended> {
        let command = dir.command(&["run"]);
        let mut limited = Command::new("setpriv");
        limited.args(["--reuid=61111", "--clear-groups", "--", "/bin/bash", "-c", &format!("ulimit -u {limit}; exec ./program run")]);
        limited.current_dir(command.get_current_dir()?).env_clear().env("PATH", std::env::var_os("PATH")?);
        Command::new("setpriv").args(["--reuid=61111", "true"]).status().ok()?.success().then(|| Running::start(&mut limited).wait())
    };
    for limit in [1, 2, 3, 5, 9] {
        let Some(ended) = as_nobody(limit).filter(|_| own) else { return println!("skipped: nobody else can be run as") };
        let ended = ended.exits(2);
        assert!(ended.stderr.contains("threads"), "{limit}: {}", ended.stderr);
    }
    assert_eq!(mock.count(), 0);
    as_nobody(100).unwrap().exits(0);
    assert_eq!(mock.count(), 2);
}

#[test]
fn too_little_memory_ends_the_run_without_partial_files() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    dir.run(&["run"]).exits(0);
    let table = dir.table();
    dir.article(4);
    for kilobytes in [20_000, 40_000, 60_000, 80_000, 120_000, 200_000, 400_000] {
        under(&dir, &format!("ulimit -v {kilobytes}"), &["run"]).wait();
        assert!(dir.table() == table || dir.rows().len() == 4, "{kilobytes}");
    }
    dir.run(&["run"]).exits(0);
    assert_eq!((dir.rows().len(), mock.distinct_billable().len()), (4, 8));
}

#[test]
fn a_run_continues_after_sleep() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 6);
    mock.hold();
    let run = dir.start(&["run"]);
    mock.wait_for_in_flight(4);
    run.signal("STOP");
    // The mock answers while the program is stopped.
    mock.let_through(4);
    run.signal("CONT");
    mock.release();
    run.wait().exits(0);
    assert_eq!((dir.rows().len(), mock.count(), mock.most_in_flight()), (6, 12, 4), "no burst, and nothing asked twice");
}

#[test]
fn calls_that_time_out_during_sleep_are_retried_as_usual() {
    let mock = Mock::scripted(|request, number| if number < 4 { Action::Hang } else { Action::normal(request) });
    let dir = TestDir::with(&openai(&mock).replace("timeout = \"100s\"", "timeout = \"1s\""), 6);
    let run = dir.start(&["run"]);
    mock.wait_for_requests(4);
    run.signal("STOP");
    // Longer than the timeout. This test must really wait, because it tests the clock.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    run.signal("CONT");
    let ended = run.wait();
    assert!(matches!(ended.code, Some(0 | 3)), "{:?}: {}", ended.code, ended.stderr);
    assert!(mock.most_in_flight() <= 4 + 4 && mock.count() <= 12 + 4 + 4, "{} calls", mock.count());
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.rows().len(), 6);
}

#[test]
fn future_dates_and_a_clock_set_back_do_no_harm() {
    let mock = Mock::good();
    let config = openai(&mock).replace("timeout", "price = { characters = 20.0 }\ntimeout") + "\n[run]\nmax_cost = 100.0\n";
    let dir = TestDir::with(&config, 3);
    dir.run(&["run"]).exits(0);
    let (table, before) = (dir.table(), dir.without_times());
    let ledger = Connection::open(dir.path("output/ledger.db")).unwrap();
    // Date everything in a future century.
    ledger
        .execute_batch(
            "UPDATE run SET started_at = '2126' || substr(started_at, 5), ended_at = '2126' || substr(ended_at, 5);
             UPDATE call SET made_at = '2126' || substr(made_at, 5);
             UPDATE row SET processed_at = '2126' || substr(processed_at, 5);
             UPDATE file SET modified = modified + 3155760000000000000;",
        )
        .unwrap();
    drop(ledger);
    let ended = dir.run(&["run"]).exits(0);
    assert_eq!((mock.count(), &ended.summary()["earlier"]), (6, &3.into()), "no call is made again");
    assert_eq!(dir.without_times(), before, "and no row has changed its place");
    dir.article(4);
    dir.run(&["run", "--deadline", "06:30"]).exits(0);
    assert_eq!((mock.count(), dir.rows().len()), (8, 4));
    for command in ["status", "plan"] {
        dir.run(&[command]).exits(0);
    }
    assert_ne!(table, dir.table());
}

#[test]
fn the_year_on_the_clock_changes_nothing() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    dir.run(&["run"]).exits(0);
    let before = dir.without_times();
    for time in ["-10y", "+400d", "@2038-02-01 00:00:00"] {
        let mut turned = Command::new("faketime");
        let program = dir.command(&["run"]);
        turned.args(["-f", time]).arg(program.get_program()).args(program.get_args()).current_dir(program.get_current_dir().unwrap());
        if !Command::new("faketime").args(["-f", time, "true"]).status().is_ok_and(|status| status.success()) {
            return println!("skipped: faketime is not there");
        }
        dir.write("input/001.txt", crate::support::articles::french(1));
        Running::start(&mut turned).wait().exits(0);
        assert_eq!((dir.without_times(), mock.count()), (before.clone(), 6), "{time}");
    }
}

#[test]
fn a_closed_pipe_does_not_end_a_run() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 3);
    // Standard output and standard error are pipes without a reader.
    let program = dir.command(&["run", "-vv"]);
    let mut shell = Command::new("/bin/bash");
    shell.args(["-c", "exec 3> >(exec true); wait $!; \"$0\" run -vv >&3 2>&3; echo \"ended with $?\""]).arg(program.get_program());
    shell.current_dir(program.get_current_dir().unwrap());
    let ended = Running::start(&mut shell).wait();
    assert!(ended.stdout.contains("ended with 0"), "{}{}", ended.stdout, ended.stderr);
    assert_eq!((dir.rows().len(), mock.count()), (3, 6));
    // Both are closed from the beginning.
    dir.article(4);
    under(&dir, "exec 1>&- 2>&-", &["run"]).wait();
    assert_eq!(dir.rows().len(), 4);
}

/// The traced system calls that touch the disk, or `None` if tracing is impossible.
fn traced(dir: &TestDir) -> Option<Vec<String>> {
    if !Command::new("strace").args(["-qq", "true"]).output().is_ok_and(|output| output.status.success()) {
        println!("skipped: strace is not there, or may not trace");
        return None;
    }
    let log = dir.path("trace");
    let program = dir.command(&["run"]);
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-y", "-o"]).arg(&log).args(["-e", "trace=fdatasync,fsync,rename,renameat,renameat2"]);
    traced.arg(program.get_program()).args(program.get_args()).current_dir(program.get_current_dir()?);
    Running::start(&mut traced).wait().exits(0);
    Some(std::fs::read_to_string(log).unwrap().lines().map(str::to_owned).collect())
}

#[test]
fn the_ledger_is_synced_before_the_table_and_the_table_before_its_rename() {
    let mock = Mock::good();
    let dir = TestDir::with(&openai(&mock), 2);
    let Some(lines) = traced(&dir) else { return };
    let first = |what: &str| lines.iter().position(|line| what.split(' ').all(|part| line.contains(part)));
    let last = |what: &str| lines.iter().rposition(|line| what.split(' ').all(|part| line.contains(part)));
    let renamed = first("rename .depeche-new- summaries.csv").unwrap_or_else(|| panic!("no rename in {lines:#?}"));
    let name = lines[renamed].split('"').nth(1).unwrap();
    let name = name.rsplit('/').next().unwrap();
    let synced = first(&format!("fsync {name}")).unwrap_or_else(|| panic!("{name} was not synced: {lines:#?}"));
    let ledger = lines[..synced].iter().rposition(|line| line.contains("sync(") && line.contains("ledger.db"));
    let folder = lines[renamed..].iter().position(|line| line.contains("fsync") && line.contains("/output>"));
    assert!(ledger.is_some() && synced < renamed && folder.is_some(), "{lines:#?}");
    // The folder is synced after each rename.
    assert!(last("fsync /output>") > last("rename"), "{lines:#?}");
}
