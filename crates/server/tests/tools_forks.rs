//! Forks, as clients use them: made, edited, gone back, compared, saved.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs;
use std::sync::Arc;

use forks::{ForkId, Seq};
use serde_json::{Value, json};
use server::call::{Call, StopSignal};
use server::error::ErrorCode;
use server::principal::Principal;
use support::desk::Desk;

#[test]
fn a_fork_is_edited_and_the_file_stays() {
    let desk = Desk::new(&[]);
    let before = fs::read(desk.file("ledger.xlsx")).unwrap();
    let fork = desk.fork();
    let id = fork.as_str().unwrap();
    assert_eq!(desk.set(&fork, "Summary!H1", json!("007"))["head"], 1);
    assert_eq!(desk.read(id, "Summary!H1"), "007");
    assert_eq!(desk.read(&format!("{id}@base"), "Summary!H1"), Value::Null);
    assert_eq!(desk.read("ledger.xlsx", "Summary!H1"), Value::Null);
    let saved = desk.ask("save_fork", json!({ "fork": fork, "path": "out.xlsx" }));
    assert_eq!(saved["parts_changed"], json!(["xl/sharedStrings.xml", "xl/worksheets/sheet2.xml"]));
    assert_eq!(desk.read("out.xlsx", "Summary!H1"), "007");
    assert_eq!(fs::read(desk.file("ledger.xlsx")).unwrap(), before);
    // Names, tables and columns are addresses, too.
    let answer = desk.set(&fork, "Sales[Units]", json!(1));
    assert!(answer["changed_cells"].as_u64().unwrap() > 100, "{answer}");
}

#[test]
fn cells_that_move_have_not_changed() {
    let desk = Desk::new(&[]);
    let fork = desk.fork();
    let ops = json!([
        { "op": "insert_rows", "range": "Summary!2:4" },
        { "op": "set", "range": "Summary!H3", "values": [["new"]] },
        { "op": "delete_columns", "range": "Summary!F:F" },
    ]);
    let answer = desk.ask("edit_structure", json!({ "workbook": fork, "ops": ops }));
    assert_eq!(
        (&answer["changed_cells"], &answer["cells"]),
        (&json!(1), &json!([{ "cell": "Summary!G3", "new": "new" }]))
    );
}

#[test]
fn states_are_named_and_come_back_to() {
    let desk = Desk::new(&[]);
    let fork = desk.fork();
    let id = fork.as_str().unwrap();
    let checkpoint = |arguments: Value| {
        let mut arguments = arguments;
        arguments["fork"] = fork.clone();
        desk.ask("checkpoint", arguments)
    };
    desk.set(&fork, "Summary!H1", json!(1));
    checkpoint(json!({ "action": "create", "name": "one" }));
    desk.set(&fork, "Summary!H1", json!(2));
    assert_eq!(checkpoint(json!({ "action": "undo" }))["head"], 1);
    assert_eq!(desk.read(id, "Summary!H1"), 1);
    assert_eq!(checkpoint(json!({ "action": "redo" }))["head"], 2);
    assert_eq!(desk.read(id, "Summary!H1"), 2);
    checkpoint(json!({ "action": "restore", "name": "one" }));
    assert_eq!(
        (desk.read(id, "Summary!H1"), desk.read(&format!("{id}@2"), "Summary!H1")),
        (json!(1), json!(2))
    );
    // What was undone can be come back to even after another edit.
    assert_eq!(desk.set(&fork, "Summary!H1", json!(3))["head"], 3);
    checkpoint(json!({ "action": "restore", "head": 2 }));
    assert_eq!(desk.read(id, "Summary!H1"), 2);
    let diff = desk.ask("diff", json!({ "workbook": fork, "against": format!("{id}@one") }));
    assert_eq!(diff["changes"], json!([{ "range": "Summary!H1", "change": "value", "old": 1, "new": 2 }]));
    let listed = checkpoint(json!({ "action": "list" }));
    assert_eq!(listed["checkpoints"], json!([{ "name": "one", "head": 1 }]));
    assert_eq!(listed["history"][0]["summary"], "set Summary!H1");
    let (code, told) = desk.refused("checkpoint", json!({ "fork": fork, "action": "undo", "steps": 9 }));
    assert!(code == ErrorCode::NotFound && told.contains("at most 2"), "{told}");
}

#[test]
fn who_reads_an_earlier_state_leaves_the_head_ready() {
    let desk = Desk::new(&[]);
    let fork = desk.fork();
    for value in 1..=3 {
        desk.set(&fork, "Summary!H1", json!(value));
    }
    let id: ForkId = fork.as_str().unwrap().parse().unwrap();
    let call = Call::new(Arc::clone(&desk.server.context), Principal::local(), StopSignal::default(), None);
    let book = |state: Option<u64>| call.replayed(&id, state.map(Seq::new)).unwrap().live.book;
    let (head, earlier) = (book(None), book(Some(2)));
    assert_eq!(desk.read(&format!("{id}@base"), "Summary!H1"), Value::Null);
    assert_eq!(desk.read(&format!("{id}@1"), "Summary!H1"), 1);
    assert!(Arc::ptr_eq(&head, &book(None)), "nothing is replayed for it");
    assert!(Arc::ptr_eq(&earlier, &book(Some(2))), "nor for the next page of an earlier state");
    desk.set(&fork, "Summary!H1", json!(4));
    assert_eq!(desk.read(id.as_str(), "Summary!H1"), 4);
}

#[test]
fn batches_are_applied_whole_once_and_on_what_the_caller_saw() {
    let desk = Desk::new(&[]);
    let fork = desk.fork();
    let id = fork.as_str().unwrap();
    let good = json!({ "op": "set", "range": "Summary!H1", "values": [[1]] });
    let bad = json!({ "op": "set", "range": "Nowhere!A1", "values": [[1]] });
    let (code, told) = desk.refused("edit_cells", json!({ "workbook": fork, "ops": [good, bad] }));
    assert!(code == ErrorCode::EditRefused && told.contains("nothing was applied"), "{told}");
    assert_eq!(desk.read(id, "Summary!H1"), Value::Null);

    let keyed = json!({ "workbook": fork, "ops": [good], "idempotency_key": "k" });
    let first = desk.ask("edit_cells", keyed.clone());
    desk.set(&fork, "Summary!H1", json!(5));
    assert_eq!(desk.ask("edit_cells", keyed), first, "answered as before");
    assert_eq!(desk.read(id, "Summary!H1"), 5, "and not applied again");
    let other = json!({ "op": "set", "range": "Summary!H1", "values": [[2]] });
    let (code, _) =
        desk.refused("edit_cells", json!({ "workbook": fork, "ops": [other], "idempotency_key": "k" }));
    assert_eq!(code, ErrorCode::InvalidArgument);

    let (code, told) =
        desk.refused("edit_cells", json!({ "workbook": fork, "ops": [good], "expected_head": 1 }));
    assert!(code == ErrorCode::Conflict && told.contains("2 set Summary!H1"), "{told}");
}

#[test]
fn changes_are_previewed_and_staged() {
    let desk = Desk::new(&[]);
    let fork = desk.fork();
    let id = fork.as_str().unwrap();
    let ops = json!([{ "op": "set", "range": "Summary!H1", "values": [[7]] }]);
    let staged = desk.ask("edit_cells", json!({ "workbook": fork, "ops": ops, "stage": true }));
    assert_eq!((&staged["preview"], &staged["cells"][0]["new"]), (&json!(true), &json!(7)));
    assert_eq!(desk.read(id, "Summary!H1"), Value::Null);
    let applied = desk.ask("edit_cells", json!({ "workbook": fork, "apply": staged["staged"] }));
    assert_eq!(applied["head"], 1);
    assert_eq!(desk.read(id, "Summary!H1"), 7);
    let (code, _) = desk.refused("edit_cells", json!({ "workbook": fork, "apply": staged["staged"] }));
    assert_eq!(code, ErrorCode::NotFound, "applied once");
}

#[test]
fn files_are_replaced_only_where_that_is_allowed_and_nobody_changed_them() {
    let desk = Desk::new(&[]);
    let fork = desk.fork();
    let (code, _) = desk.refused("save_fork", json!({ "fork": fork }));
    assert_eq!(code, ErrorCode::AlreadyExists);
    let (code, _) = desk.refused("save_fork", json!({ "fork": fork, "overwrite": true }));
    assert_eq!(code, ErrorCode::OverwriteNotAllowed);

    let desk = Desk::new(&["--allow-overwrite"]);
    let before = fs::read(desk.file("ledger.xlsx")).unwrap();
    let fork = desk.fork();
    desk.set(&fork, "Summary!H1", json!(1));
    let saved = desk.ask("save_fork", json!({ "fork": fork, "overwrite": true }));
    assert!(saved["previous_version"].is_u64(), "{saved}");
    // What it has become by this fork is no change that the fork does not know.
    desk.set(&fork, "Summary!H1", json!(2));
    desk.ask("save_fork", json!({ "fork": fork, "overwrite": true }));
    assert_eq!(desk.read("ledger.xlsx", "Summary!H1"), 2);
    fs::write(desk.file("ledger.xlsx"), &before).unwrap();
    let (code, told) = desk.refused("save_fork", json!({ "fork": fork, "overwrite": true }));
    assert!(code == ErrorCode::TargetChanged && told.contains("new path"), "{told}");
    assert_eq!(fs::read(desk.file("ledger.xlsx")).unwrap(), before);
    for (path, code) in [
        ("../out.xlsx", ErrorCode::OutsideWorkspace),
        ("/etc/out.xlsx", ErrorCode::OutsideWorkspace),
        ("out.xls", ErrorCode::InvalidArgument),
        ("out.xlsm", ErrorCode::InvalidArgument),
        (".hidden.xlsx", ErrorCode::InvalidArgument),
        ("none/out.xlsx", ErrorCode::NotFound),
    ] {
        assert_eq!(desk.refused("save_fork", json!({ "fork": fork, "path": path })).0, code, "{path}");
    }
    assert_eq!(fs::read_dir(desk.file(".")).unwrap().count(), 1, "nothing half written is left");
}

#[test]
fn previous_versions_are_listed_and_come_back() {
    let desk = Desk::new(&["--allow-overwrite"]);
    let now = || fs::read(desk.file("ledger.xlsx")).unwrap();
    let save = |fork: &Value| desk.ask("save_fork", json!({ "fork": fork, "overwrite": true }));
    let versions =
        || desk.ask("list_forks", json!({ "versions_of": "ledger.xlsx" }))["versions"].as_array().cloned();
    let original = now();
    assert_eq!(versions(), None);
    let fork = desk.fork();
    desk.set(&fork, "Summary!H1", json!(1));
    let first = save(&fork)["previous_version"].clone();
    let once = now();
    desk.set(&fork, "Summary!H1", json!(2));
    let second = save(&fork)["previous_version"].clone();
    let listed = versions().unwrap();
    let told: Vec<_> =
        listed.iter().map(|it| (it["version"].clone(), it["bytes"].as_u64().unwrap())).collect();
    assert_eq!(told, [(second.clone(), once.len() as u64), (first.clone(), original.len() as u64)]);
    assert_eq!(listed[1]["by"], format!("{}@1", fork.as_str().unwrap()));

    let old = desk.ask("create_fork", json!({ "workbook": "ledger.xlsx", "version": first }));
    assert_eq!(
        (&old["origin"], desk.read(old["fork"].as_str().unwrap(), "Summary!H1")),
        (&json!("ledger.xlsx"), Value::Null)
    );
    let restored = save(&old["fork"]);
    assert!(now() == original, "byte for byte");
    assert_eq!(restored["parts_changed"], json!([]));
    // And the version that was replaced by it is kept, too.
    let newest = desk
        .ask("create_fork", json!({ "workbook": "ledger.xlsx", "version": restored["previous_version"] }));
    assert_eq!(desk.read(newest["fork"].as_str().unwrap(), "Summary!H1"), 2);

    // Somebody changes the file after the version was taken out.
    fs::write(desk.file("ledger.xlsx"), &once).unwrap();
    let (code, _) = desk.refused("save_fork", json!({ "fork": newest["fork"], "overwrite": true }));
    assert_eq!(code, ErrorCode::TargetChanged);
    // A file that is gone comes back.
    let again = desk.ask("create_fork", json!({ "workbook": "ledger.xlsx", "version": second }));
    fs::remove_file(desk.file("ledger.xlsx")).unwrap();
    desk.ask("save_fork", json!({ "fork": again["fork"] }));
    assert!(now() == once);

    let (code, told) = desk.refused("create_fork", json!({ "workbook": "ledger.xlsx", "version": 99 }));
    assert!(code == ErrorCode::NotFound && told.contains("versions_of"), "{told}");
    let (code, _) = desk.refused("create_fork", json!({ "version": 1 }));
    assert_eq!(code, ErrorCode::InvalidArgument);
    let (code, _) = desk.refused("list_forks", json!({ "versions_of": "../ledger.xlsx" }));
    assert_eq!(code, ErrorCode::OutsideWorkspace);
}

#[test]
fn another_file_is_replaced_only_by_who_knows_it() {
    let desk = Desk::new(&["--allow-overwrite"]);
    let fork = desk.fork();
    let over = |path: &str, digest: Value| {
        let mut arguments = json!({ "fork": fork, "path": path, "overwrite": true });
        if !digest.is_null() {
            arguments["expected_digest"] = digest;
        }
        arguments
    };
    let save = |path: &str, digest: Value| desk.ask("save_fork", over(path, digest));
    fs::write(desk.file("other.xlsx"), "a,b").unwrap();
    let error = json!(support::call(&desk.server, "save_fork", over("other.xlsx", Value::Null)).unwrap_err());
    assert_eq!((&error["code"], &error["where"]), (&json!("already_exists"), &json!("expected_digest")));
    let digest = json!(error["hint"].as_str().unwrap().split('"').nth(1).unwrap());

    fs::write(desk.file("other.xlsx"), "c,d").unwrap();
    let (code, told) = desk.refused("save_fork", over("other.xlsx", digest));
    assert!(code == ErrorCode::TargetChanged && told.contains("something else"), "{told}");
    assert_eq!(fs::read(desk.file("other.xlsx")).unwrap(), b"c,d");
    let (code, _) = desk.refused("save_fork", over("other.xlsx", json!("0123")));
    assert_eq!(code, ErrorCode::InvalidArgument);

    // What a save answers is what to expect of the next one.
    let first = save("new.xlsx", Value::Null);
    desk.set(&fork, "Ledger!A2", json!("changed"));
    let second = save("new.xlsx", first["digest"].clone());
    assert!(second["digest"] != first["digest"] && second["previous_version"].is_u64(), "{second}");
    let (code, _) = desk.refused("save_fork", over("new.xlsx", first["digest"].clone()));
    assert_eq!(code, ErrorCode::TargetChanged);
    let (code, _) = desk.refused("save_fork", over("none.xlsx", first["digest"].clone()));
    assert_eq!(code, ErrorCode::TargetChanged, "what is to be replaced has to be there");

    // Who knows what somebody else made of the origin may replace it, too.
    fs::write(desk.file("ledger.xlsx"), "somebody else's").unwrap();
    let (code, told) = desk.refused("save_fork", json!({ "fork": fork, "overwrite": true }));
    assert!(code == ErrorCode::TargetChanged && told.contains("new fork"), "{told}");
    let digest = forks::Digest::of(b"somebody else's").to_string();
    save("ledger.xlsx", json!(digest));
    assert_eq!(desk.read("ledger.xlsx", "Ledger!A2"), "changed");
}

#[test]
fn new_workbooks_and_other_formats_become_xlsx() {
    let desk = Desk::new(&[]);
    let new = desk.ask("create_fork", json!({ "sheets": ["Plan", "Data 2"] }));
    assert_eq!(new["sheets"], json!(["Plan", "Data 2"]));
    desk.set(&new["fork"], "'Data 2'!B2", json!("=1+1"));
    desk.ask("save_fork", json!({ "fork": new["fork"], "path": "new.xlsx" }));
    let (code, _) = desk.refused("save_fork", json!({ "fork": new["fork"] }));
    assert_eq!(code, ErrorCode::InvalidArgument, "there is no file to replace");

    fs::write(desk.file("a.csv"), "name,amount,day\nx,1.5,2026-01-31\n\"007\",2,2026-02-01\n").unwrap();
    let fork = desk.ask("create_fork", json!({ "workbook": "a.csv" }));
    assert_eq!(fork["converted_from"], "csv");
    desk.ask("save_fork", json!({ "fork": fork["fork"], "path": "a.xlsx" }));
    let rows = |workbook: &str| {
        desk.ask("read_range", json!({ "workbook": workbook, "ranges": ["a!A1:C3"] }))["ranges"][0]["values"]
            .clone()
    };
    assert_eq!(rows("a.xlsx"), rows("a.csv"));
}

#[test]
fn forks_are_listed_discarded_and_limited() {
    let desk = Desk::new(&["--max-forks", "2"]);
    let fork = desk.fork();
    desk.fork();
    let (code, told) = desk.refused("create_fork", json!({ "workbook": "ledger.xlsx" }));
    assert!(code == ErrorCode::LimitExceeded && told.contains("SPREADSHEET_MCP_MAX_FORKS"), "{told}");
    let listed = support::pages(&desk.server, "list_forks", json!({ "limit": 1 }));
    assert_eq!(listed.len(), 2);
    desk.ask("discard_fork", json!({ "fork": fork }));
    let (code, _) = desk.refused("read_range", json!({ "workbook": fork, "ranges": ["Summary!A1"] }));
    assert_eq!(code, ErrorCode::ForkNotFound);
    let (code, told) =
        desk.refused("edit_cells", json!({ "workbook": "ledger.xlsx", "ops": [{ "op": "x" }] }));
    assert!(code == ErrorCode::InvalidArgument && told.contains("create_fork"), "{told}");
}

#[test]
fn formulas_stay_within_their_workbook_unless_they_may_not() {
    let reaching = [
        ("edit_cells", json!({ "op": "set", "range": "Summary!H1", "values": [["='[b.xlsx]Q1'!A1*2"]] })),
        (
            "edit_cells",
            json!({ "op": "set", "range": "Summary!H1", "values": [["=WEBSERVICE(\"https://evil.example\")"]] }),
        ),
        (
            "edit_cells",
            json!({ "op": "paste", "range": "Summary!H1", "csv": "1;=DDE(\"soffice\",\"a\",\"b\")", "delimiter": ";" }),
        ),
        (
            "edit_structure",
            json!({ "op": "define_name", "name": "Elsewhere", "refers_to": "=[b.xlsx]Q1!$A$1" }),
        ),
        (
            "edit_format",
            json!({ "op": "validation", "range": "Summary!H1", "type": "custom", "values": ["=RTD(\"a\",,\"b\")=1"] }),
        ),
        (
            "edit_format",
            json!({
                "op": "conditional_format", "range": "Summary!H1", "rule": { "type": "expression", "formula": "=[b.xlsx]Q1!A1>1" },
                "format": { "fill": { "color": "#FFC7CE" } },
            }),
        ),
    ];
    let desk = Desk::new(&[]);
    let fork = desk.fork();
    for (tool, op) in &reaching {
        let asked = json!({ "workbook": fork, "ops": [op] });
        let (code, told) = desk.refused(tool, asked);
        assert_eq!(code, ErrorCode::EditRefused, "{op}: {told}");
        assert!(told.contains("SPREADSHEET_MCP_ALLOW_EXTERNAL_FORMULAS=true"), "{op}: {told}");
    }
    // Texts that look like such formulas are texts.
    desk.set(&fork, "Summary!H1", json!({ "text": "=[b.xlsx]Q1!A1" }));
    desk.set(&fork, "Summary!H2", json!("=HYPERLINK(\"https://example.org\",\"WEBSERVICE(1)\")"));
    let desk = Desk::new(&["--allow-external-formulas"]);
    let fork = desk.fork();
    desk.set(&fork, "Summary!H1", json!("=WEBSERVICE(\"https://example.org\")"));
}
