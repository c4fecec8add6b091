//! The input's files and folders, walked in a stable order, as sources.

mod name;

use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use crate::model::{Reject, Source};

pub use name::{article_id, display_name};

/// What the walk comes by: a file to read, or something that was found and cannot be read.
pub type Found = Result<Source, (String, Reject)>;

/// Walks `inputs` and yields every file below them once, in the order of the inputs and then of the names. Hidden files
/// are skipped, `.gitignore` means nothing here, links are not followed (one named as an input itself is).
///
/// `base` is the folder that sources are named relative to; `outside` (the output folder) is not entered.
pub fn walk<'a>(inputs: &'a [PathBuf], base: &'a Path, outside: &'a Path) -> impl Iterator<Item = Found> + 'a {
    let outside = outside.canonicalize().ok();
    let mut seen = std::collections::HashSet::new();
    let several = inputs.len() > 1;
    let files = inputs.iter().flat_map(move |input| walk_one(input, base, outside.clone()));
    // Two inputs may overlap; one input cannot, so its million names need not be kept.
    files.filter(move |found| !several || seen.insert(found.as_ref().map_or_else(|(name, _)| name.clone(), |source| source.name.clone())))
}

fn walk_one(input: &Path, base: &Path, outside: Option<PathBuf>) -> impl Iterator<Item = Found> {
    let base = base.to_path_buf();
    // The name that a person gave may be a link; what lies below it is walked by its real place.
    let root = input.canonicalize().unwrap_or_else(|_| input.to_path_buf());
    let walk = WalkBuilder::new(root)
        .standard_filters(false)
        .hidden(true)
        .follow_links(false)
        .sort_by_file_name(std::cmp::Ord::cmp)
        .filter_entry(move |entry| outside.as_deref() != Some(entry.path()))
        .build();
    walk.filter_map(move |entry| found(entry, &base))
}

fn found(entry: Result<ignore::DirEntry, ignore::Error>, base: &Path) -> Option<Found> {
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => return Some(Err(unreadable(&error, base))),
    };
    // Links, sockets, pipes and devices are no articles: opening one may hang, or lead out of the folder.
    if !entry.file_type().is_some_and(|kind| kind.is_file()) {
        return None;
    }
    let path = entry.into_path();
    let name = display_name(&path, base);
    Some(match path.symlink_metadata() {
        Ok(meta) => Ok(Source { size: meta.len(), name, path }),
        Err(error) => Err((name, Reject::new("unreadable", format!("the file cannot be looked at: {error}")))),
    })
}

fn unreadable(error: &ignore::Error, base: &Path) -> (String, Reject) {
    let path = error_path(error).unwrap_or_else(|| Path::new("?"));
    let cause = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
    (display_name(path, base), Reject::new("unreadable", format!("the folder cannot be read: {cause}")))
}

fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => error_path(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(inputs: &[PathBuf], base: &Path) -> Vec<String> {
        walk(inputs, base, Path::new("/nowhere")).map(|found| found.unwrap().name).collect()
    }

    #[test]
    fn order_is_stable_hidden_files_and_links_are_left_and_gitignore_means_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(base.join("in/sub")).unwrap();
        for file in ["in/b.txt", "in/a.txt", "in/sub/c.txt", "in/.hidden.txt"] {
            std::fs::write(base.join(file), "x").unwrap();
        }
        std::fs::write(base.join("in/.gitignore"), "*.txt").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", base.join("in/link.txt")).unwrap();
        std::os::unix::fs::symlink("..", base.join("in/sub/up")).unwrap();
        assert_eq!(names(&[base.join("in")], &base), ["in/a.txt", "in/b.txt", "in/sub/c.txt"]);
        assert_eq!(names(&[base.join("in/b.txt"), base.join("in")], &base), ["in/b.txt", "in/a.txt", "in/sub/c.txt"]);
    }

    #[test]
    fn an_input_that_is_not_there_is_told() {
        let found: Vec<Found> = walk(&[PathBuf::from("/none/at/all")], Path::new("/"), Path::new("/out")).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].as_ref().unwrap_err().1.code, "unreadable");
    }

    #[test]
    fn the_output_folder_is_not_input() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        std::fs::create_dir(base.join("output")).unwrap();
        std::fs::write(base.join("output/summaries.csv"), "x").unwrap();
        std::fs::write(base.join("a.txt"), "x").unwrap();
        let found: Vec<_> = walk(std::slice::from_ref(&base), &base, &base.join("output")).collect();
        assert_eq!(found.len(), 1);
    }
}
