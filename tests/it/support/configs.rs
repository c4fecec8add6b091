//! Configs for the tests. A test changes details with [`str::replace`].

use super::mock::Mock;
use super::{repository, wire};

/// One chat model on the mock does everything. Models are not downloaded.
pub(crate) fn openai(mock: &Mock) -> String {
    format!(
        r#"[input]
paths = ["input"]

[output]
folder = "output"
profile = "plain"

[summary]
route = "summarise-then-translate"
words = 60

[[endpoint]]
name = "llm"
does = ["summarise", "translate"]
dialect = "openai"
url = "{}/v1"
model = "{}"
concurrency = 4
timeout = "100s"

[embedded]
fetch = false
"#,
        mock.url(),
        wire::MODEL
    )
}

/// [`openai`] with a key from the environment variable `DEPECHE_TEST_KEY`.
pub(crate) fn with_key(mock: &Mock) -> String {
    openai(mock).replace("concurrency = 4", "key = { env = \"DEPECHE_TEST_KEY\" }\nconcurrency = 4")
}

/// Summaries by a chat model and translations by `LibreTranslate` or Apertium, all on the mock.
pub(crate) fn two_services(mock: &Mock, dialect: &str) -> String {
    let second =
        format!("[[endpoint]]\nname = \"mt\"\ndoes = [\"translate\"]\ndialect = \"{dialect}\"\nurl = \"{}\"\n\n[embedded]", mock.url());
    openai(mock).replace("does = [\"summarise\", \"translate\"]", "does = [\"summarise\"]").replace("[embedded]", &second)
}

/// Only the embedded endpoint, with these lines under `[embedded]`.
pub(crate) fn embedded(lines: &str) -> String {
    format!("[[endpoint]]\nname = \"embedded\"\ndoes = [\"summarise\", \"translate\"]\ndialect = \"embedded\"\n\n[embedded]\n{lines}\n")
}

/// The embedded endpoint with this repository's toy model, which only translates French to English.
pub(crate) fn toy(models: &str) -> String {
    embedded(&format!("translator = \"firefox\"\nfetch = false\nmodels_dir = \"{models}\""))
}

/// The folder with the toy model's files.
pub(crate) fn toy_files() -> std::path::PathBuf {
    repository("tests/data/tiny-fren")
}

/// One endpoint of this dialect on the mock, with these extra lines. If it can only translate, the embedded endpoint summarises.
pub(crate) fn service(mock: &Mock, dialect: &str, lines: &str) -> String {
    let path = if ["openai", "anthropic"].contains(&dialect) { "/v1" } else { "" };
    let translates = ["deepl", "libretranslate", "apertium"].contains(&dialect) || lines.contains("texts = ");
    let does = if translates { "[\"translate\"]" } else { "[\"summarise\", \"translate\"]" };
    let second = "\n[[endpoint]]\nname = \"embedded\"\ndoes = [\"summarise\"]\ndialect = \"embedded\"\n";
    format!(
        "[[endpoint]]\nname = \"svc\"\ndoes = {does}\ndialect = \"{dialect}\"\nurl = \"{}{path}\"\nmodel = \"{}\"\nconcurrency = 1\n{lines}\n{}\n[embedded]\nfetch = false\n",
        mock.url(),
        if dialect == "apertium" { "fra|spa|eng" } else { wire::MODEL },
        if translates { second } else { "" }
    )
}
