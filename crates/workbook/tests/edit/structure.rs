//! Rows, columns and sheets that come and go, with everything that refers to them.

use expect_test::{Expect, expect};
use rust_xlsxwriter::{
    Chart, ChartType, ConditionalFormatCell, ConditionalFormatCellRule, DataValidation, DataValidationRule,
    Format, Formula, Note, Table, TableColumn, Url, Workbook as Writer,
};
use workbook::Workbook;

use crate::support::{apply, draft_of, listing, refusal, reopened};

/// `Data`: a table of figures with everything that may point at cells; `Sum`: formulas over it; `Chart`'s series read it.
pub(crate) fn book() -> Vec<u8> {
    let mut writer = Writer::new();
    let data = writer.add_worksheet().set_name("Data").unwrap();
    for (col, head) in ["Region", "Amount", "Twice"].into_iter().enumerate() {
        data.write_string(1, col as u16, head).unwrap();
    }
    for row in 2..6u32 {
        data.write_string(row, 0, format!("r{row}")).unwrap();
        data.write_number(row, 1, f64::from(row)).unwrap();
        data.write_formula(row, 2, Formula::new(format!("=B{0}*2", row + 1)).set_result("0")).unwrap();
    }
    data.write_formula(6, 1, Formula::new("=SUM(B3:B6)").set_result("14")).unwrap();
    data.merge_range(8, 0, 8, 2, "merged", &Format::new()).unwrap();
    let rule =
        ConditionalFormatCell::new().set_rule(ConditionalFormatCellRule::GreaterThan(Formula::new("=$B$7")));
    data.add_conditional_format(2, 1, 5, 1, &rule.set_format(Format::new().set_bold())).unwrap();
    let list = DataValidation::new().allow_list_formula(Formula::new("=$A$3:$A$6"));
    data.add_data_validation(2, 3, 5, 3, &list).unwrap();
    let whole = DataValidation::new().allow_whole_number(DataValidationRule::Between(1, 9));
    data.add_data_validation(9, 3, 9, 3, &whole).unwrap();
    data.insert_note(3, 1, &Note::new("look here").set_author("me")).unwrap();
    data.write_url(5, 5, Url::new("internal:Sum!A1").set_text("to the sum")).unwrap();
    data.set_print_area(1, 0, 6, 2).unwrap();
    data.set_freeze_panes(2, 0).unwrap();
    let mut chart = Chart::new(ChartType::Column);
    chart.add_series().set_categories("=Data!$A$3:$A$6").set_values("=Data!$B$3:$B$6");
    data.insert_chart(10, 4, &chart).unwrap();
    let sum = writer.add_worksheet().set_name("Sum").unwrap();
    sum.write_formula(0, 0, Formula::new("=SUM(Data!B3:B6)+Data!$B$4+Total").set_result("0")).unwrap();
    sum.write_url(1, 0, Url::new("internal:Data!B4").set_text("to the data")).unwrap();
    let columns = [TableColumn::new().set_header("Key"), TableColumn::new().set_header("Value")];
    sum.add_table(4, 0, 7, 1, &Table::new().set_name("Pairs").set_columns(&columns)).unwrap();
    writer.define_name("Total", "=Data!$B$7").unwrap();
    writer.save_to_buffer().unwrap()
}

/// Everything that refers to cells, line by line.
pub(crate) fn references(book: &Workbook) -> String {
    let mut lines = listing(book);
    for name in &book.names {
        lines.push_str(&format!("name {} = {} {:?}\n", name.name, name.refers_to, name.scope.map(|id| id.0)));
    }
    for id in book.sheet_ids() {
        let sheet = book.sheet(id, &()).unwrap();
        let name = &sheet.name;
        for merge in &sheet.merges {
            lines.push_str(&format!("{name} merge {merge}\n"));
        }
        for rule in &sheet.conditional_formats {
            lines.push_str(&format!("{name} rule {:?} {:?}\n", rule.ranges, rule.formulas));
        }
        for validation in &sheet.validations {
            lines.push_str(&format!("{name} validation {:?} {:?}\n", validation.ranges, validation.formula1));
        }
        for comment in &sheet.comments {
            lines.push_str(&format!("{name} comment {} {}\n", comment.cell, comment.text));
        }
        for link in &sheet.hyperlinks {
            lines.push_str(&format!("{name} link {} {:?}\n", link.range, link.target));
        }
        for table in &sheet.tables {
            let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            lines.push_str(&format!("{name} table {} {} {columns:?}\n", table.name, table.range));
        }
        for chart in &sheet.charts {
            let series: Vec<_> =
                chart.series.iter().map(|series| (&series.values, &series.categories)).collect();
            lines.push_str(&format!("{name} chart {:?} {series:?}\n", chart.anchor));
        }
    }
    lines
}

#[track_caller]
fn check(json: &str, expected: Expect) {
    let mut draft = draft_of(book());
    apply(&mut draft, json);
    let live = references(draft.book());
    assert_eq!(references(&reopened(&draft)), live, "saved and opened again");
    let before = references(draft_of(book()).book());
    let changed: String = diff(&before, &live);
    expected.assert_eq(&changed);
}

/// Lines that went and came, in their order.
fn diff(before: &str, after: &str) -> String {
    let gone = before
        .lines()
        .filter(|line| !after.lines().any(|other| other == *line))
        .map(|line| format!("- {line}\n"));
    let came = after
        .lines()
        .filter(|line| !before.lines().any(|other| other == *line))
        .map(|line| format!("+ {line}\n"));
    gone.chain(came).collect()
}

#[test]
fn rows_come() {
    check(
        r#"[{"op": "insert_rows", "range": "Data!4:5"}]"#,
        expect![[r#"
        - Data!A4 r3
        - Data!B4 3
        - Data!C4 0 =B4*2
        - Data!A5 r4
        - Data!B5 4
        - Data!C5 0 =B5*2
        - Data!A6 r5
        - Data!B6 5
        - Data!F6 to the sum
        - Data!B7 14 =SUM(B3:B6)
        - Data!A9 merged
        - Sum!A1 0 =SUM(Data!B3:B6)+Data!$B$4+Total
        - name _xlnm.Print_Area = Data!$A$2:$C$7 Some(0)
        - name Total = Data!$B$7 None
        - Data merge A9:C9
        - Data rule [CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 5, col: 1 } }] ["$B$7"]
        - Data validation [CellRange { start: CellRef { row: 9, col: 3 }, end: CellRef { row: 9, col: 3 } }] Some("1")
        - Data validation [CellRange { start: CellRef { row: 2, col: 3 }, end: CellRef { row: 5, col: 3 } }] Some("$A$3:$A$6")
        - Data comment B4 me:
        - Data link F6 Internal("Sum!A1")
        - Data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 4 }, end: CellRef { row: 24, col: 11 } })) [(Some("Data!$B$3:$B$6"), Some("Data!$A$3:$A$6"))]
        - Sum link A2 Internal("Data!B4")
        + Data!A6 r3
        + Data!B6 3
        + Data!A7 r4
        + Data!B7 4
        + Data!C7 0 =B7*2
        + Data!A8 r5
        + Data!B8 5
        + Data!C8 0 =B8*2
        + Data!F8 to the sum
        + Data!B9 14 =SUM(B3:B8)
        + Data!A11 merged
        + Sum!A1 0 =SUM(Data!B3:B8)+Data!$B$6+Total
        + name _xlnm.Print_Area = Data!$A$2:$C$9 Some(0)
        + name Total = Data!$B$9 None
        + Data merge A11:C11
        + Data rule [CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 7, col: 1 } }] ["$B$9"]
        + Data validation [CellRange { start: CellRef { row: 11, col: 3 }, end: CellRef { row: 11, col: 3 } }] Some("1")
        + Data validation [CellRange { start: CellRef { row: 2, col: 3 }, end: CellRef { row: 7, col: 3 } }] Some("$A$3:$A$8")
        + Data comment B6 me:
        + Data link F8 Internal("Sum!A1")
        + Data chart Some(Cells(CellRange { start: CellRef { row: 12, col: 4 }, end: CellRef { row: 26, col: 11 } })) [(Some("Data!$B$3:$B$8"), Some("Data!$A$3:$A$8"))]
        + Sum link A2 Internal("Data!B6")
    "#]],
    );
}

#[test]
fn rows_go() {
    check(
        r#"[{"op": "delete_rows", "range": "Data!4:4"}]"#,
        expect![[r#"
        - Data!A4 r3
        - Data!B4 3
        - Data!A5 r4
        - Data!B5 4
        - Data!A6 r5
        - Data!B6 5
        - Data!C6 0 =B6*2
        - Data!F6 to the sum
        - Data!B7 14 =SUM(B3:B6)
        - Data!A9 merged
        - Sum!A1 0 =SUM(Data!B3:B6)+Data!$B$4+Total
        - name _xlnm.Print_Area = Data!$A$2:$C$7 Some(0)
        - name Total = Data!$B$7 None
        - Data merge A9:C9
        - Data rule [CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 5, col: 1 } }] ["$B$7"]
        - Data validation [CellRange { start: CellRef { row: 9, col: 3 }, end: CellRef { row: 9, col: 3 } }] Some("1")
        - Data validation [CellRange { start: CellRef { row: 2, col: 3 }, end: CellRef { row: 5, col: 3 } }] Some("$A$3:$A$6")
        - Data comment B4 me:
        - look here
        - Data link F6 Internal("Sum!A1")
        - Data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 4 }, end: CellRef { row: 24, col: 11 } })) [(Some("Data!$B$3:$B$6"), Some("Data!$A$3:$A$6"))]
        - Sum link A2 Internal("Data!B4")
        + Data!A4 r4
        + Data!B4 4
        + Data!A5 r5
        + Data!B5 5
        + Data!F5 to the sum
        + Data!B6 14 =SUM(B3:B5)
        + Data!A8 merged
        + Sum!A1 0 =SUM(Data!B3:B5)+Data!#REF!+Total
        + name _xlnm.Print_Area = Data!$A$2:$C$6 Some(0)
        + name Total = Data!$B$6 None
        + Data merge A8:C8
        + Data rule [CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 4, col: 1 } }] ["$B$6"]
        + Data validation [CellRange { start: CellRef { row: 8, col: 3 }, end: CellRef { row: 8, col: 3 } }] Some("1")
        + Data validation [CellRange { start: CellRef { row: 2, col: 3 }, end: CellRef { row: 4, col: 3 } }] Some("$A$3:$A$5")
        + Data link F5 Internal("Sum!A1")
        + Data chart Some(Cells(CellRange { start: CellRef { row: 9, col: 4 }, end: CellRef { row: 23, col: 11 } })) [(Some("Data!$B$3:$B$5"), Some("Data!$A$3:$A$5"))]
        + Sum link A2 Internal("Data!#REF!")
    "#]],
    );
}

#[test]
fn columns_come() {
    check(
        r#"[{"op": "insert_columns", "range": "Data!B:B"}, {"op": "insert_columns", "range": "Sum!B:C"}]"#,
        expect![[r#"
        - Data!B2 Amount
        - Data!C2 Twice
        - Data!B3 2
        - Data!C3 0 =B3*2
        - Data!B4 3
        - Data!C4 0 =B4*2
        - Data!B5 4
        - Data!C5 0 =B5*2
        - Data!B6 5
        - Data!C6 0 =B6*2
        - Data!F6 to the sum
        - Data!B7 14 =SUM(B3:B6)
        - Sum!A1 0 =SUM(Data!B3:B6)+Data!$B$4+Total
        - Sum!B5 Value
        - name _xlnm.Print_Area = Data!$A$2:$C$7 Some(0)
        - name Total = Data!$B$7 None
        - Data merge A9:C9
        - Data rule [CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 5, col: 1 } }] ["$B$7"]
        - Data validation [CellRange { start: CellRef { row: 9, col: 3 }, end: CellRef { row: 9, col: 3 } }] Some("1")
        - Data validation [CellRange { start: CellRef { row: 2, col: 3 }, end: CellRef { row: 5, col: 3 } }] Some("$A$3:$A$6")
        - Data comment B4 me:
        - Data link F6 Internal("Sum!A1")
        - Data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 4 }, end: CellRef { row: 24, col: 11 } })) [(Some("Data!$B$3:$B$6"), Some("Data!$A$3:$A$6"))]
        - Sum link A2 Internal("Data!B4")
        - Sum table Pairs A5:B8 ["Key", "Value"]
        + Data!C2 Amount
        + Data!D2 Twice
        + Data!C3 2
        + Data!D3 0 =C3*2
        + Data!C4 3
        + Data!D4 0 =C4*2
        + Data!C5 4
        + Data!D5 0 =C5*2
        + Data!C6 5
        + Data!D6 0 =C6*2
        + Data!G6 to the sum
        + Data!C7 14 =SUM(C3:C6)
        + Sum!A1 0 =SUM(Data!C3:C6)+Data!$C$4+Total
        + Sum!B2 
        + Sum!C2 
        + Sum!B5 Column1
        + Sum!C5 Column2
        + Sum!D5 Value
        + name _xlnm.Print_Area = Data!$A$2:$D$7 Some(0)
        + name Total = Data!$C$7 None
        + Data merge A9:D9
        + Data rule [CellRange { start: CellRef { row: 2, col: 2 }, end: CellRef { row: 5, col: 2 } }] ["$C$7"]
        + Data validation [CellRange { start: CellRef { row: 9, col: 4 }, end: CellRef { row: 9, col: 4 } }] Some("1")
        + Data validation [CellRange { start: CellRef { row: 2, col: 4 }, end: CellRef { row: 5, col: 4 } }] Some("$A$3:$A$6")
        + Data comment C4 me:
        + Data link G6 Internal("Sum!A1")
        + Data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 5 }, end: CellRef { row: 24, col: 12 } })) [(Some("Data!$C$3:$C$6"), Some("Data!$A$3:$A$6"))]
        + Sum link A2 Internal("Data!C4")
        + Sum table Pairs A5:D8 ["Key", "Column1", "Column2", "Value"]
    "#]],
    );
}

#[test]
fn columns_go() {
    check(
        r#"[{"op": "delete_columns", "range": "Data!B:B"}]"#,
        expect![[r#"
        - Data!B2 Amount
        - Data!C2 Twice
        - Data!B3 2
        - Data!C3 0 =B3*2
        - Data!B4 3
        - Data!C4 0 =B4*2
        - Data!B5 4
        - Data!C5 0 =B5*2
        - Data!B6 5
        - Data!C6 0 =B6*2
        - Data!F6 to the sum
        - Data!B7 14 =SUM(B3:B6)
        - Sum!A1 0 =SUM(Data!B3:B6)+Data!$B$4+Total
        - name _xlnm.Print_Area = Data!$A$2:$C$7 Some(0)
        - name Total = Data!$B$7 None
        - Data merge A9:C9
        - Data rule [CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 5, col: 1 } }] ["$B$7"]
        - Data validation [CellRange { start: CellRef { row: 9, col: 3 }, end: CellRef { row: 9, col: 3 } }] Some("1")
        - Data validation [CellRange { start: CellRef { row: 2, col: 3 }, end: CellRef { row: 5, col: 3 } }] Some("$A$3:$A$6")
        - Data comment B4 me:
        - look here
        - Data link F6 Internal("Sum!A1")
        - Data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 4 }, end: CellRef { row: 24, col: 11 } })) [(Some("Data!$B$3:$B$6"), Some("Data!$A$3:$A$6"))]
        - Sum link A2 Internal("Data!B4")
        + Data!B2 Twice
        + Data!B3 0 =#REF!*2
        + Data!B4 0 =#REF!*2
        + Data!B5 0 =#REF!*2
        + Data!B6 0 =#REF!*2
        + Data!E6 to the sum
        + Sum!A1 0 =SUM(Data!#REF!)+Data!#REF!+Total
        + name _xlnm.Print_Area = Data!$A$2:$B$7 Some(0)
        + name Total = Data!#REF! None
        + Data merge A9:B9
        + Data validation [CellRange { start: CellRef { row: 9, col: 2 }, end: CellRef { row: 9, col: 2 } }] Some("1")
        + Data validation [CellRange { start: CellRef { row: 2, col: 2 }, end: CellRef { row: 5, col: 2 } }] Some("$A$3:$A$6")
        + Data link E6 Internal("Sum!A1")
        + Data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 3 }, end: CellRef { row: 24, col: 10 } })) [(Some("Data!#REF!"), Some("Data!$A$3:$A$6"))]
        + Sum link A2 Internal("Data!#REF!")
    "#]],
    );
}

#[test]
fn sheets_are_renamed_moved_added_and_deleted() {
    check(
        r#"[{"op": "rename_sheet", "sheet": "data", "name": "Q1 'raw' data"}]"#,
        expect![[r#"
        - Data!A2 Region
        - Data!B2 Amount
        - Data!C2 Twice
        - Data!A3 r2
        - Data!B3 2
        - Data!C3 0 =B3*2
        - Data!A4 r3
        - Data!B4 3
        - Data!C4 0 =B4*2
        - Data!A5 r4
        - Data!B5 4
        - Data!C5 0 =B5*2
        - Data!A6 r5
        - Data!B6 5
        - Data!C6 0 =B6*2
        - Data!F6 to the sum
        - Data!B7 14 =SUM(B3:B6)
        - Data!A9 merged
        - Sum!A1 0 =SUM(Data!B3:B6)+Data!$B$4+Total
        - name _xlnm.Print_Area = Data!$A$2:$C$7 Some(0)
        - name Total = Data!$B$7 None
        - Data merge A9:C9
        - Data rule [CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 5, col: 1 } }] ["$B$7"]
        - Data validation [CellRange { start: CellRef { row: 9, col: 3 }, end: CellRef { row: 9, col: 3 } }] Some("1")
        - Data validation [CellRange { start: CellRef { row: 2, col: 3 }, end: CellRef { row: 5, col: 3 } }] Some("$A$3:$A$6")
        - Data comment B4 me:
        - Data link F6 Internal("Sum!A1")
        - Data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 4 }, end: CellRef { row: 24, col: 11 } })) [(Some("Data!$B$3:$B$6"), Some("Data!$A$3:$A$6"))]
        - Sum link A2 Internal("Data!B4")
        + Q1 'raw' data!A2 Region
        + Q1 'raw' data!B2 Amount
        + Q1 'raw' data!C2 Twice
        + Q1 'raw' data!A3 r2
        + Q1 'raw' data!B3 2
        + Q1 'raw' data!C3 0 =B3*2
        + Q1 'raw' data!A4 r3
        + Q1 'raw' data!B4 3
        + Q1 'raw' data!C4 0 =B4*2
        + Q1 'raw' data!A5 r4
        + Q1 'raw' data!B5 4
        + Q1 'raw' data!C5 0 =B5*2
        + Q1 'raw' data!A6 r5
        + Q1 'raw' data!B6 5
        + Q1 'raw' data!C6 0 =B6*2
        + Q1 'raw' data!F6 to the sum
        + Q1 'raw' data!B7 14 =SUM(B3:B6)
        + Q1 'raw' data!A9 merged
        + Sum!A1 0 =SUM('Q1 ''raw'' data'!B3:B6)+'Q1 ''raw'' data'!$B$4+Total
        + name _xlnm.Print_Area = 'Q1 ''raw'' data'!$A$2:$C$7 Some(0)
        + name Total = 'Q1 ''raw'' data'!$B$7 None
        + Q1 'raw' data merge A9:C9
        + Q1 'raw' data rule [CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 5, col: 1 } }] ["$B$7"]
        + Q1 'raw' data validation [CellRange { start: CellRef { row: 9, col: 3 }, end: CellRef { row: 9, col: 3 } }] Some("1")
        + Q1 'raw' data validation [CellRange { start: CellRef { row: 2, col: 3 }, end: CellRef { row: 5, col: 3 } }] Some("$A$3:$A$6")
        + Q1 'raw' data comment B4 me:
        + Q1 'raw' data link F6 Internal("Sum!A1")
        + Q1 'raw' data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 4 }, end: CellRef { row: 24, col: 11 } })) [(Some("'Q1 ''raw'' data'!$B$3:$B$6"), Some("'Q1 ''raw'' data'!$A$3:$A$6"))]
        + Sum link A2 Internal("'Q1 ''raw'' data'!B4")
    "#]],
    );
    check(
        r#"[{"op": "move_sheet", "sheet": "Sum", "position": 1}, {"op": "add_sheet", "name": "New", "position": 1},
            {"op": "set", "range": "New!A1", "values": [["=Sum!A1"]]}, {"op": "sheet_visibility", "sheet": "Sum", "visibility": "hidden"}]"#,
        expect![[r#"
            - name _xlnm.Print_Area = Data!$A$2:$C$7 Some(0)
            + New!A1  =Sum!A1
            + name _xlnm.Print_Area = Data!$A$2:$C$7 Some(2)
        "#]],
    );
    check(
        r#"[{"op": "delete_sheet", "sheet": "Data"}]"#,
        expect![[r##"
        - Data!A2 Region
        - Data!B2 Amount
        - Data!C2 Twice
        - Data!A3 r2
        - Data!B3 2
        - Data!C3 0 =B3*2
        - Data!A4 r3
        - Data!B4 3
        - Data!C4 0 =B4*2
        - Data!A5 r4
        - Data!B5 4
        - Data!C5 0 =B5*2
        - Data!A6 r5
        - Data!B6 5
        - Data!C6 0 =B6*2
        - Data!F6 to the sum
        - Data!B7 14 =SUM(B3:B6)
        - Data!A9 merged
        - Sum!A1 0 =SUM(Data!B3:B6)+Data!$B$4+Total
        - name _xlnm.Print_Area = Data!$A$2:$C$7 Some(0)
        - name Total = Data!$B$7 None
        - Data merge A9:C9
        - Data rule [CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 5, col: 1 } }] ["$B$7"]
        - Data validation [CellRange { start: CellRef { row: 9, col: 3 }, end: CellRef { row: 9, col: 3 } }] Some("1")
        - Data validation [CellRange { start: CellRef { row: 2, col: 3 }, end: CellRef { row: 5, col: 3 } }] Some("$A$3:$A$6")
        - Data comment B4 me:
        - look here
        - Data link F6 Internal("Sum!A1")
        - Data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 4 }, end: CellRef { row: 24, col: 11 } })) [(Some("Data!$B$3:$B$6"), Some("Data!$A$3:$A$6"))]
        - Sum link A2 Internal("Data!B4")
        + Sum!A1 0 =SUM(#REF!B3:B6)+#REF!$B$4+Total
        + name Total = #REF!$B$7 None
        + Sum link A2 Internal("#REF!B4")
    "##]],
    );
    check(
        r#"[{"op": "copy_sheet", "sheet": "Data", "name": "Copy"}]"#,
        expect![[r#"
        + Copy!A2 Region
        + Copy!B2 Amount
        + Copy!C2 Twice
        + Copy!A3 r2
        + Copy!B3 2
        + Copy!C3 0 =B3*2
        + Copy!A4 r3
        + Copy!B4 3
        + Copy!C4 0 =B4*2
        + Copy!A5 r4
        + Copy!B5 4
        + Copy!C5 0 =B5*2
        + Copy!A6 r5
        + Copy!B6 5
        + Copy!C6 0 =B6*2
        + Copy!F6 to the sum
        + Copy!B7 14 =SUM(B3:B6)
        + Copy!A9 merged
        + name _xlnm.Print_Area = Copy!$A$2:$C$7 Some(1)
        + Copy merge A9:C9
        + Copy rule [CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 5, col: 1 } }] ["$B$7"]
        + Copy validation [CellRange { start: CellRef { row: 9, col: 3 }, end: CellRef { row: 9, col: 3 } }] Some("1")
        + Copy validation [CellRange { start: CellRef { row: 2, col: 3 }, end: CellRef { row: 5, col: 3 } }] Some("$A$3:$A$6")
        + Copy link F6 Internal("Sum!A1")
    "#]],
    );
}

#[test]
fn cells_are_moved_and_sorted() {
    check(
        r#"[{"op": "move", "range": "Data!B3:B6", "to": "Sum!E1"}]"#,
        expect![[r#"
        - Data!B3 2
        - Data!C3 0 =B3*2
        - Data!B4 3
        - Data!C4 0 =B4*2
        - Data!B5 4
        - Data!C5 0 =B5*2
        - Data!B6 5
        - Data!C6 0 =B6*2
        - Data!B7 14 =SUM(B3:B6)
        - Sum!A1 0 =SUM(Data!B3:B6)+Data!$B$4+Total
        - Data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 4 }, end: CellRef { row: 24, col: 11 } })) [(Some("Data!$B$3:$B$6"), Some("Data!$A$3:$A$6"))]
        - Sum link A2 Internal("Data!B4")
        + Data!C3 0 =Sum!E1*2
        + Data!C4 0 =Sum!E2*2
        + Data!C5 0 =Sum!E3*2
        + Data!C6 0 =Sum!E4*2
        + Data!B7 14 =SUM(Sum!E1:E4)
        + Sum!A1 0 =SUM(Sum!E1:E4)+Sum!$E$2+Total
        + Sum!E1 2
        + Sum!E2 3
        + Sum!E3 4
        + Sum!E4 5
        + Data chart Some(Cells(CellRange { start: CellRef { row: 10, col: 4 }, end: CellRef { row: 24, col: 11 } })) [(Some("Sum!$E$1:$E$4"), Some("Data!$A$3:$A$6"))]
        + Sum link A2 Internal("Sum!E2")
    "#]],
    );
    check(
        r#"[{"op": "sort", "range": "Data!A3:C6", "by": [{"column": "B", "descending": true}]}]"#,
        expect![[r#"
        - Data!A3 r2
        - Data!B3 2
        - Data!A4 r3
        - Data!B4 3
        - Data!A5 r4
        - Data!B5 4
        - Data!A6 r5
        - Data!B6 5
        + Data!A3 r5
        + Data!B3 5
        + Data!A4 r4
        + Data!B4 4
        + Data!A5 r3
        + Data!B5 3
        + Data!A6 r2
        + Data!B6 2
    "#]],
    );
}

#[test]
fn what_comes_and_goes_again_leaves_all_as_it_was() {
    for (come, go) in [("insert_rows", "delete_rows"), ("insert_columns", "delete_columns")] {
        for range in ["1:1", "3:9", "7:7"] {
            let range = if come == "insert_rows" { range } else { ["A:A", "B:D", "C:C"][range.len() % 3] };
            let mut draft = draft_of(book());
            let before = references(draft.book());
            apply(
                &mut draft,
                &format!(
                    r#"[{{"op": "{come}", "range": "Data!{range}"}}, {{"op": "{go}", "range": "Data!{range}"}}]"#
                ),
            );
            assert_eq!(references(draft.book()), before, "{come} {range}");
            assert_eq!(references(&reopened(&draft)), before, "{come} {range}");
        }
    }
}

#[test]
fn what_would_break_is_refused() {
    let mut draft = draft_of(book());
    let mut check = |json: &str, expected: &str| {
        let told = refusal(&mut draft, json);
        assert!(told.contains(expected), "{told}");
    };
    check(r#"[{"op": "delete_rows", "range": "Sum!5:5"}]"#, "the header of the table \"Pairs\" would go");
    check(r#"[{"op": "delete_rows", "range": "Sum!6:8"}]"#, "every row of the table");
    check(r#"[{"op": "delete_columns", "range": "Sum!A:B"}]"#, "the whole table");
    check(r#"[{"op": "insert_rows", "range": "Data!A1:B2"}]"#, "write rows as Data!5:7");
    check(r#"[{"op": "add_sheet", "name": "a/b"}]"#, "no sheet's name may have");
    check(r#"[{"op": "add_sheet", "name": "DATA"}]"#, "there is a sheet \"Data\" already");
    check(
        r#"[{"op": "delete_sheet", "sheet": "Data"}, {"op": "delete_sheet", "sheet": "Sum"}]"#,
        "no visible sheet",
    );
    check(r#"[{"op": "move", "range": "Data!A9:B9", "to": "Sum!E1"}]"#, "unmerge it first");
}
