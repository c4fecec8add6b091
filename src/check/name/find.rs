//! Finds the words of a text that are names: capitals where the language asks for none.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use super::alike::{exonyms, fold};
use super::exonyms::PLACES;
use crate::check::lexicon::Lex;
use crate::check::text::{Kind, Text};
use crate::model::Lang;

/// A word that may be a name.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) span: Range<usize>,
    pub(super) folded: String,
    /// It cannot be an ordinary word at the beginning of a sentence.
    pub(super) sure: bool,
    /// A proper name: known as one, or without the article that a common noun would have.
    pub(super) own: bool,
    /// So much of a name that no counterpart needs to be missed: letters only, or a part of a longer name.
    pub(super) lone_is_enough: bool,
}

/// Words with a capital that are no names, in both languages, folded.
static USUAL: LazyLock<HashSet<&'static str>> = LazyLock::new(|| USUAL_WORDS.split_whitespace().collect());

/// Places that are known without being written otherwise in the other language.
static KNOWN: LazyLock<HashSet<&'static str>> = LazyLock::new(|| PLACES.split_whitespace().collect());

const USUAL_WORDS: &str = "
i i'm mr mrs ms miss dr sir lord lady mister professor prof president vice prime minister secretary general chancellor king queen prince
princess pope bishop cardinal captain colonel sergeant senator governor mayor judge chief chairman director ceo pm pr mp mps dj tv uk us usa
street road avenue square park bridge river lake mount mountain mountains island islands bay gulf sea ocean north south east west northern southern eastern
western central upper lower new old great big little saint st university college school institute academy museum hospital church centre
center house court council committee commission ministry department office agency bank fund party union league cup games club team group
company corporation inc ltd plc association federation confederation organisation organization society foundation government parliament
congress senate assembly state states republic kingdom empire army navy force forces police act law treaty constitution convention
internet web god christmas easter thanksgiving earth moon sun world war day week month year english french german spanish monday
english british american european african asian latin christian muslim jewish catholic protestant islamic arab western
m mm mme mmes mlle me maitre docteur professeur le la les l un une des du de d et a au aux en dans sur pour par avec sans ce cette ces son
sa ses leur leurs mon ma mes notre nos votre vos il elle ils elles on nous vous je tu qui que quoi dont ou mais donc or ni car si quand
comme lorsque puisque apres avant depuis pendant selon entre chez vers contre sous tout tous toute toutes plusieurs certains certaines
aucun aucune autre autres meme c'est ceci cela ca voici voila ainsi alors aussi enfin ensuite cependant pourtant toutefois neanmoins
the an this that these those he she it they we you his her its their our your my who which what when where why how if while although
though because since until before after during according between among against under over about from to into at by of on in with
without for and or but nor so yet as not no yes all both some any many most several few each every other another such same one two
three four five six seven eight nine ten first second third there here then now also however moreover therefore thus meanwhile
nevertheless indeed finally still even just only today yesterday tomorrow etat etats monsieur madame ministre premier ministere
have has had having are is was were be been being does do did done should could would can cannot may might must will shall let lets next
last recently besides previously above below beyond instead perhaps maybe sometimes often usually today tonight nonetheless although despite
given according following including regarding concerning such more most less least much very too well please thank thanks yeah okay hello
lors parmi beaucoup auparavant quoique telle tel tels telles quel quelle quels quelles bien juste existe debut fin dre anciens ancienne
ancien jeunes desormais peut etre pourquoi comment combien lorsqu jusqu parce malgre hors outre environ pres loin face grace suite afin
republique gouvernement assemblee senat parlement constitution eglise internet dieu terre lune soleil ecole universite bourse bd rue";

/// The names of `text`. One that is written in capitals or as a title throughout has none that could be told from other words.
pub(super) fn names(text: &Text) -> Vec<Candidate> {
    let tokens = text.tokens();
    let word = |at: usize| tokens.get(at).filter(|token| token.kind == Kind::Word).map(|token| text.word(token));
    let capital = |at: usize| word(at).is_some_and(|word| word.starts_with(char::is_uppercase));
    // In a title every longer word has a capital.
    let longer = tokens.iter().filter(|token| token.kind == Kind::Word && token.span.len() > 4);
    let (capitals, small): (Vec<_>, Vec<_>) = longer.partition(|token| text.word(token).starts_with(char::is_uppercase));
    let titled = small.is_empty() && capitals.len() > 2;
    if titled {
        return Vec::new();
    }
    let starts: Vec<usize> = text.sentences().iter().map(|span| text.tokens_in(span).start).collect();
    let mut starts = starts.into_iter().peekable();
    let mut names = Vec::new();
    let mut begins = false;
    for at in 0..tokens.len() {
        while starts.next_if(|start| *start <= at).is_some() {
            begins = true;
        }
        // A sentence also begins behind a colon, a quotation mark or a dash.
        begins |= at > 0 && matches!(text.word(&tokens[at - 1]), ":" | "«" | "“" | "\"" | "‘" | "(" | "–" | "—" | "•" | "*");
        let Some(found) = word(at) else { continue };
        let first = std::mem::take(&mut begins);
        let letters = found.chars().count();
        let acronym = letters >= 2 && found.chars().all(char::is_uppercase);
        if !capital(at) || (letters < 3 && !acronym) || is_usual(text, at) || is_roman(found) {
            continue;
        }
        let neighbour = |at: usize| capital(at) && !is_usual(text, at);
        let long = (at > 0 && neighbour(at - 1) && tokens[at].spaced) || neighbour(at + 1);
        let token = &tokens[at];
        let mixed = found.chars().skip(1).any(char::is_uppercase);
        let folded = fold(found);
        let known = exonyms(&folded, text.lang).next().is_some() || KNOWN.contains(folded.as_str());
        let own = known || (!acronym && !has_article(text, at));
        names.push(Candidate { span: token.span.clone(), folded, sure: !first || acronym || mixed, own, lone_is_enough: long && !acronym });
    }
    names
}

/// Whether an article or the like stands before the name, or before the words with a capital that it belongs to.
fn has_article(text: &Text, at: usize) -> bool {
    let low = |at: usize| text.tokens().get(at).map_or("", |token| text.low(token));
    let capital = |at: usize| text.tokens().get(at).is_some_and(|token| text.word(token).starts_with(char::is_uppercase));
    let mut before = at;
    while before > 0 && before + 4 > at {
        before -= 1;
        if matches!(low(before), "'" | "’") {
            continue;
        }
        let article = matches!(
            low(before),
            "le" | "la"
                | "les"
                | "l"
                | "un"
                | "une"
                | "des"
                | "du"
                | "au"
                | "aux"
                | "ce"
                | "cet"
                | "cette"
                | "ces"
                | "son"
                | "sa"
                | "ses"
                | "leur"
                | "leurs"
                | "notre"
                | "nos"
                | "the"
                | "a"
                | "an"
                | "this"
                | "its"
                | "his"
                | "her"
                | "their"
                | "our"
        );
        if article {
            return true;
        }
        // A French name behind a capital has its own article or none: `le Centre Brennan`.
        if !capital(before) || text.lang != Some(Lang::EN) {
            return false;
        }
    }
    false
}

fn is_usual(text: &Text, at: usize) -> bool {
    let Some(token) = text.tokens().get(at) else { return false };
    let dated = matches!(text.meanings().get(at), Some(Some(Lex::Month(_) | Lex::MaybeMonth(_) | Lex::Weekday(_))));
    dated
        || text.meanings().get(at).is_some_and(|lex| matches!(lex, Some(Lex::Unit(_) | Lex::Ten(_) | Lex::Ordinal(_) | Lex::Counted(_))))
        || USUAL.contains(fold(text.word(token)).as_str())
}

fn is_roman(word: &str) -> bool {
    word.chars().all(|c| "IVXLCDM".contains(c))
}
