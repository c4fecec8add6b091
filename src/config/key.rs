//! Fetches a key from where the config says it is, into a wrapper that no log can print.

use std::io::Read;
use std::path::Path;

use secrecy::SecretString;

use super::raw::RawKey;

/// A key file is one line; anything larger is some other file named by mistake.
const MAX_KEY_BYTES: u64 = 8 * 1024;

/// The key behind `raw`; a file's path is relative to `folder`.
///
/// # Errors
/// What is wrong, in words that never hold the key itself.
pub(super) fn fetch(raw: &RawKey, folder: &Path) -> Result<SecretString, String> {
    let (written, place) = match raw {
        // Somebody may have put the key itself here; then it must not be repeated.
        RawKey::Env(name) if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
            return Err("`env` takes the name of an environment variable, not the key itself".into());
        }
        RawKey::Env(name) => {
            let value = std::env::var(name).map_err(|error| match error {
                std::env::VarError::NotPresent => format!("the environment variable `{name}`, which should hold the key, is not set"),
                std::env::VarError::NotUnicode(_) => format!("the environment variable `{name}` is not UTF-8"),
            })?;
            (value, format!("the environment variable `{name}`"))
        }
        RawKey::File(path) => {
            let path = folder.join(path);
            let mut text = String::new();
            let opened = std::fs::File::open(&path);
            opened
                .and_then(|file| file.take(MAX_KEY_BYTES).read_to_string(&mut text))
                .map_err(|error| format!("cannot read the key file `{}`: {error}", path.display()))?;
            (text, format!("the key file `{}`", path.display()))
        }
    };
    // A line end pasted along with the key is the commonest fault and harmless; anything else inside is not a key.
    let key = written.trim();
    if key.is_empty() {
        return Err(format!("{place} is empty"));
    }
    if !key.chars().all(|c| c.is_ascii_graphic()) {
        return Err(format!("{place} holds white space or characters that no key has"));
    }
    Ok(SecretString::from(key))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_key_file_loses_its_line_end_and_a_strange_one_is_refused_unseen() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("good"), "sk-123\r\n").unwrap();
        std::fs::write(folder.path().join("bad"), "sk-1 23\nsk").unwrap();
        std::fs::write(folder.path().join("blank"), "\n").unwrap();
        let get = |name: &str| fetch(&RawKey::File(name.into()), folder.path());
        assert_eq!(get("good").unwrap().expose_secret(), "sk-123");
        assert!(!get("bad").unwrap_err().contains("sk-1"));
        assert!(get("blank").unwrap_err().ends_with("is empty"));
        assert!(get("none").unwrap_err().contains("cannot read"));
    }
}
