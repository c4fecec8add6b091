//! Builds the tree of a page from the events of the HTML parser.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Attribute, LocalName, Namespace, ParseOpts, QualName, parse_document};

use super::element::element;
use super::tree::{Id, Node, Page, ROOT};

/// Parses a page. Any text gives a page; `prune` bounds the time and memory that it takes.
pub(super) fn parse(text: &str) -> Page {
    let sink = Sink::default();
    sink.add(Node::Other);
    parse_document(sink, ParseOpts::default()).one(text)
}

/// Receives the events of the parser.
#[derive(Default)]
struct Sink {
    page: RefCell<Page>,
}

/// An element's name. The parser asks for it often, so it is shared.
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
        self.page.borrow_mut().add(node)
    }

    /// The node to insert. Returns `None` if the text was appended to the text node `before`.
    fn node(&self, before: Option<Id>, child: NodeOrText<Id>) -> Option<Id> {
        let text = match child {
            NodeOrText::AppendNode(node) => return Some(node),
            NodeOrText::AppendText(text) => text,
        };
        let mut page = self.page.borrow_mut();
        if let Some(Node::Text(own)) = before.and_then(|id| page.node_mut(id)) {
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
        match self.page.borrow().node(*target) {
            Some(Node::Element(name, ..)) => Name(Rc::clone(name)),
            // The parser asks only for the names of elements.
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
        let before = self.page.borrow().link(*sibling).previous;
        if let Some(node) = self.node(before, child) {
            self.page.borrow_mut().insert_before(*sibling, node);
        }
    }

    fn append_based_on_parent_node(&self, element: &Id, prev_element: &Id, child: NodeOrText<Id>) {
        let parent = self.page.borrow().parent(*element);
        if parent.is_some() { self.append_before_sibling(element, child) } else { self.append(prev_element, child) }
    }

    /// Templates are removed by `prune`.
    fn get_template_contents(&self, target: &Id) -> Id {
        *target
    }

    fn same_node(&self, x: &Id, y: &Id) -> bool {
        x == y
    }

    fn add_attrs_if_missing(&self, target: &Id, attrs: Vec<Attribute>) {
        if let Some(Node::Element(_, _, own)) = self.page.borrow_mut().node_mut(*target) {
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
    use super::super::tree::Step;
    use super::*;

    /// The tree in a short notation.
    fn shape(html: &str) -> String {
        let page = parse(html);
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
    fn the_tree_is_the_one_a_browser_builds() {
        assert_eq!(shape("<p>un<p>deux <b>trois"), "body(p(un)p(deux b(trois)))");
        // Text directly in a table is moved before it, into the text node there.
        assert_eq!(shape("<div>un<table>deux<tr><td>trois</table>quatre"), "body(div(undeuxtable(tbody(tr(td(trois))))quatre))");
        // Wrongly nested formatting.
        assert_eq!(shape("<b>un<p>deux</b>trois"), "body(b(un)p(b(deux)trois))");
        assert_eq!(shape("un<!-- x -->deux &amp; trois"), "body(un()deux & trois)");
    }

    #[test]
    fn a_walk_skips_what_the_visitor_rejects() {
        let page = parse("<p>un <b>deux</b> trois</p>");
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
