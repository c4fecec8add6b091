//! Firefox Translations' models through the engine `fxtranslate`.

use fxtranslate::engine::Engine as Fx;

use super::models::ModelFiles;
use super::translator::Engine;
use crate::model::CallLimits;
use crate::plan::cut;

/// The engine reads at most 128 tokens of a text and drops the rest without a word; a sentence longer than this is cut first.
const MOST_TOKENS: usize = 120;
/// French and English have three characters or more a token in running text.
const PIECE: CallLimits = CallLimits { characters: 240, bytes: usize::MAX, texts: 1 };
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
    fn translate(&mut self, texts: &[Vec<String>]) -> Vec<Result<Vec<String>, String>> {
        // Pieces of all texts together, so that batches are full; each knows its sentence.
        let mut pieces: Vec<(usize, String)> = Vec::new();
        for (index, sentence) in texts.iter().flatten().enumerate() {
            if self.engine.src_ids(sentence).len() <= MOST_TOKENS {
                pieces.push((index, sentence.clone()));
            } else {
                pieces.extend(cut(sentence, PIECE).into_iter().map(|piece| (index, piece)));
            }
        }
        let mut sentences = vec![Vec::new(); texts.iter().map(Vec::len).sum()];
        for ((index, _), translated) in pieces.iter().zip(self.translate_pieces(&pieces)) {
            if let Some(parts) = sentences.get_mut(*index) {
                parts.push(translated);
            }
        }
        let mut sentences = sentences.into_iter().map(|parts| not_empty(&parts.join(" ")));
        texts.iter().map(|text| sentences.by_ref().take(text.len()).collect::<Vec<_>>().into_iter().collect()).collect()
    }
}

impl Firefox {
    /// The translations of all pieces, in their order.
    fn translate_pieces(&self, pieces: &[(usize, String)]) -> Vec<String> {
        // A batch is padded to its longest text, so texts of like length go together.
        let mut order: Vec<(usize, &str)> = pieces.iter().map(|(_, text)| text.as_str()).enumerate().collect();
        order.sort_by_key(|(_, text)| text.len());
        let mut translated: Vec<(usize, String)> = Vec::with_capacity(pieces.len());
        for batch in order.chunks(BATCH) {
            let texts: Vec<&str> = batch.iter().map(|(_, text)| *text).collect();
            translated.extend(batch.iter().map(|(at, _)| *at).zip(self.engine.translate_batch(&texts)));
        }
        translated.sort_by_key(|(at, _)| *at);
        translated.into_iter().map(|(_, text)| text).collect()
    }
}

fn not_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("the model answered with nothing".into()) } else { Ok(text.to_owned()) }
}
