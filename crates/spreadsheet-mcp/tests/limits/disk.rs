//! Disk that is bounded: the state refuses what makes it grow, pictures give way to newer ones.

use std::{fs, thread, time::Duration};

use serde_json::json;

use crate::{
    metric,
    processes::wait_for,
    program::{Place, Server, code, fork_of, set},
};

const MAX_STATE: u64 = 1_000_000;

fn fill(server: &Server, fork: &str) -> u64 {
    for row in 1..=400 {
        let told = server.call("edit_cells", &set(fork, &format!("A{row}"), "x".repeat(20_000)));
        if let Err(error) = &told {
            let hint = error["hint"].as_str().expect("a hint");
            assert!(
                hint.contains("discard_fork") && hint.contains("SPREADSHEET_MCP_MAX_STATE_BYTES"),
                "{hint}"
            );
            assert_eq!(code(told), "storage_full");
            return row;
        }
    }
    panic!("the state is never full");
}

#[test]
fn a_full_state_takes_no_more_until_something_goes() {
    let place = Place::new();
    place.write_workbook("book.xlsx");
    let flags = ["--max-state-bytes", &MAX_STATE.to_string(), "--metrics-bind", "127.0.0.1:0"];
    let server = place.serve(&flags);
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    let rows = fill(&server, &fork);
    assert!(rows > 5, "{rows}");
    assert_eq!(code(server.call("create_fork", &json!({}))), "storage_full");
    let used = metric(&server, "spreadsheet_mcp_disk_used_bytes{purpose=\"state\"}");
    assert!(used >= MAX_STATE as f64, "{used}");
    assert!(metric(&server, "spreadsheet_mcp_rejections_total{reason=\"state_full\"}") >= 2.0);
    // What was acknowledged can be read and saved.
    server.call("save_fork", &json!({ "fork": fork, "path": "out.xlsx" })).expect("saved");
    server.call("discard_fork", &json!({ "fork": fork })).expect("discarded");
    let other = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    server.call("edit_cells", &set(&other, "A1", "there is room again")).expect("edited");
}

#[test]
fn what_has_expired_goes_before_anybody_is_refused() {
    let place = Place::new();
    let flags = ["--max-state-bytes", &MAX_STATE.to_string(), "--fork-ttl", "2"];
    let server = place.serve(&flags);
    let fork = fork_of(server.call("create_fork", &json!({})));
    fill(&server, &fork);
    // Nobody looks for it: the clean-up comes every hour.
    thread::sleep(Duration::from_secs(3));
    let other = fork_of(server.call("create_fork", &json!({})));
    // As much as there is room for: that of the first one, too.
    fill(&server, &other);
    assert_eq!(code(server.call("discard_fork", &json!({ "fork": fork }))), "fork_not_found");
}

#[test]
fn the_oldest_pictures_give_way() {
    let place = Place::new();
    place.write_long_workbook("book.xlsx", 400);
    let take = |server: &Server, from: u32| {
        let range = format!("Data!A{from}:H{}", from + 20);
        let asked = json!({ "workbook": "book.xlsx", "range": range, "renderer": "native" });
        let told = server.call("screenshot_sheet", &asked).expect("a picture");
        std::path::PathBuf::from(told["file"].as_str().expect("a file"))
    };
    let size = {
        let server = place.serve(&[]);
        let file = take(&server, 1);
        fs::metadata(&file).expect("it is there").len()
    };
    let most = size * 4;
    let flags = ["--max-screenshot-bytes", &most.to_string(), "--metrics-bind", "127.0.0.1:0"];
    let server = place.serve(&flags);
    let mut newest = None;
    for number in 1..=12 {
        newest = Some(take(&server, number * 25));
    }
    assert!(newest.expect("a picture").exists());
    let held = metric(&server, "spreadsheet_mcp_disk_used_bytes{purpose=\"screenshots\"}");
    assert!(held > 0.0 && held <= most as f64, "{held} of {most}");
    let pictures = fs::read_dir(place.state.join("screenshots")).expect("the folder").count();
    assert!((1..12).contains(&pictures), "{pictures}");
}

#[test]
fn libreoffice_gets_no_more_disk_than_it_may() {
    let place = Place::new();
    let server = place.serve(&["--max-temporary-bytes", "1000", "--metrics-bind", "127.0.0.1:0"]);
    let client = server.client();
    let mut said = String::new();
    wait_for("it goes on looking", || {
        client.get("/health/ready").1["checks"]["libreoffice"].as_str().expect("told").clone_into(&mut said);
        said != "being looked for"
    });
    if said == "not installed" {
        eprintln!("skipped: LibreOffice is not installed (make setup)");
        return;
    }
    // Somebody else's, which is in use.
    let used = place.temporary.join("spreadsheet-mcp-libreoffice/office-1-0");
    fs::create_dir_all(&used).expect("made");
    fs::write(used.join("document.xlsx"), vec![0; 2_000]).expect("written");
    let lock = fs::File::create(used.join("lock")).expect("made");
    lock.lock().expect("locked");
    let fork = fork_of(server.call("create_fork", &json!({ "sheets": ["Data"] })));
    let asked = json!({ "workbook": fork, "engine": "libreoffice" });
    assert_eq!(code(server.call("recalculate", &asked)), "storage_full");
    assert!(metric(&server, "spreadsheet_mcp_disk_used_bytes{purpose=\"temporary\"}") >= 2_000.0);
    // Left behind, it goes before anybody is refused.
    drop(lock);
    server.call("recalculate", &asked).expect("computed");
    assert!(!used.exists());
}
