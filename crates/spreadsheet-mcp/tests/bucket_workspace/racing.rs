//! Two servers that share a bucket and nothing else.

use std::{fs, sync::Barrier, thread};

use components::S3;
use serde_json::{Value, json};

use crate::{
    file,
    gate::Gate,
    place_by,
    program::{Told, fork_of, set},
    write_workbook,
};

const ROUNDS: usize = 6;

/// Two servers save at once; gives what each was told.
fn race(round: usize, s3: &S3, gate: &Gate, save: impl Fn(&str) -> Value + Sync) -> Vec<Told> {
    let key = format!("{round}.xlsx");
    write_workbook(s3, &key, "original");
    let start = Barrier::new(2);
    thread::scope(|scope| {
        let racers: Vec<_> = ["left", "right"]
            .into_iter()
            .map(|text| {
                let (start, save, key) = (&start, &save, &key);
                scope.spawn(move || {
                    let place = place_by(s3, gate.port());
                    let server = place.serve(&["--allow-overwrite"]);
                    let fork = fork_of(server.call("create_fork", &json!({ "workbook": key })));
                    server.call("edit_cells", &set(&fork, "Data!A1", text)).expect("edited");
                    start.wait();
                    let told = server.call("save_fork", &save(&fork));
                    if told.as_ref().is_ok_and(|told| told["previous_version"] == 1) {
                        let version = json!({ "workbook": key, "version": 1 });
                        let before = fork_of(server.call("create_fork", &version));
                        let read = json!({ "workbook": before, "ranges": ["Data!A1"] });
                        let read = server.call("read_range", &read).expect("read");
                        assert_eq!(read["ranges"][0]["values"], json!([["original"]]));
                    }
                    told
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().expect("a racer")).collect()
    })
}

/// Exactly one wins, and what is there is what the winner was told of.
#[track_caller]
fn check_one_winner(told: &[Told], s3: &S3, key: &str, refusals: &[&str]) {
    let (won, lost): (Vec<&Told>, Vec<&Told>) = told.iter().partition(|told| told.is_ok());
    assert_eq!(won.len(), 1, "{told:?}");
    let code = lost[0].as_ref().expect_err("it lost")["code"].as_str().expect("a code").to_owned();
    assert!(refusals.contains(&code.as_str()), "{code}");
    let won = won[0].as_ref().expect("it won");
    let bytes = fs::read(file(s3, key)).expect("an object");
    assert_eq!(won["bytes"], bytes.len() as u64);
}

#[test]
fn of_two_that_replace_a_workbook_one_wins() {
    let Some(s3) = S3::start() else { return };
    let gate = Gate::before(s3.port());
    for round in 0..ROUNDS {
        let told = race(round, &s3, &gate, |fork| json!({ "fork": fork, "overwrite": true }));
        check_one_winner(&told, &s3, &format!("{round}.xlsx"), &["target_changed"]);
        let won = told.iter().flatten().next().expect("a winner");
        assert_eq!(won["previous_version"], 1);
    }
}

#[test]
fn of_two_that_make_a_workbook_one_wins() {
    let Some(s3) = S3::start() else { return };
    let gate = Gate::before(s3.port());
    for round in 0..ROUNDS {
        let path = format!("new/{round}.xlsx");
        let told = race(round, &s3, &gate, |fork| json!({ "fork": fork, "path": path }));
        check_one_winner(&told, &s3, &path, &["already_exists"]);
    }
}
