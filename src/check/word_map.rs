//! Maps and sets of the words in the data files, with a fast hash.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map by words that the program ships.
pub(super) type WordMap<V> = HashMap<&'static str, V, BuildHasherDefault<WordHasher>>;

/// A set of words that the program ships.
pub(super) type WordSet = HashSet<&'static str, BuildHasherDefault<WordHasher>>;

/// Hashes eight bytes at once. It does not withstand chosen keys, and need not: no text adds a key.
#[derive(Default)]
pub(super) struct WordHasher(u64);

/// An odd number without a pattern in its bits: the golden ratio.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (chunks, rest) = bytes.as_chunks::<8>();
        for chunk in chunks {
            self.write_u64(u64::from_le_bytes(*chunk));
        }
        let rest = rest.iter().fold(0, |rest, byte| rest << 8 | u64::from(*byte));
        self.write_u64(rest);
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(MIX);
    }

    fn finish(&self) -> u64 {
        // The map takes its place from the lowest bits, which a product mixes least.
        self.0 ^ (self.0 >> 32)
    }
}

/// For keys that are hashes themselves.
#[derive(Default)]
pub(super) struct SameHasher(u64);

impl Hasher for SameHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |so_far, byte| so_far.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_differ_have_different_hashes() {
        let hash = |word: &str| {
            let mut hasher = WordHasher::default();
            hasher.write(word.as_bytes());
            hasher.finish()
        };
        let words = ["", "a", "b", "ab", "ba", "abcdefgh", "abcdefghi", "abcdefgi", "bbcdefgh", "été", "éte"];
        let hashes: HashSet<u64> = words.into_iter().map(hash).collect();
        assert_eq!(hashes.len(), words.len());
    }
}
