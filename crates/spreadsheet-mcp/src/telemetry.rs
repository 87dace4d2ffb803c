//! Logs, on standard error: standard output belongs to the protocol and to answers. And spans, to a collector.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::IsTerminal,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use server::{
    config::{LogFilter, LogLinesConfig, OtlpProtocol, PlainUrl, TracingConfig},
    metrics::LogLevel,
};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    layer::SubscriberExt,
    registry::LookupSpan,
    reload,
    util::SubscriberInitExt,
};

use crate::log_line::LogLine;

/// How long sending spans may take.
const SENDING: Duration = Duration::from_secs(10);

/// Where a collector takes spans over HTTP.
pub(crate) const TRACES: &str = "/v1/traces";

/// Our crates that log: nothing private. Libraries may log what passes through them.
const OURS: [&str; 2] = ["server", "spreadsheet_mcp"];

/// The log, and what sends spans.
pub(crate) struct Telemetry {
    level: Arc<dyn LogLevel>,
    spans: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// The level of the log.
    pub(crate) fn level(&self) -> Arc<dyn LogLevel> {
        Arc::clone(&self.level)
    }

    /// Sends the last spans, for as long as `patience` lasts.
    pub(crate) fn finish(self, patience: Duration) {
        if let Some(spans) = self.spans
            && let Err(error) = spans.shutdown_with_timeout(patience)
        {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// Starts logging, and tracing where it is configured. `filter` is what the operator asked for, within bounds.
///
/// # Errors
/// When what sends spans can't be set up.
pub(crate) fn start(
    filter: &LogFilter,
    log: &LogLinesConfig,
    tracing: Option<&TracingConfig>,
) -> Result<Telemetry, String> {
    let (filtered, handle) = reload::Layer::new(filter.to_env_filter());
    let level = Arc::new(FilterHandle { filter: Mutex::new(filter.clone()), handle });
    let lines = tracing_subscriber::fmt::layer()
        .event_format(LogLine(log.log_format))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // A supervisor that closes its end of the log must not take the server down.
        .log_internal_errors(false)
        .with_filter(filtered.and(filter_fn(may_be_logged)));
    let spans = tracing.map(provider).transpose()?;
    tracing_subscriber::registry().with(spans.as_ref().map(span_layer)).with(lines).init();
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    std::panic::set_hook(Box::new(|panic| {
        // Where, and not what: a panic's text may quote a cell.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = Backtrace::capture();
        match backtrace.status() {
            BacktraceStatus::Captured => tracing::error!(%place, %backtrace, "panicked"),
            _ => tracing::error!(%place, "panicked"),
        }
    }));
    Ok(Telemetry { level, spans })
}

/// The filter of the log, which can change while the program runs.
struct FilterHandle<S> {
    filter: Mutex<LogFilter>,
    handle: reload::Handle<EnvFilter, S>,
}

impl<S: 'static> LogLevel for FilterHandle<S> {
    fn current(&self) -> LogFilter {
        self.filter.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, filter: &LogFilter) {
        match self.handle.reload(filter.to_env_filter()) {
            Ok(()) => filter.clone_into(&mut self.filter.lock().unwrap_or_else(PoisonError::into_inner)),
            Err(error) => tracing::error!(%error, "the log filter could not be changed"),
        }
    }
}

/// Whatever the operator asks for, libraries tell no more than warnings: the protocol's logs whole requests below errors,
/// which may quote cells (PRIVATE).
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    match library(metadata) {
        // Lines tell the ids of their span, and nothing else of it.
        _ if metadata.is_span() => false,
        ours if OURS.contains(&ours) => true,
        "rmcp" => *metadata.level() <= Level::ERROR,
        _ => *metadata.level() <= Level::WARN,
    }
}

/// Spans of ours that are for operators; what is logged within them is not sent.
fn may_be_traced(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && OURS.contains(&library(metadata)) && *metadata.level() <= Level::INFO
}

fn library<'a>(metadata: &Metadata<'a>) -> &'a str {
    let target = metadata.target();
    target.split_once("::").map_or(target, |(library, _)| library)
}

fn span_layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("spreadsheet-mcp"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(may_be_traced))
}

/// What gives spans their ids, so that lines of the log belong together, and sends them where there is a collector.
fn provider(config: &TracingConfig) -> Result<SdkTracerProvider, String> {
    let mut resource =
        Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name("spreadsheet-mcp");
    }
    let builder = SdkTracerProvider::builder().with_resource(resource.build());
    let Some(endpoint) = config.endpoint()? else {
        let nothing = Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
        return Ok(builder.with_sampler(nothing).build());
    };
    let exporter = match config.otlp_protocol {
        OtlpProtocol::Grpc => grpc_exporter(&endpoint),
        OtlpProtocol::Http => SpanExporter::builder()
            .with_http()
            .with_http_client(span_client()?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint.with_path(TRACES))
            .build(),
    };
    let exporter = exporter.map_err(|error| error.to_string())?;
    // The caller's decision goes before ours: a trace is kept whole or not at all.
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.trace_sample_ratio)));
    Ok(builder.with_sampler(sampler).with_batch_exporter(exporter).build())
}

/// What sends spans over gRPC. It is made within a runtime.
///
/// # Errors
/// When the endpoint is none.
pub(crate) fn grpc_exporter(endpoint: &PlainUrl) -> Result<SpanExporter, ExporterBuildError> {
    SpanExporter::builder().with_tonic().with_endpoint(endpoint.as_str()).build()
}

/// What sends spans over HTTP: without TLS, whose certificates an image may not have. It blocks, and is not made within a runtime.
fn span_client() -> Result<reqwest::blocking::Client, String> {
    let build = || reqwest::blocking::Client::builder().tls_certs_only([]).timeout(SENDING).build();
    let built = std::thread::spawn(build).join().map_err(|_| "no HTTP client could be made".to_owned())?;
    built.map_err(|error| error.to_string())
}
