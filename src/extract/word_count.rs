//! Counts the words of a text. Every text is counted, so this takes one step per byte.

/// The class of a byte.
const SPACE: u8 = 1;
const LETTER: u8 = 2;
const MULTIBYTE: u8 = 4;
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    loop {
        classes[byte as usize] = match byte {
            b'\t'..=b'\r' | b' ' => SPACE,
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            0xc0.. => MULTIBYTE,
            // Not the first byte of a character, so it has no class of its own.
            _ => 0,
        };
        if byte == u8::MAX {
            break classes;
        }
        byte += 1;
    }
};

/// Counts the runs without white space that contain a letter or digit.
pub(crate) fn count_words(text: &str) -> usize {
    // `counted` is 1 if the current word is already counted. A number instead of a `bool` avoids
    // branches, which the processor would mispredict.
    let (mut words, mut counted) = (0_usize, 0_u8);
    for (at, byte) in text.bytes().enumerate() {
        let mut class = CLASSES.get(usize::from(byte)).copied().unwrap_or_default();
        if class == MULTIBYTE {
            class = text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, class_of);
        }
        let (space, letter) = (class & 1, class >> 1);
        words += usize::from(letter & !counted);
        counted = (counted | letter) & (space ^ 1);
    }
    words
}

/// The class of a character. The letters and punctuation of French need no table lookup.
fn class_of(c: char) -> u8 {
    match c {
        '\u{a0}' | '\u{202f}' => SPACE,
        '«' | '»' | '\u{2010}'..='\u{2027}' | '×' | '÷' => 0,
        '\u{c0}'..='\u{24f}' => LETTER,
        c if c.is_whitespace() => SPACE,
        c => u8::from(c.is_alphanumeric()) << 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_loop_counts_like_a_character_loop() {
        let slow = |text: &str| text.split(char::is_whitespace).filter(|word| word.contains(char::is_alphanumeric)).count();
        for text in ["", " ", "Un mot.", "« L’été », à 3 € – où ? … ½ \u{b}x\u{1c}y\u{85}z\u{2009}à\u{202f}b\u{2014}c", "日本 \u{a0}×"]
        {
            assert_eq!(count_words(text), slow(text), "{text}");
        }
    }
}
