//! Kinds of pages on which extractors lose text silently, or keep what is not the article.

use super::article;
use crate::config::Rules;
use crate::extract::draft::Draft;

const TITLE: &str = "La halle de Brenne rouvre";
const PARAGRAPHS: [&str; 5] = [
    "La halle de Brenne a rouvert samedi matin après deux ans de travaux, devant plusieurs centaines d'habitants venus en voisins.",
    "La charpente, qui datait du siècle dernier, a été démontée pièce par pièce puis remontée par les compagnons d'un atelier local.",
    "Le chantier a coûté 4,2 millions d'euros, dont la moitié a été payée par la région et un quart par le département voisin.",
    "Les maraîchers, qui s'étaient repliés sur la place de la gare, retrouvent leurs étals et espèrent revoir leurs anciens clients.",
    "Une seconde tranche doit commencer au printemps : il restera alors à refaire la verrière et les deux escaliers du côté nord.",
];

fn paragraph(number: usize) -> String {
    format!("<p>{}</p>", PARAGRAPHS[number])
}

fn all() -> String {
    (0..5).map(paragraph).collect()
}

fn read(head: &str, body: &str) -> Draft {
    let page = format!(
        "<!DOCTYPE html><html lang='fr'><head><title>{TITLE} | Le Val</title>{head}</head><body><nav><a href='/'>Accueil</a></nav>{body}<footer><p>Mentions légales</p></footer></body></html>"
    );
    article(&page, &Rules::shipped()).unwrap()
}

/// Checks that a page gives all paragraphs, `and` what it is tested with, and nothing `but` that.
#[track_caller]
fn check(body: &str, and: &[&str], but: &[&str]) -> Draft {
    let draft = read("", body);
    for piece in PARAGRAPHS.iter().chain(and) {
        assert!(draft.body.contains(piece), "lacks «{piece}»: {}", draft.body);
    }
    for piece in but {
        assert!(!draft.body.contains(piece), "has «{piece}»: {}", draft.body);
    }
    draft
}

#[test]
fn a_class_is_no_verdict_on_the_articles_own_text() {
    let shown: String = (0..3).map(paragraph).collect();
    let rest: String = (3..5).map(paragraph).collect();
    for attribute in [
        "class='paywall'",
        "class='subscriber-only'",
        "class='content-locked premium'",
        "aria-hidden='true'",
        "class='overlay'",
        "class='promo'",
        "style='display:none'",
    ] {
        check(&format!("<article><h1>{TITLE}</h1>{shown}<div {attribute}>{rest}</div></article>"), &[], &[]);
    }
    let body = format!("<article><h1>{TITLE}</h1>{}</article>", all().replace("<p>", "<p class='paywall'>"));
    check(&body, &[], &[]);
    let sentence = "<p>Les travaux de <a class='keywords' href='/x'>maçonnerie</a>, eux, ont duré un an.</p>";
    check(&format!("<article><h1>{TITLE}</h1>{}{sentence}</article>", all()), &["Les travaux de maçonnerie, eux,"], &[]);
}

#[test]
fn offers_to_subscribe_are_removed_whatever_their_class() {
    for (offer, cut) in [
        ("<div class='paywall'><p>Abonnez-vous pour lire la suite de cet article, et soutenez une presse libre.</p></div>", true),
        (
            "<div class='x1'><h3>Recevez notre lettre</h3><p>Inscrivez-vous à notre newsletter pour ne rien manquer.</p><label>Votre adresse</label></div>",
            false,
        ),
        (
            "<section class='x2'><h2>Contenu réservé aux abonnés</h2><ul><li>Lisez tous les articles du site et de l'application, sans limite.</li><li>Le journal dès six heures.</li></ul></section>",
            true,
        ),
        ("<div class='x3'><p>Subscribe now and read all our stories, from one euro per month.</p><a href='/s'>Go</a></div>", false),
    ] {
        let unwanted = ["bonnez-vous", "nscrivez-vous", "réservé", "six heures", "Subscribe"];
        let middle = format!("<article><h1>{TITLE}</h1><div class='b'>{}{offer}{}</div></article>", paragraph(0), all());
        assert!(!check(&middle, &[], &unwanted).cut, "{offer}");
        let end = format!("<article><h1>{TITLE}</h1><div class='b'>{}{offer}</div></article>", all());
        assert_eq!(check(&end, &[], &unwanted).cut, cut, "{offer}");
    }
}

#[test]
fn the_entries_of_a_live_blog_belong_to_the_article_after_its_introduction() {
    for (tag, heading) in [("div", "h3"), ("section", "h2"), ("article", "h3"), ("li", "h4")] {
        let entry = |number: usize| {
            format!(
                "<{tag} class='entry'><div class='i'><time>1{number}h10</time> Jeanne Exemple</div><{heading}>Point {number}</{heading}><div class='t'>{}</div></{tag}>",
                paragraph(number)
            )
        };
        let entries: String = (1..5).map(entry).collect();
        check(
            &format!("<main><h1>{TITLE}</h1><div class='intro'>{}</div><div class='feed'>{entries}</div></main>", paragraph(0)),
            &["Point 3"],
            &["h10"],
        );
    }
    let other = "<div class='x'><h2>Sur le même sujet</h2><div><h3><a href='/a'>Un autre marché</a></h3><p>Le marché de Rives sera agrandi en 2027, a annoncé lundi la région dans un long communiqué de presse.</p></div></div>";
    check(&format!("<article><h1>{TITLE}</h1>{}{other}</article>", all()), &[], &["Rives"]);
}

#[test]
fn the_standfirst_is_found_between_title_and_text() {
    let standfirst = "Deux ans de chantier auront été nécessaires pour rendre aux habitants leur marché couvert.";
    let deep = |inner: &str, depth: usize, name: &str| {
        format!("{}{inner}{}", format!("<div class='{name}'>").repeat(depth), "</div>".repeat(depth))
    };
    for (tag, depth) in [("p", 3), ("h2", 2), ("div", 1), ("span", 4)] {
        let top = deep(&format!("<h1>{TITLE}</h1>"), 2, "a") + &deep(&format!("<{tag}>{standfirst}</{tag}>"), depth, "b");
        let byline = "<div>Par <a href='/j'>Jeanne Exemple</a></div><time datetime='2026-03-03'>3 mars 2026</time>";
        check(&format!("<main><article>{top}{byline}{}</article></main>", deep(&all(), 5, "c")), &[standfirst], &["Exemple"]);
    }
    let described = format!("<meta name='description' content=\"{standfirst}\">");
    let body =
        format!("{}<div class='q'><div>{standfirst}</div></div>{}", deep(&format!("<h1>{TITLE}</h1>"), 3, "a"), deep(&all(), 5, "c"));
    assert!(read(&described, &body).body.contains(standfirst));
}

#[test]
fn quotations_tables_and_details_are_kept_and_repeats_are_not() {
    let quotation = "<figure class='pull'><blockquote><p>Nous avons eu froid deux hivers de suite</p></blockquote></figure>";
    let table = "<table><tr><th>Poste</th><th>2025</th></tr><tr><td>Bois</td><td>1,2</td></tr></table>";
    let details =
        "<details><summary>En détail</summary><p>Le bois vient des forêts du haut val, à trente kilomètres, selon l'atelier.</p></details>";
    let repeated = "<blockquote><p>«Les maraîchers, qui s'étaient repliés sur la place de la gare»</p></blockquote>";
    let caption = "<figure><img><div><p>La halle vue de la place, samedi matin, pendant les discours de la maire.</p></div></figure>";
    let rest: String = (1..5).map(paragraph).collect();
    check(&format!("<article><h1>{TITLE}</h1>{}<span>Étape 1</span>{rest}</article>", paragraph(0)), &["Étape 1"], &[]);
    let body = format!("<article><h1>{TITLE}</h1>{}{quotation}{table}{caption}{repeated}{}{details}</article>", paragraph(0), all());
    let wanted = ["froid deux hivers", "Poste | 2025", "Bois | 1,2", "haut val"];
    let draft = check(&body, &wanted, &["vue de la place"]);
    assert_eq!((draft.body.matches("Les maraîchers").count(), draft.body.matches("La halle de Brenne a").count()), (1, 1));
}

#[test]
fn comments_and_notices_longer_than_the_article_are_not_it() {
    let comment =
        "<div><b>Jean</b><p>Je ne suis pas d'accord : la gare était un meilleur endroit pour les étals, et on pouvait s'y garer.</p></div>";
    let comments: String = (0..20).map(|number| comment.replace("gare", &format!("gare {number}"))).collect();
    for section in
        ["<div class='comments'>", "<section id='commentaires'>", "<div class='x'><h3>20 commentaires</h3>", "<div id='disqus_thread'>"]
    {
        check(&format!("<main><article><h1>{TITLE}</h1>{}</article>{section}{comments}</main>", all()), &[], &["garer"]);
    }
    let notice = "<p>Nous et nos partenaires traitons vos données personnelles et déposons des cookies sur votre appareil.</p><p>Vous pouvez retirer votre consentement et changer vos choix en bas de page, à tout moment.</p>".repeat(6);
    for section in ["<div class='cookie-box'>", "<div role='dialog'>", "<div hidden>", "<div class='x'>"] {
        check(&format!("{section}{notice}</div><article><h1>{TITLE}</h1>{}</article>", all()), &[], &["partenaires"]);
    }
}

#[test]
fn a_date_in_prose_an_offer_or_an_event_is_not_that_of_the_article() {
    let published = |piece: &str| read("", &format!("<article><h1>{TITLE}</h1>{piece}{}</article>", all())).published;
    for piece in [
        "<p>Le 14 juillet 1998, la verrière avait déjà cédé.</p>",
        "<p>Le <time datetime='1998-07-14'>14 juillet 1998</time>, la verrière avait cédé.</p>",
        "<div>Offre valable jusqu'au 31 mars 2026</div>",
        "<div>Concert : samedi 12 mai 2026</div>",
        "<div><time itemprop='startDate' datetime='2026-05-12'>12 mai</time></div>",
    ] {
        assert_eq!(published(piece), None, "{piece}");
    }
    for piece in [
        "<p>Mis à jour le 5 mars 2026 à 10h12 – Publié le 3 mars 2026 à 8h30</p>",
        "<div>Mis à jour le <time datetime='2026-03-05'>5 mars 2026</time></div><div>Publié le <time datetime='2026-03-03T08:30'>3 mars</time></div>",
        "<div>Par Jeanne Exemple</div><div>3 mars 2026 à 8 h 30</div>",
        "<span>Brenne, le 03/03/26 à 8h30</span>",
    ] {
        assert_eq!(published(piece).as_deref(), Some("2026-03-03T08:30:00"), "{piece}");
    }
}

#[test]
fn a_class_for_comments_removes_comments_and_not_plain_paragraphs() {
    let shown: String = (0..2).map(paragraph).collect();
    let rest: String = (2..5).map(paragraph).collect();
    for class in ["comment-paragraphs opinion", "newsletter-story", "forum-tribune", "related-content-body"] {
        check(&format!("<article><h1>{TITLE}</h1>{shown}<div class='{class}'>{rest}</div></article>"), &[], &[]);
        let marked = rest.replace("<p>", &format!("<p class='{class}'>"));
        check(&format!("<article><h1>{TITLE}</h1>{shown}{marked}</article>"), &[], &[]);
    }
    let comment = |name: &str| {
        format!(
            "<div class='c'><b>{name}</b><p>Deux ans de travaux pour trois étals et une charpente neuve, c'est quand même beaucoup d'argent, je trouve.</p></div>"
        )
    };
    let comments = ["toto", "marie", "luc", "zoé"].map(comment).concat();
    for frame in ["<section id='comments'>", "<div class='article-comments'>", "<div class='forum-list'>"] {
        let tag = if frame.starts_with("<s") { "section" } else { "div" };
        check(
            &format!("<article><h1>{TITLE}</h1>{}</article>{frame}{comments}</{tag}>", all()),
            &[],
            &["toto", "Deux ans de travaux pour"],
        );
    }
}

#[test]
fn a_short_article_is_not_its_long_comments() {
    let comment = |name: &str| {
        let text = format!("<p>{} {}</p>", PARAGRAPHS[3], PARAGRAPHS[4]);
        format!("<li><b>{name}</b><div class='comment-body'>{text}{text}</div></li>")
    };
    let body = format!("<article><h1>{TITLE}</h1>{}{}{}</article>", paragraph(0), paragraph(1), paragraph(2));
    let draft = read("", &format!("{body}<ul class='list'>{}{}</ul>", comment("toto"), comment("marie")));
    assert!(draft.body.contains(PARAGRAPHS[2]) && !draft.body.contains(PARAGRAPHS[4]), "{}", draft.body);
}

#[test]
fn teasers_in_the_text_are_left_out_and_boxes_stay() {
    let (first, last): (String, String) = ((0..3).map(paragraph).collect(), (3..5).map(paragraph).collect());
    let (title, text) =
        ("Le marché de Rives déménage", "Les forains s'installeront sur le parking de la piscine jusqu'au printemps, a décidé la mairie.");
    for teaser in [
        format!("<div class='x'><a href='/r'><h3>{title}</h3></a><p>{text}</p></div>"),
        format!("<article class='x'><h2><a href='/r'>{title}</a></h2><p>{text}</p></article>"),
        format!("<div><p><a href='/r'>{title}</a></p><p>{text} <a href='/r'>Lire la suite</a></p></div>"),
        format!("<ul><li><h3><a href='/r'>{title}</a></h3><p>{text}</p></li></ul>"),
    ] {
        check(&format!("<article><h1>{TITLE}</h1>{first}{teaser}{last}</article>"), &[], &[title, text]);
        check(&format!("<article><h1>{TITLE}</h1>{first}{last}{teaser}</article>"), &[], &[title, text]);
    }
    let own = format!("<div class='x'><h3>Repères</h3><p>{text}</p></div>");
    check(&format!("<article><h1>{TITLE}</h1>{first}{own}{last}</article>"), &["Repères", text], &[]);
    // A page that has nothing but teasers is read as what it is.
    let teasers = PARAGRAPHS.map(|text| format!("<li><h3><a href='/r'>{title}</a></h3><p>{text}</p></li>")).concat();
    check(&format!("<main><h1>{TITLE}</h1><ul>{teasers}</ul></main>"), &[], &[]);
}

#[test]
fn captions_of_figures_are_kept_apart() {
    let caption = "<figure><img src=a><figcaption><p>La halle, samedi.</p> <span>Photo Le Val</span></figcaption></figure>";
    let other = "<aside><figure><figcaption>Un autre sujet.</figcaption></figure></aside>";
    let body = format!(
        "<article><h1>{TITLE}</h1>{caption}{}<div class='wp-caption'>Les étals.</div>{}{other}</article><figure><figcaption>Plus loin.</figcaption></figure>",
        paragraph(0),
        (1..5).map(paragraph).collect::<String>()
    );
    let draft = check(&body, &[], &["La halle, samedi", "Les étals", "Un autre sujet", "Plus loin"]);
    assert_eq!(draft.captions, ["La halle, samedi. Photo Le Val", "Les étals."]);
}

#[test]
fn a_quotation_that_is_set_apart_stays_unless_the_text_has_it() {
    let said = "« Nous avons attendu ce jour pendant deux ans, et la halle est plus belle qu'avant », dit une fleuriste.";
    let (first, last): (String, String) = ((0..3).map(paragraph).collect(), (3..5).map(paragraph).collect());
    check(&format!("<article><h1>{TITLE}</h1>{first}<aside><blockquote>{said}</blockquote></aside>{last}</article>"), &[said], &[]);
    let twice = format!(
        "<article><h1>{TITLE}</h1>{first}<p>{said}</p><aside><blockquote>Nous avons attendu ce jour pendant deux ans</blockquote></aside>{last}</article>"
    );
    assert_eq!(check(&twice, &[said], &[]).body.matches("Nous avons attendu").count(), 1);
}

#[test]
fn the_authors_are_all_lines_before_the_date() {
    let byline = "<p class='byline'>Par Léa Morin<br>et Luc Exemple<br>Publié le 2 mars 2026</p>";
    let draft = check(&format!("<article><h1>{TITLE}</h1>{byline}{}</article>", all()), &[], &["Léa Morin"]);
    assert_eq!(draft.author.as_deref(), Some("Léa Morin, et Luc Exemple"));
}
