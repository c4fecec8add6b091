//! Firefox Translations' models through the engine `fxtranslate`.

use fxtranslate::engine::Engine as Fx;

use super::models::ModelFiles;
use super::translator::Engine;
use crate::plan::cut;

/// The engine reads at most 128 tokens of a text and drops the rest without a word; a sentence longer than this is cut first.
const MOST_TOKENS: usize = 120;
/// French and English have three characters or more a token in running text.
const CHARACTERS_A_PIECE: usize = 240;
/// Sentences translated together; measured, 16 of like length beat 64.
const BATCH: usize = 16;

/// Whether this build's kernel runs on this machine.
///
/// # Errors
/// What to do where it does not.
pub(super) fn can_run() -> Result<(), String> {
    #[cfg(all(feature = "simd", target_arch = "x86_64"))]
    if !std::is_x86_feature_detected!("avx2") {
        return Err("this build's translation kernel needs a CPU with AVX2; build with --no-default-features for the portable one".into());
    }
    Ok(())
}

/// A loaded model. The engine cannot be sent between threads, so it is made on the thread that uses it.
pub(super) struct Firefox {
    engine: Fx,
}

impl Firefox {
    /// Loads a checked model.
    ///
    /// # Errors
    /// What the engine says.
    pub(super) fn load(files: &ModelFiles) -> Result<Self, String> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        // The engine panics on tensors that are missing; the hash makes that a model it cannot run, not a damaged one.
        let loaded = std::panic::catch_unwind(|| Fx::load_mmapped(&files.model, &files.source_vocabulary, &files.target_vocabulary));
        let mut engine = loaded.map_err(|_| "the engine cannot run this model")??.with_threads(threads);
        if let Some(path) = &files.shortlist {
            let shortlist = std::fs::read(path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
            engine = engine.with_shortlist_bytes(&shortlist);
        }
        Ok(Self { engine })
    }
}

impl Engine for Firefox {
    fn translate(&mut self, sentences: &[&str]) -> Vec<Result<String, String>> {
        let mut pieces: Vec<(usize, String)> = Vec::new();
        for (index, sentence) in sentences.iter().enumerate() {
            if self.engine.src_ids(sentence).len() <= MOST_TOKENS {
                pieces.push((index, (*sentence).to_owned()));
            } else {
                pieces.extend(cut(sentence, CHARACTERS_A_PIECE).into_iter().map(|piece| (index, piece)));
            }
        }
        // A batch is padded to its longest text, so texts of like length go together.
        let mut order: Vec<usize> = (0..pieces.len()).collect();
        order.sort_by_key(|at| pieces.get(*at).map_or(0, |(_, text)| text.len()));
        let mut translated = vec![String::new(); pieces.len()];
        for batch in order.chunks(BATCH) {
            let texts: Vec<&str> = batch.iter().filter_map(|at| pieces.get(*at)).map(|(_, text)| text.as_str()).collect();
            for (at, text) in batch.iter().zip(self.engine.translate_batch(&texts)) {
                if let Some(place) = translated.get_mut(*at) {
                    *place = text;
                }
            }
        }
        let mut joined: Vec<Vec<String>> = vec![Vec::new(); sentences.len()];
        for ((index, _), text) in pieces.iter().zip(translated) {
            if let Some(parts) = joined.get_mut(*index) {
                parts.push(text);
            }
        }
        joined.into_iter().map(|parts| not_empty(&parts.join(" "))).collect()
    }
}

fn not_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("the model answered with nothing".into()) } else { Ok(text.to_owned()) }
}
