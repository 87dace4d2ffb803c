//! A bucket with many objects.

use std::{collections::BTreeSet, fs};

use components::{S3, http};
use serde_json::json;

use crate::{file, place};

const OBJECTS: usize = 10_000;

#[test]
fn ten_thousand_objects_are_told_in_pages() {
    let Some(s3) = S3::start() else { return };
    for number in 0..OBJECTS {
        fs::write(file(&s3, &format!("{:02}/{number:05}.csv", number % 20)), "x\n1\n").expect("written");
    }
    let place = place(&s3);
    let server = place.serve(&[
        "--max-items",
        "1000",
        "--workspace-listing-ms",
        "600000",
        "--metrics-bind",
        "127.0.0.1:0",
    ]);
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut pages = 0;
    let mut cursor = json!(null);
    loop {
        let page =
            server.call("list_workbooks", &json!({ "limit": 1000, "cursor": cursor })).expect("a page");
        assert_eq!((page["total"].as_u64(), &page["truncated"]), (Some(OBJECTS as u64), &json!(false)));
        let workbooks = page["workbooks"].as_array().expect("workbooks");
        assert!(workbooks.len() <= 1000);
        told.extend(workbooks.iter().map(|entry| entry["path"].as_str().expect("a path").to_owned()));
        pages += 1;
        match page.get("next_cursor") {
            Some(next) => cursor = next.clone(),
            None => break,
        }
    }
    assert_eq!(told.len(), OBJECTS, "every one once, in {pages} pages");
    let some = server.call("list_workbooks", &json!({ "contains": "07/" })).expect("a page");
    assert_eq!(some["total"], OBJECTS / 20);
    let address = server.metrics().address;
    let (_, _, metrics) = http("GET", &address, "/metrics", "", "");
    assert!(
        metrics.contains("spreadsheet_mcp_workspace_listings_total 1\n"),
        "it was listed again and again"
    );
}
