//! What a formula refers to, for tracing its precedents.

use std::ops::Range;

use crate::{Lexer, Operator, Reference, SheetPrefix, Sheets, StructuredReference, Token, TokenKind, lex};

/// One thing that a formula refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention<'a> {
    /// The bytes of the formula that mention it.
    pub span: Range<usize>,
    /// What is referred to.
    pub target: Target<'a>,
    /// Whether the range operator joins it to the mention before: `T[[#Headers],[a]]:T[@a]` means the rectangle
    /// that spans both. Joined references to cells of one sheet come as a single mention already.
    pub joins_previous: bool,
    /// Whether `#` stands behind it: the array that spills from there is meant.
    pub spilled: bool,
}

/// What a [`Mention`] refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target<'a> {
    /// Cells.
    Cells(Reference<'a>),
    /// A defined name, or a whole table by its name.
    Name(NamedReference<'a>),
    /// Part of a table.
    Structured(StructuredReference<'a>),
}

/// A name as a formula uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedReference<'a> {
    /// The workbook or the sheet whose scope is named.
    pub prefix: SheetPrefix<'a>,
    /// The name as written.
    pub name: &'a str,
}

/// Everything that a formula refers to, in the order in which it is written.
///
/// Error literals, and the parameters of `LET` and `LAMBDA` where they are marked as such (`_xlpm.x`), refer to
/// nothing and are left out. A name that is called (a `LAMBDA` in the name manager) is a function: see
/// [`functions`](crate::functions).
pub fn references(formula: &str) -> Mentions<'_> {
    Mentions { tokens: lex(formula), ready: None, is_joining: false }
}

/// The iterator of [`references`].
#[derive(Debug, Clone)]
pub struct Mentions<'a> {
    tokens: Lexer<'a>,
    /// A mention that later tokens may still extend.
    ready: Option<Mention<'a>>,
    /// Whether a range operator stands behind `ready`.
    is_joining: bool,
}

impl<'a> Iterator for Mentions<'a> {
    type Item = Mention<'a>;

    fn next(&mut self) -> Option<Mention<'a>> {
        for token in self.tokens.by_ref() {
            match (token.kind, &mut self.ready) {
                (TokenKind::Whitespace, _) => {}
                (TokenKind::Operator(Operator::Range), Some(_)) => self.is_joining = true,
                (TokenKind::Operator(Operator::Spill), Some(mention)) => mention.spilled = true,
                _ => {
                    let joins_previous = std::mem::take(&mut self.is_joining);
                    let Some(target) = target(&token) else {
                        match self.ready.take() {
                            Some(done) => return Some(done),
                            None => continue,
                        }
                    };
                    if joins_previous
                        && let Some(previous) = &mut self.ready
                        && extend(previous, &target, token.span().end)
                    {
                        continue;
                    }
                    let next = Mention { span: token.span(), target, joins_previous, spilled: false };
                    if let Some(done) = self.ready.replace(next) {
                        return Some(done);
                    }
                }
            }
        }
        self.ready.take()
    }
}

fn target<'a>(token: &Token<'a>) -> Option<Target<'a>> {
    match token.kind {
        TokenKind::Reference(kind) => Some(Target::Cells(Reference { prefix: token.prefix(), kind })),
        TokenKind::Name if is_parameter(token.body()) => None,
        TokenKind::Name => Some(Target::Name(NamedReference { prefix: token.prefix(), name: token.body() })),
        TokenKind::Structured => {
            Some(Target::Structured(StructuredReference::parse(token.prefix(), token.body())))
        }
        _ => None,
    }
}

/// Parameters of `LET` and `LAMBDA` (`_xlpm.x`, the optional `_xlop.x`), and functions passed as values
/// (`_xleta.SUM`).
fn is_parameter(name: &str) -> bool {
    ["_xlpm.", "_xlop.", "_xleta."]
        .iter()
        .any(|mark| name.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark)))
}

/// Makes `previous` the range from it to `next` if both are cells of the same sheet.
fn extend(previous: &mut Mention<'_>, next: &Target<'_>, end: usize) -> bool {
    let (Target::Cells(first), Target::Cells(last)) = (&mut previous.target, next) else { return false };
    let is_same_sheet =
        first.prefix == last.prefix || (last.prefix.book.is_none() && last.prefix.sheets == Sheets::Current);
    if !is_same_sheet || previous.spilled {
        return false;
    }
    first.kind = first.kind.hull(last.kind);
    previous.span.end = end;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each mention as `written` or `written=A1 address`, in order.
    fn check(formula: &str, expected: &[&str]) {
        let found: Vec<String> = references(formula)
            .map(|mention| {
                let written = &formula[mention.span];
                let joins = if mention.joins_previous { ":" } else { "" };
                let spill = if mention.spilled { "#" } else { "" };
                let target = match mention.target {
                    Target::Cells(cells) => {
                        cells.range().map_or("lost".to_owned(), |range| range.to_string())
                    }
                    Target::Name(name) => format!("name {}", name.name),
                    Target::Structured(table) => format!("table {}", table.table.unwrap_or("-")),
                };
                format!("{joins}{written}{spill} = {target}")
            })
            .collect();
        assert_eq!(found, expected, "{formula}");
    }

    #[test]
    fn everything_referred_to() {
        check("", &[]);
        check("1+\"A1\"+LOG10(2)+#REF!+TRUE", &[]);
        check("A1+$B$2*Rate", &["A1 = A1", "$B$2 = B2", "Rate = name Rate"]);
        check("SUM(B2:A1,C:$D,3:$4)", &["B2:A1 = A1:B2", "C:$D = C:D", "3:$4 = 3:4"]);
        check("A1:INDEX(B:B,3)", &["A1 = A1", "B:B = B:B"]);
        check("SUM(T[a])+[@b]", &["T[a] = table T", "[@b] = table -"]);
        check("Sheet1!#REF!+Sheet1!Total", &["Sheet1!#REF! = lost", "Sheet1!Total = name Total"]);
        check("A1#+B2", &["A1# = A1", "B2 = B2"]);
        check("LET(_xlpm.x,A1,_xlpm.x+_xlop.y)", &["A1 = A1"]);
        check("A1 B1:B2", &["A1 = A1", "B1:B2 = B1:B2"]);
    }

    #[test]
    fn the_range_operator_joins() {
        check("Sheet1!B2:Sheet1!A9", &["Sheet1!B2:Sheet1!A9 = A2:B9"]);
        check("Sheet1!A1:Sheet2!B2", &["Sheet1!A1 = A1", ":Sheet2!B2 = B2"]);
        check("A1:B2:C3", &["A1:B2:C3 = A1:C3"]);
        check("A1 : B2+C3", &["A1 : B2 = A1:B2", "C3 = C3"]);
        check("T[[#Headers],[a]]:T[@a]", &["T[[#Headers],[a]] = table T", ":T[@a] = table T"]);
        check("First:A9", &["First = name First", ":A9 = A9"]);
        check("A1:B2#", &["A1:B2# = A1:B2"]);
    }

    #[test]
    fn where_the_cells_are() {
        let prefix = |formula| match references(formula).next().unwrap().target {
            Target::Cells(cells) => cells.prefix,
            other => panic!("{other:?}"),
        };
        let found = prefix("'[2]It''s'!A1");
        assert_eq!((found.book_index(), found.sheets), (Some(2), Sheets::One("It's".into())));
        assert_eq!(prefix("Jan:Mar!A1:B2").sheets, Sheets::Span("Jan".into(), "Mar".into()));
        assert_eq!(prefix("#REF!A1").sheets, Sheets::Lost);
        assert_eq!(prefix("A1"), SheetPrefix::NONE);
    }
}
