//! The routes: which calls an article needs, one after the other. Whoever answers them (endpoints, the ledger, an estimate)
//! stands behind [`CallBackend`]; what one maker cannot do, the next in order takes over, whole.

use std::future::Future;

use super::glossary::Glossary;
use super::job::{Job, PromptInputs, by};
use crate::config::{Route, Summary};
use crate::model::{Answer, Article, Ask, CallLimits, Digest, ErrorCode, Failure, Lang, Reject, Reply, Task};

/// A reply with who made it and what it cost.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The reply.
    pub reply: Reply,
    /// In the currency of the config's prices; none where the price is unknown.
    pub cost: Option<f64>,
}

/// One who can do a task: an endpoint, as the routes see it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its place in the config's list.
    pub number: usize,
    /// Its name in the table.
    pub name: String,
    /// What one call may hold.
    pub limits: CallLimits,
    /// Whether it listens to words: a chat model.
    pub chat: bool,
}

/// Somebody who answers calls.
pub trait CallBackend: Sync {
    /// Who does `task`, in order of preference; those that are out for this run come last.
    fn makers(&self, task: Task) -> Vec<Candidate>;

    /// One call to `maker`. Where it is the `last` hope, a service that is away is waited for.
    fn ask(&self, maker: &Candidate, ask: Ask, last: bool) -> impl Future<Output = Result<Answered, Failure>> + Send;
}

/// An article is done once more: what was wrong with the row, and who is not to be asked again.
#[derive(Clone, Debug, Default)]
pub struct Redo {
    /// A sentence or two for chat models. Part of the ledger's key, so that the same note is paid for once.
    pub note: String,
    /// Names of endpoints that are not asked.
    pub avoid: Vec<String>,
    /// The work that was wrong; none: all of it. What was right is not asked for again.
    pub task: Option<Task>,
}

impl Redo {
    fn concerns(&self, task: Task) -> bool {
        self.task.is_none_or(|wrong| wrong == task || task == Task::Digest)
    }
}

/// What a route made of an article.
#[derive(Clone, Debug, Default)]
pub struct RouteOutput {
    /// Titles and summaries in both languages.
    pub digest: Digest,
    /// The whole text in French, where it is kept.
    pub text_fr: String,
    /// The whole text in English, where it is kept.
    pub text_en: String,
    /// Whether any part is gist quality.
    pub draft: bool,
    /// Who made the summary.
    pub summary_endpoint: String,
    /// Who made the translation.
    pub translation_endpoint: String,
    /// What all calls cost; none as soon as one price is unknown.
    pub cost: Option<f64>,
}

/// Takes an article through its route.
///
/// # Errors
/// What kept it from being done, with what that means for the run.
pub async fn make(
    summary: &Summary,
    glossary: &Glossary,
    article: &Article,
    redo: &Redo,
    asker: &impl CallBackend,
) -> Result<RouteOutput, Failure> {
    let language = article.language.ok_or_else(|| {
        Reject::new(
            ErrorCode::Language,
            "the article's language is not certain; a label such as <html lang=\"fr\"> or \"language\": \"fr\" would decide",
        )
    })?;
    let mut work = RouteRun { asker, summary, glossary, redo, made: RouteOutput { cost: Some(0.0), ..RouteOutput::default() } };
    match summary.route {
        Route::SummariseThenTranslate => work.summarise_then_translate(article, language).await?,
        Route::TranslateThenSummarise => work.translate_then_summarise(article, language).await?,
        Route::SingleCall => work.single_call(article, language).await?,
    }
    if summary.keep_text {
        work.texts(article, language).await?;
    }
    Ok(work.made)
}

struct RouteRun<'a, A> {
    asker: &'a A,
    summary: &'a Summary,
    glossary: &'a Glossary,
    redo: &'a Redo,
    made: RouteOutput,
}

impl<A: CallBackend> RouteRun<'_, A> {
    async fn summarise_then_translate(&mut self, article: &Article, language: Lang) -> Result<(), Failure> {
        let summary = self.summarise(&article.title, &article.body, language).await?;
        for target in language.targets() {
            let translated = self.translate(vec![article.title.clone(), summary.clone()], language, target).await?;
            if let [title, summary] = translated.as_slice() {
                self.made.digest.set(target, title.clone(), summary.clone());
            }
        }
        if Lang::TABLE.contains(&language) {
            self.made.digest.set(language, article.title.clone(), summary);
        }
        Ok(())
    }

    /// The English is what is summarised, and its summary is translated back, so that both columns say the same.
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
        self.made.digest.set(Lang::EN, title, summary);
        self.made.digest.set(Lang::FR, title_fr, summary_fr);
        if self.summary.keep_text && language != Lang::EN {
            self.made.text_en = text;
        }
        Ok(())
    }

    /// Where no chat model can be had just now, others may do the same in two steps.
    async fn single_call(&mut self, article: &Article, language: Lang) -> Result<(), Failure> {
        let job = Job::Digest { title: &article.title, text: &article.body, language };
        match self.by_the_first(&job).await {
            Ok((Answer::Digest(digest), maker)) => {
                self.made.summary_endpoint.clone_from(&maker);
                self.made.translation_endpoint = maker;
                self.made.digest = digest;
                Ok(())
            }
            Ok(_) => Err(mismatch().into()),
            Err(failure) if failure.elsewhere() && self.others_can() => {
                tracing::debug!("{}: in two steps by others, since {}", article.source, failure.reject);
                self.summarise_then_translate(article, language).await.map_err(|later| also(&failure, later))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Whether somebody who cannot make a digest summarises, and somebody translates.
    fn others_can(&self) -> bool {
        self.makers(Task::Summarise).iter().any(|maker| !maker.chat) && !self.makers(Task::Translate).is_empty()
    }

    /// The whole text in both languages of the table.
    async fn texts(&mut self, article: &Article, language: Lang) -> Result<(), Failure> {
        for target in Lang::TABLE {
            let text = match target {
                _ if target == language => article.body.clone(),
                Lang::EN if !self.made.text_en.is_empty() => continue,
                _ => self.translate_text(&article.body, language, target).await?,
            };
            if target == Lang::EN { self.made.text_en = text } else { self.made.text_fr = text }
        }
        Ok(())
    }

    async fn summarise(&mut self, title: &str, text: &str, language: Lang) -> Result<String, Failure> {
        match self.by_the_first(&Job::Summary { title, text, language }).await? {
            (Answer::Summary(summary), maker) => {
                self.made.summary_endpoint = maker;
                Ok(summary)
            }
            _ => Err(mismatch().into()),
        }
    }

    /// A text of paragraphs, which keep their order and their breaks.
    async fn translate_text(&mut self, text: &str, from: Lang, to: Lang) -> Result<String, Failure> {
        let paragraphs = text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()).map(str::to_owned).collect();
        Ok(self.translate(paragraphs, from, to).await?.join("\n\n"))
    }

    async fn translate(&mut self, texts: Vec<String>, from: Lang, to: Lang) -> Result<Vec<String>, Failure> {
        match self.by_the_first(&Job::Translation { texts: &texts, from, to }).await? {
            (Answer::Translations(translations), maker) if translations.len() == texts.len() => {
                self.made.translation_endpoint = maker;
                Ok(translations)
            }
            _ => Err(mismatch().into()),
        }
    }

    fn makers(&self, task: Task) -> Vec<Candidate> {
        let makers = self.asker.makers(task).into_iter();
        let avoid = if self.redo.concerns(task) { self.redo.avoid.as_slice() } else { &[] };
        makers.filter(|maker| !avoid.contains(&maker.name)).collect()
    }

    /// The answer of the first maker that can give one, and its name.
    async fn by_the_first(&mut self, job: &Job<'_>) -> Result<(Answer, String), Failure> {
        let makers = self.makers(job.task());
        let mut earlier: Option<Failure> = None;
        for (at, maker) in makers.iter().enumerate() {
            let last = at + 1 == makers.len();
            let mut teller = CallContext { asker: self.asker, maker, last, made: &mut self.made };
            let note = if maker.chat && self.redo.concerns(job.task()) { self.redo.note.as_str() } else { "" };
            let told = PromptInputs { wish: &self.summary.wish, note, glossary: self.glossary };
            match by(job, told, &mut teller).await {
                Ok(answer) => return Ok((answer, maker.name.clone())),
                Err(failure) => {
                    let go_on = failure.elsewhere() && !last;
                    let failure = earlier.take().map_or_else(|| failure.clone(), |earlier| also(&earlier, failure.clone()));
                    if !go_on {
                        return Err(failure);
                    }
                    earlier = Some(failure);
                }
            }
        }
        Err(Reject::new(ErrorCode::NoEndpoint, format!("there is no other endpoint for `{}`", job.task())).into())
    }
}

/// Asks one maker, and keeps the account of it.
pub(super) struct CallContext<'a, A> {
    asker: &'a A,
    pub(super) maker: &'a Candidate,
    last: bool,
    made: &'a mut RouteOutput,
}

impl<A: CallBackend> CallContext<'_, A> {
    /// What the maker takes by now: a service may have said so only when it was asked.
    pub(super) fn limits(&self, task: Task) -> Option<CallLimits> {
        self.asker.makers(task).into_iter().find(|maker| maker.number == self.maker.number).map(|maker| maker.limits)
    }

    pub(super) async fn ask(&mut self, ask: Ask) -> Result<Answer, Failure> {
        let answered = self.asker.ask(self.maker, ask, self.last).await?;
        self.made.cost = self.made.cost.zip(answered.cost).map(|(sum, cost)| sum + cost);
        self.made.draft |= answered.reply.draft;
        Ok(answered.reply.answer)
    }
}

/// Two failures one after the other: the row names both, the run ends by the graver.
fn also(earlier: &Failure, later: Failure) -> Failure {
    if !later.elsewhere() || later.reject == earlier.reject {
        return later;
    }
    let reason = format!("{}; then {}", earlier.reject.reason, later.reject.reason);
    Failure { reject: Reject { code: later.reject.code, reason }, exit: earlier.exit.worse(later.exit) }
}

/// Cannot happen as long as every dialect answers what it was asked; the ledger's content is checked all the same.
pub(super) fn mismatch() -> Reject {
    Reject::new(ErrorCode::Protocol, "the answer is not of the kind that was asked for")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model::{Exit, Usage, Wish};

    /// Answers a summary with the text's first ten characters, a translation with the text in capitals.
    struct Echo {
        limits: CallLimits,
        asked: Mutex<Vec<Ask>>,
        /// What the first of two makers fails with; none: there is only one, and it is well.
        first_fails: Option<Failure>,
    }

    impl CallBackend for Echo {
        fn makers(&self, _: Task) -> Vec<Candidate> {
            let maker = |number| Candidate { number, name: format!("echo-{number}"), limits: self.limits, chat: number == 1 };
            (usize::from(self.first_fails.is_none())..2).map(maker).collect()
        }

        async fn ask(&self, maker: &Candidate, ask: Ask, _: bool) -> Result<Answered, Failure> {
            if let Some(failure) = self.first_fails.clone().filter(|_| maker.number == 0) {
                return Err(failure);
            }
            // This one takes even less than it says.
            if ask.characters() > 500 {
                return Err(Reject::new(ErrorCode::TooLarge, "too many tokens").into());
            }
            let answer = match &ask {
                Ask::Summarise { text, .. } => Answer::Summary(text.chars().take(10).collect()),
                Ask::Translate { texts, .. } => Answer::Translations(texts.iter().map(|text| text.to_uppercase()).collect()),
                Ask::Digest { title, .. } => Answer::Digest(Digest { title_fr: title.clone(), ..Digest::default() }),
            };
            self.asked.lock().unwrap().push(ask);
            Ok(Answered { reply: Reply { answer, usage: Usage::default(), draft: false }, cost: Some(0.5) })
        }
    }

    const ROOM: CallLimits = CallLimits { characters: 10_000, bytes: usize::MAX, texts: 9 };

    fn article(language: Option<Lang>, sentences: usize) -> Article {
        Article {
            id: "1".into(),
            source: "a.txt".into(),
            title: "titre".into(),
            body: "phrase numéro un. ".repeat(sentences),
            language,
            words: 3 * sentences,
            ..Article::default()
        }
    }

    fn echo(limits: CallLimits) -> Echo {
        Echo { limits, asked: Mutex::new(vec![]), first_fails: None }
    }

    fn summary(route: Route) -> Summary {
        Summary { route, wish: Wish { words: 60, ..Wish::default() }, keep_text: false }
    }

    fn run(echo: &Echo, summary: &Summary, article: &Article, redo: &Redo) -> Result<RouteOutput, Failure> {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(make(summary, &Glossary::default(), article, redo, echo))
    }

    fn tasks(echo: &Echo) -> Vec<Task> {
        echo.asked.lock().unwrap().iter().map(Ask::task).collect()
    }

    #[test]
    fn a_french_article_takes_two_calls_and_fills_both_languages() {
        let echo = echo(ROOM);
        let made = run(&echo, &summary(Route::SummariseThenTranslate), &article(Some(Lang::FR), 9), &Redo::default()).unwrap();
        assert_eq!(tasks(&echo), [Task::Summarise, Task::Translate]);
        assert_eq!((made.digest.title_fr.as_str(), made.digest.title_en.as_str()), ("titre", "TITRE"));
        assert_eq!((made.digest.summary_fr.as_str(), made.digest.summary_en.as_str()), ("phrase num", "PHRASE NUM"));
        assert_eq!((made.cost, made.summary_endpoint.as_str()), (Some(1.0), "echo-1"));
    }

    #[test]
    fn another_language_is_translated_to_both() {
        let echo = echo(ROOM);
        let made = run(&echo, &summary(Route::SummariseThenTranslate), &article(Lang::parse("de"), 9), &Redo::default());
        assert_eq!(tasks(&echo), [Task::Summarise, Task::Translate, Task::Translate]);
        assert_eq!(made.unwrap().digest.title_fr, "TITRE");
    }

    #[test]
    fn the_english_is_summarised_and_its_summary_comes_back_in_french() {
        let mut summary = summary(Route::TranslateThenSummarise);
        summary.keep_text = true;
        let first = echo(ROOM);
        let made = run(&first, &summary, &article(Some(Lang::FR), 9), &Redo::default()).unwrap();
        assert_eq!(tasks(&first), [Task::Translate, Task::Translate, Task::Summarise, Task::Translate]);
        assert_eq!((made.digest.title_fr.as_str(), made.digest.summary_en.as_str()), ("titre", "PHRASE NUM"));
        assert!(made.text_en.starts_with("PHRASE") && made.text_fr.starts_with("phrase"));
        let second = echo(ROOM);
        let made = run(&second, &summary, &article(Some(Lang::EN), 9), &Redo::default()).unwrap();
        assert_eq!(tasks(&second), [Task::Summarise, Task::Translate, Task::Translate]);
        assert!(made.text_fr.starts_with("PHRASE") && made.text_en.starts_with("phrase"));
    }

    #[test]
    fn a_long_article_is_summarised_in_parts_and_texts_go_one_by_one_where_they_must() {
        let echo = echo(CallLimits { characters: 300, bytes: usize::MAX, texts: 1 });
        run(&echo, &summary(Route::SummariseThenTranslate), &article(Some(Lang::FR), 60), &Redo::default()).unwrap();
        let summaries = tasks(&echo).iter().filter(|task| **task == Task::Summarise).count();
        assert!(summaries > 4, "{summaries}");
        assert_eq!(tasks(&echo).iter().filter(|task| **task == Task::Translate).count(), 2);
    }

    #[test]
    fn what_turns_out_too_large_is_cut_smaller_and_nothing_is_left_out() {
        for route in [Route::SummariseThenTranslate, Route::SingleCall, Route::TranslateThenSummarise] {
            let echo = echo(ROOM);
            let mut summary = summary(route);
            summary.keep_text = true;
            let made = run(&echo, &summary, &article(Some(Lang::FR), 60), &Redo::default()).unwrap();
            let text = "PHRASE NUMÉRO UN. ".repeat(60);
            assert_eq!(made.text_en.split_whitespace().collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>(), "{route}");
        }
    }

    #[test]
    fn the_next_maker_takes_over_what_the_first_cannot_do_and_only_that() {
        let failing = |code, exit| Echo { first_fails: Some(Failure { reject: Reject::new(code, "x"), exit }), ..echo(ROOM) };
        let run = |echo: &Echo, redo: &Redo| run(echo, &summary(Route::SummariseThenTranslate), &article(Some(Lang::FR), 9), redo);
        for (code, exit) in
            [(ErrorCode::Quota, Exit::EndpointStop), (ErrorCode::Away, Exit::EndpointAway), (ErrorCode::Refused, Exit::SomeFailed)]
        {
            let made = run(&failing(code, exit), &Redo::default()).unwrap();
            assert_eq!((made.summary_endpoint.as_str(), made.translation_endpoint.as_str()), ("echo-1", "echo-1"), "{code}");
        }
        for (code, exit) in [(ErrorCode::Timeout, Exit::SomeFailed), (ErrorCode::Interrupted, Exit::Interrupted)] {
            assert_eq!(run(&failing(code, exit), &Redo::default()).unwrap_err().reject.code, code);
        }
        let nobody = Redo { avoid: vec!["echo-1".into()], ..Redo::default() };
        assert_eq!(run(&failing(ErrorCode::Away, Exit::EndpointAway), &nobody).unwrap_err().exit, Exit::EndpointAway);
    }

    #[test]
    fn a_note_is_told_to_those_who_listen() {
        let echo = echo(ROOM);
        let redo = Redo { note: "The figure 12 is not in the article.".into(), avoid: vec![], task: None };
        run(&echo, &summary(Route::SummariseThenTranslate), &article(Some(Lang::FR), 9), &redo).unwrap();
        let asked = echo.asked.lock().unwrap();
        assert!(asked.iter().all(|ask| serde_json::to_string(ask).unwrap().contains("figure 12")));
    }

    #[test]
    fn an_uncertain_language_is_a_reject_and_no_call() {
        let echo = echo(ROOM);
        let made = run(&echo, &summary(Route::SummariseThenTranslate), &article(None, 9), &Redo::default());
        assert_eq!(made.unwrap_err().reject.code, ErrorCode::Language);
        assert!(tasks(&echo).is_empty());
    }
}
