//! Cell formats in words: what a reader would say of how a cell looks, which looks are used where, and which rules
//! change them.

mod census;
mod describe;
mod rules;

pub use census::{FormatUse, census};
pub use describe::{describe, look};
pub use rules::{describe_condition, describe_validation};
