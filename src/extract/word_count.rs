//! Counts the words of a text. This is done with every text that is read, so it is one step a byte.

/// What a byte is.
const SPACE: u8 = 1;
const LETTER: u8 = 2;
const MORE: u8 = 4;
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    loop {
        classes[byte as usize] = match byte {
            b'\t'..=b'\r' | b' ' => SPACE,
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            0xc0.. => MORE,
            // What follows the first byte of a character is judged with that.
            _ => 0,
        };
        if byte == u8::MAX {
            break classes;
        }
        byte += 1;
    }
};

/// Words as a reader counts them: runs between white space that hold a letter or digit.
pub fn count_words(text: &str) -> usize {
    // Whether the word that is being read has been counted: 1 or 0, so that there is nothing for a processor to guess wrongly.
    let (mut words, mut counted) = (0_usize, 0_u8);
    for (at, byte) in text.bytes().enumerate() {
        let mut class = CLASSES.get(usize::from(byte)).copied().unwrap_or_default();
        if class == MORE {
            class = text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, class_of);
        }
        let (space, letter) = (class & 1, class >> 1);
        words += usize::from(letter & !counted);
        counted = (counted | letter) & (space ^ 1);
    }
    words
}

/// The letters and signs of French are not looked up.
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
    fn words_are_counted_as_by_their_characters() {
        let slow = |text: &str| text.split(char::is_whitespace).filter(|word| word.contains(char::is_alphanumeric)).count();
        for text in ["", " ", "Un mot.", "« L’été », à 3 € – où ? … ½ \u{b}x\u{1c}y\u{85}z\u{2009}à\u{202f}b\u{2014}c", "日本 \u{a0}×"]
        {
            assert_eq!(count_words(text), slow(text), "{text}");
        }
    }
}
