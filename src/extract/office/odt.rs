//! ODT, `LibreOffice`'s format. Deleted text is in a separate part of the file; notes and comments
//! are removed.

use std::collections::HashMap;

use super::archive::{Archive, protected};
use crate::extract::draft::Draft;
use crate::extract::written::{self, Block, Line, Properties, Role};
use crate::extract::xml::{Element, Node};
use crate::model::Reject;

/// Elements without text of the article.
const WITHOUT_TEXT: &[&str] = &[
    "alphabetical-index",
    "annotation",
    "annotation-end",
    "bibliography",
    "covered-table-cell",
    "desc",
    "forms",
    "hidden-paragraph",
    "hidden-text",
    "illustration-index",
    "note",
    "object",
    "page-number",
    "page-count",
    "ruby-text",
    "script",
    "sequence-decls",
    "table-index",
    "table-of-content",
    "tracked-changes",
    "user-index",
];
/// The longest cell (in bytes) of a table with data. A longer one lays out text.
const LONGEST_CELL: usize = 300;
/// The most spaces that one element may represent.
const MAX_SPACES: usize = 20;

pub(super) fn drafts(archive: &mut Archive) -> Result<Vec<Draft>, Reject> {
    let manifest = archive.xml_if_any("META-INF/manifest.xml")?;
    if manifest.is_some_and(|manifest| manifest.find(&["encryption-data"]).is_some()) {
        return Err(protected());
    }
    let mut styles = Styles::default();
    if let Some(common) = archive.xml_if_any("styles.xml")? {
        styles.add(&common);
    }
    let root = archive.xml("content.xml")?;
    styles.add(&root);
    let properties = archive.xml_if_any("meta.xml")?.map_or_else(Properties::default, |meta| properties(&meta));
    let mut reader = Reader { styles, blocks: Vec::new() };
    if let Some(body) = root.child("body") {
        reader.blocks_in(body);
    }
    Ok(written::drafts(reader.blocks, properties))
}

fn properties(meta: &Element) -> Properties {
    let text = |names: &[&str]| meta.find(names).and_then(Element::text);
    Properties { title: text(&["title"]), author: text(&["initial-creator", "creator"]), language: text(&["language"]) }
}

/// The meaning of the styles, by their names.
#[derive(Default)]
struct Styles(HashMap<String, Style>);

#[derive(Clone, Copy, Default)]
struct Style {
    role: Role,
    hidden: bool,
    raised: bool,
}

impl Styles {
    /// Adds the styles of a file. A style inherits from its parent, which comes before it.
    fn add(&mut self, root: &Element) {
        for element in root.descendants().into_iter().filter(|element| element.name == "style") {
            let name = element.attribute("name").unwrap_or_default();
            let mut style = element.attribute("parent-style-name").map_or_else(Style::default, |parent| self.of(parent));
            style.role = role(name).unwrap_or(style.role);
            if let Some(text) = element.child("text-properties") {
                style.hidden |= text.attribute("display") == Some("none");
                style.raised |= text.attribute("text-position").is_some_and(is_raised);
            }
            self.0.insert(name.to_owned(), style);
        }
    }

    fn of(&self, name: &str) -> Style {
        self.0.get(name).copied().unwrap_or_else(|| Style { role: role(name).unwrap_or_default(), ..Style::default() })
    }

    fn of_element(&self, element: &Element) -> Style {
        element.attribute("style-name").map_or_else(Style::default, |name| self.of(name))
    }
}

/// The meaning of the name of a common style. Spaces in names are written as `_20_`.
fn role(name: &str) -> Option<Role> {
    match name {
        "Title" => Some(Role::Title),
        "Subtitle" => Some(Role::Text),
        "Heading" | "Caption" | "Illustration" | "Table" | "Figure" | "Drawing" | "Footnote" | "Endnote" | "Header" | "Footer" => {
            Some(if name == "Heading" { Role::Heading } else { Role::Aside })
        }
        name if name.starts_with("Heading_20_") => Some(Role::Heading),
        name if name.starts_with("Contents_20_") => Some(Role::Aside),
        _ => None,
    }
}

/// Whether a position is above the line: «super 58%», «33% 58%».
fn is_raised(position: &str) -> bool {
    let first = position.split_whitespace().next().unwrap_or_default();
    first == "super" || first.trim_end_matches('%').parse::<f32>().is_ok_and(|percent| percent > 0.0)
}

struct Reader {
    styles: Styles,
    blocks: Vec<Block>,
}

impl Reader {
    fn blocks_in(&mut self, parent: &Element) {
        for child in parent.children() {
            match child.name.as_str() {
                "p" | "h" => self.paragraph(child),
                "table" => self.table(child),
                name if WITHOUT_TEXT.contains(&name) => {}
                "section" if child.attribute("display") == Some("none") => {}
                _ => self.blocks_in(child),
            }
        }
    }

    fn paragraph(&mut self, paragraph: &Element) {
        let style = self.styles.of_element(paragraph);
        if style.hidden {
            return;
        }
        let role = if paragraph.name == "h" && style.role == Role::Text { Role::Heading } else { style.role };
        let mut line = Line::default();
        let mut boxes = Vec::new();
        self.inline(paragraph, style.raised, &mut line, &mut boxes);
        self.blocks.push(Block::Paragraph(role, line));
        for text_box in boxes {
            self.blocks_in(text_box);
        }
    }

    fn table(&mut self, table: &Element) {
        let rows: Vec<&Element> = table.descendants().into_iter().filter(|element| element.name == "table-row").collect();
        let cells: Vec<Vec<&Element>> =
            rows.iter().map(|row| row.children().filter(|cell| cell.name == "table-cell").collect::<Vec<_>>()).collect();
        let is_layout =
            cells.iter().flatten().any(|cell| cell.text().unwrap_or_default().len() > LONGEST_CELL || cell.find(&["table"]).is_some());
        if is_layout {
            // Rows of tables in it come with their own cell.
            let own = table.children().flat_map(|child| if child.name == "table-row" { vec![child] } else { child.children().collect() });
            own.filter(|row| row.name == "table-row").for_each(|row| self.blocks_in(row));
            return;
        }
        for row in cells {
            let lines = row.into_iter().map(|cell| self.cell_line(cell)).collect();
            self.blocks.push(Block::Row(lines));
        }
    }

    /// The paragraphs of a cell in one line.
    fn cell_line(&self, cell: &Element) -> Line {
        let mut line = Line::default();
        for paragraph in cell.descendants().into_iter().filter(|element| matches!(element.name.as_str(), "p" | "h")) {
            if !line.is_blank() {
                line.push(" ");
            }
            self.inline(paragraph, false, &mut line, &mut Vec::new());
        }
        line
    }

    /// Adds the text of a paragraph. Text boxes are anchored in it, but are texts of their own.
    fn inline<'a>(&self, parent: &'a Element, raised: bool, line: &mut Line, boxes: &mut Vec<&'a Element>) {
        for node in parent.nodes() {
            match node {
                Node::Text(text) if raised => line.raise(text),
                Node::Text(text) => line.push(text),
                Node::Element(child) => self.inline_element(child, raised, line, boxes),
            }
        }
    }

    fn inline_element<'a>(&self, child: &'a Element, raised: bool, line: &mut Line, boxes: &mut Vec<&'a Element>) {
        match child.name.as_str() {
            "s" => {
                let count = child.attribute("c").and_then(|count| count.parse().ok()).unwrap_or(1);
                line.push(&" ".repeat(MAX_SPACES.min(count)));
            }
            "tab" => line.push(" "),
            "line-break" => line.line_break(),
            "text-box" => boxes.push(child),
            name if WITHOUT_TEXT.contains(&name) => {}
            _ => {
                let style = self.styles.of_element(child);
                if !style.hidden {
                    self.inline(child, raised || style.raised, line, boxes);
                }
            }
        }
    }
}
