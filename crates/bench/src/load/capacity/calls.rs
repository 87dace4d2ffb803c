//! What calls cost: seconds of a core, of the server and of its database.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::paced::{SHARE_OF_A_CORE, paced};
use crate::MIXED;
use crate::load::client::{Connection, Outcome, set};
use crate::load::process;
use crate::load::server::Server;
use crate::report::Report;

/// Seconds of a core after which a figure is exact: the system tells hundredths.
const ENOUGH: Duration = Duration::from_secs(2);
/// Calls of each client at a time, and those that do not count.
const TURNS: usize = 50;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    Read,
    Table,
    Edit,
    /// An edit, and the calculation of what depends on it.
    Calculate,
}

impl Ask {
    /// The calls of one turn.
    pub(super) fn calls(self, fork: &str, turn: usize) -> Vec<(&'static str, Value)> {
        match self {
            Ask::Read => vec![("read_range", json!({ "workbook": fork, "ranges": ["A1:E20"] }))],
            Ask::Table => {
                let row = 2 + turn * 50 % 499_000;
                let range = format!("Data!A{row}:J{}", row + 49);
                vec![("read_table", json!({ "workbook": MIXED, "range": range, "limit": 50 }))]
            }
            Ask::Edit => vec![("edit_cells", set(fork, "A30", turn))],
            Ask::Calculate => vec![
                ("edit_cells", set(fork, "B2", turn)),
                ("recalculate", json!({ "workbook": fork, "engine": "native" })),
            ],
        }
    }
}

/// Seconds of a core that a call takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Of the server, when it has all that it can do.
    busy: f64,
    /// Of the server, when it has half of a core's work: threads are woken for each call, then.
    pub(super) server: f64,
    database: f64,
}

/// Those of each kind of call.
pub(super) struct Costs {
    pub(super) read: Cost,
    pub(super) table: Cost,
    pub(super) edit: Cost,
    calculation: Cost,
    has_database: bool,
}

impl Costs {
    /// By a client for each fork. `database` is its process, where it is one.
    pub(super) fn measure(server: &Server, forks: &[String], database: Option<u32>) -> Result<Costs> {
        open(server)?;
        let cost = |ask| cost(server, forks, database, ask);
        let (read, table, edit, both) =
            (cost(Ask::Read)?, cost(Ask::Table)?, cost(Ask::Edit)?, cost(Ask::Calculate)?);
        let calculation = Cost {
            busy: both.busy - edit.busy,
            server: both.server - edit.server,
            database: both.database - edit.database,
        };
        Ok(Costs { read, table, edit, calculation, has_database: database.is_some() })
    }

    pub(super) fn tell(&self, store: &str, report: &mut Report) {
        for (name, cost) in [
            ("a read of 20 rows of a fork", self.read),
            ("a table of 50 rows", self.table),
            ("an edit of one cell", self.edit),
            ("a calculation of small.xlsx", self.calculation),
        ] {
            let what = format!("{name}, {store}");
            report.figure(&format!("{what}: of a core of a busy server"), cost.busy * 1e3, "ms", None);
            report.figure(&format!("{what}: calls/s that a core answers"), 1.0 / cost.busy, "", None);
            report.figure(&format!("{what}: of a core, half busy"), cost.server * 1e3, "ms", None);
            if self.has_database {
                let name = format!("{what}: of a core of the database");
                report.figure(&name, cost.database * 1e3, "ms", None);
            }
        }
    }
}

fn cost(server: &Server, forks: &[String], database: Option<u32>, ask: Ask) -> Result<Cost> {
    turns(server, forks, ask, TURNS)?;
    let before = server.cpu()?;
    let mut calls = 0;
    let used = loop {
        calls += turns(server, forks, ask, TURNS)?;
        let used = server.cpu()? - before;
        if used >= ENOUGH {
            break used;
        }
    };
    let busy = used.as_secs_f64() / calls as f64;

    let of_database = || database.map_or(Ok(Duration::ZERO), process::cpu_of_all);
    let before = (server.cpu()?, of_database()?);
    let length = ENOUGH.div_f64(SHARE_OF_A_CORE);
    let calls = paced(server, forks, &[ask], SHARE_OF_A_CORE / busy, length)?.len();
    let each = |used: Duration| used.as_secs_f64() / calls as f64;
    let (server, database) = (each(server.cpu()? - before.0), each(of_database()? - before.1));
    Ok(Cost { busy, server, database })
}

/// Opens the workbook of tables, by one client: many that are the first would each look for its regions.
pub(super) fn open(server: &Server) -> Result<()> {
    Ask::Table
        .calls("", 0)
        .into_iter()
        .try_for_each(|(tool, arguments)| server.call(tool, &arguments).map(drop))
}

/// A client for each fork asks so many times, one after the other. Gives how many turns they had together.
pub(super) fn turns(server: &Server, forks: &[String], ask: Ask, count: usize) -> Result<usize> {
    let one = |fork: &str| -> Result<()> {
        let mut connection = Connection::open(server.address, None)?;
        for turn in 0..count {
            for (tool, arguments) in ask.calls(fork, turn) {
                let request = connection.request(tool, &arguments);
                let outcome = connection.send(&request)?;
                ensure!(outcome == Outcome::Done, "{tool} was {outcome:?}");
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = forks.iter().map(|fork| scope.spawn(move || one(fork))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().ok().context("a client panicked")?)
    })?;
    Ok(forks.len() * count)
}
