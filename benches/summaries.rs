//! Summarises the articles of a JSONL file, for scoring with `benches/rouge.py`.
//!
//! Usage: cargo bench -q --bench summaries -- ARTICLES.jsonl [WORDS] > SUMMARIES.jsonl
//!
//! Each line of the input has the strings `id`, `title` and `article`; each line of the output has
//! `id` and `summary`. Prints the mean time per article, for splitting and summarising, on standard
//! error.

#![expect(clippy::print_stderr, reason = "a benchmark prints its result")]

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write, stdout};
use std::time::{Duration, Instant};

use depeche::embedded::summarise::summarise;
use depeche::extract::sentences::sentences;
use depeche::model::Lang;
use serde_json::{Value, json};

/// The default length of a summary.
const WORDS: usize = 45;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let path = arguments.next().ok_or("usage: summaries ARTICLES.jsonl [WORDS]")?;
    let words = arguments.next().map_or(Ok(WORDS), |words| words.parse())?;
    let mut output = BufWriter::new(stdout().lock());
    let mut time = Duration::ZERO;
    let mut articles = 0_u32;
    for line in BufReader::new(File::open(path)?).lines() {
        let row: Value = serde_json::from_str(&line?)?;
        let field = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
        let started = Instant::now();
        let summary = summary(field("title"), field("article"), words);
        time += started.elapsed();
        articles += 1;
        writeln!(output, "{}", json!({"id": field("id"), "summary": summary}))?;
    }
    output.flush()?;
    let mean = time.as_secs_f64() * 1_000.0 / f64::from(articles.max(1));
    eprintln!("{articles} articles, {mean:.3} ms an article");
    Ok(())
}

/// The summary of a French article.
fn summary(title: &str, article: &str, words: usize) -> String {
    let sentences = sentences(article);
    let selected = summarise(title, &sentences, Lang::FR, words);
    let texts: Vec<&str> = selected.into_iter().filter_map(|index| sentences.get(index).copied()).collect();
    texts.join(" ")
}
