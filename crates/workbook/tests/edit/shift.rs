//! Cells that come and go while others shift, with everything that refers to them.

use expect_test::{Expect, expect};

use crate::structure::{book, references};
use crate::support::{self, apply, draft_of, refusal};

/// Applies edits to the book of the tests of structure, without its merged cells.
#[track_caller]
fn check(ops: &str, expected: Expect) {
    let json = format!(r#"[{{"op": "unmerge", "range": "Data!A9:C9"}}, {ops}]"#);
    support::check(book(), &json, references, &expected);
}

#[test]
fn cells_shift_down() {
    check(
        r#"{"op": "insert_cells", "range": "Data!B4:B5", "shift": "down"}"#,
        expect![[r#"
        Data!A2 Region
        Data!B2 Amount
        Data!C2 Twice
        Data!A3 r2
        Data!B3 2
        Data!C3 0 =B3*2
        Data!A4 r3
        Data!C4 0 =B6*2
        Data!A5 r4
        Data!C5 0 =B7*2
        Data!A6 r5
        Data!B6 3
        Data!C6 0 =B8*2
        Data!F6 to the sum
        Data!B7 4
        Data!B8 5
        Data!A9 merged
        Data!B9 14 =SUM(B3:B8)
        Sum!A1 0 =SUM(Data!B3:B8)+Data!$B$6+Total
        Sum!A2 to the data
        Sum!A5 Key
        Sum!B5 Value
        name _xlnm.Print_Area = Data!$A$2:$C$7 Some(0)
        name Total = Data!$B$9 None
        Data rule [CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 7, col: 1 } }] ["$B$9"]
        Data validation [CellRange { start: CellRef { row: 9, col: 3 }, end: CellRef { row: 9, col: 3 } }] Some("1")
        Data validation [CellRange { start: CellRef { row: 2, col: 3 }, end: CellRef { row: 5, col: 3 } }] Some("$A$3:$A$6")
        Data comment B6 me:
        look here
        Data link F6 Internal("Sum!A1")
        Data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 4 }, end: CellRef { row: 24, col: 11 } })) [(Some("Data!$B$3:$B$8"), Some("Data!$A$3:$A$6"))]
        Sum link A2 Internal("Data!B6")
        Sum table Pairs A5:B8 ["Key", "Value"]
    "#]],
    );
}

#[test]
fn cells_shift_up() {
    check(
        r#"{"op": "delete_cells", "range": "Data!B4:B5", "shift": "up"}"#,
        expect![[r#"
        Data!A2 Region
        Data!B2 Amount
        Data!C2 Twice
        Data!A3 r2
        Data!B3 2
        Data!C3 0 =B3*2
        Data!A4 r3
        Data!B4 5
        Data!C4 0 =#REF!*2
        Data!A5 r4
        Data!B5 14 =SUM(B3:B4)
        Data!C5 0 =#REF!*2
        Data!A6 r5
        Data!C6 0 =B4*2
        Data!F6 to the sum
        Data!A9 merged
        Sum!A1 0 =SUM(Data!B3:B4)+Data!#REF!+Total
        Sum!A2 to the data
        Sum!A5 Key
        Sum!B5 Value
        name _xlnm.Print_Area = Data!$A$2:$C$7 Some(0)
        name Total = Data!$B$5 None
        Data rule [CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 3, col: 1 } }] ["$B$5"]
        Data validation [CellRange { start: CellRef { row: 9, col: 3 }, end: CellRef { row: 9, col: 3 } }] Some("1")
        Data validation [CellRange { start: CellRef { row: 2, col: 3 }, end: CellRef { row: 5, col: 3 } }] Some("$A$3:$A$6")
        Data link F6 Internal("Sum!A1")
        Data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 4 }, end: CellRef { row: 24, col: 11 } })) [(Some("Data!$B$3:$B$4"), Some("Data!$A$3:$A$6"))]
        Sum link A2 Internal("Data!#REF!")
        Sum table Pairs A5:B8 ["Key", "Value"]
    "#]],
    );
}

#[test]
fn cells_shift_right() {
    check(
        r#"{"op": "insert_cells", "range": "Data!B4:C4", "shift": "right"}"#,
        expect![[r#"
        Data!A2 Region
        Data!B2 Amount
        Data!C2 Twice
        Data!A3 r2
        Data!B3 2
        Data!C3 0 =B3*2
        Data!A4 r3
        Data!D4 3
        Data!E4 0 =D4*2
        Data!A5 r4
        Data!B5 4
        Data!C5 0 =B5*2
        Data!A6 r5
        Data!B6 5
        Data!C6 0 =B6*2
        Data!F6 to the sum
        Data!B7 14 =SUM(B3:B6)
        Data!A9 merged
        Sum!A1 0 =SUM(Data!B3:B6)+Data!$D$4+Total
        Sum!A2 to the data
        Sum!A5 Key
        Sum!B5 Value
        name _xlnm.Print_Area = Data!$A$2:$C$7 Some(0)
        name Total = Data!$B$7 None
        Data rule [CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 2, col: 1 } }, CellRange { start: CellRef { row: 3, col: 3 }, end: CellRef { row: 3, col: 3 } }, CellRange { start: CellRef { row: 4, col: 1 }, end: CellRef { row: 5, col: 1 } }] ["$B$7"]
        Data validation [CellRange { start: CellRef { row: 9, col: 3 }, end: CellRef { row: 9, col: 3 } }] Some("1")
        Data validation [CellRange { start: CellRef { row: 2, col: 3 }, end: CellRef { row: 2, col: 3 } }, CellRange { start: CellRef { row: 3, col: 5 }, end: CellRef { row: 3, col: 5 } }, CellRange { start: CellRef { row: 4, col: 3 }, end: CellRef { row: 5, col: 3 } }] Some("$A$3:$A$6")
        Data comment D4 me:
        look here
        Data link F6 Internal("Sum!A1")
        Data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 4 }, end: CellRef { row: 24, col: 11 } })) [(Some("Data!$B$3:$B$6"), Some("Data!$A$3:$A$6"))]
        Sum link A2 Internal("Data!D4")
        Sum table Pairs A5:B8 ["Key", "Value"]
    "#]],
    );
}

#[test]
fn cells_shift_left() {
    check(
        r#"{"op": "delete_cells", "range": "Data!B4", "shift": "left"}"#,
        expect![[r#"
        Data!A2 Region
        Data!B2 Amount
        Data!C2 Twice
        Data!A3 r2
        Data!B3 2
        Data!C3 0 =B3*2
        Data!A4 r3
        Data!B4 0 =#REF!*2
        Data!A5 r4
        Data!B5 4
        Data!C5 0 =B5*2
        Data!A6 r5
        Data!B6 5
        Data!C6 0 =B6*2
        Data!F6 to the sum
        Data!B7 14 =SUM(B3:B6)
        Data!A9 merged
        Sum!A1 0 =SUM(Data!B3:B6)+Data!#REF!+Total
        Sum!A2 to the data
        Sum!A5 Key
        Sum!B5 Value
        name _xlnm.Print_Area = Data!$A$2:$C$7 Some(0)
        name Total = Data!$B$7 None
        Data rule [CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 2, col: 1 } }, CellRange { start: CellRef { row: 4, col: 1 }, end: CellRef { row: 5, col: 1 } }] ["$B$7"]
        Data validation [CellRange { start: CellRef { row: 9, col: 3 }, end: CellRef { row: 9, col: 3 } }] Some("1")
        Data validation [CellRange { start: CellRef { row: 2, col: 3 }, end: CellRef { row: 2, col: 3 } }, CellRange { start: CellRef { row: 3, col: 2 }, end: CellRef { row: 3, col: 2 } }, CellRange { start: CellRef { row: 4, col: 3 }, end: CellRef { row: 5, col: 3 } }] Some("$A$3:$A$6")
        Data link F6 Internal("Sum!A1")
        Data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 4 }, end: CellRef { row: 24, col: 11 } })) [(Some("Data!$B$3:$B$6"), Some("Data!$A$3:$A$6"))]
        Sum link A2 Internal("Data!#REF!")
        Sum table Pairs A5:B8 ["Key", "Value"]
    "#]],
    );
}

#[test]
fn rules_that_reach_beyond_are_parted() {
    check(
        r#"{"op": "validation", "range": "Data!A20:C29", "type": "whole", "operator": "greater_than", "values": [1]},
           {"op": "insert_cells", "range": "Data!B25", "shift": "down"}, {"op": "delete_cells", "range": "Data!A2:A24", "shift": "up"}"#,
        expect![[r##"
            Data!B2 Amount
            Data!C2 Twice
            Data!B3 2
            Data!C3 0 =B3*2
            Data!B4 3
            Data!C4 0 =B4*2
            Data!B5 4
            Data!C5 0 =B5*2
            Data!B6 5
            Data!C6 0 =B6*2
            Data!F6 to the sum
            Data!B7 14 =SUM(B3:B6)
            Sum!A1 0 =SUM(Data!B3:B6)+Data!$B$4+Total
            Sum!A2 to the data
            Sum!A5 Key
            Sum!B5 Value
            name _xlnm.Print_Area = Data!$A$2:$C$7 Some(0)
            name Total = Data!$B$7 None
            Data rule [CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 5, col: 1 } }] ["$B$7"]
            Data validation [CellRange { start: CellRef { row: 9, col: 3 }, end: CellRef { row: 9, col: 3 } }] Some("1")
            Data validation [CellRange { start: CellRef { row: 2, col: 3 }, end: CellRef { row: 5, col: 3 } }] Some("#REF!")
            Data validation [CellRange { start: CellRef { row: 1, col: 0 }, end: CellRef { row: 5, col: 0 } }, CellRange { start: CellRef { row: 19, col: 1 }, end: CellRef { row: 29, col: 1 } }, CellRange { start: CellRef { row: 19, col: 2 }, end: CellRef { row: 28, col: 2 } }] Some("1")
            Data comment B4 me:
            look here
            Data link F6 Internal("Sum!A1")
            Data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 4 }, end: CellRef { row: 24, col: 11 } })) [(Some("Data!$B$3:$B$6"), Some("Data!#REF!"))]
            Sum link A2 Internal("Data!B4")
            Sum table Pairs A5:B8 ["Key", "Value"]
        "##]],
    );
}

#[test]
fn coming_and_going_leaves_all_as_it_was() {
    for (range, come, go) in
        [("Data!B4:C5", "down", "up"), ("Data!C3:C6", "right", "left"), ("Sum!A3:B3", "down", "up")]
    {
        let mut draft = draft_of(book());
        apply(&mut draft, r#"[{"op": "unmerge", "range": "Data!A9:C9"}]"#);
        let before = references(draft.book());
        apply(
            &mut draft,
            &format!(
                r#"[{{"op": "insert_cells", "range": "{range}", "shift": "{come}"}}, {{"op": "delete_cells", "range": "{range}", "shift": "{go}"}}]"#
            ),
        );
        assert_eq!(references(draft.book()), before, "{range}");
        assert_eq!(references(&support::reopened(&draft)), before, "{range}, saved");
    }
}

#[test]
fn what_would_be_torn_is_refused() {
    let mut draft = draft_of(book());
    let mut check = |op: &str, expected: &str| {
        let told = refusal(&mut draft, &format!("[{op}]"));
        assert!(told.contains(expected), "{told}");
    };
    check(
        r#"{"op": "insert_cells", "range": "Data!B4", "shift": "down"}"#,
        "it would tear the merged cells Data!A9:C9",
    );
    check(r#"{"op": "insert_cells", "range": "Data!B4", "shift": "up"}"#, "give shift: down or right");
    check(r#"{"op": "delete_cells", "range": "Data!B4", "shift": "down"}"#, "give shift: up or left");
    check(
        r#"{"op": "insert_cells", "range": "Sum!A6", "shift": "down"}"#,
        "it would tear the table \"Pairs\"",
    );
    check(
        r#"{"op": "delete_cells", "range": "Sum!A1:A2", "shift": "up"}"#,
        "it would tear the table \"Pairs\"",
    );
    check(r#"{"op": "insert_cells", "range": "Data!2:3", "shift": "down"}"#, "use insert_rows");
    check(
        r#"{"op": "set", "range": "Data!A1048576", "values": [[1]]}, {"op": "insert_cells", "range": "Data!A12", "shift": "down"}"#,
        "off the end of the sheet",
    );
}
