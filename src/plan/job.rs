//! One job done by one maker: cut to what it takes in one call, and put together again. Nothing is left out without a word.

use super::cut;
use super::glossary::Glossary;
use super::route::{CallBackend, CallContext, mismatch};
use crate::model::{Answer, Ask, CallLimits, ErrorCode, Failure, Lang, Reject, Task, Wish};

/// Below this there is nothing left to cut, in characters.
const SHORTEST: usize = 200;

/// A piece of an article's work that one maker does.
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
}

/// Does `job` in as many calls as the maker's limits ask for; with smaller ones where the service turns out to take less.
pub(super) async fn by<A: CallBackend>(job: &Job<'_>, told: PromptInputs<'_>, teller: &mut CallContext<'_, A>) -> Result<Answer, Failure> {
    let mut limits = teller.maker.limits;
    loop {
        let mut work = JobRun { told, limits, teller };
        let failure = match job {
            Job::Summary { title, text, language } => match work.summary(title, text, *language).await {
                Ok(summary) => return Ok(Answer::Summary(summary)),
                Err(failure) => failure,
            },
            Job::Translation { texts, from, to } => match work.translations(texts, *from, *to).await {
                Ok(translations) => return Ok(Answer::Translations(translations)),
                Err(failure) => failure,
            },
            Job::Digest { title, text, language } => match work.digest(title, text, *language).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            },
        };
        // What the service said of itself meanwhile, else half of what was too much.
        let told = teller.limits(job.task()).filter(|told| told.characters < limits.characters || told.texts < limits.texts);
        let told = told.filter(|_| failure.reject.code == ErrorCode::TooLarge);
        limits = told.or_else(|| smaller(job, limits, &failure)).ok_or(failure)?;
    }
}

/// Half of what was too much; text by text where a list came back with another length.
fn smaller(job: &Job<'_>, limits: CallLimits, failure: &Failure) -> Option<CallLimits> {
    match (failure.reject.code, job) {
        (ErrorCode::TooLarge | ErrorCode::PromptCut, _) => {
            let sent = match job {
                Job::Summary { title, text, .. } | Job::Digest { title, text, .. } => title.chars().count() + text.chars().count(),
                Job::Translation { texts, .. } => texts.iter().map(|text| text.chars().count()).sum(),
            };
            let half = limits.characters.min(sent) / 2;
            (half >= SHORTEST).then_some(CallLimits { characters: half, ..limits })
        }
        (ErrorCode::WrongCount, Job::Translation { texts, .. }) if limits.texts > 1 && texts.len() > 1 => {
            Some(CallLimits { texts: 1, ..limits })
        }
        _ => None,
    }
}

/// What is told along with a job.
#[derive(Clone, Copy)]
pub(super) struct PromptInputs<'a> {
    pub(super) wish: &'a Wish,
    pub(super) note: &'a str,
    pub(super) glossary: &'a Glossary,
}

struct JobRun<'a, 'b, A> {
    told: PromptInputs<'a>,
    limits: CallLimits,
    teller: &'a mut CallContext<'b, A>,
}

impl<A: CallBackend> JobRun<'_, '_, A> {
    /// A text too long for one call is summarised part by part, and the parts' summaries once more.
    async fn summary(&mut self, title: &str, text: &str, language: Lang) -> Result<String, Failure> {
        let mut text = text.to_owned();
        loop {
            let parts = cut(&text, self.beside(title));
            let whole = parts.len() == 1;
            let joined = self.summaries(title, parts, language).await?;
            if whole {
                return Ok(joined);
            }
            text = shorter(&text, joined)?;
        }
    }

    async fn summaries(&mut self, title: &str, parts: Vec<String>, language: Lang) -> Result<String, Failure> {
        let mut summaries = Vec::with_capacity(parts.len());
        for text in parts {
            let (title, wish, note) = (title.to_owned(), self.told.wish.clone(), self.told.note.to_owned());
            match self.teller.ask(Ask::Summarise { title, text, language, wish, note }).await? {
                Answer::Summary(summary) => summaries.push(summary),
                _ => return Err(mismatch().into()),
            }
        }
        Ok(summaries.join("\n\n"))
    }

    /// A text too long for one call is first summarised in parts.
    async fn digest(&mut self, title: &str, text: &str, language: Lang) -> Result<Answer, Failure> {
        let mut text = text.to_owned();
        loop {
            let parts = cut(&text, self.beside(title));
            if parts.len() <= 1 {
                break;
            }
            let joined = self.summaries(title, parts, language).await?;
            text = shorter(&text, joined)?;
        }
        let (title, wish, note) = (title.to_owned(), self.told.wish.clone(), self.told.note.to_owned());
        let to = if language == Lang::EN { Lang::FR } else { Lang::EN };
        let terms = self.told.glossary.terms([title.as_str(), text.as_str()], language, to);
        self.teller.ask(Ask::Digest { title, text, language, wish, note, terms }).await
    }

    /// What is left of the limits beside an article's title.
    fn beside(&self, title: &str) -> CallLimits {
        let CallLimits { characters, bytes, texts } = self.limits;
        CallLimits {
            characters: characters.saturating_sub(title.chars().count()).max(SHORTEST),
            bytes: bytes.saturating_sub(title.len()).max(SHORTEST),
            texts,
        }
    }

    /// Texts too long for a call are cut and joined again; as many texts go into a call as it takes.
    async fn translations(&mut self, texts: &[String], from: Lang, to: Lang) -> Result<Vec<String>, Failure> {
        let mut pieces = texts.iter().enumerate().flat_map(|(at, text)| {
            let limits = self.limits;
            cut(text, limits).into_iter().map(move |piece| (at, piece))
        });
        let mut translated = vec![String::new(); texts.len()];
        let mut batches: Vec<(Vec<usize>, Vec<String>)> = Vec::new();
        let (mut places, mut batch) = (Vec::new(), Vec::new());
        for (at, piece) in pieces.by_ref() {
            batch.push(piece);
            if batch.len() > 1 && !self.limits.hold(&batch) {
                let over = batch.pop().into_iter().collect();
                batches.push((std::mem::take(&mut places), std::mem::replace(&mut batch, over)));
            }
            places.push(at);
        }
        batches.push((places, batch));
        for (places, texts) in batches.into_iter().filter(|(_, texts)| !texts.is_empty()) {
            let wanted = texts.len();
            let terms = self.told.glossary.terms(texts.iter().map(String::as_str), from, to);
            let answer = self.teller.ask(Ask::Translate { texts, from, to, note: self.told.note.to_owned(), terms }).await?;
            let Answer::Translations(pieces) = answer else { return Err(mismatch().into()) };
            if pieces.len() != wanted {
                return Err(mismatch().into());
            }
            for (at, piece) in places.into_iter().zip(pieces) {
                if let Some(text) = translated.get_mut(at) {
                    let gap = if text.is_empty() { "" } else { " " };
                    text.push_str(gap);
                    text.push_str(&piece);
                }
            }
        }
        Ok(translated)
    }
}

/// A service that answers with as much as it was given would go round for ever.
fn shorter(text: &str, joined: String) -> Result<String, Failure> {
    if joined.chars().count() >= text.chars().count() {
        return Err(Reject::new(ErrorCode::TooLong, "its parts' summaries are no shorter than the article").into());
    }
    Ok(joined)
}
