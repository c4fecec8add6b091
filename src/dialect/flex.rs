//! `OpenAI`'s flex tier: half the price, for calls that may wait until there is room for them
//! (<https://platform.openai.com/docs/guides/flex-processing>).

use serde_json::Value;

use super::Response;
use super::error_rules::{ErrorRule, not_busy};
use crate::config::{Endpoint, Tier};
use crate::model::{CallError, ErrorCode, Verdict};

/// A model without the tier. The call is not repeated without the tier, because that costs twice as
/// much, and the user must decide. A refusal that only names the tier is not enough: Groq names it
/// in every refusal.
pub(super) const NO_TIER: ErrorRule = not_busy(
    &[
        "service tier/flex … not available/not supported/not support/unsupported/unavailable/not enabled/not permitted/invalid/unknown/unrecognized/must be/should be",
        "not support/unsupported/invalid/unknown/unrecognized/unexpected … service tier",
    ],
    Verdict::Stop,
    ErrorCode::RefusedRequest,
);

/// Asks for the tier, if the config does.
pub(super) fn ask_for_tier(endpoint: &Endpoint, body: &mut Value) {
    if endpoint.options.tier == Some(Tier::Flex) {
        body["service_tier"] = "flex".into();
    }
}

/// Whether the service answered in the cheaper tier. It may have used the usual one, and an answer
/// that names no tier counts at the full price.
pub(super) fn is_discounted(endpoint: &Endpoint, answer: &Value) -> bool {
    endpoint.options.tier == Some(Tier::Flex) && answer["service_tier"] == "flex"
}

/// If a service had no room for the call in time, it is busy, as with a 429. Groq sends 498 in this
/// case.
pub(super) fn busy_tier(endpoint: &Endpoint, response: &Response, error: CallError) -> CallError {
    match response.status {
        _ if endpoint.options.tier.is_none() => error,
        498 => CallError { verdict: Verdict::BackOff, code: ErrorCode::Busy, ..error },
        408 | 504 if matches!(error.verdict, Verdict::BackOff | Verdict::Wait(_)) => CallError { code: ErrorCode::Busy, ..error },
        _ => error,
    }
}
