//! Bytes in an object store, for code that blocks: Amazon S3 and what speaks its protocol, Google Cloud Storage, Azure Blob
//! Storage.
//!
//! **Invariants.** A write happens wholly or not at all, and only if its [`Precondition`] holds when it does. Every request
//! ends within its bounds of time. An error says whether the same request may succeed later.
//!
//! **What this crate must never know:** what the bytes mean. It knows the network; the runtime that it works on is handed in,
//! and nothing of it may be called from a task of a runtime.

mod bucket;
mod error;
mod url;

pub use bucket::{Bucket, Object, Options, Precondition, Received, Version};
pub use error::ObjectError;
pub use url::{BucketUrl, InvalidUrl};
