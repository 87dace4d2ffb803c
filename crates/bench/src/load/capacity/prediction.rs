//! A mixed load that nothing was fitted to: what it should take by the figures, and what it takes.

use std::time::Duration;

use anyhow::Result;

use super::calls::{Ask, Costs, open};
use super::memory::{COLUMNS, Memory};
use super::paced::{SHARE_OF_A_CORE, paced};
use crate::load::server::Server;
use crate::report::Report;

const LENGTH: Duration = Duration::from_secs(20);
/// How far the prediction may be off.
const MOST_ERROR: f64 = 0.25;
/// Out of ten calls: seven reads, two tables, an edit.
const MIX: [Ask; 10] = [
    Ask::Read,
    Ask::Table,
    Ask::Read,
    Ask::Read,
    Ask::Edit,
    Ask::Read,
    Ask::Read,
    Ask::Table,
    Ask::Read,
    Ask::Read,
];
/// Cells of the workbook that the tables are of.
const CELLS: f64 = 500_000.0 * COLUMNS;

/// Holds seconds of a core and memory against the formulas.
pub(super) fn prediction(server: &Server, memory: &Memory, costs: &Costs, report: &mut Report) -> Result<()> {
    let forks = super::forks(server)?;
    let of_a_core = |ask| match ask {
        Ask::Table => costs.table.server,
        Ask::Edit => costs.edit.server,
        Ask::Read | Ask::Calculate => costs.read.server,
    };
    let of_ten: f64 = MIX.into_iter().map(of_a_core).sum();
    let rate = SHARE_OF_A_CORE * MIX.len() as f64 / of_ten;
    let predicted_memory = memory.idle + memory.cells.at(CELLS) + forks.len() as f64 * memory.fork;

    // Opening workbooks and forks is no part of it.
    open(server)?;
    paced(server, &forks, &MIX, rate, LENGTH / 10)?;
    let before = server.cpu()?;
    let calls = paced(server, &forks, &MIX, rate, LENGTH)?;
    let used = (server.cpu()? - before).as_secs_f64();
    let predicted: f64 = calls.iter().map(|ask| of_a_core(*ask)).sum();
    let what = format!("{rate:.0} mixed calls/s for {:.0} s", LENGTH.as_secs_f64());
    report.drift(
        &format!("{what}: seconds of a core of the server"),
        used,
        ("for a predicted", predicted),
        MOST_ERROR,
    );
    report.drift(
        &format!("{what}: memory in MB"),
        server.memory()? as f64 / 1e6,
        ("for a predicted", predicted_memory / 1e6),
        MOST_ERROR,
    );
    Ok(())
}
