//! The routes: which calls an article needs, one after the other. Whoever answers them (endpoints, the ledger, an estimate)
//! stands behind [`Asker`].

use std::future::Future;

use super::cut;
use crate::config::Route;
use crate::model::{Answer, Article, Ask, Digest, Failure, Lang, Limits, Reject, Reply, Task};

/// A reply with who made it and what it cost.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The reply.
    pub reply: Reply,
    /// The name of the endpoint that made it.
    pub endpoint: String,
    /// In the currency of the config's prices; none where the price is unknown.
    pub cost: Option<f64>,
}

/// Somebody who answers calls.
pub trait Asker: Sync {
    /// What one call for `task` may hold.
    fn limits(&self, task: Task) -> Limits;

    /// Answers one call.
    fn ask(&self, ask: Ask) -> impl Future<Output = Result<Answered, Failure>> + Send;
}

/// What a route made of an article.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// Titles and summaries in both languages.
    pub digest: Digest,
    /// Whether any part is gist quality.
    pub draft: bool,
    /// Who made the summary.
    pub summary_endpoint: String,
    /// Who made the translation.
    pub translation_endpoint: String,
    /// What all calls cost; none as soon as one price is unknown.
    pub cost: Option<f64>,
}

/// Takes an article through `route`.
///
/// # Errors
/// What kept it from being done, with what that means for the run.
pub async fn make(route: Route, article: &Article, words: usize, asker: &impl Asker) -> Result<Made, Failure> {
    let language = article.language.ok_or_else(|| {
        Reject::new(
            "language",
            "the article's language is not certain; a label such as <html lang=\"fr\"> or \"language\": \"fr\" would decide",
        )
    })?;
    let mut work = Work { asker, made: Made { cost: Some(0.0), ..Made::default() } };
    match route {
        Route::SummariseThenTranslate => work.summarise_then_translate(article, language, words).await?,
        Route::SingleCall => work.single_call(article, language, words).await?,
    }
    Ok(work.made)
}

struct Work<'a, A> {
    asker: &'a A,
    made: Made,
}

impl<A: Asker> Work<'_, A> {
    async fn summarise_then_translate(&mut self, article: &Article, language: Lang, words: usize) -> Result<(), Failure> {
        let summary = self.summary(article, language, words).await?;
        for target in language.targets() {
            let texts = vec![article.title.clone(), summary.clone()];
            let mut translated = self.translations(texts, language, target).await?.into_iter();
            if let (Some(title), Some(summary)) = (translated.next(), translated.next()) {
                self.made.digest.set(target, title, summary);
            }
        }
        if Lang::TABLE.contains(&language) {
            self.made.digest.set(language, article.title.clone(), summary);
        }
        Ok(())
    }

    /// A text too long for one call is summarised part by part, and the parts' summaries once more.
    async fn summary(&mut self, article: &Article, language: Lang, words: usize) -> Result<String, Failure> {
        let most = self.asker.limits(Task::Summarise).characters.saturating_sub(article.title.chars().count()).max(200);
        let mut text = article.body.clone();
        loop {
            let parts = cut(&text, most);
            let whole = parts.len() == 1;
            let mut summaries = Vec::with_capacity(parts.len());
            for part in parts {
                let ask = Ask::Summarise { title: article.title.clone(), text: part, language, words };
                let answered = self.asker.ask(ask).await?;
                self.made.summary_endpoint.clone_from(&answered.endpoint);
                match self.count(answered) {
                    Answer::Summary(summary) => summaries.push(summary),
                    _ => return Err(mismatch().into()),
                }
            }
            let joined = summaries.join("\n\n");
            if whole {
                return Ok(joined);
            }
            // A service that answers with as much as it was given would go round for ever.
            if joined.chars().count() >= text.chars().count() {
                return Err(Reject::new("too-large", "its parts' summaries are no shorter than the article").into());
            }
            text = joined;
        }
    }

    async fn translations(&mut self, texts: Vec<String>, from: Lang, to: Lang) -> Result<Vec<String>, Failure> {
        let limits = self.asker.limits(Task::Translate);
        let mut translated = Vec::with_capacity(texts.len());
        let whole = texts.len() <= limits.texts && texts.iter().map(|text| text.chars().count()).sum::<usize>() <= limits.characters;
        if whole {
            return self.translate(texts, from, to).await;
        }
        for text in texts {
            let mut pieces = Vec::new();
            for piece in cut(&text, limits.characters) {
                pieces.extend(self.translate(vec![piece], from, to).await?);
            }
            translated.push(pieces.join(" "));
        }
        Ok(translated)
    }

    async fn translate(&mut self, texts: Vec<String>, from: Lang, to: Lang) -> Result<Vec<String>, Failure> {
        let wanted = texts.len();
        let answered = self.asker.ask(Ask::Translate { texts, from, to, terms: Vec::new() }).await?;
        self.made.translation_endpoint.clone_from(&answered.endpoint);
        match self.count(answered) {
            Answer::Translations(translations) if translations.len() == wanted => Ok(translations),
            _ => Err(mismatch().into()),
        }
    }

    async fn single_call(&mut self, article: &Article, language: Lang, words: usize) -> Result<(), Failure> {
        let most = self.asker.limits(Task::Digest).characters;
        let characters = article.title.chars().count() + article.body.chars().count();
        if characters > most {
            let reason = format!(
                "the article has {characters} characters, more than one call takes ({most}); route = \"summarise-then-translate\" cuts it"
            );
            return Err(Reject::new("too-large", reason).into());
        }
        let ask = Ask::Digest { title: article.title.clone(), text: article.body.clone(), language, words, terms: Vec::new() };
        let answered = self.asker.ask(ask).await?;
        self.made.summary_endpoint.clone_from(&answered.endpoint);
        self.made.translation_endpoint.clone_from(&answered.endpoint);
        match self.count(answered) {
            Answer::Digest(digest) => self.made.digest = digest,
            _ => return Err(mismatch().into()),
        }
        Ok(())
    }

    fn count(&mut self, answered: Answered) -> Answer {
        self.made.cost = self.made.cost.zip(answered.cost).map(|(sum, cost)| sum + cost);
        self.made.draft |= answered.reply.draft;
        answered.reply.answer
    }
}

/// Cannot happen as long as every dialect answers what it was asked; the ledger's content is checked all the same.
fn mismatch() -> Reject {
    Reject::new("protocol", "the answer is not of the kind that was asked for")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model::Usage;

    /// Answers a summary with the text's first ten characters, a translation with the text in capitals.
    struct Echo {
        limits: Limits,
        asked: Mutex<Vec<Ask>>,
    }

    impl Asker for Echo {
        fn limits(&self, _: Task) -> Limits {
            self.limits
        }

        async fn ask(&self, ask: Ask) -> Result<Answered, Failure> {
            let answer = match &ask {
                Ask::Summarise { text, .. } => Answer::Summary(text.chars().take(10).collect()),
                Ask::Translate { texts, .. } => Answer::Translations(texts.iter().map(|text| text.to_uppercase()).collect()),
                Ask::Digest { title, .. } => Answer::Digest(Digest { title_fr: title.clone(), ..Digest::default() }),
            };
            self.asked.lock().unwrap().push(ask);
            Ok(Answered { reply: Reply { answer, usage: Usage::default(), draft: false }, endpoint: "echo".into(), cost: Some(0.5) })
        }
    }

    fn article(language: Option<Lang>) -> Article {
        Article {
            id: "1".into(),
            source: "a.txt".into(),
            title: "titre".into(),
            body: "phrase numéro un. ".repeat(60),
            language,
            published: None,
            url: None,
            author: None,
            words: 180,
            flags: vec![],
            section: None,
        }
    }

    fn run(limits: Limits, language: Option<Lang>) -> (Result<Made, Failure>, Vec<Ask>) {
        let echo = Echo { limits, asked: Mutex::new(vec![]) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let made = runtime.block_on(make(Route::SummariseThenTranslate, &article(language), 60, &echo));
        (made, echo.asked.into_inner().unwrap())
    }

    #[test]
    fn a_french_article_takes_two_calls_and_fills_both_languages() {
        let (made, asked) = run(Limits { characters: 10_000, texts: 9, bytes: usize::MAX }, Some(Lang::FR));
        let made = made.unwrap();
        assert_eq!(asked.len(), 2);
        assert_eq!((made.digest.title_fr.as_str(), made.digest.title_en.as_str()), ("titre", "TITRE"));
        assert_eq!((made.digest.summary_fr.as_str(), made.digest.summary_en.as_str()), ("phrase num", "PHRASE NUM"));
        assert_eq!(made.cost, Some(1.0));
    }

    #[test]
    fn another_language_is_translated_to_both() {
        let (made, asked) = run(Limits { characters: 10_000, texts: 9, bytes: usize::MAX }, Lang::parse("de"));
        assert_eq!(asked.len(), 3);
        assert_eq!(made.unwrap().digest.title_fr, "TITRE");
    }

    #[test]
    fn a_long_article_is_summarised_in_parts_and_texts_go_one_by_one_where_they_must() {
        let (made, asked) = run(Limits { characters: 300, texts: 1, bytes: usize::MAX }, Some(Lang::FR));
        made.unwrap();
        let summaries = asked.iter().filter(|ask| ask.task() == Task::Summarise).count();
        assert!(summaries > 4, "{summaries}");
        assert_eq!(asked.iter().filter(|ask| ask.task() == Task::Translate).count(), 2);
    }

    #[test]
    fn an_uncertain_language_is_a_reject_and_no_call() {
        let (made, asked) = run(Limits { characters: 300, texts: 1, bytes: usize::MAX }, None);
        assert_eq!(made.unwrap_err().reject.code, "language");
        assert!(asked.is_empty());
    }
}
