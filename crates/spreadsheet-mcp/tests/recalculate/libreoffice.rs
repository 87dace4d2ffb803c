//! LibreOffice below a server: missing, killed, hanging, asked by too many. The server stays ready, and cleans up.

use std::{fs, time::Duration};

use serde_json::{Value, json};

use crate::{
    processes::{check_no_zombies, is_at_job, kill, offices, wait_for},
    program::{Client, Place, Server, Told, code, fork_of},
};

fn is_ready(client: &Client) -> bool {
    client.get("/health/ready").0 == 200
}

/// What the server says of LibreOffice, once it knows.
fn libreoffice(client: &Client) -> String {
    let mut told = String::new();
    wait_for("it goes on looking", || {
        let (status, ready) = client.get("/health/ready");
        assert_eq!(status, 200, "{ready}");
        ready["checks"]["libreoffice"].as_str().expect("told").clone_into(&mut told);
        told != "being looked for"
    });
    told
}

/// A server that has LibreOffice; `None`, said aloud, where it is not installed.
fn serve(place: &Place, flags: &[&str]) -> Option<Server> {
    let server = place.serve(flags);
    if libreoffice(&server.client()) == "not installed" {
        eprintln!("skipped: LibreOffice is not installed (make setup)");
        return None;
    }
    Some(server)
}

/// A fork of a new workbook with one formula.
fn small(server: &Server) -> String {
    let fork = fork_of(server.call("create_fork", &json!({ "sheets": ["Data"] })));
    let ops = json!([{ "op": "set", "range": "Data!A1", "values": [[2], ["=A1*21"]] }]);
    server.call("edit_cells", &json!({ "workbook": fork, "ops": ops })).expect("edited");
    fork
}

fn slow(place: &Place, server: &Server) -> String {
    place.write_slow_workbook("slow.xlsx");
    fork_of(server.call("create_fork", &json!({ "workbook": "slow.xlsx" })))
}

fn recalculated(client: &Client, fork: &str) -> Told {
    client.call("recalculate", &json!({ "workbook": fork, "engine": "libreoffice" }))
}

#[track_caller]
fn check_works(server: &Server) {
    let fork = small(server);
    let computed = recalculated(&server.client(), &fork).expect("computed");
    assert_eq!(
        (&computed["engine"], &computed["changed_cells"]),
        (&json!("libreoffice"), &json!(1)),
        "{computed}"
    );
    assert!(is_ready(&server.client()));
    check_no_zombies(server.id());
}

/// Ends the server; nothing of it is left.
#[track_caller]
fn end(place: &Place, server: Server) {
    server.end();
    assert!(offices(&place.temporary).is_empty(), "{:?}", offices(&place.temporary));
    wait_for("files stay", || walk(&place.temporary).is_empty());
}

/// The files below a folder.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let below = |entry: fs::DirEntry| match entry.path().is_dir() {
        true => walk(&entry.path()),
        false => vec![entry.path()],
    };
    entries.flat_map(below).collect()
}

#[test]
fn everything_else_works_without_it() {
    let place = Place::new();
    let server = place.serve(&["--soffice", "/nowhere/soffice"]);
    let client = server.client();
    assert_eq!(libreoffice(&client), "not installed");
    let fork = small(&server);
    assert_eq!(code(recalculated(&client, &fork)), "libreoffice_unavailable");
    let verified =
        client.call("recalculate", &json!({ "workbook": fork, "engine": "verify" })).expect("verified");
    assert!(verified["verified"]["without"]["libreoffice"].is_string(), "{verified}");
    let computed = client.call("recalculate", &json!({ "workbook": fork })).expect("computed");
    assert_eq!(computed["changed_cells"], 1, "{computed}");
    let picture = client.call("screenshot_sheet", &json!({ "workbook": fork })).expect("a picture");
    assert_eq!(picture["renderer"], "native", "{picture}");
    let asked = json!({ "workbook": fork, "renderer": "libreoffice" });
    assert_eq!(code(client.call("screenshot_sheet", &asked)), "libreoffice_unavailable");
    assert!(is_ready(&client));
    end(&place, server);
}

#[test]
fn a_worker_that_is_killed_at_its_job_is_replaced() {
    let place = Place::new();
    let Some(server) = serve(&place, &["--tool-timeout-ms", "20000"]) else { return };
    let fork = slow(&place, &server);
    let client = server.client();
    let told = std::thread::scope(|scope| {
        let call = scope.spawn(|| recalculated(&client, &fork));
        // Whoever takes the job is killed, the first one and the one that replaces it.
        let mut killed: Vec<u32> = Vec::new();
        wait_for("no worker came", || {
            for office in offices(&place.temporary) {
                if !killed.contains(&office.id) && is_at_job(&office) {
                    kill(&office);
                    killed.push(office.id);
                }
            }
            assert!(is_ready(&client));
            killed.len() == 2
        });
        call.join().expect("no panic")
    });
    assert_eq!(code(told), "calculation_failed");
    check_works(&server);
    end(&place, server);
}

#[test]
fn a_document_that_takes_too_long_is_given_up() {
    let place = Place::new();
    let Some(server) = serve(&place, &["--tool-timeout-ms", "8000"]) else { return };
    check_works(&server);
    let fork = slow(&place, &server);
    let before: Value = server.call("list_forks", &json!({})).expect("listed");
    assert_eq!(code(recalculated(&server.client(), &fork)), "timeout");
    assert_eq!(server.call("list_forks", &json!({})).expect("listed")["forks"], before["forks"]);
    check_works(&server);
    end(&place, server);
}

#[test]
fn ten_who_ask_for_two_workers_are_answered_or_told_to_come_again() {
    let place = Place::new();
    let flags = ["--max-concurrent-recalcs", "2", "--recalc-queue", "5", "--max-concurrent-calls", "16"];
    let Some(server) = serve(&place, &flags) else { return };
    let forks: Vec<String> = (0..10).map(|_| small(&server)).collect();
    let told: Vec<Told> = std::thread::scope(|scope| {
        let client = server.client();
        let calls: Vec<_> = forks
            .iter()
            .map(|fork| {
                let client = client.clone();
                scope.spawn(move || recalculated(&client, fork))
            })
            .collect();
        while calls.iter().any(|call| !call.is_finished()) {
            assert!(offices(&place.temporary).len() <= 2);
            assert!(is_ready(&client));
            std::thread::sleep(Duration::from_millis(20));
        }
        calls.into_iter().map(|call| call.join().expect("no panic")).collect()
    });
    let (served, busy): (Vec<Told>, Vec<Told>) = told.into_iter().partition(Result::is_ok);
    println!("{} served, {} told to come again", served.len(), busy.len());
    assert!(served.len() >= 7, "{busy:?}");
    for told in busy {
        assert_eq!(code(told), "busy");
    }
    check_works(&server);
    end(&place, server);
}

#[test]
fn nothing_stays_of_a_server_that_is_killed() {
    let place = Place::new();
    let Some(server) = serve(&place, &[]) else { return };
    check_works(&server);
    assert!(!offices(&place.temporary).is_empty());
    server.kill();
    wait_for("LibreOffice stays", || offices(&place.temporary).is_empty());
    wait_for("files stay", || walk(&place.temporary).is_empty());
}
