//! The threads that compute for one engine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use formualizer_eval::engine::CancelToken;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::engine::{EngineError, Stop};
use crate::formualizer::{NAME, gave_up};

/// Stack of each: formulas nest, and functions of theirs recurse.
const STACK_BYTES: usize = 256 << 20;
/// More of them gain little: what limits is memory.
const MAX_THREADS: usize = 4;
/// How often a calculation asks whether to stop.
const STOP_INTERVAL: Duration = Duration::from_millis(5);

/// Threads of an engine's own, so that no engine waits for another one's formula.
///
/// Many formulas of the same form are computed in pieces, between which a calculation can be stopped: that is why even one
/// thread is a pool.
#[derive(Debug, Clone)]
pub(super) struct Threads(Arc<ThreadPool>);

impl Threads {
    pub(super) fn start() -> Result<Threads, EngineError> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let pool = ThreadPoolBuilder::new()
            .num_threads(cores.min(MAX_THREADS))
            .stack_size(STACK_BYTES)
            .thread_name(|_| NAME.to_owned())
            .build()
            .map_err(|error| gave_up(&format!("no thread could be started: {error}")))?;
        Ok(Threads(Arc::new(pool)))
    }

    /// What the engine shares its work among.
    pub(super) fn pool(&self) -> Arc<ThreadPool> {
        Arc::clone(&self.0)
    }

    /// Runs work on one of the threads, asking now and then whether to go on; a panic is a failure.
    pub(super) fn run<T: Send>(
        &self,
        stop: Stop<'_>,
        work: impl FnOnce(CancelToken) -> T + Send,
    ) -> Result<T, EngineError> {
        let token = CancelToken::new();
        let waiting = thread::current();
        thread::scope(|scope| {
            let body = || {
                let done = catch_unwind(AssertUnwindSafe(|| self.0.install(|| work(token.clone()))));
                waiting.unpark();
                done
            };
            let worker = thread::Builder::new()
                .spawn_scoped(scope, body)
                .map_err(|error| gave_up(&format!("no thread could be started: {error}")))?;
            while !worker.is_finished() {
                thread::park_timeout(STOP_INTERVAL);
                if stop() {
                    token.cancel();
                }
            }
            match worker.join() {
                Ok(Ok(done)) => Ok(done),
                Ok(Err(_)) | Err(_) => Err(gave_up("it panicked")),
            }
        })
    }
}
