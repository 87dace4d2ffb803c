//! Drafts: edited, saved, opened again.

#![allow(clippy::unwrap_used, reason = "tests")]

mod around_corpus;
mod cells;
mod corpus;
mod follow;
mod layout;
mod links;
mod page;
mod rules;
mod structure;
mod support;
