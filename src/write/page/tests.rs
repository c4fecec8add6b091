//! The page as a browser would take it: its skeleton, and that nothing from an article becomes a part of it.

use proptest::prelude::*;

use super::*;
use crate::model::{Digest, Flag};
use crate::write::{row, written, written_after};

fn page(rows: &[Row]) -> String {
    written("digest.html", &View::default(), rows)
}

/// What stands between the two, once.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    page.split_once(start).unwrap().1.split_once(end).unwrap().0
}

/// The tags of a page's body with the names of their attributes, in their order. An attribute's value is in quotes, always.
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
    let number = Finding::new(Flag::Number, Severity::Error, Field::SummaryEn, "20,000 is not in the source")
        .found("20,000", Some(14..20))
        .expected("2 000");
    let draft = Finding::new(Flag::Draft, Severity::Info, Field::Article, "gist quality");
    Row { digest, url: "https://www.journal.example/a?b=1&c".into(), ..row("") }.with_findings(vec![number, draft])
}

#[test]
fn an_article_stands_with_its_sentences_side_by_side_and_its_finding_marked() {
    let page = page(&[bilingual()]);
    let article = format!("<article{}</article>", between(&page, "<article", "</article>"));
    insta::assert_snapshot!(article, @r##"
    <article id="a-0123456789abcdef" tabindex="-1" data-s="done" data-f="draft number" data-d="2026-11-23" data-v="3" data-p="input/a.txt">
    <p class="about"><time datetime="2026-11-23" data-t="short">2026-11-23</time><a class="original" href="https://www.journal.example/a?b=1&#38;c" rel="noreferrer">journal.example</a><a class="file" href="../input/a.txt">input/a.txt</a><span>fr</span><span><span data-n="12">12</span> <span data-w="words">mots</span></span><span>A. Martin</span><span class="badge info"><span data-w="flag-draft">brouillon</span></span></p>
    <h2 class="pair"><span lang="fr">À Brennec, la digue a tenu</span><span lang="en">In Brennec, the sea wall held</span></h2>
    <div class="pair"><p lang="fr">La digue a coûté <mark class="match" id="e-0123456789abcdef-0">2 000</mark> euros.</p><p lang="en">The wall cost <mark class="error" id="m-0123456789abcdef-0">20,000</mark> euros.</p></div>
    <div class="pair"><p lang="fr">Elle a tenu.</p><p lang="en">It held.</p></div>
    <ul class="notes">
    <li class="error"><b><span data-w="flag-number">chiffre</span></b> <span data-w="field-summary_en">résumé anglais</span> · <span data-w="found">trouvé :</span> <q lang="en"><a href="#m-0123456789abcdef-0">20,000</a></q> · <span data-w="expected">attendu :</span> <q><a href="#e-0123456789abcdef-0">2 000</a></q> <span class="why" lang="en">20,000 is not in the source</span></li>
    </ul>
    </article>
    "##);
}

#[test]
fn whatever_an_article_says_the_page_keeps_its_skeleton() {
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&lt;!--<style>*{display:none}</style>]]></article>";
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
    let page = page(&[fill(evil)]);
    assert_eq!(skeleton(&page), skeleton(&self::page(&[fill("plain")])));
    assert_eq!(page.matches("<script").count(), 2, "the words and the script");
    assert!(!page.contains("<img") && page.matches("<style>").count() == 1);
    // A flag that nobody knows, from a ledger that somebody wrote into.
    let flag = self::page(&[Row { flags: "<b>".into(), ..row("") }]);
    assert!(!flag.contains("<b>") && flag.contains("data-flag=\"&#60;b&#62;\""));
}

#[test]
fn an_address_that_is_no_page_of_the_web_is_text() {
    for trap in ["javascript:alert(1)", "JavaScript://journal.example/%0Aalert(1)", "data:text/html,a", "vbscript:a", "file:///etc/passwd"]
    {
        let page = page(&[Row { url: trap.into(), ..row("") }]);
        assert!(page.contains(&format!("<span>{trap}</span>")), "{trap}");
        assert!(!page.contains("class=\"original\""), "{trap}");
    }
}

#[test]
fn the_policy_allows_this_style_and_this_script_and_nothing_else() {
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
    assert!(!body.contains("style=") && !body.contains("src=") && !body.contains(" on"), "what the policy forbids is not tried");
    assert!(!CSS.contains("url(") && !CSS.contains("@import"));
    assert!(
        ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "fetch(", "import("].iter().all(|word| !JS.contains(word))
    );
    let links: Vec<&str> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(links.iter().filter(|link| link.contains("://")).count(), 1, "the article's own: {links:?}");
}

#[test]
fn a_finding_about_a_whole_text_does_not_repeat_it() {
    let text = "Phrase. ".repeat(200);
    let finding = Finding::new(Flag::Echo, Severity::Error, Field::SummaryEn, "not translated").found(&text, Some(0..text.len()));
    let digest = Digest { summary_en: text.clone(), ..Digest::default() };
    let page = page(&[Row { digest, ..row("") }.with_findings(vec![finding])]);
    let note = between(&page, "<ul class=\"notes\">", "</ul>");
    assert!(note.contains("\u{a0}…</a></q>") && note.matches("Phrase.").count() == NOTE / 8, "{note}");
}

#[test]
fn what_does_not_fit_is_said() {
    let view = View { page_rows: 2, ..View::default() };
    let rows: Vec<Row> = (0..1200).map(|number| row(&format!("Titre {number}"))).collect();
    let page = written("digest.html", &view, &rows);
    assert_eq!(page.matches("<article").count(), 2);
    assert!(between(&page, "class=\"notice\">", "</p>").contains("data-n=\"1200\">1\u{202f}200<"));
    assert!(page.contains("<dd data-n=\"1200\">"), "the figures count all");
    assert!(!written("digest.html", &view, &rows[..2]).contains("class=\"notice\""));
}

#[test]
fn a_night_without_articles_has_a_page_too() {
    let page = page(&[]);
    assert!(page.contains("data-w=\"no-articles\"") && page.contains("data-w=\"no-flags\"") && page.ends_with("</html>\n"));
}

#[test]
fn the_day_itself_is_counted_from_its_rows() {
    let today = Row { processed_at: "2026-11-25T05:00:00Z".into(), ..row("") };
    let rows = [today.clone(), Row { status: Status::Failed, ..today }, row("made two days ago")];
    let cells = |days| {
        between(&written_after("digest.html", &View::default(), &Past { days, ..Past::default() }, &rows), "<tbody>", "</tbody>").to_owned()
    };
    assert_eq!(cells(vec![]), "<tr><th scope=\"row\">2026-11-25</th><td>2, 1</td><td>0</td></tr>");
    let earlier = Day { date: "2026-11-25".into(), done: 7, failed: 0, cost: 0.5 };
    assert_eq!(
        cells(vec![earlier]),
        "<tr><th scope=\"row\">2026-11-25</th><td>8, 1</td><td>0,5</td></tr>",
        "an earlier run of the day had seven"
    );
}

#[test]
fn the_nights_figures_stand_at_the_top() {
    let days = vec![Day { date: "2026-11-24".into(), done: 3, failed: 0, cost: 0.5 }];
    let rows =
        [bilingual(), Row { status: Status::Failed, ..row("") }, Row { status: Status::Quarantined, flags: String::new(), ..row("") }];
    let page = written_after("digest.html", &View::default(), &Past { cost: Some(0.0125), days, ..Past::default() }, &rows);
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
        !written_after("digest.html", &View::default(), &Past { cost: None, ..Past::default() }, &[]).contains("<dd data-n=\"\""),
        "an unknown cost is no number"
    );
}

proptest! {
    #[test]
    fn any_text_is_text(title in "\\PC{0,40}", summary in "(<[a-z/\"'=> ]{0,8}|[.!?] [A-Z]|&|[a-zé 0-9]{1,9}){0,12}", found in "[a-z<&\"]{0,3}") {
        let digest = Digest { title_fr: title.clone(), title_en: title, summary_fr: summary.clone(), summary_en: summary };
        let finding = Finding::new(Flag::Name, Severity::Warning, Field::SummaryFr, "").found(found, Some(2..5));
        let page = page(&[Row { digest, ..row("") }.with_findings(vec![finding])]);
        let plain = skeleton(&self::page(&[bilingual(), Row { status: Status::Failed, error: "a".into(), ..row("") }]));
        let names: std::collections::BTreeSet<&str> = plain.iter().map(String::as_str).collect();
        for tag in skeleton(&page) {
            // A mark that goes on from the sentence before has no name of its own.
            prop_assert!(names.contains(tag.as_str()) || tag == "mark class=", "{}", tag);
        }
    }
}
