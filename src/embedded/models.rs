//! Finds the files of Firefox models and verifies them by SHA-256 at each load.
//!
//! The engine does not notice damage: a truncated vocabulary gives empty translations, a flipped
//! byte wrong words.

use std::fs;
use std::path::{Path, PathBuf};

use fxtranslate::cache::sha256_hex;

use crate::config::Embedded;
use crate::model::Lang;

/// The list of files with their hashes, in the format of `sha256sum`.
pub(super) const CHECKSUMS: &str = "SHA256SUMS";

/// The verified files of one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelFiles {
    /// The weights.
    pub(crate) model: PathBuf,
    /// The vocabulary of the source language.
    pub(crate) source_vocabulary: PathBuf,
    /// The vocabulary of the target language; often the same file.
    pub(crate) target_vocabulary: PathBuf,
    /// The lexical shortlist, if the model has one. It makes translation faster and hardly changes
    /// it.
    pub(crate) shortlist: Option<PathBuf>,
    /// The first digits of the hash over all hashes. It identifies the model.
    pub(crate) version: String,
}

/// The two directions that the table needs.
pub(crate) const DIRECTIONS: [(Lang, Lang); 2] = [(Lang::FR, Lang::EN), (Lang::EN, Lang::FR)];

/// The folder name of a direction, such as `fr-en`.
pub(crate) fn pair(from: Lang, to: Lang) -> String {
    format!("{from}-{to}")
}

/// The folder of downloaded models: `$XDG_CACHE_HOME/depeche/models`, else below `~/.cache`.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    // `home_dir` asks the user database if cron sets no HOME.
    let root = named.or_else(|| std::env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(".cache")))?;
    Some(root.join("depeche").join("models"))
}

/// Finds the model of a direction in the user's folder or else in the cache. Returns `None` if
/// neither has it.
///
/// # Errors
/// If there is a model with damaged or missing files.
pub(crate) fn find(config: &Embedded, from: Lang, to: Lang) -> Result<Option<ModelFiles>, String> {
    if let Some(dir) = &config.models_dir {
        let folder = dir.join(pair(from, to));
        if folder.is_dir() {
            return load(&folder).map(Some);
        }
    }
    let Some(folder) = cache_folder().map(|root| root.join(&config.model).join(pair(from, to))) else { return Ok(None) };
    // An interrupted download has not written its checksums yet.
    if folder.join(CHECKSUMS).is_file() { load(&folder).map(Some) } else { Ok(None) }
}

/// Verifies every file in the list of `folder`.
pub(super) fn load(folder: &Path) -> Result<ModelFiles, String> {
    let list = folder.join(CHECKSUMS);
    let sums = fs::read_to_string(&list).map_err(|error| {
        format!("cannot read `{}` ({error}): make it with `cd {} && sha256sum *.* > {CHECKSUMS}`", list.display(), folder.display())
    })?;
    let mut files = Vec::new();
    for line in sums.lines().filter(|line| !line.trim().is_empty()) {
        let (hash, name) = line.split_once("  ").or_else(|| line.split_once(" *")).unwrap_or((line, ""));
        if name.is_empty() || name.contains(['/', '\\']) {
            return Err(format!("`{}` is not in the format of sha256sum: {line}", list.display()));
        }
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        if sha256_hex(&bytes) != hash.to_ascii_lowercase() {
            return Err(format!(
                "`{}` is damaged: its SHA-256 differs from the one in its list. Remove the folder `{}` to download it again",
                path.display(),
                folder.display()
            ));
        }
        files.push((name.to_owned(), path));
    }
    let file = |kind: &str| files.iter().find(|(name, _)| name.starts_with(&format!("{kind}."))).map(|(_, path)| path.clone());
    let missing = |kind: &str| format!("the list of `{}` has no {kind}.*", folder.display());
    let both = file("vocab");
    Ok(ModelFiles {
        model: file("model").ok_or_else(|| missing("model"))?,
        source_vocabulary: both.clone().or_else(|| file("srcvocab")).ok_or_else(|| missing("vocab"))?,
        target_vocabulary: both.or_else(|| file("trgvocab")).ok_or_else(|| missing("trgvocab"))?,
        shortlist: file("lex"),
        version: sha256_hex(sums.as_bytes()).chars().take(12).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let sums: Vec<String> = files.iter().map(|(name, text)| format!("{}  {name}", sha256_hex(text.as_bytes()))).collect();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        fs::write(dir.path().join(CHECKSUMS), sums.join("\n")).unwrap();
        dir
    }

    #[test]
    fn every_kind_of_damage_is_reported() {
        let dir = folder_with(&[("model.fren.bin", "weights"), ("vocab.fren.spm", "words"), ("lex.fren.bin", "list")]);
        let files = load(dir.path()).unwrap();
        assert_eq!(files.source_vocabulary, files.target_vocabulary);
        assert!(files.shortlist.is_some());
        fs::write(dir.path().join("vocab.fren.spm"), "word").unwrap();
        assert!(load(dir.path()).unwrap_err().contains("damaged"));
        fs::remove_file(dir.path().join("vocab.fren.spm")).unwrap();
        assert!(load(dir.path()).unwrap_err().contains("cannot read"));
        let odd = folder_with(&[("vocab.fren.spm", "words")]);
        assert!(load(odd.path()).unwrap_err().contains("no model.*"));
        fs::write(odd.path().join(CHECKSUMS), "0123  ../../etc/passwd\n").unwrap();
        assert!(load(odd.path()).unwrap_err().contains("not in the format of sha256sum"));
    }
}
