//! Drafts: edited, saved, opened again.

mod cells;
mod corpus;
mod layout;
mod structure;
mod support;
