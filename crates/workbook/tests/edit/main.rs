//! Drafts: edited, saved, opened again.

#![allow(clippy::unwrap_used, reason = "tests")]

mod cells;
mod corpus;
mod layout;
mod page;
mod structure;
mod support;
