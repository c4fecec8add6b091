//! The settings that all processes of a run must share.

use super::{Config, Endpoint, hash};

impl Config {
    /// The settings that must be the same in every process of a run, by their names in the config:
    /// those that shape rows, limit a service, or end the run. API keys, timeouts, and the addresses of
    /// a `service` may differ.
    pub fn shared_settings(&self) -> Vec<(&'static str, String)> {
        let inputs: Vec<_> = self.input.iter().map(|path| path.strip_prefix(&self.folder).unwrap_or(path)).collect();
        let endpoints: Vec<String> = self
            .endpoints
            .iter()
            .map(|endpoint| {
                let place = endpoint.service.as_deref().unwrap_or(&endpoint.url);
                let shape = endpoint.options.shape();
                format!(
                    "{} {:?} {} {place} {:?} {shape:?} {:?} {}",
                    endpoint.name,
                    endpoint.does,
                    endpoint.dialect,
                    endpoint.model,
                    endpoint.price,
                    endpoint.batch.is_some()
                )
            })
            .collect();
        let of_each = |value: fn(&Endpoint) -> String| self.endpoints.iter().map(value).collect::<Vec<_>>().join("; ");
        let chats = self.endpoints.iter().filter(|endpoint| endpoint.chat);
        let prompts: Vec<_> = chats.flat_map(|endpoint| endpoint.does.iter().map(|task| endpoint.prompts.version(*task))).collect();
        vec![
            ("input.paths", format!("{inputs:?}")),
            ("input.max_megabytes", self.max_bytes.to_string()),
            ("input.fields", hashed(&self.fields)),
            ("input.rules", hashed(&self.rules)),
            ("summary", hashed(&self.summary)),
            ("glossary", hashed(&self.glossary)),
            ("prompts", hashed(&prompts)),
            ("endpoint", endpoints.join("; ")),
            // All processes must divide the same limits of a service, and reserve the same price
            // for a call.
            ("endpoint.concurrency", of_each(|endpoint| format!("{:?}", endpoint.concurrency))),
            ("endpoint.requests_per_minute", of_each(|endpoint| format!("{:?}", endpoint.rates.requests))),
            ("endpoint.tokens_per_minute", of_each(|endpoint| format!("{:?}", endpoint.rates.tokens))),
            ("endpoint.characters_per_minute", of_each(|endpoint| format!("{:?}", endpoint.rates.characters))),
            ("endpoint.tier", of_each(|endpoint| format!("{:?} {}", endpoint.options.tier, endpoint.options.discount))),
            ("endpoint.max_characters", of_each(|endpoint| format!("{:?}", endpoint.max_characters))),
            ("endpoint.max_bytes", of_each(|endpoint| format!("{:?}", endpoint.max_bytes))),
            ("endpoint.max_tokens", of_each(|endpoint| format!("{:?}", endpoint.max_tokens))),
            ("endpoint.context", of_each(|endpoint| format!("{:?}", endpoint.options.context))),
            ("endpoint.json", of_each(|endpoint| format!("{:?}", endpoint.options.json))),
            ("embedded", format!("{:?} {}", self.embedded.translator, self.embedded.model)),
            ("duplicates.near", format!("{:?}", self.near)),
            ("checks", self.checks_text()),
            ("run.max_cost", format!("{:?}", self.run.max_cost)),
            ("run.max_articles", format!("{:?}", self.run.max_articles)),
            ("run.max_failures", format!("{:?}", self.run.max_failures)),
        ]
    }

    fn checks_text(&self) -> String {
        format!("{:?}", self.checks)
    }
}

/// Settings of any length, as a short text.
fn hashed(settings: &impl std::fmt::Debug) -> String {
    format!("{:x}", hash(&format!("{settings:?}")))
}
