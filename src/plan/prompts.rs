//! A chat model's instructions for a call, rendered from the config's templates, and the fence
//! around the user's text.

use minijinja::context;

use super::control_words::without_control_words;
use crate::config::Endpoint;
use crate::model::{CallRequest, SummarySpec, Term};

/// The instructions for `request`, without the text to work on.
pub(crate) fn instructions(endpoint: &Endpoint, request: &CallRequest) -> String {
    let of_spec = |spec: &SummarySpec| {
        context! { words => spec.words, sentences => spec.sentences, style => spec.style.as_deref(), tone => spec.tone.as_deref() }
    };
    let values = match request {
        CallRequest::Summarise { language, spec, note, .. } => {
            context! { language => language.name(), note => note.as_str(), terms => term_values(&[]), ..of_spec(spec) }
        }
        CallRequest::Digest { language, spec, note, terms, .. } => {
            context! { language => language.name(), note => note.as_str(), terms => term_values(terms), ..of_spec(spec) }
        }
        CallRequest::Translate { from, to, note, terms, .. } => {
            let (from, to) = (from.name(), to.name());
            context! { from, to, note => note.as_str(), terms => term_values(terms), ..of_spec(&SummarySpec::default()) }
        }
        CallRequest::Review { language, .. } => {
            context! { language => language.name(), note => "", terms => term_values(&[]), ..of_spec(&SummarySpec::default()) }
        }
    };
    endpoint.prompts.render(request.task(), &values)
}

/// The glossary terms as a template sees them: a list of objects with `from` and `to`.
fn term_values(terms: &[Term]) -> Vec<minijinja::Value> {
    terms.iter().map(|term| context! { from => term.from.as_str(), to => term.to.as_str() }).collect()
}

/// Fences the material with the hash of the material as a marker. Its author cannot forge this
/// marker: it would have to be the hash of a text that contains it. A random marker would be just
/// as safe, but would change the request in every run.
pub(crate) fn fence(material: &str) -> String {
    let marker = blake3::hash(material.as_bytes()).to_hex();
    let marker = marker.get(..32).unwrap_or_default();
    format!("<<{marker}>>\n{}\n<<{marker}>>", without_control_words(material))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Lang;

    #[test]
    fn instructions_contain_languages_length_terms_and_note() {
        let request = CallRequest::Digest {
            title: "T".into(),
            text: "Texte.".into(),
            language: Lang::FR,
            spec: SummarySpec { words: 61, tone: Some("neutral".into()), ..SummarySpec::default() },
            note: "“20” is wrong.".into(),
            terms: vec![Term { from: "OTAN".into(), to: "NATO".into() }],
        };
        let text = instructions(&Endpoint::sample("openai", "http://h"), &request);
        for part in ["in French", "about 61 words", "Tone: neutral.", "“20” is wrong.", "- OTAN = NATO"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_digest_is_asked_for_without_the_articles_own_title() {
        let ask = |language| {
            let (title, text, note) = ("T".to_owned(), "Texte.".to_owned(), String::new());
            let request = CallRequest::Digest { title, text, language, spec: SummarySpec::default(), note, terms: vec![] };
            instructions(&Endpoint::sample("openai", "http://h"), &request)
        };
        assert!(ask(Lang::FR).contains("JSON object with title_en, summary_fr and summary_en."));
        assert!(ask(Lang::EN).contains("JSON object with title_fr, summary_fr and summary_en."));
    }
}
