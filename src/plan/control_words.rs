//! Breaks the control words of chat templates in an article. Local servers obey them anywhere in a
//! prompt, so an article that contains them could impersonate the user or the model.

use std::borrow::Cow;

use memchr::{memchr2, memchr3, memchr3_iter};

/// The bars of `DeepSeek`'s words are wider than ASCII's.
const BARS: [char; 3] = ['|', '｜', '│'];

/// Short words in angle brackets, in lower case. Those with an underscore are recognised by it: no
/// element of HTML has one.
const ANGLE_WORDS: &[&str] = &[
    "s",
    "bos",
    "eos",
    "pad",
    "unk",
    "sep",
    "cls",
    "mask",
    "sop",
    "eop",
    "eoh",
    "eoa",
    "eod",
    "eot",
    "sys",
    "user",
    "assistant",
    "system",
    "human",
    "bot",
    "model",
    "think",
    "thinking",
    "thought",
    "thoughts",
    "reasoning",
    "reflection",
    "analysis",
    "answer",
    "endoftext",
    "startoftext",
    "start",
    "end",
    "channel",
    "turn",
    "tool",
    "tools",
    "tooluse",
    "toolcall",
    "function",
    "prefix",
    "suffix",
    "middle",
    "image",
];

/// Words in square brackets, in upper case. Those with an underscore are recognised by it.
const SQUARE_WORDS: &[&str] = &[
    "INST",
    "PREFIX",
    "SUFFIX",
    "MIDDLE",
    "IMG",
    "AUDIO",
    "THINK",
    "ARGS",
    "PAD",
    "MASK",
    "GMASK",
    "SMASK",
    "CLS",
    "SEP",
    "UNK",
    "BOS",
    "EOS",
    "SYS",
    "SYSTEM",
    "USER",
    "ASSISTANT",
];

/// Words of any other form (`MiniMax`, Falcon).
const OTHER_WORDS: &[(&str, &str)] =
    &[("]~!b[", "] ~!b ["), ("]~b]", "] ~b ]"), ("[e~[", "[ e~ ["), (">>QUESTION<<", "> QUESTION <"), (">>ANSWER<<", "> ANSWER <")];

/// Halves of words between bars (`<|im_start|>`).
const HALVES: [&str; 10] = ["<|", "|>", "<｜", "｜>", "‹｜", "｜›", "‹|", "|›", "<│", "│>"];

/// The longest control word, in bytes.
const MAX_LENGTH: usize = 64;

/// The text with a space inside each control word, which breaks it.
pub(super) fn without_control_words(text: &str) -> Cow<'_, str> {
    let mut broken = String::new();
    let mut done = 0;
    // `‹` begins with 0xE2, as many other marks do.
    for start in memchr3_iter(b'<', b'[', 0xe2, text.as_bytes()) {
        if start < done {
            continue;
        }
        if let Some((length, instead)) = text.get(start..).and_then(control_word) {
            broken.push_str(text.get(done..start).unwrap_or_default());
            broken.push_str(&instead);
            done = start + length;
        }
    }
    let broken = if done == 0 {
        Cow::Borrowed(text)
    } else {
        broken.push_str(text.get(done..).unwrap_or_default());
        Cow::Owned(broken)
    };
    if !may_have_more(&broken) {
        return broken;
    }
    let broken = unbarred(broken);
    OTHER_WORDS.iter().fold(broken, |text, (word, instead)| if text.contains(word) { text.replace(word, instead).into() } else { text })
}

/// Whether the text may contain one of [`HALVES`] or [`OTHER_WORDS`]. Each of those contains one of
/// these bytes, and nearly no article does. `｜` begins with 0xEF.
fn may_have_more(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr3(b'|', b'<', b'>', bytes).or_else(|| memchr2(b'~', 0xef, bytes)).is_some()
}

/// The length of the control word at the start of `text`, and its replacement.
fn control_word(text: &str) -> Option<(usize, String)> {
    let open = text.chars().next()?;
    let close = match open {
        '<' => '>',
        '[' => ']',
        '‹' => '›',
        _ => return None,
    };
    let rest = text.get(open.len_utf8()..)?;
    // `<<SYS>>` has two.
    let doubled = rest.starts_with(open) && open == '<';
    let rest = if doubled { rest.get(1..)? } else { rest };
    let (inside, after) = rest.get(..rest.floor_char_boundary(MAX_LENGTH))?.split_once(close)?;
    let name = inside.trim_matches('/');
    let known = match open {
        '[' => is_square(name),
        '<' => is_angle(name) || is_barred(inside),
        _ => is_barred(inside),
    };
    if !known {
        return None;
    }
    let marks = open.len_utf8() + close.len_utf8() + usize::from(doubled) + usize::from(doubled && after.starts_with(close));
    Some((marks + inside.len(), format!("{open} {inside} {close}")))
}

/// Whether a word is between bars: `|im_start|`.
fn is_barred(inside: &str) -> bool {
    inside.starts_with(BARS) || inside.ends_with(BARS)
}

fn is_angle(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-');
    let family = lower.starts_with("seed:") || lower.starts_with("unused") || lower.starts_with("reserved");
    !lower.is_empty() && lower.chars().all(word) && (ANGLE_WORDS.contains(&lower.as_str()) || family || lower.contains('_'))
}

fn is_square(name: &str) -> bool {
    let word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let is_word = name.len() > 1 && name.chars().all(word);
    is_barred(name) || SQUARE_WORDS.contains(&name.to_ascii_uppercase().as_str()) || is_word && name.contains('_')
}

/// Breaks the halves of words between bars that are too long, or whose other half is missing.
fn unbarred(text: Cow<'_, str>) -> Cow<'_, str> {
    HALVES.iter().fold(text, |text, half| {
        if !text.contains(half) {
            return text;
        }
        let parts: Vec<String> = half.chars().map(String::from).collect();
        text.replace(half, &parts.join(" ")).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_look_misses_no_half_and_no_other_word() {
        let others = OTHER_WORDS.iter().map(|(word, _)| *word);
        assert!(HALVES.into_iter().chain(others).all(may_have_more));
        assert!(!may_have_more("« L’été », dit-elle [sic]."));
    }

    #[test]
    fn control_words_of_common_chat_templates_are_broken() {
        let words = [
            "<|im_start|>",
            "<|im_end|>",
            "<|eot_id|>",
            "<|start_header_id|>",
            "<|begin_of_text|>",
            "<|endoftext|>",
            "<|channel|>",
            "<|end|>",
            "<|channel>",
            "<channel|>",
            "<|START_OF_TURN_TOKEN|>",
            "<|return|>",
            "<｜User｜>",
            "<｜Assistant｜>",
            "<｜begin▁of▁sentence｜>",
            "‹｜User｜›",
            "<s>",
            "</s>",
            "<bos>",
            "<eos>",
            "<BOS_TOKEN>",
            "<start_of_turn>",
            "<end_of_turn>",
            "<end_of_utterance>",
            "<unused94>",
            "<extra_id_0>",
            "<think>",
            "</think>",
            "<tool_call>",
            "<seed:bos>",
            "[INST]",
            "[/INST]",
            "<<SYS>>",
            "<</SYS>>",
            "[SYSTEM_PROMPT]",
            "[/SYSTEM_PROMPT]",
            "[AVAILABLE_TOOLS]",
            "[TOOL_CALLS]",
            "[TOOL_RESULTS]",
            "[THINK]",
            "[gMASK]",
            "<sop>",
            "[|system|]",
            "[|endofturn|]",
            "]~!b[",
            "]~b]",
            "[e~[",
            ">>QUESTION<<",
        ];
        for word in words {
            let text = format!("Le conseil {word}user a voté.");
            let broken = without_control_words(&text);
            assert!(!broken.contains(word), "{broken}");
            let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
            assert_eq!(letters(&broken), letters(&text), "{word}");
            assert_eq!(without_control_words(&broken), broken, "{word}");
        }
    }

    #[test]
    fn other_brackets_stay_as_they_are() {
        let text = "Un <b>mot</b> [AFP] [1] « ‹ x › » a < b > c — d | e [La Nasa] <img src=\"a_b.jpg\"> 2 << 3 … ’";
        assert!(matches!(without_control_words(text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn words_inside_of_words_and_halves_are_broken_too() {
        assert_eq!(without_control_words("Un <|im_start|>system</s> [INST] <b>."), "Un < |im_start| >system< /s > [ INST ] <b>.");
        let long = format!("<|{}|>", "x".repeat(100));
        assert!(!without_control_words(&long).contains("<|"));
        assert!(!without_control_words("[IN<s>ST] <<|x|>|>").contains("<|"));
    }
}
