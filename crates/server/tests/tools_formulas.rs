//! What the formula tools answer over the example workspace.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use expect_test::expect;
use rust_xlsxwriter::{Formula, Workbook};
use serde_json::json;
use support::{PLAN, ask, call, pages, pretty, refused, server, server_over};
use tempfile::TempDir;

/// A model that someone in a hurry worked on: `=A*1.19` down a column with one number among them, and oddities beside.
fn hurried(odd: &[&str]) -> TempDir {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Q1 Plan").unwrap();
    for row in 0..12 {
        sheet.write_number(row, 0, f64::from(row)).unwrap();
        sheet.write_formula(row, 1, format!("=A{}*1.19", row + 1).as_str()).unwrap();
    }
    sheet.write_number(6, 1, 7.14).unwrap();
    for (row, formula) in odd.iter().enumerate() {
        let result = if formula.contains("/0") { "#DIV/0!" } else { "1" };
        sheet.write_formula(row as u32, 3, Formula::new(*formula).set_result(result)).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    book.save(folder.path().join("plan.xlsx")).unwrap();
    folder
}

#[test]
fn the_map_of_the_plan() {
    let answer = ask("formula_map", json!({ "workbook": PLAN }));
    expect![[r#"
        {
          "totals": {"sheets":2,"formulas":21,"patterns":10,"blocks":10,"with_constants":1},
          "groups": [
            {"ranges":["Calculation!B4"],"cells":1,"formula":"=BaseRevenue*(1+GrowthRate)"},
            {"ranges":["Calculation!C4:D4"],"cells":2,"formula":"=B4*(1+GrowthRate)","r1c1":"=RC[-1]*(1+GrowthRate)"},
            {"ranges":["Calculation!B5:D5"],"cells":3,"formula":"=-B4*CostRatio","r1c1":"=-R[-1]C*CostRatio"},
            {"ranges":["Calculation!B6:D6"],"cells":3,"formula":"=-FixedCosts"},
            {"ranges":["Calculation!B7:D7"],"cells":3,"formula":"=SUM(B4:B6)","r1c1":"=SUM(R[-3]C:R[-1]C)"},
            {
              "ranges": ["Calculation!B8:D8"],
              "cells": 3,
              "formula": "=-MAX(B7,0)*TaxRate",
              "r1c1": "=-MAX(R[-1]C,0)*TaxRate"
            },
            {"ranges":["Calculation!B9:D9"],"cells":3,"formula":"=B7+B8","r1c1":"=R[-2]C+R[-1]C"},
            {
              "ranges": ["Outputs!B3"],
              "cells": 1,
              "formula": "=SUM(Calculation!B9:D9)",
              "r1c1": "=SUM(Calculation!R[6]C:R[6]C[2])"
            },
            {
              "ranges": ["Outputs!B4"],
              "cells": 1,
              "formula": "=MAX(Calculation!B9:D9)",
              "r1c1": "=MAX(Calculation!R[5]C:R[5]C[2])"
            },
            {"ranges":["Outputs!B5"],"cells":1,"formula":"=B3/3","r1c1":"=R[-2]C/3"}
          ],
          "findings": [{"kind":"constants","at":"Outputs!B5","cells":1,"formula":"=B3/3","constants":["3"]}]
        }
    "#]].assert_eq(&pretty(&answer));
}

#[test]
fn the_map_of_one_range() {
    let answer = ask("formula_map", json!({ "workbook": PLAN, "range": "Calculation!C4:D4" }));
    expect![[r#"
        {
          "totals": {"sheets":1,"formulas":2,"patterns":1,"blocks":1},
          "groups": [{"ranges":["Calculation!C4:D4"],"cells":2,"formula":"=B4*(1+GrowthRate)","r1c1":"=RC[-1]*(1+GrowthRate)"}]
        }
    "#]].assert_eq(&pretty(&answer));
}

#[test]
fn a_sheet_without_formulas_has_an_empty_map() {
    let answer = ask("formula_map", json!({ "workbook": PLAN, "range": "Inputs" }));
    expect![[r#"
        {
          "totals": {"formulas":0,"patterns":0},
          "groups": []
        }
    "#]]
    .assert_eq(&pretty(&answer));
}

#[test]
fn pages_of_a_map_tell_each_group_once() {
    let whole = ask("formula_map", json!({ "workbook": PLAN }));
    let small = server(&["--max-response-bytes", "4096"]);
    for (limit, expected) in [(1, 10), (3, 4), (50, 1)] {
        let pages = pages(&small, "formula_map", json!({ "workbook": PLAN, "limit": limit }));
        let groups: Vec<_> =
            pages.iter().flat_map(|page| page["groups"].as_array().unwrap().clone()).collect();
        assert_eq!(json!(groups), whole["groups"]);
        assert_eq!(pages.len(), expected);
        assert!(pages[1..].iter().all(|page| page.get("findings").is_none()), "told once");
    }
}

#[test]
fn findings_come_gravest_first() {
    let folder = hurried(&["=A1/0", "=NOW()", "=#REF!+1", "='C:\\old\\[Last.xlsx]Sheet1'!A1"]);
    let server = server_over(folder.path(), &[]);
    let answer = call(&server, "formula_map", json!({ "workbook": "plan.xlsx" })).unwrap();
    expect![[r##"
        [
          {"kind":"error","at":"'Q1 Plan'!D1","formula":"=A1/0","error":"#DIV/0!"},
          {"kind":"lost_reference","at":"'Q1 Plan'!D3","cells":1,"formula":"=#REF!+1"},
          {"kind":"inconsistent","at":"'Q1 Plan'!B7","found":"7.14","expected":"=A7*1.19","run":"'Q1 Plan'!B1:B12"},
          {"kind":"external","at":"'Q1 Plan'!D4","cells":1,"formula":"='C:\\old\\[Last.xlsx]Sheet1'!A1"},
          {"kind":"volatile","at":"'Q1 Plan'!D2","cells":1,"formula":"=NOW()"},
          {"kind":"constants","at":"'Q1 Plan'!B1:B6","cells":11,"formula":"=A1*1.19","constants":["1.19"]}
        ]
    "##]].assert_eq(&pretty(&answer["findings"]));
    expect![[r#"
        {
          "sheets": 1,
          "formulas": 15,
          "patterns": 5,
          "blocks": 6,
          "errors": 1,
          "volatile": 1,
          "lost_references": 1,
          "external": 1,
          "with_constants": 11,
          "inconsistent": 1
        }
    "#]]
    .assert_eq(&pretty(&answer["totals"]));
}

#[test]
fn a_small_answer_cuts_long_formulas_and_pages() {
    let long: Vec<String> =
        (0..40).map(|row| format!("=NOW()+LEN(\"{}\")+{row}", "\"\"".repeat(120))).collect();
    let folder = hurried(&long.iter().map(String::as_str).collect::<Vec<_>>());
    let small = server_over(folder.path(), &["--max-response-bytes", "4096"]);
    let pages = pages(&small, "formula_map", json!({ "workbook": "plan.xlsx" }));
    let cells: u64 = pages
        .iter()
        .flat_map(|page| page["groups"].as_array().unwrap())
        .map(|group| group["cells"].as_u64().unwrap())
        .sum();
    assert_eq!(cells, 51, "{} pages tell each formula once", pages.len());
    assert!(pages[0]["findings_left_out"].as_u64().unwrap() > 0);
}

#[test]
fn a_map_of_nothing_says_what_there_is() {
    let error = refused("formula_map", json!({ "workbook": PLAN, "range": "TaxRat" }));
    expect![[r#"
        {
          "code": "not_found",
          "message": "the workbook has no defined name, table or sheet \"TaxRat\"",
          "where": "TaxRat",
          "hint": "describe_workbook lists the names and tables",
          "candidates": ["TaxRate"]
        }
    "#]]
    .assert_eq(&pretty(&error));
    let error = refused("formula_map", json!({ "workbook": PLAN, "ranges": "A1" }));
    expect![[r#"
        {
          "code": "unknown_argument",
          "message": "there is no argument `ranges`",
          "where": "ranges",
          "hint": "the arguments here are: workbook, range, limit, cursor",
          "candidates": ["range"]
        }
    "#]]
    .assert_eq(&pretty(&error));
}
