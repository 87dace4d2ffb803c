//! Fractions: `# ?/?`, `??/??`, `# ??/16`.

use crate::lexer::{Placeholder, Token};
use crate::number::NumberLayout;
use crate::section::literal;

/// Excel looks for denominators of at most this many digits, however many placeholders there are.
const MAX_DENOMINATOR_DIGITS: usize = 7;

#[derive(Debug, Clone, PartialEq)]
enum Denominator {
    /// `/16`.
    Fixed(u64),
    /// `/??`.
    Digits(Vec<Placeholder>),
}

/// How a number is laid out as a fraction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FractionLayout {
    /// The whole part, with the literals around it, or only literals.
    whole: NumberLayout,
    /// Whether there are placeholders for the whole part: a mixed number.
    mixed: bool,
    numerator: Vec<Placeholder>,
    /// The slash with the spaces around it.
    slash: String,
    denominator: Denominator,
    suffix: String,
    percent: bool,
}

impl FractionLayout {
    /// Lays out a section with a slash between digits; `None` if it has none.
    pub(crate) fn compile(tokens: &[Token]) -> Option<FractionLayout> {
        let slash = tokens.iter().position(|token| *token == Token::Slash)?;
        // Spaces may stand around the slash.
        let is_digit = |token: &Token| matches!(token, Token::Placeholder(_));
        let numerator_end = tokens[..slash].iter().rposition(is_digit)? + 1;
        let before_slash = spaces(&tokens[numerator_end..slash])?;
        let space_after = tokens[slash + 1..].iter().take_while(|token| is_space(token)).count();
        let after_slash = spaces(&tokens[slash + 1..slash + 1 + space_after])?;
        let (left, right) = (&tokens[..numerator_end], &tokens[slash + 1 + space_after..]);
        let numerator = placeholders(left.iter().rev()).collect::<Vec<_>>();
        if numerator.is_empty()
            || left.iter().any(|token| matches!(token, Token::Point | Token::Exponent { .. }))
        {
            return None;
        }
        let (denominator, used) = denominator(right)?;
        let rest = &left[..left.len() - numerator.len()];
        let suffix = right[used..].iter().filter_map(|token| literal(token.clone())).collect();
        Some(FractionLayout {
            mixed: rest.iter().any(|token| matches!(token, Token::Placeholder(_))),
            whole: NumberLayout::compile(
                rest.iter().filter(|token| !matches!(token, Token::Percent)).cloned().collect(),
            ),
            numerator: numerator.into_iter().rev().collect(),
            slash: format!("{before_slash}/{after_slash}"),
            denominator,
            suffix,
            percent: tokens.contains(&Token::Percent),
        })
    }

    /// Appends a non-negative number.
    pub(crate) fn write(&self, out: &mut String, number: f64) {
        let number = if self.percent { number * 100.0 } else { number };
        let (numerator, denominator) = match &self.denominator {
            Denominator::Fixed(denominator) => ((number * *denominator as f64).round(), *denominator as f64),
            Denominator::Digits(digits) => {
                let limit = 10f64.powi(digits.len().min(MAX_DENOMINATOR_DIGITS) as i32) - 1.0;
                approximate(number, limit)
            }
        };
        let whole = if self.mixed { (numerator / denominator).floor() } else { 0.0 };
        let numerator = numerator - whole * denominator;
        // `0` asks for the fraction even when it is nothing.
        let optional = !self.numerator.contains(&Placeholder::Zero);
        let absent = self.mixed && numerator == 0.0 && optional;
        if self.mixed && whole == 0.0 && absent {
            self.whole_zero(out);
        } else {
            self.whole.write(out, whole);
        }
        let numerator = integer_text(numerator);
        let denominator_width = match &self.denominator {
            Denominator::Fixed(value) => value.to_string().len(),
            Denominator::Digits(digits) => digits.len(),
        };
        if absent {
            out.extend(std::iter::repeat_n(' ', self.numerator.len() + self.slash.len() + denominator_width));
        } else {
            let missing = self.numerator.len().saturating_sub(numerator.len());
            for placeholder in &self.numerator[..missing] {
                push_absent(out, *placeholder);
            }
            out.push_str(&numerator);
            out.push_str(&self.slash);
            self.write_denominator(out, &integer_text(denominator));
        }
        out.push_str(&self.suffix);
    }

    /// Zero shows its 0 even through `#`: something must be seen.
    fn whole_zero(&self, out: &mut String) {
        let start = out.len();
        self.whole.write(out, 0.0);
        if !out[start..].contains('0') {
            out.insert(start, '0');
        }
    }

    fn write_denominator(&self, out: &mut String, text: &str) {
        match &self.denominator {
            Denominator::Fixed(_) => out.push_str(text),
            Denominator::Digits(digits) => {
                // Denominators are aligned to the left, unless zeros fill them up.
                let missing = digits.len().saturating_sub(text.len());
                for placeholder in &digits[..missing] {
                    if *placeholder == Placeholder::Zero {
                        out.push('0');
                    }
                }
                out.push_str(text);
                for placeholder in &digits[..missing] {
                    if *placeholder == Placeholder::Question {
                        out.push(' ');
                    }
                }
            }
        }
    }
}

fn is_space(token: &Token) -> bool {
    match token {
        Token::Literal(character) => *character == ' ',
        Token::Quoted(text) => text == " ",
        _ => false,
    }
}

/// As many spaces as there are tokens; `None` if one of them is no space.
fn spaces(tokens: &[Token]) -> Option<String> {
    tokens.iter().all(is_space).then(|| " ".repeat(tokens.len()))
}

fn placeholders<'a>(tokens: impl Iterator<Item = &'a Token>) -> impl Iterator<Item = Placeholder> {
    tokens.map_while(
        |token| if let Token::Placeholder(placeholder) = token { Some(*placeholder) } else { None },
    )
}

/// The denominator that starts the tokens, and how many of them it takes.
fn denominator(tokens: &[Token]) -> Option<(Denominator, usize)> {
    if let Some(Token::Literal('1'..='9')) = tokens.first() {
        let digits: String = tokens
            .iter()
            .map_while(|token| match token {
                Token::Literal(digit) if digit.is_ascii_digit() => Some(*digit),
                Token::Placeholder(Placeholder::Zero) => Some('0'),
                _ => None,
            })
            .collect();
        // Beyond 15 digits a double could not tell denominators apart.
        let value = if digits.len() <= 15 { digits.parse().ok()? } else { return None };
        return Some((Denominator::Fixed(value), digits.len()));
    }
    let digits: Vec<Placeholder> = placeholders(tokens.iter()).collect();
    let used = digits.len();
    (used > 0).then_some((Denominator::Digits(digits), used))
}

/// The last convergent of the number's continued fraction whose denominator is within the limit. Excel stops at
/// convergents too, though a semiconvergent may be nearer: 0.3 through `?/?` is 1/3, not 2/7.
fn approximate(number: f64, limit: f64) -> (f64, f64) {
    let (mut p_before, mut q_before) = (0.0, 1.0);
    let (mut p, mut q) = (1.0, 0.0);
    let mut rest = number;
    // The denominators grow at least as Fibonacci's numbers: seven digits are passed long before.
    for _ in 0..64 {
        let whole = rest.floor();
        let (p_next, q_next) = (whole * p + p_before, whole * q + q_before);
        if q_next > limit {
            break;
        }
        (p_before, q_before, p, q) = (p, q, p_next, q_next);
        let fraction = rest - whole;
        if fraction < 5e-8 {
            break;
        }
        rest = 1.0 / fraction;
    }
    (p, q)
}

fn integer_text(number: f64) -> String {
    let mut text = String::new();
    crate::decimal::Decimal::of(number).write_fixed(&mut text);
    text
}

fn push_absent(out: &mut String, placeholder: Placeholder) {
    match placeholder {
        Placeholder::Zero => out.push('0'),
        Placeholder::Question => out.push(' '),
        Placeholder::Hash => {}
    }
}
