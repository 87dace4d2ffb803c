//! The deployment gate over the repository itself: its boxes are those of the document, every machine check can go red and green
//! again, and a release goes through it from the first run to a server that starts by its verdict.

mod between;
mod document;
mod evidence;
mod example;
mod gate;
mod live;
#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod program;
mod proofs;
mod rehearsal;
mod series;
mod tree;
