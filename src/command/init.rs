//! `depeche init`: writes a commented config for a service.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use super::arguments::InitArguments;
use crate::config::{SHIPPED, SHIPPED_PROMPTS};
use crate::model::{Exit, Fault};
use crate::report::print_stdout;

/// Name, description and config.
const SERVICES: &[(&str, &str, &str)] = &[
    ("embedded", "the embedded endpoint: no account, no key", SHIPPED),
    ("openai", "OpenAI: one call per article", include_str!("init/openai.toml")),
    ("anthropic", "Anthropic: one call per article", include_str!("init/anthropic.toml")),
    ("ollama", "Ollama on this machine, with its native API", include_str!("init/ollama.toml")),
    ("vllm", "vLLM", include_str!("init/vllm.toml")),
    ("llama-cpp", "the server of llama.cpp", include_str!("init/llama-cpp.toml")),
    ("litellm", "a LiteLLM gateway", include_str!("init/litellm.toml")),
    ("gemini", "Google Gemini, with a template", include_str!("init/gemini.toml")),
    ("deepl", "DeepL for translations; embedded summaries", include_str!("init/deepl.toml")),
    ("azure", "Azure AI Translator for translations, with a template; embedded summaries", include_str!("init/azure.toml")),
    ("google", "Google Cloud Translation for translations, with a template; embedded summaries", include_str!("init/google.toml")),
    ("libretranslate", "LibreTranslate for translations; embedded summaries", include_str!("init/libretranslate.toml")),
    ("apertium", "an Apertium APY server for translations (drafts); embedded summaries", include_str!("init/apertium.toml")),
];

pub(super) fn run(arguments: &InitArguments) -> Result<Exit, Fault> {
    if arguments.list {
        for (name, what, _) in SERVICES {
            print_stdout(&format!("{name:<15} {what}"));
        }
        return Ok(Exit::Done);
    }
    if let Some(folder) = &arguments.prompts {
        return prompts(folder);
    }
    let names = || SERVICES.iter().map(|(name, _, _)| *name).collect::<Vec<_>>().join(", ");
    let found = SERVICES.iter().find(|(name, _, _)| *name == arguments.service);
    let (_, _, text) =
        found.ok_or_else(|| Fault::usage(format!("unknown service `{}`\n  hint: the services are {}", arguments.service, names())))?;
    if arguments.output.as_os_str() == "-" {
        print_stdout(text.trim_end());
        return Ok(Exit::Done);
    }
    let path = arguments.output.display();
    let written =
        OpenOptions::new().write(true).create_new(true).open(&arguments.output).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Fault::usage(format!("`{path}` already exists\n  hint: write to another file with --output")),
        _ => Fault::usage(format!("cannot write `{path}`: {error}")),
    })?;
    print_stdout(&format!("wrote `{path}`; check it with `depeche doctor`"));
    Ok(Exit::Done)
}

/// Writes the built-in prompt templates to `folder`, to be edited and named in the config.
fn prompts(folder: &Path) -> Result<Exit, Fault> {
    let cannot = |path: &Path, error: &std::io::Error| Fault::usage(format!("cannot write `{}`: {error}", path.display()));
    std::fs::create_dir_all(folder).map_err(|error| cannot(folder, &error))?;
    for (name, text) in SHIPPED_PROMPTS {
        let path = folder.join(format!("{name}.j2"));
        let written = OpenOptions::new().write(true).create_new(true).open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| cannot(&path, &error))?;
    }
    print_stdout(&format!("wrote `{}`; edit the prompts and name them under [prompts] in the config", folder.display()));
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, load};
    use crate::dialect;

    #[test]
    fn every_config_loads_once_its_key_is_set() {
        for (name, _, text) in SERVICES {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("config.toml");
            // A file instead of an environment variable.
            std::fs::write(dir.path().join("key"), "sk-test").unwrap();
            let lines = text.lines().map(|line| if line.starts_with("key = { env") { "key = { file = \"key\" }" } else { line });
            std::fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
            let loaded = load(Some(&path), &Overrides::default(), &dialect::facts());
            assert!(loaded.is_ok(), "{name}: {:?}", loaded.err());
        }
    }
}
