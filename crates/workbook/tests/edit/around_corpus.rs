//! Each edit of layout and rules over real files that have charts, pivots, slicers, comments, macros, …: what it does not
//! concern is as it was, to the byte where it is a part, to the element within the parts that it concerns.

use std::collections::BTreeMap;

use ooxml::{Limits as PackageLimits, Node, Package, Tree};
use serde_json::{Value as Json, json};
use workbook::edit::{Draft, Edit, ExplicitPlaces};
use workbook::{Limits, SheetId, SheetKind, Workbook};

use crate::support::{around, corpus_books, file_name, saved};

/// Larger files say no more about what is kept, and take long.
pub(crate) const MAX_BYTES: usize = 1_500_000;

/// An edit, and what it may touch.
struct Case {
    edit: Json,
    /// Elements of the sheet's part.
    elements: &'static [&'static str],
    /// Whether names of the workbook part may change.
    names: bool,
    /// Whether differential formats may come behind those of the styles part.
    formats: bool,
    /// Whether relationships of the sheet may come.
    links: bool,
}

fn case(edit: Json, elements: &'static [&'static str]) -> Case {
    Case { edit, elements, names: false, formats: false, links: false }
}

/// Every edit, in a corner of the sheet that is free.
fn cases(sheet: &str, row: u32, column: &str) -> Vec<Case> {
    let quoted = grid::quote(sheet);
    let cells = format!("{quoted}!{column}{row}:{column}{}", row + 3);
    let at = |range: &str| format!("{quoted}!{range}");
    let rows = format!("{}:{}", row, row + 2);
    let columns = format!("{column}:{column}");
    vec![
        case(json!({"op": "column_width", "range": at("B:C"), "width": 12.5}), &["cols"]),
        case(json!({"op": "column_width", "range": at("A:C"), "width": "auto"}), &["cols"]),
        case(json!({"op": "row_height", "range": at(&rows), "height": 20}), &["sheetData"]),
        case(json!({"op": "hide", "range": at(&columns)}), &["cols"]),
        case(json!({"op": "group", "range": at("2:3")}), &["sheetData", "sheetFormatPr"]),
        case(json!({"op": "freeze", "sheet": sheet, "rows": 1, "columns": 1}), &["sheetViews"]),
        case(
            json!({"op": "page_setup", "sheet": sheet, "orientation": "landscape", "fit_to_width": 1, "margins": {"left": 0.5},
                   "header": {"center": "&A"}, "gridlines": true}),
            &["sheetPr", "printOptions", "pageMargins", "pageSetup", "headerFooter"],
        ),
        Case { names: true, ..case(json!({"op": "print_area", "range": at("A1:D9")}), &[]) },
        Case { names: true, ..case(json!({"op": "print_titles", "sheet": sheet, "rows": "1:1"}), &[]) },
        Case {
            names: true,
            ..case(json!({"op": "define_name", "name": "_a_new_name", "refers_to": cells}), &[])
        },
        Case {
            formats: true,
            ..case(
                json!({"op": "conditional_format", "range": cells, "priority": 1, "rule": {"type": "cell_is", "operator": "less_than", "values": [0]},
                       "format": {"font": {"color": "#9C0006"}, "number_format": "0.0000"}}),
                &["conditionalFormatting", "extLst"],
            )
        },
        case(
            json!({"op": "clear_conditional_formats", "range": at("A1:B9")}),
            &["conditionalFormatting", "extLst"],
        ),
        case(
            json!({"op": "validation", "range": at("A2:B9"), "type": "list", "values": ["yes", "no"]}),
            &["dataValidations", "extLst"],
        ),
        case(json!({"op": "clear_validations", "range": at("A1:B9")}), &["dataValidations", "extLst"]),
        case(json!({"op": "merge", "range": cells}), &["mergeCells"]),
        Case {
            names: true,
            ..case(json!({"op": "auto_filter", "range": cells}), &["autoFilter", "sheetPr", "sheetData"])
        },
        Case {
            links: true,
            ..case(
                json!({"op": "hyperlink", "range": cells, "url": "https://example.com/a#b", "tooltip": "t"}),
                &["hyperlinks"],
            )
        },
        Case {
            links: true,
            ..case(json!({"op": "clear_hyperlinks", "range": at("A1:F9")}), &["hyperlinks"])
        },
    ]
}

#[derive(Default)]
struct Tally {
    files: usize,
    edits: usize,
    parts: usize,
    bytes: u64,
    refused: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

#[test]
fn what_edits_of_rules_do_not_concern_stays() {
    let Some(folder) = fixtures::corpus::folder() else { return };
    let mut tally = Tally::default();
    for (path, bytes, book) in corpus_books(&folder) {
        if bytes.len() > MAX_BYTES {
            continue;
        }
        let Ok(base) = Package::open(bytes, &PackageLimits::default()) else { continue };
        if !base.names().any(is_worth_keeping) {
            continue;
        }
        if let Err(problem) = check_file(&base, &book, &mut tally) {
            tally.wrong.push(format!("{}: {problem}", file_name(&path)));
        }
    }
    fixtures::corpus::say(&format!(
        "rules: {} edits of {} files; {} parts and {} bytes are as they were; refused: {:?}",
        tally.edits, tally.files, tally.parts, tally.bytes, tally.refused
    ));
    assert!(tally.wrong.is_empty(), "{} wrong:\n{}", tally.wrong.len(), tally.wrong.join("\n"));
    assert!(tally.files > 50 && tally.edits > 50 * 15, "{} edits of {} files", tally.edits, tally.files);
}

/// Whether a part is of the kind that careless programs lose.
pub(crate) fn is_worth_keeping(part: &str) -> bool {
    let part = part.to_ascii_lowercase();
    let kinds = [
        "/charts/",
        "/pivottables/",
        "/slicers/",
        "comments",
        "vbaproject",
        "/drawings/",
        "/media/",
        "/externallinks/",
        "/tables/",
        "/ctrlprops/",
        "/embeddings/",
        "customxml/",
    ];
    kinds.iter().any(|kind| part.contains(kind))
}

fn check_file(base: &Package, book: &Workbook, tally: &mut Tally) -> Result<(), String> {
    let Ok(draft) = Draft::new(book, &Limits::default()) else { return Ok(()) };
    let id = book.sheet_ids().find(|id| {
        book.tab(*id).kind == SheetKind::Worksheet
            && book.sheet(*id, &()).is_ok_and(|sheet| !sheet.part.is_empty())
    });
    let Some(id) = id else { return Ok(()) };
    let sheet = book.sheet(id, &()).map_err(|error| error.to_string())?;
    tally.files += 1;
    for case in cases_of(book, id) {
        let op = case.edit["op"].to_string();
        let edit: Edit = serde_json::from_value(case.edit.clone()).expect("an edit");
        let mut draft = draft.clone();
        if let Err(error) = draft.apply(&[edit], &ExplicitPlaces) {
            *tally.refused.entry(format!("{op}: {}", error.problem)).or_default() += 1;
            continue;
        }
        tally.edits += 1;
        check_case(base, &draft, &sheet.part, &case, tally).map_err(|problem| format!("{op}: {problem}"))?;
    }
    Ok(())
}

fn cases_of(book: &Workbook, id: SheetId) -> Vec<Case> {
    let sheet = book.sheet(id, &()).expect("read before");
    let cells = sheet.cells_by_row(grid::CellRange::ALL).map(|(at, _)| (at.row(), at.col()));
    let (row, col) = cells.fold((0, 0), |(row, col), at| (at.0.max(row), at.1.max(col)));
    let (row, column) = ((row + 9).min(1_048_000), grid::column_letters((col + 3).min(grid::MAX_COLS - 1)));
    cases(&book.tab(id).name, row, &column)
}

/// Every edit of layout and rules, in a corner of the sheet that is free.
pub(crate) fn edits(book: &Workbook, id: SheetId) -> Vec<Json> {
    cases_of(book, id).into_iter().map(|case| case.edit).collect()
}

fn check_case(
    base: &Package,
    draft: &Draft,
    part: &str,
    case: &Case,
    tally: &mut Tally,
) -> Result<(), String> {
    let bytes = saved(draft);
    let package =
        Package::open(bytes.clone().into(), &PackageLimits::default()).map_err(|e| e.to_string())?;
    let file = part.rsplit('/').next().unwrap_or(part);
    for name in base.names().chain(package.names()) {
        let is_signature = name.to_ascii_lowercase().starts_with("_xmlsignatures/");
        if is_signature || draft.book().signed && (name == "[Content_Types].xml" || name == "_rels/.rels") {
            continue;
        }
        let (old, new) = (base.part(name), package.part(name));
        // A workbook without formats gets a part for them.
        let gets_formats = case.formats && !base.contains("xl/styles.xml");
        let may_come = case.links && name.ends_with(&format!("_rels/{file}.rels"))
            || gets_formats && (name == "xl/styles.xml" || name.ends_with("workbook.xml.rels"));
        let (Ok(old), Ok(new)) = (&old, &new) else {
            if old.is_err() && (new.is_err() || may_come) {
                continue;
            }
            return Err(format!("{name} came or went"));
        };
        if old == new {
            tally.parts += 1;
            tally.bytes += new.len() as u64;
            continue;
        }
        let (old, new) = (tree(name, old)?, tree(name, new)?);
        if name.eq_ignore_ascii_case(part) {
            same_but(&old.root, &new.root, case.elements)?;
        } else if case.names && name.ends_with("workbook.xml") {
            same_but(&old.root, &new.root, &["definedNames", "calcPr"])?;
        } else if case.formats && name.ends_with("styles.xml") {
            same_but(&old.root, &new.root, &["dxfs", "numFmts"])?;
            for list in ["dxfs", "numFmts"] {
                starts_alike(old.root.child(list), new.root.child(list))?;
            }
        } else if gets_formats && name == "[Content_Types].xml" {
            starts_alike(Some(&old.root), Some(&new.root))?;
        } else if may_come {
            let kinds = ["/hyperlink", "/styles"];
            let is_link = |node: &&Node| {
                node.attr("Type").is_some_and(|it| kinds.iter().any(|kind| it.ends_with(kind)))
            };
            let others =
                |root: &Node| root.children().filter(|node| !is_link(node)).cloned().collect::<Vec<_>>();
            if others(&old.root) != others(&new.root) {
                return Err(format!("{name} changed"));
            }
        } else {
            return Err(format!("{name} changed"));
        }
    }
    let again =
        Workbook::open(bytes.into(), "book.xlsx", &Limits::default(), &()).map_err(|e| e.to_string())?;
    let (live, read) = (around(draft.book()), around(&again));
    if live != read {
        let lines = live.lines().zip(read.lines()).find(|(live, read)| live != read);
        return Err(format!("saved and opened again: {lines:?}"));
    }
    Ok(())
}

fn tree(name: &str, bytes: &[u8]) -> Result<Tree, String> {
    Tree::read(name, bytes, 256).map_err(|error| error.to_string())
}

/// Whether every element but some is as it was, in its place.
fn same_but(old: &Node, new: &Node, elements: &[&str]) -> Result<(), String> {
    let kept = |node: &Node| {
        node.children().filter(|node| !elements.contains(&node.local_name())).cloned().collect()
    };
    let (old, new): (Vec<Node>, Vec<Node>) = (kept(old), kept(new));
    if old.len() != new.len() {
        return Err(format!("{} elements became {}", old.len(), new.len()));
    }
    match old.iter().zip(&new).find(|(old, new)| old != new) {
        Some((old, new)) => {
            let (old, new) = (old.to_xml(), new.to_xml());
            let at = old.bytes().zip(new.bytes()).position(|(old, new)| old != new).unwrap_or(0);
            let piece = |text: &str| text.chars().skip(at.saturating_sub(40)).take(90).collect::<String>();
            Err(format!("{:?} became {:?}", piece(&old), piece(&new)))
        }
        None => Ok(()),
    }
}

fn starts_alike(old: Option<&Node>, new: Option<&Node>) -> Result<(), String> {
    let list =
        |node: Option<&Node>| -> Vec<Node> { node.into_iter().flat_map(Node::children).cloned().collect() };
    match list(new).starts_with(&list(old)) {
        true => Ok(()),
        false => Err("formats were renumbered".to_owned()),
    }
}
