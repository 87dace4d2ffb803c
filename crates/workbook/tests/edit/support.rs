//! Drafts of small workbooks, and what is in them.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use expect_test::Expect;
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

/// After edits of a workbook its draft reads as expected, and so does what it is saved as.
#[track_caller]
pub(crate) fn check(book: Vec<u8>, json: &str, listing: fn(&Workbook) -> String, expected: &Expect) {
    let mut draft = draft_of(book);
    apply(&mut draft, json);
    let live = listing(draft.book());
    assert_eq!(listing(&reopened(&draft)), live, "saved and opened again");
    expected.assert_eq(&live);
}

/// The files of the corpus that can be edited: name, bytes, workbook.
pub(crate) fn corpus_books(folder: &Path) -> impl Iterator<Item = (PathBuf, Arc<[u8]>, Workbook)> {
    let files =
        fixtures::corpus::files(folder, &["xlsx", "xlsm", "xltx", "xltm"]).expect("a readable corpus");
    files.into_iter().filter_map(|path| {
        let bytes: Arc<[u8]> = std::fs::read(&path).expect("a readable file").into();
        let book = Workbook::open(Arc::clone(&bytes), &file_name(&path), &Limits::default(), &()).ok()?;
        Some((path, bytes, book))
    })
}

pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What an edit is refused with.
#[track_caller]
pub(crate) fn refusal(draft: &mut Draft, json: &str) -> String {
    draft.apply(&edits(json), &ExplicitPlaces).expect_err("a refusal").to_string()
}

pub(crate) fn saved(draft: &Draft) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    draft
        .save(SaveOptions { drop_signature: true, ..SaveOptions::default() }, &mut out)
        .expect("a saved workbook");
    out.into_inner()
}

pub(crate) fn reopened(draft: &Draft) -> Workbook {
    Workbook::open(saved(draft).into(), "book.xlsx", &Limits::default(), &())
        .expect("what was saved is sound")
}

/// A part of what a draft is saved as.
pub(crate) fn part(draft: &Draft, name: &str) -> String {
    let package =
        ooxml::Package::open(saved(draft).into(), &ooxml::Limits::default()).expect("a sound package");
    String::from_utf8(package.part(name).expect("the part")).expect("UTF-8")
}

/// The elements of a part from the first of a name to behind the last one of it.
#[track_caller]
pub(crate) fn element(draft: &Draft, name: &str, element: &str) -> String {
    let part = part(draft, name);
    let start = part.find(&format!("<{element}")).unwrap_or_else(|| panic!("no {element} in {part}"));
    let close = format!("</{element}>");
    let end = match part.rfind(&close) {
        Some(end) => end + close.len(),
        None => start + part[start..].find("/>").expect("an end") + 2,
    };
    part[start..end].to_owned()
}

/// What is around the cells, one thing a line.
pub(crate) fn around(book: &Workbook) -> String {
    let mut lines = String::new();
    let mut line = |what: String| lines.push_str(&format!("{what}\n"));
    for id in book.sheet_ids() {
        let sheet = book.sheet(id, &()).expect("a sound sheet");
        let name = &sheet.name;
        for it in &sheet.rows {
            line(format!(
                "{name} row {} {:?} hidden {} level {}",
                it.row + 1,
                it.height,
                it.hidden,
                it.outline_level
            ));
        }
        for it in &sheet.column_spans {
            let (first, last) = (grid::column_letters(it.first), grid::column_letters(it.last));
            line(format!(
                "{name} columns {first}:{last} {:?} hidden {} level {}",
                it.width, it.hidden, it.outline_level
            ));
        }
        sheet.freeze.iter().for_each(|it| line(format!("{name} freeze {it:?}")));
        sheet.merges.iter().for_each(|it| line(format!("{name} merge {it}")));
        sheet.auto_filter.iter().for_each(|it| line(format!("{name} filter {} {:?}", it.range, it.columns)));
        for it in &sheet.hyperlinks {
            line(format!("{name} link {} {:?} {:?}", it.range, it.target, it.tooltip));
        }
        for it in &sheet.validations {
            let operands = [&it.formula1, &it.formula2].map(|it| it.as_deref().unwrap_or("-")).join(" ");
            line(format!(
                "{name} validation {} {} {:?} {operands} blank {} {:?} {:?}",
                list(&it.ranges),
                it.kind,
                it.operator,
                it.allow_blank,
                it.prompt,
                it.error
            ));
        }
        for it in &sheet.conditional_formats {
            line(format!(
                "{name} rule {} {} {} {:?} {:?} stop {} dxf {:?} {:?}",
                it.priority,
                list(&it.ranges),
                it.kind,
                it.operator,
                it.formulas,
                it.stop_if_true,
                it.dxf,
                it.detail
            ));
        }
    }
    for it in &book.names {
        line(format!(
            "name {} {:?} ={} hidden {} {:?}",
            it.name, it.scope, it.refers_to, it.hidden, it.comment
        ));
    }
    lines
}

fn list(ranges: &[grid::CellRange]) -> String {
    ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
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
