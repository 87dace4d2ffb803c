//! The tools over real files: each answer keeps its own schema and bound, and each refusal says why.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use server::{Server, error::ErrorCode};
use support::{call, server_over};

/// What a curious client asks of a workbook, given its description.
fn questions(description: &Value) -> Vec<(&'static str, Value)> {
    let mut asked = vec![
        ("formula_map", json!({})),
        ("styles", json!({})),
        ("vba", json!({})),
        ("find", json!({ "text": "total" })),
        ("find", json!({ "text": "=SUM", "in": "formulas" })),
    ];
    for sheet in description["sheets"].as_array().unwrap().iter().take(3) {
        let name = &sheet["name"];
        let quoted = grid::quote(name.as_str().unwrap());
        asked.push(("sheet_overview", json!({ "sheet": name })));
        let fields = ["value", "text", "formula", "style", "note"];
        asked.push(("read_range", json!({ "ranges": [format!("{quoted}!A1:Z40")], "fields": fields })));
        if let Some(used) = sheet["used"].as_str() {
            let used = format!("{quoted}!{used}");
            asked.push(("read_table", json!({ "range": used })));
            asked.push(("table_profile", json!({ "range": used })));
            asked.push(("formula_trace", json!({ "range": used, "direction": "both" })));
        }
    }
    asked
}

/// Refusals that a file or a bound can be the reason of, rather than a defect.
fn is_fair(code: ErrorCode, is_small: bool) -> bool {
    match code {
        ErrorCode::UnsupportedFile | ErrorCode::DamagedFile | ErrorCode::EncryptedFile => true,
        ErrorCode::LimitExceeded => true,
        ErrorCode::ResponseTooLarge => is_small,
        _ => false,
    }
}

fn check(server: &Server, is_small: bool) {
    let mut answers: BTreeMap<&str, u32> = BTreeMap::new();
    let mut too_large: BTreeMap<&str, u32> = BTreeMap::new();
    let mut unfair = Vec::new();
    let mut files = 0;
    for listed in server.context.workspace.list().unwrap().workbooks {
        let with = |mut arguments: Value| {
            arguments["workbook"] = json!(listed.path);
            arguments
        };
        let description = match call(server, "describe_workbook", with(json!({ "limit": 3 }))) {
            Ok(description) => description,
            Err(error) if is_fair(error.code, false) => continue,
            Err(error) if is_small && error.code == ErrorCode::ResponseTooLarge => {
                *too_large.entry("describe_workbook").or_default() += 1;
                continue;
            }
            Err(error) => {
                unfair.push(format!("{}: describe_workbook: {error}", listed.path));
                continue;
            }
        };
        files += 1;
        for (tool, arguments) in questions(&description) {
            match call(server, tool, with(arguments.clone())) {
                Ok(_) => *answers.entry(tool).or_default() += 1,
                Err(error) if is_fair(error.code, is_small) => {
                    let count = u32::from(error.code == ErrorCode::ResponseTooLarge);
                    *too_large.entry(tool).or_default() += count;
                }
                Err(error) => unfair.push(format!("{}: {tool} {arguments}: {error}", listed.path)),
            }
        }
    }
    println!("{files} workbooks; answers: {answers:?}; too large: {too_large:?}");
    assert!(unfair.is_empty(), "{} unfair refusals:\n{}", unfair.len(), unfair.join("\n"));
    assert!(files > 0 && answers.values().sum::<u32>() > 10 * files, "{files} workbooks, {answers:?}");
}

#[test]
fn real_files_are_answered() {
    let Some(corpus) = fixtures::corpus::folder() else { return };
    check(&server_over(&corpus, &["--vba-enabled", "--cache-capacity", "4"]), false);
}

#[test]
fn small_answers_stay_small() {
    let Some(corpus) = fixtures::corpus::folder() else { return };
    let flags = ["--vba-enabled", "--cache-capacity", "4", "--max-response-bytes", "4096"];
    check(&server_over(&corpus, &flags), true);
}
