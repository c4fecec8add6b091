//! From an article to its row: answered from the ledger where it is still good, made anew where it is not.

use std::sync::Arc;

use super::Run;
use super::checked::{Checked, findings, make_checked, quarantined};
use super::walk::ReadSource;
use crate::broker::KeyRecorder;
use crate::dedup::Claim;
use crate::dedup::said;
use crate::dedup::{Likeness, Signature};
use crate::discover::article_id;
use crate::model::{Article, Digest, ErrorCode, Exit, Failure, Fault, Field, Finding, Flag, Lang, Reject, Row, Status, Understood};
use crate::plan::{content_key, row_fingerprint};
use crate::record::{FileRef, KnownRow};
use crate::report::Event;

/// Every article of a source to its row, each with its claim; the source's permit is given back at the end.
pub(super) async fn source(run: Arc<Run>, source: ReadSource, claims: Result<Vec<Claim>, Fault>) -> Exit {
    let claims = match claims {
        Ok(claims) => claims,
        Err(fault) => {
            source.file.ended(None);
            return heed(&run, Err(run.broker.break_off(fault)));
        }
    };
    let mut exit = Exit::Done;
    let ReadSource { articles, file, _credit, .. } = source;
    // All at once: a list of articles must not take one after the other to the endpoints.
    let begin = |(article, claim): (Understood, Claim)| match article {
        Ok(article) => (article.source.clone(), Ok(start(&run, article, claim, &file.file))),
        Err((name, reject)) => (name, Err(reject)),
    };
    let started: Vec<_> = articles.into_iter().zip(claims).map(begin).collect();
    for (name, article) in started {
        let ended = match article {
            Ok(task) => match task.await {
                Ok(ended) => ended,
                Err(_) => failed(&run, Box::new(blank(&name)), &internal(), &[], &file.file).await,
            },
            Err(reject) if reject.is_rule() => skipped(&run, Box::new(blank(&name)), &reject, &file.file).await,
            Err(reject) => failed(&run, Box::new(blank(&name)), &reject, &[], &file.file).await,
        };
        file.ended(ended.as_ref().ok().map(|(status, _)| *status));
        exit = exit.worse(heed(&run, ended));
    }
    // Whoever has the last part of the file.
    let Some(read) = Arc::into_inner(file).and_then(|file| file.whole(run.shape)) else { return exit };
    let recorded = run.broker.ledger().file_read(read).await.map_err(|fault| run.broker.break_off(fault));
    exit.worse(heed(&run, recorded.map(|()| (Status::Done, Exit::Done))))
}

/// What an article's end means for the run.
fn heed(run: &Run, ended: Result<(Status, Exit), Failure>) -> Exit {
    match ended {
        Ok((_, exit)) => exit,
        Err(failure) => {
            // The ledger takes no more, or a limit is reached: reading on would be for nothing.
            if matches!(failure.exit, Exit::Usage | Exit::Limit) && run.stop.set(failure.exit).is_ok() {
                tracing::warn!("stopping: {}", failure.reject.reason);
            }
            failure.exit
        }
    }
}

/// A task of its own for each: a bug that panics on one article must not take the others along.
fn start(run: &Arc<Run>, article: Article, claim: Claim, file: &Arc<FileRef>) -> Ending {
    tokio::spawn(one(Arc::clone(run), article, claim, Arc::clone(file)))
}

type Ending = tokio::task::JoinHandle<Result<(Status, Exit), Failure>>;

fn internal() -> Reject {
    Reject::new(ErrorCode::Internal, "a bug of depeche: this article made it stumble; please report it with the file")
}

/// How the row ended, and what that means for the run; an error: there is no row.
async fn one(run: Arc<Run>, article: Article, claim: Claim, file: Arc<FileRef>) -> Result<(Status, Exit), Failure> {
    let config = &run.config;
    let content = content_key(&article, &run.glossary.of_article(&article), &config.checks.key());
    let ledger = run.broker.ledger();
    let broken = |fault| run.broker.break_off(fault);
    let earlier = ledger.row(&article.source).map_err(broken)?;
    let good = |made_with: &[u8; 32]| run.is_good(&content, made_with);
    if let Some((row, _)) = earlier.as_ref().filter(|(row, made_with)| made_with.as_ref().is_some_and(good) && as_wished(&run, row)) {
        ledger.seen(&article.source, &file).await.map_err(broken)?;
        run.progress.tell(Event::Done { earlier: true });
        return Ok((row.status, Exit::Done));
    }
    // The same article under another name: moved, renamed or copied.
    for fingerprint in run.good(&content) {
        let twin = ledger.row_like(&fingerprint).map_err(broken)?.filter(|(row, _)| as_wished(&run, row));
        let Some((twin, calls)) = twin else { continue };
        let row = Box::new(said(Row { id: article.id, source: article.source, signature: article.signature, ..twin }, ""));
        let status = row.status;
        ledger.record_row(row, Some(fingerprint), &calls, &file).await.map_err(broken)?;
        run.progress.tell(Event::Done { earlier: true });
        return Ok((status, Exit::Done));
    }
    // What was begun is brought to its end, but nothing new is begun.
    if let Some(exit) = run.stop.get() {
        return Err(Failure { reject: Reject::new(ErrorCode::Interrupted, "the run was interrupted"), exit: *exit });
    }
    if let Some(row) = reused(&run, &article, &claim).await? {
        let status = row.status;
        let fingerprint = run.settings.first().map(|settings| row_fingerprint(&content, settings));
        record(&run, row, fingerprint, &[], &file).await?;
        run.progress.tell(Event::Done { earlier: false });
        return Ok((status, Exit::Done));
    }
    run.broker.limits().try_one()?;
    let noting = KeyRecorder::new(&run.broker);
    // On the heap by itself: it is by far the largest part of a task, and most tasks of a night never come to it.
    match Box::pin(make_checked(&run, &article, &noting)).await {
        Ok(checked) => {
            let fingerprint = row_fingerprint(&content, &run.settings_of(&checked.made));
            let row = Box::new(done(&article, checked));
            let status = row.status;
            record_after(&run, earlier, row, (Some(fingerprint), &noting.keys()), &file).await?;
            run.progress.tell(Event::Done { earlier: false });
            Ok((status, Exit::Done))
        }
        // Interrupted or broken off: the article is neither done nor failed, and its earlier row, if any, stays in the table.
        Err(failure) if matches!(failure.exit, Exit::Interrupted | Exit::Terminated | Exit::Limit | Exit::Usage) => Err(failure),
        Err(failure) => {
            let ended = failed(&run, Box::new(about(&article)), &failure.reject, &noting.keys(), &file).await;
            ended.map(|(status, _)| (status, failure.exit))
        }
    }
}

/// The row of a trimmed copy with what its original was paid for; none where it is no copy, or its original has failed. The checks
/// compare it with the copy's own text.
async fn reused(run: &Run, article: &Article, claim: &Claim) -> Result<Option<Box<Row>>, Failure> {
    let Claim::Copy { original, ended } = claim else { return Ok(None) };
    if let Some(mut ended) = ended.clone() {
        // Nothing is ever sent: it closes when the original has ended.
        while ended.changed().await.is_ok() {}
    }
    let ledger = run.broker.ledger();
    ledger.flush().await.map_err(|fault| run.broker.break_off(fault))?;
    let found = ledger.row(original).map_err(|fault| run.broker.break_off(fault))?;
    let Some((row, Some(_))) = found else { return Ok(None) };
    let [own, others] = [&article.signature, &row.signature].map(|bytes| Signature::from_bytes(bytes));
    // The original may have changed since it was sketched.
    let still = own.zip(others).and_then(|(own, others)| own.repeats(&others)) == Some(Likeness::Trimmed);
    if row.status != Status::Done || !still {
        return Ok(None);
    }
    let draft = row.findings.iter().any(|finding| finding.check == Flag::Draft);
    let found = findings(run, article, &row.digest, ["", ""], draft);
    let status = if quarantined(&found) { Status::Quarantined } else { Status::Done };
    let (summary_endpoint, translation_endpoint) = (row.summary_endpoint, row.translation_endpoint);
    let copy = Row { digest: row.digest, status, summary_endpoint, translation_endpoint, cost: Some(0.0), ..about(article) };
    Ok(Some(Box::new(said(copy.with_findings(found), original))))
}

/// Whether what was done about the row's findings is what the config says now: a changed action redoes the rows that it touches.
pub(super) fn as_wished(run: &Run, row: &Row) -> bool {
    row.findings.iter().all(|finding| finding.field == Field::Article || finding.action == run.config.checks.action(finding.check))
}

async fn failed(run: &Run, mut row: Box<Row>, reject: &Reject, calls: &[[u8; 32]], file: &Arc<FileRef>) -> Result<(Status, Exit), Failure> {
    tracing::info!("{} failed: {reject}", row.source);
    (row.status, row.error) = (Status::Failed, reject.to_string());
    record(run, row, None, calls, file).await?;
    run.progress.tell(Event::Failed);
    if let Err(failure) = run.broker.limits().fail_one() {
        tracing::warn!("stopping: {}", failure.reject.reason);
        run.halt(failure.exit);
    }
    Ok((Status::Failed, Exit::SomeFailed))
}

async fn skipped(run: &Run, mut row: Box<Row>, reject: &Reject, file: &Arc<FileRef>) -> Result<(Status, Exit), Failure> {
    (row.status, row.error) = (Status::Skipped, reject.to_string());
    record(run, row, None, &[], file).await?;
    run.progress.tell(Event::Skipped);
    Ok((Status::Skipped, Exit::Done))
}

/// Records a row. One that says the same as before keeps its time, so that a run that changes nothing changes no byte.
async fn record(run: &Run, row: Box<Row>, fingerprint: Option<[u8; 32]>, calls: &[[u8; 32]], file: &Arc<FileRef>) -> Result<(), Failure> {
    let earlier = run.broker.ledger().row(&row.source).map_err(|fault| run.broker.break_off(fault))?;
    record_after(run, earlier, row, (fingerprint, calls), file).await
}

/// The same where it is known how the row was before.
async fn record_after(
    run: &Run,
    earlier: Option<KnownRow>,
    mut row: Box<Row>,
    (fingerprint, calls): (Option<[u8; 32]>, &[[u8; 32]]),
    file: &Arc<FileRef>,
) -> Result<(), Failure> {
    let ledger = run.broker.ledger();
    let broken = |fault| run.broker.break_off(fault);
    // What it says of copies is settled at the end of a run.
    let same = earlier.filter(|(earlier, _)| {
        said(earlier.clone(), &row.copy_of) == Row { processed_at: earlier.processed_at.clone(), ..Row::clone(&row) }
    });
    if same.as_ref().is_some_and(|(_, made_with)| *made_with == fingerprint) {
        return ledger.seen(&row.source, file).await.map_err(broken);
    }
    if let Some((earlier, _)) = same {
        row.processed_at = earlier.processed_at;
    }
    ledger.record_row(row, fingerprint, calls, file).await.map_err(broken)
}

fn done(article: &Article, checked: Checked) -> Row {
    let Checked { made, findings } = checked;
    let status = if quarantined(&findings) { Status::Quarantined } else { Status::Done };
    let row = Row {
        digest: made.digest,
        text_fr: made.text_fr,
        text_en: made.text_en,
        status,
        summary_endpoint: made.summary_endpoint,
        translation_endpoint: made.translation_endpoint,
        cost: made.cost,
        ..about(article)
    };
    row.with_findings(findings)
}

/// What the reading noticed.
fn noticed(article: &Article) -> Vec<Finding> {
    article.flags.iter().map(|flag| Finding::of_article(*flag)).collect()
}

/// What is known of an article without any call.
fn about(article: &Article) -> Row {
    let mut digest = Digest::default();
    // A failed row shows what the article is called, in the column of its language.
    if let Some(language) = article.language.filter(|language| Lang::TABLE.contains(language)) {
        digest.set(language, article.title.clone(), String::new());
    }
    Row {
        digest,
        language: article.language.map_or("", Lang::code).to_owned(),
        published: article.published.clone().unwrap_or_default(),
        url: article.url.clone().unwrap_or_default(),
        author: article.author.clone().unwrap_or_default(),
        section: article.section.clone().unwrap_or_default(),
        words: article.words,
        signature: article.signature.clone(),
        ..blank(&article.source)
    }
    .with_findings(noticed(article))
}

fn blank(source: &str) -> Row {
    Row { id: article_id(source), source: source.to_owned(), processed_at: format!("{:.0}", jiff::Timestamp::now()), ..Row::default() }
}
