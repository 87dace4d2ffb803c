//! Formulas that ask for what no file holds.

/// Whether a formula reads another workbook or asks a function that reaches outside; then which function, if it is one.
pub(crate) fn reaches_outside(text: &str) -> Option<Option<Box<str>>> {
    for call in formula::functions(text) {
        let bare = call.name.trim_start_matches("_xlfn.").trim_start_matches("_xlws.");
        let is_cube = bare.len() > 4 && bare[..4].eq_ignore_ascii_case("CUBE");
        if is_cube || formula::REACHING.iter().any(|outside| bare.eq_ignore_ascii_case(outside)) {
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
