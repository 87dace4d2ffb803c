//! Digits: integers, decimals, thousands, percent, scaling and exponents.

use crate::FormatKind;
use crate::decimal::Decimal;
use crate::lexer::{Placeholder, Token};
use crate::section::literal;

/// A part of a number's section, from left to right.
#[derive(Debug, Clone, PartialEq)]
enum Item {
    Literal(String),
    Integer(Placeholder),
    Point,
    Decimal(Placeholder),
    /// `E+00`: whether a plus is shown, and the least number of digits.
    Exponent {
        plus: bool,
        digits: usize,
    },
}

/// How a number's digits are laid out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NumberLayout {
    items: Vec<Item>,
    /// How many placeholders stand before the decimal point.
    integers: i32,
    /// How many stand after it.
    decimals: i32,
    grouped: bool,
    /// The power of ten that percent signs and scaling commas multiply by.
    shift: i32,
    scientific: bool,
    percent: bool,
    currency: bool,
}

impl NumberLayout {
    /// Lays out a section without dates, text or fractions.
    pub(crate) fn compile(tokens: Vec<Token>) -> NumberLayout {
        let mut layout = NumberLayout {
            items: Vec::with_capacity(tokens.len()),
            integers: 0,
            decimals: 0,
            grouped: false,
            shift: 0,
            scientific: false,
            percent: false,
            currency: false,
        };
        let is_digit = |token: &Token| matches!(token, Token::Placeholder(_));
        let first_digit = tokens.iter().position(is_digit);
        let last_digit = tokens.iter().rposition(is_digit);
        let mut after_point = false;
        let mut pending_commas = 0;
        let mut in_exponent = false;
        for (index, token) in tokens.into_iter().enumerate() {
            match token {
                Token::Placeholder(placeholder) if in_exponent => {
                    if let Some(Item::Exponent { digits, .. }) = layout.items.last_mut() {
                        *digits += usize::from(placeholder != Placeholder::Hash);
                        continue;
                    }
                    // Digits after a literal behind the exponent have nothing left to show.
                }
                Token::Placeholder(placeholder) => {
                    // Commas that digits follow group thousands; the others scale.
                    layout.grouped |= pending_commas > 0 && !after_point;
                    pending_commas = 0;
                    if after_point {
                        layout.decimals += 1;
                        layout.items.push(Item::Decimal(placeholder));
                    } else {
                        layout.integers += 1;
                        layout.items.push(Item::Integer(placeholder));
                    }
                }
                Token::Comma
                    if first_digit.is_some_and(|first| first < index)
                        && (last_digit.is_some_and(|last| last > index) || pending_is_scaling(&layout)) =>
                {
                    pending_commas += 1;
                }
                Token::Point if !after_point && !in_exponent => {
                    layout.shift -= 3 * pending_commas;
                    pending_commas = 0;
                    after_point = true;
                    layout.items.push(Item::Point);
                }
                Token::Exponent { plus } if !layout.scientific => {
                    layout.scientific = true;
                    in_exponent = true;
                    layout.items.push(Item::Exponent { plus, digits: 0 });
                }
                other => layout.push_literal(other),
            }
        }
        layout.shift -= 3 * pending_commas;
        layout
    }

    fn push_literal(&mut self, token: Token) {
        match &token {
            Token::Percent => {
                self.percent = true;
                self.shift += 2;
            }
            Token::Currency(_) => self.currency = true,
            Token::Literal(symbol) => self.currency |= is_currency(*symbol),
            Token::Quoted(text) => self.currency |= text.chars().any(is_currency),
            _ => {}
        }
        let Some(text) = literal(token) else {
            return;
        };
        match self.items.last_mut() {
            Some(Item::Literal(last)) => last.push_str(&text),
            _ => self.items.push(Item::Literal(text)),
        }
    }

    pub(crate) fn kind(&self) -> FormatKind {
        if self.scientific {
            FormatKind::Scientific
        } else if self.percent {
            FormatKind::Percent
        } else if self.currency {
            FormatKind::Currency
        } else {
            FormatKind::Number
        }
    }

    /// Whether there are digits to show and all of them are zero.
    pub(crate) fn rounds_to_zero(&self, number: f64) -> bool {
        let has_digits = self.integers + self.decimals > 0;
        has_digits && !self.scientific && Decimal::of(number).shift(self.shift).round(self.decimals).is_zero()
    }

    /// Appends the literals alone, as a section for text without `@` shows.
    pub(crate) fn write_literals(&self, out: &mut String) {
        for item in &self.items {
            if let Item::Literal(text) = item {
                out.push_str(text);
            }
        }
    }

    /// Appends a non-negative number.
    pub(crate) fn write(&self, out: &mut String, number: f64) {
        let scaled = Decimal::of(number).shift(self.shift);
        let (digits, exponent) =
            if self.scientific { self.mantissa(scaled) } else { (scaled.round(self.decimals), 0) };
        let mut power = self.integers;
        let mut begun = false;
        for item in &self.items {
            match item {
                Item::Literal(text) => out.push_str(text),
                Item::Integer(placeholder) => {
                    if !begun {
                        begun = true;
                        self.write_leading(out, &digits);
                    }
                    power -= 1;
                    self.write_integer(out, &digits, power, *placeholder);
                }
                Item::Point => {
                    if self.integers == 0 {
                        self.write_leading(out, &digits);
                    }
                    out.push('.');
                    power = 0;
                }
                Item::Decimal(placeholder) => {
                    power -= 1;
                    if !digits.is_zero() && power >= digits.lowest_power() {
                        out.push(digits.digit(power));
                    } else {
                        write_absent(out, *placeholder);
                    }
                }
                Item::Exponent { plus, digits: width } => write_exponent(out, exponent, *plus, *width),
            }
        }
    }

    /// Appends the digits that stand left of the first placeholder.
    fn write_leading(&self, out: &mut String, digits: &Decimal) {
        for power in (self.integers..digits.integer_digits()).rev() {
            out.push(digits.digit(power));
            self.write_group(out, power, ',');
        }
    }

    fn write_integer(&self, out: &mut String, digits: &Decimal, power: i32, placeholder: Placeholder) {
        if power < digits.integer_digits() {
            out.push(digits.digit(power));
            self.write_group(out, power, ',');
            return;
        }
        write_absent(out, placeholder);
        match placeholder {
            Placeholder::Zero => self.write_group(out, power, ','),
            Placeholder::Question => self.write_group(out, power, ' '),
            Placeholder::Hash => {}
        }
    }

    fn write_group(&self, out: &mut String, power: i32, separator: char) {
        if self.grouped && power > 0 && power % 3 == 0 {
            out.push(separator);
        }
    }

    /// The digits before an exponent, and the exponent: a multiple of the number of integer placeholders.
    fn mantissa(&self, number: Decimal) -> (Decimal, i32) {
        if number.is_zero() {
            return (number, 0);
        }
        let period = self.integers.max(1);
        let exponent_of = |number: &Decimal| {
            if self.integers == 0 { number.point() } else { (number.point() - 1).div_euclid(period) * period }
        };
        let mut exponent = exponent_of(&number);
        let mut digits = number.shift(-exponent).round(self.decimals);
        // Rounding up may have added a digit: 9.99 becomes 10.0.
        let carried = exponent_of(&digits);
        if carried > 0 {
            exponent += carried;
            digits = number.shift(-exponent).round(self.decimals);
        }
        (digits, exponent)
    }
}

/// Whether a comma behind the last digit scales: only right behind a digit, the point or another such comma.
fn pending_is_scaling(layout: &NumberLayout) -> bool {
    matches!(layout.items.last(), Some(Item::Integer(_) | Item::Decimal(_) | Item::Point))
}

fn is_currency(symbol: char) -> bool {
    matches!(
        symbol,
        '$' | '¢' | '£' | '¤' | '¥' | '€' | '\u{20a0}'..='\u{20cf}' | '￥' | '￡' | '￠' | '￦' | '＄'
    )
}

fn write_absent(out: &mut String, placeholder: Placeholder) {
    match placeholder {
        Placeholder::Zero => out.push('0'),
        Placeholder::Question => out.push(' '),
        Placeholder::Hash => {}
    }
}

fn write_exponent(out: &mut String, exponent: i32, plus: bool, width: usize) {
    out.push('E');
    if exponent < 0 {
        out.push('-');
    } else if plus {
        out.push('+');
    }
    let text = exponent.unsigned_abs().to_string();
    out.extend(std::iter::repeat_n('0', width.saturating_sub(text.len())));
    out.push_str(&text);
}
