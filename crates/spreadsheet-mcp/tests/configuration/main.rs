//! The configuration as operators meet it: from file, environment and flags, checked, shown, and reloaded.

mod check;
mod program;
mod reload;
mod show;
