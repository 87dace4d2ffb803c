//! What `vba` answers.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use expect_test::expect;
use serde_json::{Value, json};
use server::Server;
use support::{PLAN, call, pages, pretty, server, server_over};
use tempfile::TempDir;

const TAX: &str = "Attribute VB_Name = \"Tax\"\r\nOption Explicit\r\n\r\nFunction Tax(amount As Double) As Double\r\n  Tax = amount * 0.19 ' \"standard\" rate\r\nEnd Function\r\n";

fn with_macros(modules: &[(&str, &str)], flags: &[&str]) -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("macros.xlsm"), fixtures::macros::workbook(modules).unwrap()).unwrap();
    (server_over(folder.path(), &[&["--vba-enabled"], flags].concat()), folder)
}

#[test]
fn modules_are_told_with_their_source() {
    let (server, _folder) = with_macros(&[("ThisWorkbook", ""), ("Tax", TAX)], &[]);
    let answer = call(&server, "vba", json!({ "workbook": "macros.xlsm" })).unwrap();
    expect![[r#"
        {
          "modules": [
            {"name":"ThisWorkbook","kind":"class or document","lines":0},
            {
              "name": "Tax",
              "kind": "procedural",
              "lines": 5,
              "source": "Option Explicit\n\nFunction Tax(amount As Double) As Double\n  Tax = amount * 0.19 ' \"standard\" rate\nEnd Function"
            }
          ],
          "module_count": 2
        }
    "#]].assert_eq(&pretty(&answer));
}

#[test]
fn one_module_is_asked_for_by_name() {
    let (server, _folder) = with_macros(&[("ThisWorkbook", ""), ("Tax", TAX)], &[]);
    let answer = call(&server, "vba", json!({ "workbook": "macros.xlsm", "module": "tax" })).unwrap();
    assert_eq!(answer["modules"][0]["name"], "Tax");
    assert_eq!((answer["modules"].as_array().unwrap().len(), &answer["module_count"]), (1, &json!(2)));
    let error = call(&server, "vba", json!({ "workbook": "macros.xlsm", "module": "Taxes" })).unwrap_err();
    expect![[r#"
        {
          "code": "not_found",
          "message": "there is no module \"Taxes\"",
          "where": "module",
          "hint": "leave module out to list them all",
          "candidates": ["Tax"]
        }
    "#]]
    .assert_eq(&pretty(&json!(error)));
}

#[test]
fn a_small_answer_pages_through_the_source() {
    let long: String = (1..200).map(|line| format!("  Debug.Print \"line {line}\"\r\n")).collect();
    let wide = format!("  ' {}\r\n  x = 1", "wide ".repeat(2_000));
    let modules = [("ThisWorkbook", "'"), ("Long", long.as_str()), ("Wide", wide.as_str()), ("Tax", TAX)];
    let (small, _folder) = with_macros(&modules, &["--max-response-bytes", "4096"]);
    let pages = pages(&small, "vba", json!({ "workbook": "macros.xlsm" }));
    let parts: Vec<&Value> = pages.iter().flat_map(|page| page["modules"].as_array().unwrap()).collect();
    let told = |name: &str| {
        let own: Vec<&str> = parts
            .iter()
            .filter(|part| part["name"] == name)
            .filter_map(|part| part["source"].as_str())
            .collect();
        own.join("\n")
    };
    assert_eq!(told("Long"), long.replace("\r\n", "\n").trim_end());
    assert!(told("Wide").ends_with("…\n  x = 1"), "a line may be cut: {}", told("Wide"));
    assert!(told("Tax").ends_with("End Function"));
    assert!(parts.iter().all(|part| part["source"].is_string()), "no module is told twice in vain");
    assert!(pages.len() > 3 && parts.iter().any(|part| part["from_line"].as_u64() > Some(1)));
}

#[test]
fn a_workbook_without_macros_has_no_modules() {
    let server = server(&["--vba-enabled"]);
    let answer = call(&server, "vba", json!({ "workbook": PLAN })).unwrap();
    assert_eq!(answer, json!({ "modules": [], "module_count": 0 }));
}

#[test]
fn macros_are_told_only_where_that_is_switched_on() {
    let error = call(&server(&[]), "vba", json!({ "workbook": PLAN })).unwrap_err();
    expect![[r#"
        {
          "code": "disabled",
          "message": "the vba tool is switched off",
          "where": "name",
          "hint": "start the server with SPREADSHEET_MCP_VBA_ENABLED=true"
        }
    "#]]
    .assert_eq(&pretty(&json!(error)));
}
