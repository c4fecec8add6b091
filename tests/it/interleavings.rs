//! Processes of one ledger that act at the same moment, die or lose their connections. Without Debian's
//! package `postgresql` these tests are skipped, and say so.

use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::postgres::Postgres;
use crate::support::test_dir::TestDir;

/// A folder with articles and a ledger on this server.
fn dir(mock: &Mock, server: &Postgres, articles: usize) -> TestDir {
    TestDir::with(&format!("{}\n{}", openai(mock), server.config()), articles)
}

#[test]
fn a_ledger_whose_runs_made_no_row_is_not_taken_for_a_new_one() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 0);
    dir.run(&["run"]).exits(0);
    assert!(dir.path("output/summaries.csv").exists());
    dir.article(1);
    dir.run(&["run"]).exits(0);
    assert_eq!(dir.rows().len(), 1);
}
