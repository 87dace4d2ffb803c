//! The example workspace as a reader sees it: values, formulas, and texts as a spreadsheet shows them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use expect_test::{Expect, expect};
use grid::CellRange;
use workbook::{Limits, Workbook};

fn check(path: &str, sheet: &str, range: &str, expected: &Expect) {
    let example =
        fixtures::examples::all().unwrap().into_iter().find(|example| example.path == path).unwrap();
    let book = Workbook::open(example.bytes.into(), path, &Limits::default(), &()).unwrap();
    let sheet = book.sheet(book.sheet_id(sheet).unwrap(), &()).unwrap();
    let mut lines = String::new();
    for (at, cell) in sheet.cells_by_row(range.parse::<CellRange>().unwrap()) {
        let text = book.styles.text(cell.value, cell.style, book.date_system);
        let formula = cell.formula.map(|id| format!("  ={}", sheet.formula_text(at, id))).unwrap_or_default();
        lines.push_str(&format!("{at}: {text}{formula}\n"));
    }
    expected.assert_eq(&lines);
}

#[test]
fn a_ledger() {
    check(
        "sales-ledger.xlsx",
        "Ledger",
        "A1:H2",
        &expect![[r#"
            A1: Order
            B1: Date
            C1: Region
            D1: Rep
            E1: Product
            F1: Units
            G1: Unit price
            H1: Amount
            A2: SO-10001
            B2: 2025-01-01
            C2: North
            D2: Amara Okafor
            E2: Desk lamp
            F2: 5
            G2: 34.90
            H2: 174.50  =Sales[[#This Row],[Units]]*Sales[[#This Row],[Unit price]]
        "#]],
    );
}

#[test]
fn a_model() {
    check(
        "finance/three-year-plan.xlsx",
        "Inputs",
        "A4:B6",
        &expect![[r#"
        A4: Revenue, year 0
        B4: 1,250,000
        A5: Growth per year
        B5: 8.0%
        A6: Variable cost ratio
        B6: 54.0%
    "#]],
    );
    check(
        "finance/three-year-plan.xlsx",
        "Calculation",
        "B3:C7",
        &expect![[r#"
        B3: 2026
        C3: 2027
        B4: 1,350,000  =BaseRevenue*(1+GrowthRate)
        C4: 1,458,000  =B4*(1+GrowthRate)
        B5: (729,000)  =-B4*CostRatio
        C5: (787,320)  =-C4*CostRatio
        B6: (310,000)  =-FixedCosts
        C6: (310,000)  =-FixedCosts
        B7: 311,000  =SUM(B4:B6)
        C7: 360,680  =SUM(C4:C6)
    "#]],
    );
}

#[test]
fn an_open_document() {
    check(
        "operations/inventory-2019.ods",
        "Stock",
        "A1:E2",
        &expect![[r#"
        A1: Code
        B1: Item
        C1: Counted
        D1: Quantity
        E1: Unit cost
        A2: 100-North
        B2: Desk lamp
        C2: 2019-12-31
        D2: 48
        E2: 20.94
    "#]],
    );
}

#[test]
fn a_workbook_has_one_budget_for_the_cells_of_all_sheets() {
    let ledger = fixtures::examples::all()
        .unwrap()
        .into_iter()
        .find(|example| example.path == "sales-ledger.xlsx")
        .unwrap();
    let bytes: std::sync::Arc<[u8]> = ledger.bytes.into();
    let open = |max_cells| {
        let limits = Limits { max_cells, ..Limits::default() };
        let book = Workbook::open(bytes.clone(), "sales-ledger.xlsx", &limits, &()).unwrap();
        book.sheets(1, &()).map(|sheets| sheets.iter().map(|sheet| sheet.cell_count()).sum::<u64>())
    };
    let all = open(u64::MAX).unwrap();
    assert_eq!(open(all).unwrap(), all);
    let refused = open(all - 1).unwrap_err().to_string();
    assert!(refused.contains("SPREADSHEET_MCP_MAX_WORKBOOK_CELLS"), "{refused}");
}
