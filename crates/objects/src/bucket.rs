//! Objects below a prefix.

use std::{
    future::Future,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use futures_util::{TryStreamExt as _, stream::BoxStream};
use object_store::{
    Attributes, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutOptions, PutPayload,
    path::Path,
};
use recloser::{AsyncRecloser, Recloser};
use tokio::{runtime::Handle, time::timeout};

use crate::{
    BucketUrl, Counts, Object, ObjectError, Operation, Options, Precondition, Received, Version,
    error::{hint_for, is_about_bucket, is_of_request, is_refusal, reason},
    options::build,
    page::Pages,
};

/// So many of the last [`JUDGED`] requests have to fail for the store to be left alone.
const FAILED_SHARE: f32 = 0.75;
/// How many requests a judgement is about.
const JUDGED: usize = 4;
/// Bytes that a second moves at least, beside the time that any request may take.
const SLOWEST: u64 = 1 << 20;
/// What is under no key of anybody's, and asked for to see whether the store answers.
const PROBE: &str = ".probe";

/// Bytes of a key, its prefix included, that every store takes.
const MAX_KEY: usize = 1024;

/// A bucket, or what is below a prefix of it. Copies share their counts, and what they know of the store's state.
#[derive(Debug, Clone)]
pub struct Bucket {
    url: BucketUrl,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) runtime: Handle,
    pub(crate) timeout: Duration,
    pub(crate) stall_timeout: Duration,
    connect_timeout: Duration,
    pause: Duration,
    recloser: AsyncRecloser,
    /// Whether the last request found the store away.
    is_doubted: Arc<AtomicBool>,
    pages: Arc<Pages>,
    pub(crate) counts: Arc<Counts>,
}

impl Bucket {
    /// Uses what is at `url`; no request is made yet. Credentials and endpoints come from the environment (`AWS_*`, `GOOGLE_*`,
    /// `AZURE_*`) and from `options`.
    ///
    /// # Errors
    /// `Unsupported` when the settings make no store.
    pub fn open(url: &BucketUrl, options: &Options, runtime: Handle) -> Result<Bucket, ObjectError> {
        let _entered = runtime.enter();
        let pages = Arc::default();
        let store = build(url, options, &pages).map_err(|error| ObjectError::Unsupported {
            store: url.to_string(),
            problem: error.to_string(),
        })?;
        let recloser = Recloser::custom()
            .error_rate(FAILED_SHARE)
            .closed_len(JUDGED)
            .half_open_len(1)
            .open_wait(options.pause)
            .build();
        Ok(Bucket {
            url: url.clone(),
            store,
            runtime: runtime.clone(),
            timeout: options.timeout,
            stall_timeout: options.stall_timeout,
            connect_timeout: options.connect_timeout,
            pause: options.pause,
            recloser: AsyncRecloser::from(recloser),
            is_doubted: Arc::default(),
            pages,
            counts: Arc::default(),
        })
    }

    /// Where it is.
    pub fn url(&self) -> &BucketUrl {
        &self.url
    }

    /// What was asked of it so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Asks whether the store answers and knows us, and whether the bucket is there: what is asked for is read, since answers
    /// to `HEAD` do not say what it is that is not there.
    ///
    /// # Errors
    /// `Denied`, `NoBucket`, `Refused`, `Unavailable`, `Suspended`.
    pub fn probe(&self) -> Result<(), ObjectError> {
        let path = self.path(PROBE)?;
        let options = GetOptions { range: Some(GetRange::Bounded(0..1)), ..GetOptions::default() };
        let get = async { self.explained(PROBE, self.timeout, self.store.get_opts(&path, options)).await };
        // Counted as what it is for: alerts look at it.
        match self.request(Operation::Head, get) {
            Ok(_) | Err(ObjectError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What is under a key.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Unavailable`, `Suspended`.
    pub fn head(&self, key: &str) -> Result<Object, ObjectError> {
        let path = self.path(key)?;
        let head = async { self.explained(key, self.timeout, self.store.head(&path)).await };
        Ok(self.object(self.request(Operation::Head, head)?))
    }

    /// Reads an object into memory.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Unavailable` (also when it breaks off), `Suspended`.
    pub fn get(&self, key: &str) -> Result<Received, ObjectError> {
        self.collect(key, GetOptions::default())
    }

    /// Reads a part of an object into memory; `object` tells the whole. It may end before `range` does, and must not end before
    /// it begins.
    ///
    /// # Errors
    /// As [`Bucket::get`].
    pub fn get_range(&self, key: &str, range: Range<u64>) -> Result<Received, ObjectError> {
        self.collect(key, GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() })
    }

    fn collect(&self, key: &str, options: GetOptions) -> Result<Received, ObjectError> {
        let mut bytes = BytesMut::new();
        let object = self.receive(key, options, |piece, expected| {
            if bytes.is_empty() {
                bytes.reserve(usize::try_from(expected).map_err(|error| error.to_string())?);
            }
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(Received { object, bytes: bytes.freeze() })
    }

    /// Writes an object. A write whose answer was lost is repeated: under a precondition its own first try may then be what
    /// [`Changed`](ObjectError::Changed) tells of.
    ///
    /// # Errors
    /// `Changed` when the precondition does not hold, `Denied`, `Unavailable`, `Suspended`.
    pub fn put(&self, key: &str, bytes: Bytes, when: &Precondition) -> Result<Version, ObjectError> {
        self.request(Operation::Put, self.put_at_once(key, bytes.into(), when, Attributes::new()))
    }

    pub(crate) async fn put_at_once(
        &self,
        key: &str,
        payload: PutPayload,
        when: &Precondition,
        attributes: Attributes,
    ) -> Result<Version, ObjectError> {
        let bytes = payload.content_length() as u64;
        let options = PutOptions { mode: when.mode(), attributes, ..PutOptions::default() };
        let path = self.path(key)?;
        let put = self.store.put_opts(&path, payload, options);
        let put = self.explained(key, self.time_for(bytes), put).await?;
        self.counts.add_sent(bytes);
        Ok(Version { etag: put.e_tag, version: put.version })
    }

    /// Deletes an object; nothing happens if there is none.
    ///
    /// # Errors
    /// `Denied`, `Unavailable`, `Suspended`.
    pub fn delete(&self, key: &str) -> Result<(), ObjectError> {
        let path = self.path(key)?;
        let delete = async {
            match self.explained(key, self.timeout, self.store.delete(&path)).await {
                Err(ObjectError::NotFound { .. }) => Ok(()),
                deleted => deleted,
            }
        };
        self.request(Operation::Delete, delete)
    }

    /// The objects below `prefix`, a path of whole names, in the order of their keys: at most `limit`, and only those after the
    /// key `after`. A page of a thousand is one request. Keys that no request can name (with control characters or empty names)
    /// are left out, and counted in the log.
    ///
    /// # Errors
    /// `Denied`, `Unavailable`, `Suspended`.
    pub fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Object>, ObjectError> {
        let path = self.path(prefix)?;
        let list = async {
            let mut listed = match after {
                Some(after) => self.store.list_with_offset(Some(&path), &self.path(after)?),
                None => self.store.list(Some(&path)),
            };
            let mut objects = Vec::new();
            while objects.len() < limit {
                match self.next_listed(prefix, &mut listed).await? {
                    Some(meta) => objects.push(self.object(meta)),
                    None => break,
                }
            }
            Ok(objects)
        };
        let listed = self.request(Operation::List, list);
        let left_out = self.pages.take_left_out();
        if left_out > 0 {
            tracing::warn!(
                store = %self.url,
                left_out,
                "objects are left out of a listing: their keys have control characters or empty names; give them other ones"
            );
        }
        listed
    }

    /// The next object of a listing. Every page has to come within its time, also those that nothing is left of.
    async fn next_listed(
        &self,
        prefix: &str,
        listed: &mut BoxStream<'static, object_store::Result<ObjectMeta>>,
    ) -> Result<Option<ObjectMeta>, ObjectError> {
        let mut next = listed.try_next();
        loop {
            let pages = self.pages.read();
            match timeout(self.timeout, &mut next).await {
                Ok(answer) => return answer.map_err(|error| self.explain(prefix, &error)),
                Err(_) if self.pages.read() > pages => {}
                Err(_) => return Err(self.silent_for(self.timeout)),
            }
        }
    }

    /// Runs a request to its end, unless the store failed again and again. After one failure it is first asked something small,
    /// so that not everybody waits for it in turn for as long as their request may take.
    pub(crate) fn request<T>(
        &self,
        operation: Operation,
        request: impl Future<Output = Result<T, ObjectError>>,
    ) -> Result<T, ObjectError> {
        let is_failure = |error: &ObjectError| matches!(error, ObjectError::Unavailable { .. });
        let start = Instant::now();
        let guarded = async {
            if self.is_doubted.load(Relaxed) {
                self.answers().await?;
            }
            request.await
        };
        let ended = self.runtime.block_on(self.recloser.call_with(is_failure, guarded));
        let result = ended.map_err(|error| match error {
            recloser::Error::Inner(error) => error,
            recloser::Error::Rejected => {
                ObjectError::Suspended { store: self.url.to_string(), pause: self.pause }
            }
        });
        match &result {
            Err(ObjectError::Suspended { .. }) => {}
            Err(ObjectError::Unavailable { .. }) => self.is_doubted.store(true, Relaxed),
            _ => self.is_doubted.store(false, Relaxed),
        }
        self.counts.ended(operation, &result, start.elapsed());
        result
    }

    /// Whether the store says anything, within the time in which a connection has to stand.
    async fn answers(&self) -> Result<(), ObjectError> {
        let path = self.path(PROBE)?;
        match self.explained(PROBE, self.connect_timeout, self.store.head(&path)).await {
            Err(error @ ObjectError::Unavailable { .. }) => Err(error),
            _ => Ok(()),
        }
    }

    /// How long a request may take that moves so many bytes.
    pub(crate) fn time_for(&self, bytes: u64) -> Duration {
        self.timeout.saturating_add(Duration::from_secs(bytes / SLOWEST))
    }

    /// What a store says, in our words, or that it says nothing for too long.
    pub(crate) async fn explained<T>(
        &self,
        key: &str,
        time: Duration,
        said: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, ObjectError> {
        match timeout(time, said).await {
            Ok(answer) => answer.map_err(|error| self.explain(key, &error)),
            Err(_) => Err(self.silent_for(time)),
        }
    }

    fn silent_for(&self, time: Duration) -> ObjectError {
        self.unavailable(format!("no answer within {} s", time.as_secs_f64()))
    }

    pub(crate) fn unavailable(&self, problem: String) -> ObjectError {
        ObjectError::Unavailable { store: self.url.to_string(), problem }
    }

    fn explain(&self, key: &str, error: &object_store::Error) -> ObjectError {
        use object_store::Error;
        let (key, store, problem) = (key.to_owned(), self.url.to_string(), reason(error));
        match error {
            _ if is_about_bucket(&problem) => {
                ObjectError::NoBucket { bucket: self.url.bucket().to_owned(), store }
            }
            Error::NotFound { .. } => ObjectError::NotFound { key },
            Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotModified { .. } => {
                ObjectError::Changed { key }
            }
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                ObjectError::Denied { store, hint: hint_for(&problem), problem }
            }
            Error::NotSupported { .. } | Error::NotImplemented { .. } | Error::InvalidPath { .. } => {
                ObjectError::Unsupported { store, problem }
            }
            // The client has kinds for refusals of some requests only.
            _ if is_refusal(&problem) => ObjectError::Denied { store, hint: hint_for(&problem), problem },
            // What it does not know how to do it will not know in a moment either.
            _ if problem.starts_with("501") => ObjectError::Unsupported { store, problem },
            _ if is_of_request(&problem) => ObjectError::Refused { store, problem },
            _ => ObjectError::Unavailable { store, problem },
        }
    }

    /// Whether a key is short enough, with the prefix, to be that of an object.
    pub fn has_room_for(&self, key: &str) -> bool {
        let prefix = self.url.prefix.as_ref().len();
        // One for what is between them.
        key.len() + if prefix == 0 { 0 } else { prefix + 1 } <= MAX_KEY
    }

    /// The key as it is, below the prefix: what others call their objects is what we call them.
    pub(crate) fn path(&self, key: &str) -> Result<Path, ObjectError> {
        if !self.has_room_for(key) {
            let problem = format!("a key has at most {MAX_KEY} bytes, and this one more");
            return Err(ObjectError::Refused { store: self.url.to_string(), problem });
        }
        let key = Path::parse(key).map_err(|error| ObjectError::Unsupported {
            store: self.url.to_string(),
            problem: error.to_string(),
        })?;
        Ok(self.url.prefix.parts().chain(key.parts()).collect())
    }

    pub(crate) fn object(&self, meta: ObjectMeta) -> Object {
        let below = meta.location.prefix_match(&self.url.prefix);
        let key = below.map(|parts| parts.collect::<Path>().to_string()).unwrap_or_default();
        Object {
            key,
            size: meta.size,
            modified: meta.last_modified.into(),
            version: Version { etag: meta.e_tag, version: meta.version },
        }
    }
}
