//! The program over real folders: as a server spoken to in JSON-RPC over HTTP, and as one process per call.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_spreadsheet-mcp");
/// How long a call may take; one that takes longer hangs.
const MAX_TIME: Duration = Duration::from_secs(60);

/// An answer, or the error that the tool gave: its code, where, and what to do.
pub(crate) type Told = Result<Value, Value>;

/// A workspace and a state directory.
pub(crate) struct Place {
    _folder: Option<TempDir>,
    pub(crate) workspace: PathBuf,
    pub(crate) state: PathBuf,
    /// Where its servers put what is temporary.
    pub(crate) temporary: PathBuf,
    /// What its servers find in their environment.
    pub(crate) environment: Vec<(String, String)>,
}

impl Place {
    /// Both in a new folder.
    pub(crate) fn new() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::below(folder.path());
        Place { _folder: Some(folder), ..place }
    }

    /// Both in a folder that is there.
    pub(crate) fn below(folder: &Path) -> Place {
        let (workspace, state, temporary) =
            (folder.join("workspace"), folder.join("state"), folder.join("tmp"));
        std::fs::create_dir_all(&workspace).expect("a workspace");
        std::fs::create_dir_all(&temporary).expect("a folder");
        Place { _folder: None, workspace, state, temporary, environment: Vec::new() }
    }

    /// As another server has it that shares the workspace and nothing else.
    pub(crate) fn beside(&self) -> Place {
        let (workspace, environment) = (self.workspace.clone(), self.environment.clone());
        Place { workspace, environment, ..Place::new() }
    }

    /// A file of the workspace.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.workspace.join(name)
    }

    /// The files of the workspace, also those that are hidden.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.workspace).expect("the workspace");
        let name = |entry: io::Result<std::fs::DirEntry>| {
            entry.expect("an entry").file_name().to_string_lossy().into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    /// Writes a workbook with one sheet, `Data`.
    pub(crate) fn write_workbook(&self, name: &str) {
        let path = self.file(name);
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        sheet.set_name("Data").expect("a name");
        sheet.write_string(0, 0, "first").expect("a cell");
        book.save(path).expect("saved");
    }

    /// Writes a workbook with so many rows of texts and numbers on its sheet, `Data`.
    pub(crate) fn write_long_workbook(&self, name: &str, rows: u32) {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        sheet.set_name("Data").expect("a name");
        for row in 0..rows {
            sheet.write_string(row, 0, format!("item {row}")).expect("a cell");
            for col in 2..8 {
                sheet.write_number(row, col, f64::from(row * 7 + u32::from(col))).expect("a cell");
            }
        }
        book.save(self.file(name)).expect("saved");
    }

    /// Writes a workbook whose formulas each look at all numbers: minutes of work for any engine.
    pub(crate) fn write_slow_workbook(&self, name: &str) {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for row in 0..20_000 {
            let at = row + 1;
            let formula = format!("=SUMPRODUCT((A$1:A$20000>A{at})*(MOD(A$1:A$20000,7)=MOD(A{at},7)))");
            sheet.write_number(row, 0, f64::from(row * 31 % 997)).expect("a cell");
            sheet.write_formula(row, 1, formula.as_str()).expect("a cell");
        }
        book.save(self.file(name)).expect("saved");
    }

    /// Calls a tool in a process of its own.
    pub(crate) fn shell(&self, tool: &str, arguments: &Value) -> Told {
        let ran = Command::new(PROGRAM)
            .args(["call", tool, &arguments.to_string(), "--workspace"])
            .arg(&self.workspace)
            .arg("--state-dir")
            .arg(&self.state)
            .envs(self.environment.clone())
            .output()
            .expect("it runs");
        match ran.status.success() {
            true => Ok(serde_json::from_slice(&ran.stdout).expect("json")),
            false => {
                let body: Value = serde_json::from_slice(&ran.stderr).expect("json");
                Err(body["error"].clone())
            }
        }
    }

    /// A server over it.
    pub(crate) fn serve(&self, flags: &[&str]) -> Server {
        Server::start(self.command("127.0.0.1:0").args(flags))
    }

    /// The program, with its temporary files in this place.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.env("TMPDIR", &self.temporary).envs(self.environment.clone());
        command
    }

    /// The command that serves it at an address.
    pub(crate) fn command(&self, address: &str) -> Command {
        let mut command = self.program();
        command
            .args(["serve", "--transport", "http", "--bind", address, "--workspace"])
            .arg(&self.workspace)
            .arg("--state-dir")
            .arg(&self.state)
            // Nobody balances load here. A flag that says otherwise goes before.
            .env("SPREADSHEET_MCP_DRAIN_DELAY_MS", "0");
        command
    }
}

/// A server, killed when it goes.
pub(crate) struct Server {
    child: Child,
    address: String,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a command that serves, and waits until it does.
    pub(crate) fn start(command: &mut Command) -> Server {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("standard error")).lines();
        let mut said = Vec::new();
        let address = loop {
            let line = lines.next().unwrap_or_else(|| panic!("it ended: {said:?}")).expect("text");
            match line.split("http://").nth(1).and_then(|rest| rest.split('/').next()) {
                Some(address) => {
                    let address = address.to_owned();
                    said.push(line);
                    break address;
                }
                None => said.push(line),
            }
        };
        // What it logs is read on, so that it never waits for a reader.
        let log = Arc::new(Mutex::new(said.join("\n") + "\n"));
        let kept = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut log = kept.lock().expect("the log");
                log.push_str(&line);
                log.push('\n');
            }
        });
        Server { child, address, log, reader: Some(reader) }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("the log").clone()
    }

    /// Where it serves metrics.
    pub(crate) fn metrics(&self) -> Client {
        for _ in 0..500 {
            let log = self.log();
            let told = log.split("serving metrics on http://").nth(1).and_then(|rest| rest.split('/').next());
            if let Some(address) = told {
                return Client { address: address.to_owned() };
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it serves no metrics: {}", self.log());
    }

    /// Where it listens; outlives it.
    pub(crate) fn client(&self) -> Client {
        Client { address: self.address.clone() }
    }

    /// Calls a tool.
    pub(crate) fn call(&self, tool: &str, arguments: &Value) -> Told {
        self.client().call(tool, arguments)
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it by SIGTERM, waits for its end, and gives what it logged.
    pub(crate) fn end(self) -> String {
        self.terminate();
        let (code, log) = self.ended();
        assert_eq!(code, Some(0), "{log}");
        log
    }

    /// Sends it SIGTERM.
    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
    }

    /// Waits for its end, and gives its exit code and what it logged.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + MAX_TIME;
        let status = loop {
            match self.child.try_wait().expect("its status") {
                Some(status) => break status,
                None if Instant::now() > deadline => panic!("it does not end: {}", self.log()),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        self.reader.take().map(JoinHandle::join);
        (status.code(), self.log())
    }

    /// Ends it by SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Somebody who calls a server.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: String,
}

impl Client {
    /// Calls a tool of a server that answers.
    pub(crate) fn call(&self, tool: &str, arguments: &Value) -> Told {
        self.try_call(tool, arguments).unwrap_or_else(|error| panic!("{tool} {arguments}: {error}"))
    }

    /// What a page of the server says, after its status.
    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(MAX_TIME)).expect("set");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// Calls a tool, and hangs up after a while without having listened.
    pub(crate) fn hang_up(&self, tool: &str, arguments: &Value, after: Duration) {
        let stream = self.send(tool, arguments).expect("sent");
        std::thread::sleep(after);
        drop(stream);
    }

    /// Calls a tool, and hangs up without having listened as soon as the other end of the channel is gone.
    pub(crate) fn hang_up_when(&self, tool: &str, arguments: &Value, gone: &std::sync::mpsc::Receiver<()>) {
        let stream = self.send(tool, arguments).expect("sent");
        let _gone = gone.recv();
        drop(stream);
    }

    /// Calls a tool of a server that may die before it answers.
    pub(crate) fn try_call(&self, tool: &str, arguments: &Value) -> io::Result<Told> {
        let mut stream = self.send(tool, arguments)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        // An answer that was cut off is none.
        let mut message: Value = serde_json::from_str(body)?;
        let mut result = message["result"].take();
        let content = result["structuredContent"].take();
        match result["isError"] == json!(true) {
            false if content.is_object() => Ok(Ok(content)),
            false => panic!("{tool} {arguments}: {answer}"),
            true => Ok(Err(content["error"].clone())),
        }
    }

    fn send(&self, tool: &str, arguments: &Value) -> io::Result<TcpStream> {
        let request = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments }
        });
        let body = request.to_string();
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(MAX_TIME))?;
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: application/json, \
             text/event-stream\r\nMCP-Protocol-Version: 2025-11-25\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        Ok(stream)
    }
}

/// The code of an error, which has to say what to do.
pub(crate) fn code(told: Told) -> String {
    let error = told.expect_err("it is refused");
    assert!(error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "no remedy: {error}");
    error["code"].as_str().expect("a code").to_owned()
}

/// The fork that `create_fork` gives of a workbook.
pub(crate) fn fork_of(told: Told) -> String {
    told.expect("a fork")["fork"].as_str().expect("an id").to_owned()
}

/// Sets one cell of a fork.
pub(crate) fn set(fork: &str, cell: &str, value: impl Into<Value>) -> Value {
    let value: Value = value.into();
    json!({ "workbook": fork, "ops": [{ "op": "set", "range": cell, "values": [[value]] }] })
}

/// The values of a range.
pub(crate) fn values(told: Told) -> Vec<Vec<Value>> {
    let answer = told.expect("read");
    assert!(answer.get("next_cursor").is_none(), "the range is too large for one answer");
    let rows = answer["ranges"][0]["values"].as_array().cloned().unwrap_or_default();
    rows.into_iter().map(|row| row.as_array().cloned().unwrap_or_default()).collect()
}
