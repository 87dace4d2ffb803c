//! Traces: that somebody takes them.

use std::{io, net::TcpStream, time::Duration};

use checklist::context::Finding;
use opentelemetry_sdk::trace::SpanExporter as _;
use reqwest::{Url, header::CONTENT_TYPE};
use server::config::{OtlpProtocol, PlainUrl};
use tokio::runtime::Builder;

use super::{
    ServiceProbes,
    question::{Found, Question},
};
use crate::telemetry::{TRACES, grpc_exporter};

/// `trace-endpoint`: the collector that the configuration names takes spans, of which none are sent.
pub(super) fn endpoint(probes: &ServiceProbes, question: &Question<'_>) -> Found {
    question.told_nothing()?;
    let config = &probes.settings()?.tracing;
    let named = config.endpoint();
    let named = named.map_err(|what| Finding::fail(format!("OTEL_EXPORTER_OTLP_ENDPOINT: {what}")))?;
    let Some(endpoint) = named else {
        return Ok(Finding::fail("no collector is named: say where spans go by --otlp-endpoint"));
    };
    let shown = endpoint.as_str();
    let limit = question.context.timeout / 2;
    if let Err(error) = connects(shown, limit) {
        return Ok(Finding::fail(format!("no collector takes connections at {shown}: {error}")));
    }
    let sent = match config.otlp_protocol {
        OtlpProtocol::Grpc => by_grpc(&endpoint, limit),
        OtlpProtocol::Http => by_http(&endpoint, question, limit),
    };
    Ok(match sent {
        Ok(()) => Finding::pass(format!("the collector at {shown} takes spans")),
        Err(why) => Finding::warn(format!("what is at {shown} takes connections, and no spans: {why}")),
    })
}

/// Whether a port takes connections, at any of the addresses of its host.
fn connects(url: &str, limit: Duration) -> io::Result<()> {
    let url = Url::parse(url).map_err(io::Error::other)?;
    let addresses = url.socket_addrs(|| None)?;
    let share = limit / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in &addresses {
        match TcpStream::connect_timeout(address, share) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A request without spans is one that every collector takes.
fn by_http(endpoint: &PlainUrl, question: &Question<'_>, limit: Duration) -> Result<(), String> {
    let request = question.context.client.post(endpoint.with_path(TRACES)).timeout(limit);
    let answer = request
        .header(CONTENT_TYPE, "application/x-protobuf")
        .body(Vec::new())
        .send()
        .map_err(|error| Finding::unanswered("the request", &error).summary)?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(format!("it answers {status}")),
    }
}

fn by_grpc(endpoint: &PlainUrl, limit: Duration) -> Result<(), String> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let exporter = grpc_exporter(endpoint).map_err(|error| error.to_string())?;
        match tokio::time::timeout(limit, exporter.export(Vec::new())).await {
            Ok(sent) => sent.map_err(|error| error.to_string()),
            Err(_) => Err("it does not answer in time".to_owned()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_taken_or_nobody_is_there() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let limit = Duration::from_secs(1);
        assert!(connects(&url, limit).is_ok());
        let endpoint: PlainUrl = url.parse().expect("a URL");
        assert!(by_grpc(&endpoint, Duration::from_millis(100)).is_err(), "nobody answers");
        drop(listener);
        assert!(connects(&url, limit).is_err());
    }
}
