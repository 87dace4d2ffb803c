//! Results of formulas, whoever of several servers computes them: engines that stay loaded follow what others did.

use fixtures::Sequence;
use serde_json::{Value, json};

use crate::program::{Server, fork_of, set};
use crate::{migrate, place, read};

const ROUNDS: u64 = 150;

/// Numbers, what is computed of them, and formulas that come and go, to begin with.
fn fork(server: &Server) -> String {
    let fork = fork_of(server.call("create_fork", &json!({ "workbook": "book.xlsx" })));
    let rows = [
        json!([1, "=SUM(F1:F4)"]),
        json!([2, "=G1*2+F1"]),
        json!([3, "=IF(F2>50,G2,-G2)"]),
        json!([4, "=F4"]),
    ];
    let ops = json!([{ "op": "set", "range": "Data!F1:G4", "values": rows }]);
    server.call("edit_cells", &json!({ "workbook": fork, "ops": ops })).expect("edited");
    fork
}

/// That results are those of the numbers that are there.
fn check(server: &Server, fork: &str, what: &str) {
    let cells = read(server, fork, "Data!F1:H4");
    let number = |row: usize, column: usize| cells.get(row)?.get(column)?.as_f64();
    if number(0, 0).is_none() {
        // All of it was undone.
        return;
    }
    let sum: f64 = (0..4).filter_map(|row| number(row, 0)).sum();
    let doubled = sum * 2.0 + number(0, 0).expect("a number");
    let signed = if number(1, 0) > Some(50.0) { doubled } else { -doubled };
    let computed: Vec<Option<f64>> = (0..4).map(|row| number(row, 1)).collect();
    assert_eq!(computed, [Some(sum), Some(doubled), Some(signed), number(3, 0)], "{what}: {cells:?}");
    // It is there, or it is not.
    if let Some(extra) = number(0, 2) {
        assert_eq!(extra, doubled + 1.0, "{what}: {cells:?}");
    }
}

#[test]
fn results_are_of_what_is_there_whoever_computed_before() {
    let (place, url) = place();
    migrate(&url);
    let servers = [(); 3].map(|()| place.serve(&["--state-url", &url]));
    let mut sequence = Sequence::new(7);
    let fork = fork(&servers[0]);
    let mut done = Vec::new();
    let mut incremental = 0;
    for round in 0..ROUNDS {
        let at = sequence.below(3) as usize;
        let server = &servers[at];
        let step = |action: &str, steps: u64| {
            ("checkpoint", json!({ "fork": fork, "action": action, "steps": steps }))
        };
        let (tool, arguments) = match sequence.below(12) {
            0..=3 => {
                let cell = format!("Data!F{}", 1 + sequence.below(4));
                ("edit_cells", set(&fork, &cell, sequence.below(100)))
            }
            4 => ("edit_cells", set(&fork, "Data!H1", "=G2+1")),
            5 => ("edit_cells", set(&fork, "Data!H1", Value::Null)),
            6 => step("undo", 1 + sequence.below(3)),
            7 => step("redo", 1 + sequence.below(3)),
            _ => ("recalculate", json!({ "workbook": fork, "idempotency_key": format!("round-{round}") })),
        };
        done.push(format!("{tool} {arguments} at {at}"));
        let answer = match server.call(tool, &arguments) {
            // There may be nothing to undo.
            Err(refused) if tool == "checkpoint" && refused["code"] == "not_found" => continue,
            answer => answer.expect(tool),
        };
        if tool == "recalculate" {
            incremental += u64::from(answer["incremental"] == true);
            let (again, reader) =
                (&servers[sequence.below(3) as usize], &servers[sequence.below(3) as usize]);
            let told = again.call(tool, &arguments).expect("answered");
            for part in ["head", "engine", "changed_cells", "cells"] {
                assert_eq!(told[part], answer[part], "{part}, of what the same call was told");
            }
            check(reader, &fork, &done.join("\n"));
        }
    }
    println!("{incremental} calculations by an engine that was loaded");
    assert!(incremental > 0);
}
