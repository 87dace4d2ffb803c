//! A server that is killed while it saves: the file is the old one or the new one, whole; what was replaced is kept, whole; and
//! nothing half written stays (ORIGINAL).

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    crash::Delays,
    program::{Place, Server, fork_of, set, values},
};

const KILLS: u64 = 96;
/// Rows of the workbook: enough for a save to take a while.
const ROWS: u32 = 20_000;
/// How long a started server may take to clean up.
const PATIENCE: Duration = Duration::from_secs(10);

fn serve(place: &Place) -> Server {
    place.serve(&["--allow-overwrite"])
}

fn b2(server: &Server, workbook: &str) -> Value {
    let read = values(server.call("read_range", &json!({ "workbook": workbook, "ranges": ["B2"] })));
    read.into_iter().flatten().next().unwrap_or_default()
}

fn is_temporary(name: &str) -> bool {
    name.starts_with(".spreadsheet-mcp-")
}

/// A started server takes away what the one before left half written.
fn wait_until_swept(place: &Place) {
    let deadline = Instant::now() + PATIENCE;
    while place.names().iter().any(|name| is_temporary(name)) {
        assert!(Instant::now() < deadline, "left behind: {:?}", place.names());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The version that is kept of the workbook is the one that was there, byte for byte.
fn check_kept(place: &Place, server: &Server, before: &[u8]) {
    let kept = server.call("list_forks", &json!({ "versions_of": "book.xlsx" })).expect("listed");
    let digest = kept["versions"][0]["digest"].as_str().expect("a version");
    let blob = fs::read(place.state.join("blobs").join(&digest[..2]).join(digest)).expect("its bytes");
    assert!(blob == before, "the version is not what was replaced");
}

/// What kills came to.
#[derive(Debug, Default)]
struct Outcomes {
    nothing_written: u64,
    written_unheard: u64,
    acknowledged: u64,
}

impl Outcomes {
    fn count(&mut self, is_written: bool, is_acknowledged: bool) {
        match (is_written, is_acknowledged) {
            (false, true) => panic!("a save was acknowledged and is not there"),
            (true, true) => self.acknowledged += 1,
            (true, false) => self.written_unheard += 1,
            (false, false) => self.nothing_written += 1,
        }
    }
}

#[test]
fn a_save_that_is_killed_leaves_the_old_file_or_the_new_one() {
    let place = Place::new();
    place.write_long_workbook("book.xlsx", ROWS);
    let mut delays = Delays::new(20_261_123);
    let mut server = serve(&place);
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    let over = json!({ "fork": fork, "overwrite": true });
    server.call("edit_cells", &set(&fork, "B2", 0)).expect("edited");
    let start = Instant::now();
    server.call("save_fork", &over).expect("saved");
    let longest = start.elapsed() * 3 / 2;

    let (mut replaced, mut new, mut left_behind) = (Outcomes::default(), Outcomes::default(), 0);
    for kill in 1..=KILLS {
        let path = format!("new{kill}.{}", if kill % 4 == 0 { "csv" } else { "xlsx" });
        let is_over = kill % 2 == 1;
        server.call("edit_cells", &set(&fork, "B2", kill)).expect("edited");
        let before = fs::read(place.file("book.xlsx")).expect("read");
        let save = if is_over { over.clone() } else { json!({ "fork": fork, "path": path }) };
        let (client, delay) = (server.client(), delays.below(longest));
        let told = std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(delay);
                server.kill();
            });
            client.try_call("save_fork", &save)
        });
        let is_acknowledged = told.is_ok_and(|told| told.is_ok());

        left_behind += place.names().iter().filter(|name| is_temporary(name)).count();
        server = serve(&place);
        wait_until_swept(&place);
        let now = fs::read(place.file("book.xlsx")).expect("read");
        if is_over {
            let is_written = now != before;
            replaced.count(is_written, is_acknowledged);
            assert_eq!(b2(&server, "book.xlsx"), if is_written { kill } else { kill.saturating_sub(2) });
            if is_written {
                check_kept(&place, &server, &before);
            }
            // Whatever became of it: the same call goes through, and what it replaces is no stranger.
            server.call("save_fork", &over).expect("saved");
            assert_eq!(b2(&server, "book.xlsx"), kill);
            check_kept(&place, &server, if is_written { &now } else { &before });
        } else {
            assert!(now == before, "the other file is not touched");
            let is_written = place.file(&path).exists();
            new.count(is_written, is_acknowledged);
            if is_written {
                assert_eq!(b2(&server, &path), kill, "{path}");
            }
        }
    }
    println!(
        "{KILLS} kills within {longest:?}: over the original {replaced:?}, to a new path {new:?}; {left_behind} half written files \
         swept"
    );
    assert!(left_behind > 0, "no kill came while a file was written");
    assert!(replaced.nothing_written > 0 && new.nothing_written > 0, "kills came too late");
    let written = |outcomes: &Outcomes| outcomes.written_unheard + outcomes.acknowledged;
    assert!(written(&replaced) + written(&new) > 0, "kills came too early");
}
