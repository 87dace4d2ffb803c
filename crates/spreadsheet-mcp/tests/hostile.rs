//! Files that try to hurt, through the whole program: each ends in a typed error or a right answer, soon and in bounded
//! memory, and the program answers the next call.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use fixtures::hostile::Owed;
use rmcp::{
    RoleClient, ServiceExt, model::CallToolRequestParams, service::RunningService,
    transport::TokioChildProcess,
};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_spreadsheet-mcp");
/// How long a call may take.
const MAX_TIME: Duration = Duration::from_secs(5);
/// How much memory the program may ever have, in kB.
const MAX_MEMORY: u64 = 512_000;

/// The program over a folder.
struct Program {
    client: RunningService<RoleClient, ()>,
    process: u32,
}

impl Program {
    async fn start(workspace: &Path) -> Program {
        let mut command = tokio::process::Command::new(PROGRAM);
        command.args(["serve", "--transport", "stdio", "--workspace"]).arg(workspace);
        let transport = TokioChildProcess::new(command).expect("it starts");
        let process = transport.id().expect("it runs");
        Program { client: ().serve(transport).await.expect("it answers"), process }
    }

    /// An answer, or the code of the error.
    async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value, String> {
        let said = format!("{tool} {arguments}");
        let request = CallToolRequestParams::new(tool)
            .with_arguments(arguments.as_object().cloned().unwrap_or_default());
        let start = Instant::now();
        let result = self.client.call_tool(request).await.unwrap_or_else(|error| panic!("{said}: {error}"));
        let elapsed = start.elapsed();
        assert!(elapsed < MAX_TIME, "{said} took {elapsed:?}");
        let body = result.structured_content.unwrap_or_default();
        if result.is_error != Some(true) {
            return Ok(body);
        }
        let code = body["error"]["code"].as_str().unwrap_or_default();
        assert!(!["", "internal", "timeout"].contains(&code), "{said}: {body}");
        Err(code.to_owned())
    }

    /// The most memory that it ever had, in kB.
    fn peak_memory(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process)).expect("it still runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a high-water mark");
        line.trim().trim_end_matches("kB").trim().parse().expect("a number")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_ends_in_an_answer_or_a_typed_error() {
    let folder = tempfile::tempdir().expect("a folder");
    for file in fixtures::hostile::all().expect("the files") {
        let path = folder.path().join(file.name);
        std::fs::write(&path, &file.bytes).expect("written");
        let program = Program::start(folder.path()).await;
        let workbook = file.name;
        let start = Instant::now();
        let described = program.call("describe_workbook", json!({ "workbook": workbook })).await;
        match file.owed {
            Owed::Answer => assert!(described.is_ok(), "{workbook}: {described:?}"),
            Owed::Error => assert!(described.is_err(), "{workbook}: {described:?}"),
            Owed::Either => {}
        }
        let sheet = match &described {
            Ok(answer) => answer["sheets"][0]["name"].as_str().unwrap_or_default().to_owned(),
            Err(_) => "Sheet1".to_owned(),
        };
        let range = grid::quote(&sheet).into_owned();
        let calls = [
            ("sheet_overview", json!({ "workbook": workbook, "sheet": sheet })),
            (
                "read_range",
                json!({ "workbook": workbook, "ranges": [range], "fields": ["text", "formula", "style"] }),
            ),
            ("read_table", json!({ "workbook": workbook, "range": range, "sort": ["A"] })),
            ("table_profile", json!({ "workbook": workbook, "range": range })),
            ("find", json!({ "workbook": workbook, "text": "zzz" })),
            ("formula_map", json!({ "workbook": workbook })),
            (
                "formula_trace",
                json!({ "workbook": workbook, "range": format!("{range}!A1"), "direction": "both" }),
            ),
            ("styles", json!({ "workbook": workbook, "range": range })),
        ];
        for (tool, arguments) in calls {
            let answered = program.call(tool, arguments).await;
            assert!(described.is_ok() || answered.is_err(), "{tool} reads {workbook}, which cannot be read");
        }
        let peak = program.peak_memory();
        let outcome = described.map_or_else(|code| code, |_| "answered".to_owned());
        println!("{workbook}: {outcome}, {peak} kB, {:?}", start.elapsed());
        assert!(peak < MAX_MEMORY, "{workbook}: {peak} kB");
        program.client.cancel().await.expect("it ends");
        std::fs::remove_file(&path).expect("removed");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_symlinked_workspace_is_one_and_its_links_lead_nowhere_else() {
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::write(outside.path().join("secret.csv"), "secret\n1\n").expect("written");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("open.csv"), "a\n1\n").expect("written");
    std::os::unix::fs::symlink(outside.path().join("secret.csv"), folder.path().join("secret.csv"))
        .expect("linked");
    std::os::unix::fs::symlink(outside.path(), folder.path().join("folder")).expect("linked");
    let link = outside.path().join("workspace");
    std::os::unix::fs::symlink(folder.path(), &link).expect("linked");

    let program = Program::start(&link).await;
    let listed = program.call("list_workbooks", json!({})).await.expect("listed");
    let paths: Vec<&str> = listed["workbooks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["path"].as_str())
        .collect();
    assert_eq!(paths, ["open.csv"]);
    for path in ["secret.csv", "folder/secret.csv", "../secret.csv", "/etc/passwd", "folder/../open.csv\0"] {
        let refused = program.call("describe_workbook", json!({ "workbook": path })).await.expect_err(path);
        assert!(["outside_workspace", "workbook_not_found"].contains(&refused.as_str()), "{path}: {refused}");
    }
    program.client.cancel().await.expect("it ends");
}
