//! Widths, heights, outlines and frozen panes, in the draft and in the file that it is saved as.

use expect_test::{Expect, expect};
use rust_xlsxwriter::{Format, Workbook as Writer};

use crate::support::{apply, around, draft_of, element, listing, part, refusal, reopened};

const SHEET: &str = "xl/worksheets/sheet1.xml";

/// Columns B:D are wide and bold, row 3 is high; a selection stands in B2.
fn book() -> Vec<u8> {
    let mut writer = Writer::new();
    let sheet = writer.add_worksheet().set_name("Data").unwrap();
    sheet.set_column_range_format(1, 3, &Format::new().set_bold()).unwrap();
    sheet.set_column_range_width(1, 3, 20).unwrap();
    sheet.set_row_height(2, 30).unwrap();
    sheet.set_selection(1, 1, 1, 1).unwrap();
    sheet.write_string(0, 0, "a long text, 26 characters").unwrap();
    sheet.write_string(1, 1, "short\n文字").unwrap();
    sheet.write_number(2, 2, 1.5).unwrap();
    writer.save_to_buffer().unwrap()
}

/// After the edits the draft reads as expected, and so does what it is saved as; its cells are as they were.
#[track_caller]
fn check(json: &str, expected: Expect) {
    let mut draft = draft_of(book());
    let cells = listing(draft.book());
    apply(&mut draft, json);
    let live = around(draft.book());
    let again = reopened(&draft);
    assert_eq!(around(&again), live, "saved and opened again");
    assert_eq!(listing(&again), cells);
    expected.assert_eq(&live);
}

#[test]
fn widths_split_and_join_spans() {
    check(
        r#"[{"op": "column_width", "range": "Data!C:E", "width": 5}]"#,
        expect![[r#"
        Data row 3 Some(30.0) hidden false level 0
        Data columns B:B Some(20.710938) hidden false level 0
        Data columns C:D Some(5.0) hidden false level 0
        Data columns E:E Some(5.0) hidden false level 0
    "#]],
    );
    let mut draft = draft_of(book());
    apply(&mut draft, r#"[{"op": "column_width", "range": "Data!C:C", "width": 5}]"#);
    expect![[r#"<cols><col min="2" max="2" width="20.7109375" style="1" customWidth="1"/><col min="3" max="3" width="5" style="1" customWidth="1"/><col min="4" max="4" width="20.7109375" style="1" customWidth="1"/></cols>"#]].assert_eq(&element(&draft, SHEET, "cols"));
    apply(&mut draft, r#"[{"op": "column_width", "range": "Data!B:D", "width": 7}]"#);
    expect![[r#"<cols><col min="2" max="4" width="7" style="1" customWidth="1"/></cols>"#]]
        .assert_eq(&element(&draft, SHEET, "cols"));
}

#[test]
fn automatic_widths_follow_the_longest_line() {
    check(
        r#"[{"op": "column_width", "range": "Data!A:XFD", "width": "auto"}]"#,
        expect![[r#"
        Data row 3 Some(30.0) hidden false level 0
        Data columns A:A Some(27.710938) hidden false level 0
        Data columns B:B Some(6.7109375) hidden false level 0
        Data columns C:C Some(4.7109375) hidden false level 0
        Data columns D:D Some(20.710938) hidden false level 0
    "#]],
    );
}

#[test]
fn rows_get_heights_and_lose_them() {
    check(
        r#"[{"op": "row_height", "range": "Data!3:3", "height": "auto"}, {"op": "row_height", "range": "Data!2:2", "height": 40.5},
            {"op": "row_height", "range": "Data!9:10", "height": 12}]"#,
        expect![[r#"
            Data row 2 Some(40.5) hidden false level 0
            Data row 9 Some(12.0) hidden false level 0
            Data row 10 Some(12.0) hidden false level 0
            Data columns B:D Some(20.710938) hidden false level 0
        "#]],
    );
}

#[test]
fn lines_are_hidden_shown_and_grouped() {
    check(
        r#"[{"op": "hide", "range": "Data!A:B"}, {"op": "show", "range": "Data!B:XFD"}, {"op": "hide", "range": "Data!2:3"},
            {"op": "show", "range": "Data!3:5"}, {"op": "group", "range": "Data!2:6"}, {"op": "group", "range": "Data!4:5"},
            {"op": "group", "range": "Data!C:F", "level": 3}, {"op": "ungroup", "range": "Data!D:D"}, {"op": "ungroup", "range": "Data!E:E", "level": 0}]"#,
        expect![[r#"
            Data row 2 None hidden true level 1
            Data row 3 Some(30.0) hidden false level 1
            Data row 4 None hidden false level 2
            Data row 5 None hidden false level 2
            Data row 6 None hidden false level 1
            Data columns A:A None hidden true level 0
            Data columns B:B Some(20.710938) hidden false level 0
            Data columns C:C Some(20.710938) hidden false level 3
            Data columns D:D Some(20.710938) hidden false level 2
            Data columns E:E None hidden false level 0
            Data columns F:F None hidden false level 3
        "#]],
    );
    let mut draft = draft_of(book());
    apply(&mut draft, r#"[{"op": "group", "range": "Data!2:6"}, {"op": "group", "range": "Data!G:H"}]"#);
    expect![[r#"<sheetFormatPr defaultRowHeight="15" outlineLevelRow="1" outlineLevelCol="1"/>"#]]
        .assert_eq(&element(&draft, SHEET, "sheetFormatPr"));
}

#[test]
fn panes_freeze_and_scroll_again() {
    check(
        r#"[{"op": "freeze", "sheet": "Data", "rows": 1, "columns": 2}]"#,
        expect![[r#"
        Data row 3 Some(30.0) hidden false level 0
        Data columns B:D Some(20.710938) hidden false level 0
        Data freeze FreezePane { rows: 1, columns: 2 }
    "#]],
    );
    let mut draft = draft_of(book());
    let before = part(&draft, SHEET);
    let mut view = |json: &str, expected: Expect| {
        apply(&mut draft, json);
        expected.assert_eq(&element(&draft, SHEET, "sheetViews"));
    };
    view(
        r#"[{"op": "freeze", "sheet": "data", "rows": 1, "columns": 2}]"#,
        expect![[
            r#"<sheetViews><sheetView tabSelected="1" workbookViewId="0"><pane xSplit="2" ySplit="1" topLeftCell="C2" activePane="bottomRight" state="frozen"/><selection pane="topRight"/><selection pane="bottomLeft"/><selection pane="bottomRight" activeCell="B2" sqref="B2"/></sheetView></sheetViews>"#
        ]],
    );
    view(
        r#"[{"op": "freeze", "sheet": "Data", "columns": 1}]"#,
        expect![[
            r#"<sheetViews><sheetView tabSelected="1" workbookViewId="0"><pane xSplit="1" topLeftCell="B1" activePane="topRight" state="frozen"/><selection pane="topRight" activeCell="B2" sqref="B2"/></sheetView></sheetViews>"#
        ]],
    );
    view(
        r#"[{"op": "freeze", "sheet": "Data", "rows": 3}]"#,
        expect![[
            r#"<sheetViews><sheetView tabSelected="1" workbookViewId="0"><pane ySplit="3" topLeftCell="A4" activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft" activeCell="B2" sqref="B2"/></sheetView></sheetViews>"#
        ]],
    );
    apply(&mut draft, r#"[{"op": "freeze", "sheet": "Data"}]"#);
    assert_eq!(part(&draft, SHEET), before, "as if nothing had been frozen");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut draft = draft_of(book());
    let mut check = |json: &str, expected: &str| {
        let told = refusal(&mut draft, json);
        assert!(told.contains(expected), "{told}");
        assert!(!draft.is_changed());
    };
    check(r#"[{"op": "column_width", "range": "Data!A:A", "width": 300}]"#, "write 0 to 255, or auto");
    check(r#"[{"op": "row_height", "range": "Data!1:1", "height": -1}]"#, "write 0 to 409.5, or auto");
    check(r#"[{"op": "row_height", "range": "Data!A:A", "height": 9}]"#, "at most 100000 rows");
    check(r#"[{"op": "hide", "range": "Data!B2:C3"}]"#, "write rows as Data!5:7 or columns as Data!B:D");
    check(r#"[{"op": "hide", "range": "Data!A:XFD"}]"#, "hide every cell");
    check(r#"[{"op": "group", "range": "Data!1:2", "level": 8}]"#, "write 0 to 7");
    check(r#"[{"op": "freeze", "sheet": "Nope", "rows": 1}]"#, "there is no sheet \"Nope\"; there are Data");
    check(r#"[{"op": "freeze", "sheet": "Data", "rows": 1048576}]"#, "nothing of the sheet would be left");
}
