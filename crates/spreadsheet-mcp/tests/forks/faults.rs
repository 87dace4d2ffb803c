//! What goes wrong between a fork and its file: the target changed, leads elsewhere, or is wanted by two; the state is
//! gone or damaged. Each is a typed error, and nothing is written that was not asked for.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};

use crate::program::{Place, Server, code, fork_of, set, values};

fn fork_of_book(server: &Server) -> String {
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    server.call("edit_cells", &set(&fork, "B2", 42)).expect("edited");
    fork
}

fn over(fork: &str) -> Value {
    json!({ "fork": fork, "overwrite": true })
}

fn b2(server: &Server, workbook: &str) -> Value {
    let read = values(server.call("read_range", &json!({ "workbook": workbook, "ranges": ["Data!B2"] })));
    read.into_iter().flatten().next().unwrap_or_default()
}

#[test]
fn a_file_that_changed_underneath_is_not_replaced() {
    let place = Place::new();
    place.write_workbook("book.xlsx");
    let server = place.serve(&["--allow-overwrite"]);
    let fork = fork_of_book(&server);
    let other = fixtures::macros::workbook(&[("ThisWorkbook", "\r\n")]).expect("made");
    fs::write(place.file("book.xlsx"), &other).expect("written");

    assert_eq!(code(server.call("save_fork", &over(&fork))), "target_changed");
    assert!(fs::read(place.file("book.xlsx")).expect("read") == other);
    assert_eq!(place.names(), ["book.xlsx"], "nothing half written stays");
    server.call("save_fork", &json!({ "fork": fork, "path": "out.xlsx" })).expect("saved elsewhere");
    assert_eq!(b2(&server, "out.xlsx"), 42);
}

#[test]
fn what_is_replaced_is_kept() {
    let place = Place::new();
    place.write_workbook("book.xlsx");
    let original = fs::read(place.file("book.xlsx")).expect("read");
    let careful = place.serve(&[]);
    let fork = fork_of_book(&careful);
    assert_eq!(code(careful.call("save_fork", &json!({ "fork": fork }))), "already_exists");
    assert_eq!(code(careful.call("save_fork", &over(&fork))), "overwrite_not_allowed");
    assert!(fs::read(place.file("book.xlsx")).expect("read") == original);
    drop(careful);

    let server = place.serve(&["--allow-overwrite"]);
    let saved = server.call("save_fork", &over(&fork)).expect("saved");
    assert_eq!(b2(&server, "book.xlsx"), 42);
    let version = &saved["previous_version"];
    let kept = server.call("list_forks", &json!({ "versions_of": "book.xlsx" })).expect("listed");
    assert_eq!(
        (&kept["versions"][0]["version"], kept["versions"].as_array().map(Vec::len)),
        (version, Some(1))
    );
    let digest = kept["versions"][0]["digest"].as_str().expect("a digest");
    let blob = place.state.join("blobs").join(&digest[..2]).join(digest);
    assert!(fs::read(blob).expect("read") == original);
    let old = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx", "version": version })));
    server.call("save_fork", &over(&old)).expect("saved");
    assert!(fs::read(place.file("book.xlsx")).expect("read") == original, "it came back byte for byte");
}

#[test]
fn a_fork_is_saved_over_its_file_again_and_again() {
    let place = Place::new();
    place.write_workbook("book.xlsx");
    let server = place.serve(&["--allow-overwrite"]);
    let fork = fork_of_book(&server);
    for value in 43..46 {
        server.call("save_fork", &over(&fork)).expect("the file is what this fork was saved as");
        server.call("edit_cells", &set(&fork, "B2", value)).expect("edited");
    }
    assert_eq!(b2(&server, "book.xlsx"), 44);
    let other = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    server.call("edit_cells", &set(&other, "B3", "somebody else's")).expect("edited");
    server.call("save_fork", &over(&other)).expect("saved");
    assert_eq!(code(server.call("save_fork", &over(&fork))), "target_changed");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn nothing_outside_the_workspace_is_written() {
    let place = Place::new();
    place.write_workbook("book.xlsx");
    let outside = tempfile::tempdir().expect("a folder");
    let victim = outside.path().join("victim.xlsx");
    fs::write(&victim, "untouched").expect("written");
    symlink(&victim, place.file("link.xlsx")).expect("linked");
    symlink(outside.path().join("new.xlsx"), place.file("dangling.xlsx")).expect("linked");
    symlink(outside.path(), place.file("folder")).expect("linked");
    let server = place.serve(&["--allow-overwrite"]);
    let fork = fork_of_book(&server);

    let absolute = victim.to_string_lossy().into_owned();
    for path in
        ["../out.xlsx", "a/../../out.xlsx", absolute.as_str(), "folder/out.xlsx", "folder/victim.xlsx"]
    {
        let save = json!({ "fork": fork, "path": path, "overwrite": true });
        assert_eq!(code(server.call("save_fork", &save)), "outside_workspace", "{path}");
    }
    for path in ["link.xlsx", "dangling.xlsx"] {
        let save = json!({ "fork": fork, "path": path, "overwrite": true });
        assert_eq!(code(server.call("save_fork", &save)), "invalid_argument", "{path}");
    }
    // The file that the fork was made from is a link now.
    fs::remove_file(place.file("book.xlsx")).expect("removed");
    symlink(&victim, place.file("book.xlsx")).expect("linked");
    assert_eq!(code(server.call("save_fork", &over(&fork))), "invalid_argument");

    assert_eq!(fs::read(&victim).expect("read"), b"untouched");
    assert_eq!(files_below(outside.path()), [victim]);
}

#[test]
fn a_link_swapped_in_while_saving_leads_nowhere() {
    let place = Place::new();
    place.write_workbook("book.xlsx");
    let outside = tempfile::tempdir().expect("a folder");
    let victim = outside.path().join("victim.xlsx");
    fs::write(&victim, "untouched").expect("written");
    let server = place.serve(&["--allow-overwrite"]);
    let fork = fork_of_book(&server);

    let (target, over_and_over) = (place.file("target.xlsx"), AtomicBool::new(true));
    let (saved, refused) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while over_and_over.load(Ordering::Relaxed) {
                let _gone = fs::remove_file(&target);
                let _there = symlink(&victim, &target);
                let _gone = fs::remove_file(&target);
                std::thread::yield_now();
            }
        });
        let save = json!({ "fork": fork, "path": "target.xlsx", "overwrite": true });
        let codes: Vec<Option<String>> = (0..100)
            .map(|_| server.call("save_fork", &save))
            .map(|told| told.is_err().then(|| code(told)))
            .collect();
        over_and_over.store(false, Ordering::Relaxed);
        let expected = ["invalid_argument", "already_exists", "target_changed", "file_unreadable"];
        let codes_told: Vec<&String> = codes.iter().flatten().collect();
        assert!(codes_told.iter().all(|code| expected.contains(&code.as_str())), "{codes_told:?}");
        (codes.len() - codes_told.len(), codes_told.len())
    });
    println!("a link was swapped in while saving: {saved} saved, {refused} refused");
    assert_eq!(fs::read(&victim).expect("read"), b"untouched");
    assert_eq!(files_below(outside.path()), [victim]);
}

#[test]
fn one_of_many_saves_to_a_new_path_wins() {
    let place = Place::new();
    place.write_workbook("book.xlsx");
    let server = place.serve(&[]);
    let fork = fork_of_book(&server);
    for round in 0..10 {
        let path = format!("out{round}.xlsx");
        let save = json!({ "fork": fork, "path": path });
        let told: Vec<_> = std::thread::scope(|scope| {
            let savers: Vec<_> = (0..6)
                .map(|_| {
                    let (client, save) = (server.client(), &save);
                    scope.spawn(move || client.call("save_fork", save))
                })
                .collect();
            savers.into_iter().map(|saver| saver.join().expect("it returned")).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = told.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 5));
        assert!(lost.into_iter().map(code).all(|code| code == "already_exists"));
        assert_eq!(b2(&server, &path), 42);
    }
}

/// The state is of no use, and reading works nevertheless.
fn check_only_reading_works(place: &Place, server: &Server, fork: &str) {
    let refused = [
        server.call("edit_cells", &set(fork, "B2", 1)),
        server.call("create_fork", &json!({ "workbook": "book.xlsx" })),
        server.call("save_fork", &json!({ "fork": fork, "path": "out.xlsx" })),
        server.call("list_forks", &json!({})),
        server.call("read_range", &json!({ "workbook": fork, "ranges": ["B2"] })),
    ];
    let state = place.state.to_str().expect("text");
    for told in refused {
        let error = told.as_ref().expect_err("refused").to_string();
        assert!(!error.contains(state), "callers are told where the state is: {error}");
        assert_eq!(code(told), "state_unavailable");
    }
    assert!(server.log().contains(state), "the log tells where: {}", server.log());
    assert_eq!(b2(server, "book.xlsx"), Value::Null);
    server.call("list_workbooks", &json!({})).expect("listed");
}

#[test]
fn without_its_state_it_still_reads() {
    let place = Place::new();
    place.write_workbook("book.xlsx");
    let server = place.serve(&[]);
    let fork = fork_of_book(&server);
    let elsewhere = place.state.with_extension("away");
    fs::rename(&place.state, &elsewhere).expect("moved");
    check_only_reading_works(&place, &server, &fork);
    fs::rename(&elsewhere, &place.state).expect("moved back");
    assert_eq!(b2(&server, &fork), 42, "put back, it goes on");

    drop(server);
    fs::remove_dir_all(&place.state).expect("removed");
    let server = place.serve(&[]);
    assert_eq!(code(server.call("edit_cells", &set(&fork, "B2", 1))), "fork_not_found");
    fork_of_book(&server);
}

#[test]
fn a_damaged_state_is_said_and_left_alone() {
    let place = Place::new();
    place.write_workbook("book.xlsx");
    let server = place.serve(&[]);
    let fork = fork_of_book(&server);
    drop(server);
    for name in ["forks.sqlite-wal", "forks.sqlite-shm"] {
        let _may_not_be_there = fs::remove_file(place.state.join(name));
    }
    let database = place.state.join("forks.sqlite");
    let damaged = vec![b'?'; 20_000];
    fs::write(&database, &damaged).expect("written");
    let server = place.serve(&[]);
    check_only_reading_works(&place, &server, &fork);
    assert!(fs::read(&database).expect("read") == damaged, "what is not understood is not touched");
}
