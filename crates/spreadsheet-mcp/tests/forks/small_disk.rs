//! A disk that is small, full, or read-only: what fails says so, nothing is lost, and with space it goes on.

use std::{fs, path::Path, process::Command};

use serde_json::json;

use crate::{
    own_disk::{disk, fill, on_small_disk},
    program::{Place, Server, code, fork_of, set, values},
};

/// Writes to column A until it is refused. Gives what was written, and the refusal's code.
fn write_until_refused(server: &Server, fork: &str, from: usize) -> (usize, String) {
    for written in from..from + 2_000 {
        let told = server.call("edit_cells", &set(fork, &format!("A{}", written + 1), "x".repeat(5_000)));
        if told.is_err() {
            return (written, code(told));
        }
    }
    panic!("the disk is never full");
}

/// How many cells of column A have something, from the first on.
fn count(server: &Server, workbook: &str) -> usize {
    let mut count = 0;
    while values(
        server.call("read_range", &json!({ "workbook": workbook, "ranges": [format!("A{}", count + 1)] })),
    )
    .iter()
    .flatten()
    .any(|value| !value.is_null())
    {
        count += 1;
    }
    count
}

#[test]
fn a_full_disk_loses_nothing() {
    on_small_disk("small_disk::full_disk", "6m");
}

/// The process on the small disk. Without one it does nothing.
#[test]
fn full_disk() {
    let Some(disk) = disk() else { return };
    let place = Place::below(&disk);
    place.write_workbook("book.xlsx");
    let original = fs::read(place.file("book.xlsx")).expect("read");
    let server = place.serve(&["--allow-overwrite"]);
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    server.call("edit_cells", &set(&fork, "A1", "first edit")).expect("edited");

    let (ballast, rest) = (disk.join("ballast"), disk.join("rest"));
    fill(&ballast);
    let length = fs::metadata(&ballast).expect("its length").len();
    let shortened = fs::File::options().write(true).open(&ballast).expect("opened");
    shortened.set_len(length - 400_000).expect("room for some edits");
    // A file that is open takes its space until it is closed.
    drop(shortened);
    let (written, refused) = write_until_refused(&server, &fork, 1);
    assert_eq!(refused, "storage_full");
    assert!(written > 5, "{written}");
    fill(&rest);
    let save = json!({ "fork": fork, "path": "out.xlsx" });
    assert_eq!(code(server.call("save_fork", &save)), "storage_full");
    let over = json!({ "fork": fork, "overwrite": true });
    assert_eq!(code(server.call("save_fork", &over)), "storage_full");
    assert_eq!(code(server.call("create_fork", &json!({}))), "storage_full");
    assert_eq!(place.names(), ["book.xlsx"], "nothing half written stays");
    assert!(fs::read(place.file("book.xlsx")).expect("read") == original);
    assert_eq!(count(&server, &fork), written, "what was acknowledged can be read");

    for path in [ballast, rest] {
        fs::remove_file(path).expect("removed");
    }
    server
        .call("edit_cells", &set(&fork, &format!("A{}", written + 1), "there is room again"))
        .expect("edited");
    server.call("save_fork", &save).expect("saved");
    drop(server);
    let server = place.serve(&[]);
    for workbook in [&fork, "out.xlsx"] {
        assert_eq!(count(&server, workbook), written + 1, "{workbook}");
    }
    println!("{written} edits were kept when the disk was full");
}

#[test]
fn a_read_only_workspace_is_said() {
    on_small_disk("small_disk::read_only_workspace", "6m");
}

/// The process on the small disk. Without one it does nothing.
#[test]
fn read_only_workspace() {
    let Some(disk) = disk() else { return };
    let place = Place::below(&disk);
    place.write_workbook("book.xlsx");
    let mount = |options: &[&str], what: &[&Path]| {
        assert!(Command::new("mount").args(options).args(what).status().expect("mount runs").success());
    };
    mount(&["--bind"], &[&place.workspace, &place.workspace]);
    mount(&["-o", "remount,bind,ro"], &[&place.workspace]);

    let server = place.serve(&["--allow-overwrite"]);
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    server.call("edit_cells", &set(&fork, "B2", 1)).expect("the state is elsewhere");
    for save in [json!({ "fork": fork, "path": "out.xlsx" }), json!({ "fork": fork, "overwrite": true })] {
        let told = server.call("save_fork", &save);
        let said = format!("{told:?}");
        assert_eq!(code(told), "file_unreadable");
        assert!(said.contains("let the server write to the folder"), "{said}");
    }
    assert_eq!(place.names(), ["book.xlsx"]);
}
