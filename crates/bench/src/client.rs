//! The program under measurement, spoken to as clients do: JSON-RPC over its standard streams.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// A server that talks over its standard streams; it ends with this value.
pub(crate) struct Client {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next_id: u64,
}

impl Client {
    /// Starts the program over a folder and introduces itself.
    pub(crate) fn start(program: &Path, workspace: &Path) -> Result<Client> {
        Client::start_with_state(program, workspace, &workspace.join("state"))
    }

    /// As [`Client::start`], with forks kept in a folder.
    pub(crate) fn start_with_state(program: &Path, workspace: &Path, state: &Path) -> Result<Client> {
        let mut child = Command::new(program)
            .args(["serve", "--transport", "stdio", "--workspace"])
            .arg(workspace)
            .arg("--state-dir")
            .arg(state)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("failed to start {}", program.display()))?;
        let input = child.stdin.take().context("its standard input")?;
        let output = BufReader::new(child.stdout.take().context("its standard output")?);
        let mut client = Client { child, input, output, next_id: 1 };
        let hello = json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "bench", "version": "1" }
        });
        client.request("initialize", &hello)?;
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))?;
        Ok(client)
    }

    /// Calls a tool and answers its structured content.
    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> Result<Value> {
        let result = self.request("tools/call", &json!({ "name": tool, "arguments": arguments }))?;
        if result["isError"] == json!(true) {
            bail!("{tool} failed: {}", result["structuredContent"]);
        }
        Ok(result["structuredContent"].clone())
    }

    /// The most memory that it ever had, in bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kibibytes * 1024)
    }

    fn request(&mut self, method: &str, params: &Value) -> Result<Value> {
        let id = self.next_id;
        self.next_id += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))?;
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line)? == 0 {
                bail!("the server ended during {method}");
            }
            let mut message: Value = serde_json::from_str(&line)?;
            if message["id"] == json!(id) {
                if let Some(error) = message.get("error") {
                    bail!("{method} failed: {error}");
                }
                return Ok(message["result"].take());
            }
        }
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        let mut line = message.to_string();
        line.push('\n');
        self.input.write_all(line.as_bytes())?;
        Ok(self.input.flush()?)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// From the start of the program to the answer that it is ready, over HTTP.
pub(crate) fn time_to_ready(program: &Path, workspace: &Path) -> Result<Duration> {
    let start = Instant::now();
    let mut child = Command::new(program)
        .args(["serve", "--transport", "http", "--bind", "127.0.0.1:0", "--workspace"])
        .arg(workspace)
        .stderr(Stdio::piped())
        .spawn()?;
    let mut announced = String::new();
    BufReader::new(child.stderr.take().context("its standard error")?).read_line(&mut announced)?;
    let ready = is_ready(&announced);
    let elapsed = start.elapsed();
    child.kill()?;
    child.wait()?;
    if ready.with_context(|| format!("no answer after {announced:?}"))? {
        return Ok(elapsed);
    }
    bail!("the server is not ready after {elapsed:?}")
}

fn is_ready(announced: &str) -> Result<bool> {
    let address =
        announced.split("http://").nth(1).and_then(|rest| rest.split('/').next()).context("no address")?;
    let mut stream = TcpStream::connect(address.parse::<SocketAddr>()?)?;
    write!(stream, "GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}
