//! The vocabulary of a spreadsheet's grid: where a cell is, what it may hold, and how far a sheet reaches.
//!
//! **Invariants.** Every [`CellRef`] lies inside the grid of ECMA-376 (1,048,576 rows × 16,384 columns) and every
//! [`CellRange`] has its start at or above and left of its end: constructors check, inner layers never re-check.
//!
//! **What this crate must never know:** files, XML, workbooks, formulas, time, the environment.

mod address;
mod cell_ref;
mod date;
mod range;
mod sheet_name;
mod value;

pub use address::{Address, AddressError};
pub use cell_ref::{
    CellRef, MAX_COLS, MAX_ROWS, RefError, column_letters, parse_column, push_column_letters,
};
pub use date::{CivilDateTime, DateSystem};
pub use range::CellRange;
pub use sheet_name::{needs_quotes, quote, unquote};
pub use value::{ErrorValue, Value};
