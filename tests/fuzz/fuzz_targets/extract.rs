//! Any bytes in a file of any format give articles with a name of their own, or rejects with a reason.
#![no_main]

use std::collections::HashSet;
use std::sync::LazyLock;

use depeche::config::{Fields, Rules};
use depeche::dedup::Signature;
use depeche::extract::articles;
use depeche::model::{Source, invisible};
use depeche::read::Bytes;
use libfuzzer_sys::fuzz_target;

const ENDINGS: &[&str] =
    &["txt", "md", "html", "json", "jsonl", "csv", "xml", "eml", "mbox", "warc", "newsml", "txt.gz", "jsonl.zst", "unknown"];

static RULES: LazyLock<Rules> = LazyLock::new(Rules::shipped);

fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    let name = format!("a.{}", ENDINGS[usize::from(*choice) % ENDINGS.len()]);
    let source = Source { path: name.clone().into(), name, size: bytes.len() as u64, stamp: None };
    let Ok(bytes) = Bytes::of(bytes.to_vec(), 1 << 20) else { return };
    let Ok(found) = articles(&source, bytes, &Fields::default()) else { return };
    let mut names = HashSet::new();
    for article in found.map(|article| article.finish(&RULES)) {
        let (name, article) = match &article {
            Ok(article) => (&article.source, Some(article)),
            Err((name, reject)) => {
                assert!(!reject.reason.is_empty());
                (name, None)
            }
        };
        // A file's own name may come twice: for its article, and for what could not be read behind it.
        assert!(names.insert(name.clone()) || *name == source.name, "{name}");
        if let Some(article) = article {
            assert!(!article.body.trim().is_empty() && !article.body.chars().any(invisible));
            let _ = Signature::of(article);
        }
    }
});
