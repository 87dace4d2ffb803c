//! Many clients at once, over HTTP: what authentication, metrics, tracing and the audit trail cost, and whether a server under
//! more load than it takes stays as it is and is itself again when the load is gone; what several servers on one state answer together.

mod capacity;
mod client;
mod endurance;
mod process;
mod replicas;
mod server;
mod stores;
mod stress;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::MIXED;
use crate::report::Report;
pub(crate) use capacity::capacity;
use client::{Connection, Outcome};
pub(crate) use endurance::endurance;
pub(crate) use replicas::replicas;
use server::Server;
pub(crate) use stress::stress;

/// How long each round takes.
const ROUND: Duration = Duration::from_secs(4);
/// Rounds of each kind, alternating; the median counts.
const ROUNDS: usize = 5;

/// Warm reads by 8 and 64 clients: with everything that production has, against the same with all of it off.
pub(crate) fn overhead(program: &Path, folder: &Path, report: &mut Report) -> Result<()> {
    let bare = Server::bare(program, folder)?;
    let equipped = Server::equipped(program, folder, server::AT_ONCE)?;
    for clients in [8, 64] {
        let mut rounds = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (server, rounds) in [&bare, &equipped].into_iter().zip(&mut rounds) {
                rounds.push(round(server, clients)?);
            }
        }
        let [bare, equipped] = rounds.map(Round::median);
        let what = format!("read_table by {clients} clients");
        report.share(&format!("{what}, calls/s with everything on"), equipped.rate, ("off", bare.rate), 0.9);
        for (name, on, off) in [
            ("p50", equipped.p50, bare.p50),
            ("p95", equipped.p95, bare.p95),
            ("p99", equipped.p99, bare.p99),
        ] {
            report.ratio(&format!("{what}, {name}"), on, ("off", off), Some(1.0 / 0.9));
        }
    }
    Ok(())
}

/// What some clients saw within a while.
#[derive(Clone, Copy)]
struct Round {
    /// Calls answered in a second.
    rate: f64,
    p50: Duration,
    p95: Duration,
    p99: Duration,
}

impl Round {
    /// Percentiles of times that calls took.
    fn of(mut times: Vec<Duration>) -> Round {
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        Round { rate: 0.0, p50: at(0.5), p95: at(0.95), p99: at(0.99) }
    }

    /// Each figure's median.
    fn median(rounds: Vec<Round>) -> Round {
        let middle = |figure: fn(&Round) -> f64| {
            let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        let time = |figure: fn(&Round) -> f64| Duration::from_secs_f64(middle(figure));
        Round {
            rate: middle(|round| round.rate),
            p50: time(|round| round.p50.as_secs_f64()),
            p95: time(|round| round.p95.as_secs_f64()),
            p99: time(|round| round.p99.as_secs_f64()),
        }
    }
}

fn round(server: &Server, clients: usize) -> Result<Round> {
    let table = json!({ "workbook": MIXED, "range": "Data!A250001:J250050", "limit": 50 });
    round_of(clients, &|_| {
        let connection = Connection::open(server.address, server.key.as_deref())?;
        let request = connection.request("read_table", &table);
        Ok((connection, request))
    })
}

/// Clients that each send one request again and again over one connection.
fn round_of(clients: usize, open: &(dyn Fn(usize) -> Result<(Connection, Vec<u8>)> + Sync)) -> Result<Round> {
    let is_over = AtomicBool::new(false);
    let one = |client: usize| -> Result<Vec<Duration>> {
        let (mut connection, request) = open(client)?;
        let mut times = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let start = Instant::now();
            match connection.send(&request)? {
                Outcome::Done => times.push(start.elapsed()),
                other => anyhow::bail!("a call was {other:?}"),
            }
        }
        Ok(times)
    };
    let start = Instant::now();
    let mut times = Vec::new();
    std::thread::scope(|scope| -> Result<()> {
        let one = &one;
        let threads: Vec<_> = (0..clients).map(|client| scope.spawn(move || one(client))).collect();
        std::thread::sleep(ROUND);
        is_over.store(true, Ordering::Relaxed);
        for thread in threads {
            times.extend(thread.join().ok().context("a client panicked")??);
        }
        Ok(())
    })?;
    let took = start.elapsed();
    ensure!(times.len() > 100, "only {} calls", times.len());
    Ok(Round { rate: times.len() as f64 / took.as_secs_f64(), ..Round::of(times) })
}
