//! Files over HTTP: how many requests, how they ended, how many bytes, and one line of the log for each.

use std::{sync::Arc, time::Instant};

use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use tracing::Span;

use super::{
    ACCESS, Metrics,
    catalogue::Catalogue,
    labels::{Direction, DirectionLabels, FileLabels, FileMethod, Status},
};
use crate::{
    call::Context,
    error::{ErrorCode, ToolError},
    private::FileName,
    runner::Link,
};

/// Metrics of files over HTTP.
#[derive(Debug)]
pub struct FileMetrics {
    requests: Family<FileLabels, Counter>,
    bytes: Family<DirectionLabels, Counter>,
    in_flight: Gauge,
}

impl FileMetrics {
    pub(super) fn register(catalogue: &mut Catalogue) -> FileMetrics {
        FileMetrics {
            requests: catalogue.counters(
                "file_requests",
                "Requests for files over HTTP that ended, by how: ok, or the code of the error",
            ),
            bytes: catalogue
                .counters("file_transferred_bytes", "Bytes of files that came and went over HTTP"),
            in_flight: catalogue
                .gauge("file_transfers_in_flight", "Uploads and downloads that are on their way"),
        }
    }

    /// Counts bytes on their way.
    pub(crate) fn moved(&self, direction: Direction, bytes: u64) {
        self.bytes.get_or_create(&DirectionLabels { direction }).inc_by(bytes);
    }
}

/// One transfer, from its start to its end. It is counted and logged when it ends, also when its client hangs up.
pub(crate) struct TransferRecord {
    metrics: Arc<Metrics>,
    span: Option<Span>,
    method: FileMethod,
    file: Option<FileName>,
    begun: Instant,
    status: Status,
}

impl TransferRecord {
    pub(crate) fn begin(context: &Context, link: &Link, method: FileMethod, name: &str) -> TransferRecord {
        let metrics = Arc::clone(&context.metrics);
        metrics.files.in_flight.inc();
        TransferRecord {
            metrics,
            span: link.parent.request.clone(),
            method,
            file: FileName::if_told(name, &context.config.lines),
            begun: Instant::now(),
            status: Status(Some(ErrorCode::Cancelled)),
        }
    }

    /// How it ended.
    pub(crate) fn ended(mut self, failed: Option<&ToolError>) {
        self.status = Status(failed.map(|error| error.code));
    }
}

impl Drop for TransferRecord {
    fn drop(&mut self) {
        self.metrics.files.in_flight.dec();
        let (method, status) = (self.method, self.status);
        self.metrics.files.requests.get_or_create(&FileLabels { method, status }).inc();
        let _within = self.span.as_ref().map(Span::enter);
        tracing::info!(
            target: ACCESS,
            method = method.as_str(),
            status = status.as_str(),
            milliseconds = self.begun.elapsed().as_secs_f64() * 1_000.0,
            workbook = self.file.as_ref().map(tracing::field::display),
            "file",
        );
    }
}
