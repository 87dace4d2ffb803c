//! The buckets that this server uses: opened once, watched, and told of in metrics and in the health.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use objects::{Bucket, BucketUrl, ObjectError, Options};
use tokio::runtime::Handle;

use crate::{
    error::{ErrorCode, ToolError},
    health::Watched,
    metrics::labels::BucketPurpose,
};

/// How often it is looked whether a bucket answers.
const WATCHED: Duration = Duration::from_secs(10);

/// The buckets in use.
#[derive(Debug)]
pub struct Buckets {
    options: Options,
    opened: Mutex<Vec<Arc<UsedBucket>>>,
}

/// A bucket, what it is for, and how it was when it was last asked.
#[derive(Debug)]
pub struct UsedBucket {
    /// What is in it.
    pub purpose: BucketPurpose,
    /// The bucket.
    pub bucket: Bucket,
    seen: Mutex<Option<Result<(), ObjectError>>>,
}

impl Buckets {
    /// Buckets that are asked so.
    pub fn new(options: Options) -> Buckets {
        Buckets { options, opened: Mutex::default() }
    }

    /// Uses a bucket; nothing is asked of it yet.
    ///
    /// # Errors
    /// When its settings are wrong, or there is no runtime.
    pub fn open(&self, purpose: BucketPurpose, url: &BucketUrl) -> io::Result<Arc<UsedBucket>> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let bucket = Bucket::open(url, &self.options, runtime).map_err(io::Error::other)?;
        let used = Arc::new(UsedBucket { purpose, bucket, seen: Mutex::default() });
        lock(&self.opened).push(Arc::clone(&used));
        Ok(used)
    }

    /// Those in use.
    pub fn used(&self) -> Vec<Arc<UsedBucket>> {
        lock(&self.opened).clone()
    }
}

impl UsedBucket {
    /// Whether it answered when it was last asked.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) fn check(&self) -> Result<(), String> {
        match lock(&self.seen).as_ref() {
            None => Err("not asked yet".to_owned()),
            Some(seen) => seen.clone().map_err(|error| error.to_string()),
        }
    }

    /// That there is no such bucket, if that was so when it was last asked: its objects are not to be told as missing then.
    pub(crate) fn no_bucket(&self) -> Option<ObjectError> {
        let seen = lock(&self.seen);
        let error = seen.as_ref()?.as_ref().err()?;
        matches!(error, ObjectError::NoBucket { .. }).then(|| error.clone())
    }

    /// Asks now and again whether it answers, for as long as the server runs. That is also what finds out that it does again.
    pub async fn watch(self: Arc<UsedBucket>) {
        let mut interval = tokio::time::interval(WATCHED);
        loop {
            interval.tick().await;
            let used = Arc::clone(&self);
            let asked = tokio::task::spawn_blocking(move || used.look()).await;
            debug_assert!(asked.is_ok(), "asking does not panic");
        }
    }

    fn look(&self) {
        let now = self.bucket.probe();
        let before = lock(&self.seen).replace(now.clone());
        let purpose = self.purpose.as_str();
        match (before, now) {
            (Some(Ok(())) | None, Err(error @ ObjectError::Denied { .. })) => {
                tracing::warn!(purpose, %error, "a bucket refuses access");
            }
            (Some(Ok(())) | None, Err(error @ ObjectError::NoBucket { .. })) => {
                tracing::warn!(purpose, %error, "a bucket is not there");
            }
            (Some(Ok(())) | None, Err(error)) => tracing::warn!(purpose, %error, "a bucket does not answer"),
            (Some(Err(_)), Ok(())) => tracing::info!(purpose, "a bucket answers again"),
            _ => {}
        }
    }
}

impl Watched for UsedBucket {
    fn name(&self) -> &'static str {
        self.purpose.as_str()
    }

    fn said(&self) -> String {
        match lock(&self.seen).as_ref() {
            None => "not asked yet".to_owned(),
            Some(Ok(())) => "the bucket answers".to_owned(),
            Some(Err(ObjectError::Denied { problem, hint, .. })) => {
                format!("the bucket refuses access: {problem}; {hint}")
            }
            Some(Err(error @ (ObjectError::NoBucket { .. } | ObjectError::Refused { .. }))) => {
                error.to_string()
            }
            Some(Err(_)) => {
                "the bucket does not answer: what is not on this disk can't be read, and nothing be kept"
                    .to_owned()
            }
        }
    }
}

/// A request for blobs that failed, for callers.
pub(crate) fn bucket_error(error: ObjectError) -> ToolError {
    told(&error, ErrorCode::StateUnavailable)
}

/// A request to a bucket that failed, for callers. Its message ends with the remedy.
pub(crate) fn told(error: &ObjectError, code: ErrorCode) -> ToolError {
    let text = error.to_string();
    let (what, remedy) = text.rsplit_once("; ").unwrap_or((&text, "repeat the call"));
    let told = ToolError::new(code, what).hint(remedy);
    match error.retry_after() {
        Some(wait) => told.retry_after(wait.as_secs().max(1)),
        None => told,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
