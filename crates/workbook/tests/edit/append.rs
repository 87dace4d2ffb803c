//! Rows that are appended to tables and to blocks of cells.

use expect_test::expect;
use rust_xlsxwriter::{Format, Formula, Workbook as Writer};

use crate::support::{apply, around, draft_of, listing, refusal, reopened};
use crate::tables::{book, check};

#[test]
fn rows_come_above_the_totals_of_a_table() {
    check(
        r#"[{"op": "append", "range": "Sales", "rows": [{"Name": "East", "amount": 3}, ["West", 4], ["Mid", 5, 6]]}]"#,
        expect![[r#"
            Sales Data!A1:C7 filter A1:C6: Name | Amount | Twice =Sales[[#This Row],Amount]*2
            Data!A1 Name
            Data!B1 Amount
            Data!C1 Twice
            Data!E1 Year
            Data!F1 2026
            Data!A2 North
            Data!B2 1
            Data!C2 =Sales[[#This Row],Amount]*2
            Data!E2 a
            Data!F2 7
            Data!A3 South
            Data!B3 2
            Data!C3 =Sales[[#This Row],Amount]*2
            Data!A4 East
            Data!B4 3
            Data!C4 =Sales[[#This Row],Amount]*2
            Data!A5 West
            Data!B5 4
            Data!C5 =Sales[[#This Row],Amount]*2
            Data!A6 Mid
            Data!B6 5
            Data!C6 6
            Data!A7 Total
            Data!B7 =SUBTOTAL(109,[Amount])
            Use!A1 =SUM(Sales[Amount])
            Most =MAX(Sales[Amount])
        "#]],
    );
}

#[test]
fn the_blank_row_of_a_new_table_is_the_first_one() {
    check(
        r#"[{"op": "create_table", "range": "Use!C1:D2", "name": "New"}, {"op": "append", "range": "New", "rows": [[1, 2], [3]]}]"#,
        expect![[r#"
            Sales Data!A1:C4 filter A1:C3: Name | Amount | Twice =Sales[[#This Row],Amount]*2
            Data!A1 Name
            Data!B1 Amount
            Data!C1 Twice
            Data!E1 Year
            Data!F1 2026
            Data!A2 North
            Data!B2 1
            Data!C2 =Sales[[#This Row],Amount]*2
            Data!E2 a
            Data!F2 7
            Data!A3 South
            Data!B3 2
            Data!C3 =Sales[[#This Row],Amount]*2
            Data!A4 Total
            Data!B4 =SUBTOTAL(109,[Amount])
            New Use!C1:D3 filter C1:D3: Column1 | Column2
            Use!A1 =SUM(Sales[Amount])
            Use!C1 Column1
            Use!D1 Column2
            Use!C2 1
            Use!D2 2
            Use!C3 3
            Most =MAX(Sales[Amount])
        "#]],
    );
}

/// `List`: header, two rows with a formula each, and a footer.
fn list() -> Vec<u8> {
    let mut writer = Writer::new();
    let sheet = writer.add_worksheet().set_name("List").unwrap();
    let money = Format::new().set_num_format("0.00");
    for (col, header) in ["Item", "Price", "Taxed"].into_iter().enumerate() {
        sheet.write_string(0, col as u16, header).unwrap();
    }
    for row in 1..3 {
        sheet.write_string(row, 0, "x").unwrap();
        sheet.write_number_with_format(row, 1, row, &money).unwrap();
        let formula = Formula::new(format!("=B{}*1.2", row + 1)).set_result("0");
        sheet.write_formula_with_format(row, 2, formula, &money).unwrap();
    }
    sheet.write_string(3, 0, "Total").unwrap();
    sheet.write_formula(3, 1, Formula::new("=SUM(B2:B3)").set_result("3")).unwrap();
    sheet.write_formula(6, 0, Formula::new("=B4*2").set_result("6")).unwrap();
    writer.save_to_buffer().unwrap()
}

#[test]
fn rows_come_above_the_footer_of_a_block() {
    let mut draft = draft_of(list());
    apply(
        &mut draft,
        r#"[{"op": "validation", "range": "List!B2:B3", "type": "decimal", "operator": "greater_than", "values": [0]},
            {"op": "append", "range": "List!A1:C4", "footer_rows": 1, "rows": [{"Item": "y", "Price": 7}, ["z"]]}]"#,
    );
    let live = listing(draft.book()) + &around(draft.book());
    let again = reopened(&draft);
    assert_eq!(listing(&again) + &around(&again), live, "saved and opened again");
    expect![[r#"
        List!A1 Item
        List!B1 Price
        List!C1 Taxed
        List!A2 x
        List!B2 1.00 [0.00]
        List!C2 0.00 =B2*1.2 [0.00]
        List!A3 x
        List!B3 2.00 [0.00]
        List!C3 0.00 =B3*1.2 [0.00]
        List!A4 y
        List!B4 7.00 [0.00]
        List!C4  =B4*1.2 [0.00]
        List!A5 z
        List!B5  [0.00]
        List!C5  =B5*1.2 [0.00]
        List!A6 Total
        List!B6 3 =SUM(B2:B5)
        List!A7 6 =B6*2
        List validation B2:B5 decimal Some("greaterThan") 0 - blank true None None
    "#]]
    .assert_eq(&live);
}

#[test]
fn what_has_no_room_is_refused() {
    let mut told = String::new();
    let mut draft = draft_of(list());
    for json in [
        r#"[{"op": "append", "range": "List!A1:C4", "footer_rows": 1, "rows": [[1], [2], [3]]}]"#,
        r#"[{"op": "append", "range": "List!A1:C3", "rows": [[1]]}]"#,
        r#"[{"op": "append", "range": "List!A1:C4", "footer_rows": 1, "rows": [[1, 2, 3, 4]]}]"#,
        r#"[{"op": "append", "range": "List!A1:C4", "footer_rows": 1, "rows": [{"item": 1, "cost": 2}]}]"#,
        r#"[{"op": "append", "range": "List!A1:C4", "footer_rows": 4, "rows": [[1]]}]"#,
        r#"[{"op": "append", "range": "List!A1:C4", "rows": []}]"#,
    ] {
        told.push_str(&format!("{}\n", refusal(&mut draft, json)));
    }
    let mut draft = draft_of(book());
    told.push_str(&refusal(&mut draft, r#"[{"op": "append", "range": "Data!B2:E3", "rows": [[1]]}]"#));
    expect![[r#"
        ops[0] (append) at List!A5:C7: there is no room for the rows: A7 is taken; make room first: insert_rows List!5:7, or move what stands there
        ops[0] (append) at List!A4:C4: there is no room for the rows: A4 is taken; make room first: insert_rows List!4:4, or move what stands there
        ops[0] (append) at List!A1:C4: row 1 has 4 cells for 3 columns; give as many as there are columns, or fewer
        ops[0] (append) at List!A1:C4: row 1 has "cost", which is the header of no column; there are Item, Price, Taxed
        ops[0] (append) at List!A1:C4: A1:C4 has no row above 4 footer rows; give the header and the data, too
        ops[0] (append) at List!A1:C4: there are no rows to append; write them as [[1, "a"], [2, "b"]]
        ops[0] (append) at Data!B2:E3: the cells are only in part those of the table "Sales"; give the table's name"#]].assert_eq(&told);
}
