//! `depeche why ARTICLE`: what happened to an article: its status, flags, calls and cost.

use std::fmt::Write;
use std::path::Path;

use super::arguments::WhyArguments;
use crate::config::Config;
use crate::discover::{display_name, walk};
use crate::model::{Exit, Fault, Stamp, Status, Understood};
use crate::pipeline::read_all;
use crate::record::{self, BatchReader, PastCall, PastWaste, RowHistory};
use crate::report::{money, print_stdout, printable};

pub(super) fn run(arguments: &WhyArguments) -> Result<Exit, Fault> {
    let config = arguments.folder.load()?;
    let ledger = record::open_to_read(&config)?;
    let ledger = ledger.ok_or_else(|| Fault::usage(format!("no ledger {}: no run has started yet", record::place(&config))))?;
    let mut histories = Vec::new();
    for name in names(&arguments.article, &config) {
        histories = ledger.row_histories(&name)?;
        if !histories.is_empty() {
            break;
        }
    }
    let waiting = in_batch(&arguments.article, &config, ledger.batches())?;
    if histories.is_empty() {
        let Some(waiting) = waiting else { return Err(unknown(&arguments.article)) };
        print_stdout(&format!("{}\n  {:<10} {waiting}", printable(&arguments.article), "status"));
        return Ok(Exit::Done);
    }
    let mut texts: Vec<String> = histories.iter().map(|history| describe(history, &config)).collect();
    if let (Some(waiting), Some(last)) = (waiting, texts.last_mut()) {
        let _ = write!(last, "\n  {:<10} {waiting}", "new text");
    }
    print_stdout(&texts.join("\n\n"));
    Ok(Exit::Done)
}

/// The batch in which an article of a file waits for its answer, found by its title; `None` if it
/// is in no open batch.
fn in_batch(file: &str, config: &Config, batches: Option<&dyn BatchReader>) -> Result<Option<String>, Fault> {
    let Some(batches) = batches.filter(|_| Path::new(file).is_file()) else { return Ok(None) };
    let file = [Path::new(file).canonicalize().unwrap_or_else(|_| Path::new(file).to_path_buf())];
    let mut titles = Vec::new();
    let title = |understood: Understood| understood.ok().map(|article| article.title);
    read_all(walk(&file, &config.folder, &config.output), config, title, |read| titles.extend(read.into_iter().flatten()));
    for title in titles {
        let Some(number) = batches.batch_with(&title)? else { continue };
        let Some(batch) = batches.batches(true)?.into_iter().find(|batch| batch.number == number) else { continue };
        let since = batch.sent_at.as_deref().unwrap_or(&batch.made_at);
        let done = batch.completed.map_or_else(String::new, |done| format!(", {done} of {}", batch.lines));
        return Ok(Some(format!("in batch {number} since {since}{done}")));
    }
    Ok(None)
}

/// The names under which the ledger may know the article: as it was typed (a source or an id), or
/// as a file relative to the config.
fn names(article: &str, config: &Config) -> Vec<String> {
    let path = Path::new(article);
    let real = path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_path_buf());
    vec![article.to_owned(), display_name(&real, &config.folder)]
}

/// The error for an article without a record, with the likely reason.
fn unknown(article: &str) -> Fault {
    let path = Path::new(article);
    let hint = match path.symlink_metadata() {
        Err(_) => ", and no such file\n  hint: name a file, or a `source` or `id` from the table",
        Ok(meta) if meta.is_symlink() => ": symbolic links are not followed",
        Ok(_) if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) => ": hidden files are ignored",
        Ok(_) => ": no run has found it\n  hint: is it in `input.paths` of the config?",
    };
    Fault::usage(format!("no record of `{}`{hint}", printable(article)))
}

fn describe(history: &RowHistory, config: &Config) -> String {
    let row = &history.row;
    let mut text = format!("{}\n", printable(&row.source));
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {name:<10} {}", printable(value));
        }
    };
    line("id", &row.id);
    line("status", &status(history));
    line("title", if row.digest.title_fr.is_empty() { &row.digest.title_en } else { &row.digest.title_fr });
    line("article", &format!("{} words, language {}", row.words, if row.language.is_empty() { "unknown" } else { &row.language }));
    line("copy of", &row.copy_of);
    line("processed", &format!("{}; last found by run {}", row.processed_at, history.run));
    for finding in &row.findings {
        line("flag", &format!("{} ({}): {}", finding.check.code(), finding.severity.code(), finding.explanation));
    }
    line("file", &file(history, config));
    line("cost", &money(row.cost));
    for call in &history.calls {
        line("call", &answered(call));
    }
    for waste in &history.wasted {
        line("call", &unanswered(waste));
    }
    if history.calls.is_empty() && row.status == Status::Done {
        line("call", "none in the ledger");
    }
    text.trim_end().to_owned()
}

fn status(history: &RowHistory) -> String {
    let row = &history.row;
    let reason = if row.error.is_empty() { String::new() } else { format!(", {}", row.error) };
    let place = match (history.in_table, row.status) {
        (false, _) => "; no longer in the table: the last run did not find it",
        (true, Status::Quarantined) => "; in quarantine.csv",
        (true, _) => "",
    };
    format!("{}{reason}{place}", row.status.code())
}

fn file(history: &RowHistory, config: &Config) -> String {
    let Some((path, stamp)) = &history.file else { return "unknown; the next run reads it".into() };
    match config.folder.join(path).symlink_metadata() {
        Err(error) => format!("cannot be accessed: {error}"),
        Ok(_) if history.again => "the next run reads it again".into(),
        Ok(meta) if Stamp::of(&meta) == *stamp => "unchanged; the next run does not open it".into(),
        Ok(_) => "changed; the next run reads it".into(),
    }
}

fn unanswered(waste: &PastWaste) -> String {
    let how = match waste.outcome.as_str() {
        "unusable" => "unusable answer",
        "killed" => "in flight when its run was killed",
        "late" => "answered by another process before",
        "lost" => "sent, no answer",
        "twice" => "answered twice",
        _ => "in flight",
    };
    let PastWaste { task, endpoint, made_at, run, attempts, cost, .. } = waste;
    let times = if *attempts == 1 { String::new() } else { format!(" {attempts} times") };
    format!("{task} by {endpoint}, {made_at}, run {run}: {how}; maybe billed{times}, cost {}", money(*cost))
}

fn answered(call: &PastCall) -> String {
    let model = call.model.as_deref().map_or(String::new(), |model| format!(" ({model})"));
    let tokens = match call.tokens {
        (Some(tokens_in), Some(tokens_out)) => format!(", {tokens_in} + {tokens_out} tokens"),
        _ => String::new(),
    };
    // What a batch has answered has no time of its own.
    let time = if call.milliseconds == 0 { String::new() } else { format!(", {} ms", call.milliseconds) };
    format!(
        "{} by {}{model}, {}, run {}{time}, {} characters{tokens}, cost {}",
        call.task,
        call.endpoint,
        call.made_at,
        call.run,
        call.characters,
        money(call.cost)
    )
}
