//! One of the up to four sections of a code: for which numbers it stands, and what it makes of them.

use crate::date::DateLayout;
use crate::fraction::FractionLayout;
use crate::lexer::{self, Token};
use crate::number::NumberLayout;
use crate::{FormatKind, MAX_TEXT_BYTES, general};

/// A colour that a code asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each variant's name is the colour")]
pub enum Color {
    Black,
    Blue,
    Cyan,
    Green,
    Magenta,
    Red,
    White,
    Yellow,
    /// `[Color12]`: 1 to 56 of the workbook's palette.
    Indexed(u8),
}

impl Color {
    pub(crate) fn parse(text: &str) -> Option<Color> {
        const NAMED: [(&str, Color); 8] = [
            ("black", Color::Black),
            ("blue", Color::Blue),
            ("cyan", Color::Cyan),
            ("green", Color::Green),
            ("magenta", Color::Magenta),
            ("red", Color::Red),
            ("white", Color::White),
            ("yellow", Color::Yellow),
        ];
        if let Some((_, color)) = NAMED.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)) {
            return Some(*color);
        }
        let index = text.get(..5).filter(|start| start.eq_ignore_ascii_case("color")).map(|_| &text[5..])?;
        let index: u8 = index.trim().parse().ok()?;
        (1..=56).contains(&index).then_some(Color::Indexed(index))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Below,
    AtMost,
    Equal,
    NotEqual,
    AtLeast,
    Above,
}

/// `[>=100]`, written or implied by the section's place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Condition {
    pub(crate) comparison: Comparison,
    pub(crate) bound: f64,
}

impl Condition {
    pub(crate) fn holds(self, number: f64) -> bool {
        match self.comparison {
            Comparison::Below => number < self.bound,
            Comparison::AtMost => number <= self.bound,
            Comparison::Equal => number == self.bound,
            Comparison::NotEqual => number != self.bound,
            Comparison::AtLeast => number >= self.bound,
            Comparison::Above => number > self.bound,
        }
    }

    fn complement(self) -> Condition {
        let comparison = match self.comparison {
            Comparison::Below => Comparison::AtLeast,
            Comparison::AtMost => Comparison::Above,
            Comparison::Equal => Comparison::NotEqual,
            Comparison::NotEqual => Comparison::Equal,
            Comparison::AtLeast => Comparison::Below,
            Comparison::Above => Comparison::AtMost,
        };
        Condition { comparison, bound: self.bound }
    }

    /// Whether it holds for negative numbers only: then the section itself says how a negative number looks.
    fn only_negative(self) -> bool {
        match self.comparison {
            Comparison::Below => self.bound <= 0.0,
            Comparison::AtMost | Comparison::Equal => self.bound < 0.0,
            Comparison::NotEqual | Comparison::AtLeast | Comparison::Above => false,
        }
    }
}

/// A part of a section that shows the value whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    Literal(String),
    Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    /// `General` between literals.
    General(Vec<Piece>),
    /// `@` between literals.
    Text(Vec<Piece>),
    Number(NumberLayout),
    Fraction(FractionLayout),
    Date(DateLayout),
}

impl Body {
    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Body::Text(_))
    }

    pub(crate) fn kind(&self) -> FormatKind {
        match self {
            Body::General(_) => FormatKind::General,
            Body::Text(_) => FormatKind::Text,
            Body::Number(number) => number.kind(),
            Body::Fraction(_) => FormatKind::Fraction,
            Body::Date(date) => date.kind(),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Section {
    pub(crate) condition: Option<Condition>,
    pub(crate) color: Option<Color>,
    pub(crate) body: Body,
}

impl Section {
    pub(crate) fn hides_minus(&self) -> bool {
        self.condition.is_some_and(Condition::only_negative)
    }

    /// Appends a non-negative number. A date's layout writes itself, since it needs the date system.
    pub(crate) fn write_magnitude(&self, out: &mut String, number: f64) {
        match &self.body {
            Body::General(pieces) | Body::Text(pieces) => {
                let mut shown = String::new();
                general::write_magnitude(&mut shown, number);
                write_pieces(out, pieces, &shown);
            }
            Body::Number(layout) => layout.write(out, number),
            Body::Fraction(layout) => layout.write(out, number),
            Body::Date(_) => {}
        }
    }

    /// Appends text through the section for text.
    pub(crate) fn write_text(&self, out: &mut String, text: &str) {
        match &self.body {
            Body::Text(pieces) | Body::General(pieces) => write_pieces(out, pieces, text),
            Body::Number(layout) => layout.write_literals(out),
            Body::Fraction(_) | Body::Date(_) => out.push_str(text),
        }
    }
}

fn write_pieces(out: &mut String, pieces: &[Piece], value: &str) {
    let bound = out.len() + value.len() + MAX_TEXT_BYTES;
    for piece in pieces {
        let text = match piece {
            Piece::Literal(text) => text,
            Piece::Value => value,
        };
        if out.len() + text.len() > bound {
            return;
        }
        out.push_str(text);
    }
}

/// The sections of a code, or `None` if it is not one.
pub(crate) fn parse(code: &str) -> Option<Vec<Section>> {
    let sections = lexer::sections(code)?;
    if sections.len() > 4 {
        return None;
    }
    sections.into_iter().map(section).collect()
}

fn section(tokens: Vec<Token>) -> Option<Section> {
    let mut condition = None;
    let mut color = None;
    let mut content = Vec::with_capacity(tokens.len());
    for token in tokens {
        match token {
            Token::Condition(found) => condition = Some(found),
            Token::Color(found) => color = Some(found),
            other => content.push(other),
        }
    }
    let has = |wanted: fn(&Token) -> bool| content.iter().any(wanted);
    let body = if has(|token| matches!(token, Token::General)) {
        Body::General(pieces(content)?)
    } else if has(|token| matches!(token, Token::Unit(..) | Token::Elapsed(..) | Token::Meridiem(_))) {
        Body::Date(DateLayout::compile(content)?)
    } else if has(|token| matches!(token, Token::Text)) {
        Body::Text(pieces(content)?)
    } else if let Some(fraction) = FractionLayout::compile(&content) {
        Body::Fraction(fraction)
    } else {
        Body::Number(NumberLayout::compile(content))
    };
    Some(Section { condition, color, body })
}

/// The pieces of a section that shows its value whole; `None` where digits are asked for too.
fn pieces(tokens: Vec<Token>) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    for token in tokens {
        match token {
            Token::General | Token::Text => pieces.push(Piece::Value),
            other => push_literal(&mut pieces, literal(other)?),
        }
    }
    Some(pieces)
}

fn push_literal(pieces: &mut Vec<Piece>, text: String) {
    match pieces.last_mut() {
        Some(Piece::Literal(last)) => last.push_str(&text),
        _ => pieces.push(Piece::Literal(text)),
    }
}

/// The text of a token that stands for itself.
pub(crate) fn literal(token: Token) -> Option<String> {
    Some(match token {
        Token::Literal(character) => character.to_string(),
        Token::Quoted(text) | Token::Currency(text) => text,
        Token::Point => ".".to_owned(),
        Token::Comma => ",".to_owned(),
        Token::Percent => "%".to_owned(),
        Token::Slash => "/".to_owned(),
        Token::Text => "@".to_owned(),
        _ => return None,
    })
}

/// Gives each section for numbers the condition that its place implies (ECMA-376 Part 1 §18.8.31): positive,
/// negative, zero. Of two sections, one without a condition takes what the other leaves: Excel drops the minus
/// of -2 through `[>=-1]0;0`, where only negative numbers are left, but not through `[>=1]0;0`.
pub(crate) fn assign_conditions(sections: &mut [Section]) {
    const POSITIVE: Condition = Condition { comparison: Comparison::Above, bound: 0.0 };
    const NEGATIVE: Condition = Condition { comparison: Comparison::Below, bound: 0.0 };
    match sections {
        [first, second] => {
            let second_condition = second.condition.unwrap_or(NEGATIVE);
            let first_condition = *first.condition.get_or_insert(second_condition.complement());
            second.condition.get_or_insert(first_condition.complement());
        }
        [first, second, ..] => {
            first.condition.get_or_insert(POSITIVE);
            second.condition.get_or_insert(NEGATIVE);
        }
        _ => {}
    }
}
