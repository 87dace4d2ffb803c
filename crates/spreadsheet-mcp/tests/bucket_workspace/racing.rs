//! Two servers that share a bucket and nothing else.

use std::{fs, sync::Barrier, thread};

use components::{Postgres, S3};
use serde_json::{Value, json};

use crate::{
    file,
    gate::Gate,
    place_by,
    program::{Server, Told, fork_of, set, values},
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
        // It may change while the loser reads what is there, which is kept first.
        let refusals = ["target_changed", "file_changing"];
        check_one_winner(&told, &s3, &format!("{round}.xlsx"), &refusals);
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

/// Replicas share a database: what is noted by those that lose is noted beside what the winner is told.
#[test]
fn what_a_winner_of_several_replicas_replaced_is_kept_under_the_number_that_it_was_told() {
    const SAVERS: usize = 4;
    let Some(s3) = S3::start() else { return };
    let postgres = Postgres::shared();
    let database = postgres.url(&postgres.new_database());
    let gate = Gate::before(s3.port());
    let place = place_by(&s3, gate.port());
    let migrated = place.program().args(["migrate", "--state-url", &database]).output().expect("it runs");
    assert!(migrated.status.success(), "{migrated:?}");
    let flags = ["--allow-overwrite", "--state-url", &database, "--blob-url", &format!("{}/blobs", s3.url())];
    let servers: Vec<_> = (0..SAVERS).map(|_| place.beside().serve(&flags)).collect();
    for round in 0..10 {
        let before = format!("original {round}");
        write_workbook(&s3, "shared.xlsx", &before);
        let make = |server: &Server| {
            let fork = fork_of(server.call("create_fork", &json!({ "workbook": "shared.xlsx" })));
            server.call("edit_cells", &set(&fork, "Data!A1", fork.clone())).expect("edited");
            fork
        };
        let forks: Vec<String> = servers.iter().map(make).collect();
        let start = Barrier::new(SAVERS);
        let told: Vec<Told> = thread::scope(|scope| {
            let savers: Vec<_> = servers
                .iter()
                .zip(&forks)
                .map(|(server, fork)| {
                    let start = &start;
                    scope.spawn(move || {
                        start.wait();
                        server.call("save_fork", &json!({ "fork": fork, "overwrite": true }))
                    })
                })
                .collect();
            savers.into_iter().map(|saver| saver.join().expect("a saver")).collect()
        });
        let won: Vec<usize> = (0..SAVERS).filter(|saver| told[*saver].is_ok()).collect();
        assert_eq!(won.len(), 1, "{told:?}");
        let version = told[won[0]].as_ref().expect("it won")["previous_version"].clone();
        let kept = json!({ "workbook": "shared.xlsx", "version": version });
        let kept = fork_of(servers[round % SAVERS].call("create_fork", &kept));
        let read = json!({ "workbook": kept, "ranges": ["Data!A1"] });
        assert_eq!(values(servers[round % SAVERS].call("read_range", &read)), [[json!(before)]]);
        let listed = servers[0].call("list_forks", &json!({ "versions_of": "shared.xlsx" })).expect("listed");
        let newest = &listed["versions"][0];
        let by = json!(format!("{}@1", forks[won[0]]));
        assert_eq!((&newest["version"], &newest["by"]), (&version, &by), "{listed}");
        assert_eq!(listed["versions"].as_array().map(Vec::len), Some((round + 1).min(10)), "{listed}");
    }
}
