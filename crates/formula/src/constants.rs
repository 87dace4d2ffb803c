//! Numbers that are written into a formula where a cell should hold them.

use std::ops::Range;

use crate::survey::plain_name;
use crate::{Operator, Separator, TokenKind, lex};

/// A hard-coded number.
#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    /// The bytes of the formula that hold it, a `%` included, a sign not.
    pub span: Range<usize>,
    /// Its value, of the percentage if it is one; without sign.
    pub value: f64,
}

/// The numbers in a formula that look like inputs: `1.07` of `Revenue*1.07`.
///
/// Left out are 0, 1 and 100%, and numbers directly in an argument that chooses or counts rather than measures:
/// the column of `VLOOKUP`, the digits of `ROUND`, the parts of `DATE`. A call within such an argument is judged
/// on its own.
pub fn hardcoded_constants(formula: &str) -> Vec<Constant> {
    let mut found: Vec<Constant> = Vec::new();
    let mut levels: Vec<Level> = Vec::new();
    let mut called = None;
    let mut candidate: Option<Constant> = None;
    for token in lex(formula) {
        if token.kind == TokenKind::Operator(Operator::Percent)
            && let Some(constant) = &mut candidate
        {
            constant.span.end = token.span().end;
            constant.value /= 100.0;
            continue;
        }
        found.extend(candidate.take().filter(Constant::is_input));
        match token.kind {
            TokenKind::Number if !levels.last().is_some_and(Level::is_structural) => {
                let value = token.text.parse().ok();
                candidate = value.map(|value| Constant { span: token.span(), value });
            }
            TokenKind::OpenParen => levels.push(match called {
                Some(name) => Level::Call { structural: structural_arguments(plain_name(name)), argument: 0 },
                None => Level::within(&levels),
            }),
            TokenKind::OpenBrace => levels.push(Level::within(&levels)),
            TokenKind::CloseParen | TokenKind::CloseBrace => {
                levels.pop();
            }
            TokenKind::Separator(Separator::Argument) => {
                if let Some(Level::Call { argument, .. }) = levels.last_mut() {
                    *argument += 1;
                }
            }
            _ => {}
        }
        called = (token.kind == TokenKind::Function).then(|| token.body());
    }
    found.extend(candidate.filter(Constant::is_input));
    found
}

impl Constant {
    fn is_input(&self) -> bool {
        self.value != 0.0 && self.value != 1.0
    }
}

/// An open parenthesis or brace.
#[derive(Debug, Clone, Copy)]
enum Level {
    Call { structural: Arguments, argument: u32 },
    Group { is_structural: bool },
}

impl Level {
    /// Parentheses and braces without a call belong to the argument they stand in.
    fn within(levels: &[Level]) -> Level {
        Level::Group { is_structural: levels.last().is_some_and(Level::is_structural) }
    }

    fn is_structural(&self) -> bool {
        match *self {
            Level::Call { structural, argument } => structural.0 >> argument.min(31) & 1 == 1,
            Level::Group { is_structural } => is_structural,
        }
    }
}

/// A set of argument positions, one bit each.
#[derive(Debug, Clone, Copy)]
struct Arguments(u32);

impl Arguments {
    const NONE: Arguments = Arguments(0);
    const ALL: Arguments = Arguments(u32::MAX);

    /// The argument counted from 1, and no other.
    const fn only(position: u32) -> Arguments {
        Arguments(1 << (position - 1))
    }

    /// Every argument from this one, counted from 1.
    const fn from(position: u32) -> Arguments {
        Arguments(u32::MAX << (position - 1))
    }
}

/// The arguments of a function that choose, count or place rather than measure.
fn structural_arguments(name: &str) -> Arguments {
    match name.to_ascii_uppercase().as_str() {
        "DATE" | "TIME" | "CHAR" | "UNICHAR" | "SEQUENCE" | "MAKEARRAY" | "GETPIVOTDATA" | "ADDRESS" => {
            Arguments::ALL
        }
        "SUBTOTAL" | "CHOOSE" => Arguments::only(1),
        "AGGREGATE" => Arguments(0b11),
        "INDEX" | "OFFSET" | "MID" | "REPLACE" | "TAKE" | "DROP" | "EXPAND" | "CHOOSECOLS" | "CHOOSEROWS"
        | "SORT" | "SORTBY" | "WRAPROWS" | "WRAPCOLS" | "TOCOL" | "TOROW" => Arguments::from(2),
        "VLOOKUP" | "HLOOKUP" | "MATCH" | "RANK" | "RANK.EQ" | "RANK.AVG" | "FIND" | "FINDB" | "SEARCH"
        | "SEARCHB" | "YEARFRAC" | "TEXTSPLIT" | "TEXTBEFORE" | "TEXTAFTER" | "NETWORKDAYS.INTL"
        | "WORKDAY.INTL" | "XMATCH" => Arguments::from(3),
        "SUBSTITUTE" => Arguments::from(4),
        "XLOOKUP" => Arguments::from(5),
        "ROUND" | "ROUNDUP" | "ROUNDDOWN" | "TRUNC" | "FIXED" | "DOLLAR" | "MROUND" | "CEILING" | "FLOOR"
        | "CEILING.MATH" | "FLOOR.MATH" | "CEILING.PRECISE" | "FLOOR.PRECISE" | "ISO.CEILING" | "LEFT"
        | "LEFTB" | "RIGHT" | "RIGHTB" | "MIDB" | "REPT" | "LARGE" | "SMALL" | "QUARTILE"
        | "QUARTILE.INC" | "QUARTILE.EXC" | "EDATE" | "EOMONTH" | "WEEKDAY" | "WEEKNUM" | "BASE"
        | "DECIMAL" | "LOG" => Arguments::from(2),
        _ => Arguments::NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(formula: &str, expected: &[(&str, f64)]) {
        let found = hardcoded_constants(formula);
        let found: Vec<(&str, f64)> = found.iter().map(|c| (&formula[c.span.clone()], c.value)).collect();
        assert_eq!(found, expected, "{formula}");
    }

    #[test]
    fn inputs() {
        check("Revenue*1.07", &[("1.07", 1.07)]);
        check("A1*5%", &[("5%", 0.05)]);
        check("200%%*A1", &[("200%%", 0.02)]);
        check("-A1*-.5+1E+5", &[(".5", 0.5), ("1E+5", 100_000.0)]);
        check("IF(A1>1000,A1*0.2,0)", &[("1000", 1000.0), ("0.2", 0.2)]);
        check("A1/12", &[("12", 12.0)]);
        check("SUM({1,2;3,\"a\"})", &[("2", 2.0), ("3", 3.0)]);
        check("42", &[("42", 42.0)]);
    }

    #[test]
    fn not_inputs() {
        for formula in ["A1+1", "A1*100%", "1-A1", "\"1.07\"", "A2+B3", "LOG10(A1)", "SUM(2:3)", "T[2024]"] {
            check(formula, &[]);
        }
    }

    #[test]
    fn arguments_that_choose_or_count() {
        check("VLOOKUP(A1,B:D,3,0)", &[]);
        check("MATCH(A1,B:B,-1)+_xlfn.XMATCH(A1,B:B,-1,2)", &[]);
        check("SUBSTITUTE(A1,2,3,4)", &[("2", 2.0), ("3", 3.0)]);
        check("VLOOKUP(7,B:D,3,0)", &[("7", 7.0)]);
        check("ROUND(A1*1.07,2)", &[("1.07", 1.07)]);
        check("DATE(2024,1,31)+14", &[("14", 14.0)]);
        check("INDEX(A:A,ROW()+3)", &[]);
        check("INDEX(A:A,(2+3)*2)", &[]);
        check("INDEX(A:A,IF(B1>5,2,1))", &[("5", 5.0), ("2", 2.0)]);
        check("LARGE(A:A,{1,2,3})", &[]);
        check("SUBTOTAL(9,A:A)*3", &[("3", 3.0)]);
        check("_xlfn.XLOOKUP(A1,B:B,C:C,99,-1,2)", &[("99", 99.0)]);
    }
}
