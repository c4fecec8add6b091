//! Tests of the extractive summary.

use super::*;

const ARTICLE: [&str; 6] = [
    "Le conseil municipal de Brest a voté mardi la construction d'un tramway.",
    "« C'est un grand jour », a dit Anne Le Roy.",
    "Le tramway reliera la gare au port en douze minutes dès 2027.",
    "Il coûtera 300 millions d'euros.",
    "Lire aussi : le tramway de Brest en images",
    "La construction du tramway commencera au printemps, près de la gare.",
];

fn count_words(text: &str) -> usize {
    terms::words(text).count()
}

fn total(sentences: &[&str], selected: &[usize]) -> usize {
    selected.iter().map(|&index| count_words(sentences[index])).sum()
}

#[test]
fn words_are_runs_of_letters_and_digits() {
    assert_eq!(count_words(""), 0);
    assert_eq!(count_words("L'an 2027, vis-à-vis d'eux…"), 8);
    assert_eq!(count_words("e\u{301}te\u{301} \u{301}"), 1);
}

#[test]
fn sentences_keep_the_order_of_the_article() {
    let selected = summarise("Un tramway à Brest", &ARTICLE, Lang::FR, 40);
    assert!(selected.len() > 1);
    assert!(selected.is_sorted());
    assert_eq!(selected[0], 0);
}

#[test]
fn the_length_stays_near_the_words_asked_for() {
    let sentences: Vec<String> = (0..60).map(|i| format!("La ville numéro{i} parle{i} de son port{i} avec joie{i}.")).collect();
    let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
    for words in [10, 20, 45, 100, 300] {
        let selected = summarise("", &sentences, Lang::FR, words);
        let total = total(&sentences, &selected);
        assert!(total * 20 <= words * 27, "{total} for {words}");
        assert!(total * 10 >= words * 8, "{total} for {words}");
    }
}

#[test]
fn one_sentence_is_selected_even_if_none_fits() {
    for words in [0, 1, 2] {
        assert_eq!(summarise("Brest", &ARTICLE, Lang::FR, words), [3]);
    }
    let long = "mot ".repeat(500);
    assert_eq!(summarise("", &[&long], Lang::FR, 45), [0]);
}

#[test]
fn all_sentences_are_selected_if_they_fit() {
    let selected = summarise("", &ARTICLE[..4], Lang::FR, usize::MAX);
    assert_eq!(selected, [0, 1, 2, 3]);
}

#[test]
fn empty_input_gives_an_empty_summary() {
    assert!(summarise("", &[], Lang::FR, 45).is_empty());
    assert!(summarise("Un titre seul", &[], Lang::EN, 45).is_empty());
    assert!(summarise("Titre", &["", "…", "12 %"], Lang::FR, 45).is_empty());
}

#[test]
fn one_sentence_is_its_own_summary() {
    assert_eq!(summarise("", &["Il pleut."], Lang::FR, 45), [0]);
    assert_eq!(summarise("", &["—", "Oui", "***"], Lang::FR, 45), [1]);
}

#[test]
fn sentences_that_share_words_with_the_title_are_preferred() {
    let sentences = [
        "The weather was mild on Monday.",
        "Shops opened late after the holiday.",
        "A whale was seen near the harbour bridge.",
        "Trains ran on time through the night.",
    ];
    let selected = summarise("Whale seen under the bridges", &sentences, Lang::EN, 8);
    assert_eq!(selected, [2]);
}

#[test]
fn composed_and_combining_accents_are_the_same() {
    let sentences = ["Rien à dire ce matin.", "Un été de fête ici.", "Rien ne va plus hier."];
    let title = "Fe\u{302}te d'e\u{301}te\u{301}";
    assert_eq!(summarise(title, &sentences, Lang::FR, 4), [1]);
}

#[test]
fn a_repeated_sentence_is_selected_once() {
    let sentences = ["Le port de Brest ferme ses quais vendredi."; 5];
    assert_eq!(summarise("", &sentences, Lang::FR, 45), [0]);
}

#[test]
fn lines_that_address_the_reader_are_not_selected() {
    let selected = summarise("Le tramway de Brest en images", &ARTICLE, Lang::FR, 30);
    assert!(!selected.contains(&4));
}

#[test]
fn openings_and_speakers_that_refer_to_the_sentence_before_are_known() {
    let mut index = TermIndex::new(Lang::FR);
    let mut refers = |text: &str| needs_context(text, &index.add(text));
    for text in [
        "Cela a surpris Brest.",
        "Cependant, la ville dort.",
        "However, they left.",
        "Also on Monday, a boat sank.",
        "Il est contrôlé par la ville.",
        "En outre, la ville paie.",
        "« Un grand jour », a-t-elle dit.",
        "“A great day,” he said.",
        "The longest one measures two metres.",
    ] {
        assert!(refers(text), "{text}");
    }
    for text in [
        "Il faut partir.",
        "La ville dort.",
        "Cette semaine, le port ferme.",
        "« La ville dort », a dit la maire.",
        "Illustre, la ville dort.",
    ] {
        assert!(!refers(text), "{text}");
    }
}

#[test]
fn figures_and_names_that_the_first_sentence_lacks_are_preferred() {
    let sentences = [
        "Le ministre a confirmé mardi que l'armée quittait la région du Haut-Pays.",
        "Les journaux avaient rapporté que l'armée avait commencé à quitter la région.",
        "La force de l'armée comptait 2 000 hommes dans la région.",
        "Les habitants de la région attendent la suite avec calme et espoir.",
    ];
    assert_eq!(summarise("", &sentences, Lang::FR, 30), [0, 2]);
    let mut index = TermIndex::new(Lang::FR);
    let facts = |terms: &SentenceTerms| (terms.names.len(), terms.figures.len());
    assert_eq!(facts(&index.add("En 2020, les 100 000 Arméniens et 12 soldats de Moscou ont fui.")), (3, 2));
}

#[test]
fn a_short_sentence_without_facts_does_not_fill_a_summary_up() {
    let sentences = [
        "The city council approved a new tram line between the station and the harbour on Tuesday.",
        "Nobody was surprised by the vote.",
        "The line will cost 300 million euros and open in 2029, the mayor Anna Velde told the council.",
    ];
    assert_eq!(summarise("", &sentences, Lang::EN, 36), [0, 2]);
}

#[test]
fn english_articles_are_summarised() {
    let sentences = [
        "The city council approved a new tram line on Tuesday.",
        "It was raining.",
        "The tram line will link the station and the harbour within twelve minutes.",
        "Subscribe to our newsletter.",
    ];
    let selected = summarise("Council approves tram line", &sentences, Lang::EN, 24);
    assert_eq!(selected, [0, 2]);
}

#[test]
fn ten_thousand_sentences_end_within_the_test_timeout() {
    let sentences: Vec<String> = (0..10_000)
        .map(|i| {
            let (a, b, c) = (i % 97, i % 1_009, i * 7 % 3_001);
            format!("Le maire{a} de ville{b} parle du projet{c} avec le port{a} et la gare{i}.")
        })
        .collect();
    let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
    let short = summarise("Le maire3 et le port3", &sentences, Lang::FR, 45);
    let all = summarise("", &sentences, Lang::FR, 1_000_000);
    assert!(!short.is_empty() && all.len() > 100);
}

proptest::proptest! {
    #[test]
    fn any_text_gives_valid_indices(
        title in "\\PC*",
        sentences in proptest::collection::vec("[\\s\\S]{0,40}|\\PC{0,40}", 0..20),
        words in 0_usize..200,
    ) {
        let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
        for language in [Lang::FR, Lang::EN] {
            let selected = summarise(&title, &sentences, language, words);
            assert!(selected.is_sorted_by(|a, b| a < b));
            assert!(selected.iter().all(|&index| index < sentences.len()));
            let lettered = sentences.iter().any(|s| s.contains(char::is_alphabetic));
            assert_eq!(lettered, !selected.is_empty());
        }
    }
}

#[test]
fn a_pronoun_is_not_left_without_the_sentence_that_it_refers_to() {
    let sentences = [
        "The harbour authority closed the old bridge of Ostwick on Monday after a storm damaged its two steel arches.",
        "Three small boats begin on Thursday.",
        "They will carry 400 passengers of the closed bridge of Ostwick across the harbour every hour of the day.",
        "It is unclear when the bridge of Ostwick will open again, the harbour authority said after the storm.",
    ];
    for words in [20, 30, 40, 60] {
        let selected = summarise("Storm closes the bridge of Ostwick", &sentences, Lang::EN, words);
        assert!(!selected.contains(&2) || selected.contains(&1), "{words}: {selected:?}");
    }
    let mut index = TermIndex::new(Lang::EN);
    let needs_context = sentences.map(|sentence| needs_context(sentence, &index.add(sentence)));
    assert_eq!(needs_context, [false, false, true, false], "an impersonal pronoun needs nobody");
}
