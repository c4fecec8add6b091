//! A page as a tree, no more than the reading needs: elements with their attributes, and text.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Attribute, LocalName, Namespace, ParseOpts, QualName, parse_document};

use super::element::{Element, element};

/// A node's place in its page.
pub(super) type Id = usize;

/// The document itself, above all elements.
pub(super) const ROOT: Id = 0;

pub(super) enum Node {
    Element(Rc<QualName>, Element, Vec<Attribute>),
    Text(StrTendril),
    /// The document, a comment, a doctype.
    Other,
}

#[derive(Clone, Copy, Default)]
struct Links {
    parent: Option<Id>,
    first: Option<Id>,
    last: Option<Id>,
    before: Option<Id>,
    after: Option<Id>,
}

/// A parsed page. Nodes stand in the order in which the parser made them.
#[derive(Default)]
pub(super) struct Page {
    nodes: Vec<Node>,
    links: Vec<Links>,
}

/// A step of a walk through a page in the order of its text.
pub(super) enum Step {
    Enter(Id),
    Leave(Id),
}

impl Page {
    /// Any text gives a page. What it may cost is bounded before (`lean`).
    pub(super) fn parse(text: &str) -> Self {
        let sink = Sink::default();
        sink.add(Node::Other);
        parse_document(sink, ParseOpts::default()).one(text)
    }

    /// An element's name; empty for what is none.
    pub(super) fn name(&self, id: Id) -> &str {
        match self.nodes.get(id) {
            Some(Node::Element(name, ..)) => &name.local,
            _ => "",
        }
    }

    /// What an element is; none for what is none.
    pub(super) fn element(&self, id: Id) -> Option<Element> {
        match self.nodes.get(id) {
            Some(Node::Element(_, element, _)) => Some(*element),
            _ => None,
        }
    }

    /// An element's attributes.
    pub(super) fn attrs(&self, id: Id) -> impl Iterator<Item = (&str, &str)> {
        let attrs = match self.nodes.get(id) {
            Some(Node::Element(_, _, attrs)) => attrs.as_slice(),
            _ => &[],
        };
        attrs.iter().map(|attr| (&*attr.name.local, &*attr.value))
    }

    pub(super) fn attr(&self, id: Id, name: &str) -> Option<&str> {
        self.attrs(id).find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// A text node's text.
    pub(super) fn own_text(&self, id: Id) -> Option<&str> {
        match self.nodes.get(id) {
            Some(Node::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn parent(&self, id: Id) -> Option<Id> {
        self.link(id).parent
    }

    /// All text below a node, as it stands.
    pub(super) fn text(&self, id: Id) -> String {
        let mut text = String::new();
        self.walk(id, |step| {
            if let Step::Enter(id) = step {
                text.push_str(self.own_text(id).unwrap_or_default());
            }
            true
        });
        text
    }

    /// Walks `top` and all below it. Where `visit` answers an entering with false, what is below is left out (its leaving too).
    pub(super) fn walk(&self, top: Id, mut visit: impl FnMut(Step) -> bool) {
        let mut at = top;
        loop {
            let below = if visit(Step::Enter(at)) {
                let first = self.link(at).first;
                if first.is_none() {
                    visit(Step::Leave(at));
                }
                first
            } else {
                None
            };
            if let Some(first) = below {
                at = first;
                continue;
            }
            loop {
                if at == top {
                    return;
                }
                let links = self.link(at);
                if let Some(after) = links.after {
                    at = after;
                    break;
                }
                let Some(parent) = links.parent else { return };
                visit(Step::Leave(parent));
                at = parent;
            }
        }
    }

    /// The first element of that name, in the order of the text.
    pub(super) fn first(&self, name: &str) -> Option<Id> {
        let mut found = None;
        self.walk(ROOT, |step| {
            if let Step::Enter(id) = step
                && found.is_none()
                && self.name(id) == name
            {
                found = Some(id);
            }
            found.is_none()
        });
        found
    }

    fn link(&self, id: Id) -> Links {
        self.links.get(id).copied().unwrap_or_default()
    }

    fn change(&mut self, id: Option<Id>, change: impl FnOnce(&mut Links)) {
        if let Some(links) = id.and_then(|id| self.links.get_mut(id)) {
            change(links);
        }
    }

    fn detach(&mut self, id: Id) {
        let Links { parent, before, after, .. } = self.link(id);
        match before {
            Some(_) => self.change(before, |links| links.after = after),
            None => self.change(parent, |links| links.first = after),
        }
        match after {
            Some(_) => self.change(after, |links| links.before = before),
            None => self.change(parent, |links| links.last = before),
        }
        self.change(Some(id), |links| (links.parent, links.before, links.after) = (None, None, None));
    }

    fn append(&mut self, parent: Id, child: Id) {
        self.detach(child);
        let last = self.link(parent).last;
        self.change(Some(child), |links| (links.parent, links.before) = (Some(parent), last));
        match last {
            Some(_) => self.change(last, |links| links.after = Some(child)),
            None => self.change(Some(parent), |links| links.first = Some(child)),
        }
        self.change(Some(parent), |links| links.last = Some(child));
    }

    fn insert_before(&mut self, sibling: Id, child: Id) {
        self.detach(child);
        let Links { parent, before, .. } = self.link(sibling);
        self.change(Some(child), |links| (links.parent, links.before, links.after) = (parent, before, Some(sibling)));
        match before {
            Some(_) => self.change(before, |links| links.after = Some(child)),
            None => self.change(parent, |links| links.first = Some(child)),
        }
        self.change(Some(sibling), |links| links.before = Some(child));
    }
}

/// Takes what the parser makes.
#[derive(Default)]
struct Sink {
    page: RefCell<Page>,
}

/// The parser asks for an element's name by this, and often.
#[derive(Debug)]
struct Name(Rc<QualName>);

impl html5ever::interface::ElemName for Name {
    fn ns(&self) -> &Namespace {
        &self.0.ns
    }

    fn local_name(&self) -> &LocalName {
        &self.0.local
    }
}

impl Sink {
    fn add(&self, node: Node) -> Id {
        let mut page = self.page.borrow_mut();
        page.nodes.push(node);
        page.links.push(Links::default());
        page.nodes.len() - 1
    }

    /// The node to put in; none for text that the text node before takes up.
    fn node(&self, before: Option<Id>, child: NodeOrText<Id>) -> Option<Id> {
        let text = match child {
            NodeOrText::AppendNode(node) => return Some(node),
            NodeOrText::AppendText(text) => text,
        };
        let mut page = self.page.borrow_mut();
        if let Some(Node::Text(own)) = before.and_then(|id| page.nodes.get_mut(id)) {
            own.push_tendril(&text);
            return None;
        }
        drop(page);
        Some(self.add(Node::Text(text)))
    }
}

impl TreeSink for Sink {
    type Handle = Id;
    type Output = Page;
    type ElemName<'a> = Name;

    fn finish(self) -> Page {
        self.page.into_inner()
    }

    fn get_document(&self) -> Id {
        ROOT
    }

    fn elem_name<'a>(&'a self, target: &'a Id) -> Name {
        match self.page.borrow().nodes.get(*target) {
            Some(Node::Element(name, ..)) => Name(Rc::clone(name)),
            // The parser asks elements only.
            _ => Name(Rc::new(QualName::new(None, Namespace::default(), LocalName::default()))),
        }
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, _: ElementFlags) -> Id {
        let element = element(&name.local);
        self.add(Node::Element(Rc::new(name), element, attrs))
    }

    fn create_comment(&self, _: StrTendril) -> Id {
        self.add(Node::Other)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Id {
        self.add(Node::Other)
    }

    fn append(&self, parent: &Id, child: NodeOrText<Id>) {
        let last = self.page.borrow().link(*parent).last;
        if let Some(node) = self.node(last, child) {
            self.page.borrow_mut().append(*parent, node);
        }
    }

    fn append_before_sibling(&self, sibling: &Id, child: NodeOrText<Id>) {
        let before = self.page.borrow().link(*sibling).before;
        if let Some(node) = self.node(before, child) {
            self.page.borrow_mut().insert_before(*sibling, node);
        }
    }

    fn append_based_on_parent_node(&self, element: &Id, prev_element: &Id, child: NodeOrText<Id>) {
        let parent = self.page.borrow().parent(*element);
        if parent.is_some() { self.append_before_sibling(element, child) } else { self.append(prev_element, child) }
    }

    /// Templates never come here (`lean`).
    fn get_template_contents(&self, target: &Id) -> Id {
        *target
    }

    fn same_node(&self, x: &Id, y: &Id) -> bool {
        x == y
    }

    fn add_attrs_if_missing(&self, target: &Id, attrs: Vec<Attribute>) {
        if let Some(Node::Element(_, _, own)) = self.page.borrow_mut().nodes.get_mut(*target) {
            let new: Vec<_> = attrs.into_iter().filter(|attr| own.iter().all(|own| own.name != attr.name)).collect();
            own.extend(new);
        }
    }

    fn remove_from_parent(&self, target: &Id) {
        self.page.borrow_mut().detach(*target);
    }

    fn reparent_children(&self, node: &Id, new_parent: &Id) {
        let mut page = self.page.borrow_mut();
        while let Some(child) = page.link(*node).first {
            page.append(*new_parent, child);
        }
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn set_quirks_mode(&self, _: QuirksMode) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree in a short form, to compare.
    fn shape(html: &str) -> String {
        let page = Page::parse(html);
        let mut shape = String::new();
        page.walk(page.first("body").unwrap(), |step| {
            match step {
                Step::Enter(id) => match page.own_text(id) {
                    Some(text) => shape.push_str(text),
                    None => shape.extend([page.name(id), "("]),
                },
                Step::Leave(id) if page.own_text(id).is_none() => shape.push(')'),
                Step::Leave(_) => {}
            }
            true
        });
        shape
    }

    #[test]
    fn the_tree_is_what_a_browser_would_build() {
        assert_eq!(shape("<p>un<p>deux <b>trois"), "body(p(un)p(deux b(trois)))");
        // Text that stands in a table by mistake is put before it, into the text that is there.
        assert_eq!(shape("<div>un<table>deux<tr><td>trois</table>quatre"), "body(div(undeuxtable(tbody(tr(td(trois))))quatre))");
        // Misnested formatting.
        assert_eq!(shape("<b>un<p>deux</b>trois"), "body(b(un)p(b(deux)trois))");
        assert_eq!(shape("un<!-- x -->deux &amp; trois"), "body(un()deux & trois)");
    }

    #[test]
    fn a_walk_leaves_out_what_the_visitor_does_not_want() {
        let page = Page::parse("<p>un <b>deux</b> trois</p>");
        assert_eq!(page.text(ROOT), "un deux trois");
        let mut text = String::new();
        page.walk(ROOT, |step| {
            let Step::Enter(id) = step else { return true };
            text.push_str(page.own_text(id).unwrap_or_default());
            page.name(id) != "b"
        });
        assert_eq!(text, "un  trois");
    }
}
