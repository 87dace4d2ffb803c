//! Runs the bodies of calls: on a bounded blocking pool, under a timeout, stoppable, with panics caught.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rmcp::model::JsonObject;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::{
    call::{Call, Context, Progress, StopSignal},
    error::{ErrorCode, ToolError},
    files::Base,
    lifecycle::{self, Admission, Lifecycle},
    metrics::{
        CallRecord,
        labels::{Rejection, Role, ToolName},
    },
    principal::Principal,
    private::FileName,
    shares::Shares,
    tool::{Answer, ToolEntry},
    trace::Parent,
};

/// Calls that wait for a slot, per slot. More are refused at once: overload is a quick answer, not a collapse.
const WAITING_PER_SLOT: usize = 4;

/// Runs calls.
#[derive(Debug)]
pub struct Runner {
    context: Arc<Context>,
    lifecycle: Arc<Lifecycle>,
    slots: Arc<Semaphore>,
    /// How many slots there are, or will be when calls that run have ended.
    size: AtomicUsize,
    waiting: AtomicUsize,
    /// Transfers of files: they wait for clients most of the time, and must not hold up calls.
    transfers: Arc<Semaphore>,
    shares: Shares,
}

/// What a body is: which slots there are for it, and how long it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Call,
    Transfer,
}

/// How a call is connected to its client.
#[derive(Debug, Default)]
pub struct Link {
    /// Who calls.
    pub principal: Principal,
    /// Cancelled when the client withdraws the call.
    pub cancelled: CancellationToken,
    /// Where progress goes, if the client wants it.
    pub progress: Option<mpsc::Sender<Progress>>,
    /// Whose child its span is.
    pub parent: Parent,
    /// What counts it as in flight, if whoever took the request did that already.
    pub admission: Option<Admission>,
    /// How the client reaches the server, where that is over HTTP.
    pub(crate) base: Option<Base>,
}

impl Runner {
    /// A runner with as many slots as the configuration says.
    pub fn new(context: Arc<Context>, lifecycle: Arc<Lifecycle>) -> Runner {
        let size = context.live().limits.max_concurrent_calls.min(Semaphore::MAX_PERMITS);
        let transfers = context.config.files.max_concurrent_transfers.min(Semaphore::MAX_PERMITS);
        Runner {
            context,
            lifecycle,
            slots: Arc::new(Semaphore::new(size)),
            size: AtomicUsize::new(size),
            waiting: AtomicUsize::new(0),
            transfers: Arc::new(Semaphore::new(transfers)),
            shares: Shares::default(),
        }
    }

    /// Calls that wait for a slot.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Changes the number of slots. Calls that run keep theirs: what is too many goes as they end.
    pub(crate) fn resize(&self, size: usize) {
        let size = size.min(Semaphore::MAX_PERMITS);
        let before = self.size.swap(size, Ordering::Relaxed);
        if size >= before {
            self.slots.add_permits(size - before);
            return;
        }
        let slots = Arc::clone(&self.slots);
        tokio::spawn(async move {
            for _ in size..before {
                if let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
                    slot.forget();
                }
            }
        });
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// What the tool says; or that the call was cancelled, took too long, failed unexpectedly or was not admitted.
    pub async fn call(
        &self,
        tool: &ToolEntry,
        arguments: JsonObject,
        link: Link,
    ) -> Result<Answer, ToolError> {
        let name = ToolName::from(tool);
        let span = link.parent.call(name);
        let named = arguments.get("workbook").or_else(|| arguments.get("fork")).and_then(Value::as_str);
        let workbook = named.and_then(|named| FileName::if_told(named, &self.context.config.lines));
        let role = Role::of(&link.principal);
        let metrics = Arc::clone(&self.context.metrics);
        let record = CallRecord::begin(metrics, span.clone(), name, role, workbook);
        let run = tool.run;
        let answer = self.run(link, move |call| run(call, arguments)).instrument(span).await;
        record.answered(&answer);
        answer
    }

    /// Runs any body as a call.
    ///
    /// # Errors
    /// As for [`Runner::call`].
    pub async fn run<T: Send + 'static>(
        &self,
        link: Link,
        body: impl FnOnce(&Call) -> Result<T, ToolError> + Send + 'static,
    ) -> Result<T, ToolError> {
        self.run_as(Kind::Call, link, body).await
    }

    /// Runs a body that moves bytes from or to a client.
    ///
    /// # Errors
    /// As for [`Runner::call`].
    pub(crate) async fn transfer<T: Send + 'static>(
        &self,
        link: Link,
        body: impl FnOnce(&Call) -> Result<T, ToolError> + Send + 'static,
    ) -> Result<T, ToolError> {
        self.run_as(Kind::Transfer, link, body).await
    }

    async fn run_as<T: Send + 'static>(
        &self,
        kind: Kind,
        link: Link,
        body: impl FnOnce(&Call) -> Result<T, ToolError> + Send + 'static,
    ) -> Result<T, ToolError> {
        let rejected = |reason| self.context.metrics.calls.rejected(reason);
        let admission = match link.admission {
            Some(admission) => admission,
            None => self.lifecycle.enter().inspect_err(|_| rejected(Rejection::ShuttingDown))?,
        };
        let stop = StopOnDrop(StopSignal::default());
        let call = Call::new(Arc::clone(&self.context), link.principal, stop.0.clone(), link.progress)
            .reached_by(link.base);
        let limit = match kind {
            Kind::Call => call.config().limits.tool_timeout(),
            Kind::Transfer => self.context.config.files.transfer_timeout(),
        };
        let share = self.shares.take(call.principal(), &call.config().limits, &self.context).await;
        let share = share.map_err(|exceeded| {
            rejected(exceeded.reason);
            *exceeded.error
        })?;
        let answer = async {
            let slot = match kind {
                Kind::Call => self.slot().await?,
                Kind::Transfer => self.transfer_slot()?,
            };
            let span = Span::current();
            let admission = admission.clone();
            let running = tokio::task::spawn_blocking(move || {
                // Slot and share are taken until the body really ends, even when its answer is no longer awaited. Until then
                // the call is in flight, too: the process does not end while a body cleans up.
                let (_slot, _share, _admission) = (slot, share, admission);
                // Whatever noticed that it was stopped, its client is told by what.
                span.in_scope(|| body(&call)).map_err(|error| match error.code {
                    ErrorCode::Cancelled => call.why_stopped(),
                    _ => error,
                })
            });
            running.await.unwrap_or_else(|failure| Err(unexpected(&failure)))
        };
        tokio::select! {
            answer = answer => answer,
            () = tokio::time::sleep(limit) => Err(match kind {
                Kind::Call => ToolError::timeout(limit),
                Kind::Transfer => transfer_timeout(limit),
            }),
            () = link.cancelled.cancelled() => Err(ToolError::cancelled()),
            () = self.lifecycle.given_up() => Err(given_up()),
        }
    }

    fn transfer_slot(&self) -> Result<OwnedSemaphorePermit, ToolError> {
        Arc::clone(&self.transfers).try_acquire_owned().map_err(|_| {
            self.context.metrics.calls.rejected(Rejection::QueueFull);
            ToolError::new(ErrorCode::Busy, "too many files are on their way")
                .hint("try again in a moment, or raise SPREADSHEET_MCP_MAX_CONCURRENT_TRANSFERS")
                .retry_after(1)
        })
    }

    async fn slot(&self) -> Result<OwnedSemaphorePermit, ToolError> {
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok(slot);
        }
        let max_waiting = self.size.load(Ordering::Relaxed).saturating_mul(WAITING_PER_SLOT);
        let _place = WaitingPlace::take(&self.waiting, max_waiting)
            .inspect_err(|_| self.context.metrics.calls.rejected(Rejection::QueueFull))?;
        Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .map_err(|_| ToolError::new(ErrorCode::ShuttingDown, "the server is shutting down"))
    }
}

/// Stops the body when nobody waits for its answer any more: timeout, cancellation, or a client that hung up.
struct StopOnDrop(StopSignal);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// A place in the queue for slots.
struct WaitingPlace<'a>(&'a AtomicUsize);

impl WaitingPlace<'_> {
    fn take(waiting: &AtomicUsize, most: usize) -> Result<WaitingPlace<'_>, ToolError> {
        let place = WaitingPlace(waiting);
        if waiting.fetch_add(1, Ordering::Relaxed) >= most {
            return Err(ToolError::new(ErrorCode::Busy, "too many calls are running and waiting")
                .hint("try again in a moment, or raise SPREADSHEET_MCP_MAX_CONCURRENT_CALLS")
                .retry_after(1));
        }
        Ok(place)
    }
}

impl Drop for WaitingPlace<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn transfer_timeout(limit: Duration) -> ToolError {
    let message =
        format!("the transfer took longer than {} ms; nothing was kept of an upload", limit.as_millis());
    ToolError::new(ErrorCode::Timeout, message)
        .hint("go on with a download by Range, or have SPREADSHEET_MCP_TRANSFER_TIMEOUT_MS raised")
}

fn given_up() -> ToolError {
    ToolError::new(ErrorCode::ShuttingDown, "the server is shutting down and cannot wait for the end of this call").hint(
        "look whether it was done, or repeat it with the same idempotency_key: another instance or the restarted one will answer",
    ).retry_after(lifecycle::RETRY_AFTER_SECONDS)
}

fn unexpected(failure: &tokio::task::JoinError) -> ToolError {
    // The panic's own text may quote a cell (PRIVATE): the panic hook logs where it was, and nothing more is said.
    tracing::error!(panicked = failure.is_panic(), "a tool failed unexpectedly");
    ToolError::new(ErrorCode::Internal, "the tool failed unexpectedly")
        .hint("this is a defect of the server; its log says where")
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc as channel, time::Instant};

    use super::*;
    use crate::testing::context;

    const MOMENT: Duration = Duration::from_millis(20);

    fn runner(arguments: &[&str]) -> Runner {
        let (context, _folder) = context(arguments);
        Runner::new(context, Arc::new(Lifecycle::default()))
    }

    #[tokio::test]
    async fn a_stuck_body_is_answered_for_in_time_and_keeps_its_slot() {
        let runner = runner(&["--tool-timeout-ms", "50", "--max-concurrent-calls", "1"]);
        let (release, wait) = channel::channel::<()>();
        let started = Instant::now();
        let stuck = runner.run(Link::default(), move |_| {
            let _released = wait.recv();
            Ok(())
        });
        assert_eq!(stuck.await.expect_err("too slow").code, ErrorCode::Timeout);
        let second = runner.run(Link::default(), |_| Ok(()));
        assert_eq!(second.await.expect_err("no slot").code, ErrorCode::Timeout);
        assert!(started.elapsed() < Duration::from_secs(5));
        drop(release);
        tokio::time::sleep(MOMENT).await;
        assert_eq!(runner.run(Link::default(), |_| Ok(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn cancelling_stops_the_body() {
        let runner = runner(&[]);
        let cancelled = CancellationToken::new();
        let (stopped, wait) = channel::channel();
        let link = Link { cancelled: cancelled.clone(), ..Link::default() };
        let call = runner.run(link, move |call| {
            while call.check().is_ok() {
                std::thread::sleep(Duration::from_millis(1));
            }
            let _sent = stopped.send(());
            call.check()
        });
        let cancel = async {
            tokio::time::sleep(MOMENT).await;
            cancelled.cancel();
        };
        let (answer, ()) = tokio::join!(call, cancel);
        assert_eq!(answer.expect_err("cancelled").code, ErrorCode::Cancelled);
        assert_eq!(wait.recv_timeout(Duration::from_secs(5)), Ok(()));
    }

    #[tokio::test]
    async fn who_drains_waits_for_bodies_and_may_give_up() {
        let (context, _folder) = context(&[]);
        let lifecycle = Arc::<Lifecycle>::default();
        let runner = Arc::new(Runner::new(context, Arc::clone(&lifecycle)));
        let admission = lifecycle.enter().expect("a call");
        lifecycle.drain();
        let refused = runner.run(Link::default(), |_| Ok(())).await;
        assert_eq!(refused.expect_err("too late").code, ErrorCode::ShuttingDown);
        let (release, wait) = channel::channel::<()>();
        let link = Link { admission: Some(admission), ..Link::default() };
        let call = tokio::spawn(async move {
            let body = move |call: &Call| {
                let _released = wait.recv();
                call.check()
            };
            runner.run(link, body).await
        });
        tokio::time::sleep(MOMENT).await;
        lifecycle.give_up();
        let told = call.await.expect("no panic").expect_err("given up");
        assert_eq!(told.code, ErrorCode::ShuttingDown);
        assert_eq!(lifecycle.in_flight(), 1);
        drop(release);
        lifecycle.drained().await;
    }

    #[tokio::test]
    async fn a_panic_is_a_typed_error_that_quotes_nothing() {
        let runner = runner(&[]);
        let answer = runner.run::<()>(Link::default(), |_| panic!("the secret of cell A1"));
        let error = answer.await.expect_err("it panicked");
        assert_eq!(error.code, ErrorCode::Internal);
        assert!(!error.to_body().to_string().contains("secret"));
    }

    #[tokio::test]
    async fn slots_come_at_once_and_go_as_calls_end() {
        let runner = Arc::new(runner(&["--max-concurrent-calls", "1"]));
        let hold = || {
            let (runner, (release, wait)) = (Arc::clone(&runner), channel::channel::<()>());
            let body = move |_: &Call| {
                let _released = wait.recv();
                Ok(())
            };
            let call = tokio::spawn(async move { runner.run(Link::default(), body).await });
            (release, call)
        };
        let free = || runner.slots.available_permits();
        let first = hold();
        tokio::time::sleep(MOMENT).await;
        assert_eq!(free(), 0);
        runner.resize(3);
        assert_eq!(free(), 2);
        let second = hold();
        tokio::time::sleep(MOMENT).await;
        runner.resize(1);
        tokio::time::sleep(MOMENT).await;
        assert_eq!(free(), 0);
        for (release, call) in [first, second] {
            drop(release);
            assert_eq!(call.await.expect("no panic"), Ok(()));
        }
        tokio::time::sleep(MOMENT).await;
        assert_eq!(free(), 1);
    }

    #[tokio::test]
    async fn overload_is_refused_at_once() {
        let runner = runner(&["--tool-timeout-ms", "300", "--max-concurrent-calls", "1"]);
        let slow = || {
            runner.run(Link::default(), |_| {
                std::thread::sleep(Duration::from_millis(100));
                Ok(())
            })
        };
        let answers = tokio::join!(slow(), slow(), slow(), slow(), slow(), slow());
        assert_eq!(answers.5.expect_err("no place").code, ErrorCode::Busy);
        assert!(answers.0.is_ok());
    }
}
