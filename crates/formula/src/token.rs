//! What the lexer yields.

use std::ops::Range;

use crate::{RefKind, SheetPrefix};

/// A piece of formula text and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What the piece is.
    pub kind: TokenKind,
    /// The piece as written, sheet prefix included.
    pub text: &'a str,
    /// Byte offset of the piece in the formula.
    pub start: usize,
    /// Bytes of [`Token::text`] that are the sheet prefix, its `!` included; 0 without one.
    pub prefix_len: usize,
}

impl<'a> Token<'a> {
    /// The bytes of the formula that the token covers.
    pub fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// The piece without its sheet prefix: `A1` of `Sheet1!A1`.
    pub fn body(&self) -> &'a str {
        &self.text[self.prefix_len..]
    }

    /// The sheet prefix, read; [`Sheets::Current`](crate::Sheets::Current) without one.
    pub fn prefix(&self) -> SheetPrefix<'a> {
        SheetPrefix::parse(&self.text[..self.prefix_len])
    }
}

/// What a [`Token`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// The one `=` that may stand in front of a formula.
    Start,
    /// White space that means nothing.
    Whitespace,
    /// A number without its sign: `1`, `.5`, `1E+5`.
    Number,
    /// A text in its double quotes.
    Text,
    /// `TRUE` or `FALSE`.
    Bool,
    /// An error literal such as `#N/A`; a `#REF!` that stands for a reference on a sheet is a reference.
    Error,
    /// An operator.
    Operator(Operator),
    /// `(`.
    OpenParen,
    /// `)`.
    CloseParen,
    /// `{` of an array constant.
    OpenBrace,
    /// `}` of an array constant.
    CloseBrace,
    /// `,` or `;` where it separates.
    Separator(Separator),
    /// The name of a called function, directly before its `(`, perhaps with a sheet or workbook prefix.
    Function,
    /// A cell, a range, whole columns or rows, perhaps with a sheet prefix.
    Reference(RefKind),
    /// A defined name, a local name of `LET` or `LAMBDA`, or an item of a DDE link.
    Name,
    /// A structured reference into a table.
    Structured,
    /// Text that follows no rule; an unclosed quote or bracket runs to the end.
    Unknown,
}

/// An operator of formulas (ECMA-376 Part 1 §18.17.2.2, with the later `#` and `@`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `:` between two operands that are not one range token.
    Range,
    /// `,` outside of a call's arguments.
    Union,
    /// White space between two references.
    Intersection,
    /// `#` behind a reference: the spilled array that starts there.
    Spill,
    /// `@`: the implicit intersection.
    Implicit,
    /// `%`.
    Percent,
    /// `^`.
    Power,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
    /// `+`, infix or prefix.
    Plus,
    /// `-`, infix or prefix.
    Minus,
    /// `&`.
    Concat,
    /// `=`.
    Equal,
    /// `<>`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterEqual,
}

/// What a separator separates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Separator {
    /// `,` between the arguments of a call.
    Argument,
    /// `,` between the columns of an array constant.
    ArrayColumn,
    /// `;` between the rows of an array constant.
    ArrayRow,
}
