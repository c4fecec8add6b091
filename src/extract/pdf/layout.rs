//! Words become lines in reading order: columns one after the other, tables line by line.

use super::word::Word;

/// A line of text in a column.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) words: Vec<Word>,
    pub(super) left: f32,
    pub(super) right: f32,
    pub(super) base: f32,
    /// The size of most of its characters.
    pub(super) size: f32,
    /// The column: lines of one column follow each other.
    pub(super) column: usize,
}

/// How deep columns may be nested.
const MAX_DEPTH: usize = 8;
/// The fewest lines of a column.
const FEWEST_LINES: usize = 3;
/// The narrowest gutter between columns, in sizes of the text.
const GUTTER: f32 = 0.75;
/// Lines of a column fill it to this part, in the middle. The cells of a table do not.
const FILLED: f32 = 0.6;
/// Words that are this far apart (in sizes) are in different cells.
const CELL_GAP: f32 = 2.0;
/// The gaps in a justified line differ at most by this factor.
const EVEN: f32 = 1.3;
/// … and are not wider than this many sizes.
const STRETCHED: f32 = 5.0;
/// How many rows above and below columns may be titles or footers.
const MOST_TRIMMED: usize = 5;
/// How many different sizes are counted.
const MOST_SIZES: usize = 100;
/// Into how many steps the width of a page is divided to look for gutters.
const STEPS: usize = 400;
/// How many places for a gutter are tried.
const MOST_GUTTERS: usize = 40;
/// How far (in sizes) words of a line may be from the same height.
const OFF_LINE: f32 = 0.35;

/// The rows of a page from the top down, across all columns.
pub(super) fn rows(words: Vec<Word>) -> Vec<Line> {
    by_height(words).into_iter().map(|row| Line::of(row, 0)).collect()
}

/// The lines of a page in reading order, from its rows.
pub(super) fn in_order(rows: Vec<Line>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut column = 0;
    order(rows.into_iter().map(|row| row.words).collect(), 0, &mut column, &mut lines);
    lines
}

impl Line {
    fn of(mut words: Vec<Word>, column: usize) -> Self {
        words.sort_by(|one, other| one.left.total_cmp(&other.left));
        let left = words.first().map_or(0.0, |word| word.left);
        let right = words.iter().map(|word| word.right).fold(left, f32::max);
        let size = usual(words.iter().filter(|word| !word.is_raised).map(|word| (word.size, word.text.chars().count())));
        let base = words.iter().find(|word| word.size >= 0.95 * size && !word.is_raised).or(words.first()).map_or(0.0, |word| word.base);
        Self { words, left, right, base, size, column }
    }

    pub(super) fn letters(&self) -> usize {
        self.words.iter().flat_map(|word| word.text.chars()).filter(|c| c.is_alphanumeric()).count()
    }

    pub(super) fn is_bold(&self) -> bool {
        self.words.iter().all(|word| word.is_bold)
    }

    pub(super) fn text(&self) -> String {
        self.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The cells of a row of a table: words with a wide gap between them.
    pub(super) fn cells(&self) -> Vec<&[Word]> {
        self.words.chunk_by(|one, other| other.left - one.right <= CELL_GAP * self.size).collect()
    }

    /// Whether this line and a neighbouring line have a wide gap at the same place, as rows of a
    /// table do.
    pub(super) fn is_row_like(&self, beside: &Self) -> bool {
        let (own, other) = (self.wide_gaps(), beside.wide_gaps());
        own.iter().any(|(from, to)| other.iter().any(|(begin, end)| to.min(*end) - from.max(*begin) > 0.5 * self.size))
    }

    /// The gaps between cells. A justified line has equally wide gaps between all its words; these
    /// are not gaps between cells.
    fn wide_gaps(&self) -> Vec<(f32, f32)> {
        let gaps: Vec<(f32, f32)> =
            self.words.windows(2).filter_map(|pair| if let [one, other] = pair { Some((one.right, other.left)) } else { None }).collect();
        let widths = || gaps.iter().map(|(from, to)| to - from);
        let (least, most) = (widths().fold(f32::MAX, f32::min), widths().fold(f32::MIN, f32::max));
        if gaps.len() > 1 && most < EVEN * least && most < STRETCHED * self.size {
            return Vec::new();
        }
        gaps.into_iter().filter(|(from, to)| to - from > CELL_GAP * self.size).collect()
    }
}

/// The size that most characters have.
pub(super) fn usual(sizes: impl Iterator<Item = (f32, usize)>) -> f32 {
    let mut counts: Vec<(f32, usize)> = Vec::new();
    for (size, count) in sizes {
        if let Some((_, sum)) = counts.iter_mut().find(|(known, _)| (*known - size).abs() < 0.05 * size) {
            *sum += count;
        } else if counts.len() < MOST_SIZES {
            counts.push((size, count));
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map_or(0.0, |(size, _)| size)
}

/// Groups words by their height, from the top down.
fn by_height(mut words: Vec<Word>) -> Vec<Vec<Word>> {
    words.sort_by(|one, other| other.base.total_cmp(&one.base));
    let mut rows: Vec<Vec<Word>> = Vec::new();
    // The height and the smallest size of the last row.
    let (mut base, mut smallest) = (f32::NAN, 0.0);
    for word in words {
        let size = if word.is_raised { f32::MAX } else { word.size };
        if let Some(row) = rows.last_mut().filter(|_| base - word.base <= OFF_LINE * size.min(smallest)) {
            smallest = size.min(smallest);
            row.push(word);
        } else {
            (base, smallest) = (word.base, size);
            rows.push(vec![word]);
        }
    }
    rows
}

/// Adds the lines of rows in reading order. Where a gutter divides some rows, its left side comes
/// first.
fn order(rows: Vec<Vec<Word>>, depth: usize, column: &mut usize, lines: &mut Vec<Line>) {
    let bands = if depth < MAX_DEPTH { best_bands(&rows) } else { Vec::new() };
    if bands.is_empty() {
        *column += 1;
        lines.extend(rows.into_iter().map(|row| Line::of(row, *column)));
        return;
    }
    let mut rest = rows.into_iter().enumerate();
    let mut plain: Vec<Vec<Word>> = Vec::new();
    for band in bands {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for (number, row) in rest.by_ref() {
            if number < band.first {
                plain.push(row);
                continue;
            }
            let (before, behind): (Vec<Word>, Vec<Word>) = row.into_iter().partition(|word| middle(word) < band.gutter);
            left.extend((!before.is_empty()).then_some(before));
            right.extend((!behind.is_empty()).then_some(behind));
            if number == band.last {
                break;
            }
        }
        if !plain.is_empty() {
            order(std::mem::take(&mut plain), depth + 1, column, lines);
        }
        order(left, depth + 1, column, lines);
        order(right, depth + 1, column, lines);
    }
    let below: Vec<Vec<Word>> = rest.map(|(_, row)| row).collect();
    if !below.is_empty() {
        order(below, depth + 1, column, lines);
    }
}

fn middle(word: &Word) -> f32 {
    f32::midpoint(word.left, word.right)
}

/// Rows that a gutter divides: the numbers of the first and the last, and where the gutter is.
#[derive(Clone, Copy, Debug)]
struct Band {
    first: usize,
    last: usize,
    gutter: f32,
}

/// The bands of the gutter that divides most words.
fn best_bands(rows: &[Vec<Word>]) -> Vec<Band> {
    let best = gutters(rows).into_iter().map(|gutter| bands(rows, gutter)).max_by_key(|(count, _)| *count);
    best.map(|(_, bands)| bands).unwrap_or_default()
}

/// The possible places of gutters: gaps between words of many rows. The best gutters are those that
/// the fewest rows cross.
fn gutters(rows: &[Vec<Word>]) -> Vec<f32> {
    let words = || rows.iter().flatten();
    let (left, right) = words().fold((f32::MAX, f32::MIN), |(left, right), word| (left.min(word.left), right.max(word.right)));
    if rows.len() < FEWEST_LINES || right <= left {
        return Vec::new();
    }
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let step = (right - left) / STEPS as f32;
    let mut crossed = vec![0_i32; STEPS + 2];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of steps")]
    let place = |x: f32| (((x - left) / step).clamp(0.0, 400.0)) as usize;
    for word in words() {
        let (from, to) = (place(word.left), place(word.right) + 1);
        if let Some(count) = crossed.get_mut(from) {
            *count += 1;
        }
        if let Some(count) = crossed.get_mut(to) {
            *count -= 1;
        }
    }
    let mut covered = 0;
    let mut runs: Vec<(i32, f32, f32)> = Vec::new();
    for (number, change) in crossed.iter().enumerate().take(STEPS) {
        covered += change;
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let x = left + step * (number as f32 + 0.5);
        match runs.last_mut() {
            Some((count, _, end)) if *count == covered => *end = x,
            _ => runs.push((covered, x, x)),
        }
    }
    let is_least = |at: usize| {
        let count = |at: Option<usize>| at.and_then(|at| runs.get(at)).map_or(i32::MAX, |run| run.0);
        count(Some(at)) < count(at.checked_sub(1)) && count(Some(at)) < count(at.checked_add(1))
    };
    let mut least: Vec<(i32, f32, f32)> = runs.iter().enumerate().filter(|(at, _)| is_least(*at)).map(|(_, run)| *run).collect();
    least.sort_by(|one, other| one.0.cmp(&other.0).then((other.2 - other.1).total_cmp(&(one.2 - one.1))));
    least.iter().take(MOST_GUTTERS).map(|(_, from, to)| f32::midpoint(*from, *to)).collect()
}

/// The bands that a gutter divides, and how many words are in them.
fn bands(rows: &[Vec<Word>], gutter: f32) -> (usize, Vec<Band>) {
    let crosses = |row: &[Word]| row.iter().any(|word| word.left < gutter && word.right > gutter);
    let (mut bands, mut words) = (Vec::new(), 0);
    let mut start = 0;
    for end in 0..=rows.len() {
        if rows.get(end).is_some_and(|row| !crosses(row)) {
            continue;
        }
        if let Some((first, last)) = divided(rows.get(start..end).unwrap_or_default(), gutter) {
            let (first, last) = (start + first, start + last);
            words += rows.get(first..=last).unwrap_or_default().iter().map(Vec::len).sum::<usize>();
            bands.push(Band { first, last, gutter });
        }
        start = end + 1;
    }
    (words, bands)
}

/// The first and the last of the rows that have two columns of running text side by side. A title
/// above them or a footer below them may reach into the gutter, and is left out.
fn divided(rows: &[Vec<Word>], gutter: f32) -> Option<(usize, usize)> {
    let side = |is_left: bool| -> Vec<Vec<&Word>> {
        let of_side = |row: &Vec<Word>| -> bool { row.iter().any(|word| (middle(word) < gutter) == is_left) };
        rows.iter().filter(|row| of_side(row)).map(|row| row.iter().filter(|word| (middle(word) < gutter) == is_left).collect()).collect()
    };
    let (left, right) = (side(true), side(false));
    if left.len().min(right.len()) < FEWEST_LINES || !is_prose(&left) || !is_prose(&right) {
        return None;
    }
    let letter = usual(rows.iter().flatten().map(|word| (word.size, word.text.len())));
    // How far each row reaches into the gutter from both sides.
    let edges: Vec<(f32, f32)> = rows
        .iter()
        .map(|row| {
            let (before, behind): (Vec<&Word>, Vec<&Word>) = row.iter().partition(|word| middle(word) < gutter);
            (before.iter().map(|word| word.right).fold(f32::MIN, f32::max), behind.iter().map(|word| word.left).fold(f32::MAX, f32::min))
        })
        .collect();
    let is_clear = |edges: &[(f32, f32)]| {
        let end = edges.iter().map(|edge| edge.0).fold(f32::MIN, f32::max);
        let begin = edges.iter().map(|edge| edge.1).fold(f32::MAX, f32::min);
        begin - end >= GUTTER * letter
    };
    let trims = (0..=2 * MOST_TRIMMED).flat_map(|sum| (0..=sum).map(move |top| (top, sum - top)));
    trims.filter(|(top, bottom)| top.max(bottom) <= &MOST_TRIMMED).find_map(|(top, bottom)| {
        let last = rows.len().checked_sub(1 + bottom)?;
        edges.get(top..=last).is_some_and(is_clear).then_some((top, last))
    })
}

/// Whether lines are running text: most fill the width that they have together, with several words.
fn is_prose(lines: &[Vec<&Word>]) -> bool {
    let extent = |line: &[&Word]| {
        let left = line.iter().map(|word| word.left).fold(f32::MAX, f32::min);
        let right = line.iter().map(|word| word.right).fold(f32::MIN, f32::max);
        (left, right)
    };
    let extents: Vec<(f32, f32)> = lines.iter().map(|line| extent(line)).collect();
    let left = extents.iter().map(|extent| extent.0).fold(f32::MAX, f32::min);
    let right = extents.iter().map(|extent| extent.1).fold(f32::MIN, f32::max);
    let mut filled: Vec<f32> = extents.iter().map(|(from, to)| (to - from) / (right - left).max(1.0)).collect();
    filled.sort_by(f32::total_cmp);
    let mut counts: Vec<usize> = lines.iter().map(Vec::len).collect();
    counts.sort_unstable();
    let in_middle = |list: &[f32]| list.get(list.len() / 2).copied().unwrap_or(0.0);
    in_middle(&filled) >= FILLED && counts.get(counts.len() / 2).is_some_and(|count| *count >= 3)
}
