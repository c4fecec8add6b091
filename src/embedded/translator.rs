//! Which translator does which direction, and the threads that they work on.

use tokio::sync::{mpsc, oneshot};

use super::apertium::{Direction, Installed, MODES, TIME_OUT, Translator as ApertiumChain};
use super::fetch::{self, Progress};
use super::firefox::{self, Firefox};
use super::models::{self, DIRECTIONS, pair};
use crate::config::{Embedded, Translator};
use crate::extract::sentences::spans;
use crate::model::{Exit, Fault, Lang};

/// Translates texts; lives on one thread.
pub(super) trait Engine {
    /// One answer a text, in their order; a text is its sentences.
    fn translate(&mut self, texts: &[Vec<String>]) -> Vec<Result<Vec<String>, String>>;
}

/// Sentences that wait for one direction before callers wait too.
const QUEUE: usize = 64;
/// Sentences handed to the engine at once.
const MOST_SENTENCES: usize = 128;

/// One direction's translator.
pub(super) struct Way {
    pub(super) from: Lang,
    pub(super) to: Lang,
    /// Name and version, as `firefox-tiny-0123456789ab`.
    pub(super) name: String,
    /// Whether it is gist quality.
    pub(super) draft: bool,
    queue: mpsc::Sender<Job>,
}

/// All directions that can be translated here; none where only summaries are asked for.
#[derive(Default)]
pub struct Translators {
    pub(super) ways: Vec<Way>,
}

impl Translators {
    /// What translates here, with versions.
    pub fn names(&self) -> String {
        let ways = self.ways.iter().map(|way| format!("{} {}", pair(way.from, way.to), way.name));
        let names = ways.collect::<Vec<_>>().join(", ");
        if names.is_empty() { "none".into() } else { names }
    }

    pub(super) fn way(&self, from: Lang, to: Lang) -> Option<&Way> {
        self.ways.iter().find(|way| way.from == from && way.to == to)
    }
}

/// Finds a translator for each direction: a Firefox model from the user's folder, the cache or the network, else Apertium.
///
/// # Errors
/// Exit 4 with the ways to get one, where there is none at all.
pub async fn choose(config: &Embedded, progress: Progress<'_>) -> Result<Translators, Fault> {
    let mut ways = Vec::new();
    let mut reasons: Vec<String> = Vec::new();
    for (from, to) in DIRECTIONS {
        match way(config, from, to, progress, !reasons.is_empty()).await {
            Ok(way) => ways.push(way),
            Err(reason) => reasons.push(format!("{from}→{to}: {reason}")),
        }
    }
    reasons.dedup();
    if ways.is_empty() {
        return Err(Fault::new(Exit::EndpointStop, none_there(config, &reasons)));
    }
    for reason in reasons {
        tracing::warn!("no translator {reason}; articles that need it will fail");
    }
    Ok(Translators { ways })
}

fn none_there(config: &Embedded, reasons: &[String]) -> String {
    let folder = config.models_dir.clone().or_else(models::cache).map_or_else(|| "models_dir".into(), |path| path.display().to_string());
    format!(
        "the embedded endpoint has no translator.\n  {}\nThere are three ways to get one:\n  \
         1. apt install apertium-fr-es apertium-eng-spa   (drafts, no download from anywhere else)\n  \
         2. let it fetch Firefox's model once: fetch = true under [embedded], with a way to {} or to a mirror\n  \
         3. put the models of another machine into {folder} (fr-en/ and en-fr/, each with its SHA256SUMS)\n\
         Or name another endpoint in the config: `depeche init --list` shows which.",
        reasons.join("\n  "),
        config.mirror.as_deref().unwrap_or(fxtranslate::remote::PROD_ENDPOINT),
    )
}

/// The translator of one direction. `unreachable`: the other direction's model could not be fetched, so this one is not tried.
async fn way(config: &Embedded, from: Lang, to: Lang, progress: Progress<'_>, unreachable: bool) -> Result<Way, String> {
    let firefox = if config.translator == Translator::Apertium {
        Err("the config says translator = \"apertium\"".to_owned())
    } else {
        firefox_way(config, from, to, progress, unreachable).await
    };
    let reason = match firefox {
        Ok(way) => return Ok(way),
        Err(reason) => reason,
    };
    if config.translator == Translator::Firefox {
        return Err(reason);
    }
    if config.translator == Translator::Auto {
        tracing::info!("no Firefox model {from}→{to} ({reason}); trying Apertium");
    }
    apertium_way(from, to).map_err(|missing| format!("{reason}; {missing}"))
}

async fn firefox_way(config: &Embedded, from: Lang, to: Lang, progress: Progress<'_>, unreachable: bool) -> Result<Way, String> {
    firefox::can_run()?;
    let files = match models::find(config, from, to)? {
        Some(files) => files,
        None if !config.fetch => return Err(format!("there is no model {from}→{to}, and fetch = false")),
        None if unreachable => return Err("no model, and none could be fetched".into()),
        None => fetch::fetch(config, from, to, progress).await?,
    };
    let name = format!("firefox-{}-{}", config.model, files.version);
    Ok(Way { from, to, name, draft: false, queue: spawn(&pair(from, to), move || Firefox::load(&files))? })
}

fn apertium_way(from: Lang, to: Lang) -> Result<Way, String> {
    let installed = Installed::find(MODES.as_ref()).map_err(|error| error.to_string())?;
    let direction = Direction::between(from.code(), to.code()).map_err(|error| error.to_string())?;
    let name = installed.version().to_owned();
    let make = move || installed.translator(direction, TIME_OUT).map_err(|error| error.to_string());
    Ok(Way { from, to, name, draft: true, queue: spawn(&pair(from, to), make)? })
}

impl Engine for ApertiumChain {
    fn translate(&mut self, texts: &[Vec<String>]) -> Vec<Result<Vec<String>, String>> {
        let translate = |text: &Vec<String>| {
            // Its English tagger carries over what it read: the same article must have the same translation in every run.
            if self.direction() == Direction::EnFr {
                self.restart();
            }
            text.iter().map(|sentence| ApertiumChain::translate(self, sentence).map_err(|error| error.to_string())).collect()
        };
        texts.iter().map(translate).collect()
    }
}

/// Sentences of one text, and where their translations go.
struct Job {
    sentences: Vec<String>,
    done: oneshot::Sender<Result<Vec<String>, String>>,
}

/// Starts a thread for one direction; the engine is made when the first text comes, so that a direction nobody needs costs nothing.
fn spawn<E: Engine>(name: &str, make: impl FnOnce() -> Result<E, String> + Send + 'static) -> Result<mpsc::Sender<Job>, String> {
    let (queue, mut jobs) = mpsc::channel::<Job>(QUEUE);
    let thread = std::thread::Builder::new().name(name.to_owned());
    let work = move || {
        let Some(mut next) = jobs.blocking_recv() else { return };
        let mut engine = make();
        loop {
            let mut group = vec![next];
            let mut sentences = group.iter().map(|job| job.sentences.len()).sum::<usize>();
            while sentences < MOST_SENTENCES {
                let Ok(job) = jobs.try_recv() else { break };
                sentences += job.sentences.len();
                group.push(job);
            }
            translate_group(&mut engine, group);
            let Some(job) = jobs.blocking_recv() else { return };
            next = job;
        }
    };
    thread.spawn(work).map_err(|error| format!("no thread for the translator: {error}"))?;
    Ok(queue)
}

fn translate_group<E: Engine>(engine: &mut Result<E, String>, group: Vec<Job>) {
    let (texts, waiting): (Vec<_>, Vec<_>) = group.into_iter().map(|job| (job.sentences, job.done)).unzip();
    let translated = match engine {
        Ok(engine) => engine.translate(&texts),
        Err(reason) => vec![Err(reason.clone()); texts.len()],
    };
    for (done, answer) in waiting.into_iter().zip(translated) {
        // Who asked may have hung up.
        let _ = done.send(answer);
    }
}

impl Way {
    /// Translates texts, sentence by sentence; what stands between the sentences stays.
    pub(super) async fn translate(&self, texts: &[String]) -> Result<Vec<String>, String> {
        let cut: Vec<Vec<Piece>> = texts.iter().map(|text| pieces(text)).collect();
        let sentences: Vec<String> =
            cut.iter().flatten().filter(|piece| piece.has_letters()).map(|piece| piece.sentence.to_owned()).collect();
        let mut translated = Vec::new().into_iter();
        if !sentences.is_empty() {
            let (done, answer) = oneshot::channel();
            let broken = || "the translator's thread has ended".to_owned();
            self.queue.send(Job { sentences, done }).await.map_err(|_| broken())?;
            translated = answer.await.map_err(|_| broken())??.into_iter();
        }
        let join = |text: Vec<Piece>| {
            let mut joined = String::new();
            for piece in text {
                let sentence = if piece.has_letters() { translated.next().unwrap_or_default() } else { piece.sentence.to_owned() };
                joined.push_str(&sentence);
                joined.push_str(piece.gap);
            }
            joined
        };
        Ok(cut.into_iter().map(join).collect())
    }
}

/// A sentence and the white space behind it.
struct Piece<'a> {
    sentence: &'a str,
    gap: &'a str,
}

impl Piece<'_> {
    fn has_letters(&self) -> bool {
        self.sentence.chars().any(char::is_alphabetic)
    }
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let sentences = spans(text).into_iter().filter_map(|span| text.get(span));
    let piece = |part: &'_ str| part.trim_end().len();
    sentences
        .map(|part| {
            let (sentence, gap) = part.split_at(piece(part));
            (sentence, gap)
        })
        .map(|(sentence, gap)| Piece { sentence, gap })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Shout;

    impl Engine for Shout {
        fn translate(&mut self, texts: &[Vec<String>]) -> Vec<Result<Vec<String>, String>> {
            let shout = |sentence: &String| if sentence.contains("poison") { Err("bad".to_owned()) } else { Ok(sentence.to_uppercase()) };
            texts.iter().map(|text| text.iter().map(shout).collect()).collect()
        }
    }

    fn shout(texts: &[&str]) -> Vec<Result<Vec<String>, String>> {
        let queue = spawn("test", || Ok(Shout)).unwrap();
        let way = Way { from: Lang::FR, to: Lang::EN, name: "shout".into(), draft: false, queue };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        texts.iter().map(|text| runtime.block_on(way.translate(&[(*text).to_owned()]))).collect()
    }

    #[test]
    fn gaps_stay_and_a_text_without_letters_is_not_sent() {
        let answers = shout(&["Il pleut. Il neige.\n\nFin.", "12,5 %", ""]);
        assert_eq!(answers, [Ok(vec!["IL PLEUT. IL NEIGE.\n\nFIN.".into()]), Ok(vec!["12,5 %".into()]), Ok(vec![String::new()])]);
    }

    #[test]
    fn a_sentence_that_fails_fails_its_text_only() {
        let answers = shout(&["Un poison. Deux.", "Trois."]);
        assert_eq!(answers, [Err("bad".into()), Ok(vec!["TROIS.".into()])]);
    }
}
