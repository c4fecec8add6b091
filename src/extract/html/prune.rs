//! Prunes a page before it is parsed: removes scripts, styles, drawings, templates, comments and
//! unused attributes. That is two thirds of most pages, and parsing takes time for every byte.
//!
//! The rest is written again tag by tag, so that the parser sees exactly the tags that were
//! counted, even if the page tries to hide some.

mod rules;

use super::guard::Guard;
use super::skip::{after_comment, after_drawing, after_mark, raw_text_end, script_end};
use super::tag::{Attributes, lower_case, tag};
use crate::model::Reject;
use rules::{Action, Kept, action, is_block, is_json_ld, kept};

/// A pruned page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pruned<'a> {
    /// The input of the parser.
    pub(super) html: String,
    /// The texts of the JSON-LD scripts.
    pub(super) json_ld: Vec<&'a str>,
}

/// Prunes a page.
///
/// # Errors
/// Fails with `too-deep` if the parser would need too much time or memory.
pub(super) fn prune(page: &str) -> Result<Pruned<'_>, Reject> {
    let mut writer = Writer {
        html: String::with_capacity(page.len() / 2),
        json_ld: Vec::new(),
        templates: 0,
        after_block: true,
        guard: Guard::of(page)?,
    };
    let mut rest = page;
    while let Some((text, after)) = rest.split_once('<') {
        writer.text(text);
        rest = match after.as_bytes().first() {
            Some(byte) if byte.is_ascii_alphabetic() => writer.start_tag(after)?,
            Some(b'/') => writer.end_tag(after.get(1..).unwrap_or_default()),
            Some(b'!') => writer.declaration(after.get(1..).unwrap_or_default()),
            Some(b'?') => after_mark(after, ">"),
            _ => {
                // Escaped, because it might start a tag once the text after it is dropped.
                writer.write("&lt;");
                after
            }
        };
    }
    writer.text(rest);
    Ok(Pruned { html: writer.html, json_ld: writer.json_ld })
}

/// Writes the pruned page. The methods that read markup return the text after it.
struct Writer<'a> {
    html: String,
    json_ld: Vec<&'a str>,
    /// How many templates are open.
    templates: usize,
    /// Whether the last tag is that of a block.
    after_block: bool,
    guard: Guard<'a>,
}

impl<'a> Writer<'a> {
    fn write(&mut self, text: &str) {
        if self.templates == 0 {
            self.html.push_str(text);
        }
    }

    /// Writes text. White space between blocks is dropped, between other tags it becomes a line break.
    fn text(&mut self, text: &str) {
        let blank = text.bytes().all(|byte| byte.is_ascii_whitespace());
        if !blank {
            self.write(text);
        } else if !text.is_empty() && !self.after_block {
            self.write("\n");
        }
    }

    /// Reads a declaration, from after its `<!`. Only the document type is kept.
    fn declaration(&mut self, after: &'a str) -> &'a str {
        if let Some(comment) = after.strip_prefix("--") {
            return after_comment(comment);
        }
        let rest = after_mark(after, ">");
        let declaration = before(after, rest);
        if declaration.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("doctype")) && declaration.ends_with('>') {
            self.write("<!");
            self.write(declaration);
        }
        rest
    }

    /// Reads an end tag, from its name on.
    fn end_tag(&mut self, after: &'a str) -> &'a str {
        if !after.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return after_mark(after, ">");
        }
        let (name, mut attributes) = tag(after);
        attributes.by_ref().for_each(drop);
        let Some(rest) = attributes.rest() else { return "" };
        let element = lower_case(name);
        match action(&element) {
            Action::Template => self.templates = self.templates.saturating_sub(1),
            Action::Keep if self.templates == 0 => {
                self.after_block = is_block(&element);
                self.guard.close(&element);
                self.html.extend(["</", name, ">"]);
            }
            _ => {}
        }
        rest
    }

    /// Reads a start tag, from its name on, and the content that is dropped with it.
    fn start_tag(&mut self, after: &'a str) -> Result<&'a str, Reject> {
        let (name, mut attributes) = tag(after);
        let element = lower_case(name);
        let action = action(&element);
        if action == Action::Keep && self.templates == 0 {
            return self.keep(name, &element, attributes);
        }
        let has_json_ld = attributes.by_ref().fold(false, |found, attribute| found | is_json_ld(&attribute));
        // The parser drops a tag that the end of the page cuts off.
        let Some(rest) = attributes.rest() else { return Ok("") };
        Ok(match action {
            Action::Script => {
                let end = script_end(rest);
                if has_json_ld && self.templates == 0 {
                    self.json_ld.push(before(rest, end));
                }
                end
            }
            Action::Title => {
                let end = raw_text_end(rest, name);
                self.write("<title>");
                self.write(&before(rest, end).replace('<', "&lt;"));
                self.write("</title>");
                end
            }
            Action::Drop => raw_text_end(rest, name),
            Action::Drawing if attributes.is_self_closing() => rest,
            Action::Drawing => after_drawing(rest),
            Action::Template => {
                self.templates += 1;
                rest
            }
            Action::DropTag | Action::Keep => rest,
        })
    }

    /// Writes a start tag with those of its attributes that are used.
    fn keep(&mut self, name: &'a str, element: &str, mut attributes: Attributes<'a>) -> Result<&'a str, Reject> {
        let (start, mut count, mut is_canonical) = (self.html.len(), 0, false);
        self.html.extend(["<", name]);
        for attribute in attributes.by_ref() {
            count += 1;
            is_canonical |= element == "link" && attribute.value.eq_ignore_ascii_case("canonical");
            match kept(&attribute, element) {
                Kept::Whole => self.html.extend([" ", attribute.source]),
                Kept::Name => self.html.extend([" ", attribute.name]),
                Kept::Nothing => {}
            }
        }
        let Some(rest) = attributes.rest() else {
            self.html.truncate(start);
            return Ok("");
        };
        if element == "link" && !is_canonical {
            self.html.truncate(start);
            return Ok(rest);
        }
        self.after_block = is_block(element);
        self.guard.open(name, element, count)?;
        self.html.push('>');
        Ok(rest)
    }
}

/// The part of `text` before `rest`, which is the end of it.
fn before<'a>(text: &'a str, rest: &str) -> &'a str {
    text.get(..text.len() - rest.len()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorCode;

    fn html(page: &str) -> String {
        prune(page).unwrap().html
    }

    #[test]
    fn pages_that_would_overload_the_parser_are_rejected_even_if_they_hide_their_tags() {
        let deep = "<div>".repeat(5_000);
        for page in [
            deep.clone(),
            "<div></x>".repeat(5_000),
            "<div/>".repeat(5_000),
            "<b><p>".repeat(5_000),
            "<a><div></a>".repeat(5_000),
            "<span><div></span>".repeat(5_000),
            format!("<svg><p>{deep}"),
            format!("<svg/>{deep}"),
            format!("<p a'>{deep}"),
            format!("<p a=='>{deep}"),
            format!("<p ='>{deep}"),
            format!("<p='>{deep}"),
            format!("<!-->{deep}-->"),
            format!("<!--->{deep}-->"),
            format!("<!-- --!>{deep}-->"),
            format!("</ <script>{deep}"),
            format!("<! <script>{deep}"),
            format!("<noscript><!--</noscript>{deep}"),
            format!("<xmp><!--</xmp>{deep}"),
            format!("<script><!--</script>{deep}"),
            format!("<svg><![CDATA[<!--]]></svg>{deep}"),
            "<div><table></div>".repeat(5_000),
            format!("<html><p {}>x", "a=1 ".repeat(50_000)),
            "<br>".repeat(200_000),
            "<".repeat(1_000_000),
            "&a".repeat(1_000_000),
        ] {
            assert_eq!(prune(&page).unwrap_err().code, ErrorCode::TooDeep, "{}", page.chars().take(40).collect::<String>());
        }
    }

    #[test]
    fn pages_that_only_look_deep_pass_and_take_linear_time() {
        for page in [
            format!("<!-- {} --><p>x", "<div>".repeat(5_000)),
            format!("<script>{}</script><p>x", "if (a<b) {}".repeat(5_000)),
            "<p>un</p>".repeat(20_000),
            format!("<p a = '{}'>x", "<div>".repeat(5_000)),
            format!("<img src=\"data:image/png;base64,{}\">", "A ".repeat(500_000)),
            "<".repeat(400_000),
            "<a".repeat(400_000),
            "</".repeat(400_000),
            "<svg>".repeat(400_000),
            "<style>".repeat(400_000),
            "<script><!--".repeat(200_000),
            "<ul><li><a href=x>y</a></ul>".repeat(5_000),
            "<div><b>gras<span>x</div>".repeat(5_000),
        ] {
            assert!(prune(&page).is_ok());
        }
    }

    /// The halves of a tag must not be joined when the text between them is dropped.
    #[test]
    fn the_halves_of_a_tag_are_not_joined() {
        for page in ["<<!-- -->div>", "<<script></script>div>", "<</x y>div>", "<<![CDATA[ ]]>div>"] {
            assert!(html(page).starts_with("&lt;"), "{page}");
        }
        assert_eq!(html("<title>un<div></title>"), "<title>un&lt;div></title>");
    }

    #[test]
    fn unused_markup_is_removed() {
        for (page, left) in [
            ("<style media=x>p > b {}</STYLE><p>un", "<p>un"),
            ("a<script>if (a</b/.x) {}</script >b<script>c", "ab"),
            ("a<script><!-- <script>x</script> --></script>b", "ab"),
            ("a<script><!-- x</script>b --></script>c", "ab -->c"),
            ("a<!-- <p> -- --->b<!---->c", "abc"),
            ("a<svg><g><title>x</title><path d='<p>'/></g><svg/></svg>b", "ab"),
            ("a<svg><g></svg>b", "ab"),
            ("a<svg><g><p>b</p>", "a<p>b</p>"),
            ("a<svg viewBox='0'/>b", "ab"),
            ("a<template><p>x<template>y</template>z</p></template>b", "ab"),
            ("a<noscript><img></noscript>b<textarea><p></textarea>c<img src=x>d", "abcd"),
            (
                "<link rel=stylesheet href=x><div>\n<ul> <li>a</li> </ul> </div>\n<b>a</b>  <i>b</i>",
                "<div><ul><li>a</li></ul></div><b>a</b>\n<i>b</i>",
            ),
            ("<!DOCTYPE html>\n\n<p>un</p>  <p>deux\n\n trois</p>", "<!DOCTYPE html><p>un</p>\n<p>deux\n\n trois</p>"),
            ("<P CLASS=a data-x='>' style=\"color:red\" onclick=x>un</P x='>'>", "<P CLASS=a>un</P>"),
            ("<a class='b' href='https://a.invalid/' title=x rel='nofollow'>un</a>", "<a class='b' href>un</a>"),
            (
                "<link rel=canonical href='/a'><meta name=\"a\" content=\"b > c\"/>",
                "<link rel=canonical href='/a'><meta name=\"a\" content=\"b > c\">",
            ),
            ("<div style='display: none' hidden name=x>", "<div style='display: none' hidden>"),
            ("a<p class=", "a"),
        ] {
            assert_eq!(html(page), left, "{page}");
        }
    }

    #[test]
    fn json_ld_is_collected() {
        let page = "<script type=\"application/ld+json\">{\"a\":\"<p>\"}</script><template><script type='application/ld+json'>x</script></template>";
        assert_eq!(prune(page), Ok(Pruned { html: String::new(), json_ld: vec!["{\"a\":\"<p>\"}"] }));
    }
}
