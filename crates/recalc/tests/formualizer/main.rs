//! The engine that keeps a graph, over small workbooks.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod faults;
mod functions;
mod like_excel;
mod pivots;
mod references;
mod support;
