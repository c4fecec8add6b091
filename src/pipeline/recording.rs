//! Records rows.

use std::sync::Arc;

use super::Run;
use crate::dedup::as_copy_of;
use crate::discover::article_id;
use crate::model::{Article, Digest, Exit, Failure, Finding, Lang, Reject, Row, Status};
use crate::record::{FileRef, KnownRow};
use crate::report::Event;

/// How an article ended. An error if there is no row.
pub(super) type Ended = Result<RowEnd, Failure>;

/// How an article with a row ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowEnd {
    /// The status of the row.
    pub(super) status: Status,
    /// Its exit code for the run.
    pub(super) exit: Exit,
    /// Whether the next run tries again.
    pub(super) again: bool,
}

impl RowEnd {
    /// A row that is up to date.
    pub(super) fn done(status: Status) -> Self {
        Self { status, exit: Exit::Done, again: false }
    }
}

/// Records a failed article with its reason.
pub(super) async fn record_failed(run: &Run, mut row: Box<Row>, reject: &Reject, calls: &[[u8; 32]], file: &Arc<FileRef>) -> Ended {
    tracing::info!("{} failed: {reject}", row.source);
    (row.status, row.error) = (Status::Failed, reject.to_string());
    record(run, row, None, calls, file).await?;
    run.progress.update(Event::Failed);
    if let Err(failure) = run.limits.count_failure().await {
        tracing::warn!("stopping: {}", failure.reject.reason);
        run.halt(failure.exit);
    }
    Ok(RowEnd { status: Status::Failed, exit: Exit::SomeFailed, again: true })
}

/// Records an article that a rule excludes.
pub(super) async fn record_skipped(run: &Run, mut row: Box<Row>, reject: &Reject, file: &Arc<FileRef>) -> Ended {
    (row.status, row.error) = (Status::Skipped, reject.to_string());
    record(run, row, None, &[], file).await?;
    run.progress.update(Event::Skipped);
    Ok(RowEnd::done(Status::Skipped))
}

/// Records a row.
pub(super) async fn record(
    run: &Run,
    row: Box<Row>,
    fingerprint: Option<[u8; 32]>,
    calls: &[[u8; 32]],
    file: &Arc<FileRef>,
) -> Result<(), Failure> {
    let earlier = run.ledger.row(&row.source).await?;
    record_if_changed(run, earlier, row, (fingerprint, calls), file).await
}

/// Records a row whose `earlier` version is known. A row with the same content keeps its time, so
/// that a run without changes leaves every byte of the outputs as it was.
pub(super) async fn record_if_changed(
    run: &Run,
    earlier: Option<KnownRow>,
    mut row: Box<Row>,
    (fingerprint, calls): (Option<[u8; 32]>, &[[u8; 32]]),
    file: &Arc<FileRef>,
) -> Result<(), Failure> {
    if let Some((earlier, known)) = earlier.filter(|(earlier, _)| is_same(earlier, &row)) {
        if known == fingerprint {
            return Ok(run.ledger.mark_found(&row.source, file).await?);
        }
        row.processed_at = earlier.processed_at;
    }
    Ok(run.ledger.record_row(row, fingerprint, calls, file).await?)
}

/// Whether two rows have the same content, apart from their times and `copy_of`, which is set at
/// the end of a run.
fn is_same(earlier: &Row, row: &Row) -> bool {
    as_copy_of(earlier.clone(), &row.copy_of) == Row { processed_at: earlier.processed_at.clone(), ..row.clone() }
}

/// The row with what is known about an article before any call.
pub(super) fn row_about(article: &Article) -> Row {
    let mut digest = Digest::default();
    // A failed row has its title in the column of its language.
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
        ..blank_row(&article.source)
    }
    .with_findings(article.flags.iter().map(|flag| Finding::of_article(*flag)).collect())
}

/// A row with only its source.
pub(super) fn blank_row(source: &str) -> Row {
    Row { id: article_id(source), source: source.to_owned(), processed_at: format!("{:.0}", jiff::Timestamp::now()), ..Row::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_time_or_original_does_not_make_a_row_new() {
        let row = Row { processed_at: "2026-11-24".into(), ..blank_row("a.txt") };
        let later = Row { processed_at: "2026-11-25".into(), ..row.clone() };
        assert!(is_same(&row, &later));
        assert!(is_same(&as_copy_of(row.clone(), "b.txt"), &later));
        assert!(!is_same(&Row { words: 9, ..row }, &later));
    }

    #[test]
    fn a_failed_row_has_its_title_in_its_own_language() {
        let article = Article { title: "Titre".into(), language: Some(Lang::FR), ..Article::default() };
        assert_eq!(row_about(&article).digest.title_fr, "Titre");
        let german = Article { language: Lang::parse("de"), ..article };
        assert_eq!(row_about(&german).digest, Digest::default());
    }
}
