//! The words that tell an abbreviation's full stop from a sentence's, in
//! French and in English.
//!
//! Matching is case-sensitive on purpose: «Col. Smith» is a colonel, while
//! «le col.» ends a sentence.

/// How a full stop after an abbreviation is to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// The word always leans on what follows (a title, «e.g.», «vs.»).
    Inside,
    /// The stop belongs to the abbreviation only in front of a number.
    BeforeNumber,
    /// Either; the next word decides.
    Unclear,
}

/// Titles and link words: nothing ends after them.
const INSIDE: &[&str] = &[
    // French
    "M", "MM", "Mme", "Mmes", "Mlle", "Mlles", "Dr", "Drs", "Pr", "Prs", "Mgr", "Ste", "cf", "Cf", "tél", "Tél", "éd", "av",
    "ap", // English
    "Mr", "Mrs", "Ms", "Messrs", "Prof", "Rev", "Hon", "Gen", "Lt", "Sgt", "Capt", "Cpl", "Maj", "Col", "Cmdr", "Sen", "Sens", "Gov",
    "Rep", "Reps", "Pres", "Supt", "Mt", "Ft", "vs", "viz", "approx",
];

/// Words that number something: article, page, volume, month.
const BEFORE_NUMBER: &[&str] = &[
    "art", "Art", "p", "pp", "vol", "Vol", "No", "no", "Nos", "nos", "n", "fig", "Fig", "chap", "Chap", "ch", "sect", "env", "Env", "min",
    "max", "est", "col", "t", "v", "para", "alinéa", "ed", "c", "ca", "janv", "févr", "avr", "juil", "sept", "oct", "nov", "déc", "Jan",
    "Feb", "Mar", "Apr", "Jun", "Jul", "Aug", "Sep", "Sept", "Oct", "Nov", "Dec",
];

/// Words that stand in the middle of a sentence as often as at its end.
const UNCLEAR: &[&str] = &[
    "etc", "Inc", "Ltd", "Corp", "Co", "Cos", "Bros", "Jr", "Sr", "St", "Ave", "Blvd", "Rd", "bd", "Bd", "boul", "al", "ex", "hab", "dept",
    "Dept", "Assn", "Calif", "Fla", "Conn", "Mass", "Mich", "Minn", "Tenn", "Wis", "Ariz", "Colo", "Penn", "Wash", "Va",
];

/// Function words that, written with a capital, nearly always open a sentence.
const OPENERS: &[&str] = &[
    // French
    "Le",
    "La",
    "Les",
    "L",
    "Un",
    "Une",
    "Des",
    "De",
    "D",
    "Du",
    "Au",
    "Aux",
    "À",
    "Il",
    "Elle",
    "Ils",
    "Elles",
    "On",
    "Nous",
    "Vous",
    "Je",
    "J",
    "Tu",
    "Ce",
    "Cet",
    "Cette",
    "Ces",
    "C",
    "Cela",
    "Ça",
    "Son",
    "Sa",
    "Ses",
    "Leur",
    "Leurs",
    "Mon",
    "Notre",
    "Nos",
    "Votre",
    "Mais",
    "Et",
    "Ou",
    "Or",
    "Donc",
    "Car",
    "Dans",
    "En",
    "Pour",
    "Par",
    "Sur",
    "Sous",
    "Avec",
    "Sans",
    "Selon",
    "Après",
    "Avant",
    "Depuis",
    "Lors",
    "Entre",
    "Contre",
    "Si",
    "Quand",
    "Comme",
    "Alors",
    "Ainsi",
    "Cependant",
    "Pourtant",
    "Toutefois",
    "Puis",
    "Enfin",
    "Aussi",
    "Qui",
    "Que",
    "Quel",
    "Quelle",
    "Plus",
    "Tout",
    "Tous",
    "Toutes",
    "Certains",
    "Plusieurs",
    "Deux",
    "Trois",
    "Malgré",
    "Même",
    "Ne",
    "Pas",
    "Parmi",
    "Outre",
    "Désormais",
    "Aujourd",
    // English
    "The",
    "A",
    "An",
    "He",
    "She",
    "It",
    "They",
    "We",
    "I",
    "You",
    "This",
    "That",
    "These",
    "Those",
    "But",
    "And",
    "So",
    "In",
    "At",
    "For",
    "From",
    "With",
    "By",
    "As",
    "If",
    "When",
    "While",
    "After",
    "Before",
    "Since",
    "Then",
    "There",
    "Here",
    "What",
    "Who",
    "Why",
    "How",
    "Where",
    "Which",
    "His",
    "Her",
    "Its",
    "Their",
    "My",
    "Our",
    "Your",
    "Not",
    "No",
    "Yes",
    "Some",
    "Many",
    "Most",
    "One",
    "Two",
    "Three",
    "All",
    "Both",
    "Each",
    "Several",
    "According",
    "Although",
    "However",
    "Meanwhile",
    "Under",
    "During",
    "Over",
    "Until",
    "To",
    "Of",
    "Now",
    "Still",
    "Is",
    "Are",
    "Was",
    "Do",
    "Does",
    "Did",
    "Has",
    "Up",
    "Once",
    "Even",
    "Yet",
    "Only",
];

/// Capitalised words that, after an initial, may open a surname («J. Le Goff»).
const PARTICLES: &[&str] = &["Le", "La", "De", "Du", "Des", "D", "L"];

/// Endings of web addresses and file names, in lower case. Endings that are
/// also short French or English words («be», «ça», «me») are left out.
const ADDRESS_ENDINGS: &[&str] = &[
    "com", "net", "org", "fr", "eu", "info", "gouv", "gov", "edu", "uk", "ch", "io", "js", "html", "php", "pdf", "asp", "aspx", "jpg",
    "png", "ru",
];

/// Words after which an ellipsis is a pause and not an end.
const LEADING_ON: &[&str] = &[
    // French
    "de", "du", "des", "le", "la", "les", "un", "une", "à", "au", "aux", "pour", "par", "avec", "et", "ou", "que", "chez", "dans", "en",
    "sur", "est", // English
    "the", "of", "for", "to", "with", "and", "by", "from", "at", "or", "is",
];

/// Whether `word` calls for more, even across an ellipsis.
pub(super) fn leads_on(word: &str) -> bool {
    LEADING_ON.contains(&word)
}

/// What a full stop after `word` means; nothing for an ordinary word.
pub(super) fn stop_after(word: &str) -> Option<Stop> {
    if INSIDE.contains(&word) {
        Some(Stop::Inside)
    } else if BEFORE_NUMBER.contains(&word) {
        Some(Stop::BeforeNumber)
    } else if UNCLEAR.contains(&word) {
        Some(Stop::Unclear)
    } else {
        None
    }
}

/// Whether `word` is a capitalised function word.
pub(super) fn opens_sentence(word: &str) -> bool {
    OPENERS.contains(&word)
}

/// Whether `word` can stand between an initial and the rest of a surname.
pub(super) fn is_particle(word: &str) -> bool {
    PARTICLES.contains(&word)
}

/// Whether `word` ends web addresses or file names, whatever its case.
pub(super) fn is_address_ending(word: &str) -> bool {
    ADDRESS_ENDINGS.iter().any(|ending| ending.eq_ignore_ascii_case(word))
}
