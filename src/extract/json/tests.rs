use super::*;

fn one(text: &str) -> Draft {
    Json.drafts(text, &Fields::default()).unwrap().remove(0)
}

#[test]
fn fields_are_found_by_their_usual_names() {
    let draft = one(r#"[{"headline":"Titre","maintext":"Corps","authors":["A","B"],"date_publish":"2026-11-10","id":7}]"#);
    assert_eq!((draft.title.as_deref(), draft.body.as_str(), draft.author.as_deref()), (Some("Titre"), "Corps", Some("A, B")));
    assert_eq!(draft.key, Key::Own("7".into()));
}

#[test]
fn common_exports_are_understood() {
    for (export, text) in [
        (
            "newspaper4k",
            r#"{"url":"https://a.invalid/1","read_more_link":"","language":"fr","title":"T","top_image":"","meta_img":"https://a.invalid/i.jpg",
            "images":["https://a.invalid/i.jpg"],"movies":[],"keywords":[],"meta_keywords":[""],"tags":null,"authors":["Jeanne E."],
            "publish_date":"2026-11-10","summary":"","meta_description":"Un résumé.","meta_lang":"fr","meta_favicon":"/i.png",
            "meta_site_name":"Le Journal","canonical_link":"https://a.invalid/2","text":"Corps."}"#,
        ),
        (
            "trafilatura",
            r#"{"title":"T","author":"Jeanne E.","hostname":"a.invalid","date":"2026-11-10","fingerprint":"ab","id":null,"license":null,"comments":"",
            "raw_text":"T Corps.","text":"Corps.","language":"fr","image":null,"pagetype":"article","filedate":"2026-11-25",
            "source":"https://a.invalid/1","source-hostname":"Le Journal","excerpt":"Un résumé.","categories":"","tags":""}"#,
        ),
        (
            "news-please",
            r#"{"authors":["Jeanne E."],"date_publish":"2026-11-10","language":"fr","maintext":"Corps.","title":"T","url":"https://a.invalid/1"}"#,
        ),
        (
            "ninjs",
            r#"{"uri":"https://a.invalid/1","headline":"T","byline":"Jeanne E.","versioncreated":"2026-11-10","language":"fr","body_html":"<p>Corps.</p>"}"#,
        ),
        (
            "JSON Feed",
            r#"{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","url":"https://a.invalid/1","title":"T","authors":[{"name":"Jeanne E."}],"date_published":"2026-11-10","language":"fr","content_html":"<p>Corps.</p>"}]}"#,
        ),
        (
            "WordPress",
            r#"[{"id":1,"date":"2026-11-10","link":"https://a.invalid/1","title":{"rendered":"T"},"content":{"rendered":"<p>Corps.</p>"},"author":"Jeanne E.","lang":"fr"}]"#,
        ),
    ] {
        let draft = one(text);
        let of = |value: &Option<String>| value.clone().unwrap_or_default();
        assert_eq!([of(&draft.title), of(&draft.author), of(&draft.language)], ["T", "Jeanne E.", "fr"], "{export}");
        assert_eq!([of(&draft.published), of(&draft.url)], ["2026-11-10", "https://a.invalid/1"], "{export}");
        assert_eq!(draft.body.trim_start_matches("<p>").trim_end_matches("</p>"), "Corps.", "{export}");
    }
}

#[test]
fn invalid_json_and_other_values_are_rejected() {
    let deep = "[".repeat(100_000);
    for (text, code) in [
        ("{\"a\":", ErrorCode::Malformed),
        ("3", ErrorCode::Malformed),
        ("[]", ErrorCode::Empty),
        ("[1]", ErrorCode::Malformed),
        ("{\"text\": NaN}", ErrorCode::Malformed),
        (deep.as_str(), ErrorCode::Malformed),
    ] {
        assert_eq!(Json.drafts(text, &Fields::default()).unwrap_err().code, code);
    }
    assert_eq!(one("{\"text\": {\"a\": 1}}").body, "", "a field of another type is ignored");
    assert_eq!(one("{\"text\": \"Un.\", \"text\": \"Deux.\"}").body, "Deux.", "the last of two equal keys wins, as in JavaScript");
}

#[test]
fn a_lone_surrogate_costs_one_character() {
    assert_eq!(one(r#"{"text":"Un \ud83d mot \ud83d\ude00, un chemin C:\\ud800."}"#).body, "Un \u{fffd} mot 😀, un chemin C:\\ud800.");
}

#[test]
fn the_answers_of_services_are_understood_by_where_the_text_is() {
    for (service, text) in [
        (
            "Guardian",
            r#"{"response":{"status":"ok","results":[{"id":"n1","webTitle":"T","webUrl":"https://a.invalid/1","webPublicationDate":"2026-11-10",
            "fields":{"headline":"T","bodyText":"Un.","byline":"Jeanne E."}}]}}"#,
        ),
        (
            "Guardian, one article",
            r#"{"response":{"status":"ok","content":{"id":"n1","webTitle":"T","webUrl":"https://a.invalid/1","webPublicationDate":"2026-11-10",
            "fields":{"byline":"Jeanne E.","bodyText":"Un."}}}}"#,
        ),
        (
            "AFP",
            r#"{"response":{"docs":[{"uno":"n1","title":"T","news":["Un."],"published":"2026-11-10","creator":"Jeanne E.","url":"https://a.invalid/1","lang":"fr",
            "bagItem":[{"medias":[]}]}],"numFound":1},"urn":null}"#,
        ),
        (
            "Event Registry",
            r#"{"articles":{"results":[{"uri":"n1","lang":"fra","date":"2026-11-10","url":"https://a.invalid/1","title":"T","body":"Un.","source":{"title":"Le Journal"},
            "authors":[{"uri":"j","name":"Jeanne E."}]}],"totalResults":1}}"#,
        ),
        (
            "JSON:API",
            r#"{"data":[{"type":"node--article","id":"n1","attributes":{"title":"T","created":"2026-11-10","body":{"value":"Un.","format":"plain","processed":"Un.","summary":""},
            "author":"Jeanne E.","url":"https://a.invalid/1"}}],"included":[{"type":"user","id":"u","attributes":{"name":"J","body":"Biographie."}}]}"#,
        ),
        (
            "Drupal",
            r#"{"nid":[{"value":"n1"}],"title":[{"value":"T"}],"created":[{"value":"2026-11-10"}],"body":[{"value":"Un.","processed":"Un.","summary":""}],
            "author":[{"value":"Jeanne E."}],"url":[{"value":"https://a.invalid/1"}]}"#,
        ),
        (
            "Elasticsearch",
            r#"{"took":3,"hits":{"total":1,"hits":[{"_index":"a","_id":"n1","_source":{"title":"T","content":"Un.","date":"2026-11-10","author":"Jeanne E.","url":"https://a.invalid/1"}}]}}"#,
        ),
        (
            "GraphQL",
            r#"{"data":{"articles":{"edges":[{"cursor":"c","node":{"id":"n1","title":"T","body":"Un.","date":"2026-11-10","author":{"name":"Jeanne E."},"url":"https://a.invalid/1"}}]}}}"#,
        ),
        (
            "MongoDB",
            r#"[{"_id":{"$oid":"n1"},"title":"T","text":"Un.","date":{"$date":"2026-11-10"},"author":"Jeanne E.","url":"https://a.invalid/1"}]"#,
        ),
        (
            "Arc",
            r#"{"_id":"n1","headlines":{"basic":"T"},"display_date":"2026-11-10","canonical_url":"https://a.invalid/1","credits":{"by":[{"type":"author","name":"Jeanne E."}]},
            "content_elements":[{"type":"text","content":"Un."},{"type":"image","caption":"Photo"}]}"#,
        ),
    ] {
        let draft = one(text);
        let of = |value: &Option<String>| value.clone().unwrap_or_default();
        let found = [of(&draft.title), draft.body, of(&draft.published), of(&draft.author), of(&draft.url)];
        assert_eq!(found, ["T", "Un.", "2026-11-10", "Jeanne E.", "https://a.invalid/1"], "{service}");
        let whole = matches!(service, "Drupal" | "Arc");
        assert_eq!(draft.key, if whole { Key::File } else { Key::Own("n1".into()) }, "{service}");
    }
}

#[test]
fn a_list_of_paragraphs_stays_paragraphs() {
    for text in [r#"["Un, deux.","Trois."]"#, r#""[\"Un, deux.\",\"Trois.\"]""#, r#"[{"value":"Un, deux."},{"value":"Trois."}]"#] {
        assert_eq!(one(&format!(r#"{{"title":"T","text":{text}}}"#)).body, "Un, deux.\n\nTrois.");
    }
    let blocks = r#"{"webTitle":"T","blocks":{"body":[{"id":"a","title":"Un","bodyHtml":"<p>Un.</p>","published":true},{"id":"b","bodyHtml":"<p>Deux.</p>"}]}}"#;
    assert_eq!(one(blocks).body, "<p>Un.</p>\n\n<p>Deux.</p>");
}

#[test]
fn lists_in_several_places_are_all_read() {
    let found = |text: &str| Json.drafts(text, &Fields::default()).unwrap().into_iter().map(|draft| draft.body).collect::<Vec<_>>();
    assert_eq!(
        found(
            r#"{"une":[{"titre":"A","texte":"Un."}],"monde":{"liste":[{"titre":"B","texte":"Deux."}]},"related":[{"titre":"C","texte":"Non."}]}"#
        ),
        ["Un.", "Deux."]
    );
    assert_eq!(found(r#"{"content":{"items":[{"title":"A","text":"Un."},{"title":"B","text":""}]}}"#), ["Un.", ""]);
}

#[test]
fn a_text_in_a_field_of_an_unknown_name_is_found_by_its_length() {
    let text = "Le conseil municipal de la ville a voté mardi soir le budget de l'année. ".repeat(5);
    let draft = one(&format!(r#"{{"titre":"T","fulltekst":"{text}","description":"{}","mots":"a b c"}}"#, text.repeat(2)));
    assert_eq!((draft.title.as_deref(), draft.body.as_str()), (Some("T"), text.trim()));
    let drupal = format!(
        r#"{{"title":[{{"value":"T"}}],"field_fulltekst":[{{"value":"{text}","format":"plain"}}],"field_description":[{{"value":"{text}"}}]}}"#
    );
    assert_eq!(one(&drupal).body, text.trim());
    assert_eq!(one(r#"{"titre":"T","legende_longue":"La digue."}"#).body, "");
}
