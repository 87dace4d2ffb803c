//! Memory: of a server, of what it has opened, of forks, of LibreOffice.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use components::installed;
use serde_json::{Value, json};

use super::fit::Line;
use crate::load::client::set;
use crate::load::process;
use crate::load::server::Server;
use crate::report::Report;
use crate::{CHAIN, MIXED, SMALL, keep};

/// Rows of the workbooks that the line is fitted to, beside the largest.
const ROWS: [u32; 3] = [100_000, 200_000, 350_000];
const MOST_ROWS: u32 = 500_000;
pub(super) const COLUMNS: f64 = 10.0;
/// Times that each is measured; the median counts.
const ROUNDS: usize = 3;
/// How far the line may be from what it was fitted to.
const WORST_ERROR: f64 = 10.0;
/// Forks that a server keeps in memory by default.
const BY_DEFAULT: usize = 16;
/// Forks of a small workbook, and of a large one.
const FORKS: usize = 500;
const LARGE_FORKS: usize = 8;
/// Formulas of the chain.
const FORMULAS: f64 = 100_000.0;
/// How often, and for how long at most, memory is looked at until it stays.
const LOOK: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(10);

/// The terms of the memory of a replica, in bytes.
pub(super) struct Memory {
    pub(super) idle: f64,
    /// What workbooks take, by their cells.
    pub(super) cells: Line,
    /// A fork of a small workbook that is in memory.
    pub(super) fork: f64,
}

/// Every figure.
pub(super) fn memory(program: &Path, folder: &Path, report: &mut Report) -> Result<Memory> {
    let meter = Meter { program, folder };
    let idle = median(|| settled(&meter.start(BY_DEFAULT)?.server))?;
    report.figure("memory of an idle server", idle / 1e6, "MB", None);
    let cells = meter.workbooks(report)?;
    meter.formulas(cells.intercept, report)?;
    let fork = meter.forks(report)?;
    if installed("soffice").is_some() {
        meter.office(report)?;
    }
    Ok(Memory { idle, cells, fork })
}

/// Starts a server for each measurement: none has the memory of another one.
struct Meter<'a> {
    program: &'a Path,
    folder: &'a Path,
}

/// A server and what is its own.
struct Fresh {
    server: Server,
    _own: tempfile::TempDir,
}

type Work<'a> = &'a dyn Fn(&Server) -> Result<()>;

impl Meter<'_> {
    fn start(&self, live_forks: usize) -> Result<Fresh> {
        let own = tempfile::tempdir()?;
        let environment = [("SPREADSHEET_MCP_LIVE_FORKS", live_forks.to_string())];
        let server = Server::replica(self.program, self.folder, own.path(), &environment)?;
        Ok(Fresh { server, _own: own })
    }

    /// By how much some work lets memory grow, after other work.
    fn grown(&self, live_forks: usize, before: Work<'_>, work: Work<'_>) -> Result<f64> {
        median(|| {
            let Fresh { server, _own } = self.start(live_forks)?;
            before(&server)?;
            let empty = settled(&server)?;
            work(&server)?;
            Ok(settled(&server)? - empty)
        })
    }

    fn workbooks(&self, report: &mut Report) -> Result<Line> {
        let mut points = Vec::new();
        for rows in ROWS.into_iter().chain([MOST_ROWS]) {
            let name = mixed(rows);
            keep(self.folder, &name, || fixtures::benchmark::mixed(rows))?;
            let last = format!("Data!A{0}:J{0}", rows + 1);
            let bytes = self.grown(BY_DEFAULT, &|_| Ok(()), &|server| read(server, &name, &last))?;
            points.push((f64::from(rows) * COLUMNS, bytes));
        }
        let cells = Line::fit(&points);
        report.figure("memory of a cell of an open workbook, mixed types", cells.slope, "bytes", None);
        report.figure("memory of an open workbook beside its cells", cells.intercept / 1e6, "MB", None);
        let error = 100.0 * cells.worst_error(&points);
        report.figure("the worst error of these two, 1 to 5 million cells", error, "%", Some(WORST_ERROR));
        Ok(cells)
    }

    fn formulas(&self, beside: f64, report: &mut Report) -> Result<()> {
        let open = |server: &Server| read(server, CHAIN, "Chain!A100001");
        let opened = self.grown(BY_DEFAULT, &|_| Ok(()), &open)? - beside;
        report.figure("memory of a formula of an open workbook", opened / FORMULAS, "bytes", None);
        let calculated = self.grown(BY_DEFAULT, &open, &|server| {
            let fork = server.create_fork(CHAIN)?;
            server.call("recalculate", &json!({ "workbook": fork })).map(drop)
        })?;
        let what = "memory of a formula that was calculated, besides";
        report.figure(what, calculated / FORMULAS, "bytes", None);
        Ok(())
    }

    /// Gives what a fork of a small workbook takes while it is in use.
    fn forks(&self, report: &mut Report) -> Result<f64> {
        // Another fork is there before: what all forks of a workbook share is none's own.
        let of_one = |live: usize, count: usize, workbook: &str, cell: &str| -> Result<f64> {
            let one = |server: &Server| edited(server, workbook, cell).map(drop);
            let bytes = self.grown(live, &one, &|server| (0..count).try_for_each(|_| one(server)))?;
            Ok(bytes / count as f64)
        };
        let fork = of_one(1 + FORKS, FORKS, SMALL, "A30")?;
        report.figure("memory of a fork in use, of small.xlsx with an edit", fork / 1e3, "kB", None);
        let at_rest = of_one(1, FORKS, SMALL, "A30")?;
        report.figure("memory of a fork that is not in use", at_rest / 1e3, "kB", None);
        let large = of_one(1 + LARGE_FORKS, LARGE_FORKS, &mixed(ROWS[0]), "Data!C50000")?;
        report.figure("memory of a fork in use, of a million cells with an edit", large / 1e3, "kB", None);
        Ok(fork)
    }

    fn office(&self, report: &mut Report) -> Result<()> {
        let bytes = median(|| {
            let Fresh { server, _own } = self.start(BY_DEFAULT)?;
            let fork = edited(&server, SMALL, "A30")?;
            server.call("recalculate", &json!({ "workbook": fork, "engine": "libreoffice" }))?;
            Ok(process::memory_of_descendants(server.id())? as f64)
        })?;
        report.figure("memory of a warm LibreOffice", bytes / 1e6, "MB", None);
        Ok(())
    }
}

fn mixed(rows: u32) -> String {
    if rows == MOST_ROWS { MIXED.to_owned() } else { format!("mixed-{}k.xlsx", rows / 1000) }
}

fn read(server: &Server, workbook: &str, range: &str) -> Result<()> {
    let asked: Value = json!({ "workbook": workbook, "ranges": [range] });
    server.call("read_range", &asked).map(drop)
}

fn edited(server: &Server, workbook: &str, cell: &str) -> Result<String> {
    let fork = server.create_fork(workbook)?;
    server.call("edit_cells", &set(&fork, cell, 1))?;
    Ok(fork)
}

fn median(mut measure: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut figures = (0..ROUNDS).map(|_| measure()).collect::<Result<Vec<f64>>>()?;
    figures.sort_by(f64::total_cmp);
    Ok(figures[ROUNDS / 2])
}

/// The memory of a server when it stays for a second.
fn settled(server: &Server) -> Result<f64> {
    let begun = Instant::now();
    let mut seen = vec![server.memory()?];
    loop {
        std::thread::sleep(LOOK);
        let now = server.memory()?;
        let stays = seen.iter().rev().take(4).filter(|before| before.abs_diff(now) < now / 200).count() == 4;
        if stays || begun.elapsed() > PATIENCE {
            return Ok(now as f64);
        }
        seen.push(now);
    }
}
