//! `depeche models`: shows which translation models are installed, and fetches them before a run.

use std::sync::Arc;

use super::arguments::ModelsArguments;
use super::endpoints::DownloadBar;
use super::runtime;
use crate::config::{Embedded, Overrides};
use crate::embedded::fetch;
use crate::embedded::models::{DIRECTIONS, ModelFiles, find};
use crate::model::{Exit, Fault, Lang};
use crate::report::{self, Progress, Verbosity, print_stderr, print_stdout};

pub(super) fn run(arguments: &ModelsArguments) -> Result<Exit, Fault> {
    let config = arguments.config.load(&Overrides::default())?.embedded;
    let progress = Arc::new(Progress::new(arguments.log.verbosity(), &[]));
    report::start_log(arguments.log.verbosity(), false, &progress);
    let quiet = arguments.log.verbosity() == Verbosity::Quiet;
    let mut exit = Exit::Done;
    for (from, to) in DIRECTIONS {
        let found = match find(&config, from, to) {
            Ok(None) if arguments.fetch => runtime()?.block_on(download(&config, from, to, &progress)),
            Ok(None) => Err(format!("model `{}` is not installed; fetch it with `depeche models --fetch`", config.model)),
            Ok(Some(files)) => Ok(files),
            Err(damage) => Err(damage),
        };
        match found {
            Ok(_) if quiet => {}
            Ok(files) => print_stdout(&format!("ok    {from}→{to}: {} ({})", files.model.display(), files.version)),
            Err(reason) => {
                exit = exit.worse(Exit::EndpointStop);
                let line = format!("none  {from}→{to}: {reason}");
                if quiet { print_stderr(&line) } else { print_stdout(&line) }
            }
        }
    }
    Ok(exit)
}

async fn download(config: &Embedded, from: Lang, to: Lang, progress: &Progress) -> Result<ModelFiles, String> {
    let bar = DownloadBar::new(progress);
    fetch(config, from, to, &|name, done, total| bar.show(name, done, total)).await
}
