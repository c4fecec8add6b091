//! Reads sources and turns them into articles.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use super::change_scan::is_settled;
use crate::config::{Config, NearDuplicates};
use crate::dedup::Signature;
use crate::discover::Found;
use crate::extract;
use crate::extract::Unfinished;
use crate::model::{Article, ArticleRange, ErrorCode, Reject, Source, Understood};
use crate::read::{self, Bytes};

/// How many sources are read in parallel.
const BATCH: usize = 64;
/// A file with many articles that is larger than this, in bytes, is read one article at a time. So
/// it needs no more memory than many small files.
const LONG: u64 = 256 << 10;
/// How many times smaller a compressed file usually is, at least.
const USUAL_RATIO: u64 = 4;

/// Whether a source is read one article at a time. A compressed file's content may be far larger
/// than the file.
pub(super) fn is_long(source: &Source, config: &Config) -> bool {
    let (is_stream, is_compressed) = (extract::is_stream(source, config.max_bytes), extract::is_compressed(source));
    source.is_stdin() || (is_stream && is_compressed) || (source.size > LONG && (is_stream || is_compressed))
}

/// Adds the article's signature, if the run looks for near-duplicates.
pub(super) fn add_signature(article: &mut Article, near: NearDuplicates) {
    if near != NearDuplicates::Off {
        article.signature = Signature::of(article).map_or_else(Vec::new, |signature| signature.to_bytes());
    }
}

/// Reads a source. The result is always articles or rejects.
pub(super) fn understand(found: Found, config: &Config) -> Vec<Understood> {
    match found {
        Ok(source) => articles(&source, config).map(|article| finish(article, config)).collect(),
        Err(reject) => vec![Err(reject)],
    }
}

/// Finishes one article.
pub(super) fn finish(article: Unfinished, config: &Config) -> Understood {
    let name = article.name().to_owned();
    catch_panic(&name, || Ok(article.finish(&config.rules))).unwrap_or_else(Err)
}

/// Whether the articles of a file are divided into ranges if several processes share the input. A file
/// that was just written may still be growing, so it is not divided.
pub(super) fn is_divided(source: &Source) -> bool {
    let least = if extract::is_compressed(source) { LONG / USUAL_RATIO } else { LONG };
    extract::is_divisible(source) && source.size > least && is_settled(source)
}

/// The articles of a source, one by one. If the source cannot be read to its end, its reject comes
/// last.
pub(super) fn articles(source: &Source, config: &Config) -> impl Iterator<Item = Unfinished> + use<> {
    let opened = catch_panic(&source.name, || extract::articles(source, open(source, config)?, &config.fields));
    caught(source.name.clone(), opened)
}

/// The articles of a range of a file, as they come; fewer if the file has changed.
pub(super) fn articles_in(source: &Source, range: &ArticleRange, config: &Config) -> impl Iterator<Item = Unfinished> + use<> {
    let opened = catch_panic(&source.name, || extract::articles_in(source, open(source, config)?, &config.fields, range));
    caught(source.name.clone(), opened.map(|articles| articles.into_iter().flatten()))
}

/// Articles up to the end or a panic; the reject if the source `name` could not be opened.
fn caught<I: Iterator<Item = Unfinished>>(name: String, opened: Result<I, (String, Reject)>) -> impl Iterator<Item = Unfinished> {
    let (mut articles, failed) = match opened {
        Ok(articles) => (Some(articles), None),
        Err((name, reject)) => (None, Some(Unfinished::failed(&name, reject))),
    };
    failed.into_iter().chain(std::iter::from_fn(move || {
        catch_panic(&name, || Ok(articles.as_mut().and_then(Iterator::next))).unwrap_or_else(|(name, reject)| {
            articles = None;
            Some(Unfinished::failed(&name, reject))
        })
    }))
}

/// Opens a source, unless it is too large.
pub(super) fn open(source: &Source, config: &Config) -> Result<Bytes, Reject> {
    if source.size > config.max_bytes && !extract::is_stream(source, config.max_bytes) {
        return Err(read::too_large(source.size, config.max_bytes));
    }
    read::open(source, config.max_bytes)
}

/// The result of `read`. A panic, which is a bug, becomes a reject of `name`.
pub(super) fn catch_panic<T>(name: &str, read: impl FnOnce() -> Result<T, Reject>) -> Result<T, (String, Reject)> {
    let bug = || Reject::new(ErrorCode::Internal, "a bug in depeche: it failed to read this file; please report it with the file");
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(bug())).map_err(|reject| (name.to_owned(), reject))
}

/// Reads sources on all cores, calls `make` with each article, and passes the results to `each` in
/// batches, in the order of the sources. It needs no permits, because at most two batches are in
/// memory.
pub fn read_all<T: Send>(
    mut sources: impl Iterator<Item = Found> + Send,
    config: &Config,
    make: impl Fn(Understood) -> T + Sync,
    mut each: impl FnMut(Vec<T>),
) {
    let mut batch = Batch::of(&mut sources, config);
    while !batch.is_empty() {
        let Batch { short, long } = batch;
        let read = |found| understand(found, config).into_iter().map(&make).collect::<Vec<T>>();
        let (results, next) = rayon::join(|| short.into_par_iter().map(read).collect::<Vec<_>>(), || Batch::of(&mut sources, config));
        each(results.into_iter().flatten().collect());
        if let Some(source) = long {
            articles(&source, config).for_each(|article| each(vec![make(finish(article, config))]));
        }
        batch = next;
    }
}

/// Sources that are read in parallel, and a long source after them. The articles of the long source
/// may not all fit into memory.
struct Batch {
    short: Vec<Found>,
    long: Option<Source>,
}

impl Batch {
    fn of(sources: &mut impl Iterator<Item = Found>, config: &Config) -> Self {
        let mut short = Vec::with_capacity(BATCH);
        for found in sources {
            match found {
                Ok(source) if is_long(&source, config) => return Self { short, long: Some(source) },
                found => short.push(found),
            }
            if short.len() == BATCH {
                break;
            }
        }
        Self { short, long: None }
    }

    fn is_empty(&self) -> bool {
        self.short.is_empty() && self.long.is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_long_file_of_articles_is_divided_unless_it_was_just_written() {
        let dir = tempfile::tempdir().unwrap();
        let is_divided = |name: &str, size: u64, age: Duration| {
            let path = dir.path().join(name);
            let file = std::fs::File::create(&path).unwrap();
            file.set_len(size).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
            super::is_divided(&crate::discover::file(path, dir.path()).unwrap().unwrap())
        };
        let minute = Duration::from_mins(1);
        for name in ["a.jsonl", "a.MBOX", "a.warc", "a.jsonl.zst", "a.mbox.gz", "a.warc.gz"] {
            assert!(is_divided(name, LONG + 1, minute), "{name}");
            assert!(!is_divided(name, LONG + 1, Duration::ZERO) && !is_divided(name, LONG / USUAL_RATIO, minute), "{name}");
        }
        assert!(is_divided("a.jsonl.gz", LONG / 2, minute) && !is_divided("a.jsonl", LONG / 2, minute));
        for name in ["a.csv", "a.eml", "a.json", "a.txt", "a", "a.gz"] {
            assert!(!is_divided(name, LONG + 1, minute), "{name}");
        }
    }

    #[test]
    fn a_panic_is_a_reject_of_the_file_without_its_text() {
        let (name, reject) = catch_panic::<()>("input/a.txt", || panic!("text of an article")).unwrap_err();
        assert_eq!((name.as_str(), reject.code), ("input/a.txt", ErrorCode::Internal));
        assert!(!reject.reason.contains("text of an article"));
        assert_eq!(catch_panic("input/a.txt", || Ok(1)), Ok(1));
    }
}
