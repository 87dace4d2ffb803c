//! What a replica costs, in units that do not depend on how busy the machine is: bytes that something takes, seconds that a core
//! computes, transactions. The formulas of capacity planning are fitted to them, and held against a load that was not part of it.

mod bucket;
mod calls;
mod database;
mod fit;
mod memory;
mod paced;
mod prediction;

use std::path::Path;

use anyhow::Result;
use components::{Postgres, PostgresOptions};

use super::server::Server;
use super::stores;
use crate::SMALL;
use crate::report::Report;
use calls::Costs;

/// Forks that are read and edited, each by a client of its own.
const FORKS: usize = 32;

/// Every figure, and whether they tell what a mixed load takes.
pub(crate) fn capacity(program: &Path, folder: &Path, report: &mut Report) -> Result<()> {
    let memory = memory::memory(program, folder, report)?;

    let own = tempfile::tempdir()?;
    let live = ("SPREADSHEET_MCP_LIVE_FORKS", FORKS.to_string());
    let sqlite = Server::replica(program, folder, &own.path().join("sqlite"), std::slice::from_ref(&live))?;
    Costs::measure(&sqlite, &forks(&sqlite)?, None)?.tell("SQLite", report);
    drop(sqlite);

    // Its transactions would be counted among those of servers.
    let settings = vec![("autovacuum".to_owned(), "off".to_owned())];
    let postgres = Postgres::start(&PostgresOptions { settings, ..PostgresOptions::default() })?;
    let name = postgres.new_database();
    let blobs = stores::blobs(&own.path().join("blobs"))?;
    let environment = [stores::database(program, &postgres, &name)?, blobs, live];
    let database = database::Database { postgres: &postgres, name };
    let server = Server::replica(program, folder, &own.path().join("postgres"), &environment)?;
    let idle = database.idle(&server, report)?;
    let forks = forks(&server)?;
    let costs = Costs::measure(&server, &forks, Some(database.process()?))?;
    costs.tell("PostgreSQL", report);
    database.calls(&server, &forks, &idle, report)?;
    database.connections(&server, &forks, report)?;
    drop(server);
    database.cleaner(program, folder, &own.path().join("cleaner"), &environment, &idle, report)?;

    bucket::bucket(program, folder, report)?;
    let server = Server::replica(program, folder, &own.path().join("mixed"), &environment)?;
    prediction::prediction(&server, &memory, &costs, report)
}

fn forks(server: &Server) -> Result<Vec<String>> {
    (0..FORKS).map(|_| server.create_fork(SMALL)).collect()
}
