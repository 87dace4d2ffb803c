//! Bytes in an object store, for code that blocks: Amazon S3 and what speaks its protocol, Google Cloud Storage, Azure Blob
//! Storage.
//!
//! **Invariants.** A write happens wholly or not at all, and only if its [`Precondition`] holds when it does. Every request
//! ends within its bounds of time; a store that fails again and again is left alone for a moment, and requests fail at once.
//! What is handed out as an object is all of it. An error says whether the same request may succeed later.
//!
//! **What this crate must never know:** what the bytes mean. It knows the network; the runtime that it works on is handed in,
//! and nothing of it may be called from a task of a runtime.

mod bucket;
mod counts;
mod error;
mod object;
mod options;
mod page;
mod transfer;
mod url;

pub use bucket::Bucket;
pub use counts::{Counts, Operation, Outcome};
pub use error::ObjectError;
pub use object::{Object, Precondition, Received, Version};
pub use options::{Options, Settings, UnknownSetting};
pub use url::{BucketUrl, InvalidUrl};
