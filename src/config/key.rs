//! Reads an API key from the place that the config names. `SecretString` keeps it out of logs.

use std::io::Read;
use std::path::Path;

use secrecy::SecretString;

use super::raw::RawKey;

/// At most this much of a key file is read.
const MAX_KEY_BYTES: u64 = 8 * 1024;

/// Reads the key. A file's path is relative to `folder`.
///
/// # Errors
/// Returns a message that never contains the key.
pub(super) fn read(raw: &RawKey, folder: &Path) -> Result<SecretString, String> {
    let (written, place) = written(raw, folder)?;
    // Trims the line end that many key files have. Other white space is an error.
    let key = written.trim();
    if key.is_empty() {
        return Err(format!("{place} is empty"));
    }
    if !key.chars().all(|c| c.is_ascii_graphic()) {
        return Err(format!("{place} contains white space or other characters that keys cannot have"));
    }
    Ok(SecretString::from(key))
}

/// Like [`read`], for a password, which may have any characters within its line.
///
/// # Errors
/// Returns a message that never contains the password.
pub(super) fn read_password(raw: &RawKey, folder: &Path) -> Result<SecretString, String> {
    let (written, place) = written(raw, folder)?;
    let password = written.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(format!("{place} is empty"));
    }
    Ok(SecretString::from(password))
}

/// The text at the place that the config names, and that place.
fn written(raw: &RawKey, folder: &Path) -> Result<(String, String), String> {
    match raw {
        // Does not repeat the name, which may be the key itself.
        RawKey::Env(name) if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
            Err("`env` must be the name of an environment variable, not the key itself".into())
        }
        RawKey::Env(name) => {
            let value = std::env::var(name).map_err(|error| match error {
                std::env::VarError::NotPresent => format!("the environment variable `{name}` for the key is not set"),
                std::env::VarError::NotUnicode(_) => format!("the environment variable `{name}` is not UTF-8"),
            })?;
            Ok((value, format!("the environment variable `{name}`")))
        }
        RawKey::File(path) => {
            let path = folder.join(path);
            let mut text = String::new();
            let opened = std::fs::File::open(&path);
            opened
                .and_then(|file| file.take(MAX_KEY_BYTES).read_to_string(&mut text))
                .map_err(|error| format!("cannot read the key file `{}`: {error}", path.display()))?;
            Ok((text, format!("the key file `{}`", path.display())))
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_key_file_is_trimmed_and_an_invalid_key_is_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("good"), "sk-123\r\n").unwrap();
        std::fs::write(folder.path().join("bad"), "sk-1 23\nsk").unwrap();
        std::fs::write(folder.path().join("blank"), "\n").unwrap();
        let get = |name: &str| read(&RawKey::File(name.into()), folder.path());
        assert_eq!(get("good").unwrap().expose_secret(), "sk-123");
        assert!(!get("bad").unwrap_err().contains("sk-1"));
        assert!(get("blank").unwrap_err().ends_with("is empty"));
        assert!(get("none").unwrap_err().contains("cannot read"));
    }
}
