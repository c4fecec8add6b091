//! Reads lists that an export wrote as a text: `["Un.", "Deux."]`, or in Python's form
//! `['Un.', 'Deux.']`.

use std::iter::Peekable;
use std::str::Chars;

/// The texts of a list in a text. Returns `None` if it is an ordinary text.
pub(in crate::extract) fn listed(text: &str) -> Option<Vec<String>> {
    let inside = text.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    if !inside.starts_with(['"', '\'']) || !inside.ends_with(['"', '\'']) {
        return None;
    }
    let mut rest = inside.chars().peekable();
    let mut list = Vec::new();
    loop {
        list.push(quoted(&mut rest)?);
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        match rest.next() {
            None => return Some(list),
            Some(',') => while rest.next_if(|c| c.is_whitespace()).is_some() {},
            Some(_) => return None,
        }
    }
}

/// The text in the next quotes. Escapes are those of JSON and Python.
fn quoted(rest: &mut Peekable<Chars>) -> Option<String> {
    let quote = rest.next_if(|c| matches!(c, '"' | '\''))?;
    let mut text = String::new();
    loop {
        match rest.next()? {
            c if c == quote => return Some(text),
            '\\' => match rest.next()? {
                'n' | 'r' => text.push('\n'),
                't' => text.push(' '),
                'x' => text.push(coded(rest, 2)?),
                'u' => text.push(coded(rest, 4)?),
                escaped => text.push(escaped),
            },
            c => text.push(c),
        }
    }
}

/// The character whose number is written in hexadecimal digits.
fn coded(rest: &mut Peekable<Chars>, digits: usize) -> Option<char> {
    let code: String = rest.take(digits).collect();
    u32::from_str_radix(&code, 16).ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_json_and_python_are_read() {
        for text in [r#"["Un, deux.", "L'été."]"#, r#" ['Un, deux.', "L'été."] "#, r"['Un, deux.', 'L\'\xe9t\u00e9.']"] {
            assert_eq!(listed(text).unwrap(), ["Un, deux.", "L'été."], "{text}");
        }
        for text in ["[sic] Un texte.", "['Un' et 'deux'] sont là [oui]", "['Un' deux']", "[]", "[\"Un", "['Un'] et ['deux']", r"['\x']"] {
            assert_eq!(listed(text), None, "{text}");
        }
    }
}
