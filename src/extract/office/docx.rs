//! DOCX, Word's format. Deleted text, hidden text and notes are removed; inserted text stays.

use std::collections::HashMap;

use super::archive::{Archive, resolve};
use crate::extract::draft::Draft;
use crate::extract::written::{self, Block, Line, Properties, Role};
use crate::extract::xml::{Element, Node};
use crate::model::Reject;

/// Elements without text of the article: deleted or moved text, the code of fields, a second
/// version for old programs.
const WITHOUT_TEXT: &[&str] = &[
    "annotation",
    "deltext",
    "delinstrtext",
    "del",
    "fallback",
    "instrtext",
    "movefrom",
    "pict",
    "ppr",
    "rpr",
    "rt",
    "sdtpr",
    "sectpr",
    "tblpr",
    "trpr",
    "tcpr",
];
/// The longest cell (in bytes) of a table with data. A longer one lays out text.
const LONGEST_CELL: usize = 300;

pub(super) fn drafts(archive: &mut Archive) -> Result<Vec<Draft>, Reject> {
    let place = place(archive)?;
    let styles = archive.xml_if_any(&resolve(&place, "styles.xml"))?.map_or_else(HashMap::new, |styles| roles(&styles));
    let properties = archive.xml_if_any("docProps/core.xml")?.map_or_else(Properties::default, |core| properties(&core));
    let root = archive.xml(&place)?;
    let mut reader = Reader { styles, blocks: Vec::new(), begun: None };
    if let Some(body) = root.child("body") {
        reader.blocks_in(body);
    }
    Ok(written::drafts(reader.blocks, properties))
}

/// Where the text is. Some programs use another name than `word/document.xml`.
fn place(archive: &mut Archive) -> Result<String, Reject> {
    let usual = || "word/document.xml".to_owned();
    let Some(relations) = archive.xml_if_any("_rels/.rels")? else { return Ok(usual()) };
    let is_text = |relation: &&Element| relation.attribute("type").is_some_and(|kind| kind.ends_with("/officeDocument"));
    let target = relations.children().find(is_text).and_then(|relation| relation.attribute("target"));
    Ok(target.map_or_else(usual, |target| resolve("", target)))
}

/// The roles of styles by their ids. Ids are in the language of the program, names in English.
fn roles(styles: &Element) -> HashMap<String, Role> {
    let mut roles = HashMap::new();
    for style in styles.children().filter(|style| style.name == "style") {
        let name = style.child("name").and_then(|name| name.attribute("val")).unwrap_or_default().to_lowercase();
        let based_on = style.child("basedon").and_then(|base| base.attribute("val")).and_then(|base| roles.get(base).copied());
        let role = match name.as_str() {
            "title" => Role::Title,
            "caption" => Role::Aside,
            name if name.starts_with("heading ") => Role::Heading,
            name if name.starts_with("toc ") || name.starts_with("footnote") || name.starts_with("endnote") => Role::Aside,
            "subtitle" => Role::Text,
            _ => based_on.unwrap_or_default(),
        };
        roles.insert(style.attribute("styleid").unwrap_or_default().to_owned(), role);
    }
    roles
}

fn properties(core: &Element) -> Properties {
    let text = |name: &str| core.child(name).and_then(Element::text);
    Properties { title: text("title"), author: text("creator"), language: text("language") }
}

struct Reader {
    styles: HashMap<String, Role>,
    blocks: Vec<Block>,
    /// The start of a paragraph whose end mark was deleted: the next one continues it.
    begun: Option<(Role, Line)>,
}

impl Reader {
    fn blocks_in(&mut self, parent: &Element) {
        for child in parent.children() {
            match child.name.as_str() {
                "p" => self.paragraph(child),
                "tbl" => self.table(child),
                name if WITHOUT_TEXT.contains(&name) || is_placeholder(child) => {}
                _ => self.blocks_in(child),
            }
        }
    }

    fn paragraph(&mut self, paragraph: &Element) {
        let properties = paragraph.child("ppr");
        let style = properties.and_then(|properties| properties.child("pstyle")).and_then(|style| style.attribute("val"));
        let mut role = style.and_then(|style| self.styles.get(style)).copied().unwrap_or_default();
        let mut line = Line::default();
        if let Some((begun, start)) = self.begun.take() {
            (role, line) = (begun, start);
        }
        let mut boxes = Vec::new();
        inline(paragraph, &mut line, &mut boxes);
        let mark = properties.and_then(|properties| properties.child("rpr"));
        if mark.is_some_and(|mark| mark.child("del").is_some() || mark.child("movefrom").is_some()) {
            self.begun = Some((role, line));
        } else {
            self.blocks.push(Block::Paragraph(role, line));
        }
        for text_box in boxes {
            self.blocks_in(text_box);
        }
    }

    fn table(&mut self, table: &Element) {
        let rows = below(table, "tr");
        let cells: Vec<Vec<&Element>> = rows.iter().filter(|row| !is_deleted(row)).map(|row| below(row, "tc")).collect();
        let is_layout = cells.iter().flatten().any(|cell| cell.text().unwrap_or_default().len() > LONGEST_CELL);
        for row in cells {
            if is_layout || row.len() < 2 {
                for cell in row {
                    self.blocks_in(cell);
                }
            } else {
                self.blocks.push(Block::Row(row.into_iter().map(cell_line).collect()));
            }
        }
    }
}

/// Whether an element is a field of a form that nobody filled in.
fn is_placeholder(element: &Element) -> bool {
    element.name == "sdt" && element.child("sdtpr").is_some_and(|properties| properties.child("showingplchdr").is_some())
}

/// Whether a row of a table was deleted.
fn is_deleted(row: &Element) -> bool {
    row.child("trpr").is_some_and(|properties| properties.child("del").is_some())
}

/// The elements of a name that are not in another element of that name. A document may wrap rows
/// and cells in content controls.
fn below<'a>(parent: &'a Element, name: &str) -> Vec<&'a Element> {
    let mut found = Vec::new();
    for child in parent.children() {
        if child.name == name {
            found.push(child);
        } else if !WITHOUT_TEXT.contains(&child.name.as_str()) && child.name != "tbl" {
            found.extend(below(child, name));
        }
    }
    found
}

/// The paragraphs of a cell in one line.
fn cell_line(cell: &Element) -> Line {
    let mut line = Line::default();
    for paragraph in cell.descendants().into_iter().filter(|element| element.name == "p") {
        if !line.is_blank() {
            line.push(" ");
        }
        inline(paragraph, &mut line, &mut Vec::new());
    }
    line
}

/// Adds the text of a paragraph. Text boxes are anchored in it, but are texts of their own.
fn inline<'a>(parent: &'a Element, line: &mut Line, boxes: &mut Vec<&'a Element>) {
    for child in parent.children() {
        match child.name.as_str() {
            "r" => run(child, line, boxes),
            "txbxcontent" => boxes.push(child),
            name if WITHOUT_TEXT.contains(&name) || is_placeholder(child) => {}
            // A formula.
            "t" => line.push(&text(child)),
            _ => inline(child, line, boxes),
        }
    }
}

fn run<'a>(run: &'a Element, line: &mut Line, boxes: &mut Vec<&'a Element>) {
    let properties = run.child("rpr");
    let is_on = |name: &str| {
        let property = properties.and_then(|properties| properties.child(name));
        property.is_some_and(|property| !matches!(property.attribute("val"), Some("0" | "false" | "off" | "none")))
    };
    if is_on("vanish") || is_on("webhidden") {
        return;
    }
    let is_raised =
        properties.and_then(|properties| properties.child("vertalign")).and_then(|align| align.attribute("val")) == Some("superscript");
    for child in run.children() {
        match child.name.as_str() {
            "t" if is_raised => line.raise(&text(child)),
            "t" => line.push(&text(child)),
            "tab" | "ptab" => line.push(" "),
            "br" | "cr" => line.line_break(),
            "nobreakhyphen" => line.push("-"),
            name if WITHOUT_TEXT.contains(&name) => {}
            _ => inline(child, line, boxes),
        }
    }
}

fn text(element: &Element) -> String {
    element.nodes().iter().map(|node| if let Node::Text(text) = node { text.as_str() } else { "" }).collect()
}
