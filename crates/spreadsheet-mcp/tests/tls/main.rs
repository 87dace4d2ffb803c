//! TLS, as clients, scrapers, probes and those who mean harm meet it: the real program, and certificates made for each test.

mod authority;
mod calls;
mod client;
mod hostile;
mod metrics;
mod mutual;
mod place;
mod probes;
#[path = "../configuration/program.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod program;
mod reload;
mod start;
