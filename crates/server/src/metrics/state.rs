//! What is looked at when somebody asks: the cache, open forks, LibreOffice, the process and its runtime.

use std::sync::atomic::{AtomicU64, Ordering};

use forks::ConnectionCounts;
use office::OfficeCounts;
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use prometheus_client::registry::Unit;

use super::{
    catalogue::Catalogue,
    labels::{
        ConnectionLabels, ConnectionState, DiskLabels, DiskPurpose, OfficeFailure, OfficeFailureLabels,
        WorkerLabels, WorkerState,
    },
};
use crate::{
    cache::CacheCounts,
    disk::{DiskRoom, DiskUse},
    workspace::BucketCounts,
};

/// Metrics of the server's state.
#[derive(Debug)]
pub struct StateMetrics {
    cache_hits: Counter,
    cache_misses: Counter,
    cache_evictions: Counter,
    cache_entries: Gauge,
    cache_bytes: Gauge,
    workspace_listings: Counter,
    workspace_cache_hits: Counter,
    workspace_cache_misses: Counter,
    workspace_cache_bytes: Gauge,
    forks_open: Gauge,
    office_workers: Family<WorkerLabels, Gauge>,
    office_waiting: Gauge,
    office_jobs: Counter,
    office_failures: Family<OfficeFailureLabels, Counter>,
    office_starts: Counter,
    office_restarts: Counter,
    memory_limit: Gauge,
    disk: Family<DiskLabels, Gauge>,
    database_connections: Family<ConnectionLabels, Gauge>,
    database_connections_max: Gauge,
    database_waiting: Gauge,
    database_failures: Counter,
    database_refusals: Counter,
    database_left_alone: Gauge,
    disk_free: Gauge,
    disk_size: Gauge,
}

impl StateMetrics {
    pub(super) fn register(catalogue: &mut Catalogue) -> StateMetrics {
        StateMetrics {
            cache_hits: catalogue.counter("cache_hits", "Uses of workbooks that were in memory"),
            cache_misses: catalogue.counter("cache_misses", "Uses of workbooks that had to be loaded"),
            cache_evictions: catalogue
                .counter("cache_evictions", "Workbooks that gave way to others for lack of room"),
            cache_entries: catalogue.gauge("cache_entries", "Workbooks in memory"),
            cache_bytes: catalogue.bytes_gauge("cache", "Workbooks in memory, as they were last weighed"),
            workspace_listings: catalogue
                .counter("workspace_listings", "Times that the keys of the workspace's bucket were listed"),
            workspace_cache_hits: catalogue.counter(
                "workspace_cache_hits",
                "Uses of objects of the workspace's bucket whose bytes were on the disk",
            ),
            workspace_cache_misses: catalogue.counter(
                "workspace_cache_misses",
                "Uses of objects of the workspace's bucket whose bytes had to be read",
            ),
            workspace_cache_bytes: catalogue.bytes_gauge(
                "workspace_cache",
                "Objects of the workspace's bucket that are kept on the disk",
            ),
            forks_open: catalogue.gauge("forks_open", "Forks in the store"),
            office_workers: catalogue.gauges("libreoffice_workers", "LibreOffices that run", None),
            office_waiting: catalogue.gauge("libreoffice_jobs_waiting", "Jobs that wait for a LibreOffice"),
            office_jobs: catalogue.counter("libreoffice_jobs", "Jobs that were asked of LibreOffice"),
            office_failures: catalogue
                .counters("libreoffice_job_failures", "Jobs of LibreOffice that failed, by what went wrong"),
            office_starts: catalogue.counter("libreoffice_starts", "LibreOffices that were started"),
            office_restarts: catalogue.counter(
                "libreoffice_restarts",
                "LibreOffices that were replaced: they failed, or had done their share",
            ),
            database_connections: catalogue.gauges(
                "database_connections",
                "Connections to the database that replicas share",
                None,
            ),
            database_connections_max: catalogue
                .gauge("database_connections_max", "Connections to the database that there may be"),
            database_waiting: catalogue
                .gauge("database_calls_waiting", "Uses of the database that wait for a connection"),
            database_failures: catalogue
                .counter("database_failures", "Uses of the database that it did not answer"),
            database_refusals: catalogue.counter(
                "database_refusals",
                "Uses of the database that were refused at once, because it had failed several times in a row",
            ),
            database_left_alone: catalogue.gauge(
                "database_left_alone",
                "Whether the newest use of the database was refused at once (1) or not (0)",
            ),
            memory_limit: catalogue
                .bytes_gauge("memory_limit", "Memory of the process above which nothing more is loaded"),
            disk: catalogue.gauges(
                "disk_used",
                "What the server takes of the disk: for its state, for pictures, for LibreOffice at work",
                Some(Unit::Bytes),
            ),
            disk_free: catalogue
                .bytes_gauge("disk_free", "What is free of the file system that the state is on"),
            disk_size: catalogue
                .bytes_gauge("disk_size", "The file system that the state is on, full or not"),
        }
    }

    pub(super) fn set_cache(&self, counts: CacheCounts) {
        set(&self.cache_hits, counts.hits);
        set(&self.cache_misses, counts.misses);
        set(&self.cache_evictions, counts.evictions);
        self.cache_entries.set(whole(counts.entries));
        self.cache_bytes.set(whole(counts.bytes));
    }

    pub(super) fn set_workspace(&self, counts: BucketCounts) {
        set(&self.workspace_listings, counts.listings);
        set(&self.workspace_cache_hits, counts.hits);
        set(&self.workspace_cache_misses, counts.misses);
        self.workspace_cache_bytes.set(whole(counts.bytes));
    }

    pub(super) fn set_disk(&self, used: DiskUse) {
        let set = |purpose, bytes| {
            self.disk.get_or_create(&DiskLabels { purpose }).set(whole(bytes));
        };
        set(DiskPurpose::State, used.state);
        set(DiskPurpose::Screenshots, used.screenshots);
        set(DiskPurpose::Temporary, used.temporary);
    }

    pub(super) fn set_disk_room(&self, room: DiskRoom) {
        self.disk_free.set(whole(room.free));
        self.disk_size.set(whole(room.size));
    }

    pub(super) fn set_database(&self, counts: &ConnectionCounts) {
        let connections = |state, number: usize| {
            self.database_connections.get_or_create(&ConnectionLabels { state }).set(whole(number as u64));
        };
        connections(ConnectionState::Used, counts.used);
        connections(ConnectionState::Idle, counts.open.saturating_sub(counts.used));
        self.database_connections_max.set(whole(counts.most as u64));
        self.database_waiting.set(whole(counts.waiting as u64));
        set(&self.database_failures, counts.failures);
        set(&self.database_refusals, counts.refusals);
        self.database_left_alone.set(i64::from(counts.is_left_alone));
    }

    pub(super) fn set_memory_limit(&self, bytes: u64) {
        self.memory_limit.set(whole(bytes));
    }

    pub(super) fn set_forks(&self, open: u64) {
        self.forks_open.set(whole(open));
    }

    pub(super) fn set_office(&self, counts: &OfficeCounts) {
        let workers = |state, number: usize| {
            self.office_workers.get_or_create(&WorkerLabels { state }).set(whole(number as u64));
        };
        workers(WorkerState::Busy, counts.busy);
        workers(WorkerState::Idle, counts.idle);
        self.office_waiting.set(whole(counts.waiting as u64));
        set(&self.office_jobs, counts.jobs);
        set(&self.office_starts, counts.starts);
        set(&self.office_restarts, counts.replaced);
        for (kind, failures) in &counts.failures {
            if let Some(kind) = OfficeFailure::of(kind) {
                set(&self.office_failures.get_or_create(&OfficeFailureLabels { kind }), *failures);
            }
        }
    }
}

/// What others have counted.
pub(super) fn set(counter: &Counter<u64, AtomicU64>, total: u64) {
    counter.inner().store(total, Ordering::Relaxed);
}

pub(super) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
