//! Traces: that somebody takes them.

use std::net::TcpStream;

use checklist::context::Finding;
use reqwest::Url;

use super::{
    ServiceProbes,
    question::{Found, Question},
};

/// `trace-endpoint`: the collector that the configuration names takes connections.
pub(super) fn endpoint(probes: &ServiceProbes, question: &Question<'_>) -> Found {
    question.told_nothing()?;
    let named = probes.settings()?.tracing.endpoint();
    let named = named.map_err(|what| Finding::fail(format!("OTEL_EXPORTER_OTLP_ENDPOINT: {what}")))?;
    let Some(endpoint) = named else {
        return Ok(Finding::fail("nobody says where spans go: name the collector by --otlp-endpoint"));
    };
    let shown = endpoint.as_str();
    let url = Url::parse(shown).map_err(|error| Finding::error(format!("{shown} is no URL: {error}")))?;
    let addresses = url.socket_addrs(|| None).unwrap_or_default();
    // A name may have several addresses, of which not all are reached from here.
    let limit = question.context.timeout / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut why = "no host has that name".to_owned();
    for address in &addresses {
        match TcpStream::connect_timeout(address, limit) {
            Ok(_) => return Ok(Finding::pass(format!("a collector takes connections at {shown}"))),
            Err(error) => why = error.to_string(),
        }
    }
    Ok(Finding::fail(format!("no collector takes connections at {shown}: {why}")))
}
