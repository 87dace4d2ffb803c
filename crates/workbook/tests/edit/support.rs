//! Drafts of small workbooks, and what is in them.

use std::io::Cursor;
use std::sync::Arc;

use workbook::edit::{Draft, Edit, ExplicitPlaces, SaveOptions};
use workbook::{Limits, Workbook};

/// A workbook that a test writes with `rust_xlsxwriter`.
pub(crate) fn draft_of(bytes: Vec<u8>) -> Draft {
    let bytes: Arc<[u8]> = bytes.into();
    let book = Workbook::open(bytes, "book.xlsx", &Limits::default(), &()).expect("a sound workbook");
    Draft::new(&book, &Limits::default()).expect("a format that is edited")
}

/// Edits from JSON, as a batch file has them.
pub(crate) fn edits(json: &str) -> Vec<Edit> {
    serde_json::from_str(json).expect("edits")
}

/// The draft after edits.
#[track_caller]
pub(crate) fn apply(draft: &mut Draft, json: &str) {
    if let Err(error) = draft.apply(&edits(json), &ExplicitPlaces) {
        panic!("{error}");
    }
}

/// What an edit is refused with.
#[track_caller]
pub(crate) fn refusal(draft: &mut Draft, json: &str) -> String {
    draft.apply(&edits(json), &ExplicitPlaces).expect_err("a refusal").to_string()
}

pub(crate) fn saved(draft: &Draft) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    draft.save(SaveOptions { drop_signature: true }, &mut out).expect("a saved workbook");
    out.into_inner()
}

pub(crate) fn reopened(draft: &Draft) -> Workbook {
    Workbook::open(saved(draft).into(), "book.xlsx", &Limits::default(), &())
        .expect("what was saved is sound")
}

/// Every cell of a workbook as a line: address, value or formula, format code.
pub(crate) fn listing(book: &Workbook) -> String {
    let mut lines = String::new();
    for id in book.sheet_ids() {
        let sheet = book.sheet(id, &()).expect("a sound sheet");
        for (at, cell) in sheet.cells_by_row(grid::CellRange::ALL) {
            let text = book.styles.text(cell.value, cell.style, book.date_system);
            let formula =
                cell.formula.map(|id| format!(" ={}", sheet.formula_text(at, id))).unwrap_or_default();
            let code = book.styles.number_format_code(cell.style);
            let code = if code == "General" { String::new() } else { format!(" [{code}]") };
            lines.push_str(&format!("{}!{at} {text}{formula}{code}\n", sheet.name));
        }
    }
    lines
}
