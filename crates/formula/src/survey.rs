//! What a formula calls, and how large it is.

use std::ops::Range;

use grid::ErrorValue;

use crate::{RefKind, Sheets, TokenKind, lex};

/// Functions whose result may change without a change of their arguments.
const VOLATILE: [&str; 9] =
    ["NOW", "TODAY", "RAND", "RANDBETWEEN", "RANDARRAY", "OFFSET", "INDIRECT", "INFO", "CELL"];

/// A call of a function: one of Excel's, of an add-in or a macro, a defined name that holds a `LAMBDA`, or one of
/// its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionCall<'a> {
    /// The bytes of the formula that name the function, prefixes included.
    pub span: Range<usize>,
    /// The name as a user knows it: without sheet, workbook, `_xlfn.` and its kin; in the case as written.
    pub name: &'a str,
}

/// How large a formula is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Shape {
    /// Calls of functions.
    pub functions: usize,
    /// Calls within calls: 1 for `SUM(A1)`, 2 for `SUM(ABS(A1))`.
    pub call_depth: usize,
    /// References, names and structured references as written.
    pub references: usize,
}

/// Every call in a formula, in the order in which they are written.
pub fn functions(formula: &str) -> impl Iterator<Item = FunctionCall<'_>> {
    lex(formula)
        .filter(|token| token.kind == TokenKind::Function)
        .map(|token| FunctionCall { span: token.span(), name: plain_name(token.body()) })
}

/// Whether a formula calls a function whose result may change without a change of its arguments.
pub fn is_volatile(formula: &str) -> bool {
    functions(formula).any(|call| VOLATILE.iter().any(|name| name.eq_ignore_ascii_case(call.name)))
}

/// Whether something that a formula referred to is deleted: it holds `#REF!` in place of cells or a sheet.
pub fn has_lost_reference(formula: &str) -> bool {
    lex(formula).any(|token| match token.kind {
        TokenKind::Reference(RefKind::Lost) => true,
        TokenKind::Error => token.text.eq_ignore_ascii_case(ErrorValue::Ref.as_str()),
        _ => token.prefix_len > 0 && token.prefix().sheets == Sheets::Lost,
    })
}

/// Whether a formula reads another workbook.
pub fn reads_other_book(formula: &str) -> bool {
    // Only a bracket or a path can name another workbook; most formulas have neither.
    formula.contains(['[', '\\', '/'])
        && lex(formula).any(|token| {
            let may = matches!(token.kind, TokenKind::Reference(_) | TokenKind::Name | TokenKind::Structured);
            may && token.prefix_len > 0 && token.prefix().is_other_book()
        })
}

/// Counts a formula's calls and references.
pub fn shape(formula: &str) -> Shape {
    let mut shape = Shape::default();
    let mut previous = None;
    let mut call_depth = 0;
    let mut parens = Vec::new();
    for token in lex(formula) {
        match token.kind {
            TokenKind::Function => shape.functions += 1,
            TokenKind::Reference(_) | TokenKind::Name | TokenKind::Structured => shape.references += 1,
            TokenKind::OpenParen => {
                let is_call = previous == Some(TokenKind::Function);
                parens.push(is_call);
                call_depth += usize::from(is_call);
                shape.call_depth = shape.call_depth.max(call_depth);
            }
            TokenKind::CloseParen => call_depth -= usize::from(parens.pop().unwrap_or(false)),
            _ => {}
        }
        previous = Some(token.kind);
    }
    shape
}

/// A function's name without the marks that files put before those newer than Excel 2007 (\[MS-XLSX\] §2.2.2).
pub(crate) fn plain_name(written: &str) -> &str {
    let mut name = written;
    while let Some(rest) = ["_xlfn.", "_xlws.", "_xludf.", "_xll.", "_xlpm."].iter().find_map(|mark| {
        let head = name.get(..mark.len())?;
        head.eq_ignore_ascii_case(mark).then(|| &name[mark.len()..])
    }) {
        name = rest;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(formula: &str, names: &[&str], call_depth: usize, references: usize) {
        assert_eq!(functions(formula).map(|call| call.name).collect::<Vec<_>>(), names, "{formula}");
        let expected = Shape { functions: names.len(), call_depth, references };
        assert_eq!(shape(formula), expected, "{formula}");
    }

    #[test]
    fn calls() {
        check("A1+1", &[], 0, 1);
        check("SUM(A1,ABS((B1)))*LOG10(2)", &["SUM", "ABS", "LOG10"], 2, 2);
        check("_xlfn.ANCHORARRAY(A1)", &["ANCHORARRAY"], 1, 1);
        check("_xlpm.f(1)", &["f"], 1, 0);
        check("_xlfn._xlws.SORT(T[a])", &["SORT"], 1, 1);
        check("'my.xlam'!Mine(1)+[1]!Theirs(Rate)", &["Mine", "Theirs"], 1, 1);
        check("((((1))))", &[], 0, 0);
        check("))SUM(((", &["SUM"], 1, 0);
        check("\"SUM(\"&TRUE()", &["TRUE"], 1, 0);
        assert_eq!(shape(&"ABS(".repeat(200_000)).call_depth, 200_000);
    }

    #[test]
    fn volatility() {
        for formula in ["NOW()", "1+today()", "SUM(OFFSET(A1,1,1))", "_xlfn.RANDARRAY(2)", "CELL(\"row\")"] {
            assert!(is_volatile(formula), "{formula}");
        }
        for formula in ["NOW", "\"NOW()\"", "OFFSETS(A1)", "INDEX(A:A,1)", "Now!A1"] {
            assert!(!is_volatile(formula), "{formula}");
        }
    }

    #[test]
    fn lost_references() {
        for formula in ["#REF!+1", "SUM(Sheet1!#REF!)", "#REF!A1", "#ref!Total"] {
            assert!(has_lost_reference(formula), "{formula}");
        }
        for formula in ["#N/A", "\"#REF!\"", "A1#", "'#REF!'!A1", ""] {
            assert!(!has_lost_reference(formula), "{formula}");
        }
    }
}
