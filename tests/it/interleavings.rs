//! Processes of one ledger that act at the same moment, die or lose their connections. Without Debian's
//! package `postgresql` these tests are skipped, and say so.

use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use depeche::model::{ArticleRange, Place, Stamp, Status, Waste};
use depeche::record::{self, AnsweredCall, Claimed, CompletedFile, EndedRange, Ledger, LongFile, TakenPiece};

use crate::ledger_suite::{Kind, block, call, claim, file, row};
use crate::support::TIMEOUT;
use crate::support::configs::openai;
use crate::support::mock::Mock;
use crate::support::postgres::Postgres;
use crate::support::test_dir::TestDir;

/// Backends that wait for a lock.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";

/// A folder with articles and a ledger on this server.
fn dir(mock: &Mock, server: &Postgres, articles: usize) -> TestDir {
    TestDir::with(&format!("{}\n{}", openai(mock), server.config()), articles)
}

#[test]
fn waste_stays_if_another_process_has_claimed_the_call_since() {
    for kind in Kind::all() {
        if kind.server.is_none() {
            continue;
        }
        let (first, second) = (kind.open(), kind.open());
        let lost = Waste { lost: 1, at_most: 0.25, ..Waste::default() };
        block(async {
            first.claim(claim(1, 1)).await.unwrap();
            first.fail([1; 32], lost, None).await.unwrap();
            assert_eq!(second.claim(claim(1, 1)).await.unwrap(), Claimed::Here);
            assert_eq!(first.claim(claim(1, 2)).await.unwrap(), Claimed::Elsewhere);
        });
        let waste: Vec<_> = first.reader().waste().unwrap().into_iter().map(|waste| (waste.outcome, waste.calls)).collect();
        assert_eq!(waste, [(String::new(), 1), ("lost".to_owned(), 1)]);
        // If a process gets the claim, its earlier attempts are counted once.
        block(async {
            second.fail([1; 32], Waste::default(), None).await.unwrap();
            assert_eq!(first.claim(claim(1, 2)).await.unwrap(), Claimed::Here);
        });
        let waste: Vec<_> = first.reader().waste().unwrap().into_iter().map(|waste| (waste.outcome, waste.calls)).collect();
        assert_eq!(waste, [(String::new(), 2)]);
    }
}

#[test]
fn a_long_file_is_recorded_if_its_last_range_and_its_division_end_at_once() {
    for kind in Kind::all() {
        let Some(server) = &kind.server else { continue };
        let (first, second) = (kind.open(), kind.open());
        let (one, two) = (first.shared().unwrap(), second.shared().unwrap());
        assert!(one.begin_listing().unwrap().is_some());
        one.add_piece(&[file(1)]).unwrap();
        one.add_long_file(&LongFile { file: file(2), stamp: Stamp { size: 9, modified: 9, inode: 9 }, most: 5 }).unwrap();
        one.end_listing().unwrap();
        let TakenPiece::Files(piece) = two.take_piece(false).unwrap() else { panic!() };
        let TakenPiece::Long(long, _) = one.take_piece(true).unwrap() else { panic!() };
        let range = ArticleRange { first: 0, articles: None, start: Place::default(), uses: Vec::new() };
        assert!(one.add_range(long, &range).unwrap());
        let TakenPiece::Range(range) = two.take_piece(false).unwrap() else { panic!() };
        // While the second process waits, its next two writes come into one group.
        let calls = server.hold("LOCK TABLE call IN EXCLUSIVE MODE");
        let held = server.hold(&format!("SELECT FROM piece WHERE number = {} FOR UPDATE", piece.number));
        std::thread::scope(|scope| {
            let claimed = scope.spawn(|| block(second.claim(claim(1, 1))).unwrap());
            server.wait_for(WAITING, "1");
            block(async {
                let ended = EndedRange { number: range.number, settings: 7, done: 3, skipped: 0, failed: 0 };
                two.end_range(ended).await.unwrap();
                second.end_piece(piece.number).await.unwrap();
            });
            drop(calls);
            claimed.join().unwrap();
            server.wait_for(&format!("{WAITING} AND query LIKE 'UPDATE piece%'"), "1");
            let divided = scope.spawn(|| one.end_dividing(long, 7).unwrap());
            while !divided.is_finished() && server.sql(WAITING) != ["2"] {
                std::thread::yield_now();
            }
            drop(held);
            divided.join().unwrap();
        });
        block(second.flush()).unwrap();
        assert_eq!(server.sql("SELECT count(*) FROM piece WHERE state <> 'done'"), ["0"], "the run would never end");
        assert_eq!(first.reader().file(b"input", b"2").unwrap().map(|file| file.done), Some(3));
    }
}

#[test]
fn rows_of_a_run_stay_if_a_process_of_an_earlier_run_wakes() {
    for kind in Kind::all() {
        let Some(server) = &kind.server else { continue };
        let frozen = kind.open();
        let write = |ledger: &Arc<dyn Ledger>| {
            block(async {
                ledger.record_row(row("a", Status::Done), Some([1; 32]), &[], &file(1)).await.unwrap();
                ledger.mark_found("b", &file(1)).await.unwrap();
                ledger.flush().await.unwrap();
            });
        };
        block(frozen.record_row(row("b", Status::Done), Some([2; 32]), &[], &file(1))).unwrap();
        write(&frozen);
        server.sql("UPDATE worker SET state = 'dead'");
        let ledger = kind.open();
        assert_ne!(ledger.run(), frozen.run());
        let ended = CompletedFile { file: file(1), stamp: Stamp { size: 1, modified: 1, inode: 1 }, settings: 77, done: 2, skipped: 0 };
        write(&ledger);
        write(&frozen);
        block(async {
            ledger.record_file(ended.clone()).await.unwrap();
            ledger.flush().await.unwrap();
        });
        assert_eq!(ledger.reader().rows_after("", 9).unwrap().len(), 2);
        write(&frozen);
        block(async {
            frozen.record_file(CompletedFile { settings: 5, ..ended }).await.unwrap();
            frozen.flush().await.unwrap();
        });
        let known = ledger.reader().file(b"input", b"1").unwrap().unwrap();
        assert_eq!((known.settings, known.run), (77, ledger.run()), "the file would be read again");
    }
}

#[test]
fn no_run_begins_while_old_records_are_removed() {
    for kind in Kind::all() {
        let Some(server) = &kind.server else { continue };
        Kind::end(&kind.open());
        let held = server.hold("LOCK TABLE waste IN ACCESS EXCLUSIVE MODE");
        std::thread::scope(|scope| {
            let forgotten = scope.spawn(|| record::forget(&kind.config, "2000-01-01T00:00:00Z", false).unwrap());
            server.wait_for(WAITING, "1");
            let opened = scope.spawn(|| kind.open());
            while !opened.is_finished() && server.sql(WAITING) != ["2"] {
                std::thread::yield_now();
            }
            assert_eq!(server.sql("SELECT count(*) FROM worker WHERE state = 'alive'"), ["0"], "it would lose records that it needs");
            drop(held);
            forgotten.join().unwrap();
            opened.join().unwrap();
        });
    }
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

#[test]
fn a_run_whose_connection_is_lost_while_another_writes_the_outputs_waits_again() {
    const WAITING: &str = "FROM pg_stat_activity WHERE application_name LIKE 'depeche _%'";
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 2);
    mock.hold();
    let run = dir.start(&["run"]);
    mock.wait_for_requests(1);
    let held = server.hold("SELECT pg_advisory_lock(hashtextextended('depeche finishes depeche', 0))");
    mock.release();
    server.wait_for(&format!("SELECT count(*) {WAITING}"), "1");
    let first = server.sql(&format!("SELECT pid, pg_terminate_backend(pid) {WAITING}")).remove(0);
    server.wait_for(
        &format!("SELECT count(*) > 0 OR (SELECT count(*) = 0 FROM worker WHERE state = 'alive') {WAITING} AND pid <> {first}"),
        "t",
    );
    assert!(!dir.path("output/summaries.csv").exists(), "two processes would write the outputs at once");
    drop(held);
    run.wait().exits(0);
    assert_eq!(dir.rows().len(), 2);
}

#[test]
fn a_run_does_not_wait_for_ever_for_a_server_that_takes_no_writes() {
    let Some(server) = Postgres::start() else { return };
    let mock = Mock::good();
    let dir = dir(&mock, &server, 2);
    mock.hold();
    let run = dir.start(&["run", "--wait-for", "1s"]);
    mock.wait_for_requests(2);
    server.sql("ALTER DATABASE postgres SET default_transaction_read_only = on");
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'depeche'");
    mock.release();
    let ended = run.wait().exits(5);
    assert!(ended.stderr.contains("in a read-only transaction"), "{}", ended.stderr);
}

#[test]
fn a_call_whose_reply_cannot_be_read_is_made_again() {
    for kind in Kind::all() {
        let ledger = kind.open();
        block(async {
            ledger.claim(claim(1, 1)).await.unwrap();
            ledger.keep(AnsweredCall { reply_json: "{}".into(), ..call(1) }, Waste::default()).await.unwrap();
            assert_eq!(ledger.reply([1; 32]).await.unwrap(), None);
            assert_eq!(ledger.claim(claim(1, 1)).await.unwrap(), Claimed::Here, "the run would ask for it without end");
            ledger.keep(call(1), Waste::default()).await.unwrap();
            assert!(ledger.reply([1; 32]).await.unwrap().is_some());
        });
    }
}

/// Passes connections on to a server. Or it closes them, as a proxy does while its server is
/// unavailable, or leaves them open without an answer.
struct Proxy {
    port: u16,
    is_closed: AtomicBool,
    is_silent: AtomicBool,
    refused: AtomicUsize,
    passed: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    fn before(server: &Postgres) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let address = server.url().split_once('@').unwrap().1.replace("/postgres", "");
        let (is_closed, is_silent, refused, passed) = Default::default();
        let proxy = Arc::new(Self { port, is_closed, is_silent, refused, passed });
        let accepting = Arc::clone(&proxy);
        std::thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                if accepting.is_closed.load(Ordering::SeqCst) {
                    // The client may have gone.
                    let _ = client.read(&mut [0; 100]);
                    accepting.refused.fetch_add(1, Ordering::SeqCst);
                    if accepting.is_silent.load(Ordering::SeqCst) {
                        accepting.passed.lock().unwrap().push(client);
                    }
                    continue;
                }
                let server = TcpStream::connect(&address).unwrap();
                for (mut from, mut to) in [(&client, &server), (&server, &client)].map(|(from, to)| (copy_of(from), copy_of(to))) {
                    // Either side may end the connection.
                    std::thread::spawn(move || drop(std::io::copy(&mut from, &mut to)));
                }
                accepting.passed.lock().unwrap().extend([client, server]);
            }
        });
        proxy
    }

    /// A folder with two articles, and the ledger on the server.
    fn dir(&self, mock: &Mock) -> TestDir {
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port);
        TestDir::with(&format!("{}\n[ledger]\nurl = \"{url}\"\nlease = \"6s\"\n", openai(mock)), 2)
    }

    fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        for stream in self.passed.lock().unwrap().drain(..) {
            // It may have ended.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn wait_for_refused(&self, count: usize) {
        let end = Instant::now() + TIMEOUT;
        while self.refused.load(Ordering::SeqCst) < count {
            assert!(Instant::now() < end, "nobody connects again");
            std::thread::yield_now();
        }
    }
}

fn copy_of(stream: &TcpStream) -> TcpStream {
    stream.try_clone().unwrap()
}

#[test]
fn a_proxy_whose_server_is_away_for_a_while_ends_no_run() {
    let Some(server) = Postgres::start() else { return };
    let proxy = Proxy::before(&server);
    let mock = Mock::good();
    let dir = proxy.dir(&mock);
    mock.hold();
    let run = dir.start(&["run"]);
    mock.wait_for_requests(2);
    proxy.close();
    proxy.wait_for_refused(10);
    proxy.is_closed.store(false, Ordering::SeqCst);
    mock.release();
    run.wait().exits(0);
    assert_eq!((mock.count(), dir.rows().len()), (4, 2));
}

#[test]
fn a_server_that_no_longer_answers_ends_the_run() {
    let Some(server) = Postgres::start() else { return };
    let proxy = Proxy::before(&server);
    let mock = Mock::good();
    let dir = proxy.dir(&mock);
    mock.hold();
    let run = dir.start(&["run", "--wait-for", "1s"]);
    mock.wait_for_requests(2);
    proxy.is_silent.store(true, Ordering::SeqCst);
    proxy.close();
    // A heartbeat and two queries already wait for the server when the process has something to
    // write.
    proxy.wait_for_refused(3);
    mock.release();
    run.wait().exits(5);
}
