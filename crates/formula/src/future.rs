//! Functions newer than Excel 2007, as files write them (\[MS-XLSX\] §2.2.2): with a mark, without which a program shows
//! `#NAME?`.

use std::borrow::Cow;

use crate::{Operator, Separator, Token, TokenKind, lex};

/// Functions that files mark with `_xlfn.`, in the order of their bytes.
#[rustfmt::skip]
const FUTURE: &[&str] = &[
    "ACOT", "ACOTH", "AGGREGATE", "ANCHORARRAY", "ARABIC", "ARRAYTOTEXT", "BASE", "BETA.DIST", "BETA.INV",
    "BINOM.DIST", "BINOM.DIST.RANGE", "BINOM.INV", "BITAND", "BITLSHIFT", "BITOR", "BITRSHIFT", "BITXOR",
    "BYCOL", "BYROW", "CEILING.MATH", "CEILING.PRECISE", "CHISQ.DIST", "CHISQ.DIST.RT", "CHISQ.INV",
    "CHISQ.INV.RT", "CHISQ.TEST", "CHOOSECOLS", "CHOOSEROWS", "COMBINA", "CONCAT", "CONFIDENCE.NORM",
    "CONFIDENCE.T", "COT", "COTH", "COVARIANCE.P", "COVARIANCE.S", "CSC", "CSCH", "DAYS", "DECIMAL", "DROP",
    "ENCODEURL", "ERF.PRECISE", "ERFC.PRECISE", "EXPAND", "EXPON.DIST", "F.DIST", "F.DIST.RT", "F.INV",
    "F.INV.RT", "F.TEST", "FIELDVALUE", "FILTERXML", "FLOOR.MATH", "FLOOR.PRECISE", "FORECAST.ETS",
    "FORECAST.ETS.CONFINT", "FORECAST.ETS.SEASONALITY", "FORECAST.ETS.STAT", "FORECAST.LINEAR",
    "FORMULATEXT", "GAMMA", "GAMMA.DIST", "GAMMA.INV", "GAMMALN.PRECISE", "GAUSS", "GROUPBY", "HSTACK",
    "HYPGEOM.DIST", "IFNA", "IFS", "IMAGE", "IMCOSH", "IMCOT", "IMCSC", "IMCSCH", "IMSEC", "IMSECH",
    "IMSINH", "IMTAN", "ISFORMULA", "ISOMITTED", "ISOWEEKNUM", "LAMBDA", "LET", "LOGNORM.DIST",
    "LOGNORM.INV", "MAKEARRAY", "MAP", "MAXIFS", "MINIFS", "MODE.MULT", "MODE.SNGL", "MUNIT",
    "NEGBINOM.DIST", "NORM.DIST", "NORM.INV", "NORM.S.DIST", "NORM.S.INV", "NUMBERVALUE", "PDURATION",
    "PERCENTILE.EXC", "PERCENTILE.INC", "PERCENTOF", "PERCENTRANK.EXC", "PERCENTRANK.INC", "PERMUTATIONA",
    "PHI", "PIVOTBY", "POISSON.DIST", "QUARTILE.EXC", "QUARTILE.INC", "QUERYSTRING", "RANDARRAY",
    "RANK.AVG", "RANK.EQ", "REDUCE", "REGEXEXTRACT", "REGEXREPLACE", "REGEXTEST", "RRI", "SCAN", "SEC",
    "SECH", "SEQUENCE", "SHEET", "SHEETS", "SINGLE", "SKEW.P", "SORTBY", "STDEV.P", "STDEV.S", "SWITCH",
    "T.DIST", "T.DIST.2T", "T.DIST.RT", "T.INV", "T.INV.2T", "T.TEST", "TAKE", "TEXTAFTER", "TEXTBEFORE",
    "TEXTJOIN", "TEXTSPLIT", "TOCOL", "TOROW", "TRANSLATE", "TRIMRANGE", "UNICHAR", "UNICODE", "UNIQUE",
    "VALUETOTEXT", "VAR.P", "VAR.S", "VSTACK", "WEBSERVICE", "WEIBULL.DIST", "WRAPCOLS", "WRAPROWS",
    "XLOOKUP", "XMATCH", "XOR", "Z.TEST",
];

/// Whether files mark a function, which is given in capitals and without a mark: it is newer than Excel 2007.
pub fn is_marked(function: &str) -> bool {
    FUTURE.binary_search(&function).is_ok()
}

/// The call of a function whose arguments may name parameters.
struct Call {
    kind: Kind,
    arguments: usize,
    /// Parameters known before it.
    outer: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Let,
    Lambda,
    Other,
}

/// A formula as a file stores it: marks before newer functions and before parameters of `LET` and `LAMBDA`, `A1#` and `@A1` as
/// the calls that they stand for. One that is written so already stays as it is.
pub fn to_stored(formula: &str) -> Cow<'_, str> {
    let tokens: Vec<Token<'_>> = lex(formula).collect();
    let mut out = String::new();
    let mut calls: Vec<Call> = Vec::new();
    let mut parameters: Vec<&str> = Vec::new();
    // Depths at which the call that stands for `@` ends with a closing parenthesis.
    let mut singles: Vec<usize> = Vec::new();
    let mut is_single = false;
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens[index + 1..].iter().find(|token| token.kind != TokenKind::Whitespace);
        let is_parameter =
            |parameters: &[&str]| parameters.iter().any(|known| known.eq_ignore_ascii_case(token.text));
        match token.kind {
            TokenKind::Function => {
                let mark = match is_parameter(&parameters) {
                    true => "_xlpm.",
                    false => mark_of(token),
                };
                out.push_str(mark);
                out.push_str(token.text);
                if is_single {
                    singles.push(calls.len());
                    is_single = false;
                }
            }
            TokenKind::OpenParen => {
                let function = index.checked_sub(1).map(|before| &tokens[before]);
                let name = function.filter(|token| token.kind == TokenKind::Function);
                let kind = match name.map(|token| crate::survey::plain_name(token.body())) {
                    Some(name) if name.eq_ignore_ascii_case("LET") => Kind::Let,
                    Some(name) if name.eq_ignore_ascii_case("LAMBDA") => Kind::Lambda,
                    _ => Kind::Other,
                };
                calls.push(Call { kind, arguments: 0, outer: parameters.len() });
                out.push('(');
            }
            TokenKind::CloseParen => {
                if let Some(call) = calls.pop() {
                    parameters.truncate(call.outer);
                }
                out.push(')');
                if singles.last() == Some(&calls.len()) {
                    singles.pop();
                    out.push(')');
                }
            }
            TokenKind::Separator(Separator::Argument) => {
                if let Some(call) = calls.last_mut() {
                    call.arguments += 1;
                }
                out.push_str(token.text);
            }
            TokenKind::Name if token.prefix_len == 0 => {
                let is_followed =
                    next.is_some_and(|next| next.kind == TokenKind::Separator(Separator::Argument));
                let starts = tokens[..index].iter().rev().find(|token| token.kind != TokenKind::Whitespace);
                let is_first = starts.is_some_and(|before| {
                    matches!(before.kind, TokenKind::OpenParen | TokenKind::Separator(Separator::Argument))
                });
                let is_declared = calls.last().is_some_and(|call| match call.kind {
                    Kind::Let => call.arguments % 2 == 0 && is_first && is_followed,
                    Kind::Lambda => is_first && is_followed,
                    Kind::Other => false,
                });
                let is_marked = starts_with(token.text, "_xlpm.") || starts_with(token.text, "_xlop.");
                if is_declared && !is_marked {
                    parameters.push(token.text);
                }
                let mark = if is_parameter(&parameters) { "_xlpm." } else { "" };
                operand(&mut out, &format!("{mark}{}", token.text), next, &mut is_single);
            }
            TokenKind::Reference(_) | TokenKind::Structured | TokenKind::Name => {
                operand(&mut out, token.text, next, &mut is_single);
            }
            TokenKind::Operator(Operator::Spill) if is_call_of(&out, "_xlfn.ANCHORARRAY(") => {}
            TokenKind::Operator(Operator::Implicit) if next.is_some_and(is_intersected) => {
                out.push_str("_xlfn.SINGLE(");
                is_single = true;
            }
            _ => out.push_str(token.text),
        }
    }
    if out == formula { Cow::Borrowed(formula) } else { Cow::Owned(out) }
}

/// An operand, as the argument of what stands for `#` behind it and of what stands for `@` before it.
fn operand(out: &mut String, text: &str, next: Option<&Token<'_>>, is_single: &mut bool) {
    let spills = next.is_some_and(|next| next.kind == TokenKind::Operator(Operator::Spill));
    if spills {
        out.push_str("_xlfn.ANCHORARRAY(");
    }
    out.push_str(text);
    if spills {
        out.push(')');
    }
    if std::mem::take(is_single) {
        out.push(')');
    }
}

/// Whether what was written last is the call of a function with one operand.
fn is_call_of(out: &str, call: &str) -> bool {
    out.ends_with(')') && out.rfind(call).is_some_and(|at| !out[at + call.len()..out.len() - 1].contains('('))
}

fn is_intersected(token: &Token<'_>) -> bool {
    matches!(
        token.kind,
        TokenKind::Reference(_) | TokenKind::Name | TokenKind::Structured | TokenKind::Function
    )
}

fn mark_of(function: &Token<'_>) -> &'static str {
    let name = function.text.to_ascii_uppercase();
    let name = name.as_str();
    if matches!(name, "FILTER" | "SORT") {
        return "_xlfn._xlws.";
    }
    let is_future = FUTURE.binary_search(&name).is_ok();
    if function.prefix_len == 0 && is_future { "_xlfn." } else { "" }
}

fn starts_with(text: &str, mark: &str) -> bool {
    text.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(formula: &str, stored: &str) {
        assert_eq!(to_stored(formula), stored);
        assert_eq!(to_stored(stored), stored, "stored twice");
    }

    #[test]
    fn functions_are_marked() {
        assert!(FUTURE.is_sorted());
        check("SUM(A1)+xlookup(1,A:A,B:B)", "SUM(A1)+_xlfn.xlookup(1,A:A,B:B)");
        check("SORT(FILTER(A:A,B:B>1))", "_xlfn._xlws.SORT(_xlfn._xlws.FILTER(A:A,B:B>1))");
        check("IFERROR(\"IFS(\",NETWORKDAYS.INTL(A1,B1))", "IFERROR(\"IFS(\",NETWORKDAYS.INTL(A1,B1))");
        check("Book.xlam!IFS(1)", "Book.xlam!IFS(1)");
    }

    #[test]
    fn parameters_are_marked() {
        check("LET(x,A1,y,x+1,x*y)+x", "_xlfn.LET(_xlpm.x,A1,_xlpm.y,_xlpm.x+1,_xlpm.x*_xlpm.y)+x");
        check(
            "MAP(A1:A3,LAMBDA(v,IF(v>Rate,v,0)))",
            "_xlfn.MAP(A1:A3,_xlfn.LAMBDA(_xlpm.v,IF(_xlpm.v>Rate,_xlpm.v,0)))",
        );
        check("LET(f,LAMBDA(a,a),f(1))", "_xlfn.LET(_xlpm.f,_xlfn.LAMBDA(_xlpm.a,_xlpm.a),_xlpm.f(1))");
    }

    #[test]
    fn signs_are_calls() {
        check("SUM(A1#)", "SUM(_xlfn.ANCHORARRAY(A1))");
        check("SUM(@A1:A9)+@INDEX(A:A,SUM(1))", "SUM(_xlfn.SINGLE(A1:A9))+_xlfn.SINGLE(INDEX(A:A,SUM(1)))");
        check("Sales[@Amount]*2", "Sales[@Amount]*2");
    }
}
