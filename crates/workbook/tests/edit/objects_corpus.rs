//! Edits of tables, notes, charts and pictures on real files: what they do not concern is byte for byte as it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use ooxml::{Limits as PackageLimits, Node, Package, Tree};
use serde_json::{Value as Json, json};
use workbook::edit::{Draft, Edit, ExplicitPlaces};
use workbook::{Limits, Sheet, SheetId, SheetKind, Workbook};

use crate::objects::PNG;
use crate::support::{corpus_books, file_name, saved};

/// Files of more bytes are compared with one cell alone.
const MAX_BYTES: usize = 3_000_000;

/// An edit, the elements of the sheet's part that it may change, and pieces of the names of other parts that it may.
struct Case {
    edits: Vec<Json>,
    sheet: SheetId,
    elements: &'static [&'static str],
    parts: &'static [&'static str],
}

/// What belongs to a new part of a sheet.
const LINKED: [&str; 3] = ["[content_types].xml", "worksheets/_rels/", "sharedstrings.xml"];

#[derive(Default)]
struct Tally {
    files: usize,
    edits: BTreeMap<String, usize>,
    parts: usize,
    bytes: u64,
    refused: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

#[test]
fn what_edits_of_objects_do_not_concern_stays() {
    let Some(folder) = fixtures::corpus::folder() else { return };
    let mut tally = Tally::default();
    for (path, bytes, book) in corpus_books(&folder) {
        if bytes.len() > MAX_BYTES {
            continue;
        }
        let name = file_name(&path);
        let Ok(base) = Package::open(bytes, &PackageLimits::default()) else { continue };
        let Ok(draft) = Draft::new(&book, &Limits::default()) else { continue };
        tally.files += 1;
        for case in cases(&book) {
            let op = case.edits.last().unwrap()["op"].as_str().unwrap().to_owned();
            let edits: Vec<Edit> = serde_json::from_value(Json::Array(case.edits.clone())).expect("edits");
            let mut draft = draft.clone();
            if let Err(error) = draft.apply(&edits, &ExplicitPlaces) {
                *tally.refused.entry(format!("{}: {}", error.op, error.problem)).or_default() += 1;
                continue;
            }
            *tally.edits.entry(op.clone()).or_default() += 1;
            if let Err(problem) = check(&base, &draft, &case, &mut tally) {
                tally.wrong.push(format!("{name}: {op}: {problem}"));
            }
        }
    }
    fixtures::corpus::say(&format!(
        "objects: {:?} of {} files; {} parts and {} bytes are as they were; refused: {:#?}",
        tally.edits, tally.files, tally.parts, tally.bytes, tally.refused
    ));
    assert!(tally.wrong.is_empty(), "{} wrong:\n{}", tally.wrong.len(), tally.wrong.join("\n"));
    assert!(tally.files > 100 && tally.edits["create_chart"] > 100, "{:?}", tally.edits);
}

/// Every edit of tables, notes, charts and pictures that the workbook has something for.
pub(crate) fn edits(book: &Workbook) -> Vec<Vec<Json>> {
    cases(book).into_iter().map(|case| case.edits).collect()
}

/// Every edit that the workbook has something for.
fn cases(book: &Workbook) -> Vec<Case> {
    let mut cases = Vec::new();
    let sheets: Vec<(SheetId, Arc<Sheet>)> = (book.sheet_ids())
        .filter(|id| book.tab(*id).kind == SheetKind::Worksheet)
        .filter_map(|id| Some((id, book.sheet(id, &()).ok()?)))
        .filter(|(_, sheet)| !sheet.part.is_empty())
        .collect();
    let first_with = |has: fn(&Sheet) -> bool| sheets.iter().find(|(_, sheet)| has(sheet));
    let mut add = |id: SheetId, edits: Vec<Json>, elements, parts| {
        cases.push(Case { edits, sheet: id, elements, parts });
    };
    // What is most worth keeping is where there is something drawn.
    let drawn = first_with(|it| !it.charts.is_empty() || !it.shapes.is_empty() || !it.comments.is_empty());
    if let Some((id, sheet)) = drawn.or(sheets.first()) {
        let cells = sheet.cells_by_row(grid::CellRange::ALL).map(|(at, _)| (at.row(), at.col()));
        let (row, col) = cells.fold((0, 0), |(row, col), at| (at.0.max(row), at.1.max(col)));
        let (row, col) = ((row + 9).min(1_048_000), (col + 3).min(grid::MAX_COLS - 4));
        let quoted = grid::quote(&sheet.name);
        let range = |rows: u32| {
            let letters = (grid::column_letters(col), grid::column_letters(col + 1));
            format!("{quoted}!{}{row}:{}{}", letters.0, letters.1, row + rows)
        };
        let cell = format!("{quoted}!{}{row}", grid::column_letters(col));
        let anchor =
            format!("{}{row}:{}{}", grid::column_letters(col), grid::column_letters(col + 2), row + 9);
        let filled = json!({"op": "set", "range": range(1), "values": [[1, 2], [3, 4]]});
        add(
            *id,
            vec![json!({"op": "create_table", "range": range(2), "name": "A_new_table"})],
            &["sheetData", "dimension", "tableParts"],
            &LINKED,
        );
        add(
            *id,
            vec![filled.clone(), json!({"op": "append", "range": range(1), "rows": [[5, 6], [7]]})],
            &["sheetData", "dimension"],
            &[],
        );
        add(
            *id,
            vec![json!({"op": "comment", "cell": cell, "text": "new", "author": "me"})],
            &["legacyDrawing"],
            &["[content_types].xml", "worksheets/_rels/", "comments", "vmldrawing", ".vml"],
        );
        add(
            *id,
            vec![
                json!({"op": "create_chart", "sheet": sheet.name, "kind": "line", "data": range(2), "anchor": anchor}),
            ],
            &["drawing"],
            &["[content_types].xml", "worksheets/_rels/", "/drawings/"],
        );
        add(
            *id,
            vec![json!({"op": "place_image", "sheet": sheet.name, "anchor": anchor, "data": PNG})],
            &["drawing"],
            &["[content_types].xml", "worksheets/_rels/", "/drawings/"],
        );
    }
    if let Some((id, sheet)) = first_with(|it| !it.comments.is_empty()) {
        let at = sheet.comments[0].cell;
        add(
            *id,
            vec![json!({"op": "delete_comment", "range": format!("{}!{at}", grid::quote(&sheet.name))})],
            &["legacyDrawing"],
            &["[content_types].xml", "worksheets/_rels/", "comment", "vmldrawing", ".vml"],
        );
    }
    if let Some((id, sheet)) = first_with(|it| !it.charts.is_empty()) {
        let own = grid::quote(&sheet.name).into_owned();
        add(
            *id,
            vec![
                json!({"op": "retarget_chart", "sheet": sheet.name, "chart": "1", "data": format!("{own}!A1:C4")}),
            ],
            &[],
            &["/charts/"],
        );
        add(
            *id,
            vec![json!({"op": "delete_object", "sheet": sheet.name, "name": sheet.charts[0].name})],
            &["drawing"],
            &["[content_types].xml", "worksheets/_rels/", "/drawings/", "/charts/"],
        );
    }
    if let Some((id, sheet)) = first_with(|it| !it.tables.is_empty()) {
        let table = &sheet.tables[0];
        let own = [
            "/tables/",
            "sharedstrings.xml",
            "workbook.xml",
            "/worksheets/",
            "/pivotcache/",
            "calcchain",
            "[content_types].xml",
        ];
        let own: &'static [&'static str] = Vec::leak(own.to_vec());
        let column = table.columns.last().map(|it| it.name.clone());
        add(
            *id,
            vec![json!({"op": "rename_table", "table": table.name, "name": "A_new_name"})],
            &["sheetData", "extLst", "dataValidations"],
            own,
        );
        add(
            *id,
            vec![
                json!({"op": "rename_table_column", "table": table.name, "column": column, "name": "A new name"}),
            ],
            &["sheetData", "dimension", "extLst", "dataValidations"],
            own,
        );
        add(
            *id,
            vec![json!({"op": "append", "range": table.name, "rows": [[null], [null]]})],
            &["sheetData", "dimension", "conditionalFormatting", "dataValidations", "extLst"],
            own,
        );
        add(
            *id,
            vec![json!({"op": "delete_table", "table": table.name})],
            &["sheetData", "tableParts"],
            &["[content_types].xml", "worksheets/_rels/", "/tables/", "/querytables/"],
        );
    }
    cases
}

fn check(base: &Package, draft: &Draft, case: &Case, tally: &mut Tally) -> Result<(), String> {
    let bytes = saved(draft);
    let package =
        Package::open(bytes.clone().into(), &PackageLimits::default()).map_err(|e| e.to_string())?;
    let live = draft.book().sheet(case.sheet, &()).map_err(|e| e.to_string())?;
    let is_meant = |name: &str| {
        let name = name.to_ascii_lowercase();
        case.parts.iter().any(|piece| name.contains(piece))
    };
    // A sheet without formats, and one whose formulas have to be calculated anew.
    let is_follow_up = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.starts_with("_xmlsignatures/")
            || draft.book().signed && (name == "[content_types].xml" || name == "_rels/.rels")
            || name.ends_with("sharedstrings.xml") && case.elements.contains(&"sheetData")
    };
    for name in base.names() {
        let (Ok(old), new) = (base.part(name), package.part(name)) else { continue };
        match new {
            Ok(new) if old == new => {
                tally.parts += 1;
                tally.bytes += new.len() as u64;
            }
            _ if is_follow_up(name) => {}
            Ok(new) if name.eq_ignore_ascii_case(&live.part) => {
                same_but(&tree(name, &old)?, &tree(name, &new)?, case.elements)?;
            }
            Ok(new) if name.to_ascii_lowercase().ends_with("workbook.xml") && !is_meant(name) => {
                same_but(&tree(name, &old)?, &tree(name, &new)?, &["calcPr"])?;
            }
            _ if is_meant(name) => {}
            Ok(_) => return Err(format!("{name} changed")),
            Err(_) => return Err(format!("{name} is gone")),
        }
    }
    for name in package.names().filter(|name| !base.contains(name)) {
        let kinds =
            ["xl/tables/", "xl/comments", "xl/drawings/", "xl/charts/", "xl/media/", "xl/worksheets/_rels/"];
        if !kinds.iter().any(|kind| name.starts_with(kind)) && !is_meant(name) {
            return Err(format!("{name} came"));
        }
    }
    let again =
        Workbook::open(bytes.into(), "book.xlsx", &Limits::default(), &()).map_err(|e| e.to_string())?;
    let read = again.sheet(case.sheet, &()).map_err(|e| e.to_string())?;
    for (live, read) in told(&live).into_iter().zip(told(&read)) {
        if live != read {
            return Err(format!("saved and opened again: {live} became {read}"));
        }
    }
    Ok(())
}

/// What floats above the cells and around them.
fn told(sheet: &Sheet) -> [String; 6] {
    [
        format!("{:?}", sheet.tables),
        format!("{:?}", sheet.comments),
        format!("{:?}", sheet.charts),
        format!("{:?}", sheet.images),
        format!("{:?}", sheet.shapes),
        format!("{:?}", sheet.notes),
    ]
}

fn tree(name: &str, bytes: &[u8]) -> Result<Node, String> {
    Ok(Tree::read(name, bytes, 256).map_err(|error| error.to_string())?.root)
}

/// Whether every element but some is as it was, in its place.
fn same_but(old: &Node, new: &Node, elements: &[&str]) -> Result<(), String> {
    let kept = |node: &Node| -> Vec<String> {
        let others = node.children().filter(|node| !elements.contains(&node.local_name()));
        others.filter(|node| node.local_name() != "calcPr").map(Node::to_xml).collect()
    };
    match kept(old).iter().zip(&kept(new)).find(|(old, new)| old != new) {
        Some((old, new)) => Err(format!("{old:.200} became {new:.200}")),
        None if kept(old).len() != kept(new).len() => Err("elements came or went".to_owned()),
        None => Ok(()),
    }
}
