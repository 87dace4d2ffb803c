//! What works in a folder works in a bucket.

use std::fs;

use components::S3;
use serde_json::{Value, json};

use crate::{
    PREFIX, file, place,
    program::{Server, code, fork_of, set, values},
    write_workbook,
};

fn paths(server: &Server) -> Vec<String> {
    let told = server.call("list_workbooks", &json!({})).expect("a listing");
    let workbooks = told["workbooks"].as_array().expect("workbooks");
    workbooks.iter().map(|entry| entry["path"].as_str().expect("a path").to_owned()).collect()
}

fn first_cell(server: &Server, workbook: &str) -> Value {
    values(server.call("read_range", &json!({ "workbook": workbook, "ranges": ["Data!A1"] })))[0][0].clone()
}

#[test]
fn workbooks_are_found_read_changed_and_saved() {
    let Some(s3) = S3::start() else { return };
    write_workbook(&s3, "a/plan.xlsx", "planned");
    write_workbook(&s3, ".hidden/x.xlsx", "hidden");
    write_workbook(&s3, "~$lock.xlsx", "a lock");
    fs::write(file(&s3, "notes.txt"), "no workbook").expect("written");
    fs::write(file(&s3, "../beside.xlsx"), "outside").expect("written");
    let place = place(&s3);
    let server = place.serve(&["--allow-overwrite"]);
    assert_eq!(paths(&server), ["a/plan.xlsx"]);

    let listed = server.call("list_workbooks", &json!({})).expect("a listing");
    let id = listed["workbooks"][0]["id"].as_str().expect("an id");
    let url = format!("{}/a/plan.xlsx", place.workspace.display());
    for name in [id, "a/plan.xlsx", "./a/plan.xlsx", &url] {
        assert_eq!(first_cell(&server, name), "planned");
    }
    let described = server.call("describe_workbook", &json!({ "workbook": id })).expect("described");
    assert_eq!(described["path"], "a/plan.xlsx");
    let found = server.call("find", &json!({ "workbook": id, "text": "planned" })).expect("found");
    assert!(found.to_string().contains("A1"), "{found}");

    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "a/plan.xlsx" })));
    server.call("edit_cells", &set(&fork, "Data!A1", "changed")).expect("edited");
    assert_eq!(first_cell(&server, "a/plan.xlsx"), "planned", "an edit is no save");

    // A new file, in what would be a new folder.
    let saved = server.call("save_fork", &json!({ "fork": fork, "path": "new/folder/plan.xlsx" }));
    assert!(saved.expect("saved")["digest"].is_string());
    assert_eq!(paths(&server), ["a/plan.xlsx", "new/folder/plan.xlsx"], "own writes are seen at once");
    assert_eq!(first_cell(&server, "new/folder/plan.xlsx"), "changed");
    let again = server.call("save_fork", &json!({ "fork": fork, "path": "new/folder/plan.xlsx" }));
    assert_eq!(code(again), "already_exists");

    // Over its origin; what that was is kept.
    let saved = server.call("save_fork", &json!({ "fork": fork, "overwrite": true })).expect("saved");
    assert_eq!((&saved["previous_version"], &saved["path"]), (&json!(1), &json!("a/plan.xlsx")));
    assert_eq!(first_cell(&server, "a/plan.xlsx"), "changed");
    let versions = server.call("list_forks", &json!({ "versions_of": "a/plan.xlsx" })).expect("versions");
    assert_eq!(versions["versions"][0]["version"], 1);
    let before = fork_of(server.call("create_fork", &json!({ "workbook": "a/plan.xlsx", "version": 1 })));
    assert_eq!(first_cell(&server, &before), "planned");

    let export = json!({ "fork": fork, "path": "a/plan.csv" });
    server.call("save_fork", &export).expect("exported");
    let exported = fs::read_to_string(file(&s3, "a/plan.csv")).expect("an object");
    assert!(exported.contains("changed"), "{exported}");

    // A shell with a cache of its own.
    let told = place.beside().shell("read_range", &json!({ "workbook": id, "ranges": ["Data!A1"] }));
    assert_eq!(values(told)[0][0], "changed");
}

#[test]
fn nothing_outside_of_the_prefix_is_read_or_written() {
    let Some(s3) = S3::start() else { return };
    write_workbook(&s3, "in.xlsx", "inside");
    write_workbook(&s3, "../out.xlsx", "outside");
    write_workbook(&s3, &format!("../../{PREFIX}s/out.xlsx"), "outside");
    let place = place(&s3);
    let server = place.serve(&[]);
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "in.xlsx" })));
    for (path, expected) in [
        ("../out.xlsx", "outside_workspace"),
        ("a/../../out.xlsx", "outside_workspace"),
        ("/out.xlsx", "outside_workspace"),
        ("%2e%2e/out.xlsx", "workbook_not_found"),
        ("s/out.xlsx", "workbook_not_found"),
        ("in.xlsx\0", "workbook_not_found"),
        ("\u{1}.xlsx", "workbook_not_found"),
    ] {
        let read = server.call("describe_workbook", &json!({ "workbook": path }));
        assert_eq!(code(read), expected, "{path}");
    }
    for path in ["../new.xlsx", "/new.xlsx", ".hidden/new.xlsx", "new.txt", "\u{1}.xlsx", ""] {
        let saved = server.call("save_fork", &json!({ "fork": fork, "path": path }));
        assert!(["outside_workspace", "invalid_argument"].contains(&code(saved).as_str()), "{path}");
    }
    s3.eventually_has(3);
}

/// What may be in a name is the same in a listing, in a call and in the key.
#[test]
fn names_are_keys_as_they_are() {
    let Some(s3) = S3::start() else { return };
    let names = [
        "Übersicht 50% + [neu] #1~.xlsx",
        "a&b=c?d/日本語.xlsx",
        "percent%20twenty.xlsx",
        "plus+and space.xlsx",
    ];
    for name in names {
        write_workbook(&s3, name, name);
    }
    let place = place(&s3);
    let server = place.serve(&[]);
    let mut expected: Vec<&str> = names.to_vec();
    expected.sort_unstable();
    assert_eq!(paths(&server), expected);
    for name in names {
        assert_eq!(first_cell(&server, name), name);
        let fork = fork_of(server.call("create_fork", &json!({ "workbook": name })));
        let copy = format!("copies/{name}");
        server.call("save_fork", &json!({ "fork": fork, "path": copy })).expect("saved");
        assert!(file(&s3, &copy).is_file(), "{copy}");
        assert_eq!(first_cell(&server, &copy), name);
    }
}

/// Whoever asks is told what is there now, also of what is in memory (FRESH).
#[test]
fn what_somebody_else_wrote_is_seen_at_once() {
    let Some(s3) = S3::start() else { return };
    write_workbook(&s3, "a.xlsx", "one");
    let place = place(&s3);
    let server = place.serve(&["--workspace-listing-ms", "600000"]);
    assert_eq!((paths(&server), first_cell(&server, "a.xlsx")), (vec!["a.xlsx".to_owned()], json!("one")));
    write_workbook(&s3, "a.xlsx", "two");
    assert_eq!(first_cell(&server, "a.xlsx"), "two", "between a listing and a read");
    write_workbook(&s3, "b.xlsx", "b");
    assert_eq!(first_cell(&server, "b.xlsx"), "b", "what no listing told yet");
    fs::remove_file(file(&s3, "a.xlsx")).expect("it goes");
    let gone = server.call("describe_workbook", &json!({ "workbook": "a.xlsx" }));
    assert_eq!(code(gone), "workbook_not_found");
}
