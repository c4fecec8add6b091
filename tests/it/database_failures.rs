//! What a run does when the database fails under it. Without Debian's package `postgresql` these tests are skipped, and say so.

use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::postgres::Postgres;
use crate::support::process::Running;
use crate::support::test_dir::TestDir;

const ARTICLES: usize = 8;
const CALLS: usize = 2 * ARTICLES;
/// The config's concurrency.
const PLACES: usize = 4;
const ANSWERED: &str = "SELECT count(*) FROM call WHERE state = 'answered'";

fn dir(mock: &Mock, ledger: &str) -> TestDir {
    TestDir::with(&format!("{}\n{ledger}", openai(mock)), ARTICLES)
}

/// A run that has kept so many answers, and has all places of the service in use.
fn run(dir: &TestDir, mock: &Mock, server: &Postgres, answers: usize, wait_for: &str) -> Running {
    mock.hold();
    mock.let_through(answers);
    let run = dir.start(&["run", "--wait-for", wait_for]);
    mock.wait_for_requests(answers + PLACES);
    server.wait_for(ANSWERED, &answers.to_string());
    run
}

/// A run whose server dies while its commit waits for the standby, which has not heard of it. The standby takes over.
fn run_over_a_failover(answers: usize, promoted: impl FnOnce(&Mock, &TestDir, Running, &Postgres)) {
    let Some(mut primary) = Postgres::start() else { return };
    let mut standby = primary.standby();
    let mock = Mock::good();
    let dir = dir(&mock, &primary.config_with(&standby));
    let run = run(&dir, &mock, &primary, answers, "60s");
    standby.kill();
    mock.let_through(2);
    primary.wait_for("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'", "1");
    primary.kill();
    standby.start_again();
    assert_eq!(standby.sql(ANSWERED), [answers.to_string()], "the standby has what was confirmed, and nothing else");
    standby.promote();
    promoted(&mock, &dir, run, &standby);
    assert_eq!(mock.distinct_billable().len(), CALLS);
    assert_eq!(standby.sql("SELECT count(*) FROM call WHERE state <> 'answered'"), ["0"]);
    assert!(dir.rows().iter().all(|row| row["status"] == "done"));
}

#[test]
fn a_run_goes_on_with_the_standby_and_keeps_the_answers_that_came_meanwhile() {
    run_over_a_failover(5, |mock, dir, run, _| {
        mock.release();
        run.wait().exits(0);
        assert_eq!(mock.count(), CALLS, "no call is repeated");
        assert_eq!(dir.rows().len(), ARTICLES);
    });
}

#[test]
fn a_process_that_dies_with_the_primary_has_noted_on_the_standby_what_it_sent() {
    run_over_a_failover(5, |mock, dir, run, standby| {
        run.kill();
        mock.release();
        let mut run = dir.start(&["run"]);
        run.wait_for_line("killed with up to 4 calls in flight");
        run.wait().exits(0);
        assert_eq!(mock.count(), CALLS + PLACES, "only what was in flight is repeated");
        assert_eq!(standby.sql("SELECT sum(attempts) FROM waste WHERE outcome = 'killed'"), ["4"]);
    });
}

#[test]
fn without_its_database_a_run_sends_nothing_new_and_ends() {
    let Some(mut server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server.config());
    let run = run(&dir, &mock, &server, 5, "1s");
    server.kill();
    mock.release();
    let ended = run.wait().exits(5);
    assert!(ended.stderr.contains("so nothing more is sent"), "{}", ended.stderr);
    assert_eq!(mock.count(), 5 + PLACES);
    server.start_again();
    dir.run(&["run"]).exits(0);
    assert_eq!((mock.distinct_billable().len(), mock.count()), (CALLS, CALLS + PLACES));
    assert_eq!(server.sql("SELECT sum(attempts) FROM waste WHERE outcome = 'killed'"), ["4"]);
}

#[test]
fn a_run_ends_when_the_disk_of_its_database_is_full() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server.config());
    let run = run(&dir, &mock, &server, 5, "60s");
    // What the server answers when it cannot make a file longer.
    server.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE = 'could not extend file: No space left on device'; END $$;
         CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON call EXECUTE FUNCTION refuse()",
    );
    mock.release();
    let ended = run.wait().exits(2);
    assert!(ended.stderr.contains("its disk is full") && ended.stderr.contains("No space left"), "{}", ended.stderr);
    assert_eq!(mock.count(), 5 + PLACES, "it sent something");
    server.sql("DROP TRIGGER full_disk ON call");
    dir.run(&["run"]).exits(0);
    assert_eq!((mock.distinct_billable().len(), mock.count()), (CALLS, CALLS + PLACES));
    assert_eq!(server.sql("SELECT sum(attempts) FROM waste WHERE outcome = 'killed'"), ["4"]);
}

#[test]
fn after_a_promotion_every_process_has_the_length_of_a_lease_to_send_a_heartbeat() {
    let Some(mut primary) = Postgres::start() else { return };
    let standby = primary.standby();
    let mock = Mock::good();
    let dir = dir(&mock, &primary.config_with(&standby).replace("6s", "3s"));
    let frozen = run(&dir, &mock, &primary, 0, "60s");
    frozen.signal("STOP");
    // The frozen process was cut off long before the promotion.
    primary.sql("UPDATE worker SET grace = '0', lease_until = now() - interval '1 hour'");
    primary.kill();
    standby.wait_for("SELECT clock_timestamp() - pg_postmaster_start_time() > interval '3 seconds'", "t");
    standby.promote();
    // A process with other settings ends at once, and says whether the run is still open.
    dir.write("other.toml", std::fs::read_to_string(dir.path("config.toml")).unwrap().replace("words = 60", "words = 61"));
    let refused = dir.run(&["work", "--config", "other.toml"]).exits(2).stderr;
    assert!(refused.contains("has a different `summary`"), "{refused}");
    assert_eq!(standby.sql("SELECT state FROM worker"), ["alive"]);
    frozen.signal("CONT");
    mock.release();
    frozen.wait().exits(0);
    assert_eq!(mock.count(), CALLS, "no call is repeated");
}

#[test]
fn a_process_that_wakes_after_it_was_declared_dead_changes_no_row() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server.config().replace("6s", "3s"));
    let frozen = run(&dir, &mock, &server, 0, "60s");
    frozen.signal("STOP");
    server.wait_for("SELECT clock_timestamp() - pg_postmaster_start_time() > interval '3 seconds'", "t");
    server.sql("UPDATE worker SET grace = '0', lease_until = now() - interval '1 hour'");
    mock.release();
    let other = dir.run(&["run"]).exits(0).summary();
    assert_eq!((&other["done"], server.sql("SELECT state FROM worker")[0].as_str()), (&ARTICLES.into(), "dead"));
    let (table, ended) = (dir.table(), server.sql("SELECT to_json(run) FROM run ORDER BY number"));
    frozen.signal("CONT");
    assert!(frozen.wait().exits(5).stderr.contains("it counts as dead"));
    assert_eq!(server.sql("SELECT count(*) FROM row WHERE status = 'done'"), [ARTICLES.to_string()]);
    assert_eq!((dir.table(), server.sql("SELECT to_json(run) FROM run ORDER BY number")), (table, ended));
    assert_eq!(server.sql("SELECT count(*) FROM file WHERE settings_hash = 0"), ["0"]);
}
