//! One connection that is kept open, and asks one question at a time. It does as little as a client can.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// How long an answer may take.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// Refused because there is too much to do.
    Overloaded,
    /// Failed otherwise; what the answer says.
    Failed(String),
}

/// The arguments of an edit of one cell.
pub(super) fn set(fork: &str, cell: &str, value: usize) -> Value {
    json!({ "workbook": fork, "ops": [{ "op": "set", "range": cell, "values": [[value]] }] })
}

pub(super) struct Connection {
    address: SocketAddr,
    key: Option<String>,
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Connection {
    pub(super) fn open(address: SocketAddr, key: Option<&str>) -> Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(MAX_WAIT))?;
        Ok(Connection {
            address,
            key: key.map(str::to_owned),
            stream: BufReader::new(stream),
            body: Vec::new(),
        })
    }

    /// The bytes of a call.
    pub(super) fn request(&self, tool: &str, arguments: &Value) -> Vec<u8> {
        let body = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments }
        });
        let body = body.to_string();
        let key = self.key.as_ref().map(|key| format!("Authorization: Bearer {key}\r\n")).unwrap_or_default();
        format!(
            "POST /mcp HTTP/1.1\r\nHost: {}\r\n{key}Content-Type: application/json\r\nAccept: application/json, \
             text/event-stream\r\nMCP-Protocol-Version: 2025-11-25\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .into_bytes()
    }

    /// Calls a tool and gives what it answers, or what became of the call.
    pub(super) fn call(&mut self, tool: &str, arguments: &Value) -> Result<(Outcome, Value)> {
        let request = self.request(tool, arguments);
        let outcome = self.send(&request)?;
        let mut answer: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        Ok((outcome, answer["result"]["structuredContent"].take()))
    }

    /// Sends a call and reads its answer.
    pub(super) fn send(&mut self, request: &[u8]) -> Result<Outcome> {
        self.stream.get_mut().write_all(request)?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status: u16 =
            line.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
        let (mut length, mut is_chunked) = (0, false);
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                bail!("the connection ended within a head");
            }
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            }
            is_chunked |= name.eq_ignore_ascii_case("transfer-encoding") && value.contains("chunked");
        }
        self.body.clear();
        if is_chunked {
            self.read_chunks()?;
        } else {
            self.read(length)?;
        }
        Ok(self.outcome(status))
    }

    fn read(&mut self, length: usize) -> Result<()> {
        let start = self.body.len();
        self.body.resize(start + length, 0);
        Ok(self.stream.read_exact(&mut self.body[start..])?)
    }

    fn read_chunks(&mut self) -> Result<()> {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let length = usize::from_str_radix(line.trim(), 16).context("no length of a chunk")?;
            self.read(length)?;
            line.clear();
            self.stream.read_line(&mut line)?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    fn outcome(&self, status: u16) -> Outcome {
        let says = |text: &[u8]| self.body.windows(text.len()).any(|window| window == text);
        match status {
            200 if !says(b"\"isError\":true") && !says(b"\"error\":{\"code\":") => Outcome::Done,
            429 | 503 => Outcome::Overloaded,
            200 if says(b"\"code\":\"busy\"") => Outcome::Overloaded,
            _ => {
                let said = String::from_utf8_lossy(&self.body);
                Outcome::Failed(format!("{status}: {}", said.chars().take(300).collect::<String>()))
            }
        }
    }
}
