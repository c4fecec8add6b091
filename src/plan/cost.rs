//! What a call costs, by the config's prices: from what the service says it counted, else from an estimate.

use crate::config::Endpoint;
use crate::model::{Ask, Usage};

/// Characters of French or English text in a token, on the low side so that estimates are on the high one. The tokenizers
/// of `OpenAI` and Mistral make 3.3 to 4.6 of news in either language.
const CHARACTERS_A_TOKEN: u64 = 3;
/// Tokens of what a chat model is told beside the text.
const PROMPT_TOKENS: u64 = 180;
/// Tokens of a French word, with the JSON around it.
const TOKENS_A_WORD: u64 = 2;
/// A model that thinks at length uses up a hundred times what is expected of its answer; a thousand times is a fault of the count.
const MOST_TIMES: u64 = 1_000;

/// What a call cost: none where the price is unknown; the embedded endpoint is free. A service that does not say what it
/// counted is taken to have counted the estimate.
pub fn cost(endpoint: &Endpoint, ask: &Ask, usage: Usage) -> Option<f64> {
    let estimated = expected(ask);
    price(
        endpoint,
        usage.tokens_in.or(estimated.tokens_in),
        usage.tokens_out.or(estimated.tokens_out),
        usage.characters.or(estimated.characters),
    )
}

/// Whether that cost is an estimate: the service did not count what its price goes by.
pub fn is_estimate(endpoint: &Endpoint, usage: Usage) -> bool {
    let uncounted = |price: f64, count: Option<u64>| price > 0.0 && count.is_none();
    endpoint.price.is_some_and(|price| uncounted(price.tokens_in, usage.tokens_in) || uncounted(price.tokens_out, usage.tokens_out))
}

/// The counts of an answer without those that no such call can come to.
pub fn credible(usage: Usage, expected: &Usage) -> Usage {
    let credible = |count: Option<u64>, expected: Option<u64>| count.filter(|count| *count / MOST_TIMES <= expected.unwrap_or_default());
    Usage {
        tokens_in: credible(usage.tokens_in, expected.tokens_in),
        tokens_out: credible(usage.tokens_out, expected.tokens_out),
        characters: credible(usage.characters, expected.characters),
    }
}

/// What a call will cost, about: none where the price is unknown.
pub fn estimate(endpoint: &Endpoint, ask: &Ask) -> Option<f64> {
    cost(endpoint, ask, Usage::default())
}

/// What a call will use up, about.
pub fn expected(ask: &Ask) -> Usage {
    let characters = ask.characters();
    let out = match ask {
        Ask::Summarise { wish, .. } => wish.words as u64 * TOKENS_A_WORD,
        Ask::Digest { wish, .. } => 2 * wish.words as u64 * TOKENS_A_WORD + 60,
        Ask::Translate { .. } => characters / CHARACTERS_A_TOKEN + 20,
    };
    Usage { tokens_in: Some(characters / CHARACTERS_A_TOKEN + PROMPT_TOKENS), tokens_out: Some(out), characters: Some(characters) }
}

#[expect(clippy::cast_precision_loss, reason = "no call counts 2^52 of anything")]
fn price(endpoint: &Endpoint, tokens_in: Option<u64>, tokens_out: Option<u64>, characters: Option<u64>) -> Option<f64> {
    if endpoint.dialect == "embedded" {
        return Some(0.0);
    }
    let price = endpoint.price?;
    let part = |count: Option<u64>, a_million: f64| count.unwrap_or_default() as f64 * a_million / 1e6;
    Some(part(tokens_in, price.tokens_in) + part(tokens_out, price.tokens_out) + part(characters, price.characters))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Price;
    use crate::model::Lang;

    #[test]
    fn counts_beyond_belief_are_none() {
        let expected = Usage { tokens_in: Some(500), tokens_out: Some(120), characters: Some(900) };
        let counted = Usage { tokens_in: Some(400), tokens_out: Some(100_000), characters: Some(u64::MAX) };
        assert_eq!(credible(counted, &expected), Usage { characters: None, ..counted });
    }

    #[test]
    fn a_call_costs_what_the_service_counted_and_an_unknown_price_is_unknown() {
        let ask = Ask::Translate { texts: vec!["x".repeat(3_000)], from: Lang::FR, to: Lang::EN, note: String::new(), terms: vec![] };
        let mut endpoint = Endpoint::sample("openai", "http://h");
        let counted = Usage { tokens_in: Some(1_000_000), tokens_out: Some(500_000), characters: None };
        assert_eq!(cost(&endpoint, &ask, counted), None);
        endpoint.price = Some(Price { tokens_in: 2.0, tokens_out: 8.0, characters: 0.0 });
        assert_eq!(cost(&endpoint, &ask, counted), Some(6.0));
        endpoint.price = Some(Price { characters: 20.0, ..Price::default() });
        let estimated = estimate(&endpoint, &ask).unwrap();
        assert!((estimated - 0.06).abs() < 1e-9, "{estimated}");
        assert_eq!(estimate(&Endpoint::sample("embedded", ""), &ask), Some(0.0));
    }
}
