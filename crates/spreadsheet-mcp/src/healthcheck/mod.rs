//! `spreadsheet-mcp healthcheck`: asks a server that runs here whether it is well.

pub(crate) mod https;

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use clap::ValueEnum as _;
use server::config::{MetricsTls, Settings};

use crate::{cli::HealthcheckArguments, exit, render::print};

/// Bytes of an answer that are read at most.
const MAX_ANSWER: u64 = 64 << 10;

/// Where the server tells its health.
struct Target {
    address: SocketAddr,
    is_tls: bool,
}

/// Asks, and prints what the server says.
pub(crate) fn run(arguments: &HealthcheckArguments, settings: &Settings) -> ExitCode {
    let probe = arguments.probe.to_possible_value().map(|value| value.get_name().to_owned());
    let path = format!("/health/{}", probe.unwrap_or_default());
    // Who says what to verify wants nothing that can't be.
    let is_tls = settings.tls.files().is_some() || arguments.ca.is_some() || arguments.name.is_some();
    let target = match Target::of(settings, is_tls) {
        Ok(target) => target,
        Err(problem) => {
            eprintln!("spreadsheet-mcp: {problem}");
            return ExitCode::from(exit::CALL_FAILED);
        }
    };
    let Target { address, is_tls } = target;
    let scheme = if is_tls { "https" } else { "http" };
    match target.ask(&path, arguments) {
        Ok((200, body)) => print(&body),
        Ok((status, body)) => {
            eprintln!("spreadsheet-mcp: {scheme}://{address}{path} answers {status}: {body}");
            ExitCode::from(exit::CALL_FAILED)
        }
        Err(error) => {
            eprintln!("spreadsheet-mcp: {scheme}://{address}{path} does not answer: {error}");
            ExitCode::from(exit::CALL_FAILED)
        }
    }
}

impl Target {
    /// The port of MCP, or that of metrics where the other one asks for a certificate that probes do not have.
    fn of(settings: &Settings, is_tls: bool) -> Result<Target, String> {
        let Settings { listen, tls, metrics, .. } = settings;
        if !is_tls || tls.tls_client_ca.is_none() {
            return Ok(Target { address: reachable(listen.bind), is_tls });
        }
        match metrics.address(listen.transport) {
            Some((address, _)) if tls.tls_metrics != MetricsTls::Mutual => {
                Ok(Target { address: reachable(address), is_tls: tls.tls_metrics == MetricsTls::On })
            }
            _ => Err("both ports take clients with a certificate only: let the server tell its health on \
                      --metrics-bind with --tls-metrics on"
                .to_owned()),
        }
    }

    /// The status and the body of an answer.
    fn ask(&self, path: &str, arguments: &HealthcheckArguments) -> io::Result<(u16, String)> {
        let Target { address, is_tls } = *self;
        let limit: Duration = *arguments.timeout;
        let stream = TcpStream::connect_timeout(&address, limit)?;
        stream.set_read_timeout(Some(limit))?;
        stream.set_write_timeout(Some(limit))?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        if is_tls {
            let name = arguments.name.as_deref();
            answer(https::connect(stream, address, arguments.ca.as_deref(), name)?, &request)
        } else {
            answer(stream, &request)
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

fn answer(mut stream: impl Read + Write, request: &str) -> io::Result<(u16, String)> {
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is no HTTP server"))?;
    Ok((status, body.to_owned()))
}
