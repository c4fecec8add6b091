//! What a page's markup says of its article: JSON-LD, `<meta>`, `<time>`, and what stands by the title for people to read.

use std::collections::HashMap;

use super::element::Element;
use super::linked_data::{LinkedData, linked_data};
use super::tree::{Id, Page, ROOT, Step};
use crate::config::Said;
use crate::extract::boilerplate::byline;
use crate::extract::date;
use crate::extract::one_line;
use crate::model::fold;

/// What the markup says.
#[derive(Debug, Default)]
pub(super) struct Marks {
    pub(super) title: Option<String>,
    pub(super) published: Option<String>,
    pub(super) url: Option<String>,
    pub(super) author: Option<String>,
    pub(super) section: Option<String>,
    pub(super) language: Option<String>,
    /// The text, if JSON-LD gives it.
    pub(super) body: Option<String>,
    /// Not all of it may be read without paying.
    pub(super) paid: bool,
}

/// Names of `<meta>` elements, best first.
const PUBLISHED: &[&str] = &[
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "datepublished",
    "date",
    "dc.date.issued",
    "dcterms.issued",
    "dc.date.created",
    "dcterms.created",
    "dc.date",
    "dcterms.date",
    "pubdate",
    "publishdate",
    "publish-date",
    "publish_date",
    "publication_date",
    "publication-date",
    "parsely-pub-date",
    "sailthru.date",
    "cxenseparse:recs:publishtime",
    "article.published",
    "article.created",
    "citation_publication_date",
    "citation_date",
    "date_published",
    "creation_date",
    "last-modified-date-published",
];
const AUTHOR: &[&str] = &[
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
const SECTION: &[&str] =
    &["article:section", "og:article:section", "section", "parsely-section", "cxenseparse:category", "dc.subject.section", "category"];
/// Before a date, in small letters: it is the one.
const LABELS: &[&str] =
    &["publié", "publie le", "published", "publication", "mis en ligne", "paru ", "posted", "posté", "écrit le", "rédigé le"];
/// Before a date: it is that of a change.
const CHANGED: &[&str] = &["mis à jour", "mise à jour", "modifi", "updated", "last update"];
/// Longest text (in bytes) that is read as a date or a name.
const LONGEST: usize = 120;
/// Words that may stand around a date in such a text.
const MOST_AROUND: usize = 9;

/// Reads the marks. A page has many dates; which is the article's is a matter of rank.
pub(super) fn marks(page: &Page, said: &[Said], scripts: &[&str]) -> Marks {
    let mut finder = Finder::new(page, said);
    page.walk(ROOT, |step| match step {
        Step::Enter(id) => finder.enter(id),
        Step::Leave(id) => {
            finder.leave(id);
            true
        }
    });
    finder.done(linked_data(scripts))
}

/// A date of the page; the lowest rank wins, the first among equals.
struct Candidate {
    rank: u32,
    iso: String,
    /// How many texts of the page stand before it.
    place: usize,
}

/// Ranks of dates. What is of a change or among other things than the article is worse, and what is far from the title.
const MARKED: u32 = 10;
const LABELLED: u32 = 20;
const TIMED: u32 = 40;
const CLASSED: u32 = 50;
const BARE: u32 = 60;
const CHANGE: u32 = 100;
const ELSEWHERE: u32 = 200;
/// Far above the title stands the date of today.
const ABOVE: u32 = 300;
const FAR_ABOVE: usize = 12;

struct Finder<'a> {
    page: &'a Page,
    /// What the classes of the page's elements say.
    said: &'a [Said],
    metas: HashMap<String, &'a str>,
    dates: Vec<Candidate>,
    /// Headings of the first level, and where they stand.
    headings: Vec<(String, usize)>,
    lower: Vec<(String, usize)>,
    title: Option<String>,
    canonical: Option<&'a str>,
    language: Option<&'a str>,
    author: Option<String>,
    /// The innermost open elements whose dates are not the article's.
    strange: Vec<Id>,
    /// The last text before, and how many there were.
    last: &'a str,
    texts: usize,
}

impl<'a> Finder<'a> {
    fn new(page: &'a Page, said: &'a [Said]) -> Self {
        Self {
            page,
            said,
            metas: HashMap::new(),
            dates: Vec::new(),
            headings: Vec::new(),
            lower: Vec::new(),
            title: None,
            canonical: None,
            language: None,
            author: None,
            strange: Vec::new(),
            last: "",
            texts: 0,
        }
    }

    fn leave(&mut self, id: Id) {
        if self.strange.last() == Some(&id) {
            self.strange.pop();
        }
    }

    /// Whether to read what is in the element.
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
                self.title.get_or_insert_with(|| one_line(&page.text(id)));
                return false;
            }
            "h1" => self.headings.push((one_line(&page.text(id)), self.texts)),
            "h2" | "h3" => self.lower.push((one_line(&page.text(id)), self.texts)),
            "aside" | "footer" => self.strange.push(id),
            "time" => self.time(id),
            _ => {}
        }
        self.attributes(id);
        true
    }

    /// Marks that any element may bear.
    fn attributes(&mut self, id: Id) {
        let page = self.page;
        let said = self.said(id);
        let frame = page.element(id) == Some(Element::Frame);
        if !frame && self.strange.is_empty() && said.has(Said::OTHER) {
            self.strange.push(id);
        }
        let itemprop = page.attr(id, "itemprop").unwrap_or_default();
        if itemprop == "datePublished" || (page.name(id) == "abbr" && said.has(Said::DATE)) {
            let value = ["content", "datetime", "title"].iter().find_map(|name| page.attr(id, name));
            let iso = value.map_or_else(|| self.parse(&page.text(id)), |value| self.parse(value));
            self.add(MARKED, iso);
        }
        let named = self.author.is_some() || frame || !self.strange.is_empty();
        if !named && (said.has(Said::AUTHOR) || itemprop == "author" || page.attr(id, "rel") == Some("author")) {
            let text = one_line(&page.text(id));
            self.author = Some(text).filter(|text| text.len() <= LONGEST).and_then(|text| author(&text));
        }
    }

    fn said(&self, id: Id) -> Said {
        self.said.get(id).copied().unwrap_or_default()
    }

    /// `<time>`. What it says to people counts where it says more.
    fn time(&mut self, id: Id) {
        let text = one_line(&self.page.text(id));
        let machine = self.page.attr(id, "datetime").and_then(|value| self.parse(value));
        let shown = self.parse(&text);
        let folded = fold(&text) + &fold(self.last);
        let label = |words: &[&str]| words.iter().any(|word| folded.contains(word));
        let day = |iso: &Option<String>| iso.as_ref().and_then(|iso| iso.get(..10).map(str::to_owned));
        let labelled = label(LABELS);
        let rank = if labelled { LABELLED } else { TIMED } + if label(CHANGED) && !labelled { CHANGE } else { 0 };
        // «Publié le 29 juin» with another day in the attribute: that is when the page was made.
        let differ = labelled && shown.is_some() && day(&shown) != day(&machine);
        self.add(rank, if differ { shown } else { machine.or(shown) });
    }

    /// Text that is nothing but a date, or a date with a label.
    fn text(&mut self, id: Id, text: &'a str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        if text.len() <= LONGEST
            && let Some(found) = date::find(text, self.is_french())
        {
            let before = fold(if found.before.len() < 4 { self.last } else { &found.before });
            let label = |words: &[&str]| words.iter().any(|word| before.contains(word));
            let around = super::super::count_words(&found.before) + super::super::count_words(&found.after);
            let in_date = self.page.parent(id).is_some_and(|parent| self.said(parent).has(Said::DATE));
            let rank = if label(LABELS) {
                LABELLED
            } else if in_date {
                CLASSED
            } else {
                BARE
            };
            let rank = rank + if label(CHANGED) && rank != LABELLED { CHANGE } else { 0 };
            if around <= MOST_AROUND {
                self.add(rank, Some(found.iso));
            }
        }
        if self.author.is_none() && self.strange.is_empty() && !self.headings.is_empty() {
            let text = text.trim_start_matches([',', '|', '-', '–', '•', '·', ' ', '\u{a0}']);
            self.author = byline(text).and_then(author);
        }
        self.texts += 1;
        self.last = if text.len() <= LONGEST { text } else { "" };
    }

    fn add(&mut self, rank: u32, iso: Option<String>) {
        let elsewhere = if self.strange.is_empty() { 0 } else { ELSEWHERE };
        self.dates.extend(iso.map(|iso| Candidate { rank: rank + elsewhere, iso, place: self.texts }));
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

    fn done(self, data: LinkedData) -> Marks {
        let url = self.canonical.map(str::to_owned).or_else(|| self.meta(&["og:url"]).map(str::to_owned)).or(data.url.clone());
        let meta_date = || PUBLISHED.iter().find_map(|name| self.metas.get(*name).and_then(|value| self.parse(value)));
        let title = self.best_title(&data);
        let all = || self.headings.iter().chain(&self.lower);
        let place = title
            .as_ref()
            .and_then(|title| all().find(|(heading, _)| heading == title).or_else(|| all().find(|(heading, _)| agree(heading, title))));
        let shown =
            || self.dates.iter().min_by_key(|date| date.rank + distance(date, place.map(|(_, place)| *place))).map(|date| date.iso.clone());
        let published = data.published.as_deref().and_then(|date| self.parse(date)).or_else(meta_date).or_else(shown);
        let named = data
            .author
            .as_deref()
            .and_then(author)
            .or_else(|| AUTHOR.iter().find_map(|name| self.metas.get(*name).and_then(|text| author(text))));
        let section = data.section.clone().or_else(|| self.meta(SECTION).map(one_line));
        let language = self.language.or(self.meta(&["og:locale", "content-language", "dc.language"])).map(str::to_owned);
        let paid = data.paid || self.meta(&["article:content_tier"]).is_some_and(|tier| tier != "free");
        Marks {
            title,
            published: published.or_else(|| url.as_deref().and_then(in_address)),
            author: named.or(self.author),
            section,
            language,
            paid,
            body: data.body,
            url,
        }
    }

    /// The heading that says what the page's other titles say: they name the site too, or are written for networks; a heading may
    /// be the site's name.
    fn best_title(&self, data: &LinkedData) -> Option<String> {
        let parts = self.title.as_deref().map(parts).unwrap_or_default();
        let of_page = without_site(&parts);
        let social = self.meta(&["og:title", "twitter:title", "dc.title"]).map(one_line);
        let others: Vec<&str> =
            [data.title.as_deref(), social.as_deref(), of_page].into_iter().flatten().filter(|title| !title.is_empty()).collect();
        let agreed = |headings: &'_ [(String, usize)]| {
            headings
                .iter()
                .map(|(heading, _)| heading)
                .find(|heading| others.iter().chain(&parts).any(|other| agree(heading, other)))
                .cloned()
        };
        let chosen = agreed(&self.headings).or_else(|| others.first().map(|title| (*title).to_owned()));
        let chosen = chosen.or_else(|| self.headings.first().map(|(heading, _)| heading.clone()));
        chosen.filter(|title| !title.is_empty())
    }
}

/// How much worse a date is for standing far from the title.
fn distance(date: &Candidate, title: Option<usize>) -> u32 {
    let Some(title) = title else { return 0 };
    let far = u32::try_from(date.place.abs_diff(title) / 4).unwrap_or(u32::MAX).min(40);
    far + if date.place + FAR_ABOVE < title && date.rank > MARKED { ABOVE } else { 0 }
}

/// Whether two titles share most of their words.
fn agree(one: &str, other: &str) -> bool {
    let words = |text: &str| {
        fold(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let (one, other) = (words(one), words(other));
    let shared = one.iter().filter(|word| other.contains(word)).count();
    shared > 0 && shared * 2 >= one.len().max(other.len())
}

/// The parts of a page's title: one is the article's, others are the site's name and the like.
fn parts(title: &str) -> Vec<&str> {
    const MARKS: &[&str] = &[" | ", " - ", " – ", " — ", " • ", " · ", " » ", " « ", " ‹ ", " › ", " :: "];
    MARKS.iter().fold(vec![title], |parts, mark| parts.iter().flat_map(|part| part.split(mark)).map(str::trim).collect())
}

/// The part that is the article's title: the first that is long enough to be one, else the longest.
fn without_site<'a>(parts: &[&'a str]) -> Option<&'a str> {
    let words = |part: &&str| part.split_whitespace().count();
    let first = parts.iter().find(|part| words(part) >= 4);
    first.or_else(|| parts.iter().max_by_key(|part| words(part))).copied()
}

/// A name without «Par»; none for an address.
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
        && name.len() <= LONGEST
        && name.contains(char::is_alphabetic)
        && !name.contains(|c: char| c.is_ascii_digit());
    fits.then(|| name.to_owned())
}

/// The date in a page's address: `/2026/11/13/`, `-2026-11-13`.
fn in_address(url: &str) -> Option<String> {
    let parts: Vec<&str> = url.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    parts.windows(3).find_map(|window| {
        let [year, month, day] = window else { return None };
        let whole = year.len() == 4 && month.len() == 2 && day.len() == 2;
        let date = format!("{year}-{month}-{day}");
        if whole && (url.contains(&format!("{year}/{month}/{day}")) || url.contains(&date)) { date::parse(&date, true) } else { None }
    })
}
