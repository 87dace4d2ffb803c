//! Addresses against workbooks.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use analysis::resolve::{LocateError, Origin, clip, locate_text, written};
use support::{book, name};
use workbook::{SheetId, Visibility, Workbook};

fn ledger() -> Workbook {
    let mut book = book(&[
        (
            "Data",
            "A1 Day
             B1 Net Sales
             C1 a[b]
             A2:C4 1
             A5 Total
             A1:C5 table Sales totals
             F3:F5 spill =A2:A4*2",
        ),
        ("Q1 Actuals", "A1 1\nD9 2"),
        ("Empty", ""),
    ]);
    book.names = vec![
        name("TaxRate", None, "0.21"),
        name("Title", None, "\"Ledger\""),
        name("Window", None, "OFFSET(Data!$A$1,0,0,5,1)"),
        name("Sum", None, "Data!$A$1+1"),
        name("Input", None, "Data!$B$2:$B$4"),
        name("Print", None, "Data!$A$1:$B$2,'Q1 Actuals'!$D$9"),
        name("Both", None, "Input,Print"),
        name("Loop", None, "Loop2"),
        name("Loop2", None, "loop"),
        name("Gone", None, "Data!#REF!"),
        name("Other", None, "[1]Sheet1!$A$1"),
        name("Cross", None, "Data!$A$2:$C$2 Data!$B$1:$B$9"),
        name("Apart", None, "Data!$A$2 Data!$B$9"),
        name("AllSheets", None, "Data:Empty!$A$1"),
        name("Spilled", None, "Data!$F$3#"),
        name("Amounts", None, "Sales[Net Sales]"),
        name("Joined", None, "Sales[[#Headers],[Day]]:Sales[[#Totals],[Net Sales]]"),
        name("Local", Some(0), "Data!$C$3"),
        name("Local", Some(1), "'Q1 Actuals'!$D$9"),
        name("Single", Some(1), "'Q1 Actuals'!$A$1"),
    ];
    book
}

fn shown(book: &Workbook, text: &str, sheet: Option<u32>) -> String {
    match locate_text(book, text, sheet.map(SheetId), &()) {
        Ok(found) => found.areas.iter().map(|area| written(book, *area)).collect::<Vec<_>>().join(" "),
        Err(LocateError { kind, candidates, .. }) => format!("{kind:?} {}", candidates.join(" ")),
    }
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(shown(&ledger(), text, None).trim(), expected, "{text}");
}

#[test]
fn ranges() {
    check("data!b2:a1", "Data!A1:B2");
    check("'q1 actuals'!B:B", "'Q1 Actuals'!B:B");
    check("Dta!A1", "NoSuchSheet Data");
    check("Xyz!A1", "NoSuchSheet Data Q1 Actuals Empty");
    check("A1:B2", "SheetNeeded Data!A1:B2 'Q1 Actuals'!A1:B2 Empty!A1:B2");
    check("1+1", "Syntax");
    assert_eq!(shown(&ledger(), "A1:B2", Some(1)), "'Q1 Actuals'!A1:B2");
    let mut book = ledger();
    book.tabs[1].visibility = Visibility::Hidden;
    book.tabs[2].visibility = Visibility::VeryHidden;
    assert_eq!(shown(&book, "A1:B2", None), "Data!A1:B2");
}

#[test]
fn names() {
    check("input", "Data!B2:B4");
    check("Both", "Data!B2:B4 Data!A1:B2 'Q1 Actuals'!D9");
    check("Cross", "Data!B2");
    check("AllSheets", "Data!A1 'Q1 Actuals'!A1 Empty!A1");
    check("Spilled", "Data!F3:F5");
    check("Amounts", "Data!B2:B4");
    check("Joined", "Data!A1:B5");
    check("Inputt", "NoSuchName Input");
    check("Zzz", "NoSuchName");
}

#[test]
fn names_of_a_sheet() {
    check("Data!Local", "Data!C3");
    check("'Q1 Actuals'!Local", "'Q1 Actuals'!D9");
    check("Local", "AmbiguousName Data!Local 'Q1 Actuals'!Local");
    check("Single", "'Q1 Actuals'!A1");
    assert_eq!(shown(&ledger(), "Local", Some(1)), "'Q1 Actuals'!D9");
}

#[test]
fn names_without_cells() {
    for (name, kind) in [
        ("TaxRate", "NotAReference"),
        ("Title", "NotAReference"),
        ("Window", "NotAReference"),
        ("Sum", "NotAReference"),
        ("Loop", "Cycle"),
        ("Gone", "Lost"),
        ("Other", "External"),
        ("Apart", "NoCells"),
    ] {
        check(name, kind);
    }
    let error = |text| locate_text(&ledger(), text, None, &()).unwrap_err().to_string();
    assert_eq!(error("TaxRate"), "the name TaxRate stands for a constant, not for cells: =0.21");
    assert_eq!(
        error("window"),
        "the name Window stands for a formula, not for cells: =OFFSET(Data!$A$1,0,0,5,1)"
    );
}

#[test]
fn tables() {
    check("sales", "Data!A2:C4");
    check("Sales[#All]", "Data!A1:C5");
    check("Sales[#Data]", "Data!A2:C4");
    check("Sales[net sales]", "Data!B2:B4");
    check("Sales[a'[b']]", "Data!C2:C4");
    check("Sales[[#Totals],[Day]]", "Data!A5");
    check("Sales[[#Headers],[Day]:[Net Sales]]", "Data!A1:B1");
    check("Sales[[#Headers],[#Data],[Day]]", "Data!A1:A4");
    check("Sales[Net Sale]", "NoSuchColumn Net Sales");
    check("Sale[Day]", "NoSuchTable Sales");
    check("Sales[@Day]", "NotAReference");
    let found = locate_text(&ledger(), "SALES", None, &()).unwrap();
    assert_eq!(found.origin, Origin::Table("Sales".to_owned()));
}

#[test]
fn sheets_by_name_and_clipping() {
    let book = ledger();
    for (text, clipped) in [
        ("Q1 Actuals", Some("A1:D9")),
        ("Data!B:D", Some("B1:D5")),
        ("Data!2:3", Some("A2:F3")),
        ("Data!Z1:Z9", Some("Z1:Z9")),
        ("Empty", None),
        ("Empty!A:A", None),
    ] {
        let area = locate_text(&book, text, None, &()).unwrap().single(&book).unwrap();
        let sheet = book.sheet(area.sheet, &()).unwrap();
        assert_eq!(clip(area.range, &sheet).map(|range| range.to_string()).as_deref(), clipped, "{text}");
    }
    let two = locate_text(&book, "Print", None, &()).unwrap().single(&book).unwrap_err();
    assert_eq!(
        two.to_string(),
        "2 areas are meant, but one is asked for (perhaps Data!A1:B2, 'Q1 Actuals'!D9)"
    );
}
