//! Three replicas behind HAProxy, used by many clients at once while things go wrong. Afterwards the histories of all clients
//! are held against the logs (crate `history`): nothing that was acknowledged is lost, nothing is there twice, and nobody saw
//! anything that one copy of each fork would not have shown.

mod bucket;
mod caller;
mod clock;
mod cluster;
mod database;
mod disk_full;
mod kills;
mod load;
mod mixed;
#[path = "../support/own_disk.rs"]
mod own_disk;
mod partition;
mod private;
#[path = "../support/program.rs"]
#[allow(dead_code, reason = "each of the tests uses a part of it")]
mod program;
mod python;
mod records;
mod rolling;
mod sheet;

use std::time::Duration;

/// How long something goes on: a while by hand, `briefly` in every run of the tests.
fn seconds(briefly: u64) -> Duration {
    let asked = std::env::var("SPREADSHEET_TEST_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(asked.unwrap_or(briefly))
}
