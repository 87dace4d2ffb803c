//! Cutting a formula into tokens.

use std::iter::FusedIterator;

use grid::ErrorValue;

use crate::reference::is_word_byte;
use crate::{Operator, RefKind, Separator, Token, TokenKind};

/// Cuts a formula into tokens. Never fails: what follows no rule becomes [`TokenKind::Unknown`].
pub fn lex(formula: &str) -> Lexer<'_> {
    Lexer { text: formula, at: 0, openers: Vec::new(), previous: TokenKind::Whitespace }
}

/// The tokens of a formula, in order. Put end to end, they are the formula.
#[derive(Debug, Clone)]
pub struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// What each open parenthesis or brace is; tells the commas apart.
    openers: Vec<Opener>,
    previous: TokenKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opener {
    Call,
    Group,
    Array,
}

/// A token's extent, found without looking at what stands around it.
struct Scanned {
    kind: TokenKind,
    end: usize,
    prefix_end: usize,
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let start = self.at;
        let first = *self.text.as_bytes().get(start)?;
        let scanned = self.scan_at(start, first);
        debug_assert!(scanned.end > start && self.text.is_char_boundary(scanned.end));
        self.at = scanned.end;
        self.track_nesting(scanned.kind);
        self.previous = scanned.kind;
        Some(Token {
            kind: scanned.kind,
            text: &self.text[start..scanned.end],
            start,
            prefix_len: scanned.prefix_end.saturating_sub(start),
        })
    }
}

impl FusedIterator for Lexer<'_> {}

impl Lexer<'_> {
    fn scan_at(&self, start: usize, first: u8) -> Scanned {
        let plain = |kind: TokenKind, end: usize| Scanned { kind, end, prefix_end: 0 };
        match first {
            b' ' | b'\t' | b'\n' | b'\r' => {
                let end = run_end(self.text, start, |byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
                plain(self.whitespace(end), end)
            }
            b'"' => match quote_end(self.text, start, b'"') {
                Some(end) => plain(TokenKind::Text, end),
                None => plain(TokenKind::Unknown, self.text.len()),
            },
            b'\'' => scan_quoted(self.text, start),
            b'[' => scan_bracket(self.text, start),
            b'!' => scan_prefixed(self.text, start + 1),
            b'#' => self.hash(start),
            b'(' => plain(TokenKind::OpenParen, start + 1),
            b')' => plain(TokenKind::CloseParen, start + 1),
            b'{' => plain(TokenKind::OpenBrace, start + 1),
            b'}' => plain(TokenKind::CloseBrace, start + 1),
            b',' => plain(self.comma(), start + 1),
            b';' if self.openers.last() == Some(&Opener::Array) => {
                plain(TokenKind::Separator(Separator::ArrayRow), start + 1)
            }
            b'=' if start == 0 => plain(TokenKind::Start, 1),
            byte if is_word_byte(byte) => scan_word(self.text, start),
            byte => match operator(byte, self.text.as_bytes().get(start + 1).copied()) {
                Some((operator, length)) => plain(TokenKind::Operator(operator), start + length),
                None => plain(TokenKind::Unknown, start + 1),
            },
        }
    }

    fn track_nesting(&mut self, kind: TokenKind) {
        match kind {
            // Behind `)` it calls what the parentheses yield: `LAMBDA(x,x+1)(2)`.
            TokenKind::OpenParen if matches!(self.previous, TokenKind::Function | TokenKind::CloseParen) => {
                self.openers.push(Opener::Call);
            }
            TokenKind::OpenParen => self.openers.push(Opener::Group),
            TokenKind::OpenBrace => self.openers.push(Opener::Array),
            TokenKind::CloseParen | TokenKind::CloseBrace => {
                self.openers.pop();
            }
            _ => {}
        }
    }

    /// White space is the intersection operator where it alone stands between two operands.
    fn whitespace(&self, end: usize) -> TokenKind {
        let follows_reference = matches!(
            self.previous,
            TokenKind::Reference(_)
                | TokenKind::Name
                | TokenKind::Structured
                | TokenKind::CloseParen
                | TokenKind::Error
                | TokenKind::Operator(Operator::Spill)
        );
        let precedes_operand = self
            .text
            .as_bytes()
            .get(end)
            .is_some_and(|byte| is_word_byte(*byte) || matches!(byte, b'\'' | b'[' | b'(' | b'#' | b'@'));
        if follows_reference && precedes_operand {
            TokenKind::Operator(Operator::Intersection)
        } else {
            TokenKind::Whitespace
        }
    }

    fn comma(&self) -> TokenKind {
        match self.openers.last() {
            Some(Opener::Call) => TokenKind::Separator(Separator::Argument),
            Some(Opener::Array) => TokenKind::Separator(Separator::ArrayColumn),
            Some(Opener::Group) | None => TokenKind::Operator(Operator::Union),
        }
    }

    fn hash(&self, start: usize) -> Scanned {
        let spills = matches!(
            self.previous,
            TokenKind::Reference(_) | TokenKind::Name | TokenKind::Structured | TokenKind::CloseParen
        );
        if spills {
            let kind = TokenKind::Operator(Operator::Spill);
            return Scanned { kind, end: start + 1, prefix_end: 0 };
        }
        let rest = &self.text.as_bytes()[start..];
        let error = ErrorValue::ALL.into_iter().find(|error| starts_with(rest, error.as_str()));
        let Some(error) = error else {
            return Scanned { kind: TokenKind::Unknown, end: start + 1, prefix_end: 0 };
        };
        let end = start + error.as_str().len();
        if error == ErrorValue::Ref
            && let Some((kind, body_end)) = scan_body(self.text, end)
        {
            // `#REF!A1` is what remains of `Sheet1!A1` when the sheet is deleted.
            return Scanned { kind, end: body_end, prefix_end: end };
        }
        Scanned { kind: TokenKind::Error, end, prefix_end: 0 }
    }
}

/// A token that starts with a letter, a digit, `$`, or another byte of a word.
fn scan_word(text: &str, start: usize) -> Scanned {
    let bytes = text.as_bytes();
    let end = word_end(text, start);
    if bytes.get(end) == Some(&b'!') {
        return scan_prefixed(text, end + 1);
    }
    if let Some((kind, end)) = RefKind::scan(text, start) {
        return Scanned { kind: TokenKind::Reference(kind), end, prefix_end: 0 };
    }
    if let Some(prefix_end) = second_sheet_end(text, end) {
        return scan_prefixed(text, prefix_end);
    }
    let number_end = number_end(bytes, start);
    if number_end >= end {
        return Scanned { kind: TokenKind::Number, end: number_end, prefix_end: 0 };
    }
    let (kind, end) = classify_word(text, start, end);
    let word = &text[start..end];
    let is_bool = word.eq_ignore_ascii_case("TRUE") || word.eq_ignore_ascii_case("FALSE");
    let kind = if kind == TokenKind::Name && is_bool { TokenKind::Bool } else { kind };
    Scanned { kind, end, prefix_end: 0 }
}

/// A token that starts with a sheet name in quotes: `'Q1 Actuals'!A1`.
fn scan_quoted(text: &str, start: usize) -> Scanned {
    let Some(end) = quote_end(text, start, b'\'') else {
        return Scanned { kind: TokenKind::Unknown, end: text.len(), prefix_end: 0 };
    };
    if text.as_bytes().get(end) == Some(&b'!') {
        return scan_prefixed(text, end + 1);
    }
    Scanned { kind: TokenKind::Unknown, end, prefix_end: 0 }
}

/// A token that starts with `[`: another workbook's (`[1]Sheet1!A1`), or a structured reference (`[@Amount]`).
fn scan_bracket(text: &str, start: usize) -> Scanned {
    let Some(close) = bracket_end(text, start) else {
        return Scanned { kind: TokenKind::Unknown, end: text.len(), prefix_end: 0 };
    };
    let sheet_end = word_end(text, close);
    if text.as_bytes().get(sheet_end) == Some(&b'!') {
        return scan_prefixed(text, sheet_end + 1);
    }
    if sheet_end > close
        && let Some(prefix_end) = second_sheet_end(text, sheet_end)
    {
        return scan_prefixed(text, prefix_end);
    }
    Scanned { kind: TokenKind::Structured, end: close, prefix_end: 0 }
}

/// The rest of a token behind its sheet prefix, which ends at `prefix_end`.
fn scan_prefixed(text: &str, prefix_end: usize) -> Scanned {
    match scan_body(text, prefix_end) {
        Some((kind, end)) => Scanned { kind, end, prefix_end },
        None => Scanned { kind: TokenKind::Unknown, end: prefix_end, prefix_end: 0 },
    }
}

/// What may stand behind a sheet prefix, and its end.
fn scan_body(text: &str, at: usize) -> Option<(TokenKind, usize)> {
    let lost = ErrorValue::Ref.as_str();
    if starts_with(&text.as_bytes()[at..], lost) {
        return Some((TokenKind::Reference(RefKind::Lost), at + lost.len()));
    }
    if let Some((kind, end)) = RefKind::scan(text, at) {
        return Some((TokenKind::Reference(kind), end));
    }
    if text.as_bytes().get(at) == Some(&b'\'') {
        // The item of a DDE or OLE link: `[1]!'!Sheet1!R1C1'`.
        return quote_end(text, at, b'\'').map(|end| (TokenKind::Name, end));
    }
    let end = word_end(text, at);
    (end > at).then(|| classify_word(text, at, end))
}

/// What a word is that is neither a reference nor a number, with its end: a table's goes on to its bracket.
fn classify_word(text: &str, start: usize, end: usize) -> (TokenKind, usize) {
    let word = &text[start..end];
    let begins_name = |byte: u8| byte.is_ascii_alphabetic() || byte >= 0x80 || matches!(byte, b'_' | b'\\');
    if !begins_name(word.as_bytes()[0]) || word.contains('$') {
        return (TokenKind::Unknown, end);
    }
    match text.as_bytes().get(end) {
        Some(b'(') => (TokenKind::Function, end),
        Some(b'[') => match bracket_end(text, end) {
            Some(close) => (TokenKind::Structured, close),
            None => (TokenKind::Name, end),
        },
        _ => (TokenKind::Name, end),
    }
}

/// The end of `:Sheet3!` at `colon`, the second half of a prefix over several sheets.
fn second_sheet_end(text: &str, colon: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.get(colon) != Some(&b':') {
        return None;
    }
    let end = word_end(text, colon + 1);
    (end > colon + 1 && bytes.get(end) == Some(&b'!')).then_some(end + 1)
}

fn run_end(text: &str, start: usize, belongs: fn(u8) -> bool) -> usize {
    let run = text.as_bytes()[start..].iter().take_while(|byte| belongs(**byte)).count();
    start + run
}

fn word_end(text: &str, start: usize) -> usize {
    run_end(text, start, is_word_byte)
}

/// The end of a number without a sign at `start`; `start` itself if there is none.
fn number_end(bytes: &[u8], start: usize) -> usize {
    let digits_end = |at: usize| {
        at + bytes.get(at..).unwrap_or(&[]).iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let whole_end = digits_end(start);
    let mut digits = whole_end - start;
    let mut end = whole_end;
    if bytes.get(whole_end) == Some(&b'.') {
        end = digits_end(whole_end + 1);
        digits += end - whole_end - 1;
    }
    if digits == 0 {
        return start;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
        let exponent = end + 1 + usize::from(signed);
        let exponent_end = digits_end(exponent);
        if exponent_end > exponent {
            return exponent_end;
        }
    }
    end
}

/// The end of a text in quotes that starts at `start`; doubled quotes stand for one.
fn quote_end(text: &str, start: usize, quote: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    while at < bytes.len() {
        if bytes[at] != quote {
            at += 1;
        } else if bytes.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return Some(at + 1);
        }
    }
    None
}

/// The end of the brackets that open at `start`; `'` escapes the byte behind it (\[MS-XLSX\] §2.2.2,
/// `structure-reference`).
fn bracket_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'\'' => at += 1,
            b'[' => depth += 1,
            b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn starts_with(text: &[u8], start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

fn operator(byte: u8, next: Option<u8>) -> Option<(Operator, usize)> {
    let operator = match (byte, next) {
        (b'<', Some(b'>')) => return Some((Operator::NotEqual, 2)),
        (b'<', Some(b'=')) => return Some((Operator::LessEqual, 2)),
        (b'>', Some(b'=')) => return Some((Operator::GreaterEqual, 2)),
        (b'<', _) => Operator::Less,
        (b'>', _) => Operator::Greater,
        (b'=', _) => Operator::Equal,
        (b'+', _) => Operator::Plus,
        (b'-', _) => Operator::Minus,
        (b'*', _) => Operator::Multiply,
        (b'/', _) => Operator::Divide,
        (b'^', _) => Operator::Power,
        (b'&', _) => Operator::Concat,
        (b'%', _) => Operator::Percent,
        (b':', _) => Operator::Range,
        (b'@', _) => Operator::Implicit,
        _ => return None,
    };
    Some((operator, 1))
}

#[cfg(test)]
mod tests;
