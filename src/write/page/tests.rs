//! Tests of the whole page: its structure, and that nothing from an article becomes markup.

use proptest::prelude::*;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

use super::head::{CSS, JS};
use crate::model::{Day, Digest, Field, Finding, Flag, Row, Severity, Status};
use crate::write::{History, View, row, written, written_with};

fn page(rows: &[Row]) -> String {
    written("digest.html", &View::default(), rows)
}

/// The text between the first `start` and the next `end`.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    page.split_once(start).unwrap().1.split_once(end).unwrap().0
}

/// The tags of the page's body with the names of their attributes, but without the values, which
/// are always in quotes.
fn skeleton(page: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = page.split_once("<body>").unwrap().1;
    while let Some((_, tag)) = rest.split_once('<') {
        let (mut found, mut quoted, mut length) = (String::new(), false, 0);
        for c in tag.chars() {
            length += c.len_utf8();
            match c {
                '"' => quoted = !quoted,
                '>' if !quoted => break,
                c if !quoted => found.push(c),
                _ => {}
            }
        }
        tags.push(found);
        rest = tag.get(length..).unwrap();
    }
    tags
}

fn bilingual() -> Row {
    let digest = Digest {
        title_fr: "À Brennec, la digue a tenu".into(),
        title_en: "In Brennec, the sea wall held".into(),
        summary_fr: "La digue a coûté 2 000 euros. Elle a tenu.".into(),
        summary_en: "The wall cost 20,000 euros. It held.".into(),
    };
    let number = Finding::new(Flag::Number, Severity::Error, Field::SummaryEn, "20,000 is not in the source, which has 2 000")
        .found("20,000", Some(14..20))
        .expected("2 000");
    let draft = Finding::new(Flag::Draft, Severity::Info, Field::Article, "gist quality");
    Row { digest, url: "https://www.journal.example/a?b=1&c".into(), ..row("") }.with_findings(vec![number, draft])
}

#[test]
fn sentences_are_side_by_side_and_the_finding_is_marked() {
    let page = page(&[bilingual()]);
    let article = format!("<article{}</article>", between(&page, "<article", "</article>"));
    insta::assert_snapshot!(article, @r##"
    <article id="a-0123456789abcdef" tabindex="-1" data-s="done" data-f="draft number" data-d="2026-11-23" data-v="3" data-p="input/a.txt">
    <p class="about"><time datetime="2026-11-23" data-t="short">2026-11-23</time><a class="original" href="https://www.journal.example/a?b=1&#38;c" rel="noreferrer">journal.example</a><a class="file" href="../input/a.txt">input/a.txt</a><span>fr</span><span><span data-n="12">12</span> <span data-w="words">mots</span></span><span>A. Martin</span></p>
    <h2 class="pair"><span lang="fr">À Brennec, la digue a tenu</span><span lang="en">In Brennec, the sea wall held</span></h2>
    <div class="pair"><p lang="fr" class="beside">La digue a coûté <mark class="match" id="e-0123456789abcdef-0">2 000</mark> euros.</p><p lang="en" class="doubt error">The wall cost <mark class="error" id="m-0123456789abcdef-0">20,000</mark> euros.</p></div>
    <div class="pair"><p lang="fr">Elle a tenu.</p><p lang="en">It held.</p></div>
    <ul class="notes">
    <li class="error"><b><span data-w="flag-number">nombre</span></b> <code class="code same-en">number</code> <span data-w="field-summary_en">résumé anglais</span> <span class="why" lang="fr">« <a href="#m-0123456789abcdef-0">20,000</a> » ne correspond pas à la source, qui donne « <a href="#e-0123456789abcdef-0">2 000</a> »</span> <span class="why" lang="en"><a href="#m-0123456789abcdef-0">20,000</a> is not in the source, which has <a href="#e-0123456789abcdef-0">2 000</a></span></li>
    </ul>
    </article>
    "##);
}

#[test]
fn text_from_an_article_never_changes_the_structure_of_the_page() {
    let markup = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&lt;!--<style>*{display:none}</style>]]></article>";
    let fill = |text: &str| {
        let finding = Finding::new(Flag::Number, Severity::Error, Field::SummaryEn, text).found(text, None).expected(text);
        Row {
            id: text.into(),
            source: text.into(),
            digest: Digest { title_fr: text.into(), title_en: text.into(), summary_fr: text.into(), summary_en: text.into() },
            language: text.into(),
            published: text.into(),
            url: format!("https://journal.example/{}", text.replace(' ', "")),
            status: Status::Failed,
            error: text.into(),
            author: text.into(),
            section: text.into(),
            copy_of: text.into(),
            ..row("")
        }
        .with_findings(vec![finding])
    };
    let page = page(&[fill(markup)]);
    assert_eq!(skeleton(&page), skeleton(&self::page(&[fill("plain")])));
    assert_eq!(page.matches("<script").count(), 2, "the words and the script");
    assert!(!page.contains("<img") && page.matches("<style>").count() == 1);
    // An unknown flag, from a ledger that was tampered with.
    let flag = self::page(&[Row { flags: "<b>".into(), ..row("") }]);
    assert!(!flag.contains("<b>") && flag.contains("data-flag=\"&#60;b&#62;\""));
}

#[test]
fn an_address_that_is_not_http_is_text() {
    for url in ["javascript:alert(1)", "JavaScript://journal.example/%0Aalert(1)", "data:text/html,a", "vbscript:a", "file:///etc/passwd"] {
        let page = page(&[Row { url: url.into(), ..row("") }]);
        assert!(page.contains(&format!("<span>{url}</span>")), "{url}");
        assert!(!page.contains("class=\"original\""), "{url}");
    }
}

#[test]
fn the_policy_allows_only_the_style_and_the_script() {
    let page = page(&[bilingual()]);
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"").replace("&#39;", "'").replace("&#x27;", "'");
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    let style = hash(between(&page, "<style>", "</style>"));
    let script = hash(between(&page, "<script>", "</script>"));
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; base-uri 'none'; form-action 'none'"
        )
    );
    let body = page.split_once("<body>").unwrap().1;
    assert!(
        !body.contains("style=") && !body.contains("src=") && !body.contains(" on"),
        "nothing on the page needs more than the policy allows"
    );
    assert!(!CSS.contains("url(") && !CSS.contains("@import"));
    assert!(
        ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "fetch(", "import("].iter().all(|word| !JS.contains(word))
    );
    let links: Vec<&str> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(links.iter().filter(|link| link.contains("://")).count(), 1, "the article's own: {links:?}");
}

#[test]
fn a_finding_about_a_whole_text_is_shortened() {
    let text = "Phrase. ".repeat(200);
    let finding = Finding::new(Flag::Echo, Severity::Error, Field::SummaryEn, "not translated").found(&text, Some(0..text.len()));
    let digest = Digest { summary_en: text.clone(), ..Digest::default() };
    let page = page(&[Row { digest, ..row("") }.with_findings(vec![finding])]);
    let note = between(&page, "<ul class=\"notes\">", "</ul>");
    assert!(note.contains("\u{a0}…</a></q>") && note.matches("Phrase.").count() == 2 * 240 / 8, "{note}");
}

#[test]
fn a_notice_says_how_many_articles_are_left_out() {
    let view = View { page_rows: 2, ..View::default() };
    let rows: Vec<Row> = (0..1200).map(|number| row(&format!("Titre {number}"))).collect();
    let page = written("digest.html", &view, &rows);
    assert_eq!(page.matches("<article").count(), 2);
    assert!(between(&page, "class=\"notice\">", "</p>").contains("data-n=\"1200\">1\u{202f}200<"));
    assert!(page.contains("<dd data-n=\"1200\">"), "the figures count all rows");
    assert!(!written("digest.html", &view, &rows[..2]).contains("class=\"notice\""));
}

#[test]
fn drafts_have_one_banner_if_most_rows_are_drafts_and_else_a_badge_each() {
    let draft = row("").with_findings(vec![Finding::new(Flag::Draft, Severity::Info, Field::Article, "a draft")]);
    let done = Row { flags: String::new(), ..row("") };
    let (badge, banner) = ("<span class=\"badge info\"><span data-w=\"flag-draft\">", "<p class=\"notice drafts\">");
    let most = page(&[draft.clone(), draft.clone(), done.clone()]);
    assert!(most.contains(banner) && !most.contains(badge));
    let few = page(&[draft, done.clone(), done]);
    assert!(!few.contains(banner) && few.contains(badge));
}

#[test]
fn the_page_opens_in_the_language_of_the_config_or_of_the_browser() {
    assert!(page(&[]).contains("<html lang=\"fr\">"));
    let english = View { language: Some(crate::model::Lang::EN), ..View::default() };
    assert!(written("digest.html", &english, &[]).contains("<html lang=\"fr\" data-opens=\"en\">"));
}

#[test]
fn a_run_without_articles_has_a_page_too() {
    let page = page(&[]);
    assert!(page.contains("data-w=\"no-articles\"") && page.contains("data-w=\"no-flags\"") && page.ends_with("</html>\n"));
}

#[test]
fn the_current_day_is_counted_from_the_rows() {
    let today = Row { processed_at: "2026-11-25T05:00:00Z".into(), ..row("") };
    let rows = [today.clone(), Row { status: Status::Failed, ..today }, row("made two days ago")];
    let cells = |mut days: Vec<Day>| {
        days.insert(0, Day { date: "2026-11-24".into(), done: 1, failed: 0, cost: 0.0 });
        between(&written_with("digest.html", &View::default(), &History { days, ..History::default() }, &rows), "<tbody>", "</tbody>")
            .split_once("</tr>")
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(cells(vec![]), "<tr><th scope=\"row\">2026-11-25</th><td>2, 1</td><td>0</td></tr>");
    let earlier = Day { date: "2026-11-25".into(), done: 7, failed: 0, cost: 0.5 };
    assert_eq!(
        cells(vec![earlier]),
        "<tr><th scope=\"row\">2026-11-25</th><td>8, 1</td><td>0,5</td></tr>",
        "an earlier run of the day did seven"
    );
}

#[test]
fn the_figures_are_at_the_top() {
    let day = |date: &str| Day { date: date.into(), done: 3, failed: 0, cost: 0.5 };
    let days = vec![day("2026-11-23"), day("2026-11-24")];
    let rows =
        [bilingual(), Row { status: Status::Failed, ..row("") }, Row { status: Status::Quarantined, flags: String::new(), ..row("") }];
    let page = written_with("digest.html", &View::default(), &History { cost: Some(0.0125), days, ..History::default() }, &rows);
    let figures: Vec<&str> = between(&page, "<dl class=\"figures\">", "</dl>").split("data-w=\"").skip(1).collect();
    let figures: Vec<_> = figures.iter().map(|figure| (figure.split('"').next().unwrap(), between(figure, "data-n=\"", "\""))).collect();
    assert_eq!(
        figures,
        [
            ("count-found", "3"),
            ("count-done", "1"),
            ("count-failed", "1"),
            ("count-quarantined", "1"),
            ("count-flagged", "2"),
            ("count-cost", "0.0125")
        ]
    );
    assert!(page.contains("data-w=\"cost-a-day\""));
    assert!(
        !written_with("digest.html", &View::default(), &History { cost: None, ..History::default() }, &[]).contains("<dd data-n=\"\""),
        "an unknown cost is not a number"
    );
}

proptest! {
    #[test]
    fn any_text_stays_text(title in "\\PC{0,40}", summary in "(<[a-z/\"'=> ]{0,8}|[.!?] [A-Z]|&|[a-zé 0-9]{1,9}){0,12}", found in "[a-z<&\"]{0,3}") {
        let digest = Digest { title_fr: title.clone(), title_en: title, summary_fr: summary.clone(), summary_en: summary };
        let finding = Finding::new(Flag::Name, Severity::Warning, Field::SummaryFr, "").found(found, Some(2..5));
        let page = page(&[Row { digest, ..row("") }.with_findings(vec![finding])]);
        let unquoted = Finding::new(Flag::Name, Severity::Warning, Field::SummaryFr, "").found("digue", None);
        let plain = skeleton(&self::page(&[bilingual(), bilingual().with_findings(vec![unquoted]), Row { status: Status::Failed, error: "a".into(), ..row("") }]));
        // A text has a class if a finding is about it.
        let without_class = |tag: &String| tag.replace(" class=", "");
        let names: std::collections::BTreeSet<String> = plain.iter().map(without_class).collect();
        for tag in skeleton(&page).iter().map(without_class) {
            // A mark that continues from the previous sentence has no id.
            prop_assert!(names.contains(&tag) || tag == "mark", "{}", tag);
        }
    }
}
