//! The life of the program: how it starts, how it ends by signals and by its client's leaving, and what it finds of one that was
//! killed. Whatever it is about then, nothing is lost and nothing stays.

mod killed;
#[path = "../recalculate/processes.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod processes;
#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod program;
mod starting;
mod stdio;
mod under_load;
mod working;
