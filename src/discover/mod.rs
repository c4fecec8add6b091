//! Finds the sources: walks the input's files and folders in a stable order.

mod folder;
mod name;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{ErrorCode, Reject, Source, Stamp};
use folder::Folder;

pub(crate) use name::{article_id, display_name};

/// A source, or the name of an entry that cannot be read and the reason.
pub(crate) type Found = Result<Source, (String, Reject)>;

/// Walks `inputs` and yields each file below them once. Inputs keep their order; in a folder, files
/// come first, sorted by name, then folders. Hidden files are skipped and links are not followed,
/// except a link that is itself an input. `.gitignore` has no effect.
///
/// Sources are named relative to `base`. The output folder `excluded` is not entered.
pub(crate) fn walk<'a>(inputs: &[PathBuf], base: &'a Path, excluded: &Path) -> impl Iterator<Item = Found> + use<'a> {
    walk_counting_links(inputs, base, excluded, Arc::default())
}

/// Like [`walk`]; also adds the links that it does not follow to `links`.
pub(crate) fn walk_counting_links<'a>(
    inputs: &[PathBuf],
    base: &'a Path,
    excluded: &Path,
    links: Arc<AtomicU64>,
) -> impl Iterator<Item = Found> + use<'a> {
    let roots = roots(inputs);
    let not_entered: Arc<HashSet<PathBuf>> = Arc::new(roots.iter().cloned().chain(excluded.canonicalize().ok()).collect());
    roots.into_iter().flat_map(move |root| Walk {
        base,
        not_entered: Arc::clone(&not_entered),
        pending: vec![root],
        open: None,
        links: Arc::clone(&links),
    })
}

/// Counts the files in `inputs` quickly. Stops early if `go_on` returns false.
pub(crate) fn count(inputs: &[PathBuf], excluded: &Path, go_on: &dyn Fn() -> bool) -> u64 {
    let excluded = excluded.canonicalize().ok();
    roots(inputs).iter().map(|root| if root.is_dir() { folder::count(root, excluded.as_deref(), go_on) } else { 1 }).sum()
}

/// The real paths of the inputs, without paths inside an earlier input.
pub(crate) fn roots(inputs: &[PathBuf]) -> Vec<PathBuf> {
    let mut seen = HashSet::with_capacity(inputs.len());
    let mut roots = Vec::with_capacity(inputs.len());
    for input in inputs {
        let stdin = input.as_os_str() == Source::STDIN;
        let real = if stdin { input.clone() } else { input.canonicalize().unwrap_or_else(|_| input.clone()) };
        if !real.ancestors().any(|above| seen.contains(above)) {
            seen.insert(real.clone());
            roots.push(real);
        }
    }
    roots
}

/// A walk of one input.
struct Walk<'a> {
    base: &'a Path,
    /// Paths that are not entered from a folder above: the output folder, and the inputs, which
    /// have their own walk.
    not_entered: Arc<HashSet<PathBuf>>,
    /// Paths to visit, the next one last.
    pending: Vec<PathBuf>,
    /// The open folder and the position of its next file.
    open: Option<(PathBuf, Folder, usize)>,
    /// Links that were not followed.
    links: Arc<AtomicU64>,
}

impl Iterator for Walk<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            if let Some((path, folder, next)) = &mut self.open {
                while let Some(name) = folder.file(*next) {
                    *next += 1;
                    let path = path.join(name);
                    if !self.not_entered.contains(&path)
                        && let Some(found) = file(path, self.base)
                    {
                        return Some(found);
                    }
                }
                self.open = None;
            }
            let path = self.pending.pop()?;
            if let Some(found) = self.enter(path) {
                return Some(found);
            }
        }
    }
}

impl Walk<'_> {
    /// Opens a folder. Yields an input that is a file, or the reason why a path cannot be opened.
    fn enter(&mut self, path: PathBuf) -> Option<Found> {
        if path.as_os_str() == Source::STDIN {
            return Some(Ok(Source { path, name: Source::STDIN_NAME.to_owned(), size: 0, stamp: None }));
        }
        match Folder::list(&path) {
            Ok(folder) => {
                self.links.fetch_add(folder.links(), Ordering::Relaxed);
                let below = folder.folders_backwards().into_iter().map(|name| path.join(name));
                self.pending.extend(below.filter(|path| !self.not_entered.contains(path)));
                self.open = Some((path, folder, 0));
                None
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => file(path, self.base),
            Err(error) => {
                let name = display_name(&path, self.base);
                Some(Err((name, Reject::new(ErrorCode::Unreadable, format!("cannot read the folder: {error}")))))
            }
        }
    }
}

/// The source at `path`. Returns `None` if it is not a regular file.
pub(crate) fn file(path: PathBuf, base: &Path) -> Option<Found> {
    let name = display_name(&path, base);
    match path.symlink_metadata() {
        Ok(meta) if !meta.is_file() => None,
        Ok(meta) => Some(Ok(Source { size: meta.len(), stamp: Some(Stamp::of(&meta)), name, path })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Err((name, Reject::vanished()))),
        Err(error) => Some(Err((name, Reject::new(ErrorCode::Unreadable, format!("cannot read the metadata of the file: {error}"))))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(inputs: &[PathBuf], base: &Path) -> Vec<String> {
        walk(inputs, base, Path::new("/nowhere")).map(|found| found.unwrap().name).collect()
    }

    #[test]
    fn the_order_is_stable_and_hidden_files_and_links_are_skipped() {
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
        let links = Arc::default();
        assert_eq!(walk_counting_links(&[base.join("in")], &base, Path::new("/nowhere"), Arc::clone(&links)).count(), 3);
        assert_eq!(links.load(Ordering::Relaxed), 2);
        assert_eq!(names(&[base.join("in/b.txt"), base.join("in")], &base), ["in/b.txt", "in/a.txt", "in/sub/c.txt"]);
    }

    #[test]
    fn a_missing_input_is_reported() {
        let found: Vec<Found> = walk(&[PathBuf::from("/does/not/exist")], Path::new("/"), Path::new("/out")).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].as_ref().unwrap_err().1.code, ErrorCode::Unreadable);
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
