//! Fonts: the text and the width of each code.

use std::collections::HashMap;

use hayro_cmap::{BfString, CMap};
use hayro_syntax::object::dict::Dict;
use hayro_syntax::object::{Array, Name, Object, Stream};

use super::encoding::{Base, glyph_text, is_unknown};
use super::inflate::unpacked;

/// The widths of Helvetica and Times, from the blank to the tilde, in thousandths of the size.
/// Files need not repeat them.
const HELVETICA: &[u16] = &[
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278,
    278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722,
    667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556,
    556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
const TIMES: &[u16] = &[
    250, 333, 408, 500, 500, 833, 778, 180, 333, 333, 500, 564, 250, 333, 250, 278, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 278,
    278, 564, 564, 564, 444, 921, 722, 667, 667, 722, 611, 556, 722, 722, 333, 389, 722, 611, 889, 722, 722, 556, 722, 667, 556, 611, 722,
    722, 944, 722, 722, 611, 333, 278, 333, 469, 500, 333, 444, 500, 444, 500, 444, 333, 500, 500, 278, 278, 500, 278, 778, 500, 500, 500,
    500, 333, 389, 278, 500, 500, 722, 500, 500, 444, 480, 200, 480, 541,
];
/// The width of a character of Courier, and of one of an unknown font.
const COURIER: f32 = 600.0;
const USUAL: f32 = 500.0;

pub(super) struct Font {
    codes: Codes,
    to_unicode: Option<CMap>,
    pub(super) is_bold: bool,
    /// Signs and dingbats: not letters that could be missing.
    is_symbolic: bool,
    /// The size of a unit of the widths.
    unit: f32,
}

enum Codes {
    Simple { texts: Vec<Option<String>>, widths: Vec<f32> },
    Composite { encoding: Option<Box<CMap>>, is_unicode: bool, widths: HashMap<u32, f32>, usual: f32 },
}

/// A code of a string.
pub(super) struct Code {
    /// The text that it shows. `None` if the font does not define it.
    pub(super) text: Option<String>,
    /// Its width for a size of 1.
    pub(super) width: f32,
    /// Whether the spacing of words is added.
    pub(super) is_space: bool,
}

impl Font {
    pub(super) fn read(dict: &Dict, max: u64) -> Self {
        let to_unicode =
            dict.get::<Stream>("ToUnicode").and_then(|stream| unpacked(&stream, max).ok()).and_then(|bytes| CMap::parse(&bytes, |_| None));
        let name = dict.get::<Name>("BaseFont").map(|name| name.as_str().to_owned()).unwrap_or_default();
        let subtype = dict.get::<Name>("Subtype").map(|name| name.to_vec()).unwrap_or_default();
        let unit = if subtype == b"Type3" { font_matrix(dict) } else { 0.001 };
        let is_symbolic = ["Symbol", "Dingbats", "Wingdings", "Webdings"].iter().any(|known| name.contains(known));
        let codes = if subtype == b"Type0" { composite(dict, max) } else { simple(dict, &name, max) };
        let is_bold = ["Bold", "Black", "Heavy", "Semibold", "Demi"].iter().any(|weight| name.contains(weight));
        Self { codes, to_unicode, is_bold, is_symbolic, unit }
    }

    pub(super) fn codes(&self, bytes: &[u8]) -> Vec<Code> {
        match &self.codes {
            Codes::Simple { texts, widths } => bytes.iter().map(|byte| self.simple_code(*byte, texts, widths)).collect(),
            Codes::Composite { encoding, is_unicode, widths, usual } => {
                let code = |code: u32, cid: u32| {
                    let own = || if *is_unicode { char::from_u32(code).map(String::from) } else { None };
                    let width = widths.get(&cid).copied().unwrap_or(*usual) * self.unit;
                    Code { text: self.shown(code).or_else(own), width, is_space: false }
                };
                let mut codes = Vec::new();
                let mut rest = bytes;
                while let Some((first, after)) = rest.split_first() {
                    let single = encoding.as_ref().and_then(|map| map.lookup_cid_code(u32::from(*first), 1));
                    let pair = after.first().map(|second| u32::from(*first) << 8 | u32::from(*second));
                    let (length, number, cid) = match (single, pair) {
                        (Some(cid), _) => (1, u32::from(*first), cid),
                        (None, Some(pair)) => (2, pair, encoding.as_ref().and_then(|map| map.lookup_cid_code(pair, 2)).unwrap_or(pair)),
                        (None, None) => break,
                    };
                    codes.push(code(number, cid));
                    rest = rest.get(length..).unwrap_or_default();
                }
                codes
            }
        }
    }

    fn simple_code(&self, byte: u8, texts: &[Option<String>], widths: &[f32]) -> Code {
        let own = || texts.get(usize::from(byte)).cloned().flatten();
        let text = self.shown(u32::from(byte)).or_else(own).or_else(|| self.is_symbolic.then(String::new));
        let width = widths.get(usize::from(byte)).copied().unwrap_or(USUAL) * self.unit;
        Code { text, width, is_space: byte == b' ' }
    }

    /// The text that a code shows, according to the font.
    fn shown(&self, code: u32) -> Option<String> {
        let text = match self.to_unicode.as_ref()?.lookup_bf_string(code)? {
            BfString::Char(c) => c.to_string(),
            BfString::String(text) => text,
        };
        (!is_unknown(&text)).then_some(text)
    }
}

fn font_matrix(dict: &Dict) -> f32 {
    let matrix = dict.get::<Array>("FontMatrix");
    let first = matrix.and_then(|matrix| matrix.iter::<f32>().next());
    first.filter(|unit| *unit > 0.0 && *unit < 10.0).unwrap_or(0.001)
}

fn simple(dict: &Dict, name: &str, max: u64) -> Codes {
    let encoding = dict.get::<Object>("Encoding");
    let (mut base, mut differences) = (None, None);
    match encoding {
        Some(Object::Name(name)) => base = Base::by_name(&name),
        Some(Object::Dict(encoding)) => {
            base = encoding.get::<Name>("BaseEncoding").and_then(|name| Base::by_name(&name));
            differences = encoding.get::<Array>("Differences");
        }
        _ => {}
    }
    let descriptor = dict.get::<Dict>("FontDescriptor");
    let program = descriptor.as_ref().and_then(|descriptor| descriptor.get::<Stream>("FontFile"));
    let is_true_type = dict.get::<Name>("Subtype").is_some_and(|subtype| &*subtype == b"TrueType");
    let usual = if is_true_type { Base::WinAnsi } else { Base::Standard };
    let mut texts: Vec<Option<String>> = (0..=255).map(|code| base.unwrap_or(usual).character(code).map(String::from)).collect();
    if let Some(program) = program.filter(|_| base.is_none()) {
        built_in(&program, max, &mut texts);
    }
    let mut code = 0_usize;
    for object in differences.into_iter().flat_map(|differences| differences.iter::<Object>().collect::<Vec<_>>()) {
        match object {
            Object::Number(number) => code = usize::try_from(number.as_i64()).unwrap_or(0),
            Object::Name(name) => {
                if let Some(text) = texts.get_mut(code) {
                    *text = glyph_text(name.as_str());
                }
                code += 1;
            }
            _ => {}
        }
    }
    let widths = simple_widths(dict, descriptor.as_ref(), name, &texts);
    Codes::Simple { texts, widths }
}

/// Reads the encoding that a Type 1 font brings along: lines «dup 233 /eacute put».
fn built_in(program: &Stream, max: u64, texts: &mut [Option<String>]) {
    let Ok(bytes) = unpacked(program, max) else { return };
    let clear = memchr::memmem::find(&bytes, b"eexec").and_then(|end| bytes.get(..end)).unwrap_or_default();
    let clear = String::from_utf8_lossy(clear);
    let Some((_, list)) = clear.split_once("/Encoding") else { return };
    let words: Vec<&str> = list.split_whitespace().collect();
    for window in words.windows(4) {
        if let ["dup", code, name, "put"] = window
            && let (Ok(code), Some(name)) = (code.parse::<usize>(), name.strip_prefix('/'))
            && let Some(text) = texts.get_mut(code)
        {
            *text = glyph_text(name);
        }
    }
}

fn simple_widths(dict: &Dict, descriptor: Option<&Dict>, name: &str, texts: &[Option<String>]) -> Vec<f32> {
    let missing = descriptor.and_then(|descriptor| descriptor.get::<f32>("MissingWidth"));
    if let Some(widths) = dict.get::<Array>("Widths") {
        let first = usize::try_from(dict.get::<i32>("FirstChar").unwrap_or(0)).unwrap_or(0).min(255);
        let mut all = vec![missing.unwrap_or(0.0); 256];
        for (place, width) in all.iter_mut().skip(first).zip(widths.iter::<f32>()) {
            *place = width;
        }
        return all;
    }
    if name.contains("Courier") {
        return vec![COURIER; 256];
    }
    let table = if name.contains("Times") { TIMES } else { HELVETICA };
    texts.iter().map(|text| text.as_deref().and_then(|text| standard_width(text, table)).unwrap_or(missing.unwrap_or(USUAL))).collect()
}

/// The width of a character in a standard font. An accent adds nothing.
fn standard_width(text: &str, table: &[u16]) -> Option<f32> {
    use unicode_normalization::UnicodeNormalization;
    let base = text.nfd().next()?;
    let place = (u32::from(base)).checked_sub(32)?;
    let width = match base {
        '—' | '…' => 1000,
        '«' | '»' => 556,
        '‘' | '’' => 222,
        '“' | '”' => 333,
        _ => *table.get(usize::try_from(place).ok()?)?,
    };
    Some(f32::from(width))
}

fn composite(dict: &Dict, max: u64) -> Codes {
    let descendant = dict.get::<Array>("DescendantFonts").and_then(|fonts| fonts.iter::<Dict>().next()).unwrap_or_default();
    let (encoding, is_unicode) = match dict.get::<Object>("Encoding") {
        Some(Object::Stream(stream)) => (unpacked(&stream, max).ok().and_then(|bytes| CMap::parse(&bytes, |_| None)).map(Box::new), false),
        Some(Object::Name(name)) => (None, name.as_str().contains("UCS2") || name.as_str().contains("UTF16")),
        _ => (None, false),
    };
    let usual = descendant.get::<f32>("DW").unwrap_or(1000.0);
    Codes::Composite { encoding, is_unicode, widths: composite_widths(&descendant), usual }
}

/// The widths of a composite font: `first [w w w]` or `first last w`.
fn composite_widths(descendant: &Dict) -> HashMap<u32, f32> {
    let mut widths = HashMap::new();
    let Some(list) = descendant.get::<Array>("W") else { return widths };
    let mut pending: Vec<f32> = Vec::new();
    for object in list.iter::<Object>() {
        match object {
            Object::Number(number) => pending.push(number.as_f32()),
            Object::Array(array) => {
                let first = cid(pending.pop());
                pending.clear();
                widths.extend((first..=0xffff).zip(array.iter::<f32>()));
            }
            _ => {}
        }
        if let [first, last, width] = *pending.as_slice() {
            widths.extend((cid(Some(first))..=cid(Some(last))).map(|cid| (cid, width)));
            pending.clear();
        }
    }
    widths
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number is clamped to the range of a CID")]
fn cid(number: Option<f32>) -> u32 {
    number.unwrap_or(0.0).clamp(0.0, 65_535.0) as u32
}
