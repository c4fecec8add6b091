//! Cuts a text to a service's limits, at the ends of paragraphs or sentences if possible. Drops
//! nothing.

use crate::extract::sentences::spans;
use crate::model::{CallLimits, wire_bytes};

/// Cuts `text` into pieces that each fit into one call, in order. A piece holds whole paragraphs.
/// If a paragraph does not fit, it is cut into sentences. If a sentence does not fit, it is cut at
/// spaces, and if a word does not fit, anywhere.
pub(crate) fn cut(text: &str, limits: CallLimits) -> Vec<String> {
    let limits = CallLimits { characters: limits.characters.max(1), bytes: limits.bytes.max(4), ..limits };
    let mut pieces = Pieces { limits, done: Vec::new(), open: String::new(), characters: 0, bytes: 0 };
    if pieces.fits(text) {
        return vec![text.to_owned()];
    }
    for paragraph in text.split_inclusive("\n\n") {
        if pieces.fits(paragraph) {
            pieces.add(paragraph);
            continue;
        }
        for sentence in spans(paragraph).into_iter().filter_map(|span| paragraph.get(span)) {
            if pieces.fits(sentence) {
                pieces.add(sentence);
            } else {
                sentence.split_inclusive(' ').for_each(|word| pieces.add_long(word));
            }
        }
    }
    pieces.finish()
}

struct Pieces {
    limits: CallLimits,
    done: Vec<String>,
    open: String,
    /// Characters in `open`.
    characters: usize,
    /// Bytes of `open` on the wire.
    bytes: usize,
}

impl Pieces {
    fn fits(&self, text: &str) -> bool {
        // Counts only near a limit: a character has at least one byte, and a byte takes at most two
        // on the wire.
        (text.len() <= self.limits.bytes / 2 || wire_bytes(text) <= self.limits.bytes)
            && (text.len() <= self.limits.characters || text.chars().count() <= self.limits.characters)
    }

    fn add(&mut self, part: &str) {
        let characters = part.chars().count();
        if self.characters + characters > self.limits.characters || self.bytes + wire_bytes(part) > self.limits.bytes {
            self.close();
        }
        self.open.push_str(part);
        self.characters += characters;
        self.bytes += wire_bytes(part);
    }

    fn add_long(&mut self, word: &str) {
        if self.fits(word) {
            return self.add(word);
        }
        for c in word.chars() {
            self.add(c.encode_utf8(&mut [0; 4]));
        }
    }

    fn close(&mut self) {
        let piece = std::mem::take(&mut self.open);
        (self.characters, self.bytes) = (0, 0);
        if !piece.trim().is_empty() {
            self.done.push(piece.trim().to_owned());
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.close();
        self.done
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str, characters: usize) -> Vec<String> {
        super::cut(text, CallLimits { characters, bytes: usize::MAX, texts: 1 })
    }

    #[test]
    fn paragraphs_that_fit_stay_whole() {
        let text = "Un. Deux.\n\nTrois.\n\nQuatre, cinq. Six.";
        assert_eq!(cut(text, 100), [text]);
        assert_eq!(cut(text, 20), ["Un. Deux.\n\nTrois.", "Quatre, cinq. Six."]);
    }

    proptest! {
        #[test]
        fn no_piece_is_too_long_and_no_letter_is_lost(text in "[a-zé .\\n]{0,300}", most in 1_usize..60) {
            let pieces = cut(&text, most);
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&pieces.concat()), letters(&text));
            if text.chars().count() > most {
                prop_assert!(pieces.iter().all(|piece| piece.chars().count() <= most));
            }
        }

        #[test]
        fn no_piece_has_too_many_bytes(text in "[a-zé€ .]{0,300}", bytes in 4_usize..60) {
            let pieces = super::cut(&text, CallLimits { characters: usize::MAX, bytes, texts: 1 });
            prop_assert!(pieces.len() <= 1 && text.len() <= bytes || pieces.iter().all(|piece| piece.len() <= bytes));
        }
    }
}
