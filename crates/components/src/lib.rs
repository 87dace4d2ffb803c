//! Starts the real programs that tests talk to, on free ports of loopback, with their files in folders of their own.
//!
//! **Invariants.** A program ends with the value that stands for it, also when a test panics. One that is not installed is
//! said aloud, and is no failure: `make setup` installs all of them.
//!
//! **What this crate must never know:** what is tested. It depends on no other crate of ours, and no program of ours on it.

mod collector;
mod faults;
mod haproxy;
mod listener;
mod ports;
mod postgres;
mod process;
mod s3;

pub use collector::Collector;
pub use faults::{Fault, FaultyProxy};
pub use haproxy::Haproxy;
pub use listener::{Listener, eventually, http, installed, node, python};
pub use ports::free_port;
pub use postgres::{Postgres, PostgresOptions};
pub use process::Component;
pub use s3::S3;
