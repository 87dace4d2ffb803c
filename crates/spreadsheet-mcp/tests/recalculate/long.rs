//! Evaluations that take long: ended by the time limit or by a client that hangs up, with nothing left that works on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    processes::{below, check_no_zombies, peak_bytes, process, wait_for},
    program::{Place, Server, code, fork_of, values},
};

/// Minutes of work in one formula.
const ENDLESS: &str = "=REDUCE(0,SEQUENCE(100000),LAMBDA(a,b,a+SUM(SEQUENCE(100000))))";

/// A fork of a new workbook with these formulas below each other.
fn fork(server: &Server, formulas: &[&str]) -> String {
    let fork = fork_of(server.call("create_fork", &json!({ "sheets": ["Data"] })));
    let rows: Vec<Vec<&str>> = formulas.iter().map(|formula| vec![*formula]).collect();
    let ops = json!([{ "op": "set", "range": "Data!A1", "values": rows }]);
    server.call("edit_cells", &json!({ "workbook": fork, "ops": ops })).expect("edited");
    fork
}

/// By the engine that can't be stopped from within.
fn by_process(fork: &str) -> Value {
    json!({ "workbook": fork, "engine": "ironcalc" })
}

fn evaluations(server: &Server) -> usize {
    below(server.id()).iter().filter(|process| process.command.contains("evaluate-formulas")).count()
}

/// The server computes what it is asked next.
#[track_caller]
fn check_works(server: &Server) {
    let fork = fork(server, &["=1+1"]);
    let computed = server.call("recalculate", &json!({ "workbook": fork })).expect("computed");
    assert_eq!(computed["changed_cells"], 1, "{computed}");
    let read = server.call("read_range", &json!({ "workbook": fork, "ranges": ["Data!A1"] }));
    assert_eq!(values(read), [[Value::from(2)]]);
}

/// The server does nothing any more.
#[track_caller]
fn check_rests(server: &Server) {
    wait_for("it works on", || {
        let ticks = || process(server.id()).map_or(0, |process| process.ticks);
        let before = ticks();
        std::thread::sleep(Duration::from_millis(300));
        ticks() - before <= 3
    });
    check_no_zombies(server.id());
}

#[test]
fn an_evaluation_in_a_process_of_its_own_gives_its_results() {
    let place = Place::new();
    let server = place.serve(&[]);
    let fork = fork(&server, &["=SUM(MAKEARRAY(20,20,LAMBDA(r,c,r*c)))", "=ROMAN(1999)"]);
    let computed = server.call("recalculate", &by_process(&fork)).expect("computed");
    assert_eq!((&computed["changed_cells"], computed.get("not_computed")), (&json!(2), None), "{computed}");
    let read = server.call("read_range", &json!({ "workbook": fork, "ranges": ["Data!A1:A2"] }));
    assert_eq!(values(read), [[json!(44_100)], [json!("MCMXCIX")]]);
    assert_eq!(evaluations(&server), 0);
    check_no_zombies(server.id());
}

#[test]
fn an_evaluation_in_a_process_of_its_own_ends_with_its_time() {
    let place = Place::new();
    let server = place.serve(&["--tool-timeout-ms", "1500"]);
    let fork = fork(&server, &[ENDLESS]);
    let started = Instant::now();
    let client = server.client();
    let told = std::thread::scope(|scope| {
        let call = scope.spawn(|| client.call("recalculate", &by_process(&fork)));
        wait_for("no process evaluates", || evaluations(&server) == 1);
        call.join().expect("no panic")
    });
    assert_eq!(code(told), "timeout");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    wait_for("the evaluation goes on", || evaluations(&server) == 0);
    check_rests(&server);
    check_works(&server);
}

#[test]
fn an_evaluation_that_nobody_waits_for_is_ended() {
    let place = Place::new();
    let server = place.serve(&[]);
    let fork = fork(&server, &[ENDLESS]);
    let client = server.client();
    std::thread::scope(|scope| {
        let arguments = by_process(&fork);
        scope.spawn(move || client.hang_up("recalculate", &arguments, Duration::from_secs(3)));
        wait_for("no process evaluates", || evaluations(&server) == 1);
    });
    wait_for("the evaluation goes on", || evaluations(&server) == 0);
    check_rests(&server);
    check_works(&server);
}

#[test]
fn an_evaluation_ends_with_the_server_that_is_killed() {
    let place = Place::new();
    let server = place.serve(&[]);
    let fork = fork(&server, &[ENDLESS]);
    let client = server.client();
    std::thread::scope(|scope| {
        scope.spawn(move || client.try_call("recalculate", &by_process(&fork)));
        wait_for("no process evaluates", || evaluations(&server) == 1);
        let evaluation = below(server.id()).pop().expect("the evaluation");
        server.kill();
        wait_for("the evaluation goes on", || process(evaluation.id).is_none());
    });
}

#[test]
fn a_calculation_of_many_formulas_ends_with_its_time() {
    let place = Place::new();
    place.write_slow_workbook("slow.xlsx");
    let server = place.serve(&["--tool-timeout-ms", "1500"]);
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "slow.xlsx" })));
    let started = Instant::now();
    assert_eq!(code(server.call("recalculate", &json!({ "workbook": fork }))), "timeout");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    check_rests(&server);
    check_works(&server);
}

#[test]
fn a_formula_that_applies_a_function_many_times_ends_with_its_time() {
    let place = Place::new();
    let server = place.serve(&["--tool-timeout-ms", "1500"]);
    let fork = fork(&server, &[ENDLESS]);
    let arguments = json!({ "workbook": fork, "engine": "formualizer" });
    assert_eq!(code(server.call("recalculate", &arguments)), "timeout");
    check_rests(&server);
    check_works(&server);
}

/// A formula that one function makes endless, or huge.
#[track_caller]
fn check_survives(formula: &str) {
    let place = Place::new();
    let server = place.serve(&["--tool-timeout-ms", "2500"]);
    let fork = fork(&server, &[formula]);
    for engine in ["auto", "formualizer", "ironcalc"] {
        let started = Instant::now();
        let told = server.call("recalculate", &json!({ "workbook": fork, "engine": engine }));
        assert!(started.elapsed() < Duration::from_secs(12), "{engine}: {:?}", started.elapsed());
        if let Err(error) = told {
            let code = error["code"].as_str().expect("a code");
            assert!(["timeout", "calculation_failed"].contains(&code), "{engine}: {error}");
        }
        wait_for("an evaluation goes on", || evaluations(&server) == 0);
    }
    check_rests(&server);
    let peak = peak_bytes(server.id());
    assert!(peak < 640 << 20, "the server took {peak} bytes");
    check_works(&server);
}

#[test]
fn a_sum_of_endless_terms_is_ended() {
    check_survives("=HYPGEOM.DIST(1E8,2E8,3E8,4E9,TRUE)");
    check_survives("=BESSELJ(1,1E9)");
    check_survives("=VDB(1E9,1,1E9,0,1E9)");
}

#[test]
fn memory_that_a_formula_asks_for_is_not_the_servers() {
    check_survives("=LEN(SUBSTITUTE(REPT(\"a\",32767),\"a\",REPT(\"b\",32767)))");
    check_survives("=SUM(SEQUENCE(1048576,16384))");
    check_survives("=SUM(ROW(1:1048576)*COLUMN(A:XFD))");
    check_survives("=SUMPRODUCT((A2:A1048576=TRANSPOSE(A2:A1048576))*1)");
}

#[test]
fn formulas_that_nest_deeply_break_nothing() {
    let nested = |open: &str, depth: usize, inner: &str, close: &str| {
        format!("={}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    check_survives(&nested("IF(B1=1,1,", 600, "0", ")"));
    check_survives(&nested("ABS(", 1_300, "1", ")"));
    check_survives(&nested("(", 4_000, "1", ")"));
    check_survives(&nested("-", 8_000, "1", ""));
    check_survives(&format!("=1{}", "+1".repeat(4_000)));
    check_survives(&format!("=1{}", "^1".repeat(4_000)));
}

#[test]
fn an_endless_formula_that_comes_later_is_ended_too() {
    let place = Place::new();
    let server = place.serve(&["--tool-timeout-ms", "2500"]);
    let fork = fork(&server, &["=1+1"]);
    let recalculate = || server.call("recalculate", &json!({ "workbook": fork }));
    recalculate().expect("computed");
    let endless = "=HYPGEOM.DIST(1E8,2E8,3E8,4E9,TRUE)";
    let what_if = json!([{ "Data!B1": endless }]);
    let arguments = json!({ "workbook": fork, "targets": ["Data!A1"], "what_if": what_if });
    assert_eq!(code(server.call("recalculate", &arguments)), "timeout");
    check_rests(&server);
    let ops = json!([{ "op": "set", "range": "Data!B1", "values": [[endless]] }]);
    server.call("edit_cells", &json!({ "workbook": fork, "ops": ops })).expect("edited");
    assert_eq!(code(recalculate()), "timeout");
    check_rests(&server);
    check_works(&server);
}
