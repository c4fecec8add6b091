//! Rejects answers that are too long to be what was asked for. A faulty service can send megabytes,
//! which would fill the ledger and the outputs, and no spreadsheet opens them.

use crate::model::{Answer, CallError, CallRequest, ErrorCode, Task, Verdict};

/// Maximum characters of a title or summary: the limit of an Excel cell
/// (<https://support.microsoft.com/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3>).
const MAX_CELL: usize = 32_767;
/// A translation may have this many times the characters of its source…
const MAX_GROWTH: usize = 10;
/// … and this many more, for sources of only a few words.
const EXTRA: usize = 1_000;

/// Returns the answer, or an error if it is too long.
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
    };
    if too_long {
        let message = if ask.task() == Task::Translate {
            "the translation is more than ten times as long as its source"
        } else {
            "a title or summary has more than 32,767 characters"
        };
        return Err(CallError::new(Verdict::Once, ErrorCode::Overlong, message));
    }
    Ok(answer)
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
