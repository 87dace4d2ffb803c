//! Tables: made, resized, renamed, taken away, and headers that are written.

use expect_test::{Expect, expect};
use rust_xlsxwriter::{Formula, Table, TableColumn, TableFunction, Workbook as Writer};
use workbook::Workbook;
use workbook::edit::Draft;

use crate::support::{apply, draft_of, refusal, reopened};

/// `Data`: the table `Sales` in A1:C4 with a totals row, plain cells in E1:F3; `Use`: what refers to the table.
pub(crate) fn book() -> Vec<u8> {
    let mut writer = Writer::new();
    let sheet = writer.add_worksheet().set_name("Data").unwrap();
    let columns = [
        TableColumn::new().set_header("Name").set_total_label("Total"),
        TableColumn::new().set_header("Amount").set_total_function(TableFunction::Sum),
        TableColumn::new().set_header("Twice").set_formula(Formula::new("Sales[@Amount]*2")),
    ];
    let table = Table::new().set_name("Sales").set_columns(&columns).set_total_row(true);
    sheet.add_table(0, 0, 3, 2, &table).unwrap();
    for (row, (name, amount)) in [("North", 1), ("South", 2)].into_iter().enumerate() {
        sheet.write_string(row as u32 + 1, 0, name).unwrap();
        sheet.write_number(row as u32 + 1, 1, amount).unwrap();
    }
    sheet.write_string(0, 4, "Year").unwrap();
    sheet.write_number(0, 5, 2026).unwrap();
    sheet.write_string(1, 4, "a").unwrap();
    sheet.write_number(1, 5, 7).unwrap();
    let sheet = writer.add_worksheet().set_name("Use").unwrap();
    sheet.write_formula(0, 0, Formula::new("=SUM(Sales[Amount])").set_result("3")).unwrap();
    writer.define_name("Most", "=MAX(Sales[Amount])").unwrap();
    writer.save_to_buffer().unwrap()
}

/// Every table, its columns, and every formula and name.
pub(crate) fn tables(book: &Workbook) -> String {
    let mut lines = String::new();
    for id in book.sheet_ids() {
        let sheet = book.sheet(id, &()).unwrap();
        for table in &sheet.tables {
            let columns: Vec<String> = (table.columns.iter())
                .map(|it| {
                    format!("{}{}", it.name, it.formula.as_ref().map_or(String::new(), |f| format!(" ={f}")))
                })
                .collect();
            let filter = table.auto_filter.as_ref().map_or("none".to_owned(), |it| it.range.to_string());
            lines.push_str(&format!(
                "{} {}!{} filter {filter}: {}\n",
                table.name,
                sheet.name,
                table.range,
                columns.join(" | ")
            ));
        }
        for (at, cell) in sheet.cells_by_row(grid::CellRange::ALL) {
            let formula = cell.formula.map(|id| sheet.formula_text(at, id).into_owned());
            let text = book.styles.text(cell.value, cell.style, book.date_system);
            let shown = formula.map_or(text, |formula| format!("={formula}"));
            lines.push_str(&format!("{}!{at} {shown}\n", sheet.name));
        }
    }
    book.names.iter().for_each(|it| lines.push_str(&format!("{} ={}\n", it.name, it.refers_to)));
    lines
}

#[track_caller]
pub(crate) fn check(json: &str, expected: Expect) -> Draft {
    let mut draft = draft_of(book());
    apply(&mut draft, json);
    let live = tables(draft.book());
    assert_eq!(tables(&reopened(&draft)), live, "saved and opened again");
    expected.assert_eq(&live);
    draft
}

#[test]
fn a_table_is_made_and_its_headers_are_texts_that_differ() {
    check(
        r#"[{"op": "set", "range": "Data!G1", "values": [["Year"]]},
            {"op": "create_table", "range": "Data!E1:H3", "name": "Small"},
            {"op": "create_table", "range": "Use!C3:D4", "name": "Bare", "has_headers": false, "style": "TableStyleLight1"}]"#,
        expect![[r#"
            Sales Data!A1:C4 filter A1:C3: Name | Amount | Twice =Sales[[#This Row],Amount]*2
            Small Data!E1:H3 filter E1:H3: Year | 2026 | Year2 | Column4
            Data!A1 Name
            Data!B1 Amount
            Data!C1 Twice
            Data!E1 Year
            Data!F1 2026
            Data!G1 Year2
            Data!H1 Column4
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
            Bare Use!C3:D4 filter none: Column1 | Column2
            Use!A1 =SUM(Sales[Amount])
            Most =MAX(Sales[Amount])
        "#]],
    );
}

#[test]
fn tables_and_columns_are_renamed_with_what_refers_to_them() {
    check(
        r#"[{"op": "rename_table", "table": "sales", "name": "Orders"},
            {"op": "rename_table_column", "table": "Orders", "column": "amount", "name": "Net [EUR]"}]"#,
        expect![[r#"
            Orders Data!A1:C4 filter A1:C3: Name | Net [EUR] | Twice =Orders[[#This Row],[Net '[EUR']]]*2
            Data!A1 Name
            Data!B1 Net [EUR]
            Data!C1 Twice
            Data!E1 Year
            Data!F1 2026
            Data!A2 North
            Data!B2 1
            Data!C2 =Orders[[#This Row],[Net '[EUR']]]*2
            Data!E2 a
            Data!F2 7
            Data!A3 South
            Data!B3 2
            Data!C3 =Orders[[#This Row],[Net '[EUR']]]*2
            Data!A4 Total
            Data!B4 =SUBTOTAL(109,Orders[[Net '[EUR']]])
            Use!A1 =SUM(Orders[[Net '[EUR']]])
            Most =MAX(Orders[[Net '[EUR']]])
        "#]],
    );
}

#[test]
fn headers_that_are_written_rename_their_columns() {
    check(
        r#"[{"op": "set", "range": "Data!A1:B1", "values": [["Amount", "Name"]]},
            {"op": "set", "range": "Data!C3", "values": [["=[@Name]*3"]]}]"#,
        expect![[r#"
            Sales Data!A1:C4 filter A1:C3: Amount | Name | Twice =Sales[[#This Row],Name]*2
            Data!A1 Amount
            Data!B1 Name
            Data!C1 Twice
            Data!E1 Year
            Data!F1 2026
            Data!A2 North
            Data!B2 1
            Data!C2 =Sales[[#This Row],Name]*2
            Data!E2 a
            Data!F2 7
            Data!A3 South
            Data!B3 2
            Data!C3 =Sales[[#This Row],[Name]]*3
            Data!A4 Total
            Data!B4 =SUBTOTAL(109,Sales[Name])
            Use!A1 =SUM(Sales[Name])
            Most =MAX(Sales[Name])
        "#]],
    );
    let mut draft = draft_of(book());
    expect![[r#"ops[0] (set) at Data!A1: it is the header of column "Name" of the table "Sales"; a header is a text that no other column has; write one ("2026" for a year), or delete_table first"#]].assert_eq(&refusal(&mut draft, r#"[{"op": "set", "range": "Data!A1", "values": [[2026]]}]"#));
    expect![[r#"ops[0] (clear) at Data!A1: it is the header of column "Name" of the table "Sales"; a header is a text that no other column has; write one ("2026" for a year), or delete_table first"#]].assert_eq(&refusal(&mut draft, r#"[{"op": "clear", "range": "Data!A1:A3"}]"#));
    expect![[r#"ops[0] (set): "amount" is no name for a column of the table "Sales"; write 1 to 255 characters that are the name of no other column"#]]
        .assert_eq(&refusal(&mut draft, r#"[{"op": "set", "range": "Data!A1", "values": [["amount"]]}]"#));
}

#[test]
fn a_table_is_resized() {
    check(
        r#"[{"op": "resize_table", "table": "Sales", "range": "Data!A1:D4"},
            {"op": "create_table", "range": "Use!C3:D4", "name": "Next"}, {"op": "resize_table", "table": "Next", "range": "Use!D3:E9"}]"#,
        expect![[r#"
            Sales Data!A1:D4 filter A1:D3: Name | Amount | Twice =Sales[[#This Row],Amount]*2 | Column4
            Data!A1 Name
            Data!B1 Amount
            Data!C1 Twice
            Data!D1 Column4
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
            Data!B4 =SUBTOTAL(109,Sales[Amount])
            Next Use!D3:E9 filter D3:E9: Column2 | Column3
            Use!A1 =SUM(Sales[Amount])
            Use!C3 Column1
            Use!D3 Column2
            Use!E3 Column3
            Most =MAX(Sales[Amount])
        "#]],
    );
}

#[test]
fn a_table_is_taken_away() {
    let draft = check(
        r#"[{"op": "create_table", "range": "Data!E1:F2", "name": "Small"}, {"op": "delete_table", "table": "small"}]"#,
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
            Use!A1 =SUM(Sales[Amount])
            Most =MAX(Sales[Amount])
        "#]],
    );
    assert!(reopened(&draft).sheet(workbook::SheetId(0), &()).unwrap().tables.len() == 1);
}

#[test]
fn what_would_break_is_refused() {
    let mut draft = draft_of(book());
    let mut told = String::new();
    for json in [
        r#"[{"op": "create_table", "range": "Data!C1:E3", "name": "Other"}]"#,
        r#"[{"op": "create_table", "range": "Data!E1:F3", "name": "most"}]"#,
        r#"[{"op": "create_table", "range": "Data!E1:F3", "name": "A1"}]"#,
        r#"[{"op": "create_table", "range": "Data!E1:F1", "name": "Other"}]"#,
        r#"[{"op": "resize_table", "table": "Sales", "range": "Data!A1:C9"}]"#,
        r#"[{"op": "resize_table", "table": "Sales", "range": "Data!A1:A4"}]"#,
        r#"[{"op": "delete_table", "table": "Sales"}]"#,
        r#"[{"op": "rename_table_column", "table": "Sales", "column": "x", "name": "y"}]"#,
        r#"[{"op": "rename_table", "table": "x", "name": "y"}]"#,
    ] {
        told.push_str(&format!("{}\n", refusal(&mut draft, json)));
    }
    expect![[r#"
        ops[0] (create_table) at Data!C1:E3: the cells meet the table "Sales" in A1:C4; give other cells, or resize that table
        ops[0] (create_table): there is a name "Most" already; tables and names share their names; take another one
        ops[0] (create_table): "A1" is how a cell is written; start with a letter, _ or \ and go on with letters, digits, . and _; not as a cell is written
        ops[0] (create_table) at Data!E1:F1: a table has a header row and at least one row below it; give the empty row below, too
        ops[0] (resize_table) at Data!A1:C9: the table has a totals row, which is its last; append rows, or insert or delete rows within it
        ops[0] (resize_table): the formula of Data!C2 refers to the column "Amount" of "Sales"; write ranges such as $A$2:$A$9 in its place first
        ops[0] (delete_table): the formula of Data!C2 refers to the table "Sales"; write ranges such as $A$2:$A$9 in its place first
        ops[0] (rename_table_column): the table "Sales" has no column "x"; there are Name, Amount, Twice
        ops[0] (rename_table): there is no table "x"; there are Sales
    "#]].assert_eq(&told);
    assert!(!draft.is_changed());
}
