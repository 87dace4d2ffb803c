//! Whether what many clients saw of a fork could have come from one copy of it (linearizability).
//!
//! In general that takes a search (Wing and Gong 1993; Knossos and Porcupine do it). Two things make it exact in
//! `O(n log n)` here, as Elle (Kingsbury and Alvaro 2020) does for its lists: every edit writes a mark that no other edit
//! writes, so that a read tells which edits it saw; and the log tells the order of edits. What is left is whether every call
//! can be given a place in that order that agrees with what it was told and with the clock: a call that began after another
//! one had ended comes after it. Places are given out from left to right, each as early as it can be; who finds its place
//! taken by the past is an anomaly.
//!
//! **Invariant.** A history without anomaly has an explanation, and the checker has found it; an anomaly has none.
//!
//! **What this crate must never know:** servers, workbooks and databases. It takes a log and calls as values.

mod anomaly;
mod check;
mod content;
mod model;

pub use anomaly::Anomaly;
pub use check::check;
pub use model::{Answer, Call, Entry, Nanos, Outcome, Seq, Span, What};
