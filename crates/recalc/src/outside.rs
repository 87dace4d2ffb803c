//! Formulas that ask for what no file holds.

/// Functions that reach the network, other programs, or what the computer is.
const OUTSIDE: [&str; 9] =
    ["WEBSERVICE", "RTD", "DDE", "CALL", "REGISTER.ID", "SQL.REQUEST", "IMAGE", "STOCKHISTORY", "PY"];

/// Whether a formula reads another workbook or asks a function that reaches outside; then which function, if it is one.
pub(crate) fn reaches_outside(text: &str) -> Option<Option<Box<str>>> {
    for call in formula::functions(text) {
        let bare = call.name.trim_start_matches("_xlfn.").trim_start_matches("_xlws.");
        let is_cube = bare.len() > 4 && bare[..4].eq_ignore_ascii_case("CUBE");
        if is_cube || OUTSIDE.iter().any(|outside| bare.eq_ignore_ascii_case(outside)) {
            return Some(Some(bare.to_ascii_uppercase().into()));
        }
    }
    let is_outside = |mention: formula::Mention<'_>| match &mention.target {
        formula::Target::Cells(reference) => reference.prefix.is_other_book(),
        formula::Target::Name(named) => named.prefix.is_other_book(),
        formula::Target::Structured(structured) => structured.prefix.is_other_book(),
    };
    // `Program|Topic!Item` is a link to a program (DDE).
    let has_link =
        || formula::lex(text).any(|token| token.kind != formula::TokenKind::Text && token.text.contains('|'));
    (formula::references(text).any(is_outside) || has_link()).then_some(None)
}
