//! Cell formats in words: what a reader would say of how a cell looks.

mod describe;

pub use describe::describe;
