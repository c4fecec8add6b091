//! What every ledger must do, whatever its backend: a file, or a `PostgreSQL` server if there is
//! one.

use std::path::Path;
use std::sync::Arc;

use depeche::config::{Config, Overrides, load};
use depeche::model::{Answer, Digest, ErrorCode, Exit, Reject, Reply, Row, RunSummary, Stamp, Status, Task, Usage, Waste};
use depeche::record::{self, AnsweredCall, Claim, Claimed, CompletedFile, FileRef, Filter, Ledger, OutputState, RowSignature};

use crate::support::test_dir::TestDir;

/// A ledger of each kind.
pub(crate) struct Kind {
    dir: TestDir,
    pub(crate) config: Config,
    #[cfg(feature = "postgres")]
    pub(crate) server: Option<crate::support::postgres::Postgres>,
}

impl Kind {
    fn with(lines: &str) -> Self {
        let dir = TestDir::with(&format!("{}\n{lines}", crate::support::configs::embedded("fetch = false")), 0);
        let config = load(Some(&dir.path("config.toml")), &Overrides::default(), &depeche::dialect::facts()).unwrap();
        record::create_folder(&config.output).unwrap();
        Self {
            dir,
            config,
            #[cfg(feature = "postgres")]
            server: None,
        }
    }

    pub(crate) fn all() -> Vec<Self> {
        #[cfg(feature = "postgres")]
        if let Some(server) = crate::support::postgres::Postgres::start() {
            let kind = Self::with(&server.config());
            return vec![Self::with(""), Self { server: Some(server), ..kind }];
        }
        vec![Self::with("")]
    }

    pub(crate) fn open(&self) -> Arc<dyn Ledger> {
        record::open(&self.config, false, false).unwrap()
    }

    /// Ends a run as a kill does.
    pub(crate) fn kill(&self, ledger: Arc<dyn Ledger>) {
        drop(ledger);
        #[cfg(feature = "postgres")]
        if let Some(server) = &self.server {
            // Another process of this number has begun since.
            server.sql(r"UPDATE worker SET place = regexp_replace(place, '\d+$', '1')");
        }
    }

    pub(crate) fn end(ledger: &Arc<dyn Ledger>) {
        ledger.close(Exit::Done, &RunSummary { done: 3, earlier: 1, cost: Some(0.5), ..RunSummary::default() }).unwrap();
    }
}

pub(crate) fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
}

pub(crate) fn claim(key: u8, attempts: u32) -> Claim {
    Claim {
        key: [key; 32],
        task: Task::Summarise,
        endpoint: "llm".into(),
        characters: 10,
        cost: Some(0.25),
        attempts,
        made_at: format!("{:.0}", jiff::Timestamp::now()),
    }
}

fn reply() -> Reply {
    Reply { answer: Answer::Summary("Résumé".into()), usage: Usage::default(), draft: true }
}

pub(crate) fn call(key: u8) -> AnsweredCall {
    AnsweredCall {
        key: [key; 32],
        task: Task::Summarise,
        endpoint: "llm".into(),
        dialect: "openai".into(),
        model: Some("m".into()),
        reply_json: serde_json::to_string(&reply()).unwrap(),
        usage: Usage { tokens_in: Some(7), ..Usage::default() },
        characters: 10,
        cost: Some(0.5),
        milliseconds: 30,
        made_at: format!("{:.0}", jiff::Timestamp::now()),
    }
}

pub(crate) fn file(number: i64) -> Arc<FileRef> {
    Arc::new(FileRef { number, folder: b"input".to_vec(), name: number.to_string().into_bytes() })
}

pub(crate) fn row(source: &str, status: Status) -> Box<Row> {
    let digest = Digest { title_fr: "Été \"d'or\"".into(), ..Digest::default() };
    let error = if status == Status::Failed { "timeout: too slow".into() } else { String::new() };
    let flags = if status == Status::Done { "name number".into() } else { String::new() };
    Box::new(Row {
        id: format!("i{source}"),
        source: source.into(),
        digest,
        status,
        error,
        flags,
        words: 3,
        cost: Some(0.5),
        processed_at: "2026-11-23T00:00:00Z".into(),
        signature: vec![0, 1, 2],
        ..Row::default()
    })
}

#[test]
fn lookups_that_come_together_each_find_their_own_record() {
    const LOOKUPS: usize = 2000;
    for kind in Kind::all() {
        let ledger = kind.open();
        block(async {
            ledger.keep(call(1), Waste::default()).await.unwrap();
            for source in ["a.txt", "b.txt", "c.txt"] {
                ledger.record_row(row(source, Status::Done), Some([7; 32]), &[[1; 32]], &file(1)).await.unwrap();
            }
            ledger.flush().await.unwrap();
            let mut lookups = tokio::task::JoinSet::new();
            for number in 0..LOOKUPS {
                let ledger = Arc::clone(&ledger);
                lookups.spawn(async move {
                    let source = ["a.txt", "b.txt", "c.txt", "d.txt"][number % 4];
                    let hash = [u8::try_from(number % 10).unwrap(); 32];
                    let found = ledger.row(source).await.unwrap();
                    assert_eq!(found, (source != "d.txt").then(|| (*row(source, Status::Done), Some([7; 32]))));
                    let known = ledger.reply(hash).await.unwrap();
                    assert_eq!(known.is_some(), hash[0] == 1);
                    // Any of the rows will do.
                    let twin = ledger.row_with_fingerprint(hash).await.unwrap();
                    assert_eq!(
                        twin.map(|(row, calls)| (row.digest, calls)),
                        (hash[0] == 7).then(|| (row("", Status::Done).digest, vec![[1; 32]]))
                    );
                });
            }
            while let Some(lookup) = lookups.join_next().await {
                lookup.unwrap();
            }
        });
    }
}

#[test]
fn a_reply_is_there_in_the_next_run_and_its_waste_counted() {
    for kind in Kind::all() {
        let ledger = kind.open();
        let lost = Waste { lost: 1, at_most: 0.25, ..Waste::default() };
        block(async {
            assert_eq!(ledger.claim(claim(1, 1)).await.unwrap(), Claimed::Here);
            // The same claim again is a second attempt.
            assert_eq!(ledger.claim(claim(1, 2)).await.unwrap(), Claimed::Here);
            ledger.may_send().await.unwrap();
            ledger.keep(call(1), lost).await.unwrap();
            assert_eq!(ledger.claim(claim(2, 1)).await.unwrap(), Claimed::Here);
            ledger.fail([2; 32], lost, Some(Reject::new(ErrorCode::TooLarge, "x"))).await.unwrap();
        });
        assert_eq!(
            ledger.reader().waste().unwrap().iter().map(|lost| (lost.outcome.as_str(), lost.calls)).collect::<Vec<_>>(),
            [("lost", 2)]
        );
        Kind::end(&ledger);
        let ledger = kind.open();
        assert_eq!(ledger.killed_claims(), 0);
        let known = ledger.reader().reply(&[1; 32]).unwrap().unwrap();
        assert_eq!((known.reply, known.cost), (reply(), Some(0.5)));
        assert_eq!(ledger.reader().reply(&[2; 32]).unwrap(), None);
        assert_eq!(ledger.reader().days(3).unwrap().last().map(|day| (day.done, day.cost)), Some((2, 0.5)));
        // A call that failed for good is made again in the next run.
        assert_eq!(block(ledger.claim(claim(2, 1))).unwrap(), Claimed::Here);
        assert!((ledger.reader().spent(12).unwrap() - 1.25).abs() < 1e-9, "{}", ledger.reader().spent(12).unwrap());
        assert_eq!(ledger.reader().latencies().unwrap().into_iter().collect::<Vec<_>>(), [("llm".to_owned(), 30.0)]);
        let [costs] = &ledger.reader().costs("2026").unwrap()[..] else { panic!() };
        assert_eq!((costs.calls, costs.characters, costs.cost), (1, 10, Some(0.5)));
        Kind::end(&ledger);
    }
}

#[test]
fn calls_in_flight_at_a_kill_may_have_been_billed_and_can_be_made_again() {
    for kind in Kind::all() {
        let ledger = kind.open();
        block(ledger.claim(claim(1, 2))).unwrap();
        let waste = ledger.reader().waste().unwrap();
        assert_eq!((waste[0].outcome.as_str(), waste[0].calls, waste[0].cost), ("", 2, Some(0.5)));
        kind.kill(ledger);
        let ledger = kind.open();
        assert_eq!(ledger.killed_claims(), 1);
        let waste = ledger.reader().waste().unwrap();
        assert_eq!((waste[0].outcome.as_str(), waste[0].calls, waste[0].cost), ("killed", 2, Some(0.5)));
        assert_eq!(Some(ledger.reader().spent(12).unwrap()), Some(0.5));
        assert_eq!(block(ledger.claim(claim(1, 1))).unwrap(), Claimed::Here);
        block(ledger.keep(call(1), Waste::default())).unwrap();
        Kind::end(&ledger);
        let runs: Vec<_> = kind.open().reader().runs(9).unwrap();
        let ended = |number: usize| (runs[number].exit, runs[number].summary.done, runs[number].summary.cost);
        assert_eq!((runs.len(), ended(1), ended(2)), (3, (Some(0), 3, Some(0.5)), (None, 0, None)));
    }
}

#[test]
fn rows_come_back_in_the_order_of_their_sources_and_leave_with_their_files() {
    for kind in Kind::all() {
        let ledger = kind.open();
        let long = "z".repeat(5000);
        let sources = ["b", "a#1", "É", "a", "Z", long.as_str()];
        block(async {
            for (number, source) in (1..).zip(sources) {
                let status = if source == "Z" { Status::Failed } else { Status::Done };
                ledger.record_row(row(source, status), Some([u8::try_from(number).unwrap(); 32]), &[[9; 32]], &file(number)).await.unwrap();
            }
            ledger.record_row(row("nul\0", Status::Skipped), None, &[], &file(8)).await.unwrap();
            ledger.flush().await.unwrap();
        });
        let reader = ledger.reader();
        let listed = |after: &str, most| -> Vec<String> {
            reader.rows_after(after, most).unwrap().into_iter().map(|row| row.source.chars().take(4).collect()).collect()
        };
        let all = listed("", 100);
        assert_eq!((&all[..5], all.len()), (&["Z".to_owned(), "a".into(), "a#1".into(), "b".into(), all[4].clone()][..], 7));
        assert_eq!((listed("a", 2), listed(&long, 9)), (vec!["a#1".to_owned(), "b".into()], vec!["É".to_owned()]));
        assert_eq!(reader.row("a").unwrap(), Some((*row("a", Status::Done), Some([4; 32]))));
        assert_eq!(reader.row(&long).unwrap().unwrap().0.source, long);
        assert!(reader.row("nul\0").unwrap().is_some(), "a NUL does no harm");
        let (twin, calls) = reader.row_with_fingerprint(&[1; 32]).unwrap().unwrap();
        assert_eq!((twin.source.as_str(), calls), ("b", vec![[9; 32]]));
        let mut exported = Vec::new();
        let done = Filter { status: Some(Status::Done), ..Filter::default() };
        let mut each = |row: Row| {
            exported.push(row.source);
            Ok(())
        };
        reader.each_row(&done, &mut each).unwrap();
        assert_eq!(exported.len(), 5);
        assert_eq!(reader.statuses().unwrap()["failed"], 1);
        assert_eq!(reader.flags().unwrap(), [("name number".to_owned(), 5)]);
        assert_eq!(reader.failures(9).unwrap(), [("Z".to_owned(), "timeout: too slow".to_owned())]);
        assert_eq!(reader.failed_files().unwrap(), [Path::new("input/5")]);
        assert_eq!(reader.reasons().unwrap().iter().map(|reason| reason.code.as_str()).collect::<Vec<_>>(), ["timeout", ""]);
        let mut signed = Vec::new();
        let mut each = |row: RowSignature| {
            signed.push(row.number);
            Ok(())
        };
        reader.each_signature(&mut each).unwrap();
        assert_eq!(signed.len(), 7);
        assert_eq!(reader.signature(signed[0]).unwrap(), Some(("Z".into(), vec![0, 1, 2])));
        assert_eq!(reader.row_histories("a").unwrap().iter().map(|found| found.row.source.as_str()).collect::<Vec<_>>(), ["a", "a#1"]);
        assert_eq!(reader.row_histories("iZ").unwrap().len(), 1);
        Kind::end(&ledger);
        next_run(&kind);
    }
}

/// A run that finds one row again, moves a file out of the table and back, and marks a copy.
fn next_run(kind: &Kind) {
    let ledger = kind.open();
    let (reader, count) = (ledger.reader(), || ledger.reader().rows_after("", 100).unwrap().len());
    assert_eq!(reader.last_file_number().unwrap(), 8);
    let stamp = Stamp { size: u64::MAX, modified: -5, inode: 7 };
    let ended = |number| CompletedFile { file: file(number), stamp, settings: 77, done: 1, skipped: 2 };
    block(async {
        ledger.mark_found("b", &file(1)).await.unwrap();
        ledger.record_file(ended(1)).await.unwrap();
        // The file has no row any more.
        ledger.record_file(ended(2)).await.unwrap();
        ledger.flush().await.unwrap();
    });
    assert_eq!(count(), 6);
    let known = reader.file(b"input", b"1").unwrap().unwrap();
    assert_eq!((known.stamp, known.settings, known.done, known.skipped, known.run), (stamp, 77, 1, 2, ledger.run()));
    let names =
        |after: Option<&[u8]>| -> Vec<Vec<u8>> { reader.files(b"input", after, 3).unwrap().into_iter().map(|file| file.name).collect() };
    assert_eq!((names(None), names(Some(b"5"))), (vec![b"1".to_vec(), b"2".to_vec(), b"3".to_vec()], vec![b"6".to_vec(), b"8".to_vec()]));
    assert_eq!(reader.folders().unwrap(), [b"input".to_vec()]);
    let output = OutputState { name: "summaries.csv".into(), stamp, settings_hash: 5 };
    ledger.record_new_outputs(vec![OutputState { name: ".new".into(), ..output.clone() }]).unwrap();
    assert_eq!(reader.outputs().unwrap().len(), 1);
    ledger.record_outputs(vec![output.clone()]).unwrap();
    assert_eq!(reader.outputs().unwrap(), std::slice::from_ref(&output));
    ledger.mark_copies(vec![Row { copy_of: "a".into(), ..*row("b", Status::Done) }]).unwrap();
    assert_eq!(reader.row("b").unwrap().unwrap().0.copy_of, "a");
    assert_eq!(reader.outputs().unwrap(), std::slice::from_ref(&output));
    block(ledger.move_rows(vec![], vec![1])).unwrap();
    assert_eq!((count(), reader.outputs().unwrap()), (5, vec![OutputState { settings_hash: 0, ..output }]));
    block(ledger.move_rows(vec![1], vec![])).unwrap();
    assert_eq!(count(), 6);
    assert!(reader.times(ledger.run()).unwrap().1.is_some());
    ledger.check_held().unwrap();
    Kind::end(&ledger);
    // Nothing is old enough.
    let forgotten = record::forget(&kind.config, "2000-01-01T00:00:00Z", false).unwrap().unwrap();
    assert_eq!(forgotten, record::Forgotten::default());
    let would = record::forget(&kind.config, "2100-01-01T00:00:00Z", true).unwrap().unwrap();
    assert_eq!((would.rows, would.runs), (1, 1));
    assert!(kind.dir.path("output").exists());
}

/// Two processes of one run. Here they are one process, which makes no difference.
#[cfg(feature = "postgres")]
#[test]
fn two_processes_of_a_run_never_make_the_same_call() {
    use depeche::record::Elsewhere;
    for kind in Kind::all().into_iter().filter(|kind| kind.server.is_some()) {
        let (first, second) = (kind.open(), kind.open());
        assert_eq!(first.run(), second.run());
        let server = kind.server.as_ref().unwrap();
        block(async {
            assert_eq!(first.claim(claim(1, 1)).await.unwrap(), Claimed::Here);
            assert_eq!(second.claim(claim(1, 1)).await.unwrap(), Claimed::Elsewhere);
            assert_eq!(second.look([1; 32]).await.unwrap(), Elsewhere::UnderWay);
            first.keep(call(1), Waste::default()).await.unwrap();
            // If claim and reply were two rows, it would be claimed now, and paid twice.
            assert_eq!(second.claim(claim(1, 1)).await.unwrap(), Claimed::Elsewhere);
            assert_eq!(second.look([1; 32]).await.unwrap(), Elsewhere::Over);
            let refused = Reject::new(ErrorCode::TooLarge, "too: large");
            first.claim(claim(2, 1)).await.unwrap();
            first.fail([2; 32], Waste::default(), Some(refused.clone())).await.unwrap();
            assert_eq!(second.claim(claim(2, 1)).await.unwrap(), Claimed::Elsewhere);
            assert_eq!(second.look([2; 32]).await.unwrap(), Elsewhere::Failed(refused));
            first.claim(claim(3, 1)).await.unwrap();
            first.fail([3; 32], Waste::default(), None).await.unwrap();
            assert_eq!(second.claim(claim(3, 1)).await.unwrap(), Claimed::Here, "given up");
            first.claim(claim(4, 1)).await.unwrap();
        });
        assert!(second.reader().reply(&[1; 32]).unwrap().is_some());
        // The first one is declared dead.
        server.sql("UPDATE worker SET state = 'dead' WHERE id = 1; UPDATE call SET state = 'free' WHERE state = 'claimed' AND worker = 1");
        block(async {
            assert_eq!(second.claim(claim(4, 1)).await.unwrap(), Claimed::Here);
            // It may send nothing more, but its late reply is stored.
            assert_eq!(first.claim(claim(5, 1)).await.unwrap_err().exit, Exit::EndpointAway);
            assert!(first.check_held().is_err());
            first.keep(call(4), Waste::default()).await.unwrap();
            second.keep(call(4), Waste::default()).await.unwrap();
        });
        assert_eq!(server.sql("SELECT worker || ' ' || outcome FROM waste"), ["2 late"], "what was paid twice is noted");
        assert_eq!(server.sql("SELECT count(*) FROM call WHERE state = 'answered' AND worker = 1"), ["2"]);
    }
}
