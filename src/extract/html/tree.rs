//! The tree of a page: elements with their attributes, and text.

use std::rc::Rc;

use html5ever::tendril::StrTendril;
use html5ever::{Attribute, QualName};

use super::element::Element;

/// The index of a node.
pub(super) type Id = usize;

/// The document, the parent of all elements.
pub(super) const ROOT: Id = 0;

pub(super) enum Node {
    Element(Rc<QualName>, Element, Vec<Attribute>),
    Text(StrTendril),
    /// The document, a comment or a doctype.
    Other,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Links {
    pub(super) parent: Option<Id>,
    pub(super) first: Option<Id>,
    pub(super) last: Option<Id>,
    pub(super) previous: Option<Id>,
    pub(super) next: Option<Id>,
}

/// A parsed page. Nodes are in the order in which the parser created them.
#[derive(Default)]
pub(super) struct Page {
    nodes: Vec<Node>,
    links: Vec<Links>,
}

/// A step of a walk through a page, in document order.
pub(super) enum Step {
    Enter(Id),
    Leave(Id),
}

impl Page {
    /// Adds a node without linking it.
    pub(super) fn add(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        self.links.push(Links::default());
        self.nodes.len() - 1
    }

    pub(super) fn node(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id)
    }

    pub(super) fn node_mut(&mut self, id: Id) -> Option<&mut Node> {
        self.nodes.get_mut(id)
    }

    /// The name of an element. Empty if the node is not an element.
    pub(super) fn name(&self, id: Id) -> &str {
        match self.nodes.get(id) {
            Some(Node::Element(name, ..)) => &name.local,
            _ => "",
        }
    }

    /// The class of an element. Returns `None` if the node is not an element.
    pub(super) fn element(&self, id: Id) -> Option<Element> {
        match self.nodes.get(id) {
            Some(Node::Element(_, element, _)) => Some(*element),
            _ => None,
        }
    }

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

    /// The text of a text node.
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

    /// All text below a node. A `<br>` is a space.
    pub(super) fn text(&self, id: Id) -> String {
        self.text_with(id, " ")
    }

    /// All text below a node, with `between` for each `<br>`.
    pub(super) fn text_with(&self, id: Id, between: &str) -> String {
        let mut text = String::new();
        self.walk(id, |step| {
            if let Step::Enter(id) = step {
                let is_break = self.element(id) == Some(Element::Break);
                text.push_str(self.own_text(id).unwrap_or(if is_break { between } else { "" }));
            }
            true
        });
        text
    }

    /// Walks `top` and everything below it. If `visit` returns false for `Enter`, the content of
    /// the node is skipped, and so is its `Leave`.
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
                if let Some(next) = links.next {
                    at = next;
                    break;
                }
                let Some(parent) = links.parent else { return };
                visit(Step::Leave(parent));
                at = parent;
            }
        }
    }

    /// The first element with a name, in document order.
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

    /// Whether any element below a node satisfies a condition.
    pub(super) fn any_below(&self, top: Id, is_wanted: impl Fn(Id) -> bool) -> bool {
        let mut found = false;
        self.walk(top, |step| {
            if let Step::Enter(id) = step {
                found |= id != top && is_wanted(id);
            }
            !found
        });
        found
    }

    pub(super) fn link(&self, id: Id) -> Links {
        self.links.get(id).copied().unwrap_or_default()
    }

    fn change(&mut self, id: Option<Id>, change: impl FnOnce(&mut Links)) {
        if let Some(links) = id.and_then(|id| self.links.get_mut(id)) {
            change(links);
        }
    }

    pub(super) fn detach(&mut self, id: Id) {
        let Links { parent, previous, next, .. } = self.link(id);
        match previous {
            Some(_) => self.change(previous, |links| links.next = next),
            None => self.change(parent, |links| links.first = next),
        }
        match next {
            Some(_) => self.change(next, |links| links.previous = previous),
            None => self.change(parent, |links| links.last = previous),
        }
        self.change(Some(id), |links| (links.parent, links.previous, links.next) = (None, None, None));
    }

    pub(super) fn append(&mut self, parent: Id, child: Id) {
        self.detach(child);
        let last = self.link(parent).last;
        self.change(Some(child), |links| (links.parent, links.previous) = (Some(parent), last));
        match last {
            Some(_) => self.change(last, |links| links.next = Some(child)),
            None => self.change(Some(parent), |links| links.first = Some(child)),
        }
        self.change(Some(parent), |links| links.last = Some(child));
    }

    pub(super) fn insert_before(&mut self, sibling: Id, child: Id) {
        self.detach(child);
        let Links { parent, previous, .. } = self.link(sibling);
        self.change(Some(child), |links| (links.parent, links.previous, links.next) = (parent, previous, Some(sibling)));
        match previous {
            Some(_) => self.change(previous, |links| links.next = Some(child)),
            None => self.change(parent, |links| links.first = Some(child)),
        }
        self.change(Some(sibling), |links| links.previous = Some(child));
    }
}
