//! A while of mixed calls by twice as many clients as the server takes at once.

mod caller;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use components::installed;

use crate::load::client::Outcome;
use crate::load::process;
use crate::load::server::{self, Server};
use crate::report::Report;
use caller::Caller;

/// Twice as many as run and wait: four times as many may wait as run.
const CLIENTS: usize = 2 * (16 + 64);
/// Share of the time after which the server is warm.
const WARM_UP: f64 = 0.2;
/// How often it is told how things are.
const TOLD_EVERY: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Counts {
    done: AtomicU64,
    overloaded: AtomicU64,
    failed: AtomicU64,
    first_failure: Mutex<Option<String>>,
}

/// Mixed calls for a while: how many of those that were taken failed, and whether memory and descriptors stayed.
pub(crate) fn endurance(program: &Path, folder: &Path, length: Duration, report: &mut Report) -> Result<()> {
    let server = Server::equipped(program, folder, server::BY_DEFAULT)?;
    let has_office = installed("soffice").is_some();
    let counts = Counts::default();
    let is_over = AtomicBool::new(false);
    let mut samples: Vec<(u64, usize)> = Vec::new();
    let start = Instant::now();
    std::thread::scope(|scope| -> Result<()> {
        for index in 0..CLIENTS {
            let (server, counts, is_over) = (&server, &counts, &is_over);
            scope.spawn(move || {
                let called = Caller::new(server, folder, index as u64, has_office)
                    .and_then(|mut caller| caller.call_until(is_over, |outcome| counts.note(outcome)));
                if let Err(error) = called {
                    counts.fail(error.to_string());
                }
            });
        }
        let sampled = sample(&server, &counts, start, length, &mut samples);
        is_over.store(true, Ordering::Relaxed);
        sampled
    })?;
    let [done, overloaded, failed] = counts.now();
    let what = format!("{CLIENTS} clients for {:.0} s", length.as_secs_f64());
    report.figure(&format!("{what}: calls answered"), done as f64, "", None);
    report.figure(&format!("{what}: refused at once, overloaded"), overloaded as f64, "", None);
    report.figure(
        &format!("{what}: failures per thousand calls that were taken"),
        1000.0 * failed as f64 / (done + failed).max(1) as f64,
        "",
        Some(1.0),
    );
    let warm = &samples[(samples.len() as f64 * WARM_UP) as usize..];
    let half = warm.len() / 2;
    let memory = |samples: &[(u64, usize)]| {
        samples.iter().map(|(memory, _)| *memory as f64).sum::<f64>() / samples.len().max(1) as f64
    };
    let descriptors = |samples: &[(u64, usize)]| {
        let mut found: Vec<usize> = samples.iter().map(|(_, descriptors)| *descriptors).collect();
        found.sort_unstable();
        found.get(found.len() / 2).copied().context("no samples")
    };
    report.drift(
        &format!("{what}: memory, second half against first"),
        memory(&warm[half..]),
        ("after", memory(&warm[..half])),
        0.05,
    );
    report.drift(
        &format!("{what}: open descriptors, second half against first"),
        descriptors(&warm[half..])? as f64,
        ("after", descriptors(&warm[..half])? as f64),
        0.05,
    );
    Ok(())
}

/// Looks at memory and descriptors until time is up, and tells of them now and then.
fn sample(
    server: &Server,
    counts: &Counts,
    start: Instant,
    length: Duration,
    samples: &mut Vec<(u64, usize)>,
) -> Result<()> {
    let mut told = Duration::ZERO;
    while start.elapsed() < length {
        std::thread::sleep(Duration::from_secs(2).min(length / 50));
        let (memory, descriptors) = (server.memory()?, server.descriptors()?);
        samples.push((memory, descriptors));
        let elapsed = start.elapsed();
        if elapsed - told < TOLD_EVERY {
            continue;
        }
        told = elapsed;
        let [done, overloaded, failed] = counts.now();
        println!(
            "{}: {} MB of memory, {} MB of LibreOffice, {descriptors} descriptors; {done} calls answered, {overloaded} \
             refused, {failed} failed",
            humantime::format_duration(Duration::from_secs(elapsed.as_secs())),
            memory / 1_000_000,
            process::memory_of_descendants(server.id())? / 1_000_000,
        );
    }
    Ok(())
}

impl Counts {
    /// Calls that were answered, refused, and that failed.
    fn now(&self) -> [u64; 3] {
        [&self.done, &self.overloaded, &self.failed].map(|counter| counter.load(Ordering::Relaxed))
    }

    fn fail(&self, what: String) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut first) = self.first_failure.lock()
            && first.is_none()
        {
            println!("the first call that failed: {what}");
            *first = Some(what);
        }
    }

    fn note(&self, outcome: Outcome) {
        match outcome {
            Outcome::Done => _ = self.done.fetch_add(1, Ordering::Relaxed),
            Outcome::Overloaded => {
                self.overloaded.fetch_add(1, Ordering::Relaxed);
                // Who is refused comes back later.
                std::thread::sleep(Duration::from_millis(50));
            }
            Outcome::Failed(what) => self.fail(what),
        }
    }
}
