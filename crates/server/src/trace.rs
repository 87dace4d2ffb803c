//! Spans of calls: whose children they are, across processes (W3C Trace Context).
//!
//! A request over HTTP has a span of its own, a child of what its `traceparent` header names; a call is a child of it, or of
//! what `traceparent` in its `_meta` names. Spans tell tools, codes, sizes and times, and never what a cell holds (PRIVATE).

use axum::http::{HeaderMap, HeaderName, Method};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector},
    trace::TraceContextExt,
};
use rmcp::model::JsonObject;
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::metrics::labels::ToolName;

/// Whose child a call is.
#[derive(Debug, Clone, Default)]
pub struct Parent {
    /// The span of the request that brought the call.
    pub request: Option<Span>,
    /// What the caller named in `_meta`.
    pub caller: Option<Context>,
}

impl Parent {
    /// The span of a call.
    pub(crate) fn call(&self, tool: ToolName) -> Span {
        let span = tracing::info_span!(
            target: "server::call",
            parent: self.request.as_ref().and_then(Span::id),
            "call",
            otel.name = format_args!("tools/call {}", tool.as_str()),
            otel.kind = "server",
            otel.status_code = Empty,
            mcp.method.name = "tools/call",
            gen_ai.tool.name = tool.as_str(),
            status = Empty,
        );
        if let Some(caller) = &self.caller {
            // What the caller says of the call itself goes before what it says of the request that carries it.
            let _without_a_collector = span.set_parent(caller.clone());
            if let Some(request) = &self.request {
                span.add_link(request.context().span().span_context().clone());
            }
        }
        span
    }
}

/// The span of a request over HTTP.
pub(crate) fn request_span(method: &Method, route: &'static str, headers: &HeaderMap) -> Span {
    // A client may make methods up, and everything can be in a name that is made up.
    let known = [Method::GET, Method::POST, Method::DELETE, Method::PUT, Method::HEAD, Method::OPTIONS];
    let method = if known.contains(method) { method.as_str() } else { "_OTHER" };
    let span = tracing::info_span!(
        target: "server::request",
        "request",
        otel.name = format_args!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    );
    if let Some(caller) = extracted(&Headers(headers)) {
        let _without_a_collector = span.set_parent(caller);
    }
    span
}

/// What `traceparent` and `tracestate` in `_meta` name.
pub(crate) fn caller_of(meta: &JsonObject) -> Option<Context> {
    extracted(&Meta(meta))
}

/// The `traceparent` of the current span, to pass on.
pub(crate) fn traceparent() -> Option<String> {
    let mut told = Told(None);
    opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&Span::current().context(), &mut told);
    });
    told.0
}

fn extracted(carrier: &dyn Extractor) -> Option<Context> {
    carrier.get("traceparent")?;
    let context = opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&Context::new(), carrier)
    });
    let is_valid = context.span().span_context().is_valid();
    is_valid.then_some(context)
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Meta<'a>(&'a JsonObject);

impl Extractor for Meta<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

struct Told(Option<String>);

impl Injector for Told {
    fn set(&mut self, key: &str, value: String) {
        if key == "traceparent" {
            self.0 = Some(value);
        }
    }
}
