//! LibreOffice as a service: a small pool of warm, isolated workers that calculate workbooks and draw pictures of them.
//!
//! A worker is a process group: a bridge (a Python script on LibreOffice's own API) and the LibreOffice that it drives.
//! It has a folder of its own, with its profile and its temporary files. [`Office`] hands jobs to workers, watches time
//! and memory while they run, and replaces workers that fail.
//!
//! **Invariants.** A worker reaches no network, and where the kernel has Landlock no file outside of its folder but what
//! programs need to run: nothing starts unprotected. A job ends by its time limit, its memory limit, or when it is told
//! to stop, whatever LibreOffice does. There are never more workers than the options say, counting those that are being
//! ended. When an [`Office`] is dropped, no process and no file of it is left; when its process is killed, its workers
//! notice and clean up themselves. No text of a document reaches an error (PRIVATE).
//!
//! **What this crate must never know:** the model of a workbook, the other crates, tokio.

mod availability;
mod calculation;
mod counts;
mod error;
mod frames;
mod isolation;
mod options;
mod picture;
mod pool;
mod process_group;
mod raster;
mod watch;
mod worker;
mod worker_folder;

pub use availability::Availability;
pub use calculation::{CalculatedSheet, CalculatedValue, Document};
pub use counts::OfficeCounts;
pub use error::OfficeError;
pub use options::OfficeOptions;
pub use picture::PictureRequest;
pub use pool::Office;
