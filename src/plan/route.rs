//! The routes: which calls an article needs and in which order, and which endpoint takes over when
//! one fails.

use super::backend::{CallBackend, CallContext, Candidate, Waits, wrong_kind};
use super::failover::{Failover, merge_failures};
use super::glossary::Glossary;
use super::job::{Job, PromptInputs, run_job};
use crate::config::{Route, Summary};
use crate::model::{Answer, Article, Digest, ErrorCode, Failure, Lang, Reject, Task};

/// How to do an article again after a check found something wrong with its row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Correction {
    /// Tells chat models what was wrong, in a sentence or two. Part of the ledger key, so the same
    /// note is paid for once.
    pub(crate) note: String,
    /// Names of endpoints that must not be called.
    pub(crate) avoid: Vec<String>,
    /// The task that went wrong; `None` for all. The other tasks are answered from the ledger.
    pub(crate) task: Option<Task>,
}

impl Correction {
    fn applies_to(&self, task: Task) -> bool {
        self.task.is_none_or(|wrong| wrong == task || task == Task::Digest)
    }
}

/// A route's result for an article.
#[derive(Clone, Debug, Default)]
pub struct RouteOutput {
    /// Titles and summaries in both languages.
    pub digest: Digest,
    /// The whole text in French, if the config keeps it.
    pub text_fr: String,
    /// The whole text in English, if the config keeps it.
    pub text_en: String,
    /// Whether any part is a draft.
    pub draft: bool,
    /// The endpoint that wrote the summary.
    pub summary_endpoint: String,
    /// The endpoint that translated.
    pub translation_endpoint: String,
}

/// Takes an article through its route.
///
/// # Errors
/// The reason why the article has no texts, and the exit code that follows.
pub(crate) async fn run_route(
    summary: &Summary,
    glossary: &Glossary,
    article: &Article,
    correction: &Correction,
    backend: &impl CallBackend,
) -> Result<RouteOutput, Failure> {
    let language = article.language.ok_or_else(|| {
        Reject::new(
            ErrorCode::Language,
            "the article's language is uncertain; label it, for example with <html lang=\"fr\"> or \"language\": \"fr\"",
        )
    })?;
    let mut run = RouteRun { backend, summary, glossary, correction, draft: false, output: RouteOutput::default() };
    let mut waits = Waits::default();
    waits.unless_later(match summary.route {
        Route::SummariseThenTranslate => run.summarise_then_translate(article, language).await,
        Route::TranslateThenSummarise => run.translate_then_summarise(article, language).await,
        Route::SingleCall => run.single_call(article, language).await,
    })?;
    if summary.keep_text {
        waits.unless_later(run.keep_texts(article, language).await)?;
    }
    waits.end()?;
    Ok(RouteOutput { draft: run.draft, ..run.output })
}

struct RouteRun<'a, B> {
    backend: &'a B,
    summary: &'a Summary,
    glossary: &'a Glossary,
    correction: &'a Correction,
    /// Whether any reply so far is a draft.
    draft: bool,
    output: RouteOutput,
}

impl<B: CallBackend> RouteRun<'_, B> {
    async fn summarise_then_translate(&mut self, article: &Article, language: Lang) -> Result<(), Failure> {
        let summary = self.summarise(&article.title, &article.body, language).await?;
        let mut waits = Waits::default();
        for target in language.targets() {
            let translated = self.translate(vec![article.title.clone(), summary.clone()], language, target).await;
            if let Some([title, summary]) = waits.unless_later(translated)?.as_deref() {
                self.output.digest.set(target, title.clone(), summary.clone());
            }
        }
        waits.end()?;
        if Lang::TABLE.contains(&language) {
            self.output.digest.set(language, article.title.clone(), summary);
        }
        Ok(())
    }

    /// Summarises the English text and translates that summary back, so that both summaries say the
    /// same.
    async fn translate_then_summarise(&mut self, article: &Article, language: Lang) -> Result<(), Failure> {
        let (title, text) = if language == Lang::EN {
            (article.title.clone(), article.body.clone())
        } else {
            let title = self.translate(vec![article.title.clone()], language, Lang::EN).await?.concat();
            (title, self.translate_text(&article.body, language, Lang::EN).await?)
        };
        let summary = self.summarise(&title, &text, Lang::EN).await?;
        let (title_fr, summary_fr) = if language == Lang::FR {
            (article.title.clone(), self.translate(vec![summary.clone()], Lang::EN, Lang::FR).await?.concat())
        } else {
            let mut back = self.translate(vec![title.clone(), summary.clone()], Lang::EN, Lang::FR).await?;
            let summary = back.pop().unwrap_or_default();
            (back.pop().unwrap_or_default(), summary)
        };
        self.output.digest.set(Lang::EN, title, summary);
        self.output.digest.set(Lang::FR, title_fr, summary_fr);
        if self.summary.keep_text && language != Lang::EN {
            self.output.text_en = text;
        }
        Ok(())
    }

    /// Falls back to summarising and translating if no chat model can do it and other endpoints
    /// can.
    async fn single_call(&mut self, article: &Article, language: Lang) -> Result<(), Failure> {
        let job = Job::Digest { title: &article.title, text: &article.body, language };
        match self.first_success(&job).await {
            Ok((Answer::Digest(digest), endpoint)) => {
                self.output.summary_endpoint.clone_from(&endpoint);
                self.output.translation_endpoint = endpoint;
                self.output.digest = with_own_title(digest, article, language);
                Ok(())
            }
            Ok(_) => Err(wrong_kind()),
            Err(failure) if failure.allows_failover() && self.has_other_endpoints() => {
                tracing::debug!("{}: summarising and translating on other endpoints, since {}", article.source, failure.reject);
                self.summarise_then_translate(article, language).await.map_err(|later| merge_failures(&failure, later))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Whether an endpoint that is no chat model can summarise, and some endpoint can translate.
    fn has_other_endpoints(&self) -> bool {
        self.candidates(Task::Summarise).iter().any(|candidate| !candidate.chat) && !self.candidates(Task::Translate).is_empty()
    }

    /// Adds the whole text in both of the table's languages.
    async fn keep_texts(&mut self, article: &Article, language: Lang) -> Result<(), Failure> {
        let mut waits = Waits::default();
        for target in Lang::TABLE {
            let text = match target {
                _ if target == language => article.body.clone(),
                Lang::EN if !self.output.text_en.is_empty() => continue,
                _ => match waits.unless_later(self.translate_text(&article.body, language, target).await)? {
                    Some(text) => text,
                    None => continue,
                },
            };
            if target == Lang::EN { self.output.text_en = text } else { self.output.text_fr = text }
        }
        waits.end()
    }

    async fn summarise(&mut self, title: &str, text: &str, language: Lang) -> Result<String, Failure> {
        match self.first_success(&Job::Summary { title, text, language }).await? {
            (Answer::Summary(summary), endpoint) => {
                self.output.summary_endpoint = endpoint;
                Ok(summary)
            }
            _ => Err(wrong_kind()),
        }
    }

    /// Translates a text paragraph by paragraph, which keeps their order and the breaks between
    /// them.
    async fn translate_text(&mut self, text: &str, from: Lang, to: Lang) -> Result<String, Failure> {
        let paragraphs = text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()).map(str::to_owned).collect();
        Ok(self.translate(paragraphs, from, to).await?.join("\n\n"))
    }

    async fn translate(&mut self, texts: Vec<String>, from: Lang, to: Lang) -> Result<Vec<String>, Failure> {
        match self.first_success(&Job::Translation { texts: &texts, from, to }).await? {
            (Answer::Translations(translations), endpoint) if translations.len() == texts.len() => {
                self.output.translation_endpoint = endpoint;
                Ok(translations)
            }
            _ => Err(wrong_kind()),
        }
    }

    fn candidates(&self, task: Task) -> Vec<Candidate> {
        let candidates = self.backend.candidates(task).into_iter();
        let avoid = if self.correction.applies_to(task) { self.correction.avoid.as_slice() } else { &[] };
        candidates.filter(|candidate| !avoid.contains(&candidate.name)).collect()
    }

    /// Runs `job` on one candidate after the other until one succeeds; returns its answer and the
    /// candidate's name.
    async fn first_success(&mut self, job: &Job<'_>) -> Result<(Answer, String), Failure> {
        let candidates = self.candidates(job.task());
        let mut failover = Failover::default();
        for (at, candidate) in candidates.iter().enumerate() {
            let last = at + 1 == candidates.len();
            let correct = candidate.chat && self.correction.applies_to(job.task());
            let note = if correct { self.correction.note.as_str() } else { "" };
            let inputs = PromptInputs { spec: &self.summary.spec, note, glossary: self.glossary };
            let mut context = CallContext { backend: self.backend, candidate, last, draft: &mut self.draft };
            match run_job(job, inputs, &mut context).await {
                Ok(answer) => return Ok((answer, candidate.name.clone())),
                Err(failure) => failover.failed(failure, last)?,
            }
        }
        Err(Reject::new(ErrorCode::NoEndpoint, format!("no other endpoint can {}", job.task())).into())
    }
}

/// The digest with the article's own title in the article's language, even if a model or an older
/// ledger has another title.
fn with_own_title(mut digest: Digest, article: &Article, language: Lang) -> Digest {
    if Lang::TABLE.contains(&language) {
        let summary = digest.get(language).1.to_owned();
        digest.set(language, article.title.clone(), summary);
    }
    digest
}

#[cfg(test)]
mod tests;
