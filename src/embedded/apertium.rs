//! Apertium: the fallback translator, from Debian's packages, by way of Spanish.
//!
//! [`Installed::find`] looks for its programs, [`Installed::translator`] starts those of one
//! direction, and [`Translator::translate`] blocks until the sentence is translated, so call it on
//! a thread of its own.

#![expect(clippy::string_slice, reason = "every offset comes from a search in the same text, so it is a character boundary")]

mod error;
mod escape;
mod installed;
mod mode;
mod pipeline;
mod polish;
#[cfg(test)]
mod tests;

use std::time::Duration;

use error::Error;
pub(super) use installed::{Installed, MODES};
use mode::Program;
use pipeline::Pipeline;

use super::engine::Engine;

/// The time limit for the translation of one sentence.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// The most characters that are translated at once.
const MAX_CHARACTERS: usize = 2_000;

/// The language translated from and the language translated to.
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
    /// [`Error::Pair`] for other languages than `fr` and `en`.
    pub(super) fn between(from: &str, to: &str) -> Result<Self, Error> {
        match (from, to) {
            ("fr", "en") => Ok(Self::FrEn),
            ("en", "fr") => Ok(Self::EnFr),
            _ => Err(Error::Pair { from: from.to_owned(), to: to.to_owned() }),
        }
    }

    /// The mode files of its two legs: into Spanish, and out of Spanish.
    const fn modes(self) -> [&'static str; 2] {
        match self {
            Self::FrEn => ["fr-es", "spa-eng"],
            Self::EnFr => ["eng-spa", "es-fr"],
        }
    }
}

/// A running translator of one direction. Dropping it stops its programs.
#[derive(Debug)]
pub(super) struct Translator {
    direction: Direction,
    legs: [Leg; 2],
    timeout: Duration,
}

/// The translation into Spanish or out of Spanish.
#[derive(Debug)]
struct Leg {
    programs: Vec<Program>,
    /// `None` until the first request and after a failure.
    pipeline: Option<Pipeline>,
}

impl Translator {
    /// Translates a sentence or a short text. Keeps line breaks, and lines without letters.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`], [`Error::Exited`] or [`Error::NotUtf8`] if a second try with restarted
    /// programs fails too. The next call restarts them again.
    pub(super) fn translate(&mut self, text: &str) -> Result<String, Error> {
        let text = text.replace('\0', "");
        let lines: Result<Vec<String>, Error> = text.split('\n').map(|line| self.translate_line(line)).collect();
        Ok(lines?.join("\n"))
    }

    /// Stops the programs. The next call starts new ones.
    ///
    /// The English tagger learns from what it reads: after another article, a few sentences in a
    /// hundred are translated differently.
    fn restart(&mut self) {
        for leg in &mut self.legs {
            leg.pipeline = None;
        }
    }

    /// The process ids of the running programs.
    #[cfg(test)]
    fn pids(&self) -> Vec<u32> {
        self.legs.iter().filter_map(|leg| leg.pipeline.as_ref()).flat_map(Pipeline::pids).collect()
    }

    fn translate_line(&mut self, line: &str) -> Result<String, Error> {
        let mut out = Vec::new();
        for part in split_long_line(line, MAX_CHARACTERS) {
            if !part.contains(char::is_alphabetic) {
                out.push(part.to_owned());
                continue;
            }
            let (source, names) = polish::before(self.direction, part);
            let spanish = self.legs[0].translate(&source, self.timeout)?;
            let reply = self.legs[1].translate(&spanish, self.timeout)?;
            out.push(polish::after(self.direction, &source, &names, &reply));
        }
        Ok(out.join(" "))
    }
}

impl Engine for Translator {
    fn translate(&mut self, texts: &[Vec<String>]) -> Vec<Result<Vec<String>, String>> {
        let translate = |text: &Vec<String>| {
            // The English tagger keeps state, and the same article must have the same translation
            // in every run.
            if self.direction == Direction::EnFr {
                self.restart();
            }
            text.iter().map(|sentence| Translator::translate(self, sentence).map_err(|error| error.to_string())).collect()
        };
        texts.iter().map(translate).collect()
    }
}

impl Leg {
    /// Translates with the running programs and, if that fails, once more with new ones.
    fn translate(&mut self, text: &str, timeout: Duration) -> Result<String, Error> {
        self.translate_once(text, timeout).or_else(|_| self.translate_once(text, timeout))
    }

    fn translate_once(&mut self, text: &str, timeout: Duration) -> Result<String, Error> {
        // Taken out of `self`, so that an error drops it.
        let mut pipeline = match self.pipeline.take() {
            Some(pipeline) => pipeline,
            None => Pipeline::start(&self.programs)?,
        };
        let reply = pipeline.request(escape::frame(text), timeout)?;
        let translation = escape::unframe(text, &reply).ok_or(Error::Exited)?;
        self.pipeline = Some(pipeline);
        Ok(translation)
    }
}

/// Splits a line into parts of at most `longest` characters: after a sentence if possible, else at
/// a space if possible.
fn split_long_line(line: &str, longest: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some((end, _)) = rest.char_indices().nth(longest) {
        let (head, _) = rest.split_at(end);
        let sentence_end = head.rfind(". ").map(|stop| stop + 1);
        let cut = sentence_end.or_else(|| head.rfind(' ')).filter(|&cut| cut > 0).unwrap_or(end);
        parts.push(&rest[..cut]);
        rest = rest[cut..].trim_start_matches(' ');
    }
    parts.push(rest);
    parts
}
