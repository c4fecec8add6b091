//! Separates a model's answer from its thoughts. Thoughts are never published: the answer is the
//! text after their last marker. If there is no such text, there is no answer.

use serde_json::Value;

use super::shapes::words;
use crate::model::{CallError, ErrorCode, Verdict};

/// The model wrote only thoughts, and no answer.
pub(super) fn only_thoughts() -> CallError {
    CallError::new(Verdict::Once, ErrorCode::OnlyThoughts, "the model's answer has only its thoughts")
}

/// Words in the names of markers around thoughts: `<think>`, `[THINK]`, `<|begin_of_thought|>`,
/// `◁/think▷`, `<inner_thoughts>`, `<antThinking>` …
const THOUGHTS: &[&str] = &[
    "think",
    "thinking",
    "thought",
    "thoughts",
    "reason",
    "reasoning",
    "reflection",
    "reflect",
    "analysis",
    "scratchpad",
    "scratch",
    "monologue",
    "cot",
    "plan",
    "planning",
    "draft",
    "deliberation",
];

/// Names of the markers around answers.
const ANSWERS: &[&str] = &[
    "answer",
    "final_answer",
    "final",
    "response",
    "final_response",
    "output",
    "solution",
    "result",
    "content",
    "summary",
    "resume",
    "résumé",
];

/// Labels before the thoughts of models without markers (Granite, Apriel, and reasoning models
/// whose markers were lost in a gateway), without Markdown.
const THOUGHT_LABELS: &[&str] = &[
    "here is my thought",
    "here's my thought",
    "here are my reasoning",
    "here is my reasoning",
    "thinking:",
    "thinking\n",
    "thinking process",
    "thought process",
    "thoughts:",
    "thoughts\n",
    "reasoning:",
    "reasoning\n",
    "thought:",
    "raisonnement :",
    "réflexion :",
];
/// Labels before the answers of the same models.
const ANSWER_LABELS: &[&str] = &[
    "here is my response:",
    "here's my response:",
    "assistantfinal",
    "final answer:",
    "final answer\n",
    "final response:",
    "final response\n",
    "final summary:",
    "final summary\n",
    "réponse finale :",
];

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
    let mut answer = after_channels(after_thought_fence(content))?;
    let mut had_thoughts = answer.len() < content.len();
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
    if let Some(rest) = after_labels(answer) {
        had_thoughts = true;
        answer = rest;
    }
    // The end of a marker around the answer.
    if let Some(end) = markers(answer).find(|marker| marker.kind == Kind::Answer && marker.closes) {
        answer = answer.get(..end.start).unwrap_or_default();
    }
    let answer = between_template_marks(answer);
    if answer.is_empty() && had_thoughts { Err(only_thoughts()) } else { Ok(answer) }
}

/// The text after a first code block whose name says that it has thoughts.
fn after_thought_fence(content: &str) -> &str {
    let block = content.trim_start().strip_prefix("```").and_then(|rest| rest.split_once('\n'));
    let is_thought = |name: &str| THOUGHTS.contains(&name.trim().to_ascii_lowercase().as_str());
    let rest = block.filter(|(name, _)| is_thought(name)).and_then(|(_, text)| text.split_once("```"));
    rest.map_or(content, |(_, rest)| rest)
}

/// The text after the last label of an answer, if the text begins with a label of thoughts or of an
/// answer.
fn after_labels(text: &str) -> Option<&str> {
    // Only ASCII letters and Markdown change, so positions stay the same.
    let lower = text.to_ascii_lowercase().replace(['*', '#'], " ");
    let start = lower.trim_start_matches([' ', '\n', '`']);
    let is_harmony = start.starts_with("analysis") && lower.contains("assistantfinal");
    let is_thought = is_harmony || THOUGHT_LABELS.iter().any(|label| start.starts_with(label));
    let ends = ANSWER_LABELS.iter().filter_map(|label| {
        // Spaces in place of Markdown may follow a label in a line of its own.
        let (words, line) = label.strip_suffix('\n').map_or((*label, false), |words| (words, true));
        let ends = lower.match_indices(words).map(|(at, _)| (at, at + words.len())).filter(|(at, end)| {
            let rest = lower.get(*end..).unwrap_or_default();
            (is_thought || lower.len() - start.len() == *at) && (!line || rest.trim_start_matches(' ').starts_with('\n'))
        });
        ends.last().map(|(_, end)| end)
    });
    let rest = text.get(ends.max()?..)?;
    Some(rest.trim_start_matches(['*', '#', ' ', ':']))
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
    let is_mark = |at: &usize| text.get(*at..).and_then(template_mark).is_some_and(|length| !is_quoted(text, *at, at + length));
    let end = text.match_indices(['<', '[']).map(|(at, _)| at).find(is_mark).unwrap_or(text.len());
    text.get(..end).unwrap_or_default().trim_end()
}

/// The length of the chat template's mark that `text` begins with.
fn template_mark(text: &str) -> Option<usize> {
    if let Some(mark) = TEMPLATE_MARKS.iter().find(|mark| text.starts_with(**mark)) {
        return Some(mark.len());
    }
    let start = text.get(..text.floor_char_boundary(MAX_TEMPLATE_MARK))?;
    ["|", "｜"]
        .iter()
        .find_map(|bar| {
            let (name, _) = start.strip_prefix('<')?.strip_prefix(bar)?.split_once(&format!("{bar}>"))?;
            (!name.contains(' ')).then_some(name.len() + 2 * bar.len() + 2)
        })
        // EXAONE's `[|endofturn|]`.
        .or_else(|| start.strip_prefix("[|")?.split_once("|]").filter(|(name, _)| !name.contains(' ')).map(|(name, _)| name.len() + 4))
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
    text.match_indices(['<', '[', '◁', '&']).filter_map(move |(start, open)| {
        let open = if open == "&" { "&lt;" } else { open };
        let marker = marker(text, start, open).filter(|_| text.get(start..).is_some_and(|rest| rest.starts_with(open)))?;
        (!is_quoted(text, marker.start, marker.end)).then_some(marker)
    })
}

/// Whether the mark between two positions is in quotation marks: then the text only mentions it.
fn is_quoted(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).unwrap_or_default().trim_end_matches([' ', '\u{a0}', '\u{202f}']).chars().next_back();
    let after = text.get(end..).unwrap_or_default().trim_start_matches([' ', '\u{a0}', '\u{202f}']).chars().next();
    [('«', '»'), ('“', '”'), ('"', '"'), ('‘', '’'), ('\'', '\''), ('`', '`')].contains(&(before.unwrap_or(' '), after.unwrap_or(' ')))
}

/// The marker that begins at `start` with `open`.
fn marker(text: &str, start: usize, open: &str) -> Option<Marker> {
    let close = match open {
        "<" => ">",
        "[" => "]",
        "&lt;" => "&gt;",
        _ => "▷",
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
    // `[BEGIN FINAL RESPONSE]`
    let joined = if open == "[" { name.replace(' ', "_") } else { name.to_owned() };
    // Without attributes, a namespace, and the end of an empty element.
    let name = joined.split([' ', '\n', '/']).next()?.rsplit(':').next()?;
    let words = words(name);
    let name = name.to_lowercase();
    let name = name.as_str();
    let prefixes = [("begin_of_", false), ("start_of_", false), ("start_", false), ("begin_", false), ("end_of_", true), ("end_", true)];
    let known = prefixes.iter().find_map(|(prefix, ends)| Some((name.strip_prefix(prefix)?, *ends)));
    let is_delimited = known.is_some() || closes;
    let (name, closes) = known.map_or((name, closes), |(name, ends)| (name, ends || closes));
    let is_thought = words.iter().any(|word| THOUGHTS.contains(&word.as_str()));
    let kind = match name {
        "channel" if open == "<" => Kind::Thoughts,
        // A folded block before the answer.
        "details" if open == "<" && text.trim_start().starts_with("<details") => Kind::Thoughts,
        // Many titles begin with `[Analysis]`.
        name if is_thought && (open != "[" || name.starts_with("th")) => Kind::Thoughts,
        name if ANSWERS.contains(&name) && (open == "<" || is_delimited || text.contains("[/")) => Kind::Answer,
        _ => return None,
    };
    Some(Marker { start, end: start + open.len() + inside.len() + close.len(), kind, closes })
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
            "```thinking\nHm [1].\n```\n\nLa digue a tenu.",
            "<|think|>Hm.<|end|><|begin|>assistant<|content|>La digue a tenu.<|end|>",
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
            "<REASONING_SCRATCHPAD>a</REASONING_SCRATCHPAD>La digue a tenu.",
            "<inner_thoughts>a</inner_thoughts><antThinking>b</antThinking>La digue a tenu.",
            "&lt;think&gt;a&lt;/think&gt;La digue a tenu.",
            "<details type=\"reasoning\"><summary>Thought for 3 seconds</summary>a</details>\nLa digue a tenu.",
            "<thought>a</thought>La digue a tenu.[|endofturn|]",
            "Here's my thought process:\na\n\nHere's my response:\nLa digue a tenu.",
            "Here are my reasoning steps:\na\n[BEGIN FINAL RESPONSE]\nLa digue a tenu.\n[END FINAL RESPONSE]",
            "**Reasoning:**\na\n\n**Final answer:**\nLa digue a tenu.",
            "### Thinking\na\n\n### Final Answer\n\nLa digue a tenu.",
            "[ANSWER]\nLa digue a tenu.\n[/ANSWER]",
            "<résumé>La digue a tenu.</résumé>",
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
        for content in [
            "La digue <b>a tenu</b> [1].",
            "Le film [Reason for hope] a < b > c",
            "La balise « <think> » a été publiée. La digue a tenu.",
            "Analysis of the dike: it held. A final answer: none.",
            "",
        ] {
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
