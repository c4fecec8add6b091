//! Error codes: one short, stable word for why an attempt or an article failed.

use std::fmt;

use serde::{Serialize, Serializer};

/// Declares the codes. Every code states its word and its consequences, so that a new code cannot
/// be forgotten anywhere.
macro_rules! codes {
    ($(
        $(#[$doc:meta])*
        $name:ident = $word:literal { billing: $billing:ident, failover: $failover:literal, skip: $skip:literal },
    )*) => {
        /// Why an attempt at a call, or a whole article, failed. The words are in the table and the
        /// report: they never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in rows, reports and logs.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// Whether a failed attempt with this code may have been billed.
            pub const fn billing(self) -> Billing {
                match self {
                    $(Self::$name => Billing::$billing,)*
                }
            }

            /// Whether another endpoint may succeed with the same article.
            pub const fn allows_failover(self) -> bool {
                match self {
                    $(Self::$name => $failover,)*
                }
            }

            /// Whether a rule excludes the file (`skipped`, no action needed) or something went
            /// wrong (`failed`). Only for codes from reading.
            pub const fn is_skip(self) -> bool {
                match self {
                    $(Self::$name => $skip,)*
                }
            }
        }
    };
}

codes! {
    /// The endpoint cannot be reached.
    Away = "away" { billing: None, failover: false, skip: false },
    /// The file is not text.
    Binary = "binary" { billing: None, failover: false, skip: true },
    /// The file holds only navigation, legal notices and the like.
    Boilerplate = "boilerplate" { billing: None, failover: false, skip: true },
    /// The connection broke after the request was sent.
    Broken = "broken" { billing: Lost, failover: false, skip: false },
    /// The run could not continue.
    BrokenOff = "broken-off" { billing: None, failover: false, skip: false },
    /// The endpoint accepts no more calls for now.
    Busy = "busy" { billing: None, failover: false, skip: false },
    /// The file changed while it was read.
    Changing = "changing" { billing: None, failover: false, skip: true },
    /// The file or article has no text.
    Empty = "empty" { billing: None, failover: false, skip: true },
    /// The answer has no text.
    EmptyAnswer = "empty-answer" { billing: Unusable, failover: true, skip: false },
    /// The file's character encoding is unknown.
    Encoding = "encoding" { billing: None, failover: false, skip: true },
    /// The endpoint does not know the glossary.
    Glossary = "glossary" { billing: None, failover: false, skip: false },
    /// The answer has more bytes than the program reads.
    HugeAnswer = "huge-answer" { billing: Unusable, failover: true, skip: false },
    /// The call is in a batch, and its answer comes later.
    InBatch = "in-batch" { billing: None, failover: false, skip: false },
    /// A bug in this program.
    Internal = "internal" { billing: None, failover: false, skip: false },
    /// A signal ended the run.
    Interrupted = "interrupted" { billing: None, failover: false, skip: false },
    /// The endpoint refuses the key.
    KeyRefused = "key-refused" { billing: None, failover: false, skip: false },
    /// The article's language is unknown, or the endpoint does not support it.
    Language = "language" { billing: None, failover: true, skip: false },
    /// The run reached a limit set by the user.
    Limit = "limit" { billing: None, failover: false, skip: false },
    /// The file violates its format.
    Malformed = "malformed" { billing: None, failover: false, skip: false },
    /// The endpoint accepts only a lower token limit of an answer.
    MaxTokensLimit = "max-tokens-limit" { billing: None, failover: true, skip: false },
    /// No endpoint is left for this task.
    NoEndpoint = "no-endpoint" { billing: None, failover: false, skip: false },
    /// The endpoint refuses the parameter `max_tokens`.
    NoMaxTokens = "no-max-tokens" { billing: None, failover: true, skip: false },
    /// The endpoint refuses a JSON schema.
    NoSchema = "no-schema" { billing: None, failover: true, skip: false },
    /// The endpoint refuses a schema that is strict.
    NoStrict = "no-strict" { billing: None, failover: true, skip: false },
    /// The endpoint refuses a message with the role `system`.
    NoSystemRole = "no-system-role" { billing: None, failover: true, skip: false },
    /// The endpoint refuses a temperature.
    NoTemperature = "no-temperature" { billing: None, failover: true, skip: false },
    /// The endpoint has no such path or model.
    NotFound = "not-found" { billing: None, failover: false, skip: false },
    /// The model wrote only thoughts, and no answer.
    OnlyThoughts = "only-thoughts" { billing: Unusable, failover: true, skip: false },
    /// The endpoint is overloaded.
    Overloaded = "overloaded" { billing: None, failover: false, skip: false },
    /// The answer is far longer than requested.
    Overlong = "overlong" { billing: Unusable, failover: true, skip: false },
    /// The endpoint read only a part of the prompt.
    PromptCut = "prompt-cut" { billing: Unusable, failover: true, skip: false },
    /// The answer does not have the requested shape.
    Protocol = "protocol" { billing: Unusable, failover: true, skip: false },
    /// The endpoint's quota or balance is used up.
    Quota = "quota" { billing: None, failover: false, skip: false },
    /// The endpoint redirects to another address, which must not see the key.
    Redirect = "redirect" { billing: None, failover: false, skip: false },
    /// The model or a filter refuses this text.
    Refused = "refused" { billing: Unusable, failover: true, skip: false },
    /// The service has deleted results that were paid for.
    ResultsLost = "results-lost" { billing: None, failover: false, skip: false },
    /// The endpoint refuses the form of this request.
    RefusedRequest = "refused-request" { billing: None, failover: true, skip: false },
    /// The user's template cannot be rendered.
    Template = "template" { billing: None, failover: false, skip: false },
    /// No complete answer came in time.
    Timeout = "timeout" { billing: Lost, failover: false, skip: false },
    /// The TLS connection failed.
    Tls = "tls" { billing: None, failover: false, skip: false },
    /// The file is nested too deeply to read.
    TooDeep = "too-deep" { billing: None, failover: false, skip: true },
    /// Larger than the program reads, or than the endpoint accepts.
    TooLarge = "too-large" { billing: None, failover: true, skip: true },
    /// Summarising the article's parts makes it no shorter.
    TooLong = "too-long" { billing: None, failover: true, skip: false },
    /// The answer was cut off.
    Truncated = "truncated" { billing: Unusable, failover: true, skip: false },
    /// The endpoint failed on its side.
    Unavailable = "unavailable" { billing: None, failover: false, skip: false },
    /// The answer has no finish reason, or an unknown one.
    Unfinished = "unfinished" { billing: Unusable, failover: true, skip: false },
    /// The format of the file is unknown.
    UnknownFormat = "unknown-format" { billing: None, failover: false, skip: true },
    /// The file cannot be read.
    Unreadable = "unreadable" { billing: None, failover: false, skip: false },
    /// The file was removed between discovery and reading.
    Vanished = "vanished" { billing: None, failover: false, skip: false },
    /// The number of translations differs from the number of texts.
    WrongCount = "wrong-count" { billing: Unusable, failover: true, skip: false },
}

/// Whether a failed attempt may have been billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Billing {
    /// It was not.
    None,
    /// The attempt may have been billed: its answer was lost.
    Lost,
    /// The attempt was probably billed: its answer was unusable.
    Unusable,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_unique() {
        let mut words: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), ErrorCode::ALL.len());
    }

    #[test]
    fn answers_that_are_received_are_billed() {
        let billed: Vec<&str> =
            ErrorCode::ALL.iter().filter(|code| code.billing() == Billing::Unusable).map(|code| code.as_str()).collect();
        let wanted = [
            "empty-answer",
            "huge-answer",
            "only-thoughts",
            "overlong",
            "prompt-cut",
            "protocol",
            "refused",
            "truncated",
            "unfinished",
            "wrong-count",
        ];
        assert_eq!(billed, wanted);
    }

    /// With its retry, a lost call may already be billed twice. Another endpoint would bill it a
    /// third time.
    #[test]
    fn lost_answers_do_not_fail_over_and_unusable_ones_do() {
        for code in ErrorCode::ALL {
            match code.billing() {
                Billing::Lost => assert!(!code.allows_failover(), "{code}"),
                Billing::Unusable => assert!(code.allows_failover(), "{code}"),
                Billing::None => {}
            }
        }
    }
}
