//! Drafts: edited, saved, opened again.

mod cells;
mod corpus;
mod structure;
mod support;
