//! `depeche models`: which translation models are here, and fetching them ahead of a run.

use std::sync::Arc;

use super::{ModelsArguments, endpoints, runtime};
use crate::config::{Overrides, Translator};
use crate::embedded::models::{DIRECTIONS, find};
use crate::model::{Exit, Fault};
use crate::report::{self, Progress, say};

pub(super) fn run(arguments: &ModelsArguments) -> Result<Exit, Fault> {
    let mut config = arguments.common.load(&Overrides::default())?;
    let progress = Arc::new(Progress::new(arguments.common.loudness(), &[]));
    report::start_log(arguments.common.loudness(), &progress);
    if arguments.fetch {
        (config.embedded.fetch, config.embedded.translator) = (true, Translator::Firefox);
        let fetched = runtime()?.block_on(endpoints::translators(&config, &progress));
        progress.end();
        fetched?;
    }
    let mut exit = Exit::Done;
    for (from, to) in DIRECTIONS {
        match find(&config.embedded, from, to) {
            Ok(Some(files)) => say(&format!("ok    {from}→{to}: {} ({})", files.model.display(), files.version)),
            Ok(None) => {
                exit = exit.worse(Exit::EndpointStop);
                say(&format!("none  {from}→{to}: no model `{}`; `depeche models --fetch` gets it", config.embedded.model));
            }
            Err(damage) => {
                exit = exit.worse(Exit::EndpointStop);
                say(&format!("fail  {from}→{to}: {damage}"));
            }
        }
    }
    Ok(exit)
}
