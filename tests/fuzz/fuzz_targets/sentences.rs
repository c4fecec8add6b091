//! The pieces joined are the text, and the sentences stand in it in their order.
#![no_main]

use depeche::extract::sentences::{sentences, spans};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let joined: String = spans(text).into_iter().map(|span| &text[span]).collect();
    assert_eq!(joined, text);
    let mut rest = text;
    for sentence in sentences(text) {
        let at = rest.find(sentence).expect("it stands in the text, behind the one before");
        rest = &rest[at + sentence.len()..];
    }
});
