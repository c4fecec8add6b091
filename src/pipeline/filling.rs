//! The outputs are filled while the last answers are awaited: once the walk has ended, all rows are known but those of the articles on
//! their way, and of these the sketches are. What is not as it was foreseen is thrown away, and the outputs are filled once more at the end.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Work;
use super::awaited::{Awaited, Broken};
use super::copies::{self, Coming, Copies};
use super::outputs::stand;
use super::reading::behind_the_others;
use crate::config::Config;
use crate::model::{Fault, Row};
use crate::record::Ledger;
use crate::write::{Outputs, Past, View};

/// Rows that are read at once; some hold two whole texts.
const PAGE: usize = 64;
/// Bytes that stay free beside what the outputs may take: answers that are on their way are paid for, and come first.
const KEPT_FREE: u64 = 64 << 20;

/// Outputs with every row, which are yet to take their places.
pub struct Filled {
    outputs: Outputs,
    copies: Copies,
    /// How many they were.
    rows: u64,
    /// See [`Ledger::left`]; before the first was looked at.
    left: u64,
}

impl Filled {
    /// Whether they hold what is in the ledger now, all rows that were awaited included.
    pub(super) fn is_whole(&self, ledger: &Ledger) -> Result<bool, Fault> {
        // A row that leaves the table was not foreseen: others may have been called its copies.
        Ok(self.left == ledger.left() && self.rows == ledger.listed()? && self.outputs.are_there())
    }

    /// Puts them in their places, and what was found of copies into the ledger.
    pub(super) fn replace(self, ledger: &Ledger, past: &Past) -> Result<(), Fault> {
        self.copies.mark(ledger)?;
        self.outputs.replace(past)
    }
}

/// Outputs that are being filled.
pub(super) struct Filling(oneshot::Receiver<Filled>);

impl Filling {
    /// Begins, on a thread of its own; to be called when every article was begun.
    pub(super) fn begin(work: &Arc<Work>) -> Option<Self> {
        if work.stop.get().is_some() {
            return None;
        }
        let (tell, told) = oneshot::channel();
        let work = Arc::clone(work);
        // Before this thread is nicer than others: those that it starts would be as nice, to the run's end.
        rayon::current_num_threads();
        let fill = move || {
            behind_the_others(0);
            match ahead(&work) {
                // A run that was broken off does not wait for it.
                Ok(Some(filled)) => drop(tell.send(filled)),
                Ok(None) => {}
                Err(fault) => tracing::debug!("the outputs are written at the end: {}", fault.message),
            }
        };
        // A run without this thread ends a little later.
        std::thread::Builder::new().name("outputs".into()).spawn(fill).ok()?;
        Some(Self(told))
    }

    /// Waits until they are filled; none where that came to nothing.
    pub(super) async fn filled(self) -> Option<Filled> {
        self.0.await.ok()
    }
}

/// None where nothing is gained, or the disk is nearly full.
fn ahead(work: &Work) -> Result<Option<Filled>, Fault> {
    let (ledger, config) = (work.desk.ledger(), &work.config);
    let coming = work.awaited.all();
    if coming.is_empty() {
        return Ok(None);
    }
    // Rows that are not among them are in the ledger's queue.
    ledger.flush_here()?;
    let changes = !stand(ledger, config)? || work.awaited.any_anew();
    if !changes || !has_room(ledger, config) {
        return Ok(None);
    }
    fill(ledger, &ledger.beside()?, config, (&work.awaited, &coming)).map(Some)
}

/// The outputs hold little more than the ledger does.
fn has_room(ledger: &Ledger, config: &Config) -> bool {
    let free = rustix::fs::statvfs(&config.output).map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    free > KEPT_FREE + 2 * ledger.bytes()
}

/// Settles which rows are copies, and fills the outputs with all rows in the order of their sources, each when those before it have come.
/// `reader` is read from while others use `ledger`; `coming` are those that were awaited when all others were in the ledger.
pub(super) fn fill(ledger: &Ledger, reader: &Ledger, config: &Config, (awaited, coming): (&Awaited, &Coming)) -> Result<Filled, Fault> {
    let left = ledger.left();
    let go_on = || if awaited.is_broken() { Err(broken(Broken)) } else { Ok(()) };
    let mut copies = copies::settle(reader, coming, (config.near, &config.output), go_on)?;
    let view = View {
        profile: config.profile,
        page_rows: config.page_rows,
        output: config.output.canonicalize().unwrap_or_else(|_| config.output.clone()),
        folder: config.folder.clone(),
    };
    let mut outputs = Outputs::begin(&config.output, &view)?;
    let mut rows = 0;
    outputs.fill(&mut |take| {
        final_rows((ledger, reader), (awaited, coming), &mut |row| {
            let Some((number, row)) = row else { return take(None) };
            rows += 1;
            take(Some(copies.say(reader, number, row)?))
        })
    })?;
    Ok(Filled { outputs, copies, rows, left })
}

fn broken(_: Broken) -> Fault {
    Fault::usage("a row does not come")
}

/// Takes rows with their numbers; none: the next one is waited for.
type Each<'a> = &'a mut dyn FnMut(Option<(i64, Row)>) -> Result<(), Fault>;

/// Hands over every row, in the order of their sources, as far as no row before it is awaited.
fn final_rows((ledger, reader): (&Ledger, &Ledger), (awaited, coming): (&Awaited, &Coming), each: Each) -> Result<(), Fault> {
    let (mut after, mut left) = (String::new(), usize::MAX);
    while left > 0 {
        let first;
        (left, first) = awaited.half_of(left).map_err(broken)?;
        // Rows that have ended are in the ledger's queue.
        if !coming.is_empty() {
            ledger.flush_here()?;
        }
        loop {
            let page = reader.rows_between(&after, first.as_deref(), PAGE)?;
            let whole = page.len() == PAGE;
            for (number, row) in page {
                after.clone_from(&row.source);
                each(Some((number, row)))?;
            }
            if !whole {
                break;
            }
        }
        if first.is_some() {
            each(None)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Near, Overrides, load};
    use crate::model::{Article, Understood};
    use crate::pipeline::reading;
    use crate::record::FileRef;

    fn config(folder: &Path) -> Config {
        let file = folder.join("config.toml");
        std::fs::write(&file, "[[endpoint]]\nname = \"e\"\ndoes = [\"summarise\", \"translate\"]\ndialect = \"embedded\"\n").unwrap();
        let config = load(Some(&file), &Overrides::default(), &crate::dialect::facts()).unwrap();
        Config { output: folder.to_path_buf(), ..config }
    }

    /// Ten sentences of a story; without the last ones it is a trimmed copy.
    fn article(source: &str, story: &str, sentences: usize) -> Article {
        let towns = ["Brennec", "Kerlan", "Portmeur", "Lesvin", "Morlan", "Plouvier", "Ploumar", "Landerneau", "Quimper", "Douarnenez"];
        let sentence =
            |town: &&str| format!("À {town}, {story} a surpris les habitants du port et de la ville mardi soir, selon la mairie. ");
        let body = towns.iter().take(sentences).map(sentence).collect();
        let mut article = Article { source: source.into(), title: story.into(), body, ..Article::default() };
        reading::sketch(&mut article, Near::Report);
        article
    }

    fn row(article: &Article) -> Row {
        let processed_at = "2026-11-26T02:00:00Z".into();
        Row { id: article.source.clone(), source: article.source.clone(), sketch: article.sketch.clone(), processed_at, ..Row::default() }
    }

    fn record(ledger: &Ledger, article: &Article) {
        let file = Arc::new(FileRef { number: 1, folder: b"input".to_vec(), name: b"1".to_vec() });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(ledger.record_row(Box::new(row(article)), None, &[], &file)).unwrap();
    }

    fn written(filled: Filled, ledger: &Ledger, folder: &Path) -> Vec<String> {
        let past = Past { made_at: "2026-11-26T02:00:00Z".into(), cost: None, days: Vec::new() };
        filled.replace(ledger, &past).unwrap();
        crate::write::names().map(|name| std::fs::read_to_string(folder.join(name)).unwrap()).collect()
    }

    /// What is filled over the `known` while the `coming` are awaited, which come as `end` says.
    fn fill_while(dir: &Path, known: &[Article], coming: &[Article], end: impl Fn(&Awaited, &Ledger)) -> (Result<Filled, Fault>, Ledger) {
        let ledger = Ledger::open(dir, false).unwrap();
        for article in known {
            record(&ledger, article);
        }
        ledger.flush_here().unwrap();
        let awaited = Awaited::default();
        awaited.add(&coming.iter().cloned().map(Ok).collect::<Vec<Understood>>());
        let all = awaited.all();
        let filled = std::thread::scope(|scope| {
            let (ledger, awaited) = (&ledger, &awaited);
            let filling = scope.spawn(move || fill(ledger, &ledger.beside().unwrap(), &config(dir), (awaited, &all)));
            end(awaited, ledger);
            awaited.close();
            filling.join().unwrap()
        });
        (filled, ledger)
    }

    #[test]
    fn what_is_filled_while_rows_come_is_what_is_filled_at_the_end() {
        let dir = tempfile::tempdir().unwrap();
        // Originals and copies on both sides: in the ledger already, and on their way.
        let known =
            [article("b", "la tempête", 10), article("d", "la tempête", 8), article("f", "la marée", 10), article("h", "le gel", 9)];
        let coming: Vec<Article> = [("a", "la marée", 9), ("c", "la tempête", 9), ("e", "la neige", 10), ("g", "la neige", 8)]
            .map(|(source, story, sentences)| article(source, story, sentences))
            .into();
        // The last one first.
        let (filled, ledger) = fill_while(dir.path(), &known, &coming, |awaited, ledger| {
            for article in coming.iter().rev() {
                record(ledger, article);
                awaited.ended(&article.source);
            }
        });
        let filled = filled.unwrap();
        assert!(filled.is_whole(&ledger).unwrap());
        let ahead = written(filled, &ledger, dir.path());
        let copies: Vec<_> =
            "abcdefgh".chars().filter_map(|source| ledger.row(&source.to_string()).unwrap().map(|row| row.0.copy_of)).collect();
        assert_eq!(copies, ["", "", "b", "b", "", "a", "e", ""]);
        let again = fill(&ledger, &ledger, &config(dir.path()), (&Awaited::default(), &Coming::new())).unwrap();
        assert_eq!(written(again, &ledger, dir.path()), ahead);
    }

    #[test]
    fn a_row_that_is_not_as_foreseen_or_never_comes_is_thrown_away_with_all_others() {
        let coming = [article("a", "la marée", 9), article("c", "la tempête", 9)];
        let files = |dir: &Path| {
            std::fs::read_dir(dir)
                .unwrap()
                .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".depeche-new-"))
                .count()
        };
        for (what, end) in [
            (
                "another article",
                (|awaited: &Awaited, ledger: &Ledger| {
                    for source in ["a", "c"] {
                        record(ledger, &article(source, "le gel", 9));
                        awaited.ended(source);
                    }
                }) as fn(&Awaited, &Ledger),
            ),
            ("none", |_, _| {}),
            ("the run was broken off", |awaited, _| awaited.break_off()),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let (filled, _) = fill_while(dir.path(), &[article("b", "la tempête", 10)], &coming, end);
            assert!(filled.is_err(), "{what}");
            assert_eq!(files(dir.path()), 0, "{what}");
        }
    }
}
