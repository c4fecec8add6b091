//! Where the Firefox models are, and that they are whole: every file is checked by its SHA-256 at each load. The engine itself
//! notices neither a vocabulary cut short (empty translations) nor a flipped byte (wrong words).

use std::fs;
use std::path::{Path, PathBuf};

use fxtranslate::cache::sha256_hex;

use crate::config::Embedded;
use crate::model::Lang;

/// The list of files with their hashes, in the form of `sha256sum`.
pub(super) const SUMS: &str = "SHA256SUMS";

/// The files of one direction, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFiles {
    /// The weights.
    pub model: PathBuf,
    /// The vocabulary of the source language.
    pub source_vocabulary: PathBuf,
    /// The vocabulary of the target language; often the same file.
    pub target_vocabulary: PathBuf,
    /// The lexical shortlist, where there is one: faster, hardly different.
    pub shortlist: Option<PathBuf>,
    /// The first hexadecimal digits of the hash of all hashes: another model is another translator.
    pub version: String,
}

/// The two directions that the table needs.
pub const DIRECTIONS: [(Lang, Lang); 2] = [(Lang::FR, Lang::EN), (Lang::EN, Lang::FR)];

/// The folder name of a direction, as `fr-en`.
pub fn pair(from: Lang, to: Lang) -> String {
    format!("{from}-{to}")
}

/// The folder that fetched models are kept in: `$XDG_CACHE_HOME/depeche/models`, else below `~/.cache`.
pub fn cache() -> Option<PathBuf> {
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    // Finds the home folder in the user database where cron sets no HOME.
    let root = named.or_else(|| std::env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(".cache")))?;
    Some(root.join("depeche").join("models"))
}

/// The model of a direction in the user's own folder, else in the cache; none where neither has one.
///
/// # Errors
/// What is wrong with one that is there.
pub fn find(config: &Embedded, from: Lang, to: Lang) -> Result<Option<ModelFiles>, String> {
    if let Some(dir) = &config.models_dir {
        let folder = dir.join(pair(from, to));
        if folder.is_dir() {
            return load(&folder).map(Some);
        }
    }
    let Some(folder) = cache().map(|root| root.join(&config.model).join(pair(from, to))) else { return Ok(None) };
    // A fetch that was broken off has not written its sums yet.
    if folder.join(SUMS).is_file() { load(&folder).map(Some) } else { Ok(None) }
}

/// Reads `folder`'s list and checks every file in it.
pub(super) fn load(folder: &Path) -> Result<ModelFiles, String> {
    let list = folder.join(SUMS);
    let sums = fs::read_to_string(&list).map_err(|error| {
        format!("`{}` cannot be read ({error}): make it with `cd {} && sha256sum *.* > {SUMS}`", list.display(), folder.display())
    })?;
    let mut files = Vec::new();
    for line in sums.lines().filter(|line| !line.trim().is_empty()) {
        let (hash, name) = line.split_once("  ").or_else(|| line.split_once(" *")).unwrap_or((line, ""));
        if name.is_empty() || name.contains(['/', '\\']) {
            return Err(format!("`{}` is not a list as sha256sum makes it: {line}", list.display()));
        }
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
        if sha256_hex(&bytes) != hash.to_ascii_lowercase() {
            return Err(format!(
                "`{}` is damaged: it does not have the SHA-256 that its list names. Remove the folder `{}` to have it fetched anew",
                path.display(),
                folder.display()
            ));
        }
        files.push((name.to_owned(), path));
    }
    let part = |kind: &str| files.iter().find(|(name, _)| name.starts_with(&format!("{kind}."))).map(|(_, path)| path.clone());
    let missing = |kind: &str| format!("`{}` has no {kind}.* among its files", folder.display());
    let both = part("vocab");
    Ok(ModelFiles {
        model: part("model").ok_or_else(|| missing("model"))?,
        source_vocabulary: both.clone().or_else(|| part("srcvocab")).ok_or_else(|| missing("vocab"))?,
        target_vocabulary: both.or_else(|| part("trgvocab")).ok_or_else(|| missing("trgvocab"))?,
        shortlist: part("lex"),
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
        fs::write(dir.path().join(SUMS), sums.join("\n")).unwrap();
        dir
    }

    #[test]
    fn a_whole_model_is_taken_and_every_kind_of_damage_is_told() {
        let dir = folder_with(&[("model.fren.bin", "weights"), ("vocab.fren.spm", "words"), ("lex.fren.bin", "list")]);
        let files = load(dir.path()).unwrap();
        assert_eq!(files.source_vocabulary, files.target_vocabulary);
        assert!(files.shortlist.is_some());
        fs::write(dir.path().join("vocab.fren.spm"), "word").unwrap();
        assert!(load(dir.path()).unwrap_err().contains("damaged"));
        fs::remove_file(dir.path().join("vocab.fren.spm")).unwrap();
        assert!(load(dir.path()).unwrap_err().contains("cannot be read"));
        let odd = folder_with(&[("vocab.fren.spm", "words")]);
        assert!(load(odd.path()).unwrap_err().contains("no model.*"));
        fs::write(odd.path().join(SUMS), "0123  ../../etc/passwd\n").unwrap();
        assert!(load(odd.path()).unwrap_err().contains("not a list"));
    }
}
