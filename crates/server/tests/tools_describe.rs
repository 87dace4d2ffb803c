//! What `describe_workbook` answers about the objects of a workbook and where it comes from.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use expect_test::expect;
use rust_xlsxwriter::{Chart, ChartType, DocProperties, ExcelDateTime, Workbook};
use serde_json::json;
use support::{call, pretty, server_over};

#[test]
fn charts_and_provenance() {
    let mut book = Workbook::new();
    let created = ExcelDateTime::from_ymd(2025, 3, 1).unwrap();
    book.set_properties(&DocProperties::new().set_author("Ana").set_creation_datetime(&created));
    let sheet = book.add_worksheet();
    sheet.write_column(0, 0, ["Jan", "Feb"]).unwrap().write_column(0, 1, [10, 20]).unwrap();
    let mut chart = Chart::new(ChartType::Column);
    chart.title().set_name("Sales");
    chart.add_series().set_categories("Sheet1!$A$1:$A$2").set_values("Sheet1!$B$1:$B$2");
    sheet.insert_chart(1, 3, &chart).unwrap();
    let folder = tempfile::tempdir().unwrap();
    book.save(folder.path().join("chart.xlsx")).unwrap();

    let server = server_over(folder.path(), &[]);
    let answer = call(&server, "describe_workbook", json!({ "workbook": "chart.xlsx" })).unwrap();
    let told = json!({ "charts": answer["charts"], "notices": answer["notices"], "has": answer["sheets"][0]["has"] });
    expect![[r#"
        {
          "charts": [{"name":"Chart 1","sheet":"Sheet1","about":"column \"Sales\" of Sheet1!$B$1:$B$2"}],
          "notices": [
            "written with Microsoft Excel, created by Ana, last changed 2025-03-01T00:00:00Z by Ana",
            "asks for a recalculation on opening: results may be older than inputs"
          ],
          "has": ["charts 1"]
        }
    "#]]
    .assert_eq(&pretty(&told));
}
