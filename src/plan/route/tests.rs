use std::sync::Mutex;

use super::*;
use crate::model::{CallLimits, CallRequest, Exit, Reply, SummarySpec, Usage};
use crate::plan::Answered;

/// Answers a summary with the text's first ten characters, a translation with the text in capitals.
struct EchoBackend {
    limits: CallLimits,
    requests: Mutex<Vec<CallRequest>>,
    /// How the first of two candidates fails; `None` if there is only one, which succeeds.
    first_fails: Option<Failure>,
}

impl CallBackend for EchoBackend {
    fn candidates(&self, _: Task) -> Vec<Candidate> {
        let candidate =
            |number| Candidate { number, name: format!("echo-{number}"), limits: self.limits, chat: number == 1, has_sibling: false };
        (usize::from(self.first_fails.is_none())..2).map(candidate).collect()
    }

    async fn call(&self, candidate: &Candidate, request: CallRequest, _: bool) -> Result<Answered, Failure> {
        if let Some(failure) = self.first_fails.clone().filter(|_| candidate.number == 0) {
            return Err(failure);
        }
        // Accepts even less than its stated limits.
        if request.characters() > 500 {
            return Err(Reject::new(ErrorCode::TooLarge, "too many tokens").into());
        }
        let answer = match &request {
            CallRequest::Summarise { text, .. } => Answer::Summary(text.chars().take(10).collect()),
            CallRequest::Translate { texts, .. } => Answer::Translations(texts.iter().map(|text| text.to_uppercase()).collect()),
            CallRequest::Digest { title, .. } => Answer::Digest(Digest { title_fr: title.clone(), ..Digest::default() }),
            CallRequest::Review { .. } => Answer::Review(Vec::new()),
        };
        self.requests.lock().unwrap().push(request);
        Ok(Answered { reply: Reply { answer, usage: Usage::default(), draft: false }, cost: Some(0.5) })
    }
}

const LARGE: CallLimits = CallLimits { characters: 10_000, bytes: usize::MAX, texts: 9 };

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

fn echo(limits: CallLimits) -> EchoBackend {
    EchoBackend { limits, requests: Mutex::new(vec![]), first_fails: None }
}

fn summary(route: Route) -> Summary {
    Summary { route, spec: SummarySpec { words: 60, ..SummarySpec::default() }, keep_text: false }
}

fn run(echo: &EchoBackend, summary: &Summary, article: &Article, correction: &Correction) -> Result<RouteOutput, Failure> {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run_route(
        summary,
        &Glossary::default(),
        article,
        correction,
        echo,
    ))
}

fn tasks(echo: &EchoBackend) -> Vec<Task> {
    echo.requests.lock().unwrap().iter().map(CallRequest::task).collect()
}

#[test]
fn a_french_article_takes_two_calls_and_fills_both_languages() {
    let echo = echo(LARGE);
    let output = run(&echo, &summary(Route::SummariseThenTranslate), &article(Some(Lang::FR), 9), &Correction::default()).unwrap();
    assert_eq!(tasks(&echo), [Task::Summarise, Task::Translate]);
    assert_eq!((output.digest.title_fr.as_str(), output.digest.title_en.as_str()), ("titre", "TITRE"));
    assert_eq!((output.digest.summary_fr.as_str(), output.digest.summary_en.as_str()), ("phrase num", "PHRASE NUM"));
    assert_eq!(output.summary_endpoint, "echo-1");
}

#[test]
fn an_article_in_a_third_language_is_translated_into_both() {
    let echo = echo(LARGE);
    let output = run(&echo, &summary(Route::SummariseThenTranslate), &article(Lang::parse("de"), 9), &Correction::default());
    assert_eq!(tasks(&echo), [Task::Summarise, Task::Translate, Task::Translate]);
    assert_eq!(output.unwrap().digest.title_fr, "TITRE");
}

#[test]
fn translate_then_summarise_translates_the_english_summary_back() {
    let mut summary = summary(Route::TranslateThenSummarise);
    summary.keep_text = true;
    let first = echo(LARGE);
    let output = run(&first, &summary, &article(Some(Lang::FR), 9), &Correction::default()).unwrap();
    assert_eq!(tasks(&first), [Task::Translate, Task::Translate, Task::Summarise, Task::Translate]);
    assert_eq!((output.digest.title_fr.as_str(), output.digest.summary_en.as_str()), ("titre", "PHRASE NUM"));
    assert!(output.text_en.starts_with("PHRASE") && output.text_fr.starts_with("phrase"));
    let second = echo(LARGE);
    let output = run(&second, &summary, &article(Some(Lang::EN), 9), &Correction::default()).unwrap();
    assert_eq!(tasks(&second), [Task::Summarise, Task::Translate, Task::Translate]);
    assert!(output.text_fr.starts_with("PHRASE") && output.text_en.starts_with("phrase"));
}

#[test]
fn limits_cut_articles_into_parts_and_texts_into_single_calls() {
    let echo = echo(CallLimits { characters: 300, bytes: usize::MAX, texts: 1 });
    run(&echo, &summary(Route::SummariseThenTranslate), &article(Some(Lang::FR), 60), &Correction::default()).unwrap();
    let summaries = tasks(&echo).iter().filter(|task| **task == Task::Summarise).count();
    assert!(summaries > 4, "{summaries}");
    assert_eq!(tasks(&echo).iter().filter(|task| **task == Task::Translate).count(), 2);
}

#[test]
fn a_call_that_is_too_large_is_repeated_in_smaller_parts_without_losing_text() {
    for route in [Route::SummariseThenTranslate, Route::SingleCall, Route::TranslateThenSummarise] {
        let echo = echo(LARGE);
        let mut summary = summary(route);
        summary.keep_text = true;
        let output = run(&echo, &summary, &article(Some(Lang::FR), 60), &Correction::default()).unwrap();
        let text = "PHRASE NUMÉRO UN. ".repeat(60);
        assert_eq!(output.text_en.split_whitespace().collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>(), "{route}");
    }
}

#[test]
fn the_next_candidate_takes_over_unless_the_answer_was_lost_or_the_run_ends() {
    let failing = |code, exit| EchoBackend { first_fails: Some(Failure { reject: Reject::new(code, "x"), exit }), ..echo(LARGE) };
    let run = |echo: &EchoBackend, correction: &Correction| {
        run(echo, &summary(Route::SummariseThenTranslate), &article(Some(Lang::FR), 9), correction)
    };
    for (code, exit) in
        [(ErrorCode::Quota, Exit::EndpointStop), (ErrorCode::Away, Exit::EndpointAway), (ErrorCode::Refused, Exit::SomeFailed)]
    {
        let output = run(&failing(code, exit), &Correction::default()).unwrap();
        assert_eq!((output.summary_endpoint.as_str(), output.translation_endpoint.as_str()), ("echo-1", "echo-1"), "{code}");
    }
    for (code, exit) in [(ErrorCode::Timeout, Exit::SomeFailed), (ErrorCode::Interrupted, Exit::Interrupted)] {
        assert_eq!(run(&failing(code, exit), &Correction::default()).unwrap_err().reject.code, code);
    }
    let avoid_second = Correction { avoid: vec!["echo-1".into()], ..Correction::default() };
    assert_eq!(run(&failing(ErrorCode::Away, Exit::EndpointAway), &avoid_second).unwrap_err().exit, Exit::EndpointAway);
}

#[test]
fn chat_models_get_the_note() {
    let echo = echo(LARGE);
    let correction = Correction { note: "The figure 12 is not in the article.".into(), avoid: vec![], task: None };
    run(&echo, &summary(Route::SummariseThenTranslate), &article(Some(Lang::FR), 9), &correction).unwrap();
    let requests = echo.requests.lock().unwrap();
    assert!(requests.iter().all(|request| serde_json::to_string(request).unwrap().contains("figure 12")));
}

#[test]
fn an_uncertain_language_is_rejected_without_a_call() {
    let echo = echo(LARGE);
    let output = run(&echo, &summary(Route::SummariseThenTranslate), &article(None, 9), &Correction::default());
    assert_eq!(output.unwrap_err().reject.code, ErrorCode::Language);
    assert!(tasks(&echo).is_empty());
}
