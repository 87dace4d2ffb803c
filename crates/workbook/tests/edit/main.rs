//! Drafts: edited, saved, opened again.

#![allow(clippy::unwrap_used, reason = "tests")]

mod append;
mod around_corpus;
mod cells;
mod comments;
mod corpus;
mod follow;
mod layout;
mod links;
mod objects;
mod objects_corpus;
mod other_programs;
mod page;
mod replay;
mod rules;
mod shift;
mod structure;
mod support;
mod tables;
