//! The HTTP side as the network meets it: health, bounds on requests, foreign pages, and files that change.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

/// A server over HTTP on a free port.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(workspace: &Path, flags: &[&str]) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"))
            .args(["serve", "--transport", "http", "--bind", "127.0.0.1:0", "--workspace"])
            .arg(workspace)
            .args(flags)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("standard error")).lines();
        let announced = lines.next().expect("a line").expect("text");
        let address =
            announced.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address");
        Server { address: address.to_owned(), child }
    }

    /// Sends a request as it is and answers status and body.
    fn send(&self, head: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let head = format!("{head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).expect("sent");
        // A server that refuses the head does not read the body.
        let _refused = stream.write_all(body);
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, answer.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned()))
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {}", self.address), b"")
    }

    fn post(&self, headers: &str, body: &[u8]) -> (u16, String) {
        let accepts = "Content-Type: application/json\r\nAccept: application/json, text/event-stream";
        let head =
            format!("POST /mcp HTTP/1.1\r\n{accepts}\r\nMCP-Protocol-Version: 2025-11-25\r\n{headers}");
        self.send(&head, body)
    }

    /// Calls a tool.
    fn call(&self, tool: &str, arguments: &Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let (status, body) = self.post(&format!("Host: {}", self.address), request.to_string().as_bytes());
        assert_eq!(status, 200, "{body}");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        answer["result"]["structuredContent"].clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("sales.csv"), "region,amount\nnorth,1\n").expect("written");
    folder
}

#[test]
fn health_follows_the_workspace() {
    let folder = workspace();
    let server = Server::start(folder.path(), &[]);
    for path in ["/health/live", "/health/ready", "/health/startup"] {
        assert_eq!(server.get(path).0, 200, "{path}");
    }
    std::fs::remove_dir_all(folder.path()).expect("removed");
    assert_eq!(server.get("/health/live").0, 200);
    // What was seen is told for a second.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let (status, body) = server.get("/health/ready");
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("unreadable"), "{body}");
    assert_eq!(server.get("/elsewhere").0, 404);
}

#[test]
fn requests_are_bounded_and_foreign_pages_refused() {
    let folder = workspace();
    let server = Server::start(folder.path(), &["--max-request-bytes", "2000"]);
    let host = format!("Host: {}", server.address);
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} }).to_string();
    assert_eq!(server.post(&host, request.as_bytes()).0, 200);
    let padded = format!("{request}{}", " ".repeat(3_000));
    assert_eq!(server.post(&host, padded.as_bytes()).0, 413);
    assert_eq!(server.post(&host, &vec![b' '; 20 << 20]).0, 413);
    assert_eq!(server.post("Host: evil.example", request.as_bytes()).0, 403);
    assert_eq!(server.post(&format!("{host}\r\nOrigin: https://evil.example"), request.as_bytes()).0, 403);
    assert_eq!(server.post(&format!("{host}\r\nOrigin: http://localhost:6274"), request.as_bytes()).0, 200);
    assert!((400..500).contains(&server.post(&host, b"{").0));
    assert_eq!(server.post(&host, request.as_bytes()).0, 200);
}

#[test]
fn a_file_that_changes_is_read_anew_and_one_that_goes_is_missed() {
    let folder = workspace();
    let server = Server::start(folder.path(), &[]);
    let read = || server.call("read_range", &json!({ "workbook": "sales.csv", "ranges": ["B2"] }));
    assert_eq!(read()["ranges"][0]["values"], json!([[1]]));
    std::fs::write(folder.path().join("sales.csv"), "region,amount\nnorth,22\n").expect("written");
    assert_eq!(read()["ranges"][0]["values"], json!([[22]]));
    std::fs::write(folder.path().join("sales.csv"), b"PK\x03\x04").expect("written");
    assert_eq!(read()["error"]["code"], "damaged_file");
    std::fs::remove_file(folder.path().join("sales.csv")).expect("removed");
    assert_eq!(read()["error"]["code"], "workbook_not_found");
}
