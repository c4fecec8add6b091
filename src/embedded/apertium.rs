//! The translator of last resort: Debian's Apertium, through Spanish, kept running and asked a sentence at a time.
//!
//! [`Installed::find`] says what of it is there, [`Installed::translator`] starts the programs for one direction, and
//! [`Translator::translate`] blocks until the sentence is done: call it from a thread of its own.

#![expect(clippy::string_slice, reason = "every offset here comes from a search in the same text, so it lies between characters")]

mod escape;
mod mode;
mod pipe;
mod polish;
#[cfg(test)]
mod tests;

use mode::Program;
use pipe::Chain;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// Where Debian's packages put their mode files.
pub(super) const MODES: &str = "/usr/share/apertium/modes";

/// How long a sentence may take before its chain of programs counts as hanging.
pub(super) const TIME_OUT: Duration = Duration::from_secs(10);

/// The Debian packages that everything here comes from.
pub(super) const PACKAGES: &str = "apertium apertium-fr-es apertium-eng-spa";

/// Raised when [`polish`] changes what it makes of the same raw translation, so that no old one is taken from a cache.
const POLISH: u32 = 1;

/// The most characters that are given to the chain at a time.
const LONGEST: usize = 2_000;

/// What can go wrong with Apertium.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// Programs, mode files or dictionaries are not there.
    #[error("Apertium is not complete: {} missing; on Debian: apt install {PACKAGES}", list(.missing))]
    Missing {
        /// What is missing, by name or path.
        missing: Vec<String>,
    },
    /// A mode file is no plain pipeline.
    #[error("{}: not a mode file that can be used: {why}", file.display())]
    BadMode {
        /// The mode file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Apertium is only used between French and English.
    #[error("Apertium is not set up to translate from {from} to {to}, only between fr and en")]
    Pair {
        /// The language asked from.
        from: String,
        /// The language asked to.
        to: String,
    },
    /// A program could not be started.
    #[error("{what} could not be started")]
    Start {
        /// The program or thread.
        what: String,
        /// Why not.
        source: std::io::Error,
    },
    /// No answer in time, twice.
    #[error("Apertium gave no answer within {seconds} s")]
    TimedOut {
        /// The time it was given.
        seconds: f64,
    },
    /// A program of the chain ended, twice.
    #[error("a program of Apertium's ended unexpectedly")]
    Died,
    /// The answer was no text.
    #[error("Apertium's answer was not UTF-8")]
    NotUtf8,
}

/// From which language to which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    /// French to English.
    FrEn,
    /// English to French.
    EnFr,
}

impl Direction {
    /// The direction between two language codes.
    ///
    /// # Errors
    ///
    /// [`Error::Pair`] for anything but `fr` and `en`.
    pub(super) fn between(from: &str, to: &str) -> Result<Self, Error> {
        match (from, to) {
            ("fr", "en") => Ok(Self::FrEn),
            ("en", "fr") => Ok(Self::EnFr),
            _ => Err(Error::Pair { from: from.to_owned(), to: to.to_owned() }),
        }
    }

    /// The mode files of its two legs.
    const fn modes(self) -> [&'static str; 2] {
        match self {
            Self::FrEn => ["fr-es", "spa-eng"],
            Self::EnFr => ["eng-spa", "es-fr"],
        }
    }
}

/// The programs of a direction's two pipelines: into Spanish, out of Spanish.
type Legs = [Vec<Program>; 2];

/// What is installed of Apertium: the programs of each direction, and what is missing for it.
#[derive(Debug, Clone)]
pub(super) struct Installed {
    fr_en: Result<Legs, Vec<String>>,
    en_fr: Result<Legs, Vec<String>>,
    version: String,
}

impl Installed {
    /// Looks for the mode files in `modes` (usually [`MODES`]), the programs they name and their dictionaries, without
    /// starting anything.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if neither direction is complete, [`Error::BadMode`] if a mode file cannot be used.
    pub(super) fn find(modes: &Path) -> Result<Self, Error> {
        let fr_en = direction(modes, Direction::FrEn)?;
        let en_fr = direction(modes, Direction::EnFr)?;
        if let (Err(one), Err(other)) = (&fr_en, &en_fr) {
            let mut missing: Vec<String> = one.iter().chain(other).cloned().collect();
            missing.sort();
            missing.dedup();
            return Err(Error::Missing { missing });
        }
        let version = version(fr_en.iter().chain(&en_fr).flatten().flatten());
        Ok(Self { fr_en, en_fr, version })
    }

    /// Whether a direction can be translated.
    #[cfg(test)]
    const fn has(&self, direction: Direction) -> bool {
        self.programs(direction).is_ok()
    }

    /// What identifies the programs, the dictionaries and the polishing, for a cache's key: it changes whenever a
    /// translation may.
    #[must_use]
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Starts the programs of one direction.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if the direction is not complete, [`Error::Start`] if a program does not start.
    pub(super) fn translator(&self, direction: Direction, time_out: Duration) -> Result<Translator, Error> {
        let legs = self.programs(direction).clone().map_err(|missing| Error::Missing { missing })?;
        let mut legs = legs.map(|programs| Leg { programs, chain: None });
        for leg in &mut legs {
            leg.chain = Some(Chain::start(&leg.programs)?);
        }
        Ok(Translator { direction, legs, time_out })
    }

    const fn programs(&self, direction: Direction) -> &Result<Legs, Vec<String>> {
        match direction {
            Direction::FrEn => &self.fr_en,
            Direction::EnFr => &self.en_fr,
        }
    }
}

/// A running translator of one direction. Its programs are stopped when it is dropped.
#[derive(Debug)]
pub(super) struct Translator {
    direction: Direction,
    legs: [Leg; 2],
    time_out: Duration,
}

/// One leg's programs, and the chain of them that is running.
#[derive(Debug)]
struct Leg {
    programs: Vec<Program>,
    chain: Option<Chain>,
}

impl Translator {
    /// Translates one sentence or a short text; line breaks are kept, and a line without letters comes back unchanged.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`], [`Error::Died`] or [`Error::NotUtf8`] if it went wrong with a new chain too; the next call
    /// starts another.
    pub(super) fn translate(&mut self, text: &str) -> Result<String, Error> {
        let text = text.replace('\0', "");
        let lines: Result<Vec<String>, Error> = text.split('\n').map(|line| self.line(line)).collect();
        Ok(lines?.join("\n"))
    }

    /// Which way it translates.
    pub(super) fn direction(&self) -> Direction {
        self.direction
    }

    /// Stops the programs; the next call starts new ones.
    ///
    /// The English tagger learns from what it reads, so that a few sentences in a hundred come out differently after
    /// another article. Where the same article must always give the same translation, begin it with this.
    pub(super) fn restart(&mut self) {
        for leg in &mut self.legs {
            leg.chain = None;
        }
    }

    /// The process ids of the programs that are running.
    #[cfg(test)]
    fn pids(&self) -> Vec<u32> {
        self.legs.iter().filter_map(|leg| leg.chain.as_ref()).flat_map(Chain::pids).collect()
    }

    fn line(&mut self, line: &str) -> Result<String, Error> {
        let mut out = Vec::new();
        for piece in pieces(line, LONGEST) {
            if !piece.contains(char::is_alphabetic) {
                out.push(piece.to_owned());
                continue;
            }
            let first = polish::before(self.direction, piece);
            let marked = self.legs[0].translate(&first, self.time_out)?;
            let spanish = polish::between(&first, &marked);
            let raw = self.legs[1].translate(&spanish, self.time_out)?;
            out.push(polish::after(self.direction, &first, &raw));
        }
        Ok(out.join(" "))
    }
}

impl Leg {
    /// Asks the running chain and, if that fails, a new one.
    fn translate(&mut self, text: &str, time_out: Duration) -> Result<String, Error> {
        self.ask(text, time_out).or_else(|_| self.ask(text, time_out))
    }

    fn ask(&mut self, text: &str, time_out: Duration) -> Result<String, Error> {
        // Taken out: a chain that fails is stopped here and not asked again.
        let mut chain = match self.chain.take() {
            Some(chain) => chain,
            None => Chain::start(&self.programs)?,
        };
        let reply = chain.ask(escape::frame(text), time_out)?;
        let text = escape::unframe(text, &reply).ok_or(Error::Died)?;
        self.chain = Some(chain);
        Ok(text)
    }
}

/// The pipelines of a direction's two legs, or what is missing of them.
fn direction(modes: &Path, direction: Direction) -> Result<Result<Legs, Vec<String>>, Error> {
    let mut missing = Vec::new();
    let mut leg = |name: &str, marked: bool| -> Result<Vec<Program>, Error> {
        let file = modes.join(name).with_extension("mode");
        let Ok(text) = fs::read_to_string(&file) else {
            missing.push(file.display().to_string());
            return Ok(Vec::new());
        };
        Ok(mode::resolve(mode::parse(&file, &text, marked)?, &mut missing))
    };
    let [first, second] = direction.modes();
    let legs = [leg(first, true)?, leg(second, false)?];
    Ok(if missing.is_empty() { Ok(legs) } else { Err(missing) })
}

/// A hash of the name, size and time of every program and dictionary: cheap, and a new package changes it.
fn version<'a>(programs: impl Iterator<Item = &'a Program>) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for program in programs {
        add(program.path.as_os_str().as_encoded_bytes());
        for arg in &program.args {
            add(arg.as_bytes());
        }
        let files = program.args.iter().map(Path::new).filter(|arg| arg.is_absolute());
        for data in files.chain([program.path.as_path()]).filter_map(|file| fs::metadata(file).ok()) {
            let time = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
            add(&data.len().to_le_bytes());
            add(&time.as_secs().to_le_bytes());
        }
    }
    format!("apertium-{hash:016x}-p{POLISH}")
}

/// Cuts a text into pieces of at most `longest` characters, after a sentence or else at a space where there is one.
fn pieces(text: &str, longest: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((end, _)) = rest.char_indices().nth(longest) {
        let (head, _) = rest.split_at(end);
        let sentence = head.rfind(". ").map(|stop| stop + 1);
        let cut = sentence.or_else(|| head.rfind(' ')).filter(|&cut| cut > 0).unwrap_or(end);
        pieces.push(&rest[..cut]);
        rest = rest[cut..].trim_start_matches(' ');
    }
    pieces.push(rest);
    pieces
}

/// The first few of a list, for a message.
fn list(names: &[String]) -> String {
    let shown = names.iter().take(4).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > 4 { format!("{shown} and {} more", names.len() - 4) } else { shown }
}
