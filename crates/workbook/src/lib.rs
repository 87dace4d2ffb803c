//! The workbook model, and the readers that fill it from every supported format.
//!
//! The model is columnar: a [`Sheet`] is a list of [`Column`]s, a column a list of [`Chunk`]s of up to
//! [`CHUNK_ROWS`] rows, a chunk a few parallel arrays. A plain cell costs about nine bytes, an empty one nothing.
//! Chunks are shared by `Arc`, so that a copy of a workbook costs pointers until it is written to.
//!
//! **Invariants.** The model never holds more cells or bytes than its [`Limits`] (BUDGET). Positions are
//! [`grid::CellRef`]s: inside the grid by construction.
//!
//! **What this crate must never know:** the file system (bytes come in), tokio, clocks, MCP.

pub mod edit;
mod error;
mod foreign;
pub mod iso8601;
mod limits;
pub mod model;
mod open;
mod vba;
mod xlsx;

pub use error::OpenError;
pub use limits::Limits;
pub use model::*;
pub use vba::{VbaModule, VbaModuleKind};
