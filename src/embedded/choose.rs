//! Chooses the translator of each direction.

use super::apertium::{self, Direction, Installed};
use super::engine::EngineThread;
use super::fetch::{self, Progress};
use super::firefox::{self, Firefox};
use super::models::{self, DIRECTIONS, pair};
use super::translator::{Translator, Translators};
use crate::config::{Embedded, Translator as Choice};
use crate::model::{Exit, Fault, Lang};

/// Finds a translator for each direction: a Firefox model from the user's folder, the cache or the
/// network, else Apertium.
///
/// # Errors
/// Exit code 4, with the ways to get a translator, if there is none for either direction.
pub(crate) async fn choose(config: &Embedded, progress: Progress<'_>) -> Result<Translators, Fault> {
    let mut translators = Vec::new();
    let mut reasons: Vec<String> = Vec::new();
    for (from, to) in DIRECTIONS {
        match choose_one(config, from, to, progress, !reasons.is_empty()).await {
            Ok(translator) => translators.push(translator),
            Err(reason) => reasons.push(format!("{from}→{to}: {reason}")),
        }
    }
    reasons.dedup();
    if translators.is_empty() {
        return Err(Fault::new(Exit::EndpointStop, no_translator(config, &reasons)));
    }
    for reason in reasons {
        tracing::warn!("no translator {reason}; articles that need it will fail");
    }
    Ok(Translators { translators })
}

fn no_translator(config: &Embedded, reasons: &[String]) -> String {
    let folder =
        config.models_dir.clone().or_else(models::cache_folder).map_or_else(|| "models_dir".into(), |path| path.display().to_string());
    format!(
        "the embedded endpoint has no translator.\n  {}\nThere are three ways to get one:\n  \
         1. apt install apertium-fr-es apertium-eng-spa   (drafts; nothing else is downloaded)\n  \
         2. download Firefox's model once: set fetch = true under [embedded]; this needs access to {} or to a mirror\n  \
         3. copy the models from another machine to {folder} (fr-en/ and en-fr/, each with its SHA256SUMS)\n\
         Or use another endpoint in the config: `depeche init --list` shows the choices.",
        reasons.join("\n  "),
        config.mirror.as_deref().unwrap_or(fxtranslate::remote::PROD_ENDPOINT),
    )
}

/// Finds the translator of one direction. `unreachable`: the download for the other direction has
/// failed, so skip this one.
async fn choose_one(config: &Embedded, from: Lang, to: Lang, progress: Progress<'_>, unreachable: bool) -> Result<Translator, String> {
    let firefox = if config.translator == Choice::Apertium {
        Err("the config has translator = \"apertium\"".to_owned())
    } else {
        choose_firefox(config, from, to, progress, unreachable).await
    };
    let reason = match firefox {
        Ok(translator) => return Ok(translator),
        Err(reason) => reason,
    };
    if config.translator == Choice::Firefox {
        return Err(reason);
    }
    if config.translator == Choice::Auto {
        tracing::info!("no Firefox model {from}→{to} ({reason}); trying Apertium");
    }
    choose_apertium(from, to).map_err(|missing| format!("{reason}; {missing}"))
}

async fn choose_firefox(config: &Embedded, from: Lang, to: Lang, progress: Progress<'_>, unreachable: bool) -> Result<Translator, String> {
    firefox::check_cpu()?;
    let files = match models::find(config, from, to)? {
        Some(files) => files,
        None if !config.fetch => return Err(format!("there is no model {from}→{to}, and fetch = false")),
        None if unreachable => return Err("there is no model, and the download failed".into()),
        None => fetch::fetch(config, from, to, progress).await?,
    };
    let name = format!("firefox-{}-{}", config.model, files.version);
    let thread = EngineThread::start(&pair(from, to), move || Firefox::load(&files))?;
    Ok(Translator { from, to, name, draft: false, thread })
}

fn choose_apertium(from: Lang, to: Lang) -> Result<Translator, String> {
    let installed = Installed::find(apertium::MODES.as_ref()).map_err(|error| error.to_string())?;
    let direction = Direction::between(from.code(), to.code()).map_err(|error| error.to_string())?;
    let name = installed.version().to_owned();
    let load = move || installed.translator(direction, apertium::TIMEOUT).map_err(|error| error.to_string());
    let thread = EngineThread::start(&pair(from, to), load)?;
    Ok(Translator { from, to, name, draft: true, thread })
}
