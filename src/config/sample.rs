//! A config for tests.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Checks, Config, Embedded, Fields, NearDuplicates, OutputFormat, Profile, Route, Rules, RunSettings, Summary, Translator};
use crate::model::SummarySpec;

impl Config {
    /// A config without endpoints.
    pub(crate) fn sample() -> Self {
        let embedded = Embedded { translator: Translator::Auto, model: "tiny".into(), fetch: false, models_dir: None, mirror: None };
        Self {
            folder: PathBuf::from("/base"),
            input: vec![PathBuf::from("/base/input")],
            max_bytes: 1 << 20,
            near: NearDuplicates::Report,
            fields: Fields::default(),
            rules: Arc::new(Rules::shipped()),
            output: PathBuf::from("/base/output"),
            ledger: None,
            profile: Profile::Plain,
            formats: OutputFormat::ALL.iter().map(|(_, format)| *format).collect(),
            summary: Summary {
                route: Route::SummariseThenTranslate,
                spec: SummarySpec { words: 60, ..SummarySpec::default() },
                keep_text: false,
            },
            glossary: Vec::new(),
            endpoints: Vec::new(),
            checks: Checks::default(),
            embedded,
            page_rows: 5000,
            page_language: None,
            mail: None,
            run: RunSettings::default(),
        }
    }
}
