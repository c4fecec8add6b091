//! Chooses the rows for a reviewer, and adds its findings to them.

use super::Run;
use crate::check::review_findings;
use crate::model::{Article, Digest, ErrorCode, Exit, Failure, Field, Finding, Flag, Severity};
use crate::plan::{CallBackend, run_review};

/// Whether a row was reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reviewed {
    /// It was not chosen.
    NotAsked,
    /// The endpoint of this name reviewed it.
    By(String),
    /// It was chosen, but the review failed with this exit code.
    Failed(Exit),
}

impl Reviewed {
    /// The exit code that follows from the review. A row has not failed only because its review
    /// failed.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Failed(exit) if *exit != Exit::SomeFailed => *exit,
            _ => Exit::Done,
        }
    }
}

/// Whether a reviewer reads the row with this id and these findings: each row that a check flagged,
/// and `share` of the others. The choice depends on nothing else, so a later run makes the same
/// choice.
pub(super) fn is_chosen(share: f64, id: &str, findings: &[Finding]) -> bool {
    // Findings on the article itself say nothing about the summary and the translation.
    let is_doubt = |finding: &Finding| finding.severity > Severity::Info && finding.field != Field::Article;
    place_of(id) < share || findings.iter().any(is_doubt)
}

/// A number of at least 0 and less than 1 that depends only on the id. Over all ids, these numbers
/// are spread evenly.
fn place_of(id: &str) -> f64 {
    let hash = blake3::hash(id.as_bytes());
    let first = hash.as_bytes().first_chunk::<4>().copied().unwrap_or_default();
    f64::from(u32::from_le_bytes(first)) / (f64::from(u32::MAX) + 1.0)
}

/// The part of a row that comes from a review.
pub(super) struct Review {
    pub(super) findings: Vec<Finding>,
    pub(super) reviewed: Reviewed,
}

/// Has the row with this digest reviewed. If that fails, the only finding says so.
///
/// # Errors
/// If the ledger cannot be used, which ends the run.
pub(super) async fn review(run: &Run, article: &Article, digest: &Digest, backend: &impl CallBackend) -> Result<Review, Failure> {
    match run_review(article, digest, backend).await {
        Ok(answer) => {
            let action = run.config.checks.action(Flag::Review);
            let found = review_findings(article, digest, &answer.remarks);
            if found.len() < answer.remarks.len() {
                let dropped = answer.remarks.len() - found.len();
                tracing::debug!("{}: dropped {dropped} findings of the reviewer: not in the row, or repeated", article.source);
            }
            let findings = found.into_iter().map(|finding| Finding { action, ..finding }).collect();
            Ok(Review { findings, reviewed: Reviewed::By(answer.endpoint) })
        }
        Err(failure) if failure.reject.code == ErrorCode::BrokenOff => Err(failure),
        Err(failure) => {
            tracing::info!("{}: not reviewed: {}", article.source, failure.reject);
            let explanation = format!("not reviewed; the next run tries again: {}", failure.reject);
            let finding = Finding::new(Flag::Unreviewed, Severity::Info, Field::Article, explanation);
            Ok(Review { findings: vec![finding], reviewed: Reviewed::Failed(failure.exit) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::article_id;

    #[test]
    fn a_share_of_the_rows_is_chosen_by_their_ids() {
        let ids: Vec<String> = (0..10_000).map(|number| article_id(&format!("input/{number}.txt"))).collect();
        let chosen = |share| ids.iter().filter(|id| is_chosen(share, id, &[])).collect::<Vec<_>>();
        assert_eq!((chosen(0.0).len(), chosen(1.0).len()), (0, 10_000));
        let (tenth, fifth) = (chosen(0.1), chosen(0.2));
        assert!((900..1_100).contains(&tenth.len()) && (1_850..2_150).contains(&fifth.len()), "{} {}", tenth.len(), fifth.len());
        assert!(tenth.iter().all(|id| fifth.contains(id)), "a larger share adds rows and removes none");
    }

    #[test]
    fn a_flagged_row_is_always_chosen() {
        let found = |severity, field| [Finding::new(Flag::Number, severity, field, "")];
        let id = article_id("input/1.txt");
        assert!(is_chosen(0.0, &id, &found(Severity::Warning, Field::SummaryEn)));
        assert!(!is_chosen(0.0, &id, &found(Severity::Info, Field::SummaryEn)));
        assert!(!is_chosen(0.0, &id, &found(Severity::Warning, Field::Article)));
    }

    #[test]
    fn a_failed_review_is_no_failed_article() {
        assert_eq!(Reviewed::Failed(Exit::SomeFailed).exit(), Exit::Done);
        assert_eq!(Reviewed::Failed(Exit::EndpointStop).exit(), Exit::EndpointStop);
        assert_eq!(Reviewed::By("r".into()).exit(), Exit::Done);
    }
}
