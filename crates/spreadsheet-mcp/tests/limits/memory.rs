//! Memory that is bounded.

use std::fs;

use serde_json::{Value, json};

use crate::{
    metric,
    processes::peak_bytes,
    program::{Place, Server, Told},
    refused_for_now,
};

fn first_cell(server: &Server, workbook: &str) -> Told {
    server.call("read_range", &json!({ "workbook": workbook, "ranges": ["A1"] }))
}

#[test]
fn nothing_is_loaded_above_the_bound() {
    let place = Place::new();
    fs::write(place.file("sales.csv"), "region,amount\nnorth,1\n").expect("written");
    let server = place.serve(&["--max-memory-bytes", "1000000", "--metrics-bind", "127.0.0.1:0"]);
    let error = refused_for_now(first_cell(&server, "sales.csv"));
    assert_eq!(error["code"], "short_of_memory");
    assert!(error["hint"].as_str().expect("a hint").contains("SPREADSHEET_MCP_MAX_MEMORY_BYTES"), "{error}");
    // What needs no memory goes on.
    server.call("list_workbooks", &json!({})).expect("listed");
    assert_eq!(server.client().get("/health/ready").0, 200);
    assert_eq!(metric(&server, "spreadsheet_mcp_memory_limit_bytes"), 1_000_000.0);
    assert_eq!(metric(&server, "spreadsheet_mcp_rejections_total{reason=\"short_of_memory\"}"), 1.0);
}

#[test]
fn what_is_kept_for_later_goes_first() {
    const FILES: usize = 12;
    let place = Place::new();
    // Each of them different, and some ten megabytes once it is loaded.
    for number in 0..FILES {
        let rows: String = (0..150_000).map(|row| format!("text {number} {row},{row},{number}\n")).collect();
        fs::write(place.file(&format!("book{number}.csv")), rows).expect("written");
    }
    // What the server takes for itself and for one of them, and room for a few more.
    let taken = {
        let server = place.serve(&[]);
        first_cell(&server, "book0.csv").expect("read");
        peak_bytes(server.id())
    };
    let bound = taken + (30 << 20);
    let server = place.serve(&["--max-memory-bytes", &bound.to_string(), "--metrics-bind", "127.0.0.1:0"]);
    for number in (0..FILES).chain(0..FILES) {
        let told = first_cell(&server, &format!("book{number}.csv")).expect("there is room for it");
        let expected: Value = json!([[format!("text {number} 0")]]);
        assert_eq!(told["ranges"][0]["values"], expected);
    }
    let evictions = metric(&server, "spreadsheet_mcp_cache_evictions_total");
    assert!(evictions > 0.0, "nothing had to go: the test has too few files");
    let peak = peak_bytes(server.id());
    assert!(peak < bound + (64 << 20), "{peak} bytes where {bound} are the bound");
    println!("bound {bound}, peak {peak}, {evictions} workbooks gave way");
}
