//! What is deployed beside the program: manifests, rules, dashboards, runbooks. They are held against the program, and against
//! the tools that read them.

mod alertmanager;
#[path = "../tls/authority.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod authority;
mod compose;
mod dashboards;
mod drill;
mod generated;
mod known;
mod manifests;
mod network;
mod overlays;
#[path = "../support/own_disk.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod own_disk;
#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod program;
mod rules;
mod runbooks;
mod scanners;
mod source;
