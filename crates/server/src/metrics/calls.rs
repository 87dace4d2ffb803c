//! Calls: how many, how long, how large, and one line of the log for each.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use access::Denied;
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Unit,
};
use tracing::Span;

use super::{
    catalogue::{Catalogue, Histograms},
    labels::{
        AuthFailure, AuthLabels, CallLabels, Rejection, RejectionLabels, Role, Status, ToolLabels, ToolName,
    },
};
use crate::{
    error::{ErrorCode, ToolError},
    private::FileName,
    tool::Answer,
};

/// What lines of the log about calls are filtered by.
pub const ACCESS: &str = "server::access";

/// Bytes of an answer that are about one token of a language model.
const BYTES_PER_TOKEN: u64 = 4;

/// Metrics of calls.
#[derive(Debug)]
pub struct CallMetrics {
    requests: Family<CallLabels, Counter>,
    durations: Histograms<ToolLabels>,
    response_bytes: Histograms<ToolLabels>,
    rejections: Family<RejectionLabels, Counter>,
    auth_failures: Family<AuthLabels, Counter>,
    tokens: Counter,
    pub(super) in_flight: Gauge,
    pub(super) waiting: Gauge,
}

/// From a cell out of memory to the limit of time.
fn durations() -> Histogram {
    Histogram::new([
        0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
    ])
}

/// From an acknowledgement to the largest answer.
fn sizes() -> Histogram {
    Histogram::new([256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0])
}

impl CallMetrics {
    pub(super) fn register(catalogue: &mut Catalogue) -> CallMetrics {
        CallMetrics {
            requests: catalogue
                .counters("requests", "Calls of tools that ended, by how: ok, or the code of the error"),
            durations: catalogue.histograms(
                "request_duration",
                "How long calls of tools took, waiting included",
                Unit::Seconds,
                durations,
            ),
            response_bytes: catalogue.histograms(
                "response_size",
                "Answers of tools, as JSON and with pictures",
                Unit::Bytes,
                sizes,
            ),
            in_flight: catalogue.gauge("requests_in_flight", "Calls that are running or waiting"),
            waiting: catalogue.gauge("requests_waiting", "Calls that wait for a slot"),
            rejections: catalogue
                .counters("rejections", "Requests that were turned away before anything was done for them"),
            auth_failures: catalogue
                .counters("auth_failures", "Requests whose caller was not let in, by what was wrong"),
            tokens: catalogue.counter(
                "response_tokens_estimated",
                "Tokens of a language model that answers cost, a quarter of their bytes",
            ),
        }
    }

    /// Counts a request that was turned away.
    pub fn rejected(&self, reason: Rejection) {
        self.rejections.get_or_create(&RejectionLabels { reason }).inc();
    }

    /// Counts a caller that was not let in.
    pub fn not_let_in(&self, denied: &Denied) {
        self.auth_failures.get_or_create(&AuthLabels { reason: AuthFailure::from(denied) }).inc();
    }

    fn ended(&self, labels: CallLabels, took: Duration, bytes: Option<usize>) {
        let tool = labels.tool;
        self.requests.get_or_create(&labels).inc();
        self.durations.get_or_create(&ToolLabels { tool }).observe(took.as_secs_f64());
        if let Some(bytes) = bytes {
            self.response_bytes.get_or_create(&ToolLabels { tool }).observe(bytes as f64);
            self.tokens.inc_by(bytes as u64 / BYTES_PER_TOKEN);
        }
    }
}

/// One call, from its start to its end. It is counted and logged when it ends, also when its caller hangs up.
pub(crate) struct CallRecord {
    metrics: Arc<super::Metrics>,
    span: Span,
    tool: ToolName,
    role: Role,
    workbook: Option<FileName>,
    begun: Instant,
    is_told: bool,
}

impl CallRecord {
    pub(crate) fn begin(
        metrics: Arc<super::Metrics>,
        span: Span,
        tool: ToolName,
        role: Role,
        workbook: Option<FileName>,
    ) -> CallRecord {
        CallRecord { metrics, span, tool, role, workbook, begun: Instant::now(), is_told: false }
    }

    /// The call has its answer.
    pub(crate) fn answered(mut self, answer: &Result<Answer, ToolError>) {
        self.is_told = true;
        match answer {
            Ok(answer) => {
                let pictures: usize = answer.pictures.iter().map(|picture| picture.png.len()).sum();
                self.tell(Status(None), Some(answer.text.len() + pictures));
            }
            Err(error) => self.tell(Status(Some(error.code)), None),
        }
    }

    fn tell(&self, status: Status, bytes: Option<usize>) {
        let took = self.begun.elapsed();
        let labels = CallLabels { tool: self.tool, status, role: self.role };
        self.metrics.calls.ended(labels, took, bytes);
        self.span.record("status", status.as_str());
        if status.0 == Some(ErrorCode::Internal) {
            self.span.record("otel.status_code", "ERROR");
        }
        let _within = self.span.enter();
        tracing::info!(
            target: ACCESS,
            tool = self.tool.as_str(),
            status = status.as_str(),
            milliseconds = took.as_secs_f64() * 1_000.0,
            bytes,
            workbook = self.workbook.as_ref().map(tracing::field::display),
            "call",
        );
    }
}

impl Drop for CallRecord {
    fn drop(&mut self) {
        if !self.is_told {
            self.tell(Status(Some(ErrorCode::Cancelled)), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools;

    #[test]
    fn a_caller_that_hangs_up_is_counted() {
        let metrics = Arc::<super::super::Metrics>::default();
        let tool = ToolName::from(&tools::all()[0]);
        let begin = || CallRecord::begin(Arc::clone(&metrics), Span::none(), tool, Role::Viewer, None);
        drop(begin());
        begin().answered(&Err(ToolError::cancelled()));
        let labels = CallLabels { tool, status: Status(Some(ErrorCode::Cancelled)), role: Role::Viewer };
        assert_eq!(metrics.calls.requests.get_or_create(&labels).get(), 2);
    }
}
