//! The file of passwords that `libpq` reads, `~/.pgpass`.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use secrecy::SecretString;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// A larger file is not a password file.
const MAX_BYTES: u64 = 1 << 20;

/// The password of the first server, database and user of `config`, if the file has it. Like
/// `libpq`, it does not read a file that others may read.
pub(super) fn find(path: &Path, config: &Config) -> Option<SecretString> {
    let meta = path.metadata().ok().filter(|meta| meta.is_file() && meta.len() <= MAX_BYTES)?;
    if meta.mode() & 0o077 != 0 {
        tracing::warn!("`{}` is not read, because others may read it: chmod 600", path.display());
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(_)) | None => "localhost".into(),
    };
    let user = config.get_user().unwrap_or_default();
    let wanted = [
        host,
        config.get_ports().first().copied().unwrap_or(5432).to_string(),
        config.get_dbname().unwrap_or(user).to_owned(),
        user.to_owned(),
    ];
    let matches = |fields: &&Vec<String>| fields.iter().zip(&wanted).all(|(field, wanted)| field == "*" || field == wanted);
    let lines: Vec<Vec<String>> = text.lines().filter(|line| !line.starts_with('#')).map(fields).filter(|line| line.len() == 5).collect();
    lines.iter().find(matches).and_then(|fields| fields.last()).map(|password| SecretString::from(password.as_str()))
}

/// The fields of a line; `\:` and `\\` stand for themselves.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields.last_mut().into_iter().for_each(|field| field.extend(characters.next())),
            c => fields.last_mut().into_iter().for_each(|field| field.push(c)),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pgpass");
        std::fs::write(&path, "# h:1:d:u:no\nother:*:*:*:no\nh:5433:d:u:a\\:b\\\\c:d\n*:*:*:*:last\n").unwrap();
        let config: Config = "postgres://u@h:5433/d".parse().unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(find(&path, &config).is_none(), "others may read it");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(find(&path, &config).unwrap().expose_secret(), "a:b\\c:d");
        let other: Config = "postgres://v@h:5433/d".parse().unwrap();
        assert_eq!(find(&path, &other).unwrap().expose_secret(), "last");
    }
}
