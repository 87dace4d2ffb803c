//! Files over HTTP, as curl and clients of our own send and fetch them: whole, in parts, under conditions, by signed URLs; and what
//! is left of those that fail: nothing.

mod bounds;
mod bucket;
mod conditions;
mod paths;
#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod program;
mod round_trip;
mod scan;
mod urls;
mod wire;
