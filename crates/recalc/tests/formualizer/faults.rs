//! Errors among cells that are added up on conditions.

use analysis::formulas::Area;
use recalc::Engine;
use workbook::SheetId;

use crate::support::{Book, at, check, shows};

/// Two departments in turn down to row 200, with their pay; errors in rows 50 (`b`) and 151 (`a`).
fn staff() -> Vec<(String, String)> {
    let mut cells = Vec::new();
    for row in 1..=200 {
        cells.push((format!("A{row}"), if row % 2 == 0 { "b" } else { "a" }.to_owned()));
        let pay = match row {
            50 => "=1/0".to_owned(),
            151 => "#VALUE!".to_owned(),
            row => row.to_string(),
        };
        cells.push((format!("B{row}"), pay));
        cells.push((format!("C{row}"), row.to_string()));
    }
    cells
}

#[track_caller]
fn yields(formula: &str, expected: &str) {
    let cells = staff();
    let cells: Vec<(&str, &str)> =
        cells.iter().map(|(at, content)| (at.as_str(), content.as_str())).collect();
    check(formula, &cells, expected);
}

#[test]
fn an_error_that_meets_the_conditions_is_the_result() {
    yields("=SUMIF(A1:A200,\"a\",B1:B200)", "#VALUE!");
    yields("=SUMIF(A1:A200,\"b\",B1:B200)", "#DIV/0!");
    yields("=SUMIF(A$1:A$200,\"b\",B1)", "#DIV/0!");
    yields("=SUMIFS(B1:B200,A1:A200,\"a\")", "#VALUE!");
    yields("=SUMIFS(B:B,A:A,\"b\")", "#DIV/0!");
    yields("=AVERAGEIF(A1:A200,\"a\",B1:B200)", "#VALUE!");
    yields("=AVERAGEIFS(B1:B200,A1:A200,\"b\")", "#DIV/0!");
    yields("=MAXIFS(B1:B200,A1:A200,\"a\")", "#VALUE!");
    yields("=MINIFS(B1:B200,A1:A200,\"b\")", "#DIV/0!");
    yields("=SUMIFS($B$1:$B$200,$A$1:$A$200,\"a\")", "#VALUE!");
    yields("=1+SUMIFS($B$1:$B$200,$A$1:$A$200,\"a\")", "#VALUE!");
}

#[test]
fn other_errors_are_left_out() {
    yields("=SUMIFS(B1:B200,A1:A200,\"a\",C1:C200,\"<10\")", "25");
    yields("=SUMIFS(B:B,A:A,\"b\",C:C,\">190\")", "980");
    yields("=SUMIFS($B$1:$B$200,$A$1:$A$200,\"a\",$C$1:$C$200,\"<10\")", "25");
    yields("=SUMIF(A1:A200,\"c\",B1:B200)", "0");
    yields("=MAXIFS(B1:B200,A1:A200,\"a\",C1:C200,\"<10\")", "9");
    yields("=SUMIF(B1:B200,\">190\")", "1955");
    yields("=COUNTIFS(B1:B200,\">190\")", "10");
}

#[test]
fn columns_of_formulas_are_computed_alike() {
    let mut cells = staff();
    for row in 1..=100 {
        cells.push((format!("D{row}"), if row % 3 == 0 { "b" } else { "a" }.to_owned()));
        cells.push((format!("E{row}"), format!("=SUMIFS($B$1:$B$200,$A$1:$A$200,D{row})")));
        cells.push((format!("F{row}"), format!("=SUMIFS($C$1:$C$200,$A$1:$A$200,D{row})")));
        cells.push((format!("G{row}"), format!("=SUMIF($A:$A,D{row},$B:$B)")));
        cells.push((format!("H{row}"), format!("=AVERAGEIF($A$1:$A$200,D{row}&\"c\",$B$1:$B$200)")));
    }
    let borrowed: Vec<(&str, &str)> =
        cells.iter().map(|(at, content)| (at.as_str(), content.as_str())).collect();
    let engine = Book::of(&borrowed).calculated();
    let a = "a,#VALUE!,10000,#VALUE!,#DIV/0!";
    let b = "b,#DIV/0!,10100,#DIV/0!,#DIV/0!";
    assert_eq!(shows(&engine, "D97:H100"), [a, a, b, a].join(";"));
}

#[test]
fn errors_come_and_go() {
    let cells = staff();
    let formulas: Vec<(String, String)> =
        (1..=40).map(|row| (format!("E{row}"), format!("=SUMIFS($B$1:$B$200,$A$1:$A$200,A{row})"))).collect();
    let book = |changed: &[(&str, &str)]| {
        let all = cells.iter().chain(&formulas).map(|(at, content)| (at.as_str(), content.as_str()));
        let kept = all.filter(|(at, _)| changed.iter().all(|(other, _)| other != at));
        Book::of(&kept.chain(changed.iter().copied()).collect::<Vec<_>>())
    };
    let mut engine = book(&[]).calculated();
    assert_eq!(shows(&engine, "E1:E2"), "#VALUE!;#DIV/0!");
    let changed = [("B50", "50"), ("B151", "151")];
    let areas: Vec<Area> = changed
        .iter()
        .map(|(cell, _)| Area { sheet: SheetId(0), range: grid::CellRange::cell(at(cell)) })
        .collect();
    engine.update(book(&changed).source(), &areas).unwrap();
    engine.calculate(crate::support::MOMENT, &|| false).unwrap();
    assert_eq!(shows(&engine, "E1:E2"), "10000;10100");
    engine.update(book(&[]).source(), &areas).unwrap();
    engine.calculate(crate::support::MOMENT, &|| false).unwrap();
    assert_eq!(shows(&engine, "E1:E2"), "#VALUE!;#DIV/0!");
}
