//! SIGHUP changes what is live, all or nothing, and loses no request; dangerous flags are announced.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::program::{Place, request};

fn list() -> Value {
    json!({ "name": "list_workbooks", "arguments": {} })
}

#[test]
fn limits_flags_and_the_log_level_change_and_no_request_is_lost() {
    let place = Place::new();
    place.write("server.toml", "[limits]\nmax_cells = 2\n");
    let server = place.serve(&[]);
    let read = || {
        let answer = server.call("read_range", &json!({ "workbook": "sales.csv", "ranges": ["A1:B3"] }));
        answer["ranges"][0]["values"].as_array().map(Vec::len)
    };
    assert_eq!(read(), Some(1));
    assert!(!server.tools().contains(&"vba".to_owned()));

    let done = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (done, address) = (Arc::clone(&done), server.address.clone());
            std::thread::spawn(move || {
                let mut answered = 0;
                while !done.load(Ordering::Relaxed) {
                    let answer = request(&address, "tools/call", &list());
                    assert!(answer["result"]["structuredContent"]["workbooks"].is_array(), "{answer}");
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for round in 0..5 {
        let cells = if round % 2 == 0 { 1_000 } else { 2 };
        place.write(
            "server.toml",
            &format!(
                "[limits]\nmax_cells = {cells}\nmax_concurrent_calls = {}\n[flags]\nvba_enabled = true\n",
                6 + round
            ),
        );
        server.hang_up();
        let said = server.said_until("the configuration was read again").join("\n");
        assert!(said.contains("option=\"limits.max_cells\""), "{said}");
        assert!(said.contains("a dangerous flag is on"), "{said}");
    }
    done.store(true, Ordering::Relaxed);
    for caller in callers {
        assert!(caller.join().expect("every request is answered") > 0);
    }
    assert_eq!(read(), Some(3));
    assert!(server.tools().contains(&"vba".to_owned()));

    // Nothing is said below the level, and again when it is raised.
    place.write("server.toml", "[logging]\nlog = \"error\"\n");
    server.hang_up();
    let end = Instant::now() + Duration::from_secs(60);
    while server.tools().contains(&"vba".to_owned()) {
        assert!(Instant::now() < end, "the flag stays on");
    }
    place.write("server.toml", "[limits]\nmax_cells = 7\n");
    server.hang_up();
    let said = server.said_until("the configuration was read again");
    assert!(!said.iter().any(|line| line.contains("vba_enabled")), "{said:#?}");
}

#[test]
fn a_wrong_file_changes_nothing_and_what_is_fixed_waits_for_a_restart() {
    let place = Place::new();
    place.write("server.toml", "[limits]\nmax_cells = 2\n");
    let server = place.serve(&[("SPREADSHEET_MCP_MAX_ITEMS", "50")]);
    let rows = || {
        let answer = server.call("read_range", &json!({ "workbook": "sales.csv", "ranges": ["A1:B3"] }));
        answer["ranges"][0]["values"].as_array().map(Vec::len)
    };
    place
        .write("server.toml", "[limits]\nmax_cells = 1000\nmax_item = 1\n[flags]\nvba_enabled = \"often\"\n");
    server.hang_up();
    let said = server.said_until("the configuration stays as it was").join("\n");
    assert!(said.contains("line 3") && said.contains("did you mean limits.max_items?"), "{said}");
    assert!(said.contains("line 5") && said.contains("often"), "{said}");
    assert_eq!(rows(), Some(1));

    place.write("server.toml", "[limits]\nmax_cells = 1000\nmax_items = 1\n[cache]\ncache_capacity = 60\n");
    for _ in 0..2 {
        server.hang_up();
        let said = server.said_until("the configuration was read again").join("\n");
        assert!(said.contains("an option changes at a restart option=\"cache.cache_capacity\""), "{said}");
        // The environment wins before and after.
        assert!(!said.contains("limits.max_items"), "{said}");
    }
    assert_eq!(rows(), Some(3));
}

#[test]
fn no_filter_lets_the_requests_of_the_protocol_library_through() {
    let place = Place::new();
    place.write("server.toml", "");
    let server = place.serve(&[("RUST_LOG", "trace,rmcp=trace,rmcp::service=trace")]);
    server.call("find", &json!({ "workbook": "sales.csv", "query": "canary" }));
    server.hang_up();
    let said = server.said_until("the configuration was read again").join("\n");
    assert!(!said.contains("canary"), "{said}");
}

#[test]
fn dangerous_flags_are_announced_at_every_start() {
    let place = Place::new();
    place.write("server.toml", "[flags]\nallow_overwrite = true\nvba_enabled = \"50%\"\n");
    let server = place.serve(&[]);
    let warnings: Vec<&String> =
        server.announced.iter().filter(|line| line.contains("WARN") && line.contains("dangerous")).collect();
    assert_eq!(warnings.len(), 2, "{:#?}", server.announced);
    assert!(warnings[0].contains("allow_overwrite") && warnings[0].contains("rollout=true"), "{warnings:?}");
    assert!(warnings[1].contains("vba_enabled") && warnings[1].contains("rollout=50%"), "{warnings:?}");
    // Whoever connects and does not say who they are is beyond these 50 %; whoever has a shell is not.
    assert!(!server.tools().contains(&"vba".to_owned()));
    let (_, of_shell, _) = place.run(&["tools", "--config", "server.toml"], &[]);
    assert!(of_shell.contains("\nvba\n"), "{of_shell}");
    place.write("server.toml", "[flags]\nvba_enabled = \"73%\"\n");
    server.hang_up();
    server.said_until("the configuration was read again");
    assert!(server.tools().contains(&"vba".to_owned()));
    place.write("server.toml", "");
    let silent = place.serve(&[]);
    assert!(!silent.announced.iter().any(|line| line.contains("dangerous")), "{:#?}", silent.announced);
}
