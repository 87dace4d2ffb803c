//! Servers that share a database, as replicas do: each sees what the others did, none needs the database to start, and all go
//! on by themselves when it is back.

#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each test needs some of it")]
mod program;

mod results;

use std::process::{Command, Output};

use components::{Postgres, PostgresOptions, eventually, http};
use program::{Place, Server, code, fork_of, set, values};
use serde_json::{Value, json};

/// A workspace with a workbook, and the URL of an empty database.
fn place() -> (Place, String) {
    let place = Place::new();
    place.write_workbook("book.xlsx");
    let postgres = Postgres::shared();
    (place, postgres.url(&postgres.new_database()))
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp")).args(arguments).output().expect("it runs")
}

fn migrate(url: &str) {
    let done = run(&["migrate", "--state-url", url]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn read(server: &Server, fork: &str, range: &str) -> Vec<Vec<Value>> {
    values(server.call("read_range", &json!({ "workbook": fork, "ranges": [range] })))
}

/// Whether the server is ready, and what it says of the database.
fn health(server: &Server) -> (u16, String) {
    let (status, body) = server.client().get("/health/ready");
    (status, body["checks"]["database"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn each_replica_sees_the_edits_of_the_others_at_once() {
    let (place, url) = place();
    migrate(&url);
    let servers = [place.serve(&["--state-url", &url]), place.serve(&["--state-url", &url])];
    let fork = fork_of(servers[0].call("create_fork", &json!({ "workbook": "book.xlsx" })));
    for number in 1..=40_u64 {
        let (writer, reader) = (&servers[(number % 2) as usize], &servers[((number + 1) % 2) as usize]);
        let edited = writer.call("edit_cells", &set(&fork, "Data!B2", number)).expect("edited");
        assert_eq!(edited["head"], number);
        assert_eq!(read(reader, &fork, "Data!B2"), [[json!(number)]]);
    }

    let mut stale = set(&fork, "Data!B2", 0);
    stale["expected_head"] = json!(39);
    let refused = servers[1].call("edit_cells", &stale);
    assert_eq!(code(refused), "conflict");
    let mut once = set(&fork, "Data!C3", "once");
    once["idempotency_key"] = json!("key");
    let first = servers[0].call("edit_cells", &once).expect("edited");
    let again = servers[1].call("edit_cells", &once).expect("answered");
    assert_eq!(
        (&first["head"], &again["head"]),
        (&json!(41), &json!(41)),
        "the other replica knows the call"
    );

    // A process for one call is a replica, too.
    let arguments = json!({ "workbook": fork, "ranges": ["Data!C3"] }).to_string();
    let workspace = place.workspace.display().to_string();
    let state = place.state.display().to_string();
    let line = ["call", "read_range", &arguments, "--workspace", &workspace, "--state-dir", &state];
    let called = run(&[&line[..], &["--state-url", &url]].concat());
    let told: Value = serde_json::from_slice(&called.stdout).expect("json");
    assert_eq!(values(Ok(told)), [[json!("once")]]);

    servers[0].call("discard_fork", &json!({ "fork": fork })).expect("discarded");
    assert_eq!(code(servers[1].call("edit_cells", &set(&fork, "Data!B2", 1))), "fork_not_found");
}

#[test]
fn a_server_waits_for_its_tables_and_then_goes_on() {
    let (place, url) = place();
    let check = || run(&["migrate", "--check", "--state-url", &url]);
    assert_eq!(check().status.code(), Some(1));
    let server = place.serve(&["--state-url", &url]);
    let (status, said) = health(&server);
    assert_eq!((status, said.contains("run spreadsheet-mcp migrate")), (503, true), "{said}");
    let refused = server.call("create_fork", &json!({ "workbook": "book.xlsx" })).expect_err("no tables");
    assert_eq!(refused["code"], "state_unavailable");
    assert!(refused["hint"].as_str().is_some_and(|hint| hint.contains("migrate")), "{refused}");
    let log = server.log();
    assert_eq!(log.matches("the database cannot be used; forks are not available").count(), 1, "{log}");
    assert!(!log.contains("the state directory"), "{log}");

    migrate(&url);
    assert_eq!(check().status.code(), Some(0));
    eventually("it does not go on", || (health(&server) == (200, "answers".to_owned())).then_some(()));
    server.call("create_fork", &json!({ "workbook": "book.xlsx" })).expect("a fork");
    assert!(server.log().contains("the database answers again"), "{}", server.log());
}

const AWAY: &str = "the database does not answer; forks are not available";
const BACK: &str = "the database answers again";

/// How often a line is in the log.
fn told(server: &Server, line: &str) -> usize {
    server.log().matches(line).count()
}

/// The database was away so many times, each of which is told once, as is its end.
#[track_caller]
fn check_told(server: &Server, times: usize) {
    assert_eq!((told(server, AWAY), told(server, BACK)), (times, times), "{}", server.log());
    assert!(!server.log().contains("the state directory cannot be used"), "{}", server.log());
}

#[test]
fn without_its_database_a_server_serves_what_it_can_and_recovers() {
    let (place, _) = place();
    let mut postgres = Postgres::start(&PostgresOptions::default()).expect("PostgreSQL runs");
    let url = postgres.url(&postgres.new_database());
    migrate(&url);
    postgres.stop();

    // It starts without.
    let server = place.serve(&["--state-url", &url, "--metrics-bind", "127.0.0.1:0"]);
    assert_eq!(health(&server), (503, "does not answer".to_owned()));
    let workbook = json!({ "workbook": "book.xlsx", "ranges": ["Data!A1"] });
    assert_eq!(values(server.call("read_range", &workbook)), [[json!("first")]]);
    let refused = server.call("create_fork", &json!({ "workbook": "book.xlsx" })).expect_err("no database");
    assert_eq!(refused["code"], "state_unavailable", "{refused}");
    assert!(refused["retry_after_seconds"].as_u64().is_some_and(|seconds| seconds > 0), "{refused}");

    postgres.start_again().expect("it starts");
    eventually("it does not recover", || (health(&server).0 == 200).then_some(()));
    check_told(&server, 1);
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    server.call("edit_cells", &set(&fork, "Data!B2", 1)).expect("edited");
    postgres.kill();
    // Its processes go a moment after the one that was killed, and serve until then.
    eventually("it is still there", || (health(&server).0 == 503).then_some(()));
    let refused = server.call("edit_cells", &set(&fork, "Data!B2", 2)).expect_err("no database");
    assert_eq!(refused["code"], "state_unavailable", "{refused}");
    postgres.start_again().expect("it starts");
    eventually("it does not recover", || (health(&server).0 == 200).then_some(()));
    assert_eq!(read(&server, &fork, "Data!B2"), [[json!(1)]], "what was acknowledged is there");
    // Also while nobody calls.
    postgres.stop();
    eventually("nothing is told", || (told(&server, AWAY) == 3).then_some(()));
    postgres.start_again().expect("it starts");
    eventually("nothing is told", || (told(&server, BACK) == 3).then_some(()));
    check_told(&server, 3);

    let (_, _, page) = http("GET", &server.metrics().address, "/metrics", "", "");
    for name in
        ["database_connections_max 10", "store_failures_total{kind=\"away\"}", "database_failures_total"]
    {
        assert!(page.contains(&format!("spreadsheet_mcp_{name}")), "{name}: {page}");
    }
}

#[test]
fn a_password_comes_from_a_file_and_is_told_nowhere() {
    let access = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n".to_owned();
    let options = PostgresOptions { access: Some(access), ..PostgresOptions::default() };
    let postgres = Postgres::start(&options).expect("PostgreSQL runs");
    let database = postgres.new_database();
    postgres.execute(&database, "ALTER ROLE postgres PASSWORD 'canary-right'");
    let url = postgres.url(&database);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    let path = file.display().to_string();
    std::fs::write(&file, "canary-wrong\n").expect("written");
    let line = ["migrate", "--state-url", &url, "--state-password-file", &path];
    let refused = String::from_utf8(run(&line).stderr).expect("text");
    assert!(refused.contains("password authentication failed") && !refused.contains("canary"), "{refused}");
    std::fs::write(&file, "canary-right\n").expect("written");
    assert!(run(&line).status.success());

    let within = url.replace("postgres@", "postgres:canary-right@");
    let refused = run(&["migrate", "--state-url", &within]);
    assert_eq!(refused.status.code(), Some(64));
    let said = String::from_utf8(refused.stderr).expect("text");
    assert!(said.contains("must not hold a password") && !said.contains("canary"), "{said}");
}
