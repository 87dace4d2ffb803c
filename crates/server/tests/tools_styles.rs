//! What `styles` answers.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use expect_test::expect;
use rust_xlsxwriter::{
    ConditionalFormatCell, ConditionalFormatCellRule, ConditionalFormatDuplicate, DataValidation, Format,
    Workbook,
};
use serde_json::json;
use support::{PLAN, ask, call, pages, pretty, refused, server_over};
use tempfile::TempDir;

/// A sheet with a header, percentages that are marked above a half, a list to choose from, and `colours` fills.
fn ruled(colours: u32) -> TempDir {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Q1 Plan").unwrap();
    let header = Format::new().set_bold().set_background_color(0xDDEEFF).set_text_wrap();
    let percent = Format::new().set_num_format("0.0%");
    for (col, name) in ["Region", "Share", "Status"].iter().enumerate() {
        sheet.write_string_with_format(0, col as u16, *name, &header).unwrap();
    }
    for row in 1..=20 {
        sheet.write_string(row, 0, format!("Region {row}")).unwrap();
        sheet.write_number_with_format(row, 1, f64::from(row) / 20.0, &percent).unwrap();
    }
    let above = ConditionalFormatCell::new()
        .set_rule(ConditionalFormatCellRule::GreaterThan(0.5))
        .set_format(Format::new().set_bold())
        .set_stop_if_true(true);
    sheet.add_conditional_format(1, 1, 20, 1, &above).unwrap();
    sheet.add_conditional_format(1, 0, 20, 0, &ConditionalFormatDuplicate::new()).unwrap();
    let status = DataValidation::new()
        .allow_list_strings(&["open", "done"])
        .unwrap()
        .set_input_message("Choose one")
        .unwrap();
    sheet.add_data_validation(1, 2, 20, 2, &status).unwrap();
    for colour in 0..colours {
        let fill =
            Format::new().set_background_color(0x100000 + colour).set_num_format("#,##0.00;[Red]-#,##0.00");
        sheet.write_number_with_format(colour, 9, 1, &fill).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    book.save(folder.path().join("plan.xlsx")).unwrap();
    folder
}

#[test]
fn the_styles_of_the_plan() {
    expect![[r##"
        {
          "formats": [
            {
              "look": "plain",
              "cells": 19,
              "ranges": ["Inputs!A2","Inputs!A4:A8","Calculation!A4:A9","Outputs!A3:A5","Lists!A1:A4"]
            },
            {
              "look": "plain",
              "number_format": "#,##0;(#,##0)",
              "cells": 15,
              "ranges": ["Calculation!B4:D6","Calculation!B8:D8","Outputs!B3:B5"]
            },
            {
              "look": "bold, border thin top",
              "number_format": "#,##0;(#,##0)",
              "cells": 6,
              "ranges": ["Calculation!B7:D7","Calculation!B9:D9"]
            },
            {"look":"bold, border thin bottom","cells":4,"ranges":["Calculation!A3:D3"]},
            {
              "look": "text #0000FF, fill #FFF2CC",
              "number_format": "0.0%",
              "cells": 3,
              "ranges": ["Inputs!B5:B6","Inputs!B8"]
            },
            {"look":"14 pt, bold","cells":2,"ranges":["Inputs!A1","Outputs!A1"]},
            {"look":"text #0000FF, fill #FFF2CC","number_format":"#,##0","cells":2,"ranges":["Inputs!B4","Inputs!B7"]},
            {"look":"bold","cells":1,"ranges":["Calculation!A1"]}
          ],
          "format_count": 8
        }
    "##]].assert_eq(&pretty(&ask("styles", json!({ "workbook": PLAN }))));
}

#[test]
fn rules_are_told_in_words() {
    let folder = ruled(0);
    let server = server_over(folder.path(), &[]);
    let answer = call(&server, "styles", json!({ "workbook": "plan.xlsx", "range": "Q1 Plan" })).unwrap();
    expect![[r#"
        {
          "formats": [
            {"look":"plain","cells":20,"ranges":["'Q1 Plan'!A2:A21"]},
            {"look":"plain","number_format":"0.0%","cells":20,"ranges":["'Q1 Plan'!B2:B21"]},
            {"look":"bold, fill #DDEEFF, wrapped","cells":3,"ranges":["'Q1 Plan'!A1:C1"]}
          ],
          "format_count": 3,
          "conditional_formats": [
            {"rule":"cell > 0.5, then stop","ranges":["'Q1 Plan'!B2:B21"]},
            {"rule":"duplicate values","ranges":["'Q1 Plan'!A2:A21"]}
          ],
          "validations": [{"rule":"list \"open,done\", or blank","ranges":["'Q1 Plan'!C2:C21"],"message":"Choose one"}]
        }
    "#]].assert_eq(&pretty(&answer));
}

#[test]
fn a_range_tells_only_what_touches_it() {
    let folder = ruled(3);
    let server = server_over(folder.path(), &[]);
    let answer = call(&server, "styles", json!({ "workbook": "plan.xlsx", "range": "B20:B30" })).unwrap();
    expect![[r#"
        {
          "formats": [{"look":"plain","number_format":"0.0%","cells":2,"ranges":["'Q1 Plan'!B20:B21"]}],
          "format_count": 1,
          "conditional_formats": [{"rule":"cell > 0.5, then stop","ranges":["'Q1 Plan'!B2:B21"]}]
        }
    "#]]
    .assert_eq(&pretty(&answer));
}

#[test]
fn a_small_answer_pages_through_all_formats() {
    let folder = ruled(60);
    let small = server_over(folder.path(), &["--max-response-bytes", "4096"]);
    let pages = pages(&small, "styles", json!({ "workbook": "plan.xlsx" }));
    let formats: Vec<_> = pages.iter().flat_map(|page| page["formats"].as_array().unwrap()).collect();
    assert_eq!(formats.len(), 63, "on {} pages", pages.len());
    let cells: u64 = formats.iter().map(|format| format["cells"].as_u64().unwrap()).sum();
    assert_eq!(cells, 3 + 40 + 60);
    assert!(pages.len() > 3 && pages[1..].iter().all(|page| page.get("validations").is_none()));
}

#[test]
fn a_wrong_sheet_leads_to_the_right_one() {
    let error = refused("styles", json!({ "workbook": PLAN, "range": "Input!A1" }));
    expect![[r#"
        {
          "code": "sheet_not_found",
          "message": "the workbook has no sheet \"Input\"",
          "where": "Input!A1",
          "hint": "describe_workbook lists the sheets",
          "candidates": ["Inputs"]
        }
    "#]]
    .assert_eq(&pretty(&error));
}

#[test]
fn a_cursor_of_another_range_is_refused() {
    let folder = ruled(9);
    let server = server_over(folder.path(), &[]);
    let first = call(&server, "styles", json!({ "workbook": "plan.xlsx", "limit": 1 })).unwrap();
    let asked = json!({ "workbook": "plan.xlsx", "range": "A1:B2", "cursor": first["next_cursor"] });
    assert_eq!(call(&server, "styles", asked).unwrap_err().code.as_str(), "invalid_cursor");
}
