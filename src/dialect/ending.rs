//! Finds out how an answer ended. An answer is complete only if its finish reason is known to be
//! good. Any other reason is an error, so that half a text is never published.

use serde_json::Value;

use super::excerpt;
use crate::model::{CallError, ErrorCode, Verdict};

/// The words for a complete answer, in lower case.
pub(super) const GOOD_ENDS: &[&str] = &["stop", "end_turn", "stop_sequence", "eos", "eos_token", "complete", "completed"];

/// Parts of the words for an answer that was cut at a limit.
pub(super) const CUT_ENDS: &[&str] = &["length", "limit", "max_", "maxtokens"];

/// Parts of the words for a prompt and an answer that do not fit into the model's window.
pub(super) const FULL_ENDS: &[&str] = &["context_window", "context_length"];

/// Parts of the words for an answer that a filter or the model refused.
pub(super) const REFUSED_ENDS: &[&str] = &[
    "filter",
    "safety",
    "recitation",
    "refus",
    "sensitive",
    "moderation",
    "guardrail",
    "policy",
    "prohibited",
    "block",
    "spii",
    "toxic",
    "flagged",
    "violation",
    "harm",
    "risk",
    "censor",
    "inappropriate",
    "model_armor",
];

/// Names of the fields that say how an answer ended.
const END_FIELDS: &[&str] =
    &["finish_reason", "finishreason", "native_finish_reason", "nativefinishreason", "stop_reason", "stopreason", "done_reason"];

/// Names of the objects with details about how an answer ended.
const END_DETAILS: &[&str] = &["finish_details", "incomplete_details", "stop_details"];

/// Names of the fields that say why there is no answer.
const BLOCK_FIELDS: &[&str] = &["blockreason", "block_reason"];

/// The reasons in an answer, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Good,
    /// None of the known ones.
    Other,
    Cut,
    /// A shorter prompt leaves more of the model's window.
    Full,
    Refused,
}

/// How an answer ended, according to its service and the gateways before it.
#[derive(Default)]
pub(super) struct Endings<'a> {
    worst: Option<(End, &'a str)>,
}

impl<'a> Endings<'a> {
    /// Reads every finish reason in `value`, however deeply gateways nest it; the worst one counts.
    /// `good` are more words for a complete answer.
    pub(super) fn read(&mut self, value: &'a Value, good: &[String]) {
        match value {
            Value::Array(list) => list.iter().for_each(|item| self.read(item, good)),
            Value::Object(object) => {
                for (name, value) in object {
                    let name = name.to_ascii_lowercase();
                    match value {
                        Value::String(reason) if END_FIELDS.contains(&name.as_str()) => self.add(reason, good),
                        Value::String(reason) if BLOCK_FIELDS.contains(&name.as_str()) => self.add_block(reason),
                        Value::Object(details) if END_DETAILS.contains(&name.as_str()) => {
                            let reasons = ["type", "reason"].iter().filter_map(|field| details.get(*field)?.as_str());
                            reasons.for_each(|reason| self.add(reason, good));
                        }
                        value => self.read(value, good),
                    }
                }
            }
            _ => {}
        }
    }

    /// Adds a reason.
    pub(super) fn add(&mut self, reason: &'a str, good: &[String]) {
        let reason = reason.trim();
        if !reason.is_empty() {
            self.note(if good.iter().any(|word| word == reason) { End::Good } else { end(reason) }, reason);
        }
    }

    fn add_block(&mut self, reason: &'a str) {
        if !reason.is_empty() && !reason.to_ascii_lowercase().ends_with("unspecified") {
            self.note(End::Refused, reason);
        }
    }

    fn note(&mut self, end: End, reason: &'a str) {
        if self.worst.is_none_or(|(worst, _)| end > worst) {
            self.worst = Some((end, reason));
        }
    }

    /// Whether nothing says how the answer ended.
    pub(super) fn is_unknown(&self) -> bool {
        self.worst.is_none()
    }

    /// Fails unless every reason is good. `detail` is the service's explanation.
    ///
    /// # Errors
    /// Names the worst reason.
    pub(super) fn check(&self, detail: Option<&str>) -> Result<(), CallError> {
        let Some((end, reason)) = self.worst else { return Ok(()) };
        let reason = excerpt(reason.as_bytes());
        let detail = detail.map(|detail| format!(" ({})", excerpt(detail.as_bytes()))).unwrap_or_default();
        let error = |verdict, code, what: &str| Err(CallError::new(verdict, code, format!("{what}: it ended with `{reason}`{detail}")));
        match end {
            End::Good => Ok(()),
            End::Cut => error(Verdict::Once, ErrorCode::Truncated, "the answer was cut at a limit"),
            End::Full => error(Verdict::Never, ErrorCode::TooLarge, "prompt and answer exceed the model's window"),
            End::Refused => error(Verdict::Never, ErrorCode::Refused, "a filter or the model refused the answer"),
            End::Other => error(Verdict::Once, ErrorCode::Unfinished, "the answer is incomplete"),
        }
    }
}

/// The error for a finish reason that is not in the template's `finished`.
pub(super) fn unknown(reason: &str) -> CallError {
    let message = format!("the answer is incomplete: it ended with `{}`, which is not in `finished`", excerpt(reason.as_bytes()));
    CallError::new(Verdict::Once, ErrorCode::Unfinished, message)
}

/// The error for an answer without a finish reason.
pub(super) fn no_end(field: &str) -> CallError {
    CallError::new(Verdict::Once, ErrorCode::Unfinished, format!("the answer has no finish reason: `{field}` is missing"))
}

fn end(reason: &str) -> End {
    // vLLM names the mark of the chat template at which the model stopped, such as `<|im_end|>`.
    if reason.starts_with('<') && reason.ends_with('>') && !reason.contains(' ') {
        return End::Good;
    }
    let word = snake_case(reason);
    // Google's name of the enumeration.
    let word = word.strip_prefix("finish_reason_").or_else(|| word.strip_prefix("finish_reason.")).unwrap_or(&word);
    let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
    if GOOD_ENDS.contains(&word) {
        End::Good
    } else if has(REFUSED_ENDS) {
        End::Refused
    } else if has(FULL_ENDS) {
        End::Full
    } else if has(CUT_ENDS) {
        End::Cut
    } else {
        End::Other
    }
}

/// A word in lower case, with `_` between the words of `camelCase`.
fn snake_case(word: &str) -> String {
    let mut snake = String::with_capacity(word.len() + 2);
    let mut after_small = false;
    for c in word.chars() {
        if c.is_ascii_uppercase() && after_small {
            snake.push('_');
        }
        after_small = c.is_ascii_lowercase();
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(value: &Value) -> Option<ErrorCode> {
        let mut endings = Endings::default();
        endings.read(value, &[]);
        endings.check(None).err().map(|error| error.code)
    }

    #[test]
    fn docs_contain_every_end() {
        let docs = include_str!("../../docs/services.md");
        let words = |parts: &[&str]| parts.iter().map(|part| format!("`{part}`")).collect::<Vec<_>>().join(", ");
        assert!(docs.replace('\n', " ").contains(&words(GOOD_ENDS)), "docs/services.md lacks {}", words(GOOD_ENDS));
        for (parts, code, action) in [
            (words(REFUSED_ENDS), ErrorCode::Refused, "the article fails on this endpoint"),
            (words(FULL_ENDS), ErrorCode::TooLarge, "the article is cut into smaller parts"),
            (words(CUT_ENDS), ErrorCode::Truncated, "retried once, with twice the output limit"),
            ("anything else".into(), ErrorCode::Unfinished, "retried once"),
        ] {
            let line = format!("| {parts} | `{code}` | {action} |\n");
            assert!(docs.contains(&line), "docs/services.md lacks this line:\n{line}");
        }
    }

    #[test]
    fn only_known_good_ends_are_good() {
        for (reason, wanted) in [
            ("stop", None),
            ("STOP", None),
            ("FinishReason.STOP", None),
            ("end_turn", None),
            ("eos_token", None),
            ("COMPLETE", None),
            ("EndTurn", None),
            ("<|im_end|>", None),
            ("MaxTokens", Some(ErrorCode::Truncated)),
            ("length", Some(ErrorCode::Truncated)),
            ("model_length", Some(ErrorCode::Truncated)),
            ("MAX_TOKENS", Some(ErrorCode::Truncated)),
            ("max_output_tokens", Some(ErrorCode::Truncated)),
            ("model_context_window_exceeded", Some(ErrorCode::TooLarge)),
            ("content_filter", Some(ErrorCode::Refused)),
            ("SAFETY", Some(ErrorCode::Refused)),
            ("RECITATION", Some(ErrorCode::Refused)),
            ("sensitive", Some(ErrorCode::Refused)),
            ("guardrail_intervened", Some(ErrorCode::Refused)),
            ("error", Some(ErrorCode::Unfinished)),
            ("abort", Some(ErrorCode::Unfinished)),
            ("network_error", Some(ErrorCode::Unfinished)),
            ("insufficient_system_resource", Some(ErrorCode::Unfinished)),
            ("tool_calls", Some(ErrorCode::Unfinished)),
            ("stopped_by_something_new", Some(ErrorCode::Unfinished)),
        ] {
            assert_eq!(code(&json!({"finish_reason": reason})), wanted, "{reason}");
        }
        let details = |details: Value| code(&json!({"finish_reason": "stop", "finish_details": details}));
        assert_eq!(details(json!({"type": "stop", "stop": "<|im_end|>"})), None);
        assert_eq!(details(json!({"type": "max_tokens"})), Some(ErrorCode::Truncated));
        assert_eq!(code(&json!({"incomplete_details": {"reason": "max_output_tokens"}})), Some(ErrorCode::Truncated));
    }

    #[test]
    fn the_worst_reason_counts_wherever_it_is() {
        let nested = |reason: &str| json!({"finish_reason": "stop", "provider_specific_fields": {"native_finish_reason": reason}});
        assert_eq!(code(&nested("STOP")), None);
        assert_eq!(code(&nested("MAX_TOKENS")), Some(ErrorCode::Truncated));
        assert_eq!(code(&nested("SAFETY")), Some(ErrorCode::Refused));
        assert_eq!(code(&nested("MALFORMED_RESPONSE")), Some(ErrorCode::Unfinished));
        assert_eq!(code(&json!({"finish_reason": "length", "native_finish_reason": "SAFETY"})), Some(ErrorCode::Refused));
        assert_eq!(code(&json!({"promptFeedback": {"blockReason": "OTHER"}})), Some(ErrorCode::Refused));
        assert_eq!(code(&json!({"finish_reason": null, "stop_reason": 128_009})), None);
    }

    #[test]
    fn the_message_keeps_the_services_reason() {
        let mut endings = Endings::default();
        endings.add("PROHIBITED_CONTENT", &[]);
        let error = endings.check(Some("The answer was blocked.")).unwrap_err();
        assert_eq!(
            (error.verdict, error.message.as_str()),
            (Verdict::Never, "a filter or the model refused the answer: it ended with `PROHIBITED_CONTENT` (The answer was blocked.)")
        );
    }
}
