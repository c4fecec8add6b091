//! Separates a model's answer from its thoughts. Thoughts are never published: the answer is the
//! text after their last marker. If there is no such text, there is no answer.

use serde_json::Value;

use crate::model::{CallError, ErrorCode, Verdict};

/// The model thought and did not answer.
pub(super) fn only_thoughts() -> CallError {
    CallError::new(Verdict::Once, ErrorCode::OnlyThoughts, "the model's answer has only its thoughts")
}

/// Names of the markers around thoughts: `<think>`, `[THINK]`, `<|begin_of_thought|>`,
/// `◁/think▷` …
const THOUGHTS: &[&str] = &[
    "think",
    "thinking",
    "thought",
    "thoughts",
    "thought_process",
    "thinking_process",
    "reason",
    "reasoning",
    "reflection",
    "reflect",
    "analysis",
    "scratchpad",
    "scratch_pad",
    "inner_monologue",
    "internal_monologue",
    "chain_of_thought",
    "cot",
    "plan",
    "planning",
    "draft",
    "deliberation",
];

/// Names of the markers around answers.
const ANSWERS: &[&str] = &["answer", "final_answer", "final", "response", "final_response", "output", "solution", "result", "summary"];

/// Lines that models without markers put before their answer (Granite, and reasoning models whose
/// markers were dropped on the way).
const ANSWER_LINES: &[&str] = &["here is my response:", "assistantfinal"];

/// Marks of chat templates in other forms than `<|im_end|>`.
const TEMPLATE_MARKS: &[&str] =
    &["<s>", "</s>", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>", "<end_of_utterance>", "[INST]", "[/INST]", "[EOS]", "<turn|>"];

/// The longest mark of a chat template, in bytes.
const MAX_TEMPLATE_MARK: usize = 48;

/// The answer in a model's text.
///
/// # Errors
/// Fails if there are only thoughts.
pub(super) fn without_thoughts(content: &str) -> Result<&str, CallError> {
    let channels = after_channels(content)?;
    let mut answer = channels;
    let mut had_thoughts = channels.len() < content.len();
    // The answer is after the last marker of thoughts, and inside the last marker of an answer.
    let (mut at, mut unfinished) = (0, false);
    for marker in markers(answer) {
        if marker.kind == Kind::Thoughts || !marker.closes {
            unfinished = marker.kind == Kind::Thoughts && !marker.closes;
            had_thoughts |= marker.kind == Kind::Thoughts;
            at = marker.end;
        }
    }
    if unfinished {
        return Err(only_thoughts());
    }
    answer = answer.get(at..).unwrap_or_default();
    for line in ANSWER_LINES {
        // Only ASCII letters change, so positions stay the same.
        let lower = answer.to_ascii_lowercase();
        let thought = lower.trim_start().starts_with("analysis") || lower.trim_start().starts_with("here is my thought");
        if let Some(found) = lower.rfind(line).filter(|found| *found == 0 || thought) {
            had_thoughts = true;
            answer = answer.get(found + line.len()..).unwrap_or_default();
        }
    }
    // The end of a marker around the answer.
    if let Some(end) = markers(answer).find(|marker| marker.kind == Kind::Answer && marker.closes) {
        answer = answer.get(..end.start).unwrap_or_default();
    }
    let answer = between_template_marks(answer);
    if answer.is_empty() && had_thoughts { Err(only_thoughts()) } else { Ok(answer) }
}

/// The last message of the final channel, if the text has channels (gpt-oss's harmony format:
/// `<|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final<|message|>…`).
fn after_channels(content: &str) -> Result<&str, CallError> {
    if !content.contains("<|channel|>") {
        return Ok(content);
    }
    let channels = content.rsplit("<|channel|>");
    let last = channels.into_iter().find(|channel| channel.trim_start().to_ascii_lowercase().starts_with("final"));
    let message = last.and_then(|last| last.split_once("<|message|>")).map(|(_, message)| message).ok_or_else(only_thoughts)?;
    let end = ["<|end|>", "<|return|>", "<|start|>"].iter().filter_map(|mark| message.find(mark)).min();
    Ok(message.get(..end.unwrap_or(message.len())).unwrap_or_default())
}

/// Removes the chat template's marks at the beginning of a text, and everything from the next mark
/// on. Some models do not stop at that mark, but continue with a question of their own.
fn between_template_marks(text: &str) -> &str {
    let mut text = text.trim();
    while let Some(length) = template_mark(text) {
        text = text.get(length..).unwrap_or_default().trim_start();
        let behind_role = ["assistant", "model"].iter().find_map(|role| text.strip_prefix(role));
        if let Some(rest) = behind_role.filter(|rest| rest.starts_with(['\n', '<'])) {
            text = rest.trim_start();
        }
    }
    let mut marks = text.match_indices(['<', '[']).filter(|(at, _)| text.get(*at..).and_then(template_mark).is_some());
    let end = marks.next().map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default().trim_end()
}

/// The length of the chat template's mark that `text` begins with.
fn template_mark(text: &str) -> Option<usize> {
    if let Some(mark) = TEMPLATE_MARKS.iter().find(|mark| text.starts_with(**mark)) {
        return Some(mark.len());
    }
    let start = text.get(..text.floor_char_boundary(MAX_TEMPLATE_MARK))?;
    ["|", "｜"].iter().find_map(|bar| {
        let (name, _) = start.strip_prefix('<')?.strip_prefix(bar)?.split_once(&format!("{bar}>"))?;
        (!name.contains(' ')).then_some(name.len() + 2 * bar.len() + 2)
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Thoughts,
    Answer,
}

struct Marker {
    start: usize,
    end: usize,
    kind: Kind,
    closes: bool,
}

/// The longest marker, in bytes. Longer ones are words in brackets.
const MAX_MARKER: usize = 64;

/// All markers of thoughts and answers in a text.
fn markers(text: &str) -> impl Iterator<Item = Marker> {
    text.match_indices(['<', '[', '◁']).filter_map(move |(start, open)| marker(text, start, open))
}

/// The marker that begins at `start` with `open`.
fn marker(text: &str, start: usize, open: &str) -> Option<Marker> {
    let close = match open {
        "<" => '>',
        "[" => ']',
        _ => '▷',
    };
    let rest = text.get(start + open.len()..)?;
    let rest = rest.get(..rest.floor_char_boundary(MAX_MARKER))?;
    let (inside, _) = rest.split_once(close)?;
    let name = inside.trim_matches(['|', '｜', ' ']);
    let (closes, name) = match name.strip_prefix('/') {
        Some(name) => (true, name.trim_start()),
        // `<|channel>thought` and `<channel|>` are Gemma's.
        None => (inside == "channel|", name),
    };
    // Without attributes, a namespace, and the end of an empty element.
    let name = name.split([' ', '\n', '/']).next()?.to_ascii_lowercase();
    let name = name.rsplit(':').next()?;
    let prefixes = [("begin_of_", false), ("start_of_", false), ("start_", false), ("begin_", false), ("end_of_", true), ("end_", true)];
    let known = prefixes.iter().find_map(|(prefix, ends)| Some((name.strip_prefix(prefix)?, *ends)));
    let (name, closes) = known.map_or((name, closes), |(name, ends)| (name, ends || closes));
    let kind = match name {
        "channel" if open == "<" => Kind::Thoughts,
        // Many titles begin with `[Analysis]`.
        name if THOUGHTS.contains(&name) && (open != "[" || name.starts_with("th")) => Kind::Thoughts,
        name if ANSWERS.contains(&name) && open == "<" => Kind::Answer,
        _ => return None,
    };
    Some(Marker { start, end: start + open.len() + inside.len() + close.len_utf8(), kind, closes })
}

/// Removes the parts of an answer that are thoughts: parts of a message's content (`"type":
/// "thinking"`, as Mistral and Anthropic send them) and Gemini's (`"thought": true`). Returns
/// whether there were any.
pub(super) fn remove_thought_parts(value: &mut Value) -> bool {
    let mut removed = false;
    match value {
        Value::Array(list) => {
            let before = list.len();
            list.retain(|part| !is_thought(part));
            removed |= list.len() < before;
            for part in list {
                removed |= remove_thought_parts(part);
            }
        }
        Value::Object(object) => {
            for part in object.values_mut() {
                removed |= remove_thought_parts(part);
            }
        }
        _ => {}
    }
    removed
}

fn is_thought(part: &Value) -> bool {
    let kind = part.get("type").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    part.get("thought") == Some(&Value::Bool(true)) || ["think", "thought", "reason", "reflection"].iter().any(|word| kind.contains(word))
}

/// A message's fields for thoughts, where services separate them from the answer.
pub(super) fn has_thoughts(message: &Value) -> bool {
    let says = |name: &str| message.get(name).is_some_and(super::answer::has_meaning);
    ["reasoning_content", "reasoning", "thinking", "reasoning_details", "thinking_blocks"].iter().any(|name| says(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_follows_the_last_marker_is_the_answer() {
        for content in [
            "<think>Hm [1].</think> La digue a tenu.",
            "Hm {\"summary\": \"x\"}\n</think>\n\nLa digue a tenu.",
            "<thinking budget=\"9\">a</thinking><thinking>b</thinking>La digue a tenu.",
            "<Thought>a</Thought>\n<answer>La digue a tenu.</answer>",
            "[THINK]a[/THINK]La digue a tenu.</s>",
            "<|begin_of_thought|>a<|end_of_thought|><|begin_of_solution|>La digue a tenu.<|end_of_solution|>",
            "<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>La digue a tenu.<|END_RESPONSE|>",
            "◁think▷a◁/think▷La digue a tenu.",
            "<seed:think>a</seed:think>La digue a tenu.<|im_end|>",
            "<|start_header_id|>assistant<|end_header_id|>\n\nLa digue a tenu.<|eot_id|>",
            "<s>La digue a tenu.</s>\n[INST] Et maintenant ?",
            "La digue a tenu.<｜end▁of▁sentence｜>",
            "<|channel>thought\na<channel|>La digue a tenu.",
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>La digue a tenu.",
            "analysis<|message|>a<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>La digue a tenu.<|return|>",
            "analysisWe need a summary.assistantfinalLa digue a tenu.",
            "Here is my thought process: a\nHere is my response: La digue a tenu.",
            "La digue a tenu.",
        ] {
            assert_eq!(without_thoughts(content), Ok("La digue a tenu."), "{content}");
        }
    }

    #[test]
    fn thoughts_without_an_answer_fail_by_name() {
        for content in [
            "<think>Still",
            "<think>a</think>",
            "La digue <think>hm",
            "a</think>\n",
            "[THINK]a[/THINK]</s>",
            "<|channel|>analysis<|message|>a<|end|>",
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>",
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary<|message|>b",
        ] {
            assert_eq!(without_thoughts(content).map_err(|error| error.code), Err(ErrorCode::OnlyThoughts), "{content}");
        }
    }

    #[test]
    fn other_words_in_brackets_are_the_texts_own() {
        for content in ["La digue <b>a tenu</b> [1].", "Le film [Reason for hope] a < b > c", ""] {
            assert_eq!(without_thoughts(content), Ok(content));
        }
    }

    #[test]
    fn parts_with_thoughts_are_removed() {
        let mut value = json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}, {"type": "text", "text": "b"}],
            "parts": [{"thought": true, "text": "a"}, {"text": "b"}]});
        assert!(remove_thought_parts(&mut value));
        assert_eq!(value, json!({"content": [{"type": "text", "text": "b"}], "parts": [{"text": "b"}]}));
        assert!(!remove_thought_parts(&mut value));
    }
}
