//! What a tool's body sees of its call: the workspace, the limits, and whether to go on.

use std::{
    io,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use tokio::sync::mpsc;

use crate::{
    book::Book,
    buckets::Buckets,
    cache::Cache,
    config::{BlobUrl, Config, FixedConfig, LiveConfig, Location},
    disk::DiskGuard,
    error::{ErrorCode, ToolError},
    files::{Base, Files},
    flags::Flag,
    forks::{BlobPlace, ForkState},
    memory::MemoryGuard,
    metrics::{Metrics, labels::BucketPurpose},
    principal::Principal,
    recalc::RecalcState,
    screenshots::{Picture, Screenshots},
    workspace::{BucketOptions, Scoped, Workspace, WorkspaceRules},
};

/// Progress is told at most this often.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// What all calls share.
#[derive(Debug)]
pub struct Context {
    /// What is configured until a restart.
    pub config: FixedConfig,
    live: ArcSwap<LiveConfig>,
    /// The files.
    pub workspace: Workspace,
    /// Workbooks that were opened.
    pub workbooks: Cache<Book>,
    /// What is kept in buckets.
    pub buckets: Buckets,
    /// Forks.
    pub forks: ForkState,
    /// Engines of formulas.
    pub recalc: RecalcState,
    /// Pictures that calls made.
    pub screenshots: Screenshots,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How much memory there may be.
    pub memory: MemoryGuard,
    /// How much of the disk there may be.
    pub disk: DiskGuard,
    /// Files over HTTP.
    pub files: Files,
}

impl Context {
    /// Opens the workspace of a configuration. A bucket needs a runtime to be opened from, and is not asked yet.
    ///
    /// # Errors
    /// When the folder can't be opened, or what is said of buckets is wrong.
    pub fn open(config: Config) -> io::Result<Context> {
        let Config { fixed: config, live } = config;
        let extensions = config.workspace.extensions.iter();
        let rules = WorkspaceRules {
            extensions: extensions.map(|name| name.trim().trim_start_matches('.').to_lowercase()).collect(),
            locked_to: config.workspace.workbook.clone(),
        };
        let buckets = Buckets::new(config.objects.options().map_err(io::Error::other)?);
        let workspace = open_workspace(&config, &buckets, rules)?;
        let workbooks = Cache::new(config.cache.cache_capacity, config.cache.cache_bytes);
        let metrics = Arc::<Metrics>::default();
        let (blobs, pictures) = match &config.objects.blob_url {
            None => (BlobPlace::State, None),
            Some(BlobUrl::Folder(folder)) => (BlobPlace::Folder(folder.clone()), None),
            Some(BlobUrl::Bucket(url)) => {
                let bucket = buckets.open(BucketPurpose::Blobs, url)?.bucket.clone();
                (BlobPlace::Bucket(Box::new(bucket.clone()), config.objects.blob_cache_bytes), Some(bucket))
            }
        };
        let forks = ForkState::new(&config, blobs, workspace.location(), Arc::clone(&metrics));
        let recalc = RecalcState::new(&config.recalc, live.limits.tool_timeout());
        let most = config.state.max_screenshot_bytes;
        let screenshots = match pictures {
            Some(bucket) => Screenshots::in_bucket(bucket, most),
            None => Screenshots::new(config.state.screenshots_folder(workspace.location()), most),
        };
        let live = ArcSwap::from_pointee(live);
        let (memory, disk, files) = (MemoryGuard::default(), DiskGuard::default(), Files::default());
        Ok(Context {
            config,
            live,
            workspace,
            workbooks,
            buckets,
            forks,
            recalc,
            screenshots,
            metrics,
            memory,
            disk,
            files,
        })
    }

    /// What is configured now, and may change.
    pub fn live(&self) -> Arc<LiveConfig> {
        self.live.load_full()
    }

    /// Changes what may change.
    pub(crate) fn reconfigure(&self, live: LiveConfig) {
        self.recalc.office().set_job_timeout(live.limits.tool_timeout());
        self.live.store(Arc::new(live));
    }
}

fn open_workspace(config: &FixedConfig, buckets: &Buckets, rules: WorkspaceRules) -> io::Result<Workspace> {
    let location = &config.workspace.workspace;
    let url = match location {
        Location::Folder(folder) => return Workspace::open(folder, rules),
        Location::Bucket(url) => url,
    };
    let bucket = buckets.open(BucketPurpose::Workspace, url)?;
    let options = BucketOptions {
        cache: &config.state.folder(location).join("workspace"),
        cache_bytes: config.workspace.workspace_cache_bytes,
        keep_listing: Duration::from_millis(config.workspace.workspace_listing_ms),
    };
    Ok(Workspace::of_bucket(bucket, &options, rules))
}

/// How far a call has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Steps done.
    pub done: f64,
    /// Steps there are, where known.
    pub total: Option<f64>,
    /// What is being done. Never content of a workbook.
    pub message: String,
}

/// Tells a running body to stop. Cheap to ask.
#[derive(Debug, Clone, Default)]
pub struct StopSignal(Arc<AtomicBool>);

impl StopSignal {
    /// Asks the body to stop.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the body was asked to stop.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the client was told of the progress.
#[derive(Debug, Default)]
struct Reported {
    at: Option<Instant>,
    /// Of the current step.
    step: f64,
    /// Of the steps before it.
    steps_before: f64,
}

/// One call of a tool.
#[derive(Debug)]
pub struct Call {
    context: Arc<Context>,
    config: Arc<LiveConfig>,
    principal: Principal,
    stop: StopSignal,
    /// Why it was stopped, where that was not its client's doing.
    stopped_by: OnceLock<ToolError>,
    progress: Option<mpsc::Sender<Progress>>,
    reported: Mutex<Reported>,
    pictures: Mutex<Vec<Picture>>,
    base: Option<Base>,
}

impl Call {
    /// A call that may be stopped and may tell its progress.
    pub fn new(
        context: Arc<Context>,
        principal: Principal,
        stop: StopSignal,
        progress: Option<mpsc::Sender<Progress>>,
    ) -> Call {
        let config = context.live();
        let (reported, pictures, stopped_by) = (Mutex::default(), Mutex::default(), OnceLock::new());
        Call { context, config, principal, stop, stopped_by, progress, reported, pictures, base: None }
    }

    /// The call of a client that reaches the server by `base`.
    pub(crate) fn reached_by(self, base: Option<Base>) -> Call {
        Call { base, ..self }
    }

    /// How its client reaches the server.
    ///
    /// # Errors
    /// When that is not over HTTP.
    pub(crate) fn base_url(&self) -> Result<&Base, ToolError> {
        self.base.as_ref().ok_or_else(|| {
            ToolError::new(ErrorCode::Disabled, "there are no URLs over standard input and output")
                .hint("the files are in the workspace, on this machine")
        })
    }

    /// Files over HTTP.
    pub(crate) fn files(&self) -> &Files {
        &self.context.files
    }

    /// What it shares with all calls.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Whether a flag is on for who calls.
    pub fn is_on(&self, flag: Flag) -> bool {
        self.config.flags.is_on(flag, &self.principal)
    }

    /// Workbooks that were opened.
    pub fn workbooks(&self) -> &Cache<Book> {
        &self.context.workbooks
    }

    /// Who calls.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The files that the caller may see.
    pub fn workspace(&self) -> Scoped<'_> {
        self.context.workspace.within(self.principal.scope())
    }

    /// The forks.
    pub fn forks(&self) -> &ForkState {
        &self.context.forks
    }

    /// Pictures that calls made.
    pub fn screenshots(&self) -> &Screenshots {
        &self.context.screenshots
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.context.metrics
    }

    /// Lets a picture travel with the answer.
    pub(crate) fn attach(&self, picture: Picture) {
        self.pictures.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(picture);
    }

    /// The pictures that travel with the answer.
    pub(crate) fn take_pictures(&self) -> Vec<Picture> {
        std::mem::take(&mut *self.pictures.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// The engines of formulas.
    pub fn recalc(&self) -> &RecalcState {
        &self.context.recalc
    }

    /// What was configured when the call began.
    pub fn config(&self) -> &LiveConfig {
        &self.config
    }

    /// Bytes of compact JSON that an answer may have. An answer travels twice, as structured content and, escaped, as
    /// text: a tool that pages by bytes stops here.
    pub fn answer_bytes(&self) -> usize {
        self.config.limits.max_response_bytes * 2 / 5
    }

    /// Whether the client still wants the answer; loops ask every few thousand steps.
    ///
    /// # Errors
    /// When the call was cancelled or ran out of time.
    pub fn check(&self) -> Result<(), ToolError> {
        if self.is_stopped() { Err(self.why_stopped()) } else { Ok(()) }
    }

    /// What the client is told of a call that was stopped.
    pub(crate) fn why_stopped(&self) -> ToolError {
        self.stopped_by.get().cloned().unwrap_or_else(ToolError::cancelled)
    }

    /// Stops the call from within.
    pub(crate) fn stop_by(&self, error: ToolError) {
        let _first = self.stopped_by.set(error);
        self.stop.stop();
    }

    /// Whether the call was cancelled or ran out of time.
    pub fn is_stopped(&self) -> bool {
        self.stop.is_stopped()
    }

    /// Tells the client how far a step of the call has come. Cheap enough for loops: most reports are dropped.
    ///
    /// What the client sees never goes back (MCP demands it): where one step ends and the next begins anew, the next
    /// counts on from there, and the total is no longer known.
    pub fn progress(&self, done: f64, total: Option<f64>, message: &str) {
        let Some(sender) = &self.progress else { return };
        let mut reported = self.reported.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if reported.at.is_some_and(|at| at.elapsed() < PROGRESS_INTERVAL) {
            return;
        }
        reported.at = Some(Instant::now());
        if done < reported.step {
            reported.steps_before += reported.step;
        }
        reported.step = done;
        let total = total.filter(|_| reported.steps_before == 0.0);
        let done = reported.steps_before + done;
        // A client that reads slowly misses a report and nothing else.
        let _dropped = sender.try_send(Progress { done, total, message: message.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    #[test]
    fn progress_never_goes_back() {
        let (context, _folder) = context(&[]);
        let (sender, mut reports) = mpsc::channel(8);
        let call = Call::new(context, Principal::local(), StopSignal::default(), Some(sender));
        for (done, total) in [(10.0, Some(20.0)), (20.0, Some(20.0)), (5.0, Some(8.0)), (8.0, Some(8.0))] {
            call.progress(done, total, "reading");
            std::thread::sleep(PROGRESS_INTERVAL);
        }
        let told: Vec<(f64, Option<f64>)> = std::iter::from_fn(|| reports.try_recv().ok())
            .map(|report| (report.done, report.total))
            .collect();
        assert_eq!(told, [(10.0, Some(20.0)), (20.0, Some(20.0)), (25.0, None), (28.0, None)]);
    }
}
