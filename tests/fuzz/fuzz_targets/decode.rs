//! Any bytes give clean text, or a reject; and text that was decoded once is not changed by a second time.
#![no_main]

use depeche::model::{Flag, invisible};
use depeche::read::decode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = decode(bytes) else { return };
    assert!(!text.text.chars().any(invisible));
    if !text.text.contains('\u{fffd}') && text.text.len() > 8 {
        // Without the invisible characters in it, something may be mojibake that was none before.
        if let Ok(again) = decode(text.text.as_bytes()) && !again.flags.contains(&Flag::Mojibake) {
            assert_eq!(again.text, text.text);
        }
    }
});
