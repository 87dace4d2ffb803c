//! More and more clients, until the server refuses calls, and what it does when they are gone.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::Round;
use super::client::{Connection, Outcome};
use super::server::{self, Server};
use crate::MIXED;
use crate::report::Report;

/// Few enough to be answered at once, and more than any server should take that runs 16 calls.
const FEW: usize = 8;
const MOST: usize = 1_024;
/// How long each number of clients calls.
const LENGTH: Duration = Duration::from_secs(5);
/// Times that few clients call before and after; the median counts.
const ROUNDS: usize = 3;
/// How much longer calls may take than before, once the load is gone.
const RECOVERED: f64 = 1.5;

/// How long calls took that were answered, and that were refused.
#[derive(Default)]
struct Times {
    answered: Vec<Duration>,
    refused: Vec<Duration>,
}

/// Clients are doubled until calls are refused, once more, and then most of them leave.
pub(crate) fn stress(program: &Path, folder: &Path, report: &mut Report) -> Result<()> {
    let server = Server::equipped(program, folder, server::BY_DEFAULT)?;
    server.call("find", &question())?;
    let before = usual(&server)?;
    let mut clients = FEW;
    loop {
        clients *= 2;
        ensure!(clients <= MOST, "nobody is ever refused");
        if !times(&server, clients)?.refused.is_empty() {
            break;
        }
    }
    report.figure("clients at which calls are first refused", clients as f64, "", None);
    let crowd = 2 * clients;
    let Times { answered, refused } = times(&server, crowd)?;
    ensure!(!refused.is_empty(), "{crowd} clients are not refused");
    let what = format!("{crowd} clients: calls refused, for each that was answered");
    report.figure(&what, refused.len() as f64 / answered.len() as f64, "", None);
    report.ratio(
        &format!("{crowd} clients: a refusal, p95"),
        Round::of(refused).p95,
        ("a call that is answered, p50", Round::of(answered).p50),
        Some(1.0),
    );
    let after = usual(&server)?;
    report.ratio(
        &format!("{FEW} clients after that: a call, p50"),
        after,
        ("before", before),
        Some(RECOVERED),
    );
    Ok(())
}

/// How long a call of few clients takes.
fn usual(server: &Server) -> Result<Duration> {
    let mut medians = Vec::new();
    for _ in 0..ROUNDS {
        let Times { answered, refused } = times(server, FEW)?;
        ensure!(refused.is_empty(), "{FEW} clients are refused");
        medians.push(Round::of(answered).p50);
    }
    medians.sort_unstable();
    Ok(medians[ROUNDS / 2])
}

/// It computes for longer than it is on its way: calls wait for each other, and not for the network.
fn question() -> Value {
    json!({ "workbook": MIXED, "text": "Customer 01234" })
}

/// Clients that each ask again and again. One that is refused comes back a moment later.
fn times(server: &Server, clients: usize) -> Result<Times> {
    let is_over = AtomicBool::new(false);
    let all = Mutex::new(Times::default());
    let one = &|| -> Result<()> {
        let mut connection = Connection::open(server.address, server.key.as_deref())?;
        let request = connection.request("find", &question());
        let mut mine = Times::default();
        while !is_over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            match connection.send(&request)? {
                Outcome::Done => mine.answered.push(begun.elapsed()),
                Outcome::Overloaded => {
                    mine.refused.push(begun.elapsed());
                    std::thread::sleep(Duration::from_millis(50));
                }
                Outcome::Failed(what) => bail!("a call failed: {what}"),
            }
        }
        let mut all = all.lock().ok().context("a client panicked")?;
        all.answered.extend(mine.answered);
        all.refused.extend(mine.refused);
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients).map(|_| scope.spawn(one)).collect();
        std::thread::sleep(LENGTH);
        is_over.store(true, Ordering::Relaxed);
        threads.into_iter().try_for_each(|thread| thread.join().ok().context("a client panicked")?)
    })?;
    let times = all.into_inner().ok().context("a client panicked")?;
    println!("{clients} clients: {} calls answered, {} refused", times.answered.len(), times.refused.len());
    ensure!(!times.answered.is_empty(), "no call was answered");
    Ok(times)
}
