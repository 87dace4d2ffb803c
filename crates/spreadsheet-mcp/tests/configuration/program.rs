//! The program with a configuration of its own: nothing of the environment of the tests reaches it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// What takes longer hangs.
const MAX_TIME: Duration = Duration::from_secs(60);

/// A folder with a workspace and a configuration.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("books")).expect("a folder");
        std::fs::write(folder.path().join("books/sales.csv"), "region,amount\nnorth,1\nsouth,2\n")
            .expect("written");
        Place { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    /// The program, in this folder.
    pub(crate) fn program(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("XDG_STATE_HOME", self.path("state")).envs(environment.iter().copied());
        command
    }

    /// What the program says: exit code, standard output, standard error.
    pub(crate) fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
        let Output { status, stdout, stderr } =
            self.program(arguments, environment).output().expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (status.code().expect("a code"), text(stdout), text(stderr))
    }

    /// A server over the workspace `books`, with the file `server.toml`.
    pub(crate) fn serve(&self, environment: &[(&str, &str)]) -> Server {
        self.serve_at("127.0.0.1:0", environment)
    }

    /// The same at an address.
    pub(crate) fn serve_at(&self, address: &str, environment: &[(&str, &str)]) -> Server {
        let arguments = ["serve", "--bind", address, "--workspace", "books", "--config", "server.toml"];
        let mut child =
            self.program(&arguments, environment).stderr(Stdio::piped()).spawn().expect("the program starts");
        let lines = BufReader::new(child.stderr.take().expect("standard error")).lines();
        let (said, log) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(said.send(line))));
        let mut server = Server { child, address: String::new(), announced: Vec::new(), log };
        let begins = "serving MCP on ";
        let lines = server.said_until(begins);
        let announced = lines.last().and_then(|line| line.split(begins).nth(1)?.split("://").nth(1));
        let announced = announced.expect("an address");
        server.address = announced.split('/').next().expect("an address").to_owned();
        server.announced = lines;
        server
    }
}

/// A server, killed when it goes.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    /// What it said until it was there.
    pub(crate) announced: Vec<String>,
    log: Receiver<String>,
}

impl Server {
    /// The lines it logs until one contains a text.
    #[track_caller]
    pub(crate) fn said_until(&self, text: &str) -> Vec<String> {
        let end = Instant::now() + MAX_TIME;
        let mut lines = Vec::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.log.recv_timeout(left) {
                Ok(line) => lines.push(line),
                Err(_) => panic!("it does not say {text:?}: {lines:#?}"),
            }
            if lines.last().is_some_and(|line| line.contains(text)) {
                return lines;
            }
        }
    }

    /// Sends SIGHUP.
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
    }

    /// Waits for its end, and gives its code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }

    /// What a request is answered.
    pub(crate) fn request(&self, method: &str, params: &Value) -> Value {
        request(&self.address, method, params)
    }

    /// What a tool answers.
    pub(crate) fn call(&self, tool: &str, arguments: &Value) -> Value {
        let answer = self.request("tools/call", &json!({ "name": tool, "arguments": arguments }));
        answer["result"]["structuredContent"].clone()
    }

    /// The names of the tools it offers.
    pub(crate) fn tools(&self) -> Vec<String> {
        let answer = self.request("tools/list", &json!({}));
        let tools = answer["result"]["tools"].as_array().expect("tools").iter();
        tools.map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    }
}

/// What a server answers to a request.
pub(crate) fn request(address: &str, method: &str, params: &Value) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(MAX_TIME)).expect("set");
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nAccept: application/json, \
         text/event-stream\r\nMCP-Protocol-Version: 2025-11-25\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(body.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

impl Drop for Server {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// The repository's documentation.
pub(crate) fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}
