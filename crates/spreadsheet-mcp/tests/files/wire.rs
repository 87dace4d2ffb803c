//! Requests for files, byte by byte.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
    time::Duration,
};

use serde_json::Value;

use crate::program::{Place, Server};

/// What takes longer hangs.
const MAX_TIME: Duration = Duration::from_secs(240);

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found =
            self.head.lines().filter_map(|line| line.split_once(": ")).find(|(known, _)| *known == name);
        found.map(|(_, value)| value)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The code of the error, which says what to do.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        let error = self.json()["error"].clone();
        assert!(error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "no remedy: {self:?}");
        error["code"].as_str().expect("a code").to_owned()
    }

    #[track_caller]
    pub(crate) fn check(self, status: u16) -> Reply {
        let body = String::from_utf8_lossy(&self.body[..self.body.len().min(500)]);
        assert_eq!(self.status, status, "{} {body}", self.head);
        self
    }
}

/// Starts a request: its head is sent.
pub(crate) fn start(address: &str, method: &str, target: &str, headers: &[(&str, &str)]) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(MAX_TIME)).expect("set");
    let mut head = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        head.push_str(&format!("Host: {address}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all((head + "\r\n").as_bytes()).expect("sent");
    stream
}

/// Reads an answer to its end.
pub(crate) fn reply(stream: &mut TcpStream) -> Reply {
    let mut answer = Vec::new();
    let _reset: io::Result<usize> = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(answer.len());
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Reply { status, head, body: answer.get(end + 4..).unwrap_or_default().to_vec() }
}

/// Sends a request without a body.
pub(crate) fn ask(server: &Server, method: &str, target: &str, headers: &[(&str, &str)]) -> Reply {
    reply(&mut start(&server.client().address, method, target, headers))
}

/// Sends a file.
pub(crate) fn put(server: &Server, target: &str, bytes: &[u8], headers: &[(&str, &str)]) -> Reply {
    let length = bytes.len().to_string();
    let headers = [headers, &[("Content-Length", length.as_str())]].concat();
    let mut stream = start(&server.client().address, "PUT", target, &headers);
    let _refused = stream.write_all(bytes);
    reply(&mut stream)
}

/// Runs curl, and gives what it says.
pub(crate) fn curl(arguments: &[&str]) -> String {
    let ran =
        Command::new("curl").args(["--silent", "--show-error", "--max-time", "60"]).args(arguments).output();
    let ran = ran.expect("curl runs: `make setup` installs it");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("text")
}

/// The URL of something of a server.
pub(crate) fn url(server: &Server, target: &str) -> String {
    format!("http://{}{target}", server.client().address)
}

/// A workbook of about that many bytes, with one sheet, `Data`, and a picture that no program looks at.
pub(crate) fn large_workbook(place: &Place, bytes: usize) -> Vec<u8> {
    let name = ".made.xlsx";
    place.write_workbook(name);
    let path = place.file(name);
    let file = std::fs::File::options().read(true).write(true).open(&path).expect("opens");
    let mut package = zip::ZipWriter::new_append(file).expect("a package");
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    package.start_file("xl/media/image1.png", options).expect("a part");
    let mut noise: u64 = 1;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (noise >> 56) as u8
    })
    .take(bytes)
    .collect();
    package.write_all(&noise).expect("written");
    package.finish().expect("saved");
    taken(&path)
}

/// A small workbook, whose only cell says `text`.
pub(crate) fn small_workbook(place: &Place, text: &str) -> Vec<u8> {
    let path = place.file(".small.xlsx");
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().set_name("Data").expect("a name").write_string(0, 0, text).expect("a cell");
    book.save(&path).expect("saved");
    taken(&path)
}

fn taken(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).expect("read");
    std::fs::remove_file(path).expect("removed");
    bytes
}
