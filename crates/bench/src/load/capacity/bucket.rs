//! What is asked of a bucket: requests and bytes.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use components::{S3, free_port, http};
use serde_json::json;

use crate::SMALL;
use crate::load::client::set;
use crate::load::server::Server;
use crate::report::Report;

const FORKS: usize = 50;
const SAVES: usize = 20;

/// By forks of a workbook that the bucket has, and by saves over a file, which keep what it was.
pub(super) fn bucket(program: &Path, folder: &Path, report: &mut Report) -> Result<()> {
    let Some(s3) = S3::start() else { return Ok(()) };
    let own = tempfile::tempdir()?;
    let workspace = own.path().join("workspace");
    fs::create_dir(&workspace)?;
    fs::copy(folder.join(SMALL), workspace.join(SMALL))?;
    let settings = s3.settings();
    let upper: Vec<(String, String)> =
        settings.into_iter().map(|(name, value)| (name.to_uppercase(), value)).collect();
    let mut environment = vec![("SPREADSHEET_MCP_BLOB_URL", format!("{}/blobs", s3.url()))];
    environment.extend(upper.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let metrics = format!("127.0.0.1:{}", free_port());
    let flags = ["--metrics-bind", &metrics, "--allow-overwrite=true"];
    let server = Server::start(program, &workspace, &own.path().join("state"), &flags, &environment)?;
    let fork = server.create_fork(SMALL)?;

    let mut measured = |what: &str, count: usize, work: &mut dyn FnMut(usize) -> Result<()>| -> Result<()> {
        let before = Traffic::of(&metrics)?;
        (0..count).try_for_each(work)?;
        let after = Traffic::of(&metrics)?;
        let each = |figure: fn(&Traffic) -> f64| (figure(&after) - figure(&before)) / count as f64;
        let requests = format!("requests to the bucket of {what}");
        report.figure(&requests, each(|traffic| traffic.requests), "", None);
        report.figure(
            &format!("bytes to and from it of {what}"),
            each(|traffic| traffic.bytes),
            "bytes",
            None,
        );
        Ok(())
    };
    measured("a new fork of a known workbook", FORKS, &mut |_| server.create_fork(SMALL).map(drop))?;
    measured("a save over a file of 6 kB, which is kept", SAVES, &mut |turn| {
        server.call("edit_cells", &set(&fork, "A30", turn))?;
        server.call("save_fork", &json!({ "fork": fork, "overwrite": true })).map(drop)
    })
}

/// What went over the network since the server started.
struct Traffic {
    requests: f64,
    bytes: f64,
}

impl Traffic {
    fn of(metrics: &str) -> Result<Traffic> {
        let (status, _, page) = http("GET", metrics, "/metrics", "", "");
        ensure!(status == 200, "no metrics: {page}");
        let sum = |name: &str| -> Result<f64> {
            let samples =
                page.lines().filter(|line| line.starts_with(name) && line.contains("bucket=\"blobs\""));
            let values =
                samples.map(|line| Ok(line.rsplit(' ').next().context("no value")?.parse::<f64>()?));
            values.sum()
        };
        let bytes = ["sent", "received"].map(|way| sum(&format!("spreadsheet_mcp_bucket_{way}_bytes_total")));
        let [sent, received] = bytes;
        Ok(Traffic { requests: sum("spreadsheet_mcp_bucket_requests_total")?, bytes: sent? + received? })
    }
}
