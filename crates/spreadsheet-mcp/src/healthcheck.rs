//! `spreadsheet-mcp healthcheck`: asks a server that runs here whether it is well.

use std::{
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use clap::ValueEnum as _;
use server::config::ListenConfig;

use crate::{cli::HealthcheckArguments, exit, render::print};

/// Bytes of an answer that are read at most.
const MAX_ANSWER: u64 = 64 << 10;

/// Asks, and prints what the server says.
pub(crate) fn run(arguments: &HealthcheckArguments, listen: &ListenConfig) -> ExitCode {
    let probe = arguments.probe.to_possible_value().map(|value| value.get_name().to_owned());
    let path = format!("/health/{}", probe.unwrap_or_default());
    let address = reachable(listen.bind);
    match ask(address, &path, *arguments.timeout) {
        Ok((200, body)) => print(&body),
        Ok((status, body)) => {
            eprintln!("spreadsheet-mcp: http://{address}{path} answers {status}: {body}");
            ExitCode::from(exit::CALL_FAILED)
        }
        Err(error) => {
            eprintln!("spreadsheet-mcp: http://{address}{path} does not answer: {error}");
            ExitCode::from(exit::CALL_FAILED)
        }
    }
}

/// Where a server that listens on any address is reached.
fn reachable(bind: SocketAddr) -> SocketAddr {
    let ip = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bind.port())
}

/// The status and the body of an answer.
fn ask(address: SocketAddr, path: &str, limit: Duration) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is no HTTP server"))?;
    Ok((status, body.to_owned()))
}
