//! The configuration as operators meet it: from file, environment and flags, checked, shown, and reloaded.

mod check;
#[allow(dead_code, reason = "other tests use the rest")]
mod program;
mod reload;
mod show;
