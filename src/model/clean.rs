//! Text as the program keeps it, wherever it comes from: a file, an escape in it, or a service's answer.

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// `text` in NFC, with `\n` for line ends, and without what cannot be seen: such characters hide text from a reader and steer
/// terminals.
pub fn clean(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace(['\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{c}'], "\n");
    let kept = lines.chars().filter(|c| !invisible(*c)).collect::<String>();
    if is_nfc(&kept) { kept } else { kept.nfc().collect() }
}

/// Control characters but line end and tab, and what turns or hides text.
pub fn invisible(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_goes_and_accents_are_composed() {
        assert_eq!(clean("e\u{301}te\u{301}\u{1b}[31m\u{202e}\r\nfin\u{0}"), "été[31m\nfin");
    }
}
