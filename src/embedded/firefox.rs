//! Firefox Translations' models, run by the crate `fxtranslate`.

use fxtranslate::engine::Engine as FxEngine;

use super::engine::Engine;
use super::models::ModelFiles;
use crate::model::CallLimits;
use crate::plan::cut;

/// The engine silently drops all but the first 128 tokens of a text, so longer sentences are split
/// before.
const MAX_TOKENS: usize = 120;
/// The limit of a part of a long sentence. French and English have at least three characters a
/// token in running text.
const PART_LIMITS: CallLimits = CallLimits { characters: 240, bytes: usize::MAX, texts: 1 };
/// The number of sentences translated together. Measured: 16 of similar length are faster than 64.
const BATCH_SIZE: usize = 16;

/// Checks that this build's kernel runs on this CPU.
///
/// # Errors
/// If it does not, with what to do.
pub(super) fn check_cpu() -> Result<(), String> {
    #[cfg(all(feature = "simd", target_arch = "x86_64"))]
    if !std::is_x86_feature_detected!("avx2") {
        return Err("this build's translation kernel needs a CPU with AVX2; build with --no-default-features for the portable one".into());
    }
    Ok(())
}

/// A loaded model. It must be loaded on the thread that uses it, because the engine is not `Send`.
pub(super) struct Firefox {
    engine: FxEngine,
}

impl Firefox {
    /// Loads a model whose hashes are verified.
    ///
    /// # Errors
    /// If the engine cannot load it.
    pub(super) fn load(files: &ModelFiles) -> Result<Self, String> {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        // The engine panics if tensors are missing. The hashes are right, so this is a model that
        // it does not support.
        let loaded = std::panic::catch_unwind(|| FxEngine::load_mmapped(&files.model, &files.source_vocabulary, &files.target_vocabulary));
        let mut engine = loaded.map_err(|_| "the engine cannot run this model")??.with_threads(threads);
        if let Some(path) = &files.shortlist {
            let shortlist = std::fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
            engine = engine.with_shortlist_bytes(&shortlist);
        }
        Ok(Self { engine })
    }
}

impl Engine for Firefox {
    fn translate(&mut self, texts: &[Vec<String>]) -> Vec<Result<Vec<String>, String>> {
        // The parts of all texts together, so that batches are full, each with the index of its
        // sentence.
        let mut parts: Vec<(usize, String)> = Vec::new();
        for (index, sentence) in texts.iter().flatten().enumerate() {
            if self.engine.src_ids(sentence).len() <= MAX_TOKENS {
                parts.push((index, sentence.clone()));
            } else {
                parts.extend(cut(sentence, PART_LIMITS).into_iter().map(|part| (index, part)));
            }
        }
        let mut sentences = vec![Vec::new(); texts.iter().map(Vec::len).sum()];
        for ((index, _), translated) in parts.iter().zip(self.translate_parts(&parts)) {
            if let Some(sentence) = sentences.get_mut(*index) {
                sentence.push(translated);
            }
        }
        let mut sentences = sentences.into_iter().map(|parts| not_empty(&parts.join(" ")));
        texts.iter().map(|text| sentences.by_ref().take(text.len()).collect::<Vec<_>>().into_iter().collect()).collect()
    }
}

impl Firefox {
    /// Translates all parts and keeps their order.
    fn translate_parts(&self, parts: &[(usize, String)]) -> Vec<String> {
        // A batch is padded to its longest text, so texts of similar length go together.
        let mut order: Vec<(usize, &str)> = parts.iter().map(|(_, text)| text.as_str()).enumerate().collect();
        order.sort_by_key(|(_, text)| text.len());
        let mut translated: Vec<(usize, String)> = Vec::with_capacity(parts.len());
        for batch in order.chunks(BATCH_SIZE) {
            let texts: Vec<&str> = batch.iter().map(|(_, text)| *text).collect();
            translated.extend(batch.iter().map(|(at, _)| *at).zip(self.engine.translate_batch(&texts)));
        }
        translated.sort_by_key(|(at, _)| *at);
        translated.into_iter().map(|(_, text)| text).collect()
    }
}

fn not_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("the model returned an empty translation".into()) } else { Ok(text.to_owned()) }
}
