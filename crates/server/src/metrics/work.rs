//! What calls have done: workbooks loaded, cells read, edits applied, forks, calculations, the store.

use std::time::Duration;

use forks::StoreError;
use prometheus_client::{
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Unit,
};
use workbook::FileFormat;

use super::{
    catalogue::{Catalogue, Histograms},
    labels::{
        EngineLabels, ForkEvent, ForkLabels, LoadLabels, LoadedFormat, Outcome, RecalcEngine, RecalcLabels,
        StoreFailure, StoreFailureLabels, StoreLabels, StoreOperation,
    },
};
use crate::error::{ErrorCode, ToolError};

/// Metrics of what calls do.
#[derive(Debug)]
pub struct WorkMetrics {
    loads: Family<LoadLabels, Counter>,
    load_durations: Histogram,
    cells_read: Counter,
    edits_applied: Counter,
    forks: Family<ForkLabels, Counter>,
    recalcs: Family<RecalcLabels, Counter>,
    recalc_durations: Histograms<EngineLabels>,
    store_durations: Histograms<StoreLabels>,
    store_failures: Family<StoreFailureLabels, Counter>,
}

/// Reading a package's directory, up to a workbook of the largest size.
fn load_durations() -> Histogram {
    Histogram::new([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}

/// An edit of a warm engine, up to the limit of time.
fn recalc_durations() -> Histogram {
    Histogram::new([0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
}

/// A read from memory, up to a disk that does not keep up.
fn store_durations() -> Histogram {
    Histogram::new([0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0])
}

impl WorkMetrics {
    pub(super) fn register(catalogue: &mut Catalogue) -> WorkMetrics {
        WorkMetrics {
            loads: catalogue
                .counters("workbook_loads", "Workbooks that were opened from their bytes, or could not be"),
            load_durations: catalogue.histogram(
                "workbook_load_duration",
                "How long opening workbooks took, sheets that are loaded later aside",
                Unit::Seconds,
                load_durations,
            ),
            cells_read: catalogue.counter("cells_read", "Cells that read_table and read_range told"),
            edits_applied: catalogue
                .counter("edits_applied", "Edits that were written to logs of forks, results aside"),
            forks: catalogue.counters("fork_events", "What happened to forks"),
            recalcs: catalogue.counters("recalcs", "Calculations of forks that ended"),
            recalc_durations: catalogue.histograms(
                "recalc_duration",
                "How long calculations of forks took, loading the engine included",
                Unit::Seconds,
                recalc_durations,
            ),
            store_durations: catalogue.histograms(
                "store_operation_duration",
                "How long the store of forks took: appends to logs, other writes, reads",
                Unit::Seconds,
                store_durations,
            ),
            store_failures: catalogue.counters(
                "store_failures",
                "Uses of the store that failed because of where it is kept, by what is wrong there",
            ),
        }
    }

    /// Counts a workbook that was opened, or could not be.
    pub fn loaded(&self, format: Option<FileFormat>, outcome: Outcome, took: Duration) {
        self.loads.get_or_create(&LoadLabels { format: LoadedFormat(format), outcome }).inc();
        self.load_durations.observe(took.as_secs_f64());
    }

    /// Counts cells that an answer tells.
    pub fn told_cells(&self, cells: u64) {
        self.cells_read.inc_by(cells);
    }

    /// Counts edits that were written to a log.
    pub fn applied(&self, edits: u64) {
        self.edits_applied.inc_by(edits);
    }

    /// Counts what happened to forks.
    pub fn forks(&self, event: ForkEvent, count: u64) {
        if count > 0 {
            self.forks.get_or_create(&ForkLabels { event }).inc_by(count);
        }
    }

    /// Counts a calculation that ended.
    pub fn calculated(&self, engine: RecalcEngine, outcome: Outcome, took: Duration) {
        self.recalcs.get_or_create(&RecalcLabels { engine, outcome }).inc();
        self.recalc_durations.get_or_create(&EngineLabels { engine }).observe(took.as_secs_f64());
    }

    /// Counts a use of the store that failed, unless it is about what was asked.
    pub fn not_stored(&self, error: &StoreError) {
        if let Some(kind) = StoreFailure::of(error) {
            self.store_failures.get_or_create(&StoreFailureLabels { kind }).inc();
        }
    }

    /// Counts what the store did.
    pub fn stored(&self, operation: StoreOperation, took: Duration) {
        self.store_durations.get_or_create(&StoreLabels { operation }).observe(took.as_secs_f64());
    }
}

impl StoreFailure {
    /// What is wrong with the place; nothing where it is about what was asked.
    fn of(error: &StoreError) -> Option<StoreFailure> {
        Some(match error {
            StoreError::NotFound { .. }
            | StoreError::Exists { .. }
            | StoreError::Conflict { .. }
            | StoreError::NoSuchStep { .. }
            | StoreError::NotAnAncestor { .. }
            | StoreError::IdempotencyMismatch { .. }
            | StoreError::LimitReached { .. }
            | StoreError::Source(_) => return None,
            // Counted with the bucket.
            StoreError::Bucket(_) => return None,
            StoreError::Away { .. } => StoreFailure::Away,
            StoreError::InDoubt { .. } => StoreFailure::InDoubt,
            StoreError::Busy { .. } => StoreFailure::Busy,
            StoreError::Full { .. } => StoreFailure::Full,
            StoreError::ReadOnly { .. } => StoreFailure::ReadOnly,
            StoreError::Refused { .. } => StoreFailure::Refused,
            StoreError::NotMigrated { .. } | StoreError::NewerVersion { .. } => StoreFailure::Format,
            StoreError::Corrupt { .. } | StoreError::CorruptBlob { .. } => StoreFailure::Corrupt,
            StoreError::Unavailable { .. } => StoreFailure::Unavailable,
        })
    }
}

impl Outcome {
    /// What became of a step of a call.
    pub fn of<T>(result: &Result<T, ToolError>) -> Outcome {
        match result {
            Ok(_) => Outcome::Completed,
            Err(error) if matches!(error.code, ErrorCode::Cancelled | ErrorCode::Timeout) => Outcome::Stopped,
            Err(_) => Outcome::Failed,
        }
    }
}
