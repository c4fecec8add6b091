//! What every ledger must do with batches, whatever keeps it.

use std::sync::Arc;

use depeche::model::{ErrorCode, Waste};
use depeche::record::{AnsweredCall, BatchRecord, BatchState, BatchWrite, Collected, Ledger, Line};

use crate::ledger_suite::{Kind, block, call, claim};

fn line(key: u8) -> Line {
    let request = format!("{{\"title\":\"Un \\u0000 titre {key}\"}}");
    Line { key: [key; 32], endpoint: "llm".into(), task: "summarise".into(), characters: 10, request, longer: false }
}

fn batch(number: i64, state: BatchState) -> BatchRecord {
    BatchRecord {
        number,
        state,
        endpoint: "llm".into(),
        url: "http://h/v1".into(),
        tag: format!("x-{number}"),
        lines: 6,
        cost: Some(0.5),
        made_at: "2026-11-29T22:00:00Z".into(),
        said: "in_progress".into(),
        completed: Some(3),
        ..BatchRecord::default()
    }
}

fn write(ledger: &Arc<dyn Ledger>, write: BatchWrite) {
    block(ledger.batches().unwrap().write_batch(write)).unwrap();
}

/// Gathers lines, and waits until they are there.
fn gather(ledger: &Arc<dyn Ledger>, lines: impl IntoIterator<Item = Line>) {
    for line in lines {
        write(ledger, BatchWrite::Gather(line));
    }
    block(ledger.flush()).unwrap();
}

/// Keeps the reply to a call that was made by itself.
fn answer(ledger: &Arc<dyn Ledger>, key: u8) {
    block(ledger.claim(claim(key, 1))).unwrap();
    block(ledger.keep(call(key), Waste::default())).unwrap();
}

fn free(ledger: &Arc<dyn Ledger>, endpoint: &str, tries: u32) -> Vec<u8> {
    ledger.batches().unwrap().free_lines(endpoint, tries, None, 9).unwrap().iter().map(|line| line.key[0]).collect()
}

fn keys_in(ledger: &Arc<dyn Ledger>, batch: i64) -> Vec<[u8; 32]> {
    let mut keys = ledger.batches().unwrap().keys_in(batch).unwrap();
    keys.sort_unstable();
    keys
}

fn all_lines(ledger: &Arc<dyn Ledger>) -> Vec<[u8; 32]> {
    let mut keys = Vec::new();
    ledger.batches().unwrap().each_line(&mut |key, _| keys.push(key)).unwrap();
    keys.sort_unstable();
    keys
}

#[test]
fn a_line_is_in_one_batch_and_free_again_without_an_answer() {
    for kind in Kind::all() {
        let ledger = kind.open();
        let id = ledger.batches().unwrap().ledger_id().unwrap();
        assert!(id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        gather(&ledger, (1..=4).map(line));
        gather(&ledger, [Line { endpoint: "other".into(), ..line(4) }]);
        // A call that was answered meanwhile is not sent.
        answer(&ledger, 2);
        assert_eq!((free(&ledger, "llm", 2), free(&ledger, "other", 2)), (vec![1, 3], vec![4]));
        let after = ledger.batches().unwrap().free_lines("llm", 2, Some(&[1; 32]), 9).unwrap();
        assert_eq!((after.len(), &after[0].request), (1, &line(3).request));
        write(&ledger, BatchWrite::Begin(batch(1, BatchState::Intended), vec![[1; 32], [3; 32]]));
        write(&ledger, BatchWrite::Begin(batch(2, BatchState::Intended), vec![[3; 32], [4; 32]]));
        assert_eq!((keys_in(&ledger, 1), keys_in(&ledger, 2)), (vec![[1; 32], [3; 32]], vec![[4; 32]]), "no line is in two");
        assert_eq!(ledger.batches().unwrap().batch_with("Un \0 titre 3").unwrap(), Some(1));
        let sent = BatchRecord { id: Some("b-1".into()), file: Some("f-1".into()), ..batch(1, BatchState::Sent) };
        write(&ledger, BatchWrite::Update(sent.clone()));
        kind.kill(ledger);
        let ledger = kind.open();
        let batches = ledger.batches().unwrap();
        assert_eq!(
            (batches.ledger_id().unwrap(), batches.batches(true).unwrap()),
            (id, vec![sent.clone(), batch(2, BatchState::Intended)])
        );
        let found = batches.lines_with(&[[3; 32], [9; 32]]).unwrap();
        assert_eq!((found.len(), found[0].1.batch, found[0].1.tries), (1, Some(1), 0));
        for _ in 0..2 {
            // The second time changes nothing.
            write(&ledger, BatchWrite::Dissolve { batch: BatchRecord { state: BatchState::Dissolved, ..sent.clone() }, tried: true });
        }
        assert_eq!((batches.batches(true).unwrap().len(), batches.batches(false).unwrap().len()), (1, 2));
        assert_eq!((free(&ledger, "llm", 2), free(&ledger, "llm", 1)), (vec![1, 3], vec![]), "tried once");
        write(&ledger, BatchWrite::DropFree { lost: false });
        assert_eq!(all_lines(&ledger), [[4; 32]], "only what is in a batch");
        Kind::end(&ledger);
    }
}

#[test]
fn what_a_batch_answered_is_kept_once() {
    for kind in Kind::all() {
        let ledger = kind.open();
        gather(&ledger, (1..=6).map(line));
        write(&ledger, BatchWrite::Begin(batch(1, BatchState::Sent), (1..=6).map(|key| [key; 32]).collect()));
        // The answer to a call that was made by itself meanwhile was paid for twice.
        answer(&ledger, 6);
        let made_at = call(1).made_at;
        let answered = |key: u8| Collected::Answered(Box::new(AnsweredCall { milliseconds: 0, ..call(key) }));
        let refused = |code, cost| Collected::Refused { code, message: "no".into(), cost, made_at: made_at.clone() };
        let lines = vec![
            ([1; 32], answered(1)),
            ([2; 32], Collected::Unusable { cost: Some(0.25), made_at: made_at.clone(), longer: true }),
            ([3; 32], refused(ErrorCode::TooLarge, None)),
            ([4; 32], refused(ErrorCode::ResultsLost, Some(0.25))),
            ([5; 32], Collected::Again),
            ([6; 32], answered(6)),
        ];
        for _ in 0..2 {
            write(&ledger, BatchWrite::Collect { batch: 1, repeats: false, lines: lines.clone() });
        }
        let state = |key: u8| ledger.batches().unwrap().lines_with(&[[key; 32]]).unwrap().pop();
        assert!(state(1).is_none() && state(6).is_none(), "a reply needs no line");
        assert_eq!(ledger.reader().reply(&[1; 32]).unwrap().unwrap().cost, Some(0.5));
        let (longer, tried) = state(2).unwrap();
        assert!(longer.longer && tried.tries == 1 && tried.batch.is_none());
        assert_eq!(state(3).unwrap().1.refused, Some((ErrorCode::TooLarge, "no".into())));
        assert_eq!((state(5).unwrap().1.tries, state(5).unwrap().1.refused), (1, None));
        let found = ledger.reader().waste().unwrap();
        let mut waste: Vec<_> = found.iter().map(|waste| (waste.outcome.as_str(), waste.calls, waste.cost)).collect();
        waste.sort_by(|one, other| one.0.cmp(other.0));
        assert_eq!(waste, [("twice", 1, Some(0.5)), ("unusable", 2, Some(0.5))]);
        let spent = || (ledger.reader().spent(12).unwrap() * 100.0).round();
        assert!((spent() - 200.0).abs() < 0.1, "{}", spent());
        let latencies: Vec<_> = ledger.reader().latencies().unwrap().into_iter().collect();
        assert_eq!(latencies, [("llm".to_owned(), 30.0)], "the time of a batch is no pace");
        write(&ledger, BatchWrite::Collect { batch: 1, repeats: false, lines: vec![([1; 32], Collected::Twice(Box::new(call(1))))] });
        assert!((spent() - 250.0).abs() < 0.1, "{}", spent());
        assert_eq!(free(&ledger, "llm", 9), [2, 5], "what was refused is not sent again");
        write(&ledger, BatchWrite::DropFree { lost: false });
        assert_eq!(all_lines(&ledger), [[4; 32]], "what was paid for and lost");
        write(&ledger, BatchWrite::DropFree { lost: true });
        assert!(all_lines(&ledger).is_empty());
        Kind::end(&ledger);
    }
}

#[test]
fn a_second_batch_of_the_same_lines_leaves_them_to_their_own() {
    for kind in Kind::all() {
        let ledger = kind.open();
        gather(&ledger, (1..=2).map(line));
        write(&ledger, BatchWrite::Begin(batch(1, BatchState::Sent), vec![[1; 32], [2; 32]]));
        let lines = vec![([1; 32], Collected::Answered(Box::new(call(1)))), ([2; 32], Collected::Again)];
        write(&ledger, BatchWrite::Collect { batch: 1, repeats: true, lines });
        assert!(ledger.reader().reply(&[1; 32]).unwrap().is_some());
        assert_eq!(keys_in(&ledger, 1), [[1; 32], [2; 32]]);
        Kind::end(&ledger);
    }
}
