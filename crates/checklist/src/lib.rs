//! A deployment gate: a checklist whose boxes are checked by machine or signed by a person.
//!
//! A [`spec::Spec`] says what has to be known. [`run::run`] finds out what machines can and gives a [`record::RunRecord`], bound to
//! what was judged. A [`ledger::Ledger`] keeps runs, and what people state, take upon themselves and sign, in an order that cannot be
//! changed unseen. An [`assessment::Assessment`] is a run with all that at a moment, and a [`verdict::Verdict`] says whether it ships.
//! [`report::render`] tells people and other programs.
//!
//! **Invariants.** What was not found out is never right: a check that could not be made, was left out or is too old stops the gate,
//! and so does a run in which nothing was checked. Each signature is about the exact state that was signed.
//!
//! **What this crate must never know:** spreadsheets, or this service: that comes by the specification and as
//! [`context::Probes`].

pub mod assessment;
mod checks;
pub mod context;
mod diff;
pub mod digest;
pub mod document;
pub mod keys;
pub mod ledger;
pub mod place;
pub mod record;
pub mod report;
pub mod rule;
pub mod run;
pub mod signing;
pub mod spec;
pub mod status;
pub mod verdict;

pub use diff::{Change, Difference, diff};
