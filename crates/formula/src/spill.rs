//! Whether a formula that a user types is one whose results spill: it yields several values, or computes with several on the
//! way to one, such as `=SUM(A1:A9*B1:B9)`. Programs with dynamic arrays store such a formula as an array formula; stored as a
//! plain one it would mean `=SUM(@A1:A9*@B1:B9)` (\[MS-XLSX\] §2.2.4.8).

use crate::survey::plain_name;
use crate::{Operator, RefKind, Separator, StructuredReference, Token, TokenKind, lex};

/// Functions that yield arrays, in the order of their bytes. `XLOOKUP` and `XMATCH` mostly yield one value, and Excel stores
/// their formulas as plain ones.
#[rustfmt::skip]
const SPILLING: &[&str] = &[
    "ANCHORARRAY", "BYCOL", "BYROW", "CHOOSECOLS", "CHOOSEROWS", "DROP", "EXPAND", "FILTER", "FREQUENCY", "GROUPBY",
    "GROWTH", "HSTACK", "LINEST", "LOGEST", "MAKEARRAY", "MAP", "MINVERSE", "MMULT", "MODE.MULT", "MUNIT", "PIVOTBY",
    "RANDARRAY", "REDUCE", "REGEXEXTRACT", "SCAN", "SEQUENCE", "SORT", "SORTBY", "TAKE", "TEXTSPLIT", "TOCOL", "TOROW",
    "TRANSPOSE", "TREND", "TRIMRANGE", "UNIQUE", "VSTACK", "WRAPCOLS", "WRAPROWS",
];

/// Functions that compute with arrays in whatever formula, in the order of their bytes.
const COMPUTE_ARRAYS: &[&str] = &[
    "AGGREGATE",
    "CHITEST",
    "CORREL",
    "COVAR",
    "FORECAST",
    "FTEST",
    "INTERCEPT",
    "LOOKUP",
    "MDETERM",
    "MODE",
    "PEARSON",
    "PROB",
    "RSQ",
    "SLOPE",
    "STEYX",
    "SUMPRODUCT",
    "SUMX2MY2",
    "SUMX2PY2",
    "SUMXMY2",
    "TTEST",
    "ZTEST",
];

/// Functions all of whose arguments are single values, in the order of their bytes.
#[rustfmt::skip]
const OF_VALUES: &[&str] = &[
    "ABS", "ACOS", "ACOSH", "ACOT", "ACOTH", "ADDRESS", "ARABIC", "ASIN", "ASINH", "ATAN", "ATAN2", "ATANH", "BASE",
    "BITAND", "BITLSHIFT", "BITOR", "BITRSHIFT", "BITXOR", "CEILING", "CEILING.MATH", "CHAR", "CLEAN", "CODE", "COMBIN",
    "COMBINA", "CONCATENATE", "COS", "COSH", "COT", "COTH", "CSC", "CSCH", "DATE", "DATEDIF", "DATEVALUE", "DAY", "DAYS",
    "DAYS360", "DECIMAL", "DEGREES", "DOLLAR", "EDATE", "EOMONTH", "ERROR.TYPE", "EVEN", "EXACT", "EXP", "FACT",
    "FACTDOUBLE", "FIND", "FIXED", "FLOOR", "FLOOR.MATH", "FV", "GAMMA", "GAMMALN", "HEX2DEC", "HOUR", "HYPERLINK",
    "INT", "IPMT", "ISBLANK", "ISERR", "ISERROR", "ISEVEN", "ISLOGICAL", "ISNA", "ISNONTEXT", "ISNUMBER", "ISODD",
    "ISOWEEKNUM", "ISTEXT", "LEFT", "LEN", "LN", "LOG", "LOG10", "LOWER", "MID", "MINUTE", "MOD", "MONTH", "MROUND",
    "NORM.DIST", "NORM.INV", "NORM.S.DIST", "NORM.S.INV", "NORMSDIST", "NOT", "NPER", "NUMBERVALUE", "ODD", "PERMUT",
    "PMT", "POWER", "PPMT", "PROPER", "PV", "QUOTIENT", "RADIANS", "RANDBETWEEN", "RATE", "REPLACE", "REPT", "RIGHT",
    "ROMAN", "ROUND", "ROUNDDOWN", "ROUNDUP", "SEARCH", "SEC", "SECH", "SECOND", "SIGN", "SIN", "SINH", "SQRT",
    "SQRTPI", "SUBSTITUTE", "TAN", "TANH", "TEXT", "TEXTAFTER", "TEXTBEFORE", "TIME", "TIMEVALUE", "TRIM", "TRUNC",
    "UNICHAR", "UNICODE", "UPPER", "VALUE", "WEEKDAY", "WEEKNUM", "YEAR", "YEARFRAC",
];

/// How what stands at a place is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meant {
    /// As one value.
    Value,
    /// As cells: only what is computed from several of them needs an array.
    Cells,
    /// As whatever the place of the call is meant as: what `IF` chooses from.
    Passed,
}

/// A call whose arguments are read.
struct Call {
    /// In capitals and without marks; empty for the whole formula and for groups in parentheses.
    name: String,
    /// The argument at hand.
    index: usize,
    meant: Meant,
    /// Whether arrays are computed with anyway.
    takes_arrays: bool,
    /// Whether the argument at hand has an operand of several values, and an operator that computes with it.
    has_many: bool,
    computes: bool,
}

impl Call {
    fn new(name: String, outer: Option<&Call>) -> Call {
        let is_group = name.is_empty() && outer.is_some();
        let takes_arrays = outer.is_some_and(|outer| outer.takes_arrays)
            || COMPUTE_ARRAYS.binary_search(&name.as_str()).is_ok();
        let meant = match outer {
            Some(_) if is_group => Meant::Passed,
            _ => meant(&name, 0),
        };
        Call { name, index: 0, meant, takes_arrays, has_many: false, computes: false }
    }

    /// Whether the argument at hand needs an array formula.
    fn needs_array(&self) -> bool {
        !self.takes_arrays && self.has_many && (self.meant == Meant::Value || self.computes)
    }

    fn next_argument(&mut self) {
        self.index += 1;
        self.meant = meant(&self.name, self.index);
        (self.has_many, self.computes) = (false, false);
    }
}

/// How an argument is meant.
fn meant(function: &str, index: usize) -> Meant {
    let value_if = |is_value: bool| if is_value { Meant::Value } else { Meant::Cells };
    match function {
        // The formula itself.
        "" => Meant::Value,
        "IF" | "CHOOSE" if index > 0 => Meant::Passed,
        "IFERROR" | "IFNA" => Meant::Passed,
        "IFS" => {
            if index % 2 == 1 {
                Meant::Passed
            } else {
                Meant::Value
            }
        }
        "SWITCH" => {
            if index >= 2 && index.is_multiple_of(2) {
                Meant::Passed
            } else {
                Meant::Value
            }
        }
        "IF" | "CHOOSE" | "LET" => Meant::Value,
        "COUNTIF" | "SUMIF" | "AVERAGEIF" | "LARGE" | "SMALL" | "PERCENTILE" | "QUARTILE"
        | "PERCENTILE.INC" | "PERCENTILE.EXC" | "QUARTILE.INC" | "QUARTILE.EXC" => value_if(index == 1),
        "COUNTIFS" => value_if(index % 2 == 1),
        "SUMIFS" | "AVERAGEIFS" | "MAXIFS" | "MINIFS" => value_if(index > 0 && index.is_multiple_of(2)),
        "VLOOKUP" | "HLOOKUP" | "MATCH" => value_if(index != 1),
        "XLOOKUP" | "XMATCH" | "RANK" | "RANK.EQ" | "RANK.AVG" | "NPV" => value_if(index == 0),
        "INDEX" | "OFFSET" => value_if(index > 0),
        _ => value_if(OF_VALUES.binary_search(&function).is_ok()),
    }
}

/// Whether a stored formula, as a user of dynamic arrays means it, is one whose results spill.
pub fn spills(formula: &str) -> bool {
    let mut calls = vec![Call::new(String::new(), None)];
    let tokens: Vec<Token<'_>> = lex(formula).filter(|token| token.kind != TokenKind::Whitespace).collect();
    for (index, token) in tokens.iter().enumerate() {
        let is_before = |operator| index > 0 && tokens[index - 1].kind == TokenKind::Operator(operator);
        match token.kind {
            TokenKind::Function => {
                let name = plain_name(token.body()).to_ascii_uppercase();
                if SPILLING.binary_search(&name.as_str()).is_ok() {
                    return true;
                }
                // `(` comes next.
                calls.push(Call::new(name, calls.last()));
            }
            TokenKind::OpenParen if index > 0 && tokens[index - 1].kind == TokenKind::Function => {}
            TokenKind::OpenParen => calls.push(Call::new(String::new(), calls.last())),
            TokenKind::Separator(Separator::Argument) => {
                let Some(call) = calls.last_mut() else { return false };
                if call.needs_array() {
                    return true;
                }
                let passed = call.meant == Meant::Passed && call.has_many;
                call.next_argument();
                if passed {
                    pass_on(&mut calls);
                }
            }
            TokenKind::CloseParen => {
                let Some(call) = calls.pop() else { return false };
                if call.needs_array() {
                    return true;
                }
                if let Some(outer) = calls.last_mut()
                    && call.meant == Meant::Passed
                {
                    outer.has_many |= call.has_many;
                }
            }
            TokenKind::OpenBrace => {
                let end = tokens[index..].iter().take_while(|token| token.kind != TokenKind::CloseBrace);
                let is_many = end.into_iter().any(|token| matches!(token.kind, TokenKind::Separator(_)));
                if let Some(call) = calls.last_mut() {
                    call.has_many |= is_many;
                }
            }
            TokenKind::Operator(operator) => {
                if let Some(call) = calls.last_mut() {
                    match operator {
                        Operator::Range | Operator::Spill => call.has_many = true,
                        Operator::Union | Operator::Intersection | Operator::Implicit => {}
                        _ => call.computes = true,
                    }
                }
            }
            _ if is_before(Operator::Implicit) => {}
            _ => {
                if let Some(call) = calls.last_mut() {
                    call.has_many |= is_many(token);
                }
            }
        }
    }
    calls.pop().is_some_and(|whole| whole.needs_array())
}

/// What one of a function's results is goes where the function stands.
fn pass_on(calls: &mut [Call]) {
    if let [.., outer, _] = calls {
        outer.has_many = true;
    }
}

/// Whether an operand stands for several values.
fn is_many(token: &Token<'_>) -> bool {
    match token.kind {
        TokenKind::Reference(kind @ RefKind::Range(..)) => {
            kind.range().is_some_and(|range| !range.is_single())
        }
        TokenKind::Reference(RefKind::Columns(..) | RefKind::Rows(..)) => true,
        TokenKind::Structured => {
            let rows = StructuredReference::parse(token.prefix(), token.body()).rows;
            rows.data && !rows.this_row
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_that_compute_with_arrays() {
        for list in [SPILLING, COMPUTE_ARRAYS, OF_VALUES] {
            assert!(list.is_sorted());
        }
        for formula in [
            "A1:A3",
            "A1:A3*10",
            "-A1:A3",
            "{1,2,3}",
            "LEN(A1:A3)",
            "SUM(A1:A3*B1:B3)",
            "SUM(--(A1:A3>1))",
            "SUM((A1:A3>1)*B1:B3)",
            "SUM(IF(A1:A3>1,B1:B3,0))",
            "SUM(IF(A1>1,B1:B3*2))",
            "IF(A1>1,B1:B3,0)",
            "IFERROR(A1:A3/B1:B3,0)",
            "MAX(ABS(Sales[Net]))",
            "COUNTIF(A1:A9,C1:C3)",
            "VLOOKUP(A1:A3,D:E,2,FALSE)",
            "VLOOKUP(A1,D:F,{2,3},FALSE)",
            "INDEX(A1:A9,MATCH(1,(B1:B9=1)*(C1:C9=2),0))",
            "TEXTJOIN(\",\",TRUE,IF(A1:A9>1,B1:B9,\"\"))",
            "TRANSPOSE(A1:B2)",
            "SUM(MMULT(A1:B2,D1:E2))",
            "A1#",
            "SUM(A1#*2)",
            "Data!A:A&\"x\"",
            "_xlfn.LET(_xlpm.x,A1:A3,SUM(_xlpm.x*2))",
        ] {
            assert!(spills(formula), "{formula}");
        }
    }

    #[test]
    fn formulas_of_single_values() {
        for formula in [
            "1+2",
            "A1*10",
            "SUM(A1:A3)*2",
            "SUM(A1:A3,B1:B3)",
            "AVERAGE((A1:A3,C1:C3))",
            "SUMPRODUCT(A1:A3*B1:B3)",
            "SUMPRODUCT(--(A1:A3>1),B1:B3)",
            "SUMPRODUCT(LEN(A1:A3))",
            "LOOKUP(2,1/(A1:A9>0),B1:B9)",
            "COUNTIF(A1:A9,\">1\")",
            "COUNTIFS(A:A,C1,B:B,\"x\")",
            "SUMIFS(C:C,A:A,D1,B:B,\"x\")*2",
            "VLOOKUP(A1,D:E,2,FALSE)",
            "INDEX(A1:A9,MATCH(C1,B1:B9,0))",
            "INDEX(A:C,2,3)+1",
            "_xlfn.XLOOKUP(A1,D1:D9,E1:E9,\"\")",
            "SUM(IF(A1>1,B1:B3,C1:C3))",
            "IF(SUM(A1:A3)>1,MAX(B1:B3),0)",
            "IFERROR(VLOOKUP(A1,B:C,2,0),\"\")",
            "@A1:A3*2",
            "SUM(Sales[Net])/COUNT(Sales[Net])",
            "Sales[@Net]*2",
            "[@Net]*[@Count]",
            "SUM(A1:INDEX(A:A,5))",
            "SUM(OFFSET(A1,0,0,3,1))",
            "SUM(A1:A9 B3:C4)",
            "TEXT(A1,\"0\")&B1",
            "NPV(A1,B1:B9)",
            "ROWS(A1:A9)*2",
            "SUBTOTAL(9,A1:A9)",
            "A1:A1*2",
            "SUM(Jan:Mar!A1)",
        ] {
            assert!(!spills(formula), "{formula}");
        }
    }
}
