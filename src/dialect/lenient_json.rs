//! Finds JSON in a model's text, and reads JSON with small errors: extra or missing commas,
//! comments, other quotation marks, raw line breaks, keys without quotes, a missing bracket at the
//! end.
//!
//! We use no crate for this. Those of November 2026 (jsonrepair 0.1, `llm_json` 1.0) overflow the
//! stack on nested brackets, which ends the program. They also make JSON out of any prose, and end
//! a text at its first apostrophe (`'the mayor's car'`). This reader nests to a fixed depth and
//! takes linear time. It rejects text that it does not understand, and then the call is made once
//! more.

use serde_json::{Map, Value};

/// Deeper values are not read.
const MAX_DEPTH: usize = 32;
/// Characters that may be examined for each character of the text. A text that needs more is
/// hostile.
const STEPS_PER_CHARACTER: usize = 16;

/// The outermost objects and lists in `text`.
pub(super) fn values(text: &str) -> Vec<Value> {
    let mut reader = Reader { text, at: 0, depth: 0, steps: text.len().saturating_mul(STEPS_PER_CHARACTER).saturating_add(1024) };
    let mut values = Vec::new();
    while let Some(start) = text.get(reader.at..).and_then(|rest| rest.find(['{', '['])) {
        let start = reader.at + start;
        reader.at = start;
        reader.depth = 0;
        match reader.value() {
            Some(value) => values.push(value),
            None if reader.steps == 0 => break,
            // Both brackets have one byte.
            None => reader.at = start + 1,
        }
    }
    values
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    steps: usize,
}

/// The characters that may follow a text in quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Key,
    Member,
    Item,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn starts_with(&self, prefix: &str) -> bool {
        self.text.get(self.at..).is_some_and(|rest| rest.starts_with(prefix))
    }

    fn next(&mut self) -> Option<char> {
        self.steps = self.steps.checked_sub(1)?;
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        found && self.next().is_some()
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&wanted) && self.next().is_some() {}
    }

    /// Skips spaces and comments.
    fn skip_blanks(&mut self) {
        loop {
            self.skip_while(|c| c.is_whitespace() || c == '\u{feff}');
            if self.starts_with("//") || self.starts_with("#") {
                self.skip_while(|c| c != '\n');
            } else if self.starts_with("/*") {
                let rest = self.text.get(self.at + 2..).unwrap_or_default();
                let length = rest.find("*/").map_or(rest.len(), |end| end + 2) + 2;
                self.steps = self.steps.saturating_sub(length);
                self.at += length.min(self.text.len() - self.at);
            } else {
                return;
            }
            if self.steps == 0 {
                return;
            }
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.value_at(Place::Item)
    }

    fn value_at(&mut self, place: Place) -> Option<Value> {
        self.skip_blanks();
        match self.peek()? {
            open @ ('{' | '[') => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return None;
                }
                self.next()?;
                let value = if open == '{' { self.object() } else { self.list() }?;
                self.depth -= 1;
                Some(value)
            }
            c if closers(c).is_some() => self.quoted(place).map(Value::String),
            _ => self.bare(),
        }
    }

    /// The members after `{`.
    fn object(&mut self) -> Option<Value> {
        let mut object = Map::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                Some('}') => {
                    self.next()?;
                    return Some(object.into());
                }
                Some(',' | '，') if !object.is_empty() => {
                    self.next()?;
                    continue;
                }
                // The end is missing. Nothing is lost: every text so far is whole.
                None | Some(']') => return (!object.is_empty()).then(|| object.into()),
                Some(_) => {}
            }
            let key = self.key()?;
            self.skip_blanks();
            if !self.skip(':') && !self.skip('：') {
                return None;
            }
            let value = self.value_at(Place::Member)?;
            object.insert(key, value);
        }
    }

    /// The items after `[`.
    fn list(&mut self) -> Option<Value> {
        let mut list = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                Some(']') => {
                    self.next()?;
                    return Some(list.into());
                }
                Some(',' | '，') if !list.is_empty() => {
                    self.next()?;
                    continue;
                }
                None | Some('}') => return (!list.is_empty()).then(|| list.into()),
                Some(_) => {}
            }
            list.push(self.value_at(Place::Item)?);
        }
    }

    fn key(&mut self) -> Option<String> {
        if self.peek().and_then(closers).is_some() {
            return self.quoted(Place::Key);
        }
        let start = self.at;
        self.skip_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        self.text.get(start..self.at).filter(|key| !key.is_empty()).map(str::to_owned)
    }

    /// A number, `true`, `false` or `null`, also as Python writes them.
    fn bare(&mut self) -> Option<Value> {
        let start = self.at;
        self.skip_while(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        match self.text.get(start..self.at)? {
            "true" | "True" => Some(true.into()),
            "false" | "False" => Some(false.into()),
            "null" | "None" => Some(Value::Null),
            number => serde_json::from_str::<serde_json::Number>(number).ok().map(Value::Number),
        }
    }

    /// A text in any quotation marks. Models forget to escape marks inside texts, so a mark ends
    /// the text only if JSON syntax follows.
    fn quoted(&mut self, place: Place) -> Option<String> {
        let closers = closers(self.next()?)?;
        let mut text = String::new();
        loop {
            match self.next()? {
                '\\' => self.escape(&mut text)?,
                c if closers.contains(&c) && self.ends_here(place) => return Some(text),
                c => text.push(c),
            }
            if self.steps == 0 {
                return None;
            }
        }
    }

    /// Whether JSON syntax follows a quotation mark.
    fn ends_here(&mut self, place: Place) -> bool {
        let start = self.at;
        let ends = self.syntax_follows(place);
        self.at = start;
        ends
    }

    fn syntax_follows(&mut self, place: Place) -> bool {
        let start = self.at;
        self.skip_blanks();
        let new_line = self.text.get(start..self.at).is_some_and(|blanks| blanks.contains('\n'));
        let c = self.peek();
        if place == Place::Key {
            return matches!(c, Some(':' | '：'));
        }
        match c {
            None | Some('}' | ']') => true,
            Some(',' | '，') => {
                self.skip_while(|c| matches!(c, ',' | '，'));
                self.skip_blanks();
                self.continues(place)
            }
            // A comma is missing.
            Some(_) => new_line && self.continues(place),
        }
    }

    /// Whether another member or item begins here, or the object or list ends.
    fn continues(&mut self, place: Place) -> bool {
        match self.peek() {
            None | Some('}' | ']') => true,
            Some(_) if place == Place::Member => self.is_key(),
            Some(c) if closers(c).is_some() || matches!(c, '{' | '[') => true,
            Some(_) => self.bare().is_some(),
        }
    }

    /// Whether a key and a colon are next. Stops at a line's end: keys are short, and the rest of
    /// the text is read only once.
    fn is_key(&mut self) -> bool {
        match self.peek().and_then(closers) {
            Some(closers) => {
                self.next();
                while let Some(c) = self.next() {
                    match c {
                        '\\' => {
                            self.next();
                        }
                        c if closers.contains(&c) => break,
                        '\n' => return false,
                        _ => {}
                    }
                }
            }
            None => self.skip_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')),
        }
        self.skip_blanks();
        matches!(self.peek(), Some(':' | '：'))
    }

    /// The character that an escape stands for.
    fn escape(&mut self, text: &mut String) -> Option<()> {
        match self.next()? {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{c}'),
            'u' => {
                let unit = self.unit()?;
                let low = if (0xD800..0xDC00).contains(&unit) && self.starts_with("\\u") {
                    self.at += 2;
                    Some(self.unit()?)
                } else {
                    None
                };
                text.extend(char::decode_utf16([unit].into_iter().chain(low)).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
            }
            c @ ('"' | '\\' | '/' | '\'' | '\n' | '“' | '”' | '’' | '‘' | '`') => text.push(c),
            // Not an escape of JSON: the model meant a backslash.
            c => text.extend(['\\', c]),
        }
        Some(())
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let unit = u16::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(unit)
    }
}

/// The marks that end a text which begins with `open`; `None` if `open` is not a quotation mark.
fn closers(open: char) -> Option<&'static [char]> {
    match open {
        '"' => Some(&['"']),
        '\'' => Some(&['\'']),
        '`' => Some(&['`']),
        '“' | '”' | '„' => Some(&['”', '“']),
        '‘' | '’' => Some(&['’', '‘']),
        '«' => Some(&['»']),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_nearly_json_is_read() {
        let wanted = json!({"t": ["the mayor's car", "b"]});
        for text in [
            r#"{"t": ["the mayor's car", "b",]}"#,
            r#"{"t": ["the mayor's car", "b"],}"#,
            "{\"t\": [\"the mayor's car\", // first\n /* then */ \"b\" # last\n]}",
            "{'t': ['the mayor's car', 'b']}",
            r"{'t': ['the mayor\'s car', 'b']}",
            "{“t”: [“the mayor's car”, “b”]}",
            "{«t»: [«the mayor's car», «b»]}",
            r#"{t: ["the mayor's car", "b"]}"#,
            "{\"t\": [\"the mayor's car\"\n \"b\"]}",
            r#"{"t": ["the mayor's car", "b"]"#,
            r#"{"t": ["the mayor's car", "b"}"#,
            r#"Voici {le résultat} : {"t": ["the mayor's car", "b"]} !"#,
        ] {
            assert_eq!(values(text).last(), Some(&wanted), "{text}");
        }
    }

    #[test]
    fn quotation_marks_and_line_breaks_inside_of_texts_are_kept() {
        let read = |text: &str| values(text).pop().unwrap();
        assert_eq!(read(r#"{"a": "he said "yes", and left", "b": "c"}"#), json!({"a": "he said \"yes\", and left", "b": "c"}));
        assert_eq!(read("{\"a\": \"one\ntwo\", \"b\": “he said \"yes\"”}"), json!({"a": "one\ntwo", "b": "he said \"yes\""}));
        assert_eq!(read(r#"["a\ud800x", "\ud83d\ude00", "C:\d", "L\'été"]"#), json!(["a\u{fffd}x", "😀", "C:\\d", "L'été"]));
    }

    #[test]
    fn prose_and_texts_without_an_end_are_not_json() {
        for text in ["Sorry, I can't help.", "Voici {le résultat} : non.", r#"{"t": ["a", "b"#, r#"{"t": "a "#, "[", "{", "[a, b]"] {
            assert_eq!(values(text), Vec::<Value>::new(), "{text}");
        }
    }

    #[test]
    fn hostile_texts_take_linear_time_and_no_stack() {
        for part in ["[", "{", "{\"", "\"", "'", "/*", "{\"a\":\"b\",'c':[", "[\"a\", ", "[\"\\\"", "{\"a\": \"x\", \"b", "[#", "[\"a\"//"]
        {
            let text = part.repeat(20_000 / part.len());
            let _ = values(&text);
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            "[\"',:{}\\[\\] a“”\n]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-z\"]{1,6}", inner), 0..4).prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn valid_json_is_read_as_it_is(value in any_json()) {
            prop_assume!(value.is_object() || value.is_array());
            let text = format!("Here it is:\n```json\n{value:#}\n```");
            prop_assert_eq!(values(&text), vec![value]);
        }

        #[test]
        fn no_text_panics(text in "[\\[\\]{}\"',:“”\\\\u0-9a-f/*# \n]{0,60}") {
            let _ = values(&text);
        }
    }
}
