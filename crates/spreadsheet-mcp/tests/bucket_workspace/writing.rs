//! Saves whose answers are lost, stores that heed no conditions, and what is large.

use std::{fs, io::Write as _};

use components::{Fault, FaultyProxy, S3, eventually};
use serde_json::json;

use crate::{
    file,
    gate::Gate,
    place, place_by,
    program::{Place, Server, fork_of, set, values},
    write_workbook,
};

/// A server, and a fork of `a.xlsx` in which A1 is changed.
fn changed(place: &Place) -> (Server, String) {
    let server = place.serve(&["--allow-overwrite"]);
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "a.xlsx" })));
    server.call("edit_cells", &set(&fork, "Data!A1", "changed")).expect("edited");
    (server, fork)
}

/// The write happened, and its writer finds out.
#[test]
fn a_success_whose_answer_is_lost_is_told_as_one() {
    let Some(s3) = S3::start() else { return };
    write_workbook(&s3, "a.xlsx", "original");
    let gate = Gate::before(s3.port());
    let place = place_by(&s3, gate.port());
    let (server, fork) = changed(&place);
    for save in [json!({ "fork": fork, "path": "b.xlsx" }), json!({ "fork": fork, "overwrite": true })] {
        gate.lose_next_answer();
        let saved = server.call("save_fork", &save).expect("saved");
        assert!(gate.has_lost_it());
        let path = saved["path"].as_str().expect("a path");
        assert_eq!(saved["bytes"], fs::read(file(&s3, path)).expect("an object").len() as u64);
        let read = server.call("read_range", &json!({ "workbook": path, "ranges": ["Data!A1"] }));
        assert_eq!(values(read)[0][0], "changed");
    }
    assert!(
        server.call("save_fork", &json!({ "fork": fork, "overwrite": true })).is_ok(),
        "it knows what is there"
    );
}

/// Nobody is told a success or a failure that is not known; saving again ends well either way.
#[test]
fn what_is_not_known_is_told_so() {
    let Some(s3) = S3::start() else { return };
    write_workbook(&s3, "a.xlsx", "original");
    let proxy = FaultyProxy::before(s3.port());
    let place = place_by(&s3, proxy.port());
    let (server, fork) = changed(&place);
    // The first save tries the store out.
    server.call("save_fork", &json!({ "fork": fork, "path": "first.xlsx" })).expect("saved");
    proxy.set(Fault::LoseAnswers);
    let save = json!({ "fork": fork, "path": "b.xlsx" });
    let lost = server.call("save_fork", &save).expect_err("it is not known");
    assert_eq!(
        (&lost["code"], lost["retry_after_seconds"].is_u64()),
        (&json!("workspace_unavailable"), true)
    );
    proxy.set(Fault::None);
    let again = eventually("it does not come back", || match server.call("save_fork", &save) {
        Err(error) if error["code"] == "workspace_unavailable" => None,
        told => Some(told),
    });
    match again {
        Ok(_) => assert!(file(&s3, "b.xlsx").is_file()),
        Err(error) => {
            assert_eq!((&error["code"], file(&s3, "b.xlsx").is_file()), (&json!("already_exists"), true));
        }
    }
}

#[test]
fn a_store_that_heeds_no_conditions_gets_nothing() {
    let Some(s3) = S3::start_moto() else { return };
    let gate = Gate::before(s3.port());
    let place = place_by(&s3, gate.port());
    let heeding = place.serve(&[]);
    let fork = fork_of(heeding.call("create_fork", &json!({})));
    heeding.call("save_fork", &json!({ "fork": fork, "path": "a.xlsx" })).expect("moto heeds them");
    drop(heeding);
    gate.ignore_conditions();
    let (server, fork) = {
        let server = place.serve(&["--allow-overwrite"]);
        let fork = fork_of(server.call("create_fork", &json!({ "workbook": "a.xlsx" })));
        (server, fork)
    };
    for save in [json!({ "fork": fork, "path": "b.xlsx" }), json!({ "fork": fork, "overwrite": true })] {
        let refused = server.call("save_fork", &save).expect_err("it is refused");
        assert_eq!(refused["code"], "file_unreadable");
        assert!(
            refused["message"].as_str().expect("a message").contains("does not write under conditions"),
            "{refused}"
        );
    }
    let listed = server.call("list_workbooks", &json!({})).expect("a listing");
    assert_eq!(listed["total"], 1);
}

#[test]
fn a_large_workbook_is_read_and_saved() {
    const SIZE: usize = 30 << 20;
    let Some(s3) = S3::start() else { return };
    write_workbook(&s3, "a.xlsx", "original");
    let path = file(&s3, "a.xlsx");
    let small = fs::File::options().read(true).write(true).open(&path).expect("an object");
    let mut package = zip::ZipWriter::new_append(small).expect("a package");
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    package.start_file("xl/media/large.bin", stored).expect("a part");
    let pattern: Vec<u8> = (0..SIZE).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect();
    package.write_all(&pattern).expect("written");
    package.finish().expect("a package");
    let place = place(&s3);
    let (server, fork) = changed(&place);
    let saved = server.call("save_fork", &json!({ "fork": fork, "overwrite": true })).expect("saved");
    assert!(saved["bytes"].as_u64().is_some_and(|bytes| bytes > SIZE as u64), "{saved}");
    let mut package = zip::ZipArchive::new(fs::File::open(&path).expect("an object")).expect("a package");
    let mut part = Vec::new();
    std::io::copy(&mut package.by_name("xl/media/large.bin").expect("the part"), &mut part).expect("read");
    assert!(part == pattern, "the part is kept byte for byte");
    let read = server.call("read_range", &json!({ "workbook": "a.xlsx", "ranges": ["Data!A1"] }));
    assert_eq!(values(read)[0][0], "changed");
}
