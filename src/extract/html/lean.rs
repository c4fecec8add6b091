//! A page without all that nobody reads: scripts, styles, drawings, templates, comments, and the attributes that say nothing here.
//! That is two thirds of most pages, and the parser takes its time for every byte.
//!
//! What is left is written anew, so that the parser finds the tags that were counted and no others, whatever a page does to hide some.

use super::guard::Guard;
use super::skip::{behind, behind_comment, behind_drawing, end_of_raw, end_of_script};
use super::tag::{Attribute, Attributes, small, tag};
use crate::model::Reject;

/// What is left of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lean<'a> {
    /// What the parser is given.
    pub(super) html: String,
    /// The texts of its JSON-LD scripts.
    pub(super) data: Vec<&'a str>,
}

/// What becomes of an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// It stays, and what is in it is looked at.
    Stays,
    /// What is in it is no markup, and goes with it.
    Goes,
    Script,
    /// What is in it is text.
    Text,
    /// A drawing or formula.
    Foreign,
    /// What is in it is markup that is shown by nobody.
    Template,
    /// It holds nothing, or it would make text of all that follows.
    Ignored,
}

fn fate(name: &str) -> Fate {
    match name {
        "script" => Fate::Script,
        "style" | "noscript" | "iframe" | "noembed" | "noframes" | "xmp" | "textarea" => Fate::Goes,
        "title" => Fate::Text,
        "svg" | "math" => Fate::Foreign,
        "template" => Fate::Template,
        "plaintext" | "img" | "source" | "track" | "param" | "area" | "embed" => Fate::Ignored,
        _ => Fate::Stays,
    }
}

/// What is read of a page.
///
/// # Errors
/// A reject `too-deep`.
pub(super) fn lean(page: &str) -> Result<Lean<'_>, Reject> {
    let mut writer =
        Writer { html: String::with_capacity(page.len() / 2), data: Vec::new(), templates: 0, parted: true, guard: Guard::of(page)? };
    let mut rest = page;
    while let Some((text, after)) = rest.split_once('<') {
        writer.text(text);
        rest = match after.as_bytes().first() {
            Some(byte) if byte.is_ascii_alphabetic() => writer.start(after)?,
            Some(b'/') => writer.end(after.get(1..).unwrap_or_default()),
            Some(b'!') => writer.declaration(after.get(1..).unwrap_or_default()),
            Some(b'?') => behind(after, ">"),
            _ => {
                // What follows may be dropped, and then it would begin a tag with what comes next.
                writer.write("&lt;");
                after
            }
        };
    }
    writer.text(rest);
    Ok(Lean { html: writer.html, data: writer.data })
}

struct Writer<'a> {
    html: String,
    data: Vec<&'a str>,
    /// How many templates the reading is within.
    templates: usize,
    /// The last tag parts blocks: white space behind it is nothing.
    parted: bool,
    guard: Guard<'a>,
}

impl<'a> Writer<'a> {
    fn write(&mut self, text: &str) {
        if self.templates == 0 {
            self.html.push_str(text);
        }
    }

    /// White space between tags is as good as one character of it, and between blocks as good as none.
    fn text(&mut self, text: &str) {
        let blank = text.bytes().all(|byte| byte.is_ascii_whitespace());
        if !blank {
            self.write(text);
        } else if !text.is_empty() && !self.parted {
            self.write("\n");
        }
    }

    /// What begins with `<!`: only the document's type decides anything. Gives what stands behind.
    fn declaration(&mut self, after: &'a str) -> &'a str {
        if let Some(comment) = after.strip_prefix("--") {
            return behind_comment(comment);
        }
        let rest = behind(after, ">");
        let whole = passed(after, rest);
        if whole.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("doctype")) && whole.ends_with('>') {
            self.write("<!");
            self.write(whole);
        }
        rest
    }

    /// An end tag, from its name on. Gives what stands behind.
    fn end(&mut self, after: &'a str) -> &'a str {
        if !after.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return behind(after, ">");
        }
        let (name, mut attributes) = tag(after);
        attributes.by_ref().for_each(drop);
        let Some(behind) = attributes.behind() else { return "" };
        let small = small(name);
        match fate(&small) {
            Fate::Template => self.templates = self.templates.saturating_sub(1),
            Fate::Stays if self.templates == 0 => {
                self.parted = parts(&small);
                self.guard.close(&small);
                self.html.extend(["</", name, ">"]);
            }
            _ => {}
        }
        behind
    }

    /// A start tag, from its name on, and what goes with it. Gives what stands behind.
    fn start(&mut self, after: &'a str) -> Result<&'a str, Reject> {
        let (name, mut attributes) = tag(after);
        let small = small(name);
        let fate = fate(&small);
        if fate == Fate::Stays && self.templates == 0 {
            return self.element(name, &small, attributes);
        }
        let is_data = attributes.by_ref().fold(false, |found, attribute| found | is_data(&attribute));
        // The parser drops a tag that the page's end cuts off.
        let Some(behind) = attributes.behind() else { return Ok("") };
        Ok(match fate {
            Fate::Script => {
                let end = end_of_script(behind);
                if is_data && self.templates == 0 {
                    self.data.push(passed(behind, end));
                }
                end
            }
            Fate::Text => {
                let end = end_of_raw(behind, name);
                self.write("<title>");
                self.write(&passed(behind, end).replace('<', "&lt;"));
                self.write("</title>");
                end
            }
            Fate::Goes => end_of_raw(behind, name),
            Fate::Foreign if attributes.is_empty() => behind,
            Fate::Foreign => behind_drawing(behind),
            Fate::Template => {
                self.templates += 1;
                behind
            }
            Fate::Ignored | Fate::Stays => behind,
        })
    }

    /// Writes a start tag with those of its attributes that are read.
    fn element(&mut self, name: &'a str, small: &str, mut attributes: Attributes<'a>) -> Result<&'a str, Reject> {
        let (before, mut count, mut canonical) = (self.html.len(), 0, false);
        self.html.extend(["<", name]);
        for attribute in attributes.by_ref() {
            count += 1;
            canonical |= small == "link" && attribute.value.eq_ignore_ascii_case("canonical");
            match worth(&attribute, small) {
                Worth::All => self.html.extend([" ", attribute.whole]),
                Worth::Name => self.html.extend([" ", attribute.name]),
                Worth::Nothing => {}
            }
        }
        let Some(behind) = attributes.behind() else {
            self.html.truncate(before);
            return Ok("");
        };
        if small == "link" && !canonical {
            self.html.truncate(before);
            return Ok(behind);
        }
        self.parted = parts(small);
        self.guard.open(name, small, count)?;
        self.html.push('>');
        Ok(behind)
    }
}

/// Whether an element parts blocks of text. (Paragraphs are left out: what asks for a page's bare text wants the ends of its lines.)
fn parts(name: &str) -> bool {
    matches!(
        name,
        "div"
            | "section"
            | "article"
            | "aside"
            | "main"
            | "header"
            | "footer"
            | "nav"
            | "ul"
            | "ol"
            | "li"
            | "table"
            | "tbody"
            | "figure"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "html"
            | "head"
            | "body"
            | "meta"
            | "link"
    )
}

/// What of an attribute is read.
enum Worth {
    All,
    /// That it is there.
    Name,
    Nothing,
}

fn worth(attribute: &Attribute, tag: &str) -> Worth {
    let value = attribute.value;
    let wanted = match &*small(attribute.name) {
        "href" if tag != "link" => return Worth::Name,
        "class" | "id" | "itemprop" | "role" | "hidden" | "aria-hidden" | "datetime" | "content" | "href" => true,
        "property" | "name" | "http-equiv" => tag == "meta",
        "lang" | "xml:lang" => tag == "html",
        // A hidden field in a table stays where it is.
        "type" => tag == "input",
        "title" => !matches!(tag, "a" | "img"),
        "rel" => ["author", "canonical"].iter().any(|kind| value.eq_ignore_ascii_case(kind)),
        "style" => value.contains("none"),
        _ => false,
    };
    if wanted { Worth::All } else { Worth::Nothing }
}

/// Whether an attribute of a script says that it is JSON-LD.
fn is_data(attribute: &Attribute) -> bool {
    attribute.name.eq_ignore_ascii_case("type") && attribute.value.trim().eq_ignore_ascii_case("application/ld+json")
}

/// What of `text` stands before `rest`, which is its end.
fn passed<'a>(text: &'a str, rest: &str) -> &'a str {
    text.get(..text.len() - rest.len()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorCode;

    fn html(page: &str) -> String {
        lean(page).unwrap().html
    }

    #[test]
    fn pages_that_choke_the_parser_are_refused_however_they_hide_it() {
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
            assert_eq!(lean(&page).unwrap_err().code, ErrorCode::TooDeep, "{}", page.chars().take(40).collect::<String>());
        }
    }

    #[test]
    fn what_only_looks_deep_passes_and_nothing_is_slow() {
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
            assert!(lean(&page).is_ok());
        }
    }

    /// What would be a tag only once something between its halves has gone is none.
    #[test]
    fn no_tag_is_made_of_pieces() {
        for page in ["<<!-- -->div>", "<<script></script>div>", "<</x y>div>", "<<![CDATA[ ]]>div>"] {
            assert!(html(page).starts_with("&lt;"), "{page}");
        }
        assert_eq!(html("<title>un<div></title>"), "<title>un&lt;div></title>");
    }

    #[test]
    fn what_nobody_reads_goes() {
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
    fn json_ld_is_kept_apart() {
        let page = "<script type=\"application/ld+json\">{\"a\":\"<p>\"}</script><template><script type='application/ld+json'>x</script></template>";
        assert_eq!(lean(page), Ok(Lean { html: String::new(), data: vec!["{\"a\":\"<p>\"}"] }));
    }
}
