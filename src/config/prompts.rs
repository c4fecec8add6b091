//! What chat models are told: templates (minijinja) that ship with the program, or the user's own in their place. Their texts are
//! part of every ledger key, so that answers to another prompt are never taken for answers to this one.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use minijinja::{Environment, UndefinedBehavior, context};
use toml::Spanned;

use super::raw::RawPrompts;
use super::resolve::Judge;
use crate::model::{Lang, Task, Wish};

/// The templates that ship with the program: name and text. `rules`, `manner` and `terms` are what the others include.
pub const SHIPPED_PROMPTS: [(&str, &str); 6] = [
    ("rules", include_str!("prompts/rules.j2")),
    ("manner", include_str!("prompts/manner.j2")),
    ("terms", include_str!("prompts/terms.j2")),
    ("summarise", include_str!("prompts/summarise.j2")),
    ("translate", include_str!("prompts/translate.j2")),
    ("digest", include_str!("prompts/digest.j2")),
];

/// A prompt is a page of text; anything larger is some other file named by mistake.
const MAX_PROMPT_BYTES: u64 = 64 << 10;

static SHIPPED: LazyLock<Arc<Prompts>> = LazyLock::new(|| Arc::new(Prompts::new(&[])));

/// The prompts of a run.
pub struct Prompts {
    environment: Environment<'static>,
    version: String,
    /// What was told on some occasions. Most calls of a run are told the same, and to fill in a template takes as long as to write a
    /// request.
    told: Mutex<Vec<(Occasion, String)>>,
}

/// Occasions that are remembered: a run has as many as tasks and languages.
const OCCASIONS: usize = 64;

/// What decides what a model is told, where the article has nothing to do with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Occasion {
    /// What is asked.
    pub task: Task,
    /// The language of the material, and the one that it is translated into.
    pub languages: (Lang, Option<Lang>),
    /// How a summary is wished for.
    pub wish: Option<Wish>,
}

/// By their version alone: a printed config is hashed, to know whether it has changed, so it must come out the same every time.
impl fmt::Debug for Prompts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prompts({})", self.version)
    }
}

impl Prompts {
    /// Those that ship with the program.
    pub fn shipped() -> Arc<Self> {
        Arc::clone(&SHIPPED)
    }

    /// The shipped ones, with `replaced` (name and text) in their place. A text that is no template is left out: it was refused before.
    fn new(replaced: &[(&'static str, String)]) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut hasher = blake3::Hasher::new();
        for (name, shipped) in SHIPPED_PROMPTS {
            let text = replaced.iter().find(|(own, _)| *own == name).map_or(shipped, |(_, text)| text);
            hasher.update(text.as_bytes()).update(b"\0");
            let _ = environment.add_template_owned(name, text.trim_end().to_owned());
        }
        let version = hasher.finalize().to_hex().get(..16).unwrap_or_default().to_owned();
        Self { environment, version, told: Mutex::default() }
    }

    /// Names these texts: 16 hexadecimal digits of their hash.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What a model is told for `task`. A template was tried when it was loaded; should it fail all the same, the shipped one is used.
    pub fn render(&self, task: Task, values: &minijinja::Value) -> String {
        let render = |prompts: &Self| prompts.environment.get_template(&task.to_string()).and_then(|template| template.render(values));
        render(self).or_else(|_| render(&SHIPPED)).unwrap_or_default()
    }

    /// What a model is told on this occasion; `tell` makes it the first time.
    pub fn on(&self, occasion: Occasion, tell: impl FnOnce() -> String) -> String {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, text)) = told.iter().find(|(known, _)| *known == occasion) {
            return text.clone();
        }
        let text = tell();
        if told.len() < OCCASIONS {
            told.push((occasion, text.clone()));
        }
        text
    }
}

impl Judge<'_> {
    /// The prompts of the config: each template is read, and tried with every kind of value that it may meet.
    pub(super) fn prompts(&mut self, raw: RawPrompts) -> Arc<Prompts> {
        let files = [
            ("rules", raw.rules),
            ("manner", raw.manner),
            ("terms", raw.terms),
            ("summarise", raw.summarise),
            ("translate", raw.translate),
            ("digest", raw.digest),
        ];
        let mut replaced = Vec::new();
        for (name, file) in files {
            let Some(file) = file else { continue };
            match read(&self.folder.join(file.get_ref())) {
                Ok(text) => replaced.push((name, text, file)),
                Err(fault) => self.problem(&file.span(), fault, Some("`depeche init --prompts DIR` writes the shipped ones".into())),
            }
        }
        if replaced.is_empty() {
            return Prompts::shipped();
        }
        self.parse(&replaced);
        let prompts = Prompts::new(&replaced.iter().map(|(name, text, _)| (*name, text.clone())).collect::<Vec<_>>());
        self.try_out(&prompts, &replaced);
        Arc::new(prompts)
    }

    fn parse(&mut self, replaced: &[(&'static str, String, Spanned<String>)]) {
        for (name, text, file) in replaced {
            if let Err(error) = Environment::new().add_template(name, text) {
                let line = error.line().map_or_else(String::new, |line| format!(", line {line}"));
                let what = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
                self.problem(&file.span(), format!("the prompt `{}`{line}: {what}", file.get_ref()), None);
            }
        }
    }

    fn try_out(&mut self, prompts: &Prompts, replaced: &[(&'static str, String, Spanned<String>)]) {
        let some = context! { words => 60, sentences => 3, style => "s", tone => "t", note => "n", language => "French", from => "French",
        to => "English", terms => vec![context! { from => "OTSC", to => "CSTO" }] };
        let few = context! { words => 60, sentences => (), style => (), tone => (), note => "", language => "French", from => "French",
        to => "English", terms => Vec::<String>::new() };
        for (name, _, file) in replaced {
            let template = prompts.environment.get_template(name);
            let tried = template.and_then(|template| template.render(&some).and_then(|_| template.render(&few)));
            if let Err(error) = tried {
                let what = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
                let hint = "the values are language, from, to, words, sentences, style, tone, note, terms";
                self.problem(&file.span(), format!("the prompt `{}` cannot be filled in: {what}", file.get_ref()), Some(hint.into()));
            }
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    let cannot = |what: String| format!("the prompt `{}` cannot be used: {what}", path.display());
    let meta = std::fs::metadata(path).map_err(|error| cannot(error.to_string()))?;
    if !meta.is_file() || meta.len() > MAX_PROMPT_BYTES {
        return Err(cannot("it is no text of a page or two".into()));
    }
    std::fs::read_to_string(path).map_err(|error| cannot(error.to_string()))
}
