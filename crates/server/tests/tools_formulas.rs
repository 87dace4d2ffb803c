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

#[test]
fn precedents_go_back_to_the_inputs() {
    let answer = ask("formula_trace", json!({ "workbook": PLAN, "range": "Headline", "depth": 9 }));
    expect![[r#"
        {
          "nodes": [
            {
              "at": "Outputs!B3",
              "role": "target",
              "depth": 0,
              "formula": "=SUM(Calculation!B9:D9)",
              "value": 814510.7999999999,
              "reads": ["Calculation!B9:D9"]
            },
            {
              "at": "Calculation!B9:D9",
              "role": "precedent",
              "depth": 1,
              "cells": 3,
              "formulas": 3,
              "formula": "=B7+B8",
              "reads": ["Calculation!B7:D7","Calculation!B8:D8"]
            },
            {
              "at": "Calculation!B7:D7",
              "role": "precedent",
              "depth": 2,
              "cells": 3,
              "formulas": 3,
              "formula": "=SUM(B4:B6)",
              "reads": ["Calculation!B4:D6"]
            },
            {
              "at": "Calculation!B8:D8",
              "role": "precedent",
              "depth": 2,
              "cells": 3,
              "formulas": 3,
              "formula": "=-MAX(B7,0)*TaxRate",
              "reads": ["Calculation!B7:D7","Inputs!B8 as TaxRate"]
            },
            {
              "at": "Calculation!B4:D6",
              "role": "precedent",
              "depth": 3,
              "cells": 9,
              "formulas": 9,
              "reads": [
                "Inputs!B4 as BaseRevenue",
                "Inputs!B5 as GrowthRate",
                "Inputs!B6 as CostRatio",
                "Inputs!B7 as FixedCosts"
              ],
              "flags": ["chained"]
            },
            {"at":"Inputs!B8","role":"precedent","depth":3,"value":0.25},
            {"at":"Inputs!B4","role":"precedent","depth":4,"value":1250000},
            {"at":"Inputs!B5","role":"precedent","depth":4,"value":0.08},
            {"at":"Inputs!B6","role":"precedent","depth":4,"value":0.54},
            {"at":"Inputs!B7","role":"precedent","depth":4,"value":310000}
          ]
        }
    "#]]
    .assert_eq(&pretty(&answer));
}

#[test]
fn dependents_stop_at_the_depth() {
    let asked = json!({ "workbook": PLAN, "range": "TaxRate", "direction": "dependents", "depth": 1 });
    expect![[r#"
        {
          "nodes": [
            {"at":"Inputs!B8","role":"target","depth":0,"value":0.25},
            {
              "at": "Calculation!B8:D8",
              "role": "dependent",
              "depth": 1,
              "cells": 3,
              "formulas": 3,
              "formula": "=-MAX(B7,0)*TaxRate",
              "reads": ["Inputs!B8 as TaxRate"],
              "flags": ["more"]
            }
          ],
          "left_out": {"beyond_depth":1}
        }
    "#]]
    .assert_eq(&pretty(&ask("formula_trace", asked)));
}

#[test]
fn both_ways_tell_the_nearest_first() {
    let asked = json!({ "workbook": PLAN, "range": "Calculation!C7", "direction": "both", "depth": 2 });
    let answer = ask("formula_trace", asked);
    let nodes: Vec<String> = answer["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| format!("{} {} {}", node["depth"], node["role"], node["at"]))
        .collect();
    expect![[r#"
        0 "target" "Calculation!C7"
        1 "precedent" "Calculation!C4:C6"
        1 "dependent" "Calculation!C8"
        1 "dependent" "Calculation!C9"
        2 "precedent" "Calculation!B4"
        2 "precedent" "Inputs!B5"
        2 "precedent" "Inputs!B6"
        2 "precedent" "Inputs!B7"
        2 "dependent" "Outputs!B3"
        2 "dependent" "Outputs!B4""#]]
    .assert_eq(&nodes.join("\n"));
}

#[test]
fn a_circular_reference_is_told() {
    let folder = hurried(&["=D2+1", "=D1+1"]);
    let server = server_over(folder.path(), &[]);
    let asked = json!({ "workbook": "plan.xlsx", "range": "D1" });
    expect![[r#"
        {
          "nodes": [
            {
              "at": "'Q1 Plan'!D1",
              "role": "target",
              "depth": 0,
              "formula": "=D2+1",
              "value": 1,
              "reads": ["'Q1 Plan'!D2"],
              "flags": ["in_cycle"]
            },
            {
              "at": "'Q1 Plan'!D2",
              "role": "precedent",
              "depth": 1,
              "formula": "=D1+1",
              "value": 1,
              "reads": ["'Q1 Plan'!D1"],
              "flags": ["in_cycle"]
            }
          ],
          "stale": ["'Q1 Plan'!D1","'Q1 Plan'!D2"],
          "cycles": [["'Q1 Plan'!D1","'Q1 Plan'!D2"]]
        }
    "#]]
    .assert_eq(&pretty(&call(&server, "formula_trace", asked).unwrap()));
}

#[test]
fn a_small_answer_tells_the_nearest_nodes() {
    let sum: String = (1..=60).map(|row| format!("+'Q1 Plan'!A{row}*{row}")).collect();
    let folder = hurried(&[&format!("={}", &sum[1..])]);
    let small = server_over(folder.path(), &["--max-response-bytes", "4096"]);
    let answer = call(&small, "formula_trace", json!({ "workbook": "plan.xlsx", "range": "D1" })).unwrap();
    let nodes = answer["nodes"].as_array().unwrap();
    assert_eq!(nodes[0]["at"], "'Q1 Plan'!D1");
    let untold = answer["left_out"]["beyond_limit"].as_u64().unwrap();
    assert_eq!(nodes.len() as u64 + untold, 61);
    assert!(nodes.len() > 3 && nodes[0]["reads_left_out"].as_u64().unwrap() > 40);
}

#[test]
fn a_trace_needs_a_place_and_a_way() {
    let error =
        refused("formula_trace", json!({ "workbook": PLAN, "range": "Calculation!B7", "direction": "up" }));
    expect![[r#"
        {
          "code": "invalid_argument",
          "message": "`up` is not a value of `direction`",
          "where": "direction",
          "hint": "the values are: precedents, dependents, both"
        }
    "#]]
    .assert_eq(&pretty(&error));
    let error = refused("formula_trace", json!({ "workbook": PLAN, "range": "Calculation!B7", "depth": 0 }));
    expect![[r#"
        {
          "code": "invalid_argument",
          "message": "depth and limit start at 1",
          "hint": "leave them out for 3 steps and 100 nodes"
        }
    "#]]
    .assert_eq(&pretty(&error));
}
