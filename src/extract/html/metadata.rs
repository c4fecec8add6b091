//! Collects the metadata of a page's article: from JSON-LD, `<meta>`, `<time>`, and the lines near
//! the title.

mod dates;
mod title;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::element::Element;
use super::json_ld::{JsonLd, json_ld};
use super::tree::{Id, Page, ROOT, Step};
use crate::config::{ClassHints, Rules};
use crate::extract::boilerplate::byline;
use crate::extract::date::{self, Label};
use crate::extract::site_name;
use crate::extract::word_list::entries;
use crate::model::{fold, one_line};
use dates::{BARE, DATE_CLASS, Dates, MARKUP, TIME_ELEMENT};
use title::{Heading, Titles};

#[derive(Debug, Default)]
pub(super) struct Metadata {
    pub(super) title: Option<String>,
    /// The heading that shows the title, perhaps in other words.
    pub(super) heading: Option<String>,
    pub(super) published: Option<String>,
    pub(super) url: Option<String>,
    pub(super) author: Option<String>,
    pub(super) section: Option<String>,
    pub(super) language: Option<String>,
    /// The summary for search engines.
    pub(super) description: Option<String>,
    /// The text of the article, if JSON-LD contains it.
    pub(super) body: Option<String>,
    /// Whether part of the article is for subscribers only.
    pub(super) paid: bool,
}

/// The names of the `<meta>` elements with the date, the author and the section, best first.
static META_DATES: LazyLock<Vec<&str>> = LazyLock::new(|| entries(include_str!("metadata/date_names.txt")).collect());
const META_AUTHORS: &[&str] = &[
    "author",
    "article:author",
    "og:article:author",
    "dc.creator",
    "dcterms.creator",
    "parsely-author",
    "sailthru.author",
    "cxenseparse:author",
    "citation_author",
    "twitter:creator:name",
];
const META_SECTIONS: &[&str] =
    &["article:section", "og:article:section", "section", "parsely-section", "cxenseparse:category", "dc.subject.section", "category"];

/// The names of the `<meta>` elements with the name of the site.
const SITE_NAMES: &[&str] = &["og:site_name", "application-name", "apple-mobile-web-app-title", "al:ios:app_name"];
const META_DESCRIPTIONS: &[&str] = &["og:description", "description", "twitter:description", "dc.description"];

/// The shortest text (in bytes) for subscribers that is more than an offer to subscribe.
const SHORTEST_PAID_PART: usize = 400;
/// The longest text (in bytes) that can be a date or a name.
const MAX_LABEL: usize = 120;
/// The most words around a date with a label that are unusual there.
const MAX_WORDS_AROUND_DATE: usize = 5;

/// Collects the metadata of a page. `hints` is the meaning of the classes of its elements;
/// `scripts` are the texts of its JSON-LD.
pub(super) fn metadata(page: &Page, hints: &[ClassHints], scripts: &[&str], rules: &Rules) -> Metadata {
    let mut collector = Collector::new(page, hints, rules);
    page.walk(ROOT, |step| match step {
        Step::Enter(id) => collector.enter(id),
        Step::Leave(id) => {
            collector.leave(id);
            true
        }
    });
    collector.finish(json_ld(scripts))
}

struct Collector<'a> {
    page: &'a Page,
    /// The meaning of the class and id of each element.
    hints: &'a [ClassHints],
    rules: &'a Rules,
    metas: HashMap<String, &'a str>,
    dates: Dates,
    /// Headings of the first level.
    headings: Vec<Heading>,
    /// Headings of the second and third level.
    subheadings: Vec<Heading>,
    page_title: Option<String>,
    canonical: Option<&'a str>,
    language: Option<&'a str>,
    author: Option<String>,
    /// Open elements whose content is not the article's, the innermost last.
    elsewhere: Vec<Id>,
    /// The text before the current one, and the number of texts so far.
    last_text: &'a str,
    texts: usize,
}

impl<'a> Collector<'a> {
    fn new(page: &'a Page, hints: &'a [ClassHints], rules: &'a Rules) -> Self {
        Self {
            page,
            hints,
            rules,
            metas: HashMap::new(),
            dates: Dates::default(),
            headings: Vec::new(),
            subheadings: Vec::new(),
            page_title: None,
            canonical: None,
            language: None,
            author: None,
            elsewhere: Vec::new(),
            last_text: "",
            texts: 0,
        }
    }

    fn leave(&mut self, id: Id) {
        if self.elsewhere.last() == Some(&id) {
            self.elsewhere.pop();
        }
    }

    /// Reads a node. Returns whether to read its content.
    fn enter(&mut self, id: Id) -> bool {
        if let Some(text) = self.page.own_text(id) {
            self.text(id, text);
            return true;
        }
        let page = self.page;
        match page.name(id) {
            "html" => self.language = page.attr(id, "lang").or_else(|| page.attr(id, "xml:lang")),
            "meta" => {
                let key = ["property", "name", "itemprop", "http-equiv"].iter().find_map(|name| page.attr(id, name));
                if let (Some(key), Some(content)) = (key, page.attr(id, "content").map(str::trim).filter(|content| !content.is_empty())) {
                    self.metas.entry(key.to_ascii_lowercase()).or_insert(content);
                }
            }
            "link" if page.attr(id, "rel").is_some_and(|rel| rel.eq_ignore_ascii_case("canonical")) => {
                self.canonical = self.canonical.or(page.attr(id, "href"));
            }
            "select" => return false,
            "title" => {
                self.page_title.get_or_insert_with(|| one_line(&page.text(id)));
                return false;
            }
            "h1" => self.headings.push((self.heading(id), self.texts)),
            "h2" | "h3" => self.subheadings.push((self.heading(id), self.texts)),
            "aside" | "footer" => self.elsewhere.push(id),
            "time" => self.time(id),
            _ => {}
        }
        self.attributes(id);
        true
    }

    /// Reads the attributes that any element can have.
    fn attributes(&mut self, id: Id) {
        let page = self.page;
        let hint = self.hint(id);
        let is_frame = page.element(id) == Some(Element::Frame);
        if !is_frame && self.elsewhere.is_empty() && hint.has(ClassHints::OTHER) {
            self.elsewhere.push(id);
        }
        let itemprop = page.attr(id, "itemprop").unwrap_or_default();
        if itemprop == "datePublished" || (page.name(id) == "abbr" && hint.has(ClassHints::DATE)) {
            let value = ["content", "datetime", "title"].iter().find_map(|name| page.attr(id, name));
            let iso = value.map_or_else(|| self.parse(&page.text(id)), |value| self.parse(value));
            self.add_date(MARKUP, iso);
        }
        let may_name_author = self.author.is_none() && !is_frame && self.elsewhere.is_empty();
        if may_name_author && (hint.has(ClassHints::AUTHOR) || itemprop == "author" || page.attr(id, "rel") == Some("author")) {
            // The date of publication may be below the names.
            let text = page.text_with(id, "\u{2028}");
            let names: Vec<&str> = text.split('\u{2028}').take_while(|line| !line.contains(|c: char| c.is_ascii_digit())).collect();
            let text = one_line(&names.join(", "));
            self.author = Some(text).filter(|text| text.len() <= MAX_LABEL).and_then(|text| author(&text));
        }
    }

    /// The text of a heading, without buttons and badges.
    fn heading(&self, id: Id) -> String {
        let mut text = String::new();
        self.page.walk(id, |step| {
            let Step::Enter(id) = step else { return true };
            let is_break = self.page.element(id) == Some(Element::Break);
            let own = self.page.own_text(id).unwrap_or(if is_break { " " } else { "" });
            let is_badge = self.rules.is_badge(fold(own).trim_matches(|c: char| !c.is_alphanumeric()));
            if !is_badge {
                text.push_str(own);
            }
            if self.page.element(id) == Some(Element::Break) {
                text.push(' ');
            }
            self.page.element(id) != Some(Element::Hidden)
        });
        let text = one_line(&text);
        if text.is_empty() { one_line(&self.page.text(id)) } else { text }
    }

    fn hint(&self, id: Id) -> ClassHints {
        self.hints.get(id).copied().unwrap_or_default()
    }

    /// Reads a `<time>` element.
    fn time(&mut self, id: Id) {
        let itemprop = self.page.attr(id, "itemprop").unwrap_or("datePublished");
        let text = one_line(&self.page.text(id));
        let own = date::labelled(&text, self.is_french());
        let label = own.as_ref().map(|own| own.label).or_else(|| date::label_at_end(self.last_text));
        let label = if itemprop == "dateModified" { Some(Label::Changed) } else { label };
        if !matches!(itemprop, "datePublished" | "dateCreated" | "dateModified") || (label.is_none() && self.is_in_prose(id)) {
            return;
        }
        let attribute = self.page.attr(id, "datetime").and_then(|value| self.parse(value));
        let shown = own.map(|own| own.iso).or_else(|| self.parse(&text));
        let day = |iso: &Option<String>| iso.as_ref().and_then(|iso| iso.get(..10).map(str::to_owned));
        // The page says «Publié le 29 juin», but the attribute has another day: the day on which
        // the page was generated.
        let differ = label == Some(Label::Published) && shown.is_some() && day(&shown) != day(&attribute);
        self.add_date(dates::rank(label, TIME_ELEMENT), if differ { shown } else { attribute.or(shown) });
    }

    /// Whether a node is part of a paragraph with more than the date of publication.
    fn is_in_prose(&self, id: Id) -> bool {
        let mut at = id;
        while let Some(parent) = self.page.parent(at) {
            match self.page.element(parent) {
                Some(Element::Inline | Element::Link) => at = parent,
                Some(Element::Leaf(_)) => {
                    let text = self.page.text(parent);
                    return text.len() > 2 * MAX_LABEL || date::strange_words(&text) > 0;
                }
                _ => return false,
            }
        }
        false
    }

    /// Reads a text, which may be a date or a byline.
    fn text(&mut self, id: Id, text: &'a str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        if text.len() <= MAX_LABEL {
            self.date_in_text(id, text);
        }
        if self.author.is_none() && self.elsewhere.is_empty() && !self.headings.is_empty() {
            let text = text.trim_start_matches([',', '|', '-', '–', '•', '·', ' ', '\u{a0}']);
            self.author = byline(text).and_then(author);
        }
        self.texts += 1;
        self.last_text = if text.len() <= MAX_LABEL { text } else { "" };
    }

    /// Reads the date in a short text. Without a label, the text must contain nothing else.
    fn date_in_text(&mut self, id: Id, text: &str) {
        let Some(found) = date::find(text, self.is_french()) else { return };
        let own = date::labelled(text, self.is_french());
        let label = own.as_ref().map(|own| own.label);
        let label = label.or_else(|| if found.before.len() < 4 { date::label_at_end(self.last_text) } else { None });
        let strange = date::strange_words(text);
        if strange > if label.is_some() { MAX_WORDS_AROUND_DATE } else { 0 } || (label.is_none() && self.is_in_prose(id)) {
            return;
        }
        let has_date_class = self.page.parent(id).is_some_and(|parent| self.hint(parent).has(ClassHints::DATE));
        let rank = dates::rank(label, if has_date_class { DATE_CLASS } else { BARE });
        self.add_date(rank, Some(own.map_or(found.iso, |own| own.iso)));
    }

    fn add_date(&mut self, rank: u32, iso: Option<String>) {
        if let Some(iso) = iso {
            self.dates.add(iso, rank, !self.elsewhere.is_empty(), self.texts);
        }
    }

    fn is_french(&self) -> bool {
        !self.language.is_some_and(|language| language.starts_with("en"))
    }

    fn parse(&self, text: &str) -> Option<String> {
        date::parse(text, self.is_french())
    }

    fn meta(&self, names: &[&str]) -> Option<&'a str> {
        names.iter().find_map(|name| self.metas.get(*name).copied())
    }

    /// Whether the page contains the text that it declares to be for subscribers only.
    fn shows_paid_part(&self, data: &JsonLd) -> bool {
        let is_part = |id: &Id| {
            let mut classes = self.page.attr(*id, "class").unwrap_or_default().split_ascii_whitespace();
            classes.any(|class| data.paid_classes.iter().any(|paid| paid == class))
        };
        let length: usize = (0..self.page.len()).filter(is_part).map(|id| self.page.text(id).trim().len()).sum();
        !data.paid_classes.is_empty() && length >= SHORTEST_PAID_PART
    }

    fn finish(self, data: JsonLd) -> Metadata {
        let url = self.canonical.map(str::to_owned).or_else(|| self.meta(&["og:url"]).map(str::to_owned)).or(data.url.clone());
        let social = self.meta(&["og:title", "twitter:title", "dc.title"]).map(one_line);
        let headline = data.title.clone();
        let mut sites: Vec<String> = SITE_NAMES.iter().filter_map(|name| self.metas.get(*name).map(|name| one_line(name))).collect();
        sites.extend(data.site.clone());
        sites.retain(|name| name.split_whitespace().count() <= site_name::MOST_WORDS);
        sites.extend(url.as_deref().into_iter().flat_map(site_name::in_url));
        if let Some(page) = &self.page_title {
            let others: Vec<&str> = [headline.as_deref(), social.as_deref()].into_iter().flatten().collect();
            sites.extend(title::site_parts(page, &self.headings, &others));
        }
        let titles =
            Titles { headings: &self.headings, subheadings: &self.subheadings, social, headline, page: self.page_title.as_deref(), sites };
        let (title, heading) = (titles.best(self.rules), titles.shown(self.rules));
        let title_position =
            heading.as_ref().or(title.as_ref()).and_then(|title| title::position(title, &self.headings.iter().chain(&self.subheadings)));
        let published = data.published.as_deref().and_then(|date| self.parse(date));
        let published = published.or_else(|| META_DATES.iter().find_map(|name| self.metas.get(*name).and_then(|value| self.parse(value))));
        let published = published.or_else(|| self.dates.best(title_position)).or_else(|| url.as_deref().and_then(dates::in_url));
        let author_in = |names: &[&str]| names.iter().find_map(|name| self.metas.get(*name).and_then(|text| author(text)));
        let is_paid = data.paid || self.meta(&["article:content_tier"]).is_some_and(|tier| tier != "free");
        let paid = is_paid && !self.shows_paid_part(&data);
        let author = data.author.as_deref().and_then(author).or_else(|| author_in(META_AUTHORS));
        Metadata {
            title,
            heading,
            published,
            url,
            author: author.or(self.author.clone()),
            section: data.section.clone().or_else(|| self.meta(META_SECTIONS).map(one_line)),
            language: self.language.or(self.meta(&["og:locale", "content-language", "dc.language"])).map(str::to_owned),
            description: self.meta(META_DESCRIPTIONS).map(one_line).or(data.description),
            body: data.body,
            paid,
        }
    }
}

/// The name in a byline, without «Par». Returns `None` if it is a URL or has no letters.
fn author(text: &str) -> Option<String> {
    let text = one_line(text);
    let starts = [
        "par ",
        "by ",
        "auteur:",
        "auteur :",
        "auteur ",
        "author:",
        "recueilli par ",
        "propos recueillis par ",
        "rédigé par ",
        "publié par ",
        "posted by ",
    ];
    let folded = fold(&text);
    let start = starts.iter().find(|start| folded.starts_with(**start)).map_or(0, |start| start.chars().count());
    let name: String = text.chars().skip(start).collect();
    let name = name.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | ')' | '('));
    let fits = !name.is_empty()
        && !name.contains("://")
        && !name.starts_with("www.")
        && name.len() <= MAX_LABEL
        && name.contains(char::is_alphabetic)
        && !name.contains(|c: char| c.is_ascii_digit());
    fits.then(|| name.to_owned())
}
