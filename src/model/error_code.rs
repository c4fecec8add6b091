//! Why an attempt, or an article, failed: one short stable word for rows, reports and logs.

use std::fmt;

use serde::{Serialize, Serializer};

/// Declares the codes with their words, so that a code without a word does not compile.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// Why an attempt at a call, or a whole article, failed. The words are in the table and the report: they never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word that rows, reports and logs show.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

codes! {
    /// No connection to the endpoint.
    Away = "away",
    /// The file is not text.
    Binary = "binary",
    /// Nothing but navigation, legal notices and the like.
    Boilerplate = "boilerplate",
    /// The run could not go on.
    BrokenOff = "broken-off",
    /// The connection broke after the request was sent.
    Broken = "broken",
    /// The endpoint refuses more calls for now.
    Busy = "busy",
    /// The file changed while it was read.
    Changing = "changing",
    /// The answer has no text.
    EmptyAnswer = "empty-answer",
    /// The file or article has no text.
    Empty = "empty",
    /// The file's character encoding is unknown.
    Encoding = "encoding",
    /// The endpoint does not know the glossary.
    Glossary = "glossary",
    /// The answer has more bytes than the program reads.
    HugeAnswer = "huge-answer",
    /// A bug of this program.
    Internal = "internal",
    /// A signal ended the run.
    Interrupted = "interrupted",
    /// The endpoint refuses the key.
    KeyRefused = "key-refused",
    /// The language is unknown, or the endpoint does not do it.
    Language = "language",
    /// A limit that the user set.
    Limit = "limit",
    /// The file breaks its format's rules.
    Malformed = "malformed",
    /// No endpoint is left for this task.
    NoEndpoint = "no-endpoint",
    /// The endpoint refuses the parameter `max_tokens`.
    NoMaxTokens = "no-max-tokens",
    /// The endpoint refuses a JSON schema.
    NoSchema = "no-schema",
    /// The endpoint refuses a temperature.
    NoTemperature = "no-temperature",
    /// The endpoint's path or model does not exist.
    NotFound = "not-found",
    /// The endpoint says that it is overloaded.
    Overloaded = "overloaded",
    /// The answer is far longer than it can be.
    Overlong = "overlong",
    /// The endpoint read only a part of the prompt.
    PromptCut = "prompt-cut",
    /// The answer does not have the shape that was asked for.
    Protocol = "protocol",
    /// The endpoint's quota or balance is used up.
    Quota = "quota",
    /// The endpoint redirects elsewhere; the key is not sent there.
    Redirect = "redirect",
    /// The endpoint refuses this request by its form.
    RefusedRequest = "refused-request",
    /// The model or a filter refuses this text.
    Refused = "refused",
    /// The user's template cannot be filled in.
    Template = "template",
    /// No whole answer in time.
    Timeout = "timeout",
    /// No TLS connection.
    Tls = "tls",
    /// The file nests deeper than the program follows.
    TooDeep = "too-deep",
    /// Larger than the program reads, or the endpoint takes.
    TooLarge = "too-large",
    /// Summarising its parts makes the text no shorter.
    TooLong = "too-long",
    /// The answer was cut off.
    Truncated = "truncated",
    /// The endpoint failed on its side.
    Unavailable = "unavailable",
    /// The file cannot be read.
    Unreadable = "unreadable",
    /// The file was removed between the walk and the reading.
    Vanished = "vanished",
    /// A list of translations of another length than was asked for.
    WrongCount = "wrong-count",
}

impl ErrorCode {
    /// Whether a failed attempt with this code may have been billed, and what for.
    pub const fn billing(self) -> Billing {
        match self {
            Self::Timeout | Self::Broken => Billing::Lost,
            Self::Protocol
            | Self::HugeAnswer
            | Self::EmptyAnswer
            | Self::Overlong
            | Self::WrongCount
            | Self::Truncated
            | Self::PromptCut
            | Self::Refused => Billing::Unusable,
            Self::Away
            | Self::Binary
            | Self::Boilerplate
            | Self::BrokenOff
            | Self::Busy
            | Self::Changing
            | Self::Empty
            | Self::Encoding
            | Self::Glossary
            | Self::Internal
            | Self::Interrupted
            | Self::KeyRefused
            | Self::Language
            | Self::Limit
            | Self::Malformed
            | Self::NoEndpoint
            | Self::NoMaxTokens
            | Self::NoSchema
            | Self::NoTemperature
            | Self::NotFound
            | Self::Overloaded
            | Self::Quota
            | Self::Redirect
            | Self::RefusedRequest
            | Self::Template
            | Self::Tls
            | Self::TooDeep
            | Self::TooLarge
            | Self::TooLong
            | Self::Unavailable
            | Self::Unreadable
            | Self::Vanished => Billing::None,
        }
    }

    /// Whether another endpoint may do what failed with this code. Not after a lost answer: that would be a third payment.
    pub const fn is_for_another_endpoint(self) -> bool {
        match self.billing() {
            Billing::Lost => false,
            Billing::Unusable => true,
            Billing::None => matches!(self, Self::RefusedRequest | Self::TooLarge | Self::TooLong | Self::Language),
        }
    }
}

/// Whether a failed attempt may have been billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Billing {
    /// It was not.
    None,
    /// The answer was lost: perhaps.
    Lost,
    /// An answer came that is of no use: probably.
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
    fn every_code_has_a_word_of_its_own() {
        let mut words: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), ErrorCode::ALL.len());
    }
}
