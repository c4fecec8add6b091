//! Cuts texts into sentences and finds their language, for scoring with `scripts/bench-reading`.
//!
//! Usage: cargo bench -q --bench reading < TEXTS.jsonl
//!
//! Each line of the input is a JSON string; each line of the output has its `sentences` and `language`. The last line has the mean
//! times in milliseconds a text.

use std::error::Error;
use std::io::{BufRead, BufWriter, Write, stdin, stdout};
use std::time::{Duration, Instant};

use depeche::extract::detect;
use depeche::extract::sentences::sentences;
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let mut output = BufWriter::new(stdout().lock());
    let (mut cutting, mut detecting, mut texts) = (Duration::ZERO, Duration::ZERO, 0_u32);
    for line in stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        let started = Instant::now();
        let pieces = sentences(&text);
        cutting += started.elapsed();
        let started = Instant::now();
        let language = detect(&text, None);
        detecting += started.elapsed();
        texts += 1;
        writeln!(output, "{}", json!({"sentences": pieces, "language": language}))?;
    }
    let mean = |spent: Duration| spent.as_secs_f64() * 1_000.0 / f64::from(texts.max(1));
    writeln!(output, "{}", json!({"sentences_ms": mean(cutting), "language_ms": mean(detecting)}))?;
    output.flush()?;
    Ok(())
}
