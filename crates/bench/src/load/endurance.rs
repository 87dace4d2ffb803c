//! A while of mixed calls by twice as many clients as the server takes at once.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::load::client::{Connection, Outcome};
use crate::load::server::Server;
use crate::report::Report;
use crate::{LOOKUPS, MIXED, SMALL};

/// Calls that run at once, as servers have it by default. Four times as many may wait.
const AT_ONCE: &str = "16";
/// Twice as many as run and wait.
const CLIENTS: usize = 2 * (16 + 64);
/// Share of the time after which the server is warm.
const WARM_UP: f64 = 0.2;
/// Edits of a fork before a client lets go of it.
const EDITS: u64 = 50;

#[derive(Default)]
struct Counts {
    done: AtomicU64,
    overloaded: AtomicU64,
    failed: AtomicU64,
    first_failure: Mutex<Option<String>>,
}

/// Mixed calls for a while: how many of those that were taken failed, and whether memory and descriptors stayed.
pub(crate) fn endurance(program: &Path, folder: &Path, length: Duration, report: &mut Report) -> Result<()> {
    let server = Server::equipped(program, folder, AT_ONCE)?;
    let counts = Counts::default();
    let is_over = AtomicBool::new(false);
    let mut samples: Vec<(u64, usize)> = Vec::new();
    let start = Instant::now();
    std::thread::scope(|scope| -> Result<()> {
        for index in 0..CLIENTS {
            let (server, counts, is_over) = (&server, &counts, &is_over);
            scope.spawn(move || {
                if let Err(error) = client(server, index as u64, counts, is_over) {
                    counts.fail(error.to_string());
                }
            });
        }
        while start.elapsed() < length {
            std::thread::sleep(Duration::from_secs(2).min(length / 50));
            samples.push((server.memory()?, server.descriptors()?));
        }
        is_over.store(true, Ordering::Relaxed);
        Ok(())
    })?;
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (done, overloaded, failed) = (count(&counts.done), count(&counts.overloaded), count(&counts.failed));
    if let Some(failure) = counts.first_failure.lock().ok().and_then(|first| first.clone()) {
        println!("the first call that failed: {failure}");
    }
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

impl Counts {
    fn fail(&self, what: String) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut first) = self.first_failure.lock() {
            first.get_or_insert(what);
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

/// One client's calls, by a sequence of its own.
fn client(server: &Server, seed: u64, counts: &Counts, is_over: &AtomicBool) -> Result<()> {
    let mut connection = Connection::open(server.address, server.key.as_deref())?;
    let mut sequence = fixtures::Sequence::new(seed + 1);
    let kinds = ["read", "read", "read", "table", "table", "find", "describe", "edit", "edit", "compute"];
    let mut fork: Option<Value> = None;
    let mut edits = 0;
    while !is_over.load(Ordering::Relaxed) {
        let row = 1 + sequence.below(400_000);
        let (tool, arguments) = match (*sequence.pick(&kinds), &fork) {
            ("read", _) => {
                ("read_range", json!({ "workbook": MIXED, "ranges": [format!("Data!A{row}:J{}", row + 20)] }))
            }
            ("table", _) => {
                let range = format!("Data!A{row}:J{}", row + 50);
                ("read_table", json!({ "workbook": MIXED, "range": range, "limit": 20 }))
            }
            ("find", _) => {
                let range = format!("Data!A{row}:J{}", row + 5000);
                ("find", json!({ "workbook": MIXED, "text": "Customer 01234", "range": range }))
            }
            ("describe", _) => ("describe_workbook", json!({ "workbook": LOOKUPS })),
            (_, None) => ("create_fork", json!({ "workbook": SMALL })),
            (_, Some(id)) if edits >= EDITS => ("discard_fork", json!({ "fork": id })),
            ("compute", Some(id)) => ("recalculate", json!({ "workbook": id, "engine": "native" })),
            (_, Some(id)) => {
                let op = json!({ "op": "set", "range": "B2", "values": [[row]] });
                ("edit_cells", json!({ "workbook": id, "ops": [op] }))
            }
        };
        let (outcome, mut answer) = connection.call(tool, &arguments)?;
        if outcome == Outcome::Done {
            match tool {
                "create_fork" => (fork, edits) = (Some(answer["fork"].take()), 0),
                "discard_fork" => fork = None,
                "edit_cells" => edits += 1,
                _ => {}
            }
        }
        counts.note(outcome);
    }
    Ok(())
}
