//! Maps and sets of the words in the data files, with a fast hash. It does not withstand chosen keys,
//! and need not: no text adds a key.

use rustc_hash::{FxHashMap, FxHashSet};

/// A map by words that the program ships.
pub(super) type WordMap<V> = FxHashMap<&'static str, V>;

/// A set of words that the program ships.
pub(super) type WordSet = FxHashSet<&'static str>;
