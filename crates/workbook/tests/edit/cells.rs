//! Edits of cells, in the draft and in the file that it is saved as.

use expect_test::{Expect, expect};
use rust_xlsxwriter::{Format, Formula, Workbook as Writer};

use crate::support::{self, apply, draft_of, listing, refusal, reopened};

/// `Data`: names, numbers, a sum and a shared look; `Other`: empty.
fn book() -> Vec<u8> {
    let mut writer = Writer::new();
    let sheet = writer.add_worksheet().set_name("Data").unwrap();
    let money = Format::new().set_num_format("0.00");
    for (row, (name, number)) in [("North", 10.5), ("South", 20.0), ("East", 30.25)].into_iter().enumerate() {
        sheet.write_string(row as u32, 0, name).unwrap();
        sheet.write_number_with_format(row as u32, 1, number, &money).unwrap();
    }
    sheet.write_formula(3, 1, Formula::new("=SUM(B1:B3)").set_result("60.75")).unwrap();
    writer.add_worksheet().set_name("Other").unwrap();
    writer.save_to_buffer().unwrap()
}

/// After the edits the draft reads as expected, and so does what it is saved as.
#[track_caller]
fn check(json: &str, expected: Expect) {
    support::check(book(), json, listing, &expected);
}

#[test]
fn values_are_set_as_they_are_typed() {
    check(
        r##"[{"op": "set", "range": "Data!C1", "values": [["007", true], [null, "=B1*2"], [{"date": "2026-01-31"}, {"error": "#N/A"}]]}]"##,
        expect![[r#"
            Data!A1 North
            Data!B1 10.50 [0.00]
            Data!C1 007
            Data!D1 TRUE
            Data!A2 South
            Data!B2 20.00 [0.00]
            Data!D2  =B1*2
            Data!A3 East
            Data!B3 30.25 [0.00]
            Data!C3 2026-01-31 [yyyy-mm-dd]
            Data!D3 #N/A
            Data!B4 60.75 =SUM(B1:B3)
        "#]],
    );
}

#[test]
fn one_value_fills_a_range_and_keeps_its_formats() {
    check(
        r#"[{"op": "set", "range": "Data!B1:B3", "values": [[1]]}, {"op": "set", "range": "Data!C1:C3", "values": [["=A1&B$4"]]},
            {"op": "set", "range": "Other!XFD1048576", "values": [["the last  \n <cell> & _x0041_ "]]}]"#,
        expect![[r#"
            Data!A1 North
            Data!B1 1.00 [0.00]
            Data!C1  =A1&B$4
            Data!A2 South
            Data!B2 1.00 [0.00]
            Data!C2  =A2&B$4
            Data!A3 East
            Data!B3 1.00 [0.00]
            Data!C3  =A3&B$4
            Data!B4 60.75 =SUM(B1:B3)
            Other!XFD1048576 the last  
             <cell> & _x0041_ 
        "#]],
    );
}

#[test]
fn cells_are_cleared_filled_copied_and_replaced() {
    check(
        r#"[{"op": "fill", "range": "Data!B2:B6", "from": "Data!B2:B3"},
            {"op": "clear", "range": "Data!A1:A3", "what": ["values"]},
            {"op": "copy", "range": "Data!B4", "to": "Other!B9:C9"},
            {"op": "paste", "range": "Other!A1", "csv": "a,\"b,c\"\n1,50%\n"},
            {"op": "replace", "range": "Other!A:XFD", "find": "b", "with": "x"},
            {"op": "replace", "range": "Other!A:XFD", "find": "SUM\\((\\w+)", "with": "MAX($1", "regex": true, "formulas": true}]"#,
        expect![[r#"
            Data!B1 10.50 [0.00]
            Data!B2 20.00 [0.00]
            Data!B3 30.25 [0.00]
            Data!B4 40.50 [0.00]
            Data!B5 50.75 [0.00]
            Data!B6 61.00 [0.00]
            Other!A1 a
            Other!B1 x,c
            Other!A2 1
            Other!B2 0.5
            Other!B9 40.50 [0.00]
            Other!C9 40.50 [0.00]
        "#]],
    );
}

#[test]
fn formats_are_merged() {
    let mut draft = draft_of(book());
    apply(
        &mut draft,
        r##"[{"op": "style", "range": "Data!A1:B2", "format": {"font": {"bold": true, "color": "#FF0000"}, "fill": {"color": "theme:4:0.5"},
             "border": {"outline": {"style": "medium"}, "inside": {"style": "hair", "color": "#00FF00"}}}},
            {"op": "style", "range": "Data!A1", "format": {"number_format": "0%", "alignment": {"horizontal": "center", "rotation": -45}}},
            {"op": "style", "range": "Other!C3", "format": {"protection": {"locked": false}}}]"##,
    );
    for book in [draft.book().clone(), reopened(&draft)] {
        let sheet = book.sheet(workbook::SheetId(0), &()).unwrap();
        let format = |at: &str| book.styles.format(sheet.cell(at.parse().unwrap()).style).unwrap().clone();
        let corner = format("A1");
        assert!(book.styles.fonts[corner.font].bold);
        assert_eq!(book.styles.fonts[corner.font].color, Some(workbook::Color::Rgb(0xFF0000)));
        assert_eq!(book.styles.number_formats[corner.number_format].code, "0%");
        assert_eq!(corner.alignment.unwrap().rotation, 135);
        let border = &book.styles.borders[corner.border];
        assert_eq!(border.left.as_ref().unwrap().style, "medium");
        assert_eq!(border.right.as_ref().unwrap().style, "hair");
        assert_eq!(book.styles.number_format_code(sheet.cell("B2".parse().unwrap()).style), "0.00");
        let other = book.sheet(workbook::SheetId(1), &()).unwrap();
        let unlocked = other.cell("C3".parse().unwrap()).style;
        assert!(!book.styles.format(unlocked).unwrap().locked);
    }
}

#[test]
fn a_refused_edit_leaves_everything_as_it_was() {
    let mut draft = draft_of(book());
    let before = listing(draft.book());
    let mut check = |json: &str, expected: &str| {
        let told = refusal(&mut draft, json);
        assert!(told.contains(expected), "{told}");
        assert_eq!(listing(draft.book()), before);
        assert!(!draft.is_changed());
    };
    check(
        r#"[{"op": "set", "range": "Data!A1", "values": [[1]]}, {"op": "set", "range": "Nope!A1", "values": [[1]]}]"#,
        "ops[1] (set) at Nope!A1: there is no sheet \"Nope\"",
    );
    check(r#"[{"op": "set", "range": "Data!A1", "values": [[1, 2], [3]]}]"#, "row 2 of values has 1 cells");
    check(
        r#"[{"op": "set", "range": "Data!A1:B9", "values": [[1, 2]]}]"#,
        "give one cell, or as many values",
    );
    check(r#"[{"op": "set", "range": "Data!XFD1", "values": [[1, 2]]}]"#, "beyond the sheet");
    check(r#"[{"op": "set", "range": "A1", "values": [[1]]}]"#, "write the range with its sheet");
    check(r#"[{"op": "set", "range": "Data!A:C", "values": [[1]]}]"#, "at most 2000000 cells");
    check(
        r##"[{"op": "style", "range": "Data!A1", "format": {"border": {"all": {"style": "bold"}}}}]"##,
        "write one of none, thin",
    );
}
