//! Gives an article its row: the earlier row if it is up to date, else a new row.

use std::sync::Arc;

use super::Run;
use super::checked::{Checked, findings, has_quarantine, make_checked};
use super::fingerprints::of_output;
use super::key_recorder::KeyRecorder;
use super::recording::{Ended, RowEnd, record, record_failed, record_if_changed, row_about};
use super::review::Reviewed;
use crate::dedup::{Likeness, Role, Signature, as_copy_of};
use crate::model::{Article, ErrorCode, Exit, Failure, Flag, Reject, Row, Status};
use crate::record::{FileRef, KnownRow};
use crate::report::Event;

/// Gives an article its row.
pub(super) async fn process(run: Arc<Run>, article: Article, role: Role, file: Arc<FileRef>) -> Ended {
    let content = run.fingerprints.content(&article, &run.glossary);
    let earlier = run.ledger.row(&article.source).await?;
    if let Some((row, _)) = earlier.as_ref().filter(|(row, fingerprint)| run.fingerprints.is_good(content, row, fingerprint.as_ref())) {
        run.ledger.mark_found(&article.source, &file).await?;
        run.progress.update(Event::Done { earlier: true });
        return Ok(RowEnd::done(row.status));
    }
    if let Some(status) = moved(&run, &article, content, &file).await? {
        return Ok(RowEnd::done(status));
    }
    // Work in progress is finished, but nothing new is begun.
    if let Some(exit) = run.state.stopped() {
        return Err(Failure { reject: Reject::new(ErrorCode::Interrupted, "the run was interrupted"), exit });
    }
    let copy = copy_of_original(&run, &article, &role).await;
    note_later(&run, &article, &copy);
    if let Some(row) = copy? {
        let status = row.status;
        let fingerprint = run.fingerprints.good(content).next();
        record(&run, row, fingerprint, &[], &file).await?;
        run.progress.update(Event::Done { earlier: false });
        return Ok(RowEnd::done(status));
    }
    run.limits.begin_article().await?;
    let ended = make(&run, &article, content, earlier, &file).await;
    note_later(&run, &article, &ended);
    ended
}

/// If the answers to an article come later, notes this. It must be noted before the copies of the
/// article learn that it has ended.
fn note_later<T>(run: &Run, article: &Article, ended: &Result<T, Failure>) {
    if ended.as_ref().is_err_and(|failure| failure.exit == Exit::Later) {
        run.later.add(&article.source);
    }
}

/// If an article is done under another name, because its file was moved, renamed or copied, records
/// that row for the new name too.
async fn moved(run: &Run, article: &Article, content: [u8; 32], file: &Arc<FileRef>) -> Result<Option<Status>, Failure> {
    for fingerprint in run.fingerprints.good(content) {
        let twin = run.ledger.row_with_fingerprint(fingerprint).await?;
        let Some((twin, calls)) = twin.filter(|(row, _)| run.fingerprints.has_configured_actions(row)) else { continue };
        let (id, source, signature) = (article.id.clone(), article.source.clone(), article.signature.clone());
        let row = Box::new(as_copy_of(Row { id, source, signature, ..twin }, ""));
        let status = row.status;
        run.ledger.record_row(row, Some(fingerprint), &calls, file).await?;
        run.progress.update(Event::Done { earlier: true });
        return Ok(Some(status));
    }
    Ok(None)
}

/// Makes the row of an article.
async fn make(run: &Run, article: &Article, content: [u8; 32], earlier: Option<KnownRow>, file: &Arc<FileRef>) -> Ended {
    let backend = KeyRecorder::new(run);
    // Boxed, because it is by far the largest part of a task, and most articles of a night do not
    // need it.
    match Box::pin(make_checked(run, article, &backend)).await {
        Ok(checked) => {
            let fingerprint = of_output(&run.config, &run.endpoints, &content, &checked.output, &checked.reviewed);
            let (exit, again) = (checked.reviewed.exit(), matches!(checked.reviewed, Reviewed::Failed(_)));
            let row = Box::new(done_row(article, checked, backend.cost()));
            let status = row.status;
            record_if_changed(run, earlier, row, (Some(fingerprint), &backend.keys()), file).await?;
            run.progress.update(Event::Done { earlier: false });
            Ok(RowEnd { status, exit, again })
        }
        // Stopped or aborted: the article is neither done nor failed, and its earlier row stays in
        // the table.
        Err(failure) if failure.exit.leaves_no_row() => Err(failure),
        Err(failure) => {
            let ended = record_failed(run, Box::new(row_about(article)), &failure.reject, &backend.keys(), file).await;
            ended.map(|end| RowEnd { exit: failure.exit, ..end })
        }
    }
}

/// The row of a trimmed copy, with the summary of its original; `None` if the article is not a
/// copy, or if the original has no summary. The checks compare the summary with the copy's own
/// text.
async fn copy_of_original(run: &Run, article: &Article, role: &Role) -> Result<Option<Box<Row>>, Failure> {
    let Role::Copy { original, ended } = role else { return Ok(None) };
    if let Some(mut ended) = ended.clone() {
        // Nothing is ever sent on this channel: it closes when the original is finished.
        while ended.changed().await.is_ok() {}
    }
    if run.later.contains(original) {
        return Err(Failure { reject: Reject::new(ErrorCode::InBatch, "its original is in a batch"), exit: Exit::Later });
    }
    run.ledger.flush().await?;
    let Some((row, Some(_))) = run.ledger.row(original).await? else { return Ok(None) };
    let [own, others] = [&article.signature, &row.signature].map(|bytes| Signature::from_bytes(bytes));
    // The original may have changed since its signature was compared.
    let still_a_copy = own.zip(others).and_then(|(own, others)| own.repeats(&others)) == Some(Likeness::Trimmed);
    if row.status != Status::Done || !still_a_copy {
        return Ok(None);
    }
    let draft = row.findings.iter().any(|finding| finding.check == Flag::Draft);
    let findings = findings(run, article, &row.digest, ["", ""], draft);
    let copy = Row {
        digest: row.digest,
        status: status_with(has_quarantine(&findings)),
        summary_endpoint: row.summary_endpoint,
        translation_endpoint: row.translation_endpoint,
        cost: Some(0.0),
        ..row_about(article)
    };
    Ok(Some(Box::new(as_copy_of(copy.with_findings(findings), original))))
}

fn done_row(article: &Article, checked: Checked, cost: Option<f64>) -> Row {
    let Checked { output, findings, .. } = checked;
    let row = Row {
        digest: output.digest,
        text_fr: output.text_fr,
        text_en: output.text_en,
        status: status_with(has_quarantine(&findings)),
        summary_endpoint: output.summary_endpoint,
        translation_endpoint: output.translation_endpoint,
        cost,
        ..row_about(article)
    };
    row.with_findings(findings)
}

fn status_with(quarantine: bool) -> Status {
    if quarantine { Status::Quarantined } else { Status::Done }
}
