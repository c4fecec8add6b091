//! Apertium's mode files. Each holds one pipeline of programs, which we parse instead of passing it
//! to a shell.

use super::error::Error;
use std::env;
use std::path::{Path, PathBuf};

/// The folders to search for programs after those in `PATH`, which may be empty under cron.
const USUAL_FOLDERS: [&str; 2] = ["/usr/bin", "/usr/local/bin"];

/// The programs that a mode file may start, beside `apertium-*`. A mode file must not be able to
/// start anything else.
const KNOWN_PROGRAMS: [&str; 5] = ["lt-proc", "lrx-proc", "lsx-proc", "rtx-proc", "cg-proc"];

/// One program of a pipeline with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    /// The name in the mode file; after [`resolve`], the full path.
    pub path: PathBuf,
    /// The arguments. The first is `-z`: flush at a NUL.
    pub args: Vec<String>,
}

/// Parses a mode file: programs separated by `|`, arguments with or without single quotes.
///
/// `$1` says how to show unknown words: it becomes `-n`, without marks. `$2` is dropped.
///
/// # Errors
///
/// [`Error::BadMode`] if the file is not a plain pipeline of known programs.
pub(super) fn parse(file: &Path, text: &str) -> Result<Vec<Program>, Error> {
    let bad = |why: String| Error::BadMode { file: file.to_path_buf(), why };
    let mut programs = Vec::new();
    for words in split(text).map_err(bad)? {
        let mut words = words.into_iter();
        let name = words.next().ok_or_else(|| bad("it has an empty step".to_owned()))?;
        if !is_known(&name) {
            return Err(bad(format!("`{name}` is not one of Apertium's programs")));
        }
        let mut args = vec!["-z".to_owned()];
        for word in words {
            match word.as_str() {
                "$1" => args.push("-n".to_owned()),
                "$2" | "-z" => {}
                _ => args.push(word),
            }
        }
        programs.push(Program { path: PathBuf::from(name), args });
    }
    Ok(programs)
}

/// Finds the full path of every program. Adds missing programs and data files to `missing`.
#[must_use]
pub(super) fn resolve(programs: Vec<Program>, missing: &mut Vec<String>) -> Vec<Program> {
    let mut resolved = Vec::with_capacity(programs.len());
    for Program { path, args } in programs {
        let found = look_up(&path);
        if found.is_none() {
            missing.push(path.display().to_string());
        }
        for data in args.iter().filter(|arg| arg.starts_with('/') && !Path::new(arg).is_file()) {
            missing.push(data.clone());
        }
        resolved.push(Program { path: found.unwrap_or(path), args });
    }
    resolved
}

/// Finds a program in `PATH`, then in the usual folders.
fn look_up(name: &Path) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .chain(USUAL_FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// Whether a name is one of Apertium's programs. A path is not.
fn is_known(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    plain && (name.starts_with("apertium-") || KNOWN_PROGRAMS.contains(&name))
}

/// Splits a pipeline into the words of each step. Fails on syntax that needs a shell.
fn split(text: &str) -> Result<Vec<Vec<String>>, String> {
    let mut steps = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(quoted) => word.push(quoted),
                        None => return Err("a quote is not closed".to_owned()),
                    }
                }
            }
            ';' | '&' | '<' | '>' | '`' | '(' | ')' | '"' | '\\' | '#' | '*' | '~' => {
                return Err(format!("`{c}` outside quotes"));
            }
            _ if c == '|' || c.is_whitespace() => {
                if let (Some(word), Some(step)) = (word.take(), steps.last_mut()) {
                    step.push(word);
                }
                if c == '|' {
                    steps.push(Vec::new());
                }
            }
            _ => word.get_or_insert_default().push(c),
        }
    }
    if let (Some(word), Some(step)) = (word, steps.last_mut()) {
        step.push(word);
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<Program>, Error> {
        parse(Path::new("x.mode"), text)
    }

    #[test]
    fn a_pipeline_is_parsed_with_its_flags() {
        let programs = parsed("lt-proc '/a b/c.bin' | apertium-tagger -g $2 '/t' |\n lt-proc $1 /g\n").unwrap();
        assert_eq!(programs.len(), 3);
        assert_eq!(programs[0].args, ["-z", "/a b/c.bin"]);
        assert_eq!(programs[1].path, Path::new("apertium-tagger"));
        assert_eq!(programs[1].args, ["-z", "-g", "/t"]);
        assert_eq!(programs[2].args, ["-z", "-n", "/g"]);
    }

    #[test]
    fn shell_syntax_is_refused() {
        for text in ["lt-proc a; rm b", "lt-proc $(x)", "lt-proc a > b", "lt-proc 'a", "lt-proc a || lt-proc b", ""] {
            assert!(matches!(parsed(text), Err(Error::BadMode { .. })), "{text}");
        }
    }

    #[test]
    fn only_apertium_programs_may_run() {
        assert!(parsed("bash -c x").is_err());
        assert!(parsed("/tmp/lt-proc x").is_err());
        assert!(parsed("apertium-../x").is_err());
    }

    #[test]
    fn missing_programs_and_data_files_are_listed() {
        let mut missing = Vec::new();
        let programs = parsed("apertium-nonsense '/nowhere/x.bin'").unwrap();
        let _ = resolve(programs, &mut missing);
        assert_eq!(missing, ["apertium-nonsense", "/nowhere/x.bin"]);
    }
}
