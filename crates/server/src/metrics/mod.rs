//! Metrics: what is counted, under which labels, where it is told.
//!
//! [`labels`] are closed sets (CARDINALITY); `catalogue.rs` registers metrics and describes them for `docs/metrics.md`. What
//! happens is counted where it happens, by atomics ([`CallMetrics`], [`WorkMetrics`]); what stands is looked at when somebody
//! asks ([`StateMetrics`], [`ProcessMetrics`]).

mod access;
mod buckets;
mod calls;
mod catalogue;
mod endpoint;
mod files;
pub mod labels;
mod process;
mod push;
mod state;
mod tls;
mod work;

pub use access::AccessMetrics;
pub use buckets::BucketMetrics;
pub use calls::{ACCESS, CallMetrics};
pub use catalogue::{Described, Format};
pub use endpoint::{LogLevel, MetricsEndpoint};
pub use files::FileMetrics;
pub use process::ProcessMetrics;
pub use push::push_last;
pub use state::StateMetrics;
pub use tls::TlsMetrics;
pub use work::WorkMetrics;

pub(crate) use calls::CallRecord;
pub(crate) use files::TransferRecord;

use catalogue::Catalogue;

use crate::Server;

/// Every metric of a server.
#[derive(Debug)]
pub struct Metrics {
    catalogue: Catalogue,
    /// Of calls.
    pub calls: CallMetrics,
    /// Of files over HTTP.
    pub files: FileMetrics,
    /// Of where what is known of callers comes from.
    pub access: AccessMetrics,
    /// Of what calls do.
    pub work: WorkMetrics,
    /// Of what stands.
    pub state: StateMetrics,
    /// Of buckets.
    pub buckets: BucketMetrics,
    /// Of TLS.
    pub tls: TlsMetrics,
    /// Of the process.
    pub process: ProcessMetrics,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut catalogue = Catalogue::default();
        let calls = CallMetrics::register(&mut catalogue);
        let files = FileMetrics::register(&mut catalogue);
        let access = AccessMetrics::register(&mut catalogue);
        let work = WorkMetrics::register(&mut catalogue);
        let state = StateMetrics::register(&mut catalogue);
        let buckets = BucketMetrics::register(&mut catalogue);
        let tls = TlsMetrics::register(&mut catalogue);
        let process = ProcessMetrics::register(&mut catalogue);
        let version = vec![("version", env!("CARGO_PKG_VERSION")), ("arch", std::env::consts::ARCH)];
        catalogue.info("build", "The program that runs", version);
        Metrics { catalogue, calls, files, access, work, state, buckets, tls, process }
    }
}

impl Metrics {
    /// Every metric there is, in the order of the reference.
    pub fn described(&self) -> &[Described] {
        self.catalogue.described()
    }

    /// What a scrape gets. Blocks for as long as the store takes to count forks.
    pub fn page(&self, server: &Server, format: Format) -> String {
        let context = &server.context;
        self.calls.in_flight.set(state::whole(server.lifecycle.in_flight() as u64));
        self.calls.waiting.set(state::whole(server.runner.waiting() as u64));
        self.state.set_cache(context.workbooks.counts());
        if let Some(counts) = context.workspace.counts() {
            self.state.set_workspace(counts);
        }
        self.state.set_office(&context.recalc.office().counts());
        if let Some(open) = context.forks.count() {
            self.state.set_forks(open);
        }
        if let Some(counts) = context.forks.connections() {
            self.state.set_database(&counts);
        }
        self.state.set_memory_limit(context.memory_bound(&context.live().limits));
        self.state.set_disk(context.disk_use());
        if let Some(room) = context.disk_room() {
            self.state.set_disk_room(room);
        }
        for used in context.buckets.used() {
            self.buckets.set_bucket(&used);
        }
        if let Some(counts) = context.forks.blob_counts() {
            self.buckets.set_blobs(counts);
        }
        self.process.look();
        self.catalogue.encode(format)
    }
}
