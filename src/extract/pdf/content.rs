//! Follows the instructions of a page, and collects each character and its place.

use std::collections::HashMap;
use std::rc::Rc;

use hayro_syntax::content::TypedIter;
use hayro_syntax::content::ops::TypedInstruction;
use hayro_syntax::object::{Array, Dict, Name, Object, Stream};
use hayro_syntax::page::{Page, Resources, Rotation};

use super::budget::Budget;
use super::encoding;
use super::font::Font;
use super::inflate::unpacked;
use super::word::{Glyph, Word, words};

/// How deep forms may be nested.
const MAX_DEPTH: usize = 12;
/// Maximum number of characters on a page. A newspaper page has about 20,000.
const MAX_GLYPHS: usize = 300_000;
/// How far a line may be from horizontal, as a fraction.
const LEANING: f32 = 0.05;

/// The content of a page.
pub(super) struct Found {
    pub(super) words: Vec<Word>,
    /// How many characters have no text, because their font does not define their letters.
    pub(super) unknown: usize,
    pub(super) top: f32,
    pub(super) bottom: f32,
}

/// An affine transform, in PDF's form: the images of the unit steps to the right and up, and of the
/// origin.
type Matrix = [f32; 6];
const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// The transform that does `first` and then `second`.
fn after(first: Matrix, second: Matrix) -> Matrix {
    let [right_x, right_y, up_x, up_y, x, y] = first;
    let [.., to_x, to_y] = second;
    let (origin, right, up) = (point(second, x, y), point(second, right_x, right_y), point(second, up_x, up_y));
    [right.0 - to_x, right.1 - to_y, up.0 - to_x, up.1 - to_y, origin.0, origin.1]
}

fn point(matrix: Matrix, x: f32, y: f32) -> (f32, f32) {
    let [right_x, right_y, up_x, up_y, to_x, to_y] = matrix;
    (right_x * x + up_x * y + to_x, right_y * x + up_y * y + to_y)
}

/// A shift.
fn by(x: f32, y: f32) -> Matrix {
    [1.0, 0.0, 0.0, 1.0, x, y]
}

/// The characters of a page.
///
/// # Errors
/// Fails with the reason if the page cannot be read within the limits.
pub(super) fn read(page: &Page, max: u64, budget: &Budget) -> Result<Found, String> {
    let turned = match page.rotation() {
        Rotation::None => IDENTITY,
        Rotation::Horizontal => [0.0, -1.0, 1.0, 0.0, 0.0, 0.0],
        Rotation::Flipped => [-1.0, 0.0, 0.0, -1.0, 0.0, 0.0],
        Rotation::FlippedHorizontal => [0.0, 1.0, -1.0, 0.0, 0.0, 0.0],
    };
    let area = page.intersected_crop_box();
    #[expect(clippy::cast_possible_truncation, reason = "a page is some hundred points high")]
    let corners = [(area.x0, area.y0), (area.x1, area.y1)].map(|(x, y)| point(turned, x as f32, y as f32).1);
    let mut interpreter = Interpreter { max, budget, fonts: HashMap::new(), glyphs: Vec::new(), unknown: 0 };
    let content = bytes(page, max)?;
    interpreter.run(&content, page.resources(), State { matrix: turned, ..State::default() }, 0)?;
    let [one, other] = corners;
    Ok(Found { words: words(interpreter.glyphs), unknown: interpreter.unknown, top: one.max(other), bottom: one.min(other) })
}

/// The instructions of a page, which may be in several streams.
fn bytes(page: &Page, max: u64) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    let streams: Vec<Stream> = match page.raw().get::<Object>("Contents") {
        Some(Object::Stream(stream)) => vec![stream],
        Some(Object::Array(array)) => array.iter::<Stream>().collect(),
        _ => Vec::new(),
    };
    for stream in streams {
        content.extend_from_slice(&unpacked(&stream, max)?);
        content.push(b'\n');
        if content.len() as u64 > max.saturating_mul(4) {
            return Err("its instructions are too long".to_owned());
        }
    }
    Ok(content)
}

/// The state that instructions change, and that `q` and `Q` save and restore.
#[derive(Clone)]
struct State {
    matrix: Matrix,
    font: Option<Rc<Font>>,
    size: f32,
    letter_space: f32,
    word_space: f32,
    stretch: f32,
    leading: f32,
    rise: f32,
}

impl Default for State {
    fn default() -> Self {
        Self { matrix: IDENTITY, font: None, size: 1.0, letter_space: 0.0, word_space: 0.0, stretch: 1.0, leading: 0.0, rise: 0.0 }
    }
}

/// A piece of content that a mark in the instructions describes.
#[derive(Clone, PartialEq)]
enum Marked {
    Plain,
    /// A running head, a page number, a decoration.
    Artifact,
    /// Has a replacement text. `None` once that text was collected.
    Instead(Option<String>),
}

struct Interpreter<'b> {
    max: u64,
    budget: &'b Budget,
    fonts: HashMap<Vec<u8>, Rc<Font>>,
    glyphs: Vec<Glyph>,
    unknown: usize,
}

/// The places of the text that is being shown.
struct Text {
    matrix: Matrix,
    line: Matrix,
    marked: Vec<Marked>,
}

impl Text {
    fn next_line(&mut self, x: f32, y: f32) {
        self.line = after(by(x, y), self.line);
        self.matrix = self.line;
    }
}

impl Interpreter<'_> {
    fn run(&mut self, content: &[u8], resources: &Resources, mut state: State, depth: usize) -> Result<(), String> {
        let mut saved: Vec<State> = Vec::new();
        let mut text = Text { matrix: IDENTITY, line: IDENTITY, marked: Vec::new() };
        let mut fonts: HashMap<Vec<u8>, Rc<Font>> = HashMap::new();
        let mut instructions = TypedIter::new(content);
        while let Some(instruction) = instructions.next() {
            self.budget.step()?;
            match instruction {
                TypedInstruction::SaveState(_) if saved.len() < 1_000 => saved.push(state.clone()),
                TypedInstruction::RestoreState(_) => state = saved.pop().unwrap_or(state),
                TypedInstruction::Transform(m) => {
                    state.matrix = after([m.0, m.1, m.2, m.3, m.4, m.5].map(|number| number.as_f32()), state.matrix);
                }
                TypedInstruction::BeginText(_) => (text.matrix, text.line) = (IDENTITY, IDENTITY),
                TypedInstruction::TextFont(font) => {
                    let name = font.0.to_vec();
                    state.size = font.1.as_f32();
                    state.font = match fonts.get(&name) {
                        Some(known) => Some(Rc::clone(known)),
                        None => self.font(resources, font.0).inspect(|font| {
                            fonts.insert(name, Rc::clone(font));
                        }),
                    };
                }
                TypedInstruction::CharacterSpacing(space) => state.letter_space = space.0.as_f32(),
                TypedInstruction::WordSpacing(space) => state.word_space = space.0.as_f32(),
                TypedInstruction::HorizontalScaling(percent) => state.stretch = percent.0.as_f32() / 100.0,
                TypedInstruction::TextLeading(leading) => state.leading = leading.0.as_f32(),
                TypedInstruction::TextRise(rise) => state.rise = rise.0.as_f32(),
                TypedInstruction::NextLine(to) => text.next_line(to.0.as_f32(), to.1.as_f32()),
                TypedInstruction::NextLineAndSetLeading(to) => {
                    state.leading = -to.1.as_f32();
                    text.next_line(to.0.as_f32(), to.1.as_f32());
                }
                TypedInstruction::SetTextMatrix(m) => {
                    text.line = [m.0, m.1, m.2, m.3, m.4, m.5].map(|number| number.as_f32());
                    text.matrix = text.line;
                }
                TypedInstruction::NextLineUsingLeading(_) => text.next_line(0.0, -state.leading),
                TypedInstruction::ShowText(shown) => self.show(shown.0.as_bytes(), &state, &mut text)?,
                TypedInstruction::NextLineAndShowText(shown) => {
                    text.next_line(0.0, -state.leading);
                    self.show(shown.0.as_bytes(), &state, &mut text)?;
                }
                TypedInstruction::ShowTextWithParameters(shown) => {
                    state.word_space = shown.0.as_f32();
                    state.letter_space = shown.1.as_f32();
                    text.next_line(0.0, -state.leading);
                    self.show(shown.2.as_bytes(), &state, &mut text)?;
                }
                TypedInstruction::ShowTexts(shown) => self.show_all(shown.0, &state, &mut text)?,
                TypedInstruction::BeginMarkedContent(mark) => text.marked.push(marked(mark.0, None)),
                TypedInstruction::BeginMarkedContentWithProperties(mark) => {
                    let properties = match mark.1 {
                        Object::Dict(dict) => Some(dict.clone()),
                        Object::Name(name) => resources.properties.get::<Dict>(name),
                        _ => None,
                    };
                    text.marked.push(marked(mark.0, properties.as_ref()));
                }
                TypedInstruction::EndMarkedContent(_) => {
                    text.marked.pop();
                }
                TypedInstruction::XObject(name) if depth < MAX_DEPTH && !text.marked.contains(&Marked::Artifact) => {
                    if let Some(form) = resources.get_x_object(name.0) {
                        self.form(&form, resources, &state, depth)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Follows the instructions of a form, which is a page in a page.
    fn form(&mut self, form: &Stream, outer: &Resources, state: &State, depth: usize) -> Result<(), String> {
        self.budget.check()?;
        let dict = form.dict();
        if dict.get::<Name>("Subtype").is_none_or(|kind| &*kind != b"Form") {
            return Ok(());
        }
        let mut matrix = IDENTITY;
        if let Some(array) = dict.get::<Array>("Matrix") {
            for (place, number) in matrix.iter_mut().zip(array.iter::<f32>()) {
                *place = number;
            }
        }
        let content = unpacked(form, self.max)?;
        let state = State { matrix: after(matrix, state.matrix), ..state.clone() };
        match dict.get::<Dict>("Resources") {
            Some(own) => self.run(&content, &Resources::new(own), state, depth + 1),
            None => self.run(&content, outer, state, depth + 1),
        }
    }

    fn font(&mut self, resources: &Resources, name: &Name) -> Option<Rc<Font>> {
        let dict = resources.get_font(name)?;
        // The same font has a different name in each form, but the bytes of its dictionary are the
        // same.
        let key = dict.data().to_vec();
        let max = self.max;
        Some(Rc::clone(self.fonts.entry(key).or_insert_with(|| Rc::new(Font::read(&dict, max)))))
    }

    fn show_all(&mut self, shown: &Array, state: &State, text: &mut Text) -> Result<(), String> {
        for object in shown.iter::<Object>() {
            self.budget.step()?;
            match object {
                Object::String(string) => self.show(string.as_bytes(), state, text)?,
                Object::Number(number) => {
                    let x = -number.as_f32() / 1000.0 * state.size * state.stretch;
                    text.matrix = after(by(x, 0.0), text.matrix);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn show(&mut self, bytes: &[u8], state: &State, text: &mut Text) -> Result<(), String> {
        let Some(font) = &state.font else { return Ok(()) };
        for code in font.codes(bytes) {
            self.budget.step()?;
            let place = after([state.size * state.stretch, 0.0, 0.0, state.size, 0.0, state.rise], after(text.matrix, state.matrix));
            let space = state.letter_space + if code.is_space { state.word_space } else { 0.0 };
            let advance = (code.width * state.size + space) * state.stretch;
            self.note(code.text, code.width, place, font.is_bold, &mut text.marked)?;
            text.matrix = after(by(advance, 0.0), text.matrix);
        }
        Ok(())
    }

    /// Collects a character, if it is on a horizontal line and belongs to the page's content.
    fn note(&mut self, text: Option<String>, width: f32, place: Matrix, is_bold: bool, marked: &mut [Marked]) -> Result<(), String> {
        let text = match marked.last_mut() {
            Some(Marked::Instead(instead)) => Some(instead.take().unwrap_or_default()),
            _ => text,
        };
        if marked.contains(&Marked::Artifact) {
            return Ok(());
        }
        let Some(text) = text.filter(|text| !encoding::is_unknown(text)) else {
            self.unknown += 1;
            return Ok(());
        };
        let [right_x, right_y, ..] = place;
        let (left, base) = point(place, 0.0, 0.0);
        let (right, _) = point(place, width, 0.0);
        let size = point(place, 0.0, 1.0).1 - base;
        if right_x <= 0.0
            || right_y.abs() > LEANING * right_x
            || size <= 0.0
            || ![left, right, base, size].iter().all(|number| number.is_finite())
        {
            return Ok(());
        }
        if self.glyphs.len() >= MAX_GLYPHS {
            return Err(format!("it has more than {MAX_GLYPHS} characters"));
        }
        self.glyphs.push(Glyph { text, left, right, base, size, is_bold });
        Ok(())
    }
}

fn marked(tag: &Name, properties: Option<&Dict>) -> Marked {
    let instead = properties.and_then(|properties| properties.get::<hayro_syntax::object::String>("ActualText"));
    match instead {
        _ if tag.as_str() == "Artifact" => Marked::Artifact,
        Some(text) => Marked::Instead(Some(encoding::document_text(text.as_bytes()))),
        None => Marked::Plain,
    }
}
