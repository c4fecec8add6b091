//! Writes the prompt's material for a reviewer and the schema of its answer, and reads the answer.

use serde_json::{Value, json};

use super::shapes;
use super::{excerpt, protocol_error};
use crate::model::{CallError, Digest, Field, Lang, Problem, Remark, Severity};

/// The texts of a row. One title is the article's own. A careless reviewer may report it too.
const FIELDS: [Field; 4] = [Field::TitleFr, Field::TitleEn, Field::SummaryFr, Field::SummaryEn];
const SEVERITIES: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Info];

/// The article and its row as JSON, so that no text can pretend to be another one.
pub(super) fn material(title: &str, text: &str, language: Lang, digest: &Digest) -> String {
    let row: serde_json::Map<String, Value> =
        digest.written(language).map(|(field, text)| (field.code().to_owned(), text.into())).collect();
    json!({"article": {"title": title, "text": text}, "row": row}).to_string()
}

/// The JSON schema of one finding in a row of an article in `language`.
pub(super) fn properties(language: Lang) -> [(&'static str, Value); 5] {
    let one_of = |codes: Vec<&str>| json!({"type": "string", "enum": codes});
    let own = Lang::TABLE.contains(&language).then(|| Field::title(language));
    [
        ("field", one_of(FIELDS.into_iter().filter(|field| Some(*field) != own).map(Field::code).collect())),
        ("quote", json!({"type": "string"})),
        ("problem", one_of(Problem::ALL.map(Problem::code).to_vec())),
        ("severity", one_of(SEVERITIES.map(Severity::code).to_vec())),
        ("explanation", json!({"type": "string"})),
    ]
}

/// The findings in a reviewer's answer. A finding is left out if it names no text of the row, or an
/// unknown problem.
///
/// # Errors
/// If there is no list of findings, or if no finding in it can be read.
pub(super) fn remarks(content: &str) -> Result<Vec<Remark>, CallError> {
    let values = shapes::values(content);
    let named = values.iter().rev().find_map(|value| value.get("findings")?.as_array());
    let list = named
        .or_else(|| values.iter().rev().find_map(Value::as_array))
        .ok_or_else(|| protocol_error(format!("the model's answer has no list of findings; it begins: {}", excerpt(content.as_bytes()))))?;
    let remarks: Vec<Remark> = list.iter().filter_map(remark).collect();
    if remarks.is_empty() && !list.is_empty() {
        return Err(protocol_error(format!(
            "no finding matches the schema: {}",
            excerpt(Value::from(list.clone()).to_string().as_bytes())
        )));
    }
    Ok(remarks)
}

fn remark(finding: &Value) -> Option<Remark> {
    let text = |name: &str| finding[name].as_str().unwrap_or_default();
    let code = |name: &str| text(name).trim().to_lowercase();
    let severity = code("severity");
    Some(Remark {
        field: FIELDS.into_iter().find(|field| field.code() == code("field"))?,
        quote: text("quote").to_owned(),
        problem: Problem::ALL.into_iter().find(|problem| problem.code() == code("problem"))?,
        severity: SEVERITIES.into_iter().find(|known| known.code() == severity).unwrap_or(Severity::Warning),
        explanation: text("explanation").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorCode;

    const GOOD: &str = r#"{"field":"summary_en","quote":"rose","problem":"contradicted","severity":"error","explanation":"It fell."}"#;

    fn wanted() -> Remark {
        Remark {
            field: Field::SummaryEn,
            quote: "rose".into(),
            problem: Problem::Contradicted,
            severity: Severity::Error,
            explanation: "It fell.".into(),
        }
    }

    #[test]
    fn findings_are_read_in_any_wrapping() {
        for content in [
            format!("{{\"findings\": [{GOOD}]}}"),
            format!("Here you are:\n```json\n{{\"findings\": [{GOOD}]}}\n```"),
            format!("[{GOOD}]"),
            format!("{{\"findings\": [{GOOD}, {{\"field\": \"body\", \"quote\": \"x\", \"problem\": \"contradicted\"}}, 7, null]}}"),
        ] {
            assert_eq!(remarks(&content).unwrap(), [wanted()], "{content}");
        }
        assert_eq!(remarks(r#"{"findings": []}"#).unwrap(), []);
        assert_eq!(remarks("[]").unwrap(), []);
    }

    #[test]
    fn an_answer_without_findings_that_can_be_read_is_an_error() {
        for content in ["All is well.", "{}", "{\"findings\": \"none\"}", "{\"findings\": [{\"field\": \"body\"}]}", "[1, 2]", "null"] {
            assert_eq!(remarks(content).unwrap_err().code, ErrorCode::Protocol, "{content}");
        }
    }

    #[test]
    fn the_articles_own_title_is_not_reviewed() {
        let digest = Digest { title_fr: "T".into(), title_en: "Title".into(), summary_fr: "R".into(), summary_en: "S".into() };
        let material: Value = serde_json::from_str(&material("T", "Texte \"row\": {}", Lang::FR, &digest)).unwrap();
        assert_eq!(material["row"], json!({"title_en": "Title", "summary_fr": "R", "summary_en": "S"}));
        assert_eq!(material["article"]["text"], "Texte \"row\": {}");
        let reviewed = |language| properties(language)[0].1["enum"].clone();
        assert_eq!(reviewed(Lang::EN), json!(["title_fr", "summary_fr", "summary_en"]));
        assert_eq!(reviewed(Lang::parse("de").unwrap()), json!(["title_fr", "title_en", "summary_fr", "summary_en"]));
    }
}
