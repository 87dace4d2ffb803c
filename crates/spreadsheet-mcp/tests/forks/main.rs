//! Forks through the whole program: over HTTP and from a shell, with servers that die and clients that race. What was
//! acknowledged is kept (DURABLE), and what was not asked for is not written (ORIGINAL).

mod crash;
mod crash_saving;
mod faults;
#[path = "../support/own_disk.rs"]
mod own_disk;
#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod program;
mod shell;
mod small_disk;
mod together;
