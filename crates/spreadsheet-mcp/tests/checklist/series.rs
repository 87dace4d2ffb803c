//! A real Prometheus that knows what a service that is well tells, and one thing that is wrong.
//!
//! `series.txt` holds the series, as `name{labels} value`: `0..1000` grows evenly over the last hour, `now-3600` is the time an hour ago.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use components::{Listener, free_port, installed};

use crate::{
    document::production,
    proofs::{Fault, look_at_prometheus, unproven},
};

const JOB: &str = "spreadsheet-mcp";

/// The series of a service that is well.
fn healthy() -> BTreeMap<String, String> {
    include_str!("series.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            (series.replace("{{job}}", JOB), value.to_owned())
        })
        .collect()
}

/// A Prometheus that knows these series.
pub(crate) struct Prometheus {
    _program: Listener,
    pub(crate) url: String,
}

impl Prometheus {
    /// One of a service that is well, but for some series; nothing, said aloud, where it is not installed.
    pub(crate) fn start(changes: &BTreeMap<String, String>) -> Option<Prometheus> {
        let (program, tool) = (installed("prometheus")?, installed("promtool")?);
        let mut series = healthy();
        for (name, value) in changes {
            assert!(series.contains_key(name), "no series {name}");
            series.insert(name.clone(), value.clone());
        }
        let port = free_port();
        let listener = Listener::start(program, |folder| {
            std::fs::write(folder.path().join("series"), open_metrics(&series)).expect("written");
            let made = Command::new(tool)
                .args(["tsdb", "create-blocks-from", "openmetrics", "series", "data"])
                .current_dir(folder.path())
                .output()
                .expect("it runs");
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            std::fs::write(folder.path().join("prometheus.yml"), "").expect("written");
            vec![
                "--config.file=prometheus.yml".to_owned(),
                "--storage.tsdb.path=data".to_owned(),
                "--storage.tsdb.retention.time=1d".to_owned(),
                format!("--web.listen-address=127.0.0.1:{port}"),
            ]
        });
        listener.wait_for(port);
        let url = format!("http://127.0.0.1:{port}");
        components::eventually("Prometheus is not ready", || {
            let (status, _, _) = components::http("GET", &format!("127.0.0.1:{port}"), "/-/ready", "", "");
            (status == 200).then_some(())
        });
        Some(Prometheus { _program: listener, url })
    }
}

/// Samples of the last hour, one each quarter of a minute, and a little beyond now.
fn open_metrics(series: &BTreeMap<String, String>) -> String {
    const STEP: u64 = 15;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("later").as_secs();
    let (from, to) = (now - 3_600, now + 600);
    let mut by_name: BTreeMap<&str, Vec<(&String, &String)>> = BTreeMap::new();
    for (name, value) in series {
        by_name.entry(name.split('{').next().expect("a name")).or_default().push((name, value));
    }
    let mut text = String::new();
    for (name, all) in by_name {
        let _ = writeln!(text, "# TYPE {name} unknown");
        for (series, value) in all {
            for at in (from..to).step_by(STEP as usize) {
                let _ = writeln!(text, "{series} {} {at}", sample(value, at, from, now));
            }
        }
    }
    text + "# EOF\n"
}

fn sample(value: &str, at: u64, from: u64, now: u64) -> f64 {
    if let Some((low, high)) = value.split_once("..") {
        let (low, high): (f64, f64) = (low.parse().expect("a number"), high.parse().expect("a number"));
        return low + (high - low) * ((at - from) as f64 / (now - from) as f64).min(1.0);
    }
    match value.strip_prefix("now-") {
        Some(ago) => now as f64 - ago.parse::<f64>().expect("seconds"),
        None => value.parse().unwrap_or_else(|error| panic!("{value}: {error}")),
    }
}

/// What is not proven of faults of metrics.
pub(crate) fn prove(faults: &[Fault]) -> Option<Vec<String>> {
    let loaded = production();
    let well = Prometheus::start(&BTreeMap::new())?;
    let mut problems = Vec::new();
    for fault in faults {
        let change = fault.metrics.as_ref().expect("a series");
        let value = change.value.as_str().map_or_else(|| change.value.to_string(), str::to_owned);
        let ill = Prometheus::start(&[(change.series.replace("{{job}}", JOB), value)].into())?;
        let before = look_at_prometheus(&loaded, &well.url, &fault.facts);
        problems.extend(unproven(fault, &before, &look_at_prometheus(&loaded, &ill.url, &fault.facts)));
    }
    Some(problems)
}
