//! Whether an answer can be what was asked for, by its length alone. A service that goes astray sends megabytes, which would go through
//! the ledger and the outputs, and which no spreadsheet takes.

use crate::model::{Answer, Ask, CallError, ErrorCode, Task, Verdict};

/// Characters of a title or summary at most: what a cell of Excel holds
/// (<https://support.microsoft.com/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3>).
const CELL: usize = 32_767;
/// A translation has at most so many times the characters of its source, and some more where the source is but a word.
const TIMES: usize = 10;
const SPARE: usize = 1_000;

/// The same answer, or that it is too long to be one.
pub(super) fn sensible(ask: &Ask, answer: Answer) -> Result<Answer, CallError> {
    let too_long = match &answer {
        Answer::Summary(summary) => beyond(summary, CELL),
        Answer::Digest(digest) => {
            [&digest.title_fr, &digest.title_en, &digest.summary_fr, &digest.summary_en].into_iter().any(|text| beyond(text, CELL))
        }
        Answer::Translations(texts) => {
            let sources = if let Ask::Translate { texts, .. } = ask { texts.as_slice() } else { &[] };
            let most = |source: &String| source.chars().count().saturating_mul(TIMES).saturating_add(SPARE);
            texts.iter().zip(sources).any(|(text, source)| beyond(text, most(source)))
        }
    };
    if too_long {
        let what = if ask.task() == Task::Translate {
            "the translation is many times as long as its source"
        } else {
            "a summary of more than 32,767 characters is none"
        };
        return Err(CallError::new(Verdict::Once, ErrorCode::Overlong, what));
    }
    Ok(answer)
}

/// Whether a text has more characters than `most`; of a long text no more than that is counted.
fn beyond(text: &str, most: usize) -> bool {
    text.len() > most && text.chars().nth(most).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, Lang, Wish};

    #[test]
    fn what_is_far_too_long_is_no_answer() {
        let summarise =
            Ask::Summarise { title: String::new(), text: "x".into(), language: Lang::FR, wish: Wish::default(), note: String::new() };
        assert!(sensible(&summarise, Answer::Summary("é".repeat(CELL))).is_ok());
        assert_eq!(sensible(&summarise, Answer::Summary("é".repeat(CELL + 1))).unwrap_err().code, ErrorCode::Overlong);
        let digest = Digest { summary_en: "x".repeat(CELL + 1), ..Digest::default() };
        assert!(sensible(&summarise, Answer::Digest(digest)).is_err());
        let texts = vec!["a".to_owned(), "b".repeat(100)];
        let translate = Ask::Translate { texts, from: Lang::FR, to: Lang::EN, note: String::new(), terms: vec![] };
        let answer = |first: usize, second: usize| Answer::Translations(vec!["x".repeat(first), "x".repeat(second)]);
        assert!(sensible(&translate, answer(1_010, 2_000)).is_ok());
        assert!(sensible(&translate, answer(1_011, 2_000)).is_err());
        assert!(sensible(&translate, answer(1, 2_001)).is_err());
    }
}
