//! The services for which `depeche init` writes a config.

use clap::builder::{PossibleValue, PossibleValuesParser};

use crate::config::SHIPPED;

/// A service, and its config.
pub(in crate::command) struct Service {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// A shorter name, which earlier versions used.
    alias: Option<&'static str>,
    /// Its description in `depeche init --list`.
    pub(super) about: &'static str,
    /// The config.
    pub(super) config: &'static str,
}

/// All services: the embedded endpoint, chat models, local servers, translators.
pub(super) const SERVICES: &[Service] = &[
    service("embedded", "the embedded endpoint: no account, no key", SHIPPED),
    service("openai", "OpenAI: one call per article", include_str!("openai.toml")),
    service("azure-openai", "OpenAI's models on Azure", include_str!("azure-openai.toml")),
    service("anthropic", "Anthropic: one call per article", include_str!("anthropic.toml")),
    service("mistral", "Mistral", include_str!("mistral.toml")),
    service("gemini", "Google Gemini, with a template", include_str!("gemini.toml")),
    service("openrouter", "OpenRouter: the models of many providers", include_str!("openrouter.toml")),
    service("groq", "Groq", include_str!("groq.toml")),
    service("deepseek", "DeepSeek", include_str!("deepseek.toml")),
    service("ollama", "Ollama on this machine, with its native API", include_str!("ollama.toml")),
    service("lm-studio", "LM Studio on this machine", include_str!("lm-studio.toml")),
    service("llama-cpp", "the server of llama.cpp", include_str!("llama-cpp.toml")),
    service("vllm", "vLLM", include_str!("vllm.toml")),
    service("litellm", "a LiteLLM gateway", include_str!("litellm.toml")),
    service("deepl", "DeepL for translations; embedded summaries", include_str!("deepl.toml")),
    Service {
        alias: Some("azure"),
        ..service(
            "azure-translator",
            "Azure AI Translator for translations, with a template; embedded summaries",
            include_str!("azure-translator.toml"),
        )
    },
    Service {
        alias: Some("google"),
        ..service(
            "google-translate",
            "Google Cloud Translation for translations, with a template; embedded summaries",
            include_str!("google-translate.toml"),
        )
    },
    service("libretranslate", "LibreTranslate for translations; embedded summaries", include_str!("libretranslate.toml")),
    service("apertium", "an Apertium APY server for translations (drafts); embedded summaries", include_str!("apertium.toml")),
];

const fn service(name: &'static str, about: &'static str, config: &'static str) -> Service {
    Service { name, alias: None, about, config }
}

impl Service {
    /// The service with this name or alias.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        SERVICES.iter().find(|service| service.name == name || service.alias == Some(name))
    }
}

/// The names, for the command line and its completions.
pub(in crate::command) fn names() -> PossibleValuesParser {
    let value = |service: &Service| PossibleValue::new(service.name).help(service.about).aliases(service.alias);
    SERVICES.iter().map(value).collect::<Vec<_>>().into()
}
