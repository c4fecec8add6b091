//! Follows the groups of an RTF file and collects its paragraphs.

use std::collections::HashMap;

use super::code_page;
use super::token::{Token, Tokens};
use crate::extract::written::{Block, Line, Properties, Role};
use crate::model::{ErrorCode, Reject};

/// The deepest nesting. Real files have about twenty levels.
const MAX_DEPTH: usize = 1_000;
/// The longest cell (in bytes) of a table with data. A longer one lays out text.
const LONGEST_CELL: usize = 300;
/// Groups that are not text of the article.
const WITHOUT_TEXT: &[&str] = &[
    "annotation",
    "atnauthor",
    "atnid",
    "background",
    "colortbl",
    "datafield",
    "do",
    "fldinst",
    "footer",
    "footerf",
    "footerl",
    "footerr",
    "footnote",
    "formfield",
    "ftncn",
    "ftnsep",
    "ftnsepc",
    "header",
    "headerf",
    "headerl",
    "headerr",
    "listtext",
    "nonshppict",
    "object",
    "pict",
    "pntext",
    "private",
    "revtbl",
    "rxe",
    "shprslt",
    "sp",
    "tc",
    "tcn",
    "template",
    "upr",
    "xe",
];

/// What a group holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Fonts,
    Styles,
    Info,
    Title,
    Author,
    Nothing,
}

/// What applies until the end of a group.
#[derive(Clone)]
struct State {
    place: Place,
    hidden: bool,
    deleted: bool,
    raised: bool,
    /// How many characters follow a Unicode character, for programs that do not know Unicode.
    fallback: usize,
    font: i32,
}

pub(super) fn read(bytes: &[u8]) -> Result<(Vec<Block>, Properties), Reject> {
    let mut reader = Reader::new();
    let mut tokens = Tokens::new(bytes);
    while let Some(token) = tokens.next() {
        match token {
            Token::Word("bin", Some(length)) => tokens.pass_over(usize::try_from(length).unwrap_or(0)),
            token => reader.take(token)?,
        }
        if reader.states.is_empty() {
            break;
        }
    }
    reader.flush()?;
    if !reader.states.is_empty() {
        return Err(Reject::new(ErrorCode::Malformed, "the RTF document is truncated: a group is not closed"));
    }
    reader.end_paragraph();
    Ok((reader.blocks, reader.properties))
}

struct Reader {
    /// The open groups. The first one applies until the document's own group begins.
    states: Vec<State>,
    begun: bool,
    code_page: i32,
    font_pages: HashMap<i32, i32>,
    style_roles: HashMap<i32, Role>,
    properties: Properties,
    blocks: Vec<Block>,
    cells: Vec<Line>,
    line: Line,
    role: Role,
    in_table: bool,
    /// Bytes that are not decoded yet.
    bytes: Vec<u8>,
    /// The first half of a Unicode character.
    half: Option<u16>,
    /// How many characters to skip, since they replace a Unicode character.
    skip: usize,
    /// Whether `\*` came, which marks a group that a reader may ignore.
    optional: bool,
    /// The font or style that is being defined, and its name so far.
    number: i32,
    name: String,
}

impl Reader {
    fn new() -> Self {
        let state = State { place: Place::Text, hidden: false, deleted: false, raised: false, fallback: 1, font: -1 };
        Self {
            states: vec![state],
            begun: false,
            code_page: 1252,
            font_pages: HashMap::new(),
            style_roles: HashMap::new(),
            properties: Properties::default(),
            blocks: Vec::new(),
            cells: Vec::new(),
            line: Line::default(),
            role: Role::Text,
            in_table: false,
            bytes: Vec::new(),
            half: None,
            skip: 0,
            optional: false,
            number: 0,
            name: String::new(),
        }
    }

    fn take(&mut self, token: Token) -> Result<(), Reject> {
        if let Token::Byte(byte) = token {
            if self.skip > 0 {
                self.skip -= 1;
            } else {
                self.bytes.push(byte);
            }
            return Ok(());
        }
        self.flush()?;
        match token {
            Token::Open => self.open()?,
            Token::Close => self.close(),
            Token::Symbol(b'*') => self.optional = true,
            Token::Symbol(symbol) => self.symbol(symbol),
            Token::Word(word, number) => {
                if self.skip > 0 && word != "u" {
                    self.skip -= 1;
                }
                self.word(word, number);
                self.optional = false;
            }
            Token::Byte(_) => {}
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(), Reject> {
        self.skip = 0;
        if self.states.len() > MAX_DEPTH {
            return Err(Reject::new(ErrorCode::TooDeep, format!("the RTF document is nested more than {MAX_DEPTH} levels deep")));
        }
        if !self.begun {
            self.begun = true;
        } else if let Some(state) = self.states.last().cloned() {
            self.states.push(state);
        }
        Ok(())
    }

    fn close(&mut self) {
        self.skip = 0;
        if self.place() == Place::Styles {
            self.end_style();
        }
        self.states.pop();
    }

    fn place(&self) -> Place {
        self.states.last().map_or(Place::Nothing, |state| state.place)
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'\\' | b'{' | b'}' => self.write(char::from(symbol).encode_utf8(&mut [0; 4])),
            b'~' => self.write("\u{a0}"),
            b'_' => self.write("-"),
            b'\r' | b'\n' => self.end_paragraph(),
            _ => {}
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>) {
        if self.change_place(word) || self.change_state(word, number) {
            return;
        }
        match word {
            "ansicpg" => self.code_page = number.unwrap_or(1252),
            "mac" => self.code_page = 10_000,
            "pc" => self.code_page = 437,
            "pca" => self.code_page = 850,
            "u" => self.unicode(number.unwrap_or(0)),
            "par" | "sect" | "page" | "column" => self.end_paragraph(),
            "cell" | "nestcell" => self.end_cell(),
            "row" | "nestrow" => self.end_row(),
            "line" | "lbr" if self.shows() => self.line.line_break(),
            "pard" => {
                self.role = Role::Text;
                self.in_table = false;
            }
            "intbl" => self.in_table = true,
            "s" if self.place() == Place::Text => {
                self.role = number.and_then(|style| self.style_roles.get(&style)).copied().unwrap_or_default();
            }
            "outlinelevel" if self.place() == Place::Text && number.is_some_and(|level| level < 9) && self.role == Role::Text => {
                self.role = Role::Heading;
            }
            "tab" | "emspace" | "enspace" | "qmspace" => self.write(" "),
            "emdash" => self.write("—"),
            "endash" => self.write("–"),
            "bullet" => self.write("•"),
            "lquote" => self.write("‘"),
            "rquote" => self.write("’"),
            "ldblquote" => self.write("“"),
            "rdblquote" => self.write("”"),
            _ => {}
        }
    }

    /// Notes what a group holds, if the word says so.
    fn change_place(&mut self, word: &str) -> bool {
        let optional = self.optional;
        let before = self.place();
        let place = match word {
            "fonttbl" => Place::Fonts,
            "stylesheet" => Place::Styles,
            "info" => Place::Info,
            "title" if before == Place::Info => Place::Title,
            "author" if before == Place::Info => Place::Author,
            // A character style is defined in an optional group. A text box is in one.
            "cs" | "ds" | "ts" if before == Place::Styles => return true,
            "shpinst" | "shptxt" => before,
            word if WITHOUT_TEXT.contains(&word) => Place::Nothing,
            _ if optional && before != Place::Styles => Place::Nothing,
            _ => return false,
        };
        if let Some(state) = self.states.last_mut().filter(|state| state.place != Place::Nothing) {
            state.place = place;
        }
        true
    }

    /// Notes what applies until the end of a group.
    fn change_state(&mut self, word: &str, number: Option<i32>) -> bool {
        let page = self.code_page;
        let Some(state) = self.states.last_mut() else { return true };
        let on = number != Some(0);
        match word {
            "v" => state.hidden = on,
            "deleted" => state.deleted = on,
            "super" => state.raised = on,
            "up" => state.raised = number.unwrap_or(6) > 0,
            "nosupersub" | "sub" | "dn" => state.raised = false,
            "plain" => (state.hidden, state.deleted, state.raised) = (false, false, false),
            "uc" => state.fallback = usize::try_from(number.unwrap_or(1)).unwrap_or(1).min(16),
            "f" => {
                state.font = number.unwrap_or(0);
                if state.place == Place::Fonts {
                    self.number = state.font;
                }
            }
            "fcharset" => {
                self.font_pages.insert(self.number, number.and_then(code_page::of_charset).unwrap_or(page));
            }
            "s" if state.place == Place::Styles => self.number = number.unwrap_or(0),
            _ => return false,
        }
        true
    }

    /// Adds a UTF-16 unit, and skips its replacement for programs without Unicode.
    fn unicode(&mut self, unit: i32) {
        // Units over 32767 are written as negative numbers.
        let unit = u16::try_from(unit & 0xffff).unwrap_or(0xfffd);
        self.skip = self.states.last().map_or(1, |state| state.fallback);
        let units = match self.half.take() {
            Some(half) => vec![half, unit],
            None if (0xd800..0xdc00).contains(&unit) => {
                self.half = Some(unit);
                return;
            }
            None => vec![unit],
        };
        self.write(&String::from_utf16_lossy(&units));
    }

    fn shows(&self) -> bool {
        self.states.last().is_some_and(|state| state.place == Place::Text && !state.hidden && !state.deleted)
    }

    fn write(&mut self, text: &str) {
        match self.place() {
            Place::Text if self.shows() => {
                if self.states.last().is_some_and(|state| state.raised) {
                    self.line.raise(text);
                } else {
                    self.line.push(text);
                }
            }
            Place::Styles => self.name.push_str(text),
            Place::Title => self.properties.title.get_or_insert_default().push_str(text),
            Place::Author => self.properties.author.get_or_insert_default().push_str(text),
            _ => {}
        }
    }

    /// Decodes the bytes since the last control word.
    fn flush(&mut self) -> Result<(), Reject> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.bytes);
        let state = self.states.last().filter(|state| !matches!(state.place, Place::Nothing | Place::Fonts));
        let Some(state) = state else { return Ok(()) };
        let page = self.font_pages.get(&state.font).copied().unwrap_or(self.code_page);
        let encoding = code_page::by_number(page);
        if encoding.is_none() && !bytes.is_ascii() {
            let reason = format!("the RTF document uses the unknown code page {page}; save it as DOCX");
            return Err(Reject::new(ErrorCode::Encoding, reason));
        }
        let (text, _) = encoding.unwrap_or(encoding_rs::WINDOWS_1252).decode_without_bom_handling(&bytes);
        self.write(&text);
        Ok(())
    }

    fn end_style(&mut self) {
        let name = std::mem::take(&mut self.name).trim_end_matches(';').trim().to_lowercase();
        let role = match name.as_str() {
            "title" | "titre" => Role::Title,
            "caption" | "légende" => Role::Aside,
            name if name.starts_with("heading") || name.starts_with("titre ") => Role::Heading,
            name if name.starts_with("toc ") => Role::Aside,
            _ => Role::Text,
        };
        if !name.is_empty() {
            self.style_roles.insert(std::mem::take(&mut self.number), role);
        }
    }

    fn end_paragraph(&mut self) {
        if self.place() == Place::Styles || !self.shows() && self.line.is_blank() {
            return;
        }
        if self.in_table {
            self.line.push(" ");
        } else {
            self.blocks.push(Block::Paragraph(self.role, std::mem::take(&mut self.line)));
        }
    }

    fn end_cell(&mut self) {
        self.cells.push(std::mem::take(&mut self.line));
    }

    fn end_row(&mut self) {
        let cells = std::mem::take(&mut self.cells);
        if cells.len() < 2 || cells.iter().any(|cell| cell.text().len() > LONGEST_CELL) {
            self.blocks.extend(cells.into_iter().map(|cell| Block::Paragraph(Role::Text, cell)));
        } else {
            self.blocks.push(Block::Row(cells));
        }
    }
}
