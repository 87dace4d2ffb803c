//! Results of formulas, computed anew by engines behind one trait.
//!
//! An [`Engine`] has one workbook loaded, is told of the cells that change, and computes. Which engine computes what is
//! decided by how it reproduces results that Excel computed (conformance), not by faith.
//!
//! **Invariants.** A result is never guessed: what an engine cannot compute is told as such and keeps its old value, marked
//! stale (FRESH). The time and the seed of random numbers are handed in, so that a calculation can be repeated.
//!
//! **What this crate must never know:** the file system, tokio, clocks, processes, MCP. LibreOffice, which is a process, is
//! reached through the same trait from above.

mod choose;
mod collect;
mod computed;
mod conformance;
mod engine;
pub mod formualizer;
pub mod ironcalc;
mod linked;
mod outside;
mod pivot_data;
mod survey;
mod tables;
mod unknown;

pub use choose::{Choice, Native, choose};
pub use collect::{Change, Collected, collect};
pub use computed::Computed;
pub use conformance::is_verified;
pub use engine::{Engine, EngineError, Moment, Refusal, Refused, Source, Stop};
pub use survey::{Survey, functions};
