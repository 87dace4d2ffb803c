//! Whether a formula is one: what a spreadsheet program would refuse to take, told with its place, so that it can be put
//! right.

use crate::{Operator, Separator, Token, TokenKind, lex};

/// Why a text is no formula.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}, at character {character} of {formula:?}")]
pub struct SyntaxError {
    /// The formula.
    pub formula: String,
    /// Where in it, in characters from 1; one more than it has where something is missing at its end.
    pub character: usize,
    /// What is wrong there.
    pub problem: String,
}

/// What is open at some place of a formula.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Call,
    Group,
    Array,
}

struct Checker<'a> {
    formula: &'a str,
    /// What is open, with where it was opened.
    open: Vec<(Open, usize)>,
    /// The token before, without white space.
    previous: Option<Token<'a>>,
    /// Whether an operand is to come.
    wants_operand: bool,
}

/// Checks the grammar of ECMA-376 Part 1 §18.17 with its later additions (`#`, `@`, calls of a `LAMBDA`). Whether functions,
/// names and sheets exist is for others to know. In linear time, without recursion.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_syntax(formula: &str) -> Result<(), SyntaxError> {
    let mut checker = Checker { formula, open: Vec::new(), previous: None, wants_operand: true };
    for token in lex(formula) {
        if !matches!(token.kind, TokenKind::Whitespace | TokenKind::Start) {
            checker.take(token)?;
            checker.previous = Some(token);
        }
    }
    if checker.wants_operand {
        let problem = match checker.previous {
            Some(token) if checker.open.is_empty() => format!("something is missing behind {:?}", token.text),
            Some(_) => return Err(checker.unclosed()),
            None => "the formula is empty".to_owned(),
        };
        return Err(checker.error(formula.len(), problem));
    }
    if checker.open.is_empty() { Ok(()) } else { Err(checker.unclosed()) }
}

impl<'a> Checker<'a> {
    fn take(&mut self, token: Token<'a>) -> Result<(), SyntaxError> {
        let inside = self.open.last().map(|(open, _)| *open);
        match token.kind {
            TokenKind::Whitespace | TokenKind::Start => Ok(()),
            TokenKind::Unknown => Err(self.error(token.start, unknown(token.text))),
            TokenKind::Number | TokenKind::Text | TokenKind::Bool if self.intersects() => {
                Err(self.missing_operator(token))
            }
            TokenKind::Number | TokenKind::Text | TokenKind::Bool | TokenKind::Error => self.operand(token),
            TokenKind::Reference(_) | TokenKind::Name | TokenKind::Structured
                if inside == Some(Open::Array) =>
            {
                let problem = format!("an array constant holds only constants, not {:?}", token.text);
                Err(self.error(token.start, problem))
            }
            TokenKind::Reference(_) | TokenKind::Name | TokenKind::Structured => self.operand(token),
            TokenKind::Function => {
                self.operand(token)?;
                self.wants_operand = true;
                Ok(())
            }
            TokenKind::OpenParen => {
                let follows = self.previous.map(|token| token.kind);
                let is_call = follows == Some(TokenKind::Function)
                    || follows == Some(TokenKind::CloseParen) && !self.wants_operand;
                if !is_call && !self.wants_operand {
                    return Err(self.missing_operator(token));
                }
                self.open.push((if is_call { Open::Call } else { Open::Group }, token.start));
                self.wants_operand = true;
                Ok(())
            }
            TokenKind::OpenBrace => {
                self.operand(token)?;
                self.open.push((Open::Array, token.start));
                self.wants_operand = true;
                Ok(())
            }
            TokenKind::CloseParen | TokenKind::CloseBrace => self.close(token, inside),
            TokenKind::Separator(Separator::Argument) => {
                if self.wants_operand && !self.may_be_left_out() {
                    return Err(self.missing_operand(token));
                }
                self.wants_operand = true;
                Ok(())
            }
            TokenKind::Separator(Separator::ArrayColumn | Separator::ArrayRow) => self.infix(token),
            TokenKind::Operator(operator) => self.operator(token, operator),
        }
    }

    fn operand(&mut self, token: Token<'a>) -> Result<(), SyntaxError> {
        if !self.wants_operand {
            return Err(self.missing_operator(token));
        }
        self.wants_operand = false;
        Ok(())
    }

    fn infix(&mut self, token: Token<'a>) -> Result<(), SyntaxError> {
        if self.wants_operand {
            return Err(self.missing_operand(token));
        }
        self.wants_operand = true;
        Ok(())
    }

    fn operator(&mut self, token: Token<'a>, operator: Operator) -> Result<(), SyntaxError> {
        match operator {
            Operator::Plus | Operator::Minus if self.wants_operand => Ok(()),
            Operator::Implicit if self.wants_operand => Ok(()),
            Operator::Implicit => Err(self.missing_operator(token)),
            Operator::Percent | Operator::Spill if self.wants_operand => Err(self.missing_operand(token)),
            Operator::Percent | Operator::Spill => Ok(()),
            _ => self.infix(token),
        }
    }

    fn close(&mut self, token: Token<'a>, inside: Option<Open>) -> Result<(), SyntaxError> {
        let is_brace = token.kind == TokenKind::CloseBrace;
        if inside.is_none_or(|open| (open == Open::Array) != is_brace) {
            let opener = if is_brace { "{" } else { "(" };
            return Err(self.error(token.start, format!("{:?} closes no {opener:?}", token.text)));
        }
        if self.wants_operand && !(inside == Some(Open::Call) && self.may_be_left_out()) {
            return Err(self.missing_operand(token));
        }
        self.open.pop();
        self.wants_operand = false;
        Ok(())
    }

    /// Whether white space before this token stands for an intersection, which is one of references.
    fn intersects(&self) -> bool {
        self.previous.is_some_and(|token| token.kind == TokenKind::Operator(Operator::Intersection))
    }

    /// Whether the argument that ends here has nothing in it.
    fn may_be_left_out(&self) -> bool {
        let previous = self.previous.map(|token| token.kind);
        matches!(previous, Some(TokenKind::OpenParen | TokenKind::Separator(Separator::Argument)))
    }

    fn missing_operator(&self, token: Token<'_>) -> SyntaxError {
        self.error(token.start, format!("an operator or a comma is missing before {:?}", token.text))
    }

    fn missing_operand(&self, token: Token<'_>) -> SyntaxError {
        self.error(token.start, format!("something is missing before {:?}", token.text))
    }

    fn unclosed(&self) -> SyntaxError {
        let (open, at) = self.open.last().copied().unwrap_or((Open::Group, 0));
        let (what, end) = if open == Open::Array { ("{", "}") } else { ("(", ")") };
        self.error(at, format!("{what:?} is not closed by {end:?}"))
    }

    fn error(&self, at: usize, problem: String) -> SyntaxError {
        let character = self.formula.get(..at).unwrap_or_default().chars().count() + 1;
        SyntaxError { formula: self.formula.to_owned(), character, problem }
    }
}

/// What is wrong with a text that follows no rule.
fn unknown(text: &str) -> String {
    match text.as_bytes().first() {
        Some(b'"') => "the text is not closed by a double quote".to_owned(),
        Some(b'\'') => format!("{text} is no sheet's name with a reference behind it ('My sheet'!A1)"),
        Some(b'[') => "the bracket is not closed".to_owned(),
        Some(b';') => "\";\" means nothing here: arguments are separated by commas".to_owned(),
        _ => format!("{text:?} means nothing here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas() {
        for formula in [
            "1",
            "=SUM(A1:B2,,3)",
            "-+-A1%%^2",
            "NOW()+IF(A1,,)",
            "'It''s'!A1:B2 Sheet2!B:B,C1",
            "(A1,B1)",
            "Jan:Mar!A1+[1]Data!$A$1+'[1]My book'!Name",
            "{1,-2;\"a\",#N/A}*2",
            "Sales[[#This Row],[Net amount]]*Sales[@Rate]",
            "A1#+@B1:B9+@INDEX(A:A,1)",
            "LET(x,1,LAMBDA(y,z,x+y)(2,))",
            "INDEX(A:A,1):INDEX(A:A,9)",
            "A1:OFFSET(A1,1,1) B:B",
            "#REF!A1+Sheet1!#REF!",
            "\"a \"\"b\"\"\"&\"\"",
            " = 1",
        ] {
            let checked = check_syntax(formula.trim_start());
            assert_eq!(checked, Ok(()), "{formula}");
        }
    }

    #[track_caller]
    fn check(formula: &str, character: usize, problem: &str) {
        let error = check_syntax(formula).expect_err(formula);
        assert_eq!((error.character, error.problem.as_str()), (character, problem), "{formula}");
    }

    #[test]
    fn what_is_none_is_told() {
        check("", 1, "the formula is empty");
        check("SUM(A1:", 4, "\"(\" is not closed by \")\"");
        check("SUM(A1:)", 8, "something is missing before \")\"");
        check("1+", 3, "something is missing behind \"+\"");
        check("A1)", 3, "\")\" closes no \"(\"");
        check("A1 2", 4, "an operator or a comma is missing before \"2\"");
        check("*2", 1, "something is missing before \"*\"");
        check("()", 2, "something is missing before \")\"");
        check("SUM(1+,2)", 7, "something is missing before \",\"");
        check("{1,A1}", 4, "an array constant holds only constants, not \"A1\"");
        check("{1,2", 1, "\"{\" is not closed by \"}\"");
        check("{1,2)", 5, "\")\" closes no \"(\"");
        check("SUM(1;2)", 6, "\";\" means nothing here: arguments are separated by commas");
        check("\"é\"&\"abc", 5, "the text is not closed by a double quote");
        check("'Sheet'A1", 1, "'Sheet' is no sheet's name with a reference behind it ('My sheet'!A1)");
        check("%", 1, "something is missing before \"%\"");
        check("Sales[Net", 6, "the bracket is not closed");
        check("A1 ~ B1", 4, "\"~\" means nothing here");
    }
}
