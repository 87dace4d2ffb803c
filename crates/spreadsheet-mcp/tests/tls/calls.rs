//! Calls over TLS, by clients of several makes.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use rustls::{ProtocolVersion, version};
use serde_json::json;

use crate::{
    client::Client,
    place::{Secure, failures, sample},
};
use components::eventually;

#[test]
fn calls_are_answered() {
    let secure = Secure::new("");
    let server = secure.serve();
    let mut connection = secure.client(&server).connect().expect("they shake hands");
    assert_eq!(connection.certificate(), secure.identity.der);
    assert_eq!(connection.version(), Some(ProtocolVersion::TLSv1_3));
    // The client would take h2, which the server does not speak.
    assert_eq!(connection.protocol(), Some(b"http/1.1".as_slice()));
    for _ in 0..3 {
        let listed = connection.call("list_workbooks", &json!({})).expect("answered");
        assert_eq!(listed["workbooks"][0]["path"], "sales.csv");
    }
    let large = connection
        .call("read_range", &json!({ "workbook": "sales.csv", "ranges": ["A1:CV500"] }))
        .expect("answered");
    assert!(large["ranges"].is_array(), "{large}");
}

/// OpenSSL, by curl.
#[test]
fn curl_trusts_it() {
    let secure = Secure::new("");
    let server = secure.serve();
    let url = format!("https://{}/health/ready", server.address);
    let ran = |authority: &str| {
        let authority = secure.place.path(authority);
        Command::new("curl").args(["-sS", "--cacert"]).arg(authority).arg(&url).output().expect("curl")
    };
    let told = ran("ca.pem");
    assert!(told.status.success(), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stdout).contains("\"status\":\"ready\""), "{told:?}");
    let other = crate::authority::Authority::new("somebody else");
    secure.place.write("other.pem", &other.pem());
    assert_eq!(ran("other.pem").status.code(), Some(60), "curl refuses a certificate that it can't verify");
}

const CLIENT: &str = "
import asyncio, sys
from mcp import Client

async def main():
    async with Client(sys.argv[1]) as client:
        result = await client.call_tool('list_workbooks', {})
        print(result.structured_content['workbooks'][0]['path'])

asyncio.run(main())
";

#[test]
fn the_python_sdk_calls_a_tool() {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let python = home.join(".cache/spreadsheet-mcp/tools/python/bin/python");
    if !python.is_file() {
        eprintln!("SKIPPED: the Python SDK is not installed (make setup)");
        return;
    }
    let secure = Secure::new("");
    let server = secure.serve();
    let ran = Command::new(python)
        .args(["-B", "-c", CLIENT, &format!("https://{}/mcp", server.address)])
        .env("SSL_CERT_FILE", secure.place.path("ca.pem"))
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(String::from_utf8_lossy(&ran.stdout).trim(), "sales.csv", "{said}");
}

#[test]
fn old_versions_are_refused() {
    let secure = Secure::new("");
    let server = secure.serve();
    let scraper = secure.scraper(&server);
    let only = |version| Client::new(&server.address, &secure.authority, &[version], None);
    for (version, expected) in
        [(&version::TLS12, ProtocolVersion::TLSv1_2), (&version::TLS13, ProtocolVersion::TLSv1_3)]
    {
        assert_eq!(only(version).connect().expect("they shake hands").version(), Some(expected));
    }
    assert!(failures(&scraper, "incompatible") < 1.0);
    // Its own rules would not let curl speak it.
    let ran = Command::new("curl")
        .args(["-sSk", "--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"])
        .arg(format!("https://{}/health/live", server.address))
        .output()
        .expect("curl");
    assert!(!ran.status.success(), "{ran:?}");
    assert_eq!(failures(&scraper, "incompatible"), 1.0, "the server has seen and refused it: {ran:?}");
}

#[test]
fn the_oldest_version_is_an_option() {
    let secure = Secure::new("tls_min_version = \"1.3\"\n[logging]\nlog = \"debug\"\n");
    let server = secure.serve();
    let scraper = secure.scraper(&server);
    let only =
        |version| Client::new(&server.address, &secure.authority, &[version], None).get("/health/live");
    assert_eq!(only(&version::TLS13).expect("answered").0, 200);
    assert!(only(&version::TLS12).is_err());
    let said = server.said_until("a handshake failed").join("\n");
    assert!(said.contains("reason=\"incompatible\""), "{said}");
    assert_eq!(failures(&scraper, "incompatible"), 1.0);
}

#[test]
fn plain_http_is_told_to_speak_tls() {
    let secure = Secure::new("");
    let server = secure.serve();
    let begun = Instant::now();
    let mut stream = TcpStream::connect(&server.address).expect("it listens");
    let body = "x".repeat(50_000);
    let request = format!("POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.contains("use https://"), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

/// Writes a workbook that no engine computes within the limit of a call.
fn write_slow_workbook(path: &Path) {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for row in 0..20_000 {
        let at = row + 1;
        let formula = format!("=SUMPRODUCT((A$1:A$20000>A{at})*(MOD(A$1:A$20000,7)=MOD(A{at},7)))");
        sheet.write_number(row, 0, f64::from(row * 31 % 997)).expect("a cell");
        sheet.write_formula(row, 1, formula.as_str()).expect("a cell");
    }
    book.save(path).expect("saved");
}

#[test]
fn a_call_in_flight_is_answered_while_the_server_drains() {
    let secure = Secure::new("[limits]\ntool_timeout_ms = 5000\n");
    write_slow_workbook(&secure.place.path("books/slow.xlsx"));
    let mut server = secure.serve();
    let (client, scraper) = (secure.client(&server), secure.scraper(&server));
    let created = client.call("create_fork", &json!({ "workbook": "slow.xlsx" })).expect("answered");
    let mut idle = client.connect().expect("they shake hands");
    assert_eq!(idle.ask("GET", "/health/live", "", "").expect("answered").0, 200);
    let slow =
        std::thread::spawn(move || client.call("recalculate", &json!({ "workbook": created["fork"] })));
    let in_flight = || sample(&scraper, "spreadsheet_mcp_requests_in_flight");
    eventually("the call does not start", || (in_flight() > 0.0).then_some(()));
    server.signal("-TERM");
    server.said_until("draining");
    assert!(in_flight() > 0.0, "metrics are told while the call goes on");
    let answer = slow.join().expect("it ends").expect("answered");
    assert_eq!(answer["error"]["code"], "timeout", "{answer}");
    assert_eq!(server.wait(), Some(0));
    // Closed as TLS says, so that nobody can cut off an answer unnoticed.
    assert_eq!(idle.rest().expect("closed cleanly"), b"");
}
