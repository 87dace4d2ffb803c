//! The gate over a server as it is deployed.

use std::{
    fs,
    time::{Duration, Instant},
};

use components::{Listener, free_port, installed};
use serde_json::{Value, json};

use crate::{
    live::{Deployed, looking},
    program::Server,
    tree::Tree,
};

/// A Prometheus that scrapes a server.
fn prometheus(server: &Server) -> Option<(Listener, String)> {
    let program = installed("prometheus")?;
    let (port, target) = (free_port(), server.metrics().address);
    let listener = Listener::start(program, |folder| {
        let configuration = format!(
            "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: spreadsheet-mcp\n    static_configs:\n      - targets: [\"{target}\"]\n"
        );
        fs::write(folder.path().join("prometheus.yml"), configuration).expect("written");
        vec![
            "--config.file=prometheus.yml".to_owned(),
            "--storage.tsdb.path=data".to_owned(),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ]
    });
    listener.wait_for(port);
    Some((listener, format!("http://127.0.0.1:{port}")))
}

#[test]
fn staging_is_judged_in_less_than_a_minute_and_nothing_is_left_out() {
    let (deployed, tree) = (Deployed::new(), Tree::new());
    let server = deployed.serve(&[].into());
    server.client();
    let Some((_prometheus, url)) = prometheus(&server) else { return };
    // Two scrapes, at least, to count from.
    std::thread::sleep(Duration::from_secs(3));
    let began = Instant::now();
    let ran = looking(&deployed, &tree, &server)
        .args(["--profile", "staging", "--prometheus", &url, "--author", "ada", "--format", "json"])
        .output()
        .expect("it runs");
    let took = began.elapsed();
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {told}"));
    let boxes = report["boxes"].as_array().expect("boxes");
    let of = |status: &str| -> Vec<String> {
        let found = boxes.iter().filter(|found| found["status"] == status && found["kind"] != "group");
        found.map(|found| format!("{}: {}", found["id"], found["summary"])).collect()
    };
    println!(
        "{} boxes in {:.1} s: {} pass, {} fail, {} warn, {} not applicable",
        boxes.len(),
        took.as_secs_f64(),
        of("pass").len(),
        of("fail").len(),
        of("warn").len(),
        of("not-applicable").len()
    );
    println!("red: {:#?}", of("fail"));
    assert_eq!(boxes.len(), 280);
    assert_eq!((of("error"), of("not-run")), (vec![], vec![]));
    assert!(took < Duration::from_secs(60), "{took:?}");
    // What cannot be right here: there is no cluster whose metrics Prometheus would have.
    assert_eq!(ran.status.code(), Some(3), "{told}");
    assert_eq!(report["judgement"]["exit-code"], json!(3));
}

#[test]
fn what_is_not_given_is_not_right() {
    let tree = Tree::new();
    let deployed = Deployed::new();
    let ran = deployed
        .place
        .program()
        .args([
            "checklist",
            "run",
            "--no-ledger",
            "--author",
            "ada",
            "--format",
            "json",
            "--kind",
            "http",
            "--checklist",
        ])
        .arg(tree.repository().join("checklist/production.yaml"))
        .args(["--profile", "production", "--config", deployed.config()])
        .output()
        .expect("it runs");
    // Not one check could be made: that is no run.
    assert_eq!(ran.status.code(), Some(1), "{}", String::from_utf8_lossy(&ran.stderr));
}
