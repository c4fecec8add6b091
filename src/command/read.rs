//! `depeche read`: what is understood of each article, as JSON lines. Calls nobody.

use serde_json::json;

use super::ReadArguments;
use crate::config::Overrides;
use crate::discover::{article_id, walk};
use crate::model::{Exit, Fault};
use crate::pipeline::understand;
use crate::report::say;

pub(super) fn run(arguments: &ReadArguments) -> Result<Exit, Fault> {
    let config = arguments.common.load(&Overrides { paths: arguments.paths.clone(), ..Overrides::default() })?;
    let mut exit = Exit::Done;
    for found in walk(&config.input, &config.folder, &config.output) {
        for article in understand(found, &config) {
            let line = match article {
                Ok(article) => serde_json::to_value(&article).map_err(|error| Fault::new(Exit::Bug, error.to_string()))?,
                Err((source, reject)) => {
                    exit = exit.worse(Exit::SomeFailed);
                    json!({"id": article_id(&source), "source": source, "error": {"code": reject.code, "reason": reject.reason}})
                }
            };
            say(&line.to_string());
        }
    }
    Ok(exit)
}
