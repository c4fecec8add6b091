//! `[prompts]`: the templates (minijinja) of a chat model's instructions. Their texts are part of
//! every ledger key, so that an answer to another prompt is never reused.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use minijinja::{Environment, Error, UndefinedBehavior, Value, context};

use super::raw::RawPrompts;
use super::spanned::Spanned;
use super::validator::Validator;
use crate::model::Task;

/// The templates that ship with the program, by name. The others include `rules`, `manner` and
/// `terms`.
pub const SHIPPED_PROMPTS: [(&str, &str); 7] = [
    ("rules", include_str!("prompts/rules.j2")),
    ("manner", include_str!("prompts/manner.j2")),
    ("terms", include_str!("prompts/terms.j2")),
    ("summarise", include_str!("prompts/summarise.j2")),
    ("translate", include_str!("prompts/translate.j2")),
    ("digest", include_str!("prompts/digest.j2")),
    (REVIEW, include_str!("prompts/review.j2")),
];

/// The prompt whose text is only in the keys of reviews, so that a change to it leaves all other
/// answers valid.
const REVIEW: &str = "review";

/// Earlier texts of the shipped prompts. The ledger's keys still use them, so that answers to the
/// earlier prompts stay valid if a change leaves them usable. Earlier digests also have the
/// article's own title, which is ignored.
const KEYED_PROMPTS: [(&str, &str); 1] = [("digest", include_str!("prompts/keyed/digest.j2"))];

/// A larger file is not a prompt.
const MAX_PROMPT_BYTES: u64 = 64 << 10;

static SHIPPED: LazyLock<Arc<Prompts>> = LazyLock::new(|| Arc::new(Prompts::new(&[])));

/// The compiled templates of a run.
pub struct Prompts {
    environment: Environment<'static>,
    version: String,
    review_version: String,
}

/// Prints only the version. The config's debug output is hashed to detect changes, so it must be
/// deterministic.
impl fmt::Debug for Prompts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prompts({}, {})", self.version, self.review_version)
    }
}

impl Prompts {
    /// The templates that ship with the program.
    pub(crate) fn shipped() -> Arc<Self> {
        Arc::clone(&SHIPPED)
    }

    /// Compiles the shipped templates, with some of them `replaced` (name and text). Leaves out
    /// templates that do not compile; these have already been reported.
    fn new(replaced: &[Replacement]) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut hasher = blake3::Hasher::new();
        let mut review = String::new();
        for (name, shipped) in SHIPPED_PROMPTS {
            let own = replaced.iter().find(|own| own.name == name);
            let text = own.map_or(shipped, |own| &own.text);
            let keyed = KEYED_PROMPTS.iter().find(|(keyed, _)| *keyed == name && own.is_none()).map_or(text, |(_, text)| *text);
            if name == REVIEW {
                keyed.clone_into(&mut review);
            } else {
                hasher.update(keyed.as_bytes()).update(b"\0");
            }
            let _ = environment.add_template_owned(name, text.trim_end().to_owned());
        }
        let digits = |hasher: &blake3::Hasher| hasher.finalize().to_hex().get(..16).unwrap_or_default().to_owned();
        let version = digits(&hasher);
        let review_version = digits(hasher.update(review.as_bytes()));
        Self { environment, version, review_version }
    }

    /// Identifies the texts that a prompt for `task` may contain: 16 hexadecimal digits of their
    /// hash.
    pub(crate) fn version(&self, task: Task) -> &str {
        if task == Task::Review { &self.review_version } else { &self.version }
    }

    /// Renders the instructions for `task`. Falls back to the shipped template, although each
    /// template was tried when the config was loaded.
    pub(crate) fn render(&self, task: Task, values: &Value) -> String {
        let name = task.to_string();
        self.try_render(&name, values).or_else(|_| SHIPPED.try_render(&name, values)).unwrap_or_default()
    }

    fn try_render(&self, name: &str, values: &Value) -> Result<String, Error> {
        self.environment.get_template(name)?.render(values)
    }
}

/// A user's template that replaces the shipped one of that name.
struct Replacement {
    name: &'static str,
    text: String,
    file: Spanned<String>,
}

impl Validator<'_> {
    /// Loads the templates, and tries each with every kind of value.
    pub(super) fn prompts(&mut self, raw: RawPrompts) -> Arc<Prompts> {
        let files = [
            ("rules", raw.rules),
            ("manner", raw.manner),
            ("terms", raw.terms),
            ("summarise", raw.summarise),
            ("translate", raw.translate),
            ("digest", raw.digest),
            (REVIEW, raw.review),
        ];
        let mut replaced = Vec::new();
        for (name, file) in files {
            let Some(file) = file else { continue };
            match read(&self.folder.join(file.get_ref())) {
                Ok(text) => replaced.push(Replacement { name, text, file }),
                Err(message) => {
                    let hint = "`depeche init --prompts DIR` writes the shipped ones".to_owned();
                    self.problem(&file.span(), message, Some(hint));
                }
            }
        }
        if replaced.is_empty() {
            return Prompts::shipped();
        }
        self.check_syntax(&replaced);
        let prompts = Prompts::new(&replaced);
        self.try_prompts(&prompts, &replaced);
        Arc::new(prompts)
    }

    fn check_syntax(&mut self, replaced: &[Replacement]) {
        for Replacement { name, text, file } in replaced {
            if let Err(error) = Environment::new().add_template(name, text) {
                let line = error.line().map_or_else(String::new, |line| format!(", line {line}"));
                self.problem(&file.span(), format!("the prompt `{}`{line}: {}", file.get_ref(), explain(&error)), None);
            }
        }
    }

    /// Renders each template with all values set, and with as few as possible.
    fn try_prompts(&mut self, prompts: &Prompts, replaced: &[Replacement]) {
        let all = context! { words => 60, sentences => 3, style => "s", tone => "t", note => "n", language => "French",
        from => "French", to => "English", terms => vec![context! { from => "OTSC", to => "CSTO" }] };
        let few = context! { words => 60, sentences => (), style => (), tone => (), note => "", language => "French",
        from => "French", to => "English", terms => Vec::<String>::new() };
        for Replacement { name, file, .. } in replaced {
            let rendered = prompts.try_render(name, &all).and_then(|_| prompts.try_render(name, &few));
            if let Err(error) = rendered {
                let hint = "the available values are language, from, to, words, sentences, style, tone, note, terms".to_owned();
                let message = format!("the prompt `{}` cannot be rendered: {}", file.get_ref(), explain(&error));
                self.problem(&file.span(), message, Some(hint));
            }
        }
    }
}

fn explain(error: &Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned)
}

fn read(path: &Path) -> Result<String, String> {
    let failed = |reason: String| format!("cannot use the prompt `{}`: {reason}", path.display());
    let meta = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    if !meta.is_file() {
        return Err(failed("not a file".into()));
    }
    if meta.len() > MAX_PROMPT_BYTES {
        return Err(failed(format!("{} KB is too large for a prompt", meta.len() >> 10)));
    }
    std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_for_reviews_is_only_in_the_keys_of_reviews() {
        let own = |name| Prompts::new(&[Replacement { name, text: "Own.".into(), file: Spanned::new(0..0, String::new()) }]);
        let shipped = Prompts::shipped();
        let versions = |prompts: &Prompts| [Task::Summarise, Task::Review].map(|task| prompts.version(task).to_owned());
        let [summary, review] = versions(&shipped);
        let [same, other] = versions(&own(REVIEW));
        assert!(same == summary && other != review);
        let [other, too] = versions(&own("rules"));
        assert!(other != summary && too != review, "a review contains the rules");
    }
}
