//! Objects below a prefix.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use object_store::{
    BackoffConfig, ClientOptions, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, RetryConfig,
    UpdateVersion, path::Path,
};
use tokio::runtime::Handle;

use crate::{BucketUrl, ObjectError};

/// How requests are made.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long one request may take until its connection stands.
    pub connect_timeout: Duration,
    /// How long a request may take with all its repetitions.
    pub timeout: Duration,
    /// What the store is told beside what the environment says (`aws_endpoint`, …; see the `object_store` crate).
    pub settings: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(30),
            settings: Vec::new(),
        }
    }
}

/// What tells one content under a key from another one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Version {
    /// The entity tag.
    pub etag: Option<String>,
    /// The version, where the store counts them.
    pub version: Option<String>,
}

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The key below the prefix, with `/` between its parts.
    pub key: String,
    /// The length in bytes.
    pub size: u64,
    /// When it was written.
    pub modified: SystemTime,
    /// What tells its content from another one.
    pub version: Version,
}

/// An object that was read.
#[derive(Debug, Clone)]
pub struct Received {
    /// What it was when it was read.
    pub object: Object,
    /// Its bytes.
    pub bytes: Bytes,
}

/// When a write may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Always.
    None,
    /// If there is nothing under the key (`If-None-Match: *`).
    Absent,
    /// If it still is that content (`If-Match`).
    Unchanged(Version),
}

/// A bucket, or what is below a prefix of it.
#[derive(Debug, Clone)]
pub struct Bucket {
    url: BucketUrl,
    store: Arc<dyn ObjectStore>,
    runtime: Handle,
    timeout: Duration,
}

impl Bucket {
    /// Uses what is at `url`; no request is made yet. Credentials and endpoints come from the environment (`AWS_*`, `GOOGLE_*`,
    /// `AZURE_*`) and from `options`.
    ///
    /// # Errors
    /// `Unsupported` when the settings make no store.
    pub fn open(url: &BucketUrl, options: &Options, runtime: Handle) -> Result<Bucket, ObjectError> {
        let _entered = runtime.enter();
        let store = build(url, options).map_err(|error| ObjectError::Unsupported {
            store: url.to_string(),
            problem: error.to_string(),
        })?;
        Ok(Bucket { url: url.clone(), store, runtime: runtime.clone(), timeout: options.timeout })
    }

    /// Where it is.
    pub fn url(&self) -> &BucketUrl {
        &self.url
    }

    /// What is under a key.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Unavailable`.
    pub fn head(&self, key: &str) -> Result<Object, ObjectError> {
        let meta = self.wait(key, self.store.head(&self.path(key)))?;
        Ok(self.object(meta))
    }

    /// Reads an object.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Unavailable`.
    pub fn get(&self, key: &str) -> Result<Received, ObjectError> {
        let path = self.path(key);
        self.wait(key, async {
            let result = self.store.get(&path).await?;
            let object = self.object(result.meta.clone());
            Ok(Received { object, bytes: result.bytes().await? })
        })
    }

    /// Writes an object.
    ///
    /// # Errors
    /// `Changed` when the precondition does not hold, `Denied`, `Unavailable`.
    pub fn put(&self, key: &str, bytes: Bytes, when: &Precondition) -> Result<Version, ObjectError> {
        let mode = match when {
            Precondition::None => PutMode::Overwrite,
            Precondition::Absent => PutMode::Create,
            Precondition::Unchanged(version) => PutMode::Update(UpdateVersion {
                e_tag: version.etag.clone(),
                version: version.version.clone(),
            }),
        };
        let options = PutOptions { mode, ..PutOptions::default() };
        let put = self.wait(key, self.store.put_opts(&self.path(key), bytes.into(), options))?;
        Ok(Version { etag: put.e_tag, version: put.version })
    }

    /// Deletes an object; nothing happens if there is none.
    ///
    /// # Errors
    /// `Denied`, `Unavailable`.
    pub fn delete(&self, key: &str) -> Result<(), ObjectError> {
        match self.wait(key, self.store.delete(&self.path(key))) {
            Err(ObjectError::NotFound { .. }) => Ok(()),
            deleted => deleted,
        }
    }

    /// Runs a request to its end, within the time that it may take.
    fn wait<T>(
        &self,
        key: &str,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, ObjectError> {
        match self.runtime.block_on(async { tokio::time::timeout(self.timeout, request).await }) {
            Ok(answer) => answer.map_err(|error| self.explain(key, error)),
            Err(_) => Err(ObjectError::Unavailable {
                store: self.url.to_string(),
                problem: format!("no answer within {} s", self.timeout.as_secs_f64()),
            }),
        }
    }

    fn explain(&self, key: &str, error: object_store::Error) -> ObjectError {
        use object_store::Error;
        let (key, store, problem) = (key.to_owned(), self.url.to_string(), error.to_string());
        match error {
            Error::NotFound { .. } => ObjectError::NotFound { key },
            Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotModified { .. } => {
                ObjectError::Changed { key }
            }
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                ObjectError::Denied { store, problem }
            }
            Error::NotSupported { .. } | Error::NotImplemented { .. } | Error::InvalidPath { .. } => {
                ObjectError::Unsupported { store, problem }
            }
            _ => ObjectError::Unavailable { store, problem },
        }
    }

    fn path(&self, key: &str) -> Path {
        self.url.prefix.parts().chain(Path::from(key).parts()).collect()
    }

    fn object(&self, meta: ObjectMeta) -> Object {
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

fn build(url: &BucketUrl, options: &Options) -> object_store::Result<Arc<dyn ObjectStore>> {
    use object_store::{aws::AmazonS3Builder, azure::MicrosoftAzureBuilder, gcp::GoogleCloudStorageBuilder};
    let text = url.url.as_str();
    let client = ClientOptions::new()
        .with_connect_timeout(options.connect_timeout)
        .with_timeout(options.timeout)
        .with_allow_http(true);
    let retry = RetryConfig {
        backoff: BackoffConfig { init_backoff: Duration::from_millis(100), ..BackoffConfig::default() },
        max_retries: 3,
        retry_timeout: options.timeout / 2,
    };
    macro_rules! built {
        ($builder:expr) => {{
            let mut builder = $builder.with_url(text).with_client_options(client).with_retry(retry);
            for (key, value) in &options.settings {
                if let Ok(key) = key.parse() {
                    builder = builder.with_config(key, value);
                }
            }
            Arc::new(builder.build()?)
        }};
    }
    Ok(match url.url.scheme() {
        "gs" => built!(GoogleCloudStorageBuilder::from_env()),
        "az" => built!(MicrosoftAzureBuilder::from_env()),
        _ => built!(AmazonS3Builder::from_env()),
    })
}
