//! `depeche why FILE`: what happened to an article, when, which calls, what they cost, where its row came from.

use std::fmt::Write;
use std::path::Path;

use super::WhyArguments;
use crate::config::Config;
use crate::discover::display_name;
use crate::model::{Exit, Fault, Stamp, Status};
use crate::record::{LedgerReader, PastCall, PastWaste, Story};
use crate::report::{harmless, money, say};

pub(super) fn run(arguments: &WhyArguments) -> Result<Exit, Fault> {
    let config = arguments.folder.load()?;
    let ledger = LedgerReader::open(&config.output)?;
    let ledger =
        ledger.ok_or_else(|| Fault::usage(format!("there is no ledger in `{}`: nothing was done yet", config.output.display())))?;
    let mut stories = Vec::new();
    for name in names(&arguments.file, &config) {
        stories = ledger.stories(&name)?;
        if !stories.is_empty() {
            break;
        }
    }
    if stories.is_empty() {
        return Err(unknown(&arguments.file));
    }
    let told: Vec<String> = stories.iter().map(|story| tell(story, &config)).collect();
    say(told.join("\n\n").trim_end());
    Ok(Exit::Done)
}

/// As what the ledger may know it: as it was typed (a source's name or an id), or as a file here.
fn names(file: &str, config: &Config) -> Vec<String> {
    let path = Path::new(file);
    let real = path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_path_buf());
    vec![file.to_owned(), display_name(&real, &config.folder)]
}

fn unknown(file: &str) -> Fault {
    let path = Path::new(file);
    let hint = match path.symlink_metadata() {
        Err(_) => "there is no such file either; sources are named as in the table's column `source`",
        Ok(meta) if meta.is_symlink() => "it is a link, and links are not followed",
        Ok(_) if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) => {
            "its name begins with a dot: hidden files are left out"
        }
        Ok(_) => "no run has found it; does it lie in the input of the config?",
    };
    Fault::usage(format!("the ledger knows nothing of `{}`: {hint}", harmless(file)))
}

fn tell(story: &Story, config: &Config) -> String {
    let row = &story.row;
    let mut text = format!("{}\n", harmless(&row.source));
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {name:<10} {}", harmless(value));
        }
    };
    line("id", &row.id);
    line("status", &status(story));
    line("title", if row.digest.title_fr.is_empty() { &row.digest.title_en } else { &row.digest.title_fr });
    line("article", &format!("{} words, language {}", row.words, if row.language.is_empty() { "not known" } else { &row.language }));
    line("copy of", &row.copy_of);
    line("made", &format!("{}; last found by run {}", row.processed_at, story.run));
    for finding in &row.findings {
        line("flag", &format!("{} ({}): {}", finding.check.code(), finding.severity.code(), finding.explanation));
    }
    line("file", &file(story, config));
    line("cost", &money(row.cost));
    for call in &story.calls {
        line("call", &told(call));
    }
    for waste in &story.wasted {
        line("call", &spent(waste));
    }
    if story.calls.is_empty() && row.status == Status::Done {
        line("call", "none that the ledger remembers");
    }
    text.trim_end().to_owned()
}

fn status(story: &Story) -> String {
    let row = &story.row;
    let reason = if row.error.is_empty() { String::new() } else { format!(", {}", row.error) };
    let place = match (story.in_table, row.status) {
        (false, _) => "; not in the table: the last run's input did not hold it",
        (true, Status::Quarantined) => "; in quarantine.csv",
        (true, _) => "",
    };
    format!("{}{reason}{place}", row.status.code())
}

fn file(story: &Story, config: &Config) -> String {
    let Some((path, stamp)) = &story.file else { return "not known; the next run reads it".into() };
    match config.folder.join(path).symlink_metadata() {
        Err(error) => format!("cannot be looked at now: {error}"),
        Ok(_) if story.again => "is read again by the next run".into(),
        Ok(meta) if Stamp::of(&meta) == *stamp => "unchanged since; the next run does not open it".into(),
        Ok(_) => "has changed since; the next run reads it".into(),
    }
}

fn spent(waste: &PastWaste) -> String {
    let how = match waste.outcome.as_str() {
        "unusable" => "answered with nothing of use",
        "killed" => "in flight when its run was killed",
        "lost" => "sent, and no answer came",
        _ => "in flight",
    };
    let PastWaste { task, endpoint, made_at, run, attempts, cost, .. } = waste;
    let times = if *attempts == 1 { String::new() } else { format!(" {attempts} times") };
    format!("{task} by {endpoint}, {made_at}, run {run}: {how}; perhaps billed{times}, cost {}", money(*cost))
}

fn told(call: &PastCall) -> String {
    let model = call.model.as_deref().map_or(String::new(), |model| format!(" ({model})"));
    let tokens = match call.tokens {
        (Some(tokens_in), Some(tokens_out)) => format!(", {tokens_in} + {tokens_out} tokens"),
        _ => String::new(),
    };
    format!(
        "{} by {}{model}, {}, run {}, {} ms, {} characters{tokens}, cost {}",
        call.task,
        call.endpoint,
        call.made_at,
        call.run,
        call.milliseconds,
        call.characters,
        money(call.cost)
    )
}
