//! What PostgreSQL does for a replica: transactions, the bytes of its log and of its tables, connections.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use components::{Postgres, http};

use super::calls::{Ask, turns};
use crate::SMALL;
use crate::load::server::Server;
use crate::report::Report;

/// After so long, an idle connection has told what it did.
const TOLD: Duration = Duration::from_secs(11);
/// How long something is watched that happens by itself.
const WATCHED: Duration = Duration::from_secs(40);
/// Looks at readiness, each later than the one before is believed.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(1_100);
/// Turns of each client.
const TURNS: usize = 100;
const FORKS: usize = 500;
/// How often the cleaner comes, in seconds.
const CLEANED_EVERY: u64 = 2;

/// A database that one server uses.
pub(super) struct Database<'a> {
    pub(super) postgres: &'a Postgres,
    pub(super) name: String,
}

/// Transactions in a second of a replica that does nothing.
pub(super) struct Idle(f64);

/// What the database counted until a moment.
struct Counts {
    at: Instant,
    transactions: f64,
    log: f64,
    tables: f64,
}

impl Database<'_> {
    /// The process of the database, whose children do the work.
    pub(super) fn process(&self) -> Result<u32> {
        let file = self.postgres.folder().join("data/postmaster.pid");
        let first = std::fs::read_to_string(file)?;
        Ok(first.lines().next().context("no process")?.trim().parse()?)
    }

    /// What a replica costs that nobody calls.
    pub(super) fn idle(&self, server: &Server, report: &mut Report) -> Result<Idle> {
        let (before, computed) = (self.counts()?, server.cpu()?);
        sleep(WATCHED);
        let (after, computed) = (self.counts()?, server.cpu()? - computed);
        let seconds = (after.at - before.at).as_secs_f64();
        let idle = (after.transactions - before.transactions) / seconds;
        report.figure("transactions of an idle replica", 60.0 * idle, "a minute", None);
        let share = computed.as_secs_f64() / seconds;
        report.figure("an idle replica: of a core", 1e3 * share, "ms a second", None);
        let address = server.address.to_string();
        for _ in 0..LOOKS {
            let (status, _, said) = http("GET", &address, "/health/ready", "", "");
            ensure!(status == 200, "not ready: {said}");
            sleep(BETWEEN_LOOKS);
        }
        let idle = Idle(idle);
        let looked = self.counts()?;
        let each = looked.transactions_since(&after, &idle) / f64::from(LOOKS);
        report.figure("transactions of a look at a replica's readiness", each, "", None);
        let connections = self.connections_now()?;
        report.figure("connections to PostgreSQL of an idle replica", connections, "", None);
        Ok(idle)
    }

    /// What reads, edits and new forks cost.
    pub(super) fn calls(
        &self,
        server: &Server,
        forks: &[String],
        idle: &Idle,
        report: &mut Report,
    ) -> Result<()> {
        for (name, ask) in [("a read of a fork", Ask::Read), ("an edit of one cell", Ask::Edit)] {
            self.measured(name, idle, report, || turns(server, forks, ask, TURNS))?;
        }
        self.measured("a new fork", idle, report, || {
            (0..FORKS).try_for_each(|_| server.create_fork(SMALL).map(drop))?;
            Ok(FORKS)
        })
    }

    fn measured(
        &self,
        name: &str,
        idle: &Idle,
        report: &mut Report,
        work: impl FnOnce() -> Result<usize>,
    ) -> Result<()> {
        let before = self.counts()?;
        let calls = work()? as f64;
        let after = self.counts()?;
        let transactions = after.transactions_since(&before, idle) / calls;
        report.figure(&format!("transactions of {name}"), transactions, "", None);
        let log = (after.log - before.log) / calls;
        report.figure(&format!("bytes of {name} in PostgreSQL's log (WAL)"), log, "bytes", None);
        let tables = (after.tables - before.tables) / calls;
        report.figure(&format!("bytes of {name} in tables and indexes"), tables, "bytes", None);
        Ok(())
    }

    /// The connections of a replica that has more to do than it has connections.
    pub(super) fn connections(&self, server: &Server, forks: &[String], report: &mut Report) -> Result<()> {
        turns(server, forks, Ask::Read, TURNS)?;
        let what = format!("connections to PostgreSQL of a replica after calls by {} clients", forks.len());
        report.figure(&what, self.connections_now()?, "", None);
        Ok(())
    }

    /// What a round of the cleaner costs that finds nothing.
    pub(super) fn cleaner(
        &self,
        program: &Path,
        folder: &Path,
        own: &Path,
        environment: &[(&str, String)],
        idle: &Idle,
        report: &mut Report,
    ) -> Result<()> {
        let mut environment = environment.to_vec();
        environment.push(("SPREADSHEET_MCP_FORK_CLEANUP_INTERVAL", CLEANED_EVERY.to_string()));
        let _server = Server::replica(program, folder, own, &environment)?;
        let before = self.counts()?;
        sleep(WATCHED);
        let after = self.counts()?;
        let rounds = (after.at - before.at).as_secs_f64() / CLEANED_EVERY as f64;
        let each = after.transactions_since(&before, idle) / rounds;
        report.figure("transactions of a round of the cleaner", each, "", None);
        Ok(())
    }

    /// Asks over connections to another database, whose transactions are not counted.
    fn counts(&self) -> Result<Counts> {
        sleep(TOLD);
        let transactions =
            format!("SELECT xact_commit FROM pg_stat_database WHERE datname = '{}'", self.name);
        let transactions = self.number("postgres", &transactions)?;
        let at = Instant::now();
        let log = self.number("postgres", "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")?;
        let tables = self.number("postgres", &format!("SELECT pg_database_size('{}')", self.name))?;
        Ok(Counts { at, transactions, log, tables })
    }

    fn connections_now(&self) -> Result<f64> {
        let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}'", self.name);
        self.number("postgres", &sql)
    }

    fn number(&self, database: &str, sql: &str) -> Result<f64> {
        Ok(self.postgres.try_execute(database, sql)?.parse()?)
    }
}

impl Counts {
    /// Those of calls, without what an idle replica does meanwhile.
    fn transactions_since(&self, before: &Counts, idle: &Idle) -> f64 {
        let seconds = (self.at - before.at).as_secs_f64();
        self.transactions - before.transactions - idle.0 * seconds
    }
}
