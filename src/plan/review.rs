//! The review of a row: one call to a chat model that reads the article and what was made of it.

use super::backend::{CallBackend, Candidate, wrong_kind};
use super::failover::Failover;
use crate::model::{Answer, Article, CallRequest, Digest, ErrorCode, Failure, Reject, Remark, Task};

/// A reviewer's answer about a row.
#[derive(Clone, Debug)]
pub(crate) struct Review {
    /// Its findings. Their quotes have not been looked up yet.
    pub(crate) remarks: Vec<Remark>,
    /// The endpoint that reviewed.
    pub(crate) endpoint: String,
}

/// Has the digest of an article reviewed by the first candidate that can.
///
/// # Errors
/// If no candidate has reviewed it.
pub(crate) async fn run_review(article: &Article, digest: &Digest, backend: &impl CallBackend) -> Result<Review, Failure> {
    // Without a language, the article has no digest.
    let language = article.language.ok_or_else(|| Reject::new(ErrorCode::Language, "the article's language is uncertain"))?;
    let request = CallRequest::Review { title: article.title.clone(), text: article.body.clone(), language, digest: digest.clone() };
    let candidates = backend.candidates(Task::Review);
    let mut failover = Failover::default();
    for (at, candidate) in candidates.iter().enumerate() {
        let last = at + 1 == candidates.len();
        match review_by(candidate, &request, last, backend).await {
            Ok(review) => return Ok(review),
            Err(failure) => failover.failed(failure, last)?,
        }
    }
    Err(Reject::new(ErrorCode::NoEndpoint, "no endpoint can review").into())
}

async fn review_by(candidate: &Candidate, request: &CallRequest, last: bool, backend: &impl CallBackend) -> Result<Review, Failure> {
    // A part of the article is not enough: facts from another part would look invented.
    let characters = request.characters();
    if characters > candidate.limits.characters as u64 {
        let reason = format!("article and row have {characters} characters, more than `{}` takes in a call", candidate.name);
        return Err(Reject::new(ErrorCode::TooLarge, reason).into());
    }
    let answered = backend.call(candidate, request.clone(), last).await?;
    match answered.reply.answer {
        Answer::Review(remarks) => Ok(Review { remarks, endpoint: candidate.name.clone() }),
        _ => Err(wrong_kind()),
    }
}
