//! The program, as a client meets it: over standard streams, over HTTP, and from a shell.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use rmcp::{
    RoleClient, ServiceExt,
    model::{CallToolRequestParams, ReadResourceRequestParams},
    service::RunningService,
    transport::{StreamableHttpClientTransport, TokioChildProcess},
};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_spreadsheet-mcp");

fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("sales.csv"), "region,amount\nnorth,1\n").expect("written");
    folder
}

/// A server over HTTP on a free port, ended by SIGTERM.
struct HttpServer {
    child: Child,
    url: String,
}

impl HttpServer {
    fn start(workspace: &Path) -> HttpServer {
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--transport", "http", "--bind", "127.0.0.1:0", "--workspace"])
            .arg(workspace)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("standard error")).lines();
        let announced = lines.next().expect("a line").expect("text");
        let url = announced.split_whitespace().find(|word| word.starts_with("http://")).expect("the address");
        HttpServer { url: url.to_owned(), child }
    }

    /// Asks it to end, and waits.
    fn stop(mut self) -> i32 {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill runs");
        assert!(asked.success());
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait().expect("its status") {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < deadline, "the server did not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
    }
}

async fn check_client(client: RunningService<RoleClient, ()>) {
    let tools = client.list_all_tools().await.expect("tools");
    assert_eq!(tools[0].name, "list_workbooks");
    let size = serde_json::to_string(&tools).expect("json").len();
    assert!(size <= 30_000, "tools/list has {size} bytes");

    let answer = client.call_tool(CallToolRequestParams::new("list_workbooks")).await.expect("answered");
    let structured = answer.structured_content.expect("structured content");
    let text = answer.content[0].as_text().expect("a text").text.clone();
    assert_eq!(serde_json::from_str::<Value>(&text).expect("json"), structured);
    assert_eq!(structured["workbooks"][0]["path"], "sales.csv");
    let schema = Value::Object((**tools[0].output_schema.as_ref().expect("a schema")).clone());
    assert!(
        schema["required"]
            .as_array()
            .expect("required")
            .iter()
            .all(|name| { structured.get(name.as_str().expect("a name")).is_some() })
    );

    let arguments = json!({ "limits": 1 }).as_object().cloned().unwrap_or_default();
    let refused = client
        .call_tool(CallToolRequestParams::new("list_workbooks").with_arguments(arguments))
        .await
        .expect("answered");
    assert_eq!(refused.is_error, Some(true));
    assert_eq!(refused.structured_content.expect("a body")["error"]["candidates"], json!(["limit"]));
    assert!(client.call_tool(CallToolRequestParams::new("list_workbook")).await.is_err());

    let resources = client.list_all_resources().await.expect("resources");
    assert_eq!(resources[0].uri, "workbook://sales.csv");
    assert!(client.read_resource(ReadResourceRequestParams::new("workbook://../etc/passwd")).await.is_err());
    client.cancel().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_standard_streams() {
    let folder = workspace();
    let mut command = tokio::process::Command::new(PROGRAM);
    command.args(["serve", "--transport", "stdio", "--workspace"]).arg(folder.path());
    let client = ().serve(TokioChildProcess::new(command).expect("it starts")).await.expect("it answers");
    check_client(client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http() {
    server::outbound::install_crypto();
    let folder = workspace();
    let server = HttpServer::start(folder.path());
    let transport = StreamableHttpClientTransport::from_uri(server.url.clone());
    let client = ().serve(transport).await.expect("it answers");
    check_client(client).await;
    assert_eq!(server.stop(), 0);
}

fn shell(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(PROGRAM).args(arguments).envs(variables.iter().copied()).output().expect("it runs")
}

#[test]
fn from_a_shell() {
    let folder = workspace();
    let path = folder.path().to_str().expect("unicode");
    let listed = shell(&["call", "list_workbooks", "--workspace", path], &[]);
    assert!(listed.status.success());
    let answer: Value = serde_json::from_slice(&listed.stdout).expect("json");
    assert_eq!(answer["total"], 1);

    let refused = shell(&["call", "list_workbooks", "{\"cursor\": \"x\"}", "--workspace", path], &[]);
    assert_eq!(refused.status.code(), Some(1));
    let error: Value = serde_json::from_slice(&refused.stderr).expect("json");
    assert_eq!(error["error"]["code"], "invalid_cursor");
}

#[test]
fn bad_configuration_ends_with_64_and_every_problem() {
    let variables = [("SPREADSHEET_MCP_MAX_CELLS", "many"), ("SPREADSHEET_MCP_CACHE_BYTES", "-1")];
    let refused = shell(&["serve"], &variables);
    assert_eq!(refused.status.code(), Some(64));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        said.contains("SPREADSHEET_MCP_MAX_CELLS") && said.contains("SPREADSHEET_MCP_CACHE_BYTES"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 3, "each problem once: {said}");
    let typo = shell(&["serve", "--max-cell", "3"], &[]);
    assert_eq!(typo.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&typo.stderr).contains("'--max-cells'"));
}
