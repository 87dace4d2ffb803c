//! The configuration as operators meet it: from file, environment and flags, checked, and shown.

mod check;
mod program;
mod show;
