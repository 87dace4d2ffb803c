//! Calls at a rate, unlike those of clients that call as soon as they have an answer.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::calls::Ask;
use crate::load::client::{Connection, Outcome};
use crate::load::server::Server;

/// How much of a core calls are to take.
pub(super) const SHARE_OF_A_CORE: f64 = 0.5;

/// A client for each fork; together they call at a rate, as far as the machine lets them. Gives what was asked.
pub(super) fn paced(
    server: &Server,
    forks: &[String],
    mix: &[Ask],
    rate: f64,
    length: Duration,
) -> Result<Vec<Ask>> {
    let asked = Mutex::new(Vec::new());
    let pause = Duration::from_secs_f64(forks.len() as f64 / rate);
    let one = |index: usize, fork: &str| -> Result<()> {
        let mut connection = Connection::open(server.address, None)?;
        let begun = Instant::now();
        let mut mine = Vec::new();
        let mut due = pause.mul_f64(index as f64 / forks.len() as f64);
        while due < length && begun.elapsed() < length {
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
            let ask = mix[(index + mine.len()) % mix.len()];
            for (tool, arguments) in ask.calls(fork, index * 1_000 + mine.len()) {
                let request = connection.request(tool, &arguments);
                let outcome = connection.send(&request)?;
                ensure!(outcome == Outcome::Done, "{tool} was {outcome:?}");
            }
            mine.push(ask);
            due += pause;
        }
        asked.lock().ok().context("a client panicked")?.extend(mine);
        Ok(())
    };
    std::thread::scope(|scope| {
        let one = &one;
        let clients = forks.iter().enumerate();
        let threads: Vec<_> = clients.map(|(index, fork)| scope.spawn(move || one(index, fork))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().ok().context("a client panicked")?)
    })?;
    asked.into_inner().ok().context("a client panicked")
}
