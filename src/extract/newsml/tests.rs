use super::*;

fn drafts(text: &str) -> Vec<Draft> {
    NewsMl.drafts(text, &Fields::default()).unwrap()
}

#[test]
fn nitf_is_one_article() {
    let text = r#"<nitf><head><title>Slug</title><docdata><doc-id id-string="d1"/><date.issue norm="20261113T080000Z"/></docdata></head>
        <body><body.head><hedline><hl1>La digue tient</hl1></hedline><byline>Par Jeanne E.</byline></body.head>
        <body.content><p>Un paragraphe
        coupé.</p><p>Deux.</p></body.content></body></nitf>"#;
    let draft = drafts(text).remove(0);
    assert_eq!((draft.key, draft.title.as_deref()), (Key::File, Some("La digue tient")));
    assert_eq!((draft.body.as_str(), draft.published.as_deref()), ("Un paragraphe coupé.\nDeux.", Some("20261113T080000Z")));
}

#[test]
fn nitf_has_a_lead_captions_tables_and_bylines() {
    let nitf = |head: &str, content: &str| {
        drafts(&format!("<nitf><body><body.head>{head}</body.head><body.content>{content}</body.content><body.end><tagline>x</tagline></body.end></body></nitf>")).remove(0)
    };
    let media = "<media media-type=\"image\"><media-caption>La digue, mardi.</media-caption></media>";
    let draft = nitf(
        "<abstract><p>Le chapô.</p></abstract>",
        &format!("<p>Un.</p>{media}<hl2>Inter</hl2><table><tr><th>Ville</th><th>Voix</th></tr><tr><td>Lyon</td><td>12</td></tr></table>"),
    );
    assert_eq!(draft.body, "Le chapô.\nUn.\nInter\nVille | Voix\nLyon | 12");
    assert_eq!(
        nitf("<abstract><p>La ville vote…</p></abstract>", "<p>La ville  vote mardi.</p>").body,
        "La ville vote mardi.",
        "an abstract that repeats"
    );
    let escaped = nitf("", "<p>Un &lt;b>mot&lt;/b>.</p><p>&lt;div class='x'>&lt;/div>&lt;script src='y'>&lt;/script></p>");
    assert_eq!(escaped.body.trim(), "Un mot.");
    for (byline, author) in [
        ("By <person>Jane Example</person><byttl>Staff Writer</byttl>", "Jane Example"),
        ("<person>Jeanne E.</person> et <person>Luc M.</person>", "Jeanne E., Luc M."),
        ("Jeanne E.<br/>Agence<byttl>Envoyée spéciale</byttl>", "Jeanne E.\nAgence"),
    ] {
        assert_eq!(nitf(&format!("<byline>{byline}</byline>"), "<p>Un.</p>").author.as_deref(), Some(author));
    }
}

#[test]
fn each_newsml_g2_item_is_an_article() {
    let item = |id: &str, text: &str| {
        format!(
            r#"<newsItem guid="{id}" xml:lang="fr"><itemMeta><link><title>Autre</title></link><versionCreated>2026-11-13T08:00:00+01:00</versionCreated></itemMeta>
            <contentMeta><headline>Titre {id}</headline><by>Jeanne E.</by></contentMeta><contentSet>{text}</contentSet></newsItem>"#
        )
    };
    let message = format!(
        "<newsMessage><header><sent>2020-01-01</sent></header><itemSet>{}{}{}{}</itemSet></newsMessage>",
        item(
            "urn:1",
            r#"<inlineXML contenttype="application/xhtml+xml"><html><head><title/></head><body><header><ul><li>Ville</li></ul><time>3.3.2026</time><h1>Titre</h1></header>
            <section class="header"><p>Autre titre</p></section><section><p class="byline">Par Jeanne E., dpa</p><p>Un <b>mot</b>.</p><figure><figcaption>Photo</figcaption></figure></section><section class="footer"><p>## Contacts</p></section></body></html></inlineXML>
            <inlineData contenttype="text/plain">Un mot.</inlineData>"#
        ),
        item(
            "urn:2",
            "<inlineData contenttype=\"text/plain\">Deux.\nTrois.</inlineData><inlineData contenttype=\"image/png\" encoding=\"b64\">iVBO</inlineData>"
        ),
        item("urn:3", "<remoteContent href=\"a.jpg\"/>"),
        item("urn:4", "<inlineData contenttype=\"text/html\">&lt;p>Quatre.&lt;/p>&lt;p>Cinq.&lt;/p></inlineData>"),
    );
    let drafts = drafts(&message);
    assert_eq!(drafts.len(), 3, "a picture is not an article");
    assert_eq!((drafts[0].key.clone(), drafts[0].body.as_str()), (Key::Own("urn:1".into()), "Un mot."));
    assert_eq!((drafts[1].title.as_deref(), drafts[1].body.trim()), (Some("Titre urn:2"), "Deux.\nTrois."));
    assert_eq!((drafts[1].language.as_deref(), drafts[1].published.as_deref()), (Some("fr"), Some("2026-11-13T08:00:00+01:00")));
    let lines: Vec<&str> = drafts[2].body.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, ["Quatre.", "Cinq."]);
}

fn version_1(component: &str) -> Vec<Draft> {
    drafts(&format!(
        r#"<NewsML><NewsItem xml:lang="fr"><Identification><NewsIdentifier><PublicIdentifier>urn:newsml:x:1</PublicIdentifier></NewsIdentifier></Identification>
        <NewsManagement><ThisRevisionCreated>20261113T080000Z</ThisRevisionCreated></NewsManagement>{component}</NewsItem></NewsML>"#
    ))
}

/// A component with a role.
fn part(role: &str, content: &str) -> String {
    format!("<NewsComponent><Role FormalName='{role}'/><ContentItem><DataContent>{content}</DataContent></ContentItem></NewsComponent>")
}

#[test]
fn newsml_1_is_read() {
    let draft = version_1("<NewsComponent><NewsLines><HeadLine>Titre</HeadLine><ByLine>Jeanne E.</ByLine></NewsLines><ContentItem><DataContent><p>Un.</p><p>Deux.</p></DataContent></ContentItem></NewsComponent>").remove(0);
    assert_eq!((draft.key, draft.title.as_deref(), draft.body.as_str()), (Key::Own("urn:newsml:x:1".into()), Some("Titre"), "Un.\nDeux."));
    assert_eq!(draft.author.as_deref(), Some("Jeanne E."));
}

#[test]
fn the_parts_of_a_newsml_1_article_are_joined() {
    let parts = [
        part("Title", "Titre"),
        part("Lead", "Le chapô."),
        part("Body", "Un.\n\t\tDeux."),
        part("Caption", "La digue, mardi."),
        part("Body", "&lt;p>Trois.&lt;/p>"),
    ]
    .concat();
    let nitf =
        "<ContentItem><DataContent><nitf><body><body.content><p>Quatre.</p></body.content></body></nitf></DataContent></ContentItem>";
    let nitf = nitf.replace("<ContentItem>", "<ContentItem><MediaType FormalName='ComplexData'/>");
    let photo = "<ContentItem><MediaType FormalName='Photo'/><DataContent>base64</DataContent></ContentItem>";
    for outer in ["<NewsLines><HeadLine>Titre</HeadLine></NewsLines>", ""] {
        let drafts = version_1(&format!("<NewsComponent>{outer}<NewsComponent>{parts}</NewsComponent>{nitf}{photo}</NewsComponent>"));
        assert_eq!(drafts.len(), 1);
        assert_eq!(drafts[0].title.as_deref(), Some("Titre"));
        let lines: Vec<&str> = drafts[0].body.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, ["Le chapô.", "Un.", "Deux.", "Trois.", "Quatre."]);
    }
}

#[test]
fn a_newsml_1_item_in_two_languages_is_two_articles() {
    let edition = |lang: &str, title: &str, body: &str| {
        format!(
            "<NewsComponent Duid='{lang}1' xml:lang='{lang}'><NewsLines><HeadLine>{title}</HeadLine></NewsLines>{}</NewsComponent>",
            part("Body", body)
        )
    };
    let drafts = version_1(&format!(
        "<NewsComponent><NewsLines><HeadLine>Titre</HeadLine></NewsLines>{}{}</NewsComponent>",
        edition("fr", "Titre", "Le texte."),
        edition("nl", "Titel", "De tekst.")
    ));
    let found: Vec<_> = drafts.iter().map(|draft| (draft.title.as_deref(), draft.body.trim(), draft.language.as_deref())).collect();
    assert_eq!(found, [(Some("Titre"), "Le texte.", Some("fr")), (Some("Titel"), "De tekst.", Some("nl"))]);
    assert_eq!(drafts[1].key, Key::Own("nl1".into()));
}

#[test]
fn items_without_text_are_told() {
    let code = |text: &str| NewsMl.drafts(text, &Fields::default()).unwrap_err().code;
    assert_eq!(code("<newsMessage><itemSet/></newsMessage>"), ErrorCode::Malformed);
    assert_eq!(code("<newsItem><contentSet><remoteContent/></contentSet></newsItem>"), ErrorCode::Empty);
}
