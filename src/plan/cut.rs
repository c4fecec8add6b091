//! Cuts a text at the ends of paragraphs, then of sentences, to what a service takes. Nothing is dropped.

use crate::extract::sentences::spans;

/// Pieces of `text` of at most `most` characters each, in order: whole paragraphs where they fit, else whole sentences, and
/// only a single sentence longer than `most` is cut at a space (or within a word longer than that).
pub fn cut(text: &str, most: usize) -> Vec<String> {
    let most = most.max(1);
    if text.chars().count() <= most {
        return vec![text.to_owned()];
    }
    let mut pieces = Pieces { most, done: Vec::new(), open: String::new(), length: 0 };
    for paragraph in text.split_inclusive("\n\n") {
        if paragraph.chars().count() <= most {
            pieces.add(paragraph);
            continue;
        }
        for sentence in spans(paragraph).into_iter().filter_map(|span| paragraph.get(span)) {
            if sentence.chars().count() <= most {
                pieces.add(sentence);
            } else {
                sentence.split_inclusive(' ').for_each(|word| pieces.add_long(word));
            }
        }
    }
    pieces.finish()
}

struct Pieces {
    most: usize,
    done: Vec<String>,
    open: String,
    /// Characters in `open`.
    length: usize,
}

impl Pieces {
    fn add(&mut self, part: &str) {
        let length = part.chars().count();
        if self.length + length > self.most {
            self.close();
        }
        self.open.push_str(part);
        self.length += length;
    }

    fn add_long(&mut self, word: &str) {
        if word.chars().count() <= self.most {
            return self.add(word);
        }
        for c in word.chars() {
            self.add(c.encode_utf8(&mut [0; 4]));
        }
    }

    fn close(&mut self) {
        let piece = std::mem::take(&mut self.open);
        self.length = 0;
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

    #[test]
    fn paragraphs_stay_whole_where_they_fit() {
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
    }
}
