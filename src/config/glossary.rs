//! `[glossary]`: reads the user's CSV of `fr,en[,note]`. Problems have their line and column in
//! that file.

use std::collections::HashMap;
use std::path::Path;

use unicode_normalization::UnicodeNormalization;

use super::problem::Problem;
use super::spanned::Spanned;
use super::validator::Validator;
use crate::model::GlossaryEntry;

/// The size of some hundred thousand entries.
const MAX_BYTES: u64 = 10 << 20;
/// `DeepL`'s limit.
const MAX_TERM_BYTES: usize = 1024;
/// Notes for terms that are not to be translated.
const KEEP: &[&str] = &["do not translate", "do-not-translate", "dnt", "keep", "ne pas traduire"];

impl Validator<'_> {
    /// The entries of the glossary file; empty without one.
    pub(super) fn glossary(&mut self, file: Option<Spanned<String>>) -> Vec<GlossaryEntry> {
        let Some(file) = file else { return Vec::new() };
        match read(&self.folder.join(file.get_ref())) {
            Ok(text) => {
                let path = Path::new(file.get_ref());
                let (entries, problems) = parse(path, &text);
                self.problems.extend(problems);
                entries
            }
            Err(message) => {
                let hint = "use a CSV file in UTF-8 with the columns fr, en and optionally note".to_owned();
                self.problem(&file.span(), format!("cannot use the glossary `{}`: {message}", file.get_ref()), Some(hint));
                Vec::new()
            }
        }
    }
}

/// Reads a text file that the config names.
///
/// # Errors
/// Returns why the file cannot be used.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let meta = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !meta.is_file() {
        return Err("not a file".into());
    }
    if meta.len() > MAX_BYTES {
        return Err(format!("{} MB is too large", meta.len() >> 20));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        format!("line {} is not UTF-8", before.filter(|byte| **byte == b'\n').count() + 1)
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).nfc().collect())
}

/// The index of each column.
#[derive(Clone, Copy)]
struct Columns {
    fr: usize,
    en: usize,
    note: usize,
}

fn parse(path: &Path, text: &str) -> (Vec<GlossaryEntry>, Vec<Problem>) {
    let first = text.lines().next().unwrap_or_default();
    // French Excel writes semicolons.
    let delimiter = [b',', b';', b'\t'].into_iter().find(|delimiter| first.contains(char::from(*delimiter))).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    let mut columns = Columns { fr: 0, en: 1, note: 2 };
    let mut known: HashMap<String, (String, u64)> = HashMap::new();
    for (number, record) in reader.records().enumerate() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                problems.push(Problem::of(path, format!("not valid CSV: {error}")));
                break;
            }
        };
        let (line, start) = record.position().map_or((0, 0), |position| (position.line(), position.byte()));
        if number == 0
            && let Some(header) = header(&record)
        {
            columns = header;
            continue;
        }
        let at = |column: usize, message: String| {
            let start = usize::try_from(start).unwrap_or_default();
            let start = start + text.get(start..).map_or(0, |rest| column_start(rest, char::from(delimiter), column));
            Problem::at(path, text, &(start..start), message)
        };
        match entry(&record, columns) {
            Ok(entry) => match known.insert(entry.fr.clone(), (entry.en.clone(), line)) {
                Some((en, before)) if en != entry.en => {
                    problems.push(at(columns.en, format!("`{}` is already `{en}` in line {before}, but `{}` here", entry.fr, entry.en)));
                }
                Some(_) => {}
                None => entries.push(entry),
            },
            Err((column, message)) => problems.push(at(column, message)),
        }
    }
    (entries, problems)
}

/// The columns, if the first line names them.
fn header(record: &csv::StringRecord) -> Option<Columns> {
    let names: Vec<String> = record.iter().map(|name| name.trim().to_lowercase()).collect();
    let find = |wanted: &str| names.iter().position(|name| name == wanted);
    Some(Columns { fr: find("fr")?, en: find("en")?, note: find("note").unwrap_or(usize::MAX) })
}

/// The entry in a line, or the invalid column and a message.
fn entry(record: &csv::StringRecord, columns: Columns) -> Result<GlossaryEntry, (usize, String)> {
    let cell = |column: usize| record.get(column).unwrap_or_default().trim();
    let keeps = KEEP.contains(&cell(columns.note).to_lowercase().as_str());
    let (fr, en) = (cell(columns.fr), cell(columns.en));
    let en = if keeps && en.is_empty() { fr } else { en };
    for (column, term) in [(columns.fr, fr), (columns.en, en)] {
        if term.is_empty() {
            let what = "missing term; for a term that is not translated, repeat it or add the note `do not translate`";
            return Err((column, what.into()));
        }
        if term.len() > MAX_TERM_BYTES {
            return Err((column, format!("the term has {} bytes; the maximum is {MAX_TERM_BYTES}", term.len())));
        }
        if term.chars().any(char::is_control) {
            return Err((column, "the term contains a line end, tab or other control character".into()));
        }
        let ends = [term.chars().next(), term.chars().next_back()];
        if ends.into_iter().flatten().any(|c| !c.is_alphanumeric()) {
            return Err((column, format!("`{term}` must begin and end with a letter or digit, since terms match whole words")));
        }
    }
    if keeps && fr != en {
        return Err((columns.en, format!("the note says not to translate `{fr}`, but its translation is `{en}`")));
    }
    if record.iter().skip(3).any(|cell| !cell.trim().is_empty()) {
        return Err((3, "more than three columns; put a term with a comma in \"quotes\"".into()));
    }
    Ok(GlossaryEntry { fr: fr.to_owned(), en: en.to_owned() })
}

/// The byte offset of a column in the record at the start of `text`.
fn column_start(text: &str, delimiter: char, wanted: usize) -> usize {
    let (mut column, mut quoted, mut end) = (0, false, 0);
    for (at, c) in text.char_indices() {
        end = at;
        match c {
            _ if column == wanted => return at,
            '"' => quoted = !quoted,
            '\n' if !quoted => break,
            c if c == delimiter && !quoted => column += 1,
            _ => {}
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Vec<(String, String)>, Vec<String>) {
        let (entries, problems) = parse(Path::new("g.csv"), text);
        (entries.into_iter().map(|entry| (entry.fr, entry.en)).collect(), problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn entries_with_and_without_a_header_a_note_and_quotes() {
        let wanted =
            [("OTSC".to_owned(), "CSTO".to_owned()), ("Bouches, les".to_owned(), "Mouths".to_owned()), ("AFP".into(), "AFP".into())];
        for text in [
            "fr,en,note\nOTSC,CSTO,alliance\n\"Bouches, les\",Mouths\nAFP,,do not translate\n",
            "OTSC,CSTO\n\"Bouches, les\",Mouths\nAFP,AFP\n",
            "en;fr\nCSTO;OTSC\nMouths;Bouches, les\n\nAFP;AFP",
        ] {
            assert_eq!(parsed(text), (wanted.to_vec(), vec![]), "{text}");
        }
    }

    #[test]
    fn problems_have_their_line_and_column() {
        insta::assert_snapshot!(parsed("fr,en,note\nOTSC,CSTO\nOTSC,OTC\n,x\nÉrevan,\n\"a, b\",«c»\nAFP,PFA,dnt\na,b,c,d\n").1.join("\n"), @r#"
        g.csv:3:6: `OTSC` is already `CSTO` in line 2, but `OTC` here
        g.csv:4:1: missing term; for a term that is not translated, repeat it or add the note `do not translate`
        g.csv:5:8: missing term; for a term that is not translated, repeat it or add the note `do not translate`
        g.csv:6:8: `«c»` must begin and end with a letter or digit, since terms match whole words
        g.csv:7:5: the note says not to translate `AFP`, but its translation is `PFA`
        g.csv:8:7: more than three columns; put a term with a comma in "quotes"
        "#);
    }
}
