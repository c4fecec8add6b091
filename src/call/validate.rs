//! Rejects answers that cannot be right. Some are too long: a faulty service can send megabytes,
//! which would fill the ledger and the outputs, and no spreadsheet opens them. Others have no
//! content: "...", "N/A", or the name of the field.

use crate::dialect::{excerpt, is_placeholder};
use crate::model::{Answer, CallError, CallRequest, ErrorCode, Lang, Task, Verdict};

/// Maximum characters of a title or summary: the limit of an Excel cell
/// (<https://support.microsoft.com/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3>).
const MAX_CELL: usize = 32_767;
/// A translation may have this many times the characters of its source…
const MAX_GROWTH: usize = 10;
/// … and this many more, for sources of only a few words.
const EXTRA: usize = 1_000;

/// Returns the answer, or an error if it is too long or has no content.
pub(super) fn validate(ask: &CallRequest, answer: Answer) -> Result<Answer, CallError> {
    let too_long = match &answer {
        Answer::Summary(summary) => is_longer(summary, MAX_CELL),
        Answer::Digest(digest) => {
            [&digest.title_fr, &digest.title_en, &digest.summary_fr, &digest.summary_en].into_iter().any(|text| is_longer(text, MAX_CELL))
        }
        Answer::Translations(texts) => {
            let sources = if let CallRequest::Translate { texts, .. } = ask { texts.as_slice() } else { &[] };
            let max = |source: &String| source.chars().count().saturating_mul(MAX_GROWTH).saturating_add(EXTRA);
            texts.iter().zip(sources).any(|(text, source)| is_longer(text, max(source)))
        }
        Answer::Review(remarks) => {
            remarks.iter().any(|remark| is_longer(&remark.quote, MAX_CELL) || is_longer(&remark.explanation, MAX_CELL))
        }
    };
    if too_long {
        let message = match ask.task() {
            Task::Translate => "the translation is more than ten times as long as its source",
            Task::Review => "a quotation or explanation has more than 32,767 characters",
            Task::Summarise | Task::Digest => "a title or summary has more than 32,767 characters",
        };
        return Err(CallError::new(Verdict::Once, ErrorCode::Overlong, message));
    }
    if let Some(text) = placeholder(ask, &answer) {
        let message = format!("the answer is only a placeholder: “{}”", excerpt(text.as_bytes()));
        return Err(CallError::new(Verdict::Once, ErrorCode::EmptyAnswer, message));
    }
    Ok(answer)
}

/// The first text of the answer that is only a placeholder. If the source is a placeholder too, its
/// translation is right.
fn placeholder<'a>(ask: &CallRequest, answer: &'a Answer) -> Option<&'a String> {
    match (answer, ask) {
        (Answer::Summary(summary), _) => Some(summary).filter(|summary| is_placeholder(summary, None)),
        (Answer::Translations(texts), CallRequest::Translate { texts: sources, .. }) => {
            texts.iter().zip(sources).find(|(text, source)| is_placeholder(text, Some(source))).map(|(text, _)| text)
        }
        (Answer::Digest(digest), CallRequest::Digest { title, language, .. }) => {
            let titles = [(Lang::FR, &digest.title_fr), (Lang::EN, &digest.title_en)].into_iter();
            // The title in the article's language is the article's own.
            let titles = titles.filter(|(lang, _)| lang != language).map(|(_, text)| (text, Some(title.as_str())));
            let summaries = [(&digest.summary_fr, None), (&digest.summary_en, None)];
            titles.chain(summaries).find(|(text, source)| is_placeholder(text, *source)).map(|(text, _)| text)
        }
        _ => None,
    }
}

/// Whether `text` has more than `max` characters, without counting all of a long text.
fn is_longer(text: &str, max: usize) -> bool {
    text.len() > max && text.chars().nth(max).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, Lang, SummarySpec};

    #[test]
    fn rejects_answers_that_say_nothing() {
        let translate = |source: &str| CallRequest::Translate {
            texts: vec![source.into()],
            from: Lang::FR,
            to: Lang::EN,
            note: String::new(),
            terms: vec![],
        };
        let code =
            |source: &str, text: &str| validate(&translate(source), Answer::Translations(vec![text.into()])).err().map(|error| error.code);
        assert_eq!(code("La digue a tenu.", "N/A"), Some(ErrorCode::EmptyAnswer));
        assert_eq!(code("Le résumé", "The summary"), None);
        let digest = CallRequest::sample_digest();
        let answer = |title_en: &str, summary_en: &str| {
            let (title_fr, summary_fr) = ("Titre".into(), "La digue a tenu.".into());
            Answer::Digest(Digest { title_fr, title_en: title_en.into(), summary_fr, summary_en: summary_en.into() })
        };
        assert!(validate(&digest, answer("Title", "The dyke held.")).is_ok());
        let error = validate(&digest, answer("Title", "string")).unwrap_err();
        assert_eq!((error.verdict, error.code), (Verdict::Once, ErrorCode::EmptyAnswer));
        assert!(validate(&digest, answer("...", "The dyke held.")).is_err());
    }

    #[test]
    fn rejects_answers_that_are_far_too_long() {
        let summarise = CallRequest::Summarise {
            title: String::new(),
            text: "x".into(),
            language: Lang::FR,
            spec: SummarySpec::default(),
            note: String::new(),
        };
        assert!(validate(&summarise, Answer::Summary("é".repeat(MAX_CELL))).is_ok());
        assert_eq!(validate(&summarise, Answer::Summary("é".repeat(MAX_CELL + 1))).unwrap_err().code, ErrorCode::Overlong);
        let digest = Digest { summary_en: "x".repeat(MAX_CELL + 1), ..Digest::default() };
        assert!(validate(&summarise, Answer::Digest(digest)).is_err());
        let texts = vec!["a".to_owned(), "b".repeat(100)];
        let translate = CallRequest::Translate { texts, from: Lang::FR, to: Lang::EN, note: String::new(), terms: vec![] };
        let answer = |first: usize, second: usize| Answer::Translations(vec!["x".repeat(first), "x".repeat(second)]);
        assert!(validate(&translate, answer(1_010, 2_000)).is_ok());
        assert!(validate(&translate, answer(1_011, 2_000)).is_err());
        assert!(validate(&translate, answer(1, 2_001)).is_err());
    }
}
