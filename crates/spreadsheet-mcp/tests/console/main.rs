//! The page of the checklist, as administrators have it: over the real program, by requests and in a real browser.

mod browser;
mod deployed;
mod doors;
#[path = "../configuration/program.rs"]
#[allow(dead_code, reason = "each test needs some of it")]
mod program;
mod signing;
