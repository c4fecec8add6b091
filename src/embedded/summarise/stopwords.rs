//! The small words of French and English that say how a sentence hangs
//! together and not what it is about.
//!
//! All are in lower case. The long lists are sorted, for a binary search, and
//! kept from the formatter, which would give each word a line.

/// French function words, sorted.
#[rustfmt::skip]
pub(super) const FRENCH: &[&str] = &[
    "a", "afin", "ai", "aie", "aient", "aies", "ainsi", "ait", "alors", "as", "au", "aucun",
    "aucune", "aujourd", "auquel", "aura", "aurai", "auraient", "aurais", "aurait", "auras",
    "aurez", "auriez", "aurions", "aurons", "auront", "aussi", "autre", "autres", "aux",
    "auxquelles", "auxquels", "avaient", "avais", "avait", "avant", "avec", "avez", "aviez",
    "avions", "avoir", "avons", "ayant", "ayez", "ayons", "car", "ce", "ceci", "cela", "celle",
    "celles", "celui", "cependant", "certaines", "certains", "ces", "cet", "cette", "ceux",
    "chacun", "chacune", "chaque", "chez", "ci", "comme", "comment", "contre", "dans", "de",
    "depuis", "des", "desquelles", "desquels", "dit", "donc", "dont", "du", "duquel", "durant",
    "déjà", "elle", "elles", "en", "encore", "entre", "es", "est", "et", "eu", "eue", "eues",
    "eurent", "eus", "eut", "eux", "faire", "fait", "faut", "fois", "font", "furent", "fus",
    "fut", "hors", "hui", "ici", "il", "ils", "je", "jusqu", "jusque", "la", "laquelle", "le",
    "lequel", "les", "lesquelles", "lesquels", "leur", "leurs", "lors", "lorsqu", "lorsque",
    "lui", "là", "ma", "mais", "malgré", "me", "mes", "moi", "moins", "mon", "même", "mêmes",
    "ne", "ni", "non", "nos", "notre", "nous", "nôtre", "on", "ont", "or", "ou", "où", "par",
    "parce", "parmi", "pas", "pendant", "peu", "peut", "peuvent", "plus", "plusieurs", "pour",
    "pourquoi", "puis", "puisqu", "puisque", "qu", "quand", "que", "quel", "quelle", "quelles",
    "quelqu", "quelque", "quelques", "quels", "qui", "quoi", "quoique", "sa", "sans", "se",
    "selon", "sera", "serai", "seraient", "serais", "serait", "seras", "serez", "seriez",
    "serions", "serons", "seront", "ses", "si", "sien", "sienne", "sinon", "soi", "soient",
    "sois", "soit", "sommes", "son", "sont", "sous", "suis", "sur", "ta", "tandis", "tant", "te",
    "tel", "telle", "telles", "tels", "tes", "toi", "ton", "toujours", "tous", "tout", "toute",
    "toutefois", "toutes", "trop", "très", "tu", "un", "une", "vers", "voici", "voilà", "vos",
    "votre", "vous", "vu", "vôtre", "y", "à", "ça", "étaient", "étais", "était", "étant", "étiez",
    "étions", "été", "êtes", "être",
];

/// English function words, sorted.
#[rustfmt::skip]
pub(super) const ENGLISH: &[&str] = &[
    "a", "about", "above", "after", "again", "against", "all", "also", "although", "am", "among",
    "an", "and", "any", "are", "aren", "as", "at", "be", "because", "been", "before", "being",
    "below", "between", "both", "but", "by", "can", "cannot", "could", "couldn", "did", "didn",
    "do", "does", "doesn", "doing", "don", "down", "during", "each", "either", "else", "even",
    "ever", "every", "few", "for", "from", "further", "had", "has", "hasn", "have", "haven",
    "having", "he", "hence", "her", "here", "hers", "herself", "him", "himself", "his", "how",
    "however", "i", "if", "in", "into", "is", "isn", "it", "its", "itself", "just", "least",
    "less", "let", "like", "ll", "many", "may", "me", "might", "more", "most", "much", "must",
    "my", "myself", "neither", "no", "nor", "not", "now", "of", "off", "often", "on", "once",
    "one", "only", "onto", "or", "other", "others", "our", "ours", "ourselves", "out", "over",
    "own", "per", "rather", "re", "said", "same", "say", "says", "shall", "she", "should",
    "shouldn", "since", "so", "some", "still", "such", "than", "that", "the", "their", "theirs",
    "them", "themselves", "then", "there", "therefore", "these", "they", "this", "those",
    "though", "through", "thus", "to", "too", "toward", "towards", "under", "until", "up", "upon",
    "us", "ve", "very", "was", "wasn", "we", "were", "what", "when", "where", "whether", "which",
    "while", "who", "whom", "whose", "why", "will", "with", "within", "without", "won", "would",
    "wouldn", "yet", "you", "your", "yours", "yourself", "yourselves",
];

/// First words of a sentence that carry on an argument begun before it.
pub(super) const CONNECTIVES: &[&str] = &[
    // French
    "cependant",
    "pourtant",
    "toutefois",
    "néanmoins",
    "mais",
    "or",
    "donc",
    "ainsi",
    "alors",
    "puis",
    "ensuite",
    "enfin",
    "aussi",
    "et",
    "car", // English
    "however",
    "but",
    "and",
    "so",
    "then",
    "thus",
    "therefore",
    "moreover",
    "furthermore",
    "meanwhile",
    "besides",
    "nevertheless",
    "still",
    "yet",
    "also",
    "instead",
];

/// First words of a sentence that stand for somebody named before it.
pub(super) const PRONOUNS: &[&str] = &["il", "elle", "ils", "elles", "celui", "celle", "ceux", "celles", "he", "she", "they", "it"];

/// First words of a sentence that point back to something said before it.
pub(super) const DEMONSTRATIVES: &[&str] = &[
    // French
    "ce", "cet", "cette", "ces", "cela", "ça", "ceci", "son", "sa", "ses", "leur", "leurs", // English
    "this", "that", "these", "those", "his", "her", "its", "their",
];

/// Openings whose pronoun stands for nobody («il faut», «it is»).
pub(super) const IMPERSONAL: &[&str] = &["il s agit", "il faut", "il faudra", "il y a", "il n y", "il est", "il existe", "it is", "it was"];

/// How a line starts that speaks to the reader and not about the news.
pub(super) const BOILERPLATE: &[&str] = &[
    // French
    "lire aussi",
    "à lire",
    "a lire",
    "lire également",
    "voir aussi",
    "lire la suite",
    "à voir aussi",
    "abonnez vous",
    "inscrivez vous",
    "suivez nous",
    "retrouvez",
    "cliquez",
    "crédit photo",
    "publicité",
    "partager", // English
    "read more",
    "read also",
    "also read",
    "see also",
    "related",
    "sign up",
    "subscribe",
    "follow us",
    "click here",
    "photo credit",
    "advertisement",
    "share this",
];
