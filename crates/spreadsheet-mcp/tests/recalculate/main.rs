//! Recalculation through the whole program: work that takes long is really ended, and what LibreOffice does to itself or is
//! made to do stays its own affair.

mod libreoffice;
mod long;
mod processes;
#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod program;
