//! The process, under the names that all Prometheus clients give it, and the tokio runtime.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use tokio::runtime::Handle;

use super::{
    catalogue::Catalogue,
    state::{set, whole},
};

/// Metrics of the process.
#[derive(Debug)]
pub struct ProcessMetrics {
    resident: Gauge,
    virtual_bytes: Gauge,
    cpu: Counter<f64, AtomicU64>,
    start: Gauge<f64, AtomicU64>,
    open_fds: Gauge,
    max_fds: Gauge,
    threads: Gauge,
    workers: Gauge,
    tasks: Gauge,
    queued: Gauge,
    busy: Counter<f64, AtomicU64>,
    parks: Counter,
}

impl ProcessMetrics {
    pub(super) fn register(catalogue: &mut Catalogue) -> ProcessMetrics {
        ProcessMetrics {
            resident: catalogue
                .bytes_gauge("process_resident_memory", "Memory of the process that is resident"),
            virtual_bytes: catalogue
                .bytes_gauge("process_virtual_memory", "Memory that the process has mapped"),
            cpu: catalogue
                .seconds_counter("process_cpu", "Time that the process has computed, user and system"),
            start: catalogue
                .moment_gauge("process_start_time", "When the process started, in seconds since 1970"),
            open_fds: catalogue.gauge("process_open_fds", "File descriptors that are open"),
            max_fds: catalogue.gauge("process_max_fds", "File descriptors that may be open"),
            threads: catalogue.gauge("process_threads", "Threads of the process"),
            workers: catalogue.gauge("tokio_workers", "Threads that run tasks"),
            tasks: catalogue.gauge("tokio_tasks", "Tasks that have not ended"),
            queued: catalogue.gauge("tokio_tasks_queued", "Tasks that wait for any thread"),
            busy: catalogue.seconds_counter("tokio_busy", "Time that threads have run tasks"),
            parks: catalogue.counter("tokio_parks", "Times that threads had nothing to do"),
        }
    }

    /// Looks at the process. What the system does not tell stays as it was.
    pub(super) fn look(&self) {
        if let Ok(handle) = Handle::try_current() {
            self.look_at_runtime(&handle);
        }
        let Ok(process) = procfs::process::Process::myself() else { return };
        if let Ok(stat) = process.stat() {
            let ticks = procfs::ticks_per_second() as f64;
            self.resident.set(whole(stat.rss.saturating_mul(procfs::page_size())));
            self.virtual_bytes.set(whole(stat.vsize));
            set_seconds(&self.cpu, (stat.utime + stat.stime) as f64 / ticks);
            self.threads.set(stat.num_threads);
            if let Ok(boot) = procfs::boot_time_secs() {
                self.start.set(boot as f64 + stat.starttime as f64 / ticks);
            }
        }
        if let Ok(open) = process.fd_count() {
            self.open_fds.set(whole(open as u64));
        }
        if let Ok(limits) = process.limits()
            && let procfs::process::LimitValue::Value(most) = limits.max_open_files.soft_limit
        {
            self.max_fds.set(whole(most));
        }
    }

    fn look_at_runtime(&self, handle: &Handle) {
        let runtime = handle.metrics();
        let workers = runtime.num_workers();
        self.workers.set(whole(workers as u64));
        self.tasks.set(whole(runtime.num_alive_tasks() as u64));
        self.queued.set(whole(runtime.global_queue_depth() as u64));
        let busy = (0..workers).map(|worker| runtime.worker_total_busy_duration(worker).as_secs_f64()).sum();
        set_seconds(&self.busy, busy);
        set(&self.parks, (0..workers).map(|worker| runtime.worker_park_count(worker)).sum());
    }
}

fn set_seconds(counter: &Counter<f64, AtomicU64>, total: f64) {
    counter.inner().store(total.to_bits(), Ordering::Relaxed);
}
