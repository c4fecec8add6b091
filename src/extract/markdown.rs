//! Markdown, with front matter in YAML or TOML.

mod front_matter;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::draft::Draft;
use super::format::Format;
use crate::config::Fields;
use crate::model::Reject;

pub(super) struct Markdown;

impl Format for Markdown {
    fn extensions(&self) -> &'static [&'static str] {
        &["md", "markdown", "mdown"]
    }

    fn looks_like(&self, start: &str) -> bool {
        start.starts_with("# ") || !front_matter::split(start).0.is_empty()
    }

    fn drafts(&self, text: &str, _: &Fields) -> Result<Vec<Draft>, Reject> {
        let (mut front, text) = front_matter::split(text);
        let mut first = |names: &[&str]| names.iter().find_map(|name| front.remove(*name));
        let mut draft = Draft {
            title: first(&["title", "titre"]),
            published: first(&["date", "published", "pubdate", "publishdate"]),
            author: first(&["author", "authors", "auteur", "auteurs"]),
            url: first(&["url", "link", "canonical", "canonicalurl", "source"]),
            language: first(&["lang", "language", "langue"]),
            ..Draft::default()
        };
        let (heading, body) = blocks(text);
        draft.title = draft.title.or_else(|| heading.clone());
        // A first heading that is not the title is part of the text.
        let lost = heading.filter(|heading| draft.title.as_ref() != Some(heading));
        draft.body = lost.map_or(body.clone(), |heading| format!("{heading}\n\n{body}"));
        Ok(vec![draft])
    }
}

/// The first-level heading that the text starts with, if any, and the text of all other blocks, one
/// per paragraph. Code, images and raw HTML are not part of an article's text.
fn blocks(text: &str) -> (Option<String>, String) {
    let (mut heading, mut body, mut block) = (None, String::new(), String::new());
    let mut silent = 0_usize;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES) {
        match event {
            Event::Start(Tag::CodeBlock(_) | Tag::Image { .. } | Tag::HtmlBlock | Tag::FootnoteDefinition(_)) => silent += 1,
            Event::End(TagEnd::CodeBlock | TagEnd::Image | TagEnd::HtmlBlock | TagEnd::FootnoteDefinition) => silent -= 1,
            Event::Text(words) | Event::Code(words) if silent == 0 => block.push_str(&words),
            Event::SoftBreak | Event::HardBreak if silent == 0 => block.push(' '),
            Event::End(TagEnd::Heading(HeadingLevel::H1)) if heading.is_none() && body.is_empty() => {
                heading = Some(std::mem::take(&mut block).trim().to_owned());
            }
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::TableCell) | Event::Start(Tag::List(_)) => {
                let paragraph = std::mem::take(&mut block);
                if !paragraph.trim().is_empty() {
                    body.push_str(paragraph.trim());
                    body.push_str("\n\n");
                }
            }
            _ => {}
        }
    }
    body.push_str(block.trim());
    (heading, body.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_headings_lists_and_links_are_read() {
        let text = "---\ntitle: \"La ligne rouvre\"\ndate: 2026-11-15\ntags:\n  - rail\nlang: fr\n---\n\n# La ligne rouvre\n\nDu *texte* avec [un lien](http://a.b).\n\n## Le calendrier\n\n- un\n- deux\n\n```\ncode\n```\n";
        let draft = Markdown.drafts(text, &Fields::default()).unwrap().remove(0);
        assert_eq!(draft.title.as_deref(), Some("La ligne rouvre"));
        assert_eq!(draft.published.as_deref(), Some("2026-11-15"));
        assert_eq!(draft.body, "Du texte avec un lien.\n\nLe calendrier\n\nun\n\ndeux");
    }

    #[test]
    fn without_front_matter_the_heading_is_the_title() {
        let draft = Markdown.drafts("# School meals\n\nText here.\n", &Fields::default()).unwrap().remove(0);
        assert_eq!((draft.title.as_deref(), draft.body.as_str()), (Some("School meals"), "Text here."));
    }

    #[test]
    fn a_horizontal_rule_is_not_front_matter() {
        let draft = Markdown.drafts("---\n\nJuste du texte.\n", &Fields::default()).unwrap().remove(0);
        assert_eq!(draft.body, "Juste du texte.");
    }
}
