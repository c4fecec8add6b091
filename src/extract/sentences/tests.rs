//! Tests of the sentence splitter.

#![expect(clippy::string_slice, reason = "slicing inside a character should fail the test")]

use proptest::prelude::*;

use super::*;

/// Checks that the sentences of a text end at the bars in `marked`.
#[track_caller]
fn check(marked: &str) {
    let expected: Vec<&str> = marked.split('|').map(str::trim).collect();
    let text = marked.replace('|', "");
    assert_eq!(sentences(&text), expected);
}

#[test]
fn plain_sentences() {
    check("Il pleut. |Elle sort! |Pourquoi? |On l'ignore… |Fin");
    check("It rains. |She leaves! |Why? |Nobody knows.");
    check("Mur 3. |42 personnes sont venues. |Élue hier.");
}

#[test]
fn titles_and_linking_words() {
    check("M. Dupont et Mme. Durand ont vu le Dr. Martin. |MM. Petit et Roy aussi.");
    check("Mr. Smith and Mrs. Jones met Gen. Lee vs. Prof. Moore. |Sen. Hill left.");
    check("Il aime le sport, p. ex. Le tennis, cf. Martin, i.e. Les autres.");
    check("Fruit, e.g. Apples, is good.");
}

#[test]
fn abbreviations_before_numbers() {
    check("Voir art. 3, p. 12, vol. IV et chap. 2. |Le reste suit.");
    check("L'art. L. 121 vaut pour l'art. |Le reste est de l'art. |Un débat.");
    check("It was No. 5 on Jan. 6. |Is it over? |No. |That is wrong.");
    check("1. Le premier point. |2. Le second.");
    check("Née le 10 juill. 1991, elle arrive à 18 h. 30 et repart le 3 fév. 2026. |Elle attend 3 h. |Puis rien.");
}

#[test]
fn ambiguous_abbreviations_depend_on_the_next_word() {
    check("Acme Inc. Chairman Bob Roy left the U.S. Senate. |He returned to the U.S. |The end.");
    check("Du pain, du vin, etc. |Les autres dorment. |Avant, av. J.-C. |Le reste.");
    check("It opens at 6 p.m. Saturday and closes at 11 p.m. |The bar stays open.");
    check("He lives in St. Petersburg, not on Main St. |They know.");
}

#[test]
fn initials() {
    check("J. K. Rowling et J.-C. Martin ont lu J. Le Goff. |Et A. N. Wilson.");
    check("Il manque de vitamine C. |Le citron en a. |George W. Bush said so.");
}

#[test]
fn numbers_and_times() {
    check("Il coûte 3.5 euros, soit 1.200 yens. |À 18 h 30. |Puis 2.");
    check("Version 2.0.1 is out. |It costs $4.99. |$5 is enough.");
}

#[test]
fn ellipses() {
    check("Il hésite... puis il part... |Elle reste. |… Enfin, non.");
    check("Il dit [...] Paris et (…) Rome. |Fin. |[...] Le reste.");
    check("Alors . . . il part. |Il chante pour... Paris et avec… Rome. |Fin.");
}

#[test]
fn closing_quotes_stay_with_their_sentence() {
    check("« Il est parti. » |Elle aussi.");
    check("« Venez ! » a-t-il dit. |« Non ? » |« Si ! »");
    check("\u{ab}\u{a0}Oui\u{202f}!\u{a0}\u{bb} |Elle sort.");
    check("\"Il part.\" |\"Elle reste.\" |“Go home.” |‘Fine.’ |He left.");
    check("Il dit : \" Je pars. \" |Elle reste. |\"Bon.\"");
    check("Voilà (dit-on !) Paris. |(Il est là. |Elle aussi.) |Le reste.[3] |Fin.");
}

#[test]
fn lower_case_never_starts_a_sentence() {
    check("Le site lefigaro. fr et Yahoo! ont dit oui! et non.");
    check("Il a dit oui. « et non » aussi.");
}

#[test]
fn paragraphs_without_a_line_break() {
    check("Fin des prédations.|Alors tout change.|Le reste suit!|L'un part?|À demain.");
    check("Il dit \"non.\"|Elle rit.|\"Oui\", dit-il.|«Bon» aussi, à l'ONU.|Les autres.");
}

#[test]
fn headings_without_a_line_break() {
    check("Tout va bien. |Une enquête ouverte|Selon le juge, oui. |Un iPhone et LinkedIn In.");
    check("Il en a.|Les Crit'air 1 ou 2.|Éligibilité..");
}

#[test]
fn addresses_and_acronyms_are_not_split() {
    check("See example.Com or www.Site.fr or http://a.fr/Page.Html or jean.Dupont@example.fr now.");
    check("The U.S.A won, as did U.S.A. Today, M.Dupont and Ph.D students.");
    check("Use Foo.Bar.baz here.");
}

#[test]
fn line_breaks() {
    check("Une phrase sans fin\n\n|et une autre\r\n \r\n|Fin\u{2029}|Suite");
    check("Prévenir la maladie\n|Il n'existe pas de remède. |Voilà.");
    check("Les points :\n|- le premier\n|- le second\n|• le dernier");
    check(
        "Cette ligne est assez longue pour avoir été repliée par son\nAuteur, \
         et elle va\nplus loin.",
    );
    check("Il a vu M.\nDupont hier,\nParis dort.");
}

#[test]
fn empty_and_blank() {
    assert!(spans("").is_empty());
    assert!(sentences(" \n\n ").is_empty());
    assert_eq!(spans("  \n\n Bon. Oui."), [0..10, 10..14]);
    assert_eq!(spans(&format!("{}Bon. Oui.", " ".repeat(90))).len(), 2);
}

/// Splits a text that would take an hour in quadratic time. The test runner stops a test long
/// before (`.config/nextest.toml`).
#[track_caller]
fn check_whole(text: &str) {
    let found = spans(text);
    assert_eq!(found.last().map(|span| span.end), Some(text.len()));
}

#[test]
fn megabytes_of_marks_take_linear_time() {
    check_whole(&".".repeat(5_000_000));
    check_whole(&"a.".repeat(1_000_000));
}

#[test]
fn long_runs_take_linear_time() {
    let pieces = [
        "A.", "a. ", ". ", "A. B ", "\n", " ", ".\"", ".»", ". »", "[1].", "(.", "!A", ".A", "é.É", "\"", "..A", "M. ", "Aa.Aa", "a\n",
        "A\n", ".\n", "«", "1. ", "abDe ",
    ];
    for piece in pieces {
        let run = piece.repeat(200_000 / piece.len());
        check_whole(&run);
        check_whole(&format!("{}{run}", " ".repeat(200_000)));
        check_whole(&format!("A{}{run}", "-".repeat(200_000)));
    }
}

fn assert_tiles(text: &str) {
    let mut end = 0;
    for span in spans(text) {
        assert_eq!(span.start, end);
        assert!(span.end > span.start);
        assert!(text.is_char_boundary(span.end));
        end = span.end;
    }
    assert_eq!(end, text.len());
    let joined: String = spans(text).into_iter().map(|span| &text[span]).collect();
    assert_eq!(joined, text);
}

proptest! {
    #[test]
    fn spans_tile_any_text(text in "\\PC*|[\\s\\S]{0,200}") {
        assert_tiles(&text);
    }

    #[test]
    fn spans_tile_text_full_of_marks(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                ".", "!", "?", "…", "\"", "«", "»", "”", "'", "’", "(", ")", "[", "]", "[1]",
                "-", "—", " ", "\u{a0}", "\n", "\r\n", "\u{2028}", "\u{2029}", "A", "é", "É",
                "3", "M", "etc", "U.S", "Le", "www", "@", "com", "🙂", "e\u{301}", "\0",
            ]),
            0..60,
        )
    ) {
        assert_tiles(&pieces.concat());
    }
}
