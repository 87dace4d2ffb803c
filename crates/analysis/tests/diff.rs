//! What is told of edits: as little as there is.

use analysis::diff::{Aspect, diff};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use workbook::edit::{Draft, ExplicitPlaces, blank_workbook};
use workbook::{Limits, Workbook};

fn opened(bytes: Vec<u8>) -> Draft {
    let book = Workbook::open(bytes.into(), "book.xlsx", &Limits::default(), &()).expect("a sound workbook");
    Draft::new(&book, &Limits::default()).expect("a format that is edited")
}

fn apply(draft: &mut Draft, json: &str) {
    let edits: Vec<_> = serde_json::from_str(json).expect("edits");
    if let Err(error) = draft.apply(&edits, &ExplicitPlaces) {
        panic!("{error}");
    }
}

/// `Data`: twenty rows of numbers with a formula each, and a total; `Sum` reads it.
fn base() -> Draft {
    let mut draft = opened(blank_workbook(&["Data", "Sum"]).expect("a new workbook"));
    let rows: Vec<String> = (1..=20).map(|row| format!(r#"["r{row}", {row}, "=B{row}*2"]"#)).collect();
    apply(
        &mut draft,
        &format!(
            r#"[{{"op": "set", "range": "Data!A1", "values": [{}]}},
                {{"op": "set", "range": "Data!B21:C21", "values": [["=SUM(B1:B20)"]]}},
                {{"op": "set", "range": "Sum!A1", "values": [["=Data!B21"], ["text"]]}}]"#,
            rows.join(", ")
        ),
    );
    draft
}

/// What differs, line by line.
fn told(old: &Workbook, new: &Workbook) -> String {
    let found = diff(old, new, &()).expect("two sound workbooks");
    let mut lines = String::new();
    for sheet in &found.sheets {
        let from = sheet.old_name.as_ref().map(|name| format!(" was {name}")).unwrap_or_default();
        lines.push_str(&format!("{} {:?}{from}", sheet.name, sheet.status));
        lines.push_str(&format!(" rows +{:?} -{:?}", sheet.rows.inserted, sheet.rows.deleted));
        lines.push_str(&format!(" columns +{:?} -{:?}\n", sheet.columns.inserted, sheet.columns.deleted));
        for group in sheet.groups() {
            lines.push_str(&format!("  {} {:?}\n", group.range, group.aspect));
        }
        for item in &sheet.items {
            lines.push_str(&format!(
                "  {} {} {:?} {:?} {:?}\n",
                item.kind, item.key, item.change, item.old, item.new
            ));
        }
    }
    for item in &found.names {
        lines.push_str(&format!("name {} {:?}\n", item.key, item.change));
    }
    lines
}

/// The same is told of the live draft and of what it is saved as, which shares nothing with its base.
#[track_caller]
fn check(json: &str, expected: Expect) {
    let before = base();
    let mut after = before.clone();
    apply(&mut after, json);
    let live = told(before.book(), after.book());
    expected.assert_eq(&live);
    let save = |draft: &Draft| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        draft.save(Default::default(), &mut bytes).expect("saved");
        opened(bytes.into_inner())
    };
    assert_eq!(told(save(&before).book(), save(&after).book()), live, "as files");
}

#[test]
fn nothing_is_told_where_nothing_changed() {
    check("[]", expect![[""]]);
    check(
        r#"[{"op": "insert_rows", "range": "Data!3:4"}, {"op": "delete_rows", "range": "Data!3:4"}]"#,
        expect![[""]],
    );
}

#[test]
fn cells_are_told_by_what_changed() {
    check(
        r##"[{"op": "set", "range": "Data!B3:B6", "values": [[7]]}, {"op": "set", "range": "Data!C4", "values": [["=B4*3"]]},
            {"op": "style", "range": "Data!A1:A2", "format": {"font": {"bold": true}}}, {"op": "clear", "range": "Sum!A2"}]"##,
        expect![[r#"
            Data Kept rows +[] -[] columns +[] -[]
              A1:A2 Format
              B3:B6 Value
              C4 Formula
            Sum Kept rows +[] -[] columns +[] -[]
              A2 Value
        "#]],
    );
}

#[test]
fn lines_that_come_and_go_are_one_change() {
    check(
        r#"[{"op": "insert_rows", "range": "Data!5:6"}]"#,
        expect![[r#"
        Data Kept rows +[(4, 2)] -[] columns +[] -[]
    "#]],
    );
    check(
        r#"[{"op": "delete_rows", "range": "Data!5:6"}, {"op": "set", "range": "Data!A1", "values": [["x"]]}]"#,
        expect![[r#"
        Data Kept rows +[] -[(4, 2)] columns +[] -[]
          A1 Value
    "#]],
    );
    check(
        r#"[{"op": "insert_columns", "range": "Data!B:B"}]"#,
        expect![[r#"
        Data Kept rows +[] -[] columns +[(1, 1)] -[]
    "#]],
    );
}

#[test]
fn sheets_are_told_by_what_became_of_them() {
    check(
        r#"[{"op": "rename_sheet", "sheet": "Data", "name": "Raw"}, {"op": "add_sheet", "name": "New"},
            {"op": "set", "range": "Sum!B1", "values": [[1]]}]"#,
        expect![[r#"
            Raw Kept was Data rows +[] -[] columns +[] -[]
            Sum Kept rows +[] -[] columns +[] -[]
              B1 Value
            New Added rows +[] -[] columns +[] -[]
        "#]],
    );
    check(
        r#"[{"op": "delete_sheet", "sheet": "Data"}]"#,
        expect![[r#"
        Sum Kept rows +[] -[] columns +[] -[]
          A1 Formula
        Data Removed rows +[] -[] columns +[] -[]
    "#]],
    );
}

proptest! {
    /// Each cell that is set to something else is told, and no other.
    #[test]
    fn set_cells_are_told_exactly(cells in proptest::collection::btree_map((0..30u32, 3..9u32), 1..100i32, 1..15)) {
        let before = base();
        let mut after = before.clone();
        for ((row, col), value) in &cells {
            let at = grid::CellRef::new(*row, *col).expect("inside");
            apply(&mut after, &format!(r#"[{{"op": "set", "range": "Data!{at}", "values": [[{value}]]}}]"#));
        }
        let found = diff(before.book(), after.book(), &()).expect("compared");
        let told: Vec<(u32, u32)> = found.sheets[0].cells.iter().map(|cell| (cell.at().row(), cell.at().col())).collect();
        prop_assert_eq!(told, cells.keys().copied().collect::<Vec<_>>());
        prop_assert!(found.sheets[0].cells.iter().all(|cell| cell.aspect == Aspect::Value));
    }
}
