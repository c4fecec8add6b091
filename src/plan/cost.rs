//! The cost of a call at the config's prices: from the usage that the service reports, or else from
//! an estimate.

use crate::config::Endpoint;
use crate::model::{CallRequest, Task, Usage};

/// Characters per token of French or English text. `OpenAI`'s and Mistral's tokenizers average 3.3
/// to 4.6 on news; this is lower, so that estimates are high.
const CHARACTERS_PER_TOKEN: u64 = 3;
/// Tokens of a chat model's prompt besides the text.
const PROMPT_TOKENS: u64 = 180;
/// Tokens per French word, including the JSON around it.
const TOKENS_PER_WORD: u64 = 2;
/// Tokens of a reviewer's instructions and of its usual answer, which has few findings.
const REVIEW_PROMPT_TOKENS: u64 = 500;
const REVIEW_TOKENS: u64 = 150;
/// A reasoning model may use a hundred times the expected tokens; a thousand times is a counting
/// error.
const MAX_OVERRUN: u64 = 1_000;

/// The cost of a call; `None` if the price is unknown. The embedded endpoint is free. Counts that
/// the service did not report are estimated.
pub(crate) fn cost(endpoint: &Endpoint, request: &CallRequest, usage: Usage) -> Option<f64> {
    let estimated = expected_usage(request);
    let full = price(
        endpoint,
        usage.tokens_in.or(estimated.tokens_in),
        usage.tokens_out.or(estimated.tokens_out),
        usage.characters.or(estimated.characters),
    );
    if usage.discounted { full.map(|full| full * endpoint.options.discount) } else { full }
}

/// Whether that cost is an estimate, because a count that has a price was not reported.
pub(crate) fn is_estimate(endpoint: &Endpoint, usage: Usage) -> bool {
    let uncounted = |price: f64, count: Option<u64>| price > 0.0 && count.is_none();
    endpoint.price.is_some_and(|price| uncounted(price.tokens_in, usage.tokens_in) || uncounted(price.tokens_out, usage.tokens_out))
}

/// The reported counts, without impossibly high ones. Zeros are dropped too, because every call has
/// a prompt and an answer.
pub(crate) fn plausible_usage(usage: Usage, expected: &Usage) -> Usage {
    let plausible = |count: Option<u64>, expected: Option<u64>| {
        count.filter(|count| *count > 0 && *count / MAX_OVERRUN <= expected.unwrap_or_default())
    };
    Usage {
        tokens_in: plausible(usage.tokens_in, expected.tokens_in),
        tokens_out: plausible(usage.tokens_out, expected.tokens_out),
        characters: plausible(usage.characters, expected.characters),
        discounted: usage.discounted,
    }
}

/// The estimated cost of a call in the tier that the endpoint asks for; `None` if the price is
/// unknown.
pub(crate) fn estimate(endpoint: &Endpoint, request: &CallRequest) -> Option<f64> {
    cost(endpoint, request, Usage { discounted: endpoint.options.tier.is_some(), ..Usage::default() })
}

/// The expected usage of a call.
pub(crate) fn expected_usage(request: &CallRequest) -> Usage {
    let characters = request.characters();
    let out = match request {
        CallRequest::Summarise { spec, .. } => spec.words as u64 * TOKENS_PER_WORD,
        CallRequest::Digest { spec, .. } => 2 * spec.words as u64 * TOKENS_PER_WORD + 60,
        CallRequest::Translate { .. } => characters / CHARACTERS_PER_TOKEN + 20,
        CallRequest::Review { .. } => REVIEW_TOKENS,
    };
    let prompt = if request.task() == Task::Review { REVIEW_PROMPT_TOKENS } else { PROMPT_TOKENS };
    Usage {
        tokens_in: Some(characters / CHARACTERS_PER_TOKEN + prompt),
        tokens_out: Some(out),
        characters: Some(characters),
        ..Usage::default()
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn price(endpoint: &Endpoint, tokens_in: Option<u64>, tokens_out: Option<u64>, characters: Option<u64>) -> Option<f64> {
    if endpoint.dialect == "embedded" {
        return Some(0.0);
    }
    let price = endpoint.price?;
    let part = |count: Option<u64>, per_million: f64| count.unwrap_or_default() as f64 * per_million / 1e6;
    Some(part(tokens_in, price.tokens_in) + part(tokens_out, price.tokens_out) + part(characters, price.characters))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Price;
    use crate::model::Lang;

    #[test]
    fn implausible_counts_are_dropped() {
        let expected = Usage { tokens_in: Some(500), tokens_out: Some(120), characters: Some(900), ..Usage::default() };
        let counted = Usage { tokens_in: Some(400), tokens_out: Some(100_000), characters: Some(u64::MAX), ..Usage::default() };
        assert_eq!(plausible_usage(counted, &expected), Usage { characters: None, ..counted });
        let zeros = Usage { tokens_in: Some(0), tokens_out: Some(0), characters: Some(0), ..Usage::default() };
        assert_eq!(plausible_usage(zeros, &expected), Usage::default());
    }

    #[test]
    fn cost_uses_reported_counts_or_else_an_estimate() {
        let request =
            CallRequest::Translate { texts: vec!["x".repeat(3_000)], from: Lang::FR, to: Lang::EN, note: String::new(), terms: vec![] };
        let mut endpoint = Endpoint::sample("openai", "http://h");
        let counted = Usage { tokens_in: Some(1_000_000), tokens_out: Some(500_000), ..Usage::default() };
        assert_eq!(cost(&endpoint, &request, counted), None);
        endpoint.price = Some(Price { tokens_in: 2.0, tokens_out: 8.0, characters: 0.0 });
        assert_eq!(cost(&endpoint, &request, counted), Some(6.0));
        endpoint.options.discount = 0.25;
        assert_eq!(cost(&endpoint, &request, Usage { discounted: true, ..counted }), Some(1.5));
        endpoint.price = Some(Price { characters: 20.0, ..Price::default() });
        let estimated = estimate(&endpoint, &request).unwrap();
        assert!((estimated - 0.06).abs() < 1e-9, "{estimated}");
        assert_eq!(estimate(&Endpoint::sample("embedded", ""), &request), Some(0.0));
    }

    #[test]
    fn a_cost_is_an_estimate_if_a_priced_count_is_missing() {
        let mut endpoint = Endpoint::sample("openai", "http://h");
        let counted = Usage { tokens_in: Some(1), tokens_out: Some(1), ..Usage::default() };
        let (no_input, no_output) = (Usage { tokens_in: None, ..counted }, Usage { tokens_out: None, ..counted });
        assert!(!is_estimate(&endpoint, Usage::default()), "no price, no cost");
        endpoint.price = Some(Price { tokens_in: 2.0, tokens_out: 8.0, characters: 0.0 });
        assert!(!is_estimate(&endpoint, counted));
        assert!(is_estimate(&endpoint, no_input));
        assert!(is_estimate(&endpoint, no_output));
        endpoint.price = Some(Price { tokens_in: 2.0, ..Price::default() });
        assert!(!is_estimate(&endpoint, no_output), "output is free");
    }
}
