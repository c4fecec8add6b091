//! Finds the figures of a text, in digits and in words, French or English, and what each may mean.

use std::ops::Range;

use super::figure::Figure;
use super::spelled;
use crate::check::lexicon::{CLOCK, DAY, Lex, MAGNITUDE, RATIO};
use crate::check::text::{Kind, Text, Token};
use crate::model::Lang;

/// Walks once over the words of a text.
pub(super) struct Reader<'t> {
    pub(super) text: &'t Text<'t>,
    pub(super) tokens: &'t [Token],
    pub(super) lex: &'t [Option<&'static Lex>],
    pub(super) english: bool,
    pub(super) figures: Vec<Figure>,
}

/// A number, where it ends, and what of it may be shared by the number before it (`2 à 3 millions`).
#[derive(Clone, Copy)]
pub(super) struct Numeral {
    pub(super) value: f64,
    pub(super) next: usize,
    pub(super) scale: f64,
    pub(super) ordinal: bool,
}

/// The figures of `text`, in their order, but for those in `dates`.
pub(super) fn read(text: &Text, dates: &[Range<usize>]) -> Vec<Figure> {
    let (tokens, lex) = (text.tokens(), text.meanings());
    let mut reader = Reader { text, tokens, lex, english: text.lang == Some(Lang::EN), figures: Vec::new() };
    let mut at = 0;
    let mut dates = dates.iter().peekable();
    while let Some(token) = tokens.get(at) {
        while dates.next_if(|date| date.end <= token.span.start).is_some() {}
        let in_date = dates.peek().is_some_and(|date| date.start <= token.span.start);
        at = if in_date { at + 1 } else { reader.figure(at).max(at + 1) };
    }
    reader.share_units();
    reader.figures
}

impl Reader<'_> {
    pub(super) fn low(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| self.text.low(token))
    }

    pub(super) fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    pub(super) fn meaning(&self, at: usize) -> Option<Lex> {
        self.lex.get(at).copied().flatten().copied()
    }

    /// Whether nothing stands between a token and the one before it.
    pub(super) fn glued(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| !token.spaced)
    }

    /// Reads what begins at `at`; returns where to go on.
    fn figure(&mut self, at: usize) -> usize {
        if self.kind(at) == Some(Kind::Digits) {
            return self.digits(at);
        }
        match self.meaning(at) {
            Some(Lex::One | Lex::Unit(_) | Lex::Ten(_) | Lex::Hundred | Lex::Scale(_)) => self.words(at),
            Some(Lex::Ordinal(number)) => self.push(at, at + 1, Figure::of(f64::from(number))),
            Some(Lex::WeakOrdinal(number)) => self.push(at, at + 1, Figure::of(f64::from(number)).weak()),
            Some(Lex::Vague(size)) => self.vague(at, size),
            Some(Lex::Collective(number)) => self.collective(at, at, number, 1.0),
            Some(Lex::Fraction(parts)) => self.fraction(at, at + 1, 1.0, parts),
            Some(Lex::Hint(number)) => self.push(at, at + 1, Figure::of(number).weak()),
            Some(Lex::Span(number, measure)) => self.push(at, at + 1, Figure::of(number).measured(measure).weak()),
            Some(Lex::Clock(minutes)) => self.push(at, at + 1, Figure::of(f64::from(minutes)).measured(CLOCK).weak()),
            None if self.kind(at) == Some(Kind::Word) => self.roman(at),
            _ => at + 1,
        }
    }

    pub(super) fn push(&mut self, from: usize, to: usize, figure: Figure) -> usize {
        let start = self.tokens.get(from).map_or(0, |token| token.span.start);
        let end = self.tokens.get(to.saturating_sub(1)).map_or(start, |token| token.span.end);
        self.figures.push(Figure { span: start..end, tokens: from..to, ..figure });
        to
    }

    /// `XXe`, `XIXème`: centuries and kings.
    fn roman(&mut self, at: usize) -> usize {
        let Some(token) = self.tokens.get(at) else { return at + 1 };
        // The first byte tells: this is asked of nearly every word.
        if !matches!(self.text.as_str().as_bytes().get(token.span.start), Some(b'I' | b'V' | b'X')) {
            return at + 1;
        }
        let word = self.text.word(token);
        let digits = word.trim_end_matches(['e', 'è', 'm', 'r']);
        // World War II is the second
        if matches!(word, "II" | "III" | "IV" | "VI" | "VII" | "VIII" | "IX" | "XI" | "XII") {
            return self.push(at, at + 1, Figure::of(roman(word)).weak());
        }
        let is_roman = !self.english && !digits.is_empty() && digits.len() < word.len() && digits.chars().all(|c| "IVX".contains(c));
        if is_roman { self.push(at, at + 1, Figure::of(roman(digits))) } else { at + 1 }
    }

    fn vague(&mut self, at: usize, size: f64) -> usize {
        let mut size = size;
        let mut next = at + 1;
        // `des dizaines de milliers`, `hundreds of thousands`
        if matches!(self.low(next), "de" | "of")
            && let Some(Lex::Vague(more) | Lex::Scale(more)) = self.meaning(next + 1)
        {
            size *= more;
            next += 2;
        }
        self.push(at, next, Figure::of(size).measured(MAGNITUDE).weak())
    }

    /// `une vingtaine`, `two dozen`, `une centaine de milliers`.
    fn collective(&mut self, from: usize, at: usize, number: f64, count: f64) -> usize {
        let next = at + 1;
        let start = if from > 0 && matches!(self.meaning(from - 1), Some(Lex::One)) { from - 1 } else { from };
        let mut figure = Figure::of(number * count);
        // `une dizaine` is `about ten`, and as often `a dozen`; `une quinzaine` is a fortnight too.
        match number.round() {
            10.0 => figure = figure.or(12.0 * count, None),
            12.0 => figure = figure.or(10.0 * count, None),
            15.0 => figure = figure.or(14.0, Some(DAY)),
            _ => {}
        }
        if matches!(self.low(next), "de" | "of")
            && let Some(Lex::Vague(more) | Lex::Scale(more)) = self.meaning(next + 1)
        {
            return self.push(start, next + 2, Figure::of(number * count * more));
        }
        self.measured(start, next, figure)
    }

    pub(super) fn fraction(&mut self, from: usize, next: usize, count: f64, parts: u8) -> usize {
        let value = count / f64::from(parts);
        let after = if self.low(next) == "-" { next + 1 } else { next };
        // `half a million`, `demi-heure`, `trois quarts d'heure`
        let joined = match (self.meaning(after), self.low(after)) {
            (Some(Lex::One), _) if self.english => after + 1,
            (_, "d") => after + 2,
            _ => after,
        };
        match self.meaning(joined) {
            Some(Lex::Scale(scale) | Lex::Collective(scale)) => return self.measured(from, joined + 1, Figure::of(value * scale)),
            Some(Lex::Counted(measure)) if joined != next => {
                return self.push(from, joined + 1, Figure::of(value).measured(measure).weak());
            }
            _ => {}
        }
        let sure = next > from + 1 && (count > 1.0 || parts > 2);
        let figure = Figure::of(value).measured(RATIO);
        self.push(from, next, if sure { figure } else { figure.weak() })
    }

    /// A number in words, with what belongs to it.
    fn words(&mut self, at: usize) -> usize {
        let before = at.saturating_sub(if at > 1 && self.low(at - 1) == "-" { 2 } else { 1 });
        let percent = at > 0 && matches!(self.low(before), "pour" | "per") && self.meaning(at) == Some(Lex::Hundred);
        if percent {
            return at + 1;
        }
        let Some(numeral) = spelled::number(self, at) else {
            return match self.meaning(at) {
                // `a dozen`, `une vingtaine`: read from the next word
                Some(Lex::Scale(size)) => self.vague(at, size),
                Some(Lex::Hundred) => self.push(at, at + 1, Figure::of(100.0).measured(MAGNITUDE).weak()),
                Some(Lex::One) => self.one(at),
                _ => at + 1,
            };
        };
        let dash = usize::from(self.low(numeral.next) == "-");
        if numeral.value < 20.0 && !numeral.ordinal {
            match self.meaning(numeral.next + dash) {
                Some(Lex::Fraction(parts)) if numeral.value.fract() == 0.0 => {
                    return self.fraction(at, numeral.next + dash + 1, numeral.value, parts);
                }
                Some(Lex::Collective(number)) => return self.collective(at, numeral.next + dash, number, numeral.value),
                Some(Lex::Vague(number)) if !self.english => return self.collective(at, numeral.next + dash, number, numeral.value),
                _ => {}
            }
        }
        let figure = Figure::of(numeral.value).scaled(numeral.scale);
        // `neuf` is new as often as nine: a number where something is counted.
        let single = numeral.next == at + 1;
        let doubtful =
            single && ((self.low(at) == "neuf" && !self.low(at + 1).ends_with(['s', 'x'])) || numeral.ordinal && numeral.value < 3.0);
        self.measured(at, numeral.next, if doubtful { figure.weak() } else { figure })
    }

    /// `one third`, `un quart`, `un demi`; else an article.
    fn one(&mut self, at: usize) -> usize {
        let dash = usize::from(self.low(at + 1) == "-");
        let after = at + 1 + dash;
        match self.meaning(after) {
            Some(Lex::Fraction(parts)) if parts > 2 || dash == 1 || !self.english => self.fraction(at, after + 1, 1.0, parts),
            Some(Lex::Ordinal(parts @ 3..=10))
                if dash == 1 || self.low(at) == "one" || matches!(self.low(after + 1), "of" | "des" | "de") =>
            {
                self.fraction(at, after + 1, 1.0, u8::try_from(parts).unwrap_or(1))
            }
            // `a third` is a part, or one more after two.
            Some(Lex::Ordinal(parts @ 3..=10)) => {
                let parts = f64::from(parts);
                self.push(at, after + 1, Figure::of(parts).or(1.0 / parts, Some(RATIO)))
            }
            // `one and a half thousand`
            Some(Lex::And) if self.and_a_half(after).0 > 0.0 => self.measured(at, after, Figure::of(1.0)),
            // `un an et demi`
            Some(Lex::Counted(_)) if dash == 0 && self.and_a_half(after + 1).0 > 0.0 => self.measured(at, after, Figure::of(1.0)),
            // `a day`, where the other says 24 hours
            Some(Lex::Counted(measure)) if dash == 0 => self.push(at, after + 1, Figure::of(1.0).measured(measure).weak()),
            _ => at + 1,
        }
    }
}

fn roman(digits: &str) -> f64 {
    let value = |c: char| match c {
        'I' => 1,
        'V' => 5,
        _ => 10,
    };
    let values: Vec<i32> = digits.chars().map(value).collect();
    let signed =
        values.iter().enumerate().map(|(at, value)| if values.get(at + 1).is_some_and(|next| next > value) { -value } else { *value });
    f64::from(signed.sum::<i32>())
}
