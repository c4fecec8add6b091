//! The walk of a process that shares the input with others. It lists pieces, takes pieces and reads
//! them.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::Walker;
use crate::extract::Unfinished;
use crate::model::{Fault, Source};
use crate::pipeline::divide::{self, Divided};
use crate::pipeline::piece::{self, Part, PieceProgress};
use crate::pipeline::reading::{articles_in, is_divided};
use crate::pipeline::source_articles::FileProgress;
use crate::record::{FilePiece, FileRef, ListedFiles, LongFile, RangePiece, SharedRun, TakenPiece};
use crate::report::Event;

/// Time between two checks for a piece that a dead process has left.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Time between two checks for a range of the file that this process divides.
const LOOK_FOR_RANGE: Duration = Duration::from_millis(5);

/// A file that this process divides.
struct Dividing {
    number: i64,
    file: Arc<FileRef>,
    thread: JoinHandle<Result<Divided, Fault>>,
}

impl Walker<'_> {
    /// Lists the input, unless another process does, and reads pieces until all are read.
    pub(super) fn share(&mut self, shared: &dyn SharedRun) -> Result<(), Fault> {
        let mut dividing = None;
        let shared = self.take_pieces(shared, &mut dividing);
        // If the run was stopped, the thread soon notices.
        let divided = dividing.map_or(Ok(Divided::Over), |dividing: Dividing| divide::join(dividing.thread));
        shared.and(divided.map(drop))
    }

    fn take_pieces(&mut self, shared: &dyn SharedRun, dividing: &mut Option<Dividing>) -> Result<(), Fault> {
        while self.run.state.stopped().is_none() {
            if let Some(listed) = shared.begin_listing()? {
                self.list(shared, &listed)?;
            }
            if let Some(Dividing { number, file, thread }) = dividing.take_if(|dividing| dividing.thread.is_finished())
                && divide::join(thread)? == Divided::Whole
            {
                self.read_files(FilePiece { number, files: vec![file], again: false })?;
            }
            match shared.take_piece(dividing.is_none())? {
                TakenPiece::Files(piece) => self.read_files(piece)?,
                TakenPiece::Range(piece) => self.read_range(shared, &piece)?,
                TakenPiece::Long(number, long) => {
                    let file = Arc::clone(&long.file);
                    *dividing = Some(Dividing { number, file, thread: divide::start(self.run, number, long)? });
                }
                TakenPiece::Later if dividing.is_some() => std::thread::sleep(LOOK_FOR_RANGE),
                TakenPiece::Later => std::thread::sleep(LOOK_AGAIN),
                TakenPiece::Over => return Ok(()),
            }
        }
        Ok(())
    }

    /// Divides the changed files into pieces, except those that are `listed` already. Standard input and
    /// errors of the walk are passed on at once.
    fn list(&mut self, shared: &dyn SharedRun, listed: &ListedFiles) -> Result<(), Fault> {
        let most = self.run.piece_size;
        // With batches, one process reads everything several times.
        let divides = self.run.broker.batching().is_none();
        let mut piece: Vec<Arc<FileRef>> = Vec::with_capacity(most);
        let whole = self.walk(&mut |walker, found, file| {
            let source = match found {
                Ok(source) if !source.is_stdin() => source,
                found => return Ok(walker.pass_found(found, file, Part::Whole)),
            };
            if listed.contains(&(file.folder.clone(), file.name.clone())) {
                return Ok(walker.run.state.stopped().is_none());
            }
            match source.stamp {
                Some(stamp) if divides && is_divided(&source) => shared.add_long_file(&LongFile { file, stamp, most: most as u64 })?,
                _ => piece.push(file),
            }
            if piece.len() >= most {
                shared.add_piece(&piece)?;
                piece.clear();
            }
            Ok(walker.run.state.stopped().is_none())
        })?;
        if !whole {
            return Ok(());
        }
        if !piece.is_empty() {
            shared.add_piece(&piece)?;
        }
        shared.end_listing()
    }

    fn read_files(&mut self, piece: FilePiece) -> Result<(), Fault> {
        let progress = PieceProgress::new(piece.number, piece.again);
        for file in piece.files {
            let found = piece::source(&file, &self.run.config);
            if !self.pass_found(found, file, Part::Piece(Arc::clone(&progress))) {
                progress.leave_unfinished();
                return Ok(());
            }
        }
        self.runtime.block_on(Part::Piece(progress).end(self.run, false))
    }

    /// Reads a range of a long file. If the file has changed since it was listed, one process reads
    /// all of it instead.
    fn read_range(&mut self, shared: &dyn SharedRun, piece: &RangePiece) -> Result<(), Fault> {
        let progress = Arc::new(FileProgress::new(Arc::clone(&piece.file), Some(piece.stamp), Part::Range(piece.number)));
        let source = piece::unchanged(&piece.file, &piece.stamp, &self.run.config);
        let read = source.as_ref().map_or(Read::Other, |source| self.pass_range(source, piece, &progress));
        match read {
            Read::Stopped => {
                progress.count(None);
                return Ok(());
            }
            Read::All => {}
            Read::Other => shared.read_whole(piece.part_of)?,
        }
        if piece.range.first == 0 {
            self.run.progress.update(Event::Read);
        }
        // An empty last part, which ends the range.
        self.pass(move |_| (Vec::new(), progress));
        Ok(())
    }

    fn pass_range(&mut self, source: &Source, piece: &RangePiece, progress: &Arc<FileProgress>) -> Read {
        let (mut passed, mut ended) = (0, false);
        let (run, wanted) = (self.run, piece.range.articles);
        let is_changed = || piece::unchanged(&piece.file, &piece.stamp, &run.config).is_none();
        // A reject of the whole file can only be the last article of the last range. In a file that
        // is being written to, there may be a reject in place of any article.
        let is_other = |article: &Unfinished| article.is_reject() && ((article.name() == source.name && wanted.is_some()) || is_changed());
        let articles = articles_in(source, &piece.range, &run.config).take_while(|article| {
            ended = is_other(article);
            passed += u64::from(!ended);
            !ended
        });
        if !self.pass_each(articles, progress) {
            return Read::Stopped;
        }
        if ended || wanted.is_some_and(|wanted| passed < wanted) || is_changed() { Read::Other } else { Read::All }
    }
}

/// How reading a range ended.
enum Read {
    All,
    /// The content is not the listed content, because the file has changed.
    Other,
    /// Not all of it was read, because the run was stopped.
    Stopped,
}
