//! The server under load, and what it sends spans to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::{Connection, Outcome};
use super::process;

/// Calls at once, as many as there are clients: what is measured is not how they queue.
pub(super) const AT_ONCE: &str = "64";
/// Calls at once, as servers have it by default.
pub(super) const BY_DEFAULT: &str = "16";

/// A server over HTTP; it ends with this value.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
    /// The key of a caller, where callers need one.
    pub(super) key: Option<String>,
    _folder: Option<TempDir>,
}

impl Server {
    /// Without authentication, metrics, tracing and audit.
    pub(super) fn bare(program: &Path, workspace: &Path) -> Result<Server> {
        let flags = ["--metrics-bind", "off", "--max-concurrent-calls", AT_ONCE];
        let folder = tempfile::tempdir()?;
        let mut server = Server::start(program, workspace, &folder.path().join("state"), &flags, &[])?;
        server._folder = Some(folder);
        Ok(server)
    }

    /// One of several, which keeps in a folder what is its own, with what says where their state is.
    pub(super) fn replica(
        program: &Path,
        workspace: &Path,
        own: &Path,
        environment: &[(&str, String)],
    ) -> Result<Server> {
        let flags = ["--metrics-bind", "off", "--max-concurrent-calls", AT_ONCE];
        Server::start(program, workspace, own, &flags, environment)
    }

    /// With all of them; one in a hundred calls is traced.
    pub(super) fn equipped(program: &Path, workspace: &Path, at_once: &str) -> Result<Server> {
        let folder = tempfile::tempdir()?;
        let keys = folder.path().join("keys.toml").display().to_string();
        let made = Command::new(program)
            .args(["keys", "create", "bench", "--role", "admin"])
            .env("SPREADSHEET_MCP_KEYS_FILE", &keys)
            .stderr(Stdio::inherit())
            .output()?;
        ensure!(made.status.success(), "no key was made");
        let key = String::from_utf8(made.stdout)?;
        let key = key.split_whitespace().last().context("no key")?.to_owned();
        let audit = folder.path().join("audit").display().to_string();
        let collector = collector()?;
        let flags = [
            "--keys-file",
            &keys,
            "--audit-dir",
            &audit,
            "--metrics-bind",
            "127.0.0.1:0",
            "--otlp-endpoint",
            &collector,
            "--otlp-protocol",
            "http",
            "--trace-sample-ratio",
            "0.01",
            "--max-concurrent-calls",
            at_once,
        ];
        let mut server = Server::start(program, workspace, &folder.path().join("state"), &flags, &[])?;
        (server.key, server._folder) = (Some(key), Some(folder));
        Ok(server)
    }

    /// With flags of its own.
    pub(super) fn start(
        program: &Path,
        workspace: &Path,
        state: &Path,
        flags: &[&str],
        environment: &[(&str, String)],
    ) -> Result<Server> {
        let mut child = Command::new(program)
            .args(["serve", "--transport", "http", "--bind", "127.0.0.1:0", "--workspace"])
            .arg(workspace)
            .arg("--state-dir")
            .arg(state)
            .args(flags)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to start {}", program.display()))?;
        let mut lines = BufReader::new(child.stderr.take().context("its standard error")?).lines();
        let address = loop {
            let line = lines.next().context("the server ended")??;
            let told = line.split_once("serving MCP on http://").and_then(|(_, rest)| rest.split('/').next());
            if let Some(address) = told {
                break address.parse()?;
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Server { child, address, key: None, _folder: None })
    }

    /// Calls a tool, which has to succeed.
    pub(super) fn call(&self, tool: &str, arguments: &Value) -> Result<Value> {
        let (outcome, answer) = Connection::open(self.address, self.key.as_deref())?.call(tool, arguments)?;
        ensure!(outcome == Outcome::Done, "{tool} was {outcome:?}");
        Ok(answer)
    }

    /// Makes a fork and gives its id.
    pub(super) fn create_fork(&self, workbook: &str) -> Result<String> {
        let answer = self.call("create_fork", &json!({ "workbook": workbook }))?;
        Ok(answer["fork"].as_str().context("no id")?.to_owned())
    }

    /// The id of its process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The time that it has computed, LibreOffice aside.
    pub(super) fn cpu(&self) -> Result<Duration> {
        process::cpu(self.id())
    }

    /// The memory that it has now, in bytes, LibreOffice aside.
    pub(super) fn memory(&self) -> Result<u64> {
        process::resident(self.id())
    }

    /// The file descriptors that it has open.
    pub(super) fn descriptors(&self) -> Result<usize> {
        process::descriptors(self.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Takes spans over HTTP and forgets them. Gives its URL.
fn collector() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || forget(stream));
        }
    });
    Ok(url)
}

fn forget(stream: TcpStream) -> Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            match line.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse()?;
                }
                None if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
    }
}
