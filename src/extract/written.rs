//! Documents of word processors: paragraphs with styles become an article in simple HTML.

use super::boilerplate;
use super::draft::{Draft, Markup};
use super::plain_text::is_title;
use super::several;
use crate::model::{fold, one_line};

/// A paragraph, or a row of a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    Paragraph(Role, Line),
    Row(Vec<Line>),
}

/// The role of a paragraph, from its style.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    Title,
    Heading,
    #[default]
    Text,
    /// Not a part of the text: a caption, a line of a table of contents.
    Aside,
}

/// The text of a paragraph, as HTML and without marks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    html: String,
    text: String,
}

/// The properties of a file.
#[derive(Debug, Default)]
pub(super) struct Properties {
    pub(super) title: Option<String>,
    pub(super) author: Option<String>,
    pub(super) language: Option<String>,
}

/// How many of the first lines may be the title or name the author.
const HEAD_LINES: usize = 6;
/// Endings of file names, which programs write where a title should be.
const FILE_ENDINGS: &[&str] = &[".doc", ".docx", ".dot", ".indd", ".odt", ".pages", ".pdf", ".pmd", ".qxd", ".qxp", ".rtf", ".tex", ".txt"];
/// Placeholders of programs for a title or a name.
const PLACEHOLDERS: &[&str] = &[
    "anonymous",
    "author",
    "auteur",
    "document",
    "microsoft",
    "python",
    "sans titre",
    "unknown",
    "untitled",
    "user",
    "utilisateur",
    "word",
];

impl Line {
    pub(super) fn push(&mut self, text: &str) {
        push_escaped(&mut self.html, text);
        self.text.push_str(text);
    }

    /// Adds superscript. The number of a footnote is left out later, an exponent stays.
    pub(super) fn raise(&mut self, text: &str) {
        const END: &str = "</sup>";
        if self.html.ends_with(END) {
            self.html.truncate(self.html.len() - END.len());
        } else {
            self.html.push_str("<sup>");
        }
        push_escaped(&mut self.html, text);
        self.html.push_str(END);
        if !text.contains(|c: char| c.is_ascii_digit()) {
            self.text.push_str(text);
        }
    }

    pub(super) fn line_break(&mut self) {
        self.html.push_str("<br>");
        self.text.push('\n');
    }

    /// Removes a hyphen at the end.
    pub(super) fn pop(&mut self, hyphen: char) {
        if self.text.ends_with(hyphen) && self.html.ends_with(hyphen) {
            self.text.pop();
            self.html.pop();
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

impl Block {
    fn text(&self) -> String {
        match self {
            Self::Paragraph(_, line) => line.text.clone(),
            Self::Row(cells) => cells.iter().map(|cell| one_line(&cell.text)).collect::<Vec<_>>().join(" | "),
        }
    }
}

/// The articles of a document: one, unless it is the export of an archive of articles.
pub(super) fn drafts(mut blocks: Vec<Block>, properties: Properties) -> Vec<Draft> {
    blocks.retain(|block| !matches!(block, Block::Paragraph(Role::Aside, _)));
    let text: Vec<String> = blocks.iter().map(Block::text).collect();
    // Each paragraph is separate, so that a title is not mistaken for a line of the next one.
    if let Some(drafts) = several::drafts(text.join("\n\n").trim()) {
        return drafts;
    }
    let title = take_title(&mut blocks, properties.title.as_deref());
    let has_byline = text.iter().flat_map(|text| text.lines()).take(2 * HEAD_LINES).any(|line| boilerplate::byline(line.trim()).is_some());
    let author = properties.author.filter(|author| !has_byline && is_person(author));
    vec![Draft { title, author, body: html(&blocks), markup: Markup::Fragment, language: properties.language, ..Draft::default() }]
}

/// Takes the title out of the text: the paragraph with the style of a title, a heading at the top,
/// or a first line that looks like a title. The title in the properties often belongs to a
/// template, so it is the last choice.
fn take_title(blocks: &mut Vec<Block>, property: Option<&str>) -> Option<String> {
    blocks.retain(|block| !block.text().trim().is_empty());
    let property = property.map(one_line).filter(|title| !is_placeholder(title));
    let with_role = |wanted: Role| blocks.iter().position(|block| matches!(block, Block::Paragraph(role, _) if *role == wanted));
    let folded = property.as_deref().map(fold);
    let is_short = |block: &Block| is_title(&one_line(&block.text()));
    let head = || blocks.iter().take(HEAD_LINES);
    let at = with_role(Role::Title)
        .or_else(|| with_role(Role::Heading).filter(|at| *at < HEAD_LINES && blocks.iter().take(*at).all(is_short)))
        .or_else(|| head().position(|block| Some(fold(&one_line(&block.text()))) == folded))
        .or_else(|| head().take(1).position(|block| matches!(block, Block::Paragraph(..)) && is_short(block)));
    let Some(at) = at else { return property };
    let mut title = one_line(&blocks.remove(at).text());
    // Each line of a title may be a paragraph of its own.
    while let Some(Block::Paragraph(Role::Title, _)) = blocks.get(at) {
        title = one_line(&format!("{title} {}", blocks.remove(at).text()));
    }
    Some(title)
}

/// Whether a title is a file name or the like.
pub(super) fn is_placeholder(title: &str) -> bool {
    let title = fold(title);
    let title = title.trim_matches(|c: char| !c.is_alphanumeric());
    let title = title.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let is_file = FILE_ENDINGS.iter().any(|ending| title.ends_with(ending)) || !title.contains(' ') && title.contains(['_', '/', '\\']);
    let first = title.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    title.is_empty()
        || is_file
        || (PLACEHOLDERS.contains(&title) || PLACEHOLDERS.contains(&first)) && title.split(' ').count() < 4
        || title.starts_with("microsoft ")
}

/// Whether the author in the properties is a person, not an account or a program.
pub(super) fn is_person(author: &str) -> bool {
    let words: Vec<&str> = author.split_whitespace().collect();
    let folded = fold(author);
    let is_account = folded.split(|c: char| !c.is_alphanumeric()).any(|word| PLACEHOLDERS.contains(&word));
    words.len() >= 2
        && words.len() <= 12
        && !is_account
        && words.iter().any(|word| word.starts_with(char::is_uppercase))
        && !author.contains(|c: char| c.is_ascii_digit() || matches!(c, '@' | '/' | '\\' | '_'))
}

fn html(blocks: &[Block]) -> String {
    let mut html = String::new();
    let mut in_table = false;
    for block in blocks {
        let is_row = matches!(block, Block::Row(_));
        if is_row != in_table {
            html.push_str(if is_row { "<table>" } else { "</table>" });
            in_table = is_row;
        }
        match block {
            Block::Paragraph(Role::Text | Role::Aside, line) => html.extend(["<p>", &line.html, "</p>\n"]),
            Block::Paragraph(Role::Title | Role::Heading, line) => html.extend(["<h2>", &line.html, "</h2>\n"]),
            Block::Row(cells) => {
                html.push_str("<tr>");
                html.extend(cells.iter().flat_map(|cell| ["<td>", &cell.html, "</td>"]));
                html.push_str("</tr>\n");
            }
        }
    }
    html.push_str(if in_table { "</table>" } else { "" });
    html
}

fn push_escaped(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            // A line break is an element.
            '\n' => html.push(' '),
            c => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paragraph(role: Role, text: &str) -> Block {
        let mut line = Line::default();
        line.push(text);
        Block::Paragraph(role, line)
    }

    fn title(blocks: Vec<Block>, property: &str) -> Option<String> {
        let properties = Properties { title: Some(property.to_owned()), ..Properties::default() };
        drafts(blocks, properties).remove(0).title
    }

    #[test]
    fn the_title_is_the_one_that_the_text_shows() {
        use Role::{Heading, Text, Title};
        let text = || paragraph(Text, "Le conseil a voté le budget mardi soir.");
        assert_eq!(
            title(vec![paragraph(Text, "Social"), paragraph(Title, "Le vote"), text()], "Modèle de la rédaction").unwrap(),
            "Le vote"
        );
        assert_eq!(title(vec![paragraph(Text, "Social"), paragraph(Heading, "Le vote"), text()], "").unwrap(), "Le vote");
        assert_eq!(title(vec![text(), paragraph(Heading, "La suite"), text()], "Le vote du budget").unwrap(), "Le vote du budget");
        assert_eq!(title(vec![paragraph(Text, "Social"), paragraph(Text, "Le vote"), text()], "Le  vote").unwrap(), "Le vote");
        assert_eq!(title(vec![paragraph(Text, "Le vote"), text()], "Communiqué").unwrap(), "Le vote");
        for placeholder in ["", "Microsoft Word - vote.doc", "vote_final.indd", "Document1", "(anonymous)", "untitled", "Sans titre 1"] {
            assert_eq!(title(vec![text()], placeholder), None, "{placeholder}");
        }
    }

    #[test]
    fn the_export_of_an_archive_has_an_article_for_each_of_its_documents() {
        let article = |title: &str| {
            let lines = [
                title,
                "La Gazette",
                "3 mars 2026 mardi",
                "Length: 45 words",
                "Body",
                "Le conseil a voté le budget mardi.",
                "End of Document",
            ];
            lines.map(|line| paragraph(Role::Text, line))
        };
        let drafts = drafts([article("Le vote"), article("Le pont")].into_iter().flatten().collect(), Properties::default());
        let titles: Vec<Option<&str>> = drafts.iter().map(|draft| draft.title.as_deref()).collect();
        assert_eq!(titles, [Some("Le vote"), Some("Le pont")]);
    }

    #[test]
    fn an_account_is_no_author_and_a_byline_is_a_better_one() {
        for (name, is_author) in [
            ("Jeanne Exemple", true),
            ("Jeanne Exemple et Luc de la Tour", true),
            ("jexemple", false),
            ("Microsoft Office User", false),
            ("python-docx", false),
            ("PC-12 Rédaction", false),
        ] {
            assert_eq!(is_person(name), is_author, "{name}");
        }
        let properties = Properties { author: Some("Jeanne Exemple".to_owned()), ..Properties::default() };
        let blocks = vec![paragraph(Role::Title, "Le vote"), paragraph(Role::Text, "Par Luc Modèle"), paragraph(Role::Text, "Le texte.")];
        assert_eq!(drafts(blocks, properties).remove(0).author, None);
    }

    #[test]
    fn raised_text_and_rows_are_kept_as_html() {
        let mut line = Line::default();
        line.push("300 m");
        line.raise("2");
        line.push(" & plus");
        line.raise("1");
        line.raise("2");
        let mut cell = Line::default();
        cell.push("a<b");
        let blocks = vec![paragraph(Role::Title, "T"), Block::Paragraph(Role::Text, line), Block::Row(vec![cell])];
        let body = drafts(blocks, Properties::default()).remove(0).body;
        assert_eq!(body, "<p>300 m<sup>2</sup> &amp; plus<sup>12</sup></p>\n<table><tr><td>a&lt;b</td></tr>\n</table>");
    }
}
