//! A job on one endpoint: cut to its limits, called, and joined again. Never drops text silently.

use super::backend::{CallBackend, CallContext, Waits, wrong_kind};
use super::cut::cut;
use super::glossary::Glossary;
use crate::model::{Answer, CallLimits, CallRequest, ErrorCode, Failure, Lang, Reject, SummarySpec, Task};

/// Calls are never cut to fewer characters than this.
const MIN_CHARACTERS: usize = 200;

/// A part of an article's work that goes to one endpoint as a whole.
pub(super) enum Job<'a> {
    Summary { title: &'a str, text: &'a str, language: Lang },
    Translation { texts: &'a [String], from: Lang, to: Lang },
    Digest { title: &'a str, text: &'a str, language: Lang },
}

impl Job<'_> {
    pub(super) fn task(&self) -> Task {
        match self {
            Self::Summary { .. } => Task::Summarise,
            Self::Translation { .. } => Task::Translate,
            Self::Digest { .. } => Task::Digest,
        }
    }

    fn characters(&self) -> usize {
        match self {
            Self::Summary { title, text, .. } | Self::Digest { title, text, .. } => title.chars().count() + text.chars().count(),
            Self::Translation { texts, .. } => texts.iter().map(|text| text.chars().count()).sum(),
        }
    }
}

/// What a prompt contains besides the article.
#[derive(Clone, Copy)]
pub(super) struct PromptInputs<'a> {
    pub(super) spec: &'a SummarySpec,
    pub(super) note: &'a str,
    pub(super) glossary: &'a Glossary,
}

/// Runs `job` in as many calls as the candidate's limits require; with smaller calls if the service
/// turns out to accept less.
pub(super) async fn run_job<B: CallBackend>(
    job: &Job<'_>,
    inputs: PromptInputs<'_>,
    context: &mut CallContext<'_, B>,
) -> Result<Answer, Failure> {
    let mut limits = context.candidate.limits;
    loop {
        let mut run = JobRun { inputs, limits, context };
        let answer = match job {
            Job::Summary { title, text, language } => run.summary(title, text, *language).await.map(Answer::Summary),
            Job::Translation { texts, from, to } => run.translations(texts, *from, *to).await.map(Answer::Translations),
            Job::Digest { title, text, language } => run.digest(title, text, *language).await,
        };
        let failure = match answer {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        limits = tighter_limits(job, limits, &failure, context.limits(job.task())).ok_or(failure)?;
    }
}

/// The limits for the retry: the limits that the service has reported since, or else half of the
/// size that was too large. If the number of translations was wrong, one text per call. `None` if
/// smaller calls would not help.
fn tighter_limits(job: &Job<'_>, limits: CallLimits, failure: &Failure, reported: Option<CallLimits>) -> Option<CallLimits> {
    let reported = reported.filter(|reported| reported.characters < limits.characters || reported.texts < limits.texts);
    match (failure.reject.code, job) {
        (ErrorCode::TooLarge, _) if reported.is_some() => reported,
        (ErrorCode::TooLarge | ErrorCode::PromptCut | ErrorCode::MaxTokensLimit, _) => {
            let half = limits.characters.min(job.characters()) / 2;
            (half >= MIN_CHARACTERS).then_some(CallLimits { characters: half, ..limits })
        }
        (ErrorCode::WrongCount, Job::Translation { texts, .. }) if limits.texts > 1 && texts.len() > 1 => {
            Some(CallLimits { texts: 1, ..limits })
        }
        _ => None,
    }
}

/// One attempt at a job, within some limits.
struct JobRun<'a, 'b, B> {
    inputs: PromptInputs<'a>,
    limits: CallLimits,
    context: &'a mut CallContext<'b, B>,
}

impl<B: CallBackend> JobRun<'_, '_, B> {
    /// Summarises a text. If it is too long for a call, summarises it part by part, and then
    /// summarises the parts' summaries.
    async fn summary(&mut self, title: &str, text: &str, language: Lang) -> Result<String, Failure> {
        let mut text = text.to_owned();
        loop {
            let parts = cut(&text, self.limits_beside(title));
            let whole = parts.len() == 1;
            let joined = self.summaries(title, parts, language).await?;
            if whole {
                return Ok(joined);
            }
            text = require_shorter(&text, joined)?;
        }
    }

    async fn summaries(&mut self, title: &str, parts: Vec<String>, language: Lang) -> Result<String, Failure> {
        let mut summaries = Vec::with_capacity(parts.len());
        let mut waits = Waits::default();
        for text in parts {
            let (title, spec, note) = (title.to_owned(), self.inputs.spec.clone(), self.inputs.note.to_owned());
            match waits.unless_later(self.context.call(CallRequest::Summarise { title, text, language, spec, note }).await)? {
                Some(Answer::Summary(summary)) => summaries.push(summary),
                Some(_) => return Err(wrong_kind()),
                None => {}
            }
        }
        waits.end()?;
        Ok(summaries.join("\n\n"))
    }

    /// Makes a digest; a text too long for a call is first summarised in parts.
    async fn digest(&mut self, title: &str, text: &str, language: Lang) -> Result<Answer, Failure> {
        let mut text = text.to_owned();
        loop {
            let parts = cut(&text, self.limits_beside(title));
            if parts.len() <= 1 {
                break;
            }
            let joined = self.summaries(title, parts, language).await?;
            text = require_shorter(&text, joined)?;
        }
        let (title, spec, note) = (title.to_owned(), self.inputs.spec.clone(), self.inputs.note.to_owned());
        let to = if language == Lang::EN { Lang::FR } else { Lang::EN };
        let terms = self.inputs.glossary.terms([title.as_str(), text.as_str()], language, to);
        self.context.call(CallRequest::Digest { title, text, language, spec, note, terms }).await
    }

    /// The room that the limits leave for the text beside its title.
    fn limits_beside(&self, title: &str) -> CallLimits {
        let CallLimits { characters, bytes, texts } = self.limits;
        CallLimits {
            characters: characters.saturating_sub(title.chars().count()).max(MIN_CHARACTERS),
            bytes: bytes.saturating_sub(title.len()).max(MIN_CHARACTERS),
            texts,
        }
    }

    /// Translates texts, with as many texts in a call as fit. If a text is too long for a call,
    /// cuts it, and joins the pieces again.
    async fn translations(&mut self, texts: &[String], from: Lang, to: Lang) -> Result<Vec<String>, Failure> {
        let mut translated = vec![String::new(); texts.len()];
        let mut waits = Waits::default();
        for Batch { owners, pieces } in batches(texts, self.limits) {
            let terms = self.inputs.glossary.terms(pieces.iter().map(String::as_str), from, to);
            let note = self.inputs.note.to_owned();
            let answer = self.context.call(CallRequest::Translate { texts: pieces, from, to, note, terms }).await;
            let Some(answer) = waits.unless_later(answer)? else { continue };
            let Answer::Translations(pieces) = answer else { return Err(wrong_kind()) };
            if pieces.len() != owners.len() {
                return Err(wrong_kind());
            }
            for (owner, piece) in owners.into_iter().zip(pieces) {
                if let Some(text) = translated.get_mut(owner) {
                    if !text.is_empty() {
                        text.push(' ');
                    }
                    text.push_str(&piece);
                }
            }
        }
        waits.end()?;
        Ok(translated)
    }
}

/// The pieces of one translation call, and for each the index of the text that it is a piece of.
#[derive(Default)]
struct Batch {
    owners: Vec<usize>,
    pieces: Vec<String>,
}

/// Cuts `texts` to the limits, and groups the pieces into as few calls as possible.
fn batches(texts: &[String], limits: CallLimits) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut batch = Batch::default();
    for (owner, text) in texts.iter().enumerate() {
        for piece in cut(text, limits) {
            batch.pieces.push(piece);
            if batch.pieces.len() > 1 && !limits.hold(&batch.pieces) {
                let next = Batch { owners: Vec::new(), pieces: batch.pieces.pop().into_iter().collect() };
                batches.push(std::mem::replace(&mut batch, next));
            }
            batch.owners.push(owner);
        }
    }
    batches.push(batch);
    batches.retain(|batch| !batch.pieces.is_empty());
    batches
}

/// Returns `joined`, unless it is no shorter than `text`: summarising it again would never end.
fn require_shorter(text: &str, joined: String) -> Result<String, Failure> {
    if joined.chars().count() >= text.chars().count() {
        return Err(Reject::new(ErrorCode::TooLong, "the summaries of its parts are no shorter than the article").into());
    }
    Ok(joined)
}
