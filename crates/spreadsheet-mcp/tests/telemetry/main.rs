//! What the program tells of itself, to the real programs that listen: Prometheus, its Pushgateway, an OTLP collector.

mod logs;
mod metrics;
mod privacy;
#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod program;
mod prometheus;
mod traces;
