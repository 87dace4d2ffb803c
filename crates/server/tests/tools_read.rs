//! What the tools that read answer over the example workspace.

mod support;

use expect_test::expect;
use serde_json::json;
use support::{PLAN, ask, pretty, refused};

#[test]
fn a_range_is_read_row_by_row() {
    let answer = ask("read_range", json!({ "workbook": PLAN, "ranges": ["Outputs!A1:B3"] }));
    expect![[r#"
        {
          "ranges": [
            {
              "range": "Outputs!A1:B3",
              "values": [["For the board",null],[null,null],["Net profit over three years",814510.7999999999]]
            }
          ]
        }
    "#]]
    .assert_eq(&pretty(&answer));
}

#[test]
fn a_wrong_sheet_leads_to_the_right_one() {
    let error = refused("read_range", json!({ "workbook": PLAN, "ranges": ["Output!A1"] }));
    expect![[r#"
        {
          "code": "sheet_not_found",
          "message": "the workbook has no sheet \"Output\"",
          "where": "Output!A1",
          "hint": "describe_workbook lists the sheets",
          "candidates": ["Outputs"]
        }
    "#]]
    .assert_eq(&pretty(&error));
}
