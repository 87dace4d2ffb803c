//! A server that is killed while it is busy with everything at once: the next one cleans up after it.

use std::{fs, path::Path, time::Duration};

use serde_json::json;

use crate::{
    processes::{is_at_job, kill, offices, process, wait_for, wait_for_glimpse},
    program::{Place, fork_of, set},
};

/// All names below a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        found.push(entry.file_name().to_string_lossy().into_owned());
        if entry.path().is_dir() {
            found.extend(names(&entry.path()));
        }
    }
    found
}

fn is_left_behind(name: &str) -> bool {
    name.starts_with(".spreadsheet-mcp-")
        || name.starts_with(".tmp-")
        || name.starts_with(".health")
        || name.starts_with("office-")
        || name.ends_with(".part")
}

fn left_behind(place: &Place) -> Vec<String> {
    let folders = [&place.workspace, &place.state, &place.temporary];
    folders.into_iter().flat_map(|folder| names(folder)).filter(|name| is_left_behind(name)).collect()
}

#[test]
fn the_next_start_cleans_up() {
    let place = Place::new();
    place.write_long_workbook("book.xlsx", 60_000);
    place.write_slow_workbook("slow.xlsx");
    let server = place.serve(&["--allow-overwrite"]);
    let client = server.client();
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    server.call("edit_cells", &set(&fork, "Data!B2", 42)).expect("edited");
    let slow = fork_of(server.call("create_fork", &json!({ "workbook": "slow.xlsx" })));
    server.call("screenshot_sheet", &json!({ "workbook": fork, "renderer": "native" })).expect("a picture");
    let mut libreoffice = String::new();
    wait_for("it goes on looking", || {
        let (_, ready) = client.get("/health/ready");
        ready["checks"]["libreoffice"].as_str().expect("told").clone_into(&mut libreoffice);
        libreoffice != "being looked for"
    });
    let has_libreoffice = libreoffice != "not installed";

    let bridges = std::thread::scope(|scope| {
        let (saving, computing) = (server.client(), server.client());
        let (save, compute) = (
            json!({ "fork": fork, "overwrite": true }),
            json!({ "workbook": slow, "engine": "libreoffice" }),
        );
        if has_libreoffice {
            scope.spawn(move || computing.try_call("recalculate", &compute));
            wait_for("LibreOffice does not work", || offices(&place.temporary).iter().any(is_at_job));
        }
        scope.spawn(move || saving.try_call("save_fork", &save));
        wait_for_glimpse("it does not save", || {
            place.names().iter().any(|name| name.starts_with(".spreadsheet-mcp-"))
        });
        // With what would clean up after LibreOffice: as when the system runs out of memory.
        let bridges = crate::processes::below(server.id());
        server.kill();
        bridges.iter().filter(|bridge| process(bridge.id).is_some()).for_each(kill);
        bridges
    });
    wait_for("processes stay", || {
        bridges.iter().all(|bridge| process(bridge.id).is_none_or(|now| now.command != bridge.command))
    });
    wait_for("LibreOffice stays", || offices(&place.temporary).is_empty());

    // What else could have been half written, had the signal come a moment earlier or later.
    fs::write(place.state.join("blobs/.tmp-1-0"), "half").expect("written");
    fs::write(place.state.join("screenshots/a.png.1-0.part"), "half").expect("written");
    fs::write(place.state.join(".health"), "o").expect("written");
    let before = left_behind(&place);
    assert!(before.iter().any(|name| name.starts_with(".spreadsheet-mcp-")), "{before:?}");
    if has_libreoffice {
        assert!(before.iter().any(|name| name.starts_with("office-")), "{before:?}");
    }

    let server = place.serve(&["--allow-overwrite"]);
    let client = server.client();
    wait_for("files stay", || {
        // Asking whether it is ready tries the state directory.
        std::thread::sleep(Duration::from_millis(50));
        let (status, ready) = client.get("/health/ready");
        assert_eq!(status, 200, "{ready}");
        left_behind(&place).is_empty()
    });
    // No lock is held by who is gone.
    server.call("save_fork", &json!({ "fork": fork, "overwrite": true })).expect("saved");
    server.end();
    let pictures = names(&place.state.join("screenshots"));
    assert!(pictures.len() == 1 && pictures[0].ends_with(".png"), "{pictures:?}");
}
