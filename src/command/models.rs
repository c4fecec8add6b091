//! `depeche models`: which translation models are here, and fetching them ahead of a run.

use std::sync::Arc;

use super::endpoints::DownloadBar;
use super::{ModelsArguments, runtime};
use crate::config::{Embedded, Overrides};
use crate::embedded::fetch;
use crate::embedded::models::{DIRECTIONS, ModelFiles, find};
use crate::model::{Exit, Fault, Lang};
use crate::report::{self, Progress, say};

pub(super) fn run(arguments: &ModelsArguments) -> Result<Exit, Fault> {
    let config = arguments.common.load(&Overrides::default())?.embedded;
    let progress = Arc::new(Progress::new(arguments.common.loudness(), &[]));
    report::start_log(arguments.common.loudness(), false, &progress);
    let mut exit = Exit::Done;
    for (from, to) in DIRECTIONS {
        let found = match find(&config, from, to) {
            Ok(None) if arguments.fetch => runtime()?.block_on(get(&config, from, to, &progress)),
            Ok(None) => Err(format!("no model `{}` is here; `depeche models --fetch` gets it", config.model)),
            Ok(Some(files)) => Ok(files),
            Err(damage) => Err(damage),
        };
        match found {
            Ok(files) => say(&format!("ok    {from}→{to}: {} ({})", files.model.display(), files.version)),
            Err(reason) => {
                exit = exit.worse(Exit::EndpointStop);
                say(&format!("none  {from}→{to}: {reason}"));
            }
        }
    }
    Ok(exit)
}

async fn get(config: &Embedded, from: Lang, to: Lang, progress: &Progress) -> Result<ModelFiles, String> {
    let bar = DownloadBar::new(progress);
    fetch(config, from, to, &|name, done, total| bar.show(name, done, total)).await
}
