//! Eight clients at once, on one fork and on their own: no update is lost, every call returns, conflicts are typed.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Client, Place, Server, fork_of, set, values};

const CLIENTS: usize = 8;
const COLUMNS: [&str; CLIENTS] = ["A", "B", "C", "D", "E", "F", "G", "H"];
/// Rows of a column that a client writes again and again: long runs stay readable in one answer.
const ROWS: u64 = 50;

/// How long clients write; a minute by hand, less in every run of the tests.
fn seconds() -> Duration {
    let asked = std::env::var("SPREADSHEET_TEST_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(asked.unwrap_or(10))
}

/// What a client did until its time was over.
#[derive(Default)]
struct Wrote {
    acknowledged: u64,
    conflicts: u64,
    slowest: Duration,
}

/// Writes increasing numbers down a column.
fn write(client: &Client, fork: &str, column: &str, expects_head: bool) -> Wrote {
    let mut wrote = Wrote::default();
    let mut head = 0_u64;
    let deadline = Instant::now() + seconds();
    while Instant::now() < deadline {
        let number = wrote.acknowledged;
        let mut arguments = set(fork, &format!("{column}{}", number % ROWS + 1), number + 1);
        if expects_head {
            arguments["expected_head"] = json!(head);
        }
        let start = Instant::now();
        let told = client.call("edit_cells", &arguments);
        wrote.slowest = wrote.slowest.max(start.elapsed());
        match told {
            Ok(answer) => {
                wrote.acknowledged += 1;
                head = answer["head"].as_u64().expect("a head");
            }
            Err(error) => {
                assert!(expects_head, "a writer who expects nothing meets no error: {error}");
                wrote.conflicts += 1;
                head = head_of_conflict(&error, head);
            }
        }
    }
    wrote
}

/// The head that a conflict tells, which has to name what was changed since `expected`.
fn head_of_conflict(error: &Value, expected: u64) -> u64 {
    assert_eq!(error["code"], "conflict", "{error}");
    let said = error["message"].as_str().expect("a message");
    let (_, changes) =
        said.split_once("since then: ").unwrap_or_else(|| panic!("it names no change: {said}"));
    let changes = changes.trim_end_matches(')');
    let last = changes.rsplit(", ").find_map(|change| change.split(' ').next()?.parse::<u64>().ok());
    let head = last.unwrap_or_else(|| panic!("it names no entry: {said}"));
    assert!(head > expected, "{said}");
    assert!(changes.contains("set"), "it does not say what was done: {said}");
    head
}

/// What has to be in a column after so many numbers were written down it.
fn column_after(acknowledged: u64) -> Vec<Value> {
    let written_last = |row: u64| {
        // The last number whose row this is.
        let rounds = (acknowledged + ROWS - 1 - row) / ROWS;
        if rounds == 0 { Value::Null } else { json!((rounds - 1) * ROWS + row + 1) }
    };
    (0..ROWS).map(written_last).collect()
}

fn check_columns(client: &Client, workbook: &str, wrote: &[(usize, u64)]) {
    for &(column, acknowledged) in wrote {
        let letter = COLUMNS[column];
        let range = format!("{letter}1:{letter}{ROWS}");
        let read = values(client.call("read_range", &json!({ "workbook": workbook, "ranges": [range] })));
        let cells: Vec<Value> =
            read.into_iter().map(|row| row.into_iter().next().unwrap_or_default()).collect();
        let expected = column_after(acknowledged);
        let known = |row: usize| cells.get(row).cloned().unwrap_or_default();
        for (row, expected) in expected.iter().enumerate() {
            assert_eq!(known(row), *expected, "{letter}{} of {workbook}: an update was lost", row + 1);
        }
    }
}

fn check(name: &str, one_fork: bool, expects_head: bool) {
    let place = Place::new();
    let server = place.serve(&[]);
    let client = server.client();
    let forks: Vec<String> = (0..if one_fork { 1 } else { CLIENTS })
        .map(|_| fork_of(client.call("create_fork", &json!({}))))
        .collect();
    let fork_of_client = |number: usize| &forks[number % forks.len()];
    let wrote: Vec<Wrote> = std::thread::scope(|scope| {
        let writers: Vec<_> = COLUMNS
            .iter()
            .enumerate()
            .map(|(number, column)| {
                let (client, fork) = (server.client(), fork_of_client(number));
                scope.spawn(move || write(&client, fork, column, expects_head))
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().expect("it wrote")).collect()
    });
    let acknowledged: u64 = wrote.iter().map(|wrote| wrote.acknowledged).sum();
    let conflicts: u64 = wrote.iter().map(|wrote| wrote.conflicts).sum();
    let slowest = wrote.iter().map(|wrote| wrote.slowest).max().unwrap_or_default();
    println!("{name}: {acknowledged} edits acknowledged, {conflicts} conflicts, slowest call {slowest:?}");
    assert!(acknowledged > 0 && (conflicts > 0) == (one_fork && expects_head), "{name}");

    for (number, fork) in forks.iter().enumerate() {
        let of_fork = |column: &usize| column % forks.len() == number;
        let columns: Vec<(usize, u64)> =
            (0..CLIENTS).filter(of_fork).map(|column| (column, wrote[column].acknowledged)).collect();
        let path = format!("saved{number}.xlsx");
        let saved = client.call("save_fork", &json!({ "fork": fork, "path": path })).expect("saved");
        let total: u64 = columns.iter().map(|(_, acknowledged)| acknowledged).sum();
        assert_eq!(saved["head"], total, "one state for each acknowledged edit");
        check_columns(&client, fork, &columns);
        check_columns(&client, &path, &columns);
    }
}

#[test]
fn on_one_fork_who_expect_nothing() {
    check("one fork", true, false);
}

#[test]
fn on_one_fork_who_expect_its_head() {
    check("one fork, expected_head", true, true);
}

#[test]
fn on_forks_of_their_own() {
    check("a fork each", false, true);
}

/// Whoever hears nothing repeats a call, maybe at another server, which may be at it while the first one still is.
#[test]
fn a_call_that_two_servers_get_at_once_is_done_once() {
    let place = Place::new();
    let servers = [place.serve(&[]), place.serve(&[])];
    let fork = fork_of(servers[0].call("create_fork", &json!({ "sheets": ["Data"] })));
    for number in 1..=20_u64 {
        let mut arguments = set(&fork, "Data!A1", number);
        arguments["idempotency_key"] = json!(format!("call-{number}"));
        let heads: Vec<Option<u64>> = std::thread::scope(|scope| {
            let call = |server| {
                let arguments = &arguments;
                scope.spawn(move || {
                    Server::call(server, "edit_cells", arguments).expect("answered")["head"].as_u64()
                })
            };
            let calls: Vec<_> = servers.iter().map(call).collect();
            calls.into_iter().map(|call| call.join().expect("no panic")).collect()
        });
        assert_eq!(heads, [Some(number); 2]);
    }
    for server in servers {
        server.end();
    }
}
