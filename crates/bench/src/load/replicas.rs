//! Several servers on one state: what they answer together, what the database costs, and what a fork costs a server that has
//! never seen it.
//!
//! All of them share this machine's cores with the clients and the database: the figures tell what servers cost each other, and
//! not how they scale.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use components::{Postgres, PostgresOptions, S3};
use objects::{Bucket, Options, Settings};
use serde_json::{Value, json};

use super::client::{Connection, Outcome, set};
use super::server::Server;
use super::stores::{blobs, database};
use super::{ROUNDS, Round, round_of};
use crate::report::{Report, median, timed};
use crate::{COLD_ROUNDS, MIXED, SMALL};

const MOST: usize = 3;
const CLIENTS: usize = 24;
/// Edits, one after the other, whose times are told.
const EDITS: usize = 1_000;
/// What a first read may cost of a local one, besides getting the bytes.
const MOST_TO_READ: f64 = 1.3;

/// Everything about several servers.
pub(crate) fn replicas(program: &Path, folder: &Path, report: &mut Report) -> Result<()> {
    let postgres = Postgres::start(&PostgresOptions::default())?;
    together(program, folder, &postgres, report)?;
    appends(program, folder, &postgres, report)?;
    first_read(program, folder, &postgres, report)
}

/// Reads and edits of forks by many clients, spread over one, two and three servers.
fn together(program: &Path, folder: &Path, postgres: &Postgres, report: &mut Report) -> Result<()> {
    let own = tempfile::tempdir()?;
    let environment =
        [database(program, postgres, &postgres.new_database())?, blobs(&own.path().join("blobs"))?];
    let start =
        |index: usize| Server::replica(program, folder, &own.path().join(index.to_string()), &environment);
    let servers: Vec<Server> = (0..MOST).map(start).collect::<Result<_>>()?;
    let forks: Vec<String> = (0..CLIENTS).map(|_| servers[0].create_fork(SMALL)).collect::<Result<_>>()?;
    type Ask = fn(&str) -> (&'static str, Value);
    let kinds: [(&str, Ask); 2] = [
        ("reads of forks", |fork| ("read_range", json!({ "workbook": fork, "ranges": ["A1:E20"] }))),
        ("edits of forks", |fork| ("edit_cells", set(fork, "A30", 1))),
    ];
    for (what, ask) in kinds {
        let mut rounds: [Vec<Round>; MOST] = Default::default();
        for _ in 0..ROUNDS {
            for (fewer, rounds) in rounds.iter_mut().enumerate() {
                let count = fewer + 1;
                rounds.push(round_of(CLIENTS, &|client| {
                    let connection = Connection::open(servers[client % count].address, None)?;
                    let (tool, arguments) = ask(&forks[client]);
                    let request = connection.request(tool, &arguments);
                    Ok((connection, request))
                })?);
            }
        }
        let [one, two, three] = rounds.map(Round::median);
        for (count, several) in [(2, two), (3, three)] {
            let name = format!("{what} by {CLIENTS} clients, calls/s of {count} replicas");
            report.share(&name, several.rate, ("of one", one.rate), 0.7);
        }
    }
    Ok(())
}

/// What an acknowledged edit costs, one after the other, on both stores.
fn appends(program: &Path, folder: &Path, postgres: &Postgres, report: &mut Report) -> Result<()> {
    let own = tempfile::tempdir()?;
    let environment =
        [database(program, postgres, &postgres.new_database())?, blobs(&own.path().join("blobs"))?];
    let sqlite = Server::replica(program, folder, &own.path().join("sqlite"), &[])?;
    let postgres = Server::replica(program, folder, &own.path().join("postgres"), &environment)?;
    let mut times: [Vec<Duration>; 2] = Default::default();
    let servers = [&sqlite, &postgres];
    let mut writers = Vec::new();
    for server in servers {
        writers.push((server.create_fork(SMALL)?, Connection::open(server.address, None)?));
    }
    for edit in 0..EDITS {
        for ((fork, connection), times) in writers.iter_mut().zip(&mut times) {
            let request = connection.request("edit_cells", &set(fork, "A30", edit));
            let begun = Instant::now();
            ensure!(connection.send(&request)? == Outcome::Done, "an edit failed");
            times.push(begun.elapsed());
        }
    }
    let [sqlite, postgres] = times.map(Round::of);
    report.ratio(
        "an edit, acknowledged, on PostgreSQL, p50",
        postgres.p50,
        ("SQLite", sqlite.p50),
        Some(4.0),
    );
    report.ratio(
        "an edit, acknowledged, on PostgreSQL, p99",
        postgres.p99,
        ("SQLite", sqlite.p99),
        Some(6.0),
    );
    Ok(())
}

/// The first read of a fork of the largest workbook: by a server that has its bytes on disk, and by one that has never seen it and
/// gets them from the bucket.
fn first_read(program: &Path, folder: &Path, postgres: &Postgres, report: &mut Report) -> Result<()> {
    let Some(s3) = S3::start() else { return Ok(()) };
    let bucket = format!("{}/blobs", s3.url());
    let settings = s3.settings();
    let upper: Vec<(String, String)> =
        settings.iter().map(|(name, value)| (name.to_uppercase(), value.clone())).collect();
    let mut environment = vec![
        database(program, postgres, &postgres.new_database())?,
        ("SPREADSHEET_MCP_BLOB_URL", bucket.clone()),
    ];
    environment.extend(upper.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let own = tempfile::tempdir()?;
    let start = |name: &str| Server::replica(program, folder, &own.path().join(name), &environment);
    let fork = start("maker")?.create_fork(MIXED)?;

    let read = |name: &str| -> Result<Duration> {
        let server = start(name)?;
        let asked = json!({ "workbook": fork, "ranges": ["Data!A500001:J500001"] });
        let (time, answer) = timed(|| server.call("read_range", &asked))?;
        ensure!(answer["ranges"][0]["values"][0][0] == json!(500_000), "another row: {answer}");
        Ok(time)
    };
    let (mut remote, mut local) = (Vec::new(), Vec::new());
    for round in 0..COLD_ROUNDS {
        let name = format!("reader-{round}");
        remote.push(read(&name)?);
        local.push(read(&name)?);
    }
    let middle = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[COLD_ROUNDS / 2]
    };
    let (remote, local) = (middle(remote), middle(local));
    let (transfer, bytes) = transfer(&bucket, settings)?;
    report.time("the first read of a fork by a replica that has its base on disk", local, None);
    report.time(&format!("a plain GET of that base ({:.0} MB)", bytes as f64 / 1e6), transfer, None);
    let most = local.mul_f64(MOST_TO_READ) + transfer;
    let name = format!("{MOST_TO_READ}x that + the GET");
    report.ratio("the first read by a replica that never saw it", remote, (&name, most), Some(1.0));
    Ok(())
}

/// How long it takes to get the largest blob of a bucket, and its bytes.
fn transfer(bucket: &str, settings: Vec<(String, String)>) -> Result<(Duration, u64)> {
    // What was installed before does as well.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new()?;
    let options = Options { settings: Settings::new(settings)?, ..Options::default() };
    let bucket = Bucket::open(&bucket.parse()?, &options, runtime.handle().clone())?;
    let blobs = bucket.list("", None, 100)?;
    let largest = blobs.iter().max_by_key(|blob| blob.size).context("no blob")?;
    let time = median(COLD_ROUNDS, || Ok(bucket.get_into(&largest.key, &mut std::io::sink())?))?;
    Ok((time, largest.size))
}
