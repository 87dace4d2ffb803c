//! A real Prometheus scrapes the server, and a real Pushgateway gets its last values.

use serde_json::Value;

use crate::program::Place;
use components::{Listener, eventually, free_port, http, installed};

fn answer(address: &str, path: &str) -> Option<Value> {
    let (status, _, body) = http("GET", address, path, "", "");
    (status == 200).then(|| serde_json::from_str(&body).ok()).flatten()
}

#[test]
fn prometheus_answers_questions_about_calls() {
    let Some(program) = installed("prometheus") else { return };
    let place = Place::new();
    let server = place.serve(&["--metrics-bind", "127.0.0.1:0"]);
    server.call("list_workbooks", &serde_json::json!({})).expect("listed");
    let (port, target) = (free_port(), server.metrics().address);
    let prometheus = Listener::start(program, |folder| {
        let configuration = format!(
            "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: spreadsheet-mcp\n    static_configs:\n      - targets: [\"{target}\"]\n"
        );
        std::fs::write(folder.path().join("prometheus.yml"), configuration).expect("written");
        vec![
            "--config.file=prometheus.yml".to_owned(),
            "--storage.tsdb.path=data".to_owned(),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ]
    });
    prometheus.wait_for(port);
    let address = format!("127.0.0.1:{port}");
    let asked = |query: &str| {
        eventually(&format!("no answer to {query}: {}", prometheus.said()), || {
            let found = answer(&address, &format!("/api/v1/query?query={query}"))?;
            found["data"]["result"][0]["value"][1].as_str().map(str::to_owned)
        })
    };
    assert_eq!(asked("sum(spreadsheet_mcp_requests_total%7Bstatus%3D%22ok%22%7D)"), "1");
    let p95 = "histogram_quantile(0.95,sum(spreadsheet_mcp_request_duration_seconds_bucket)by(le))";
    assert!(asked(p95).parse::<f64>().expect("a number") < 60.0);
    let targets = answer(&address, "/api/v1/targets").expect("targets");
    assert_eq!(targets["data"]["activeTargets"][0]["health"], "up", "{targets}");
}

#[test]
fn the_pushgateway_gets_the_last_values() {
    let Some(program) = installed("prometheus-pushgateway") else { return };
    let port = free_port();
    let gateway = Listener::start(program, |_| vec![format!("--web.listen-address=127.0.0.1:{port}")]);
    gateway.wait_for(port);
    let address = format!("127.0.0.1:{port}");
    let place = Place::new();
    let server = place.serve(&["--metrics-bind", "off", "--metrics-push-url", &format!("http://{address}")]);
    server.call("list_workbooks", &serde_json::json!({})).expect("listed");
    let log = server.end();
    assert!(log.contains("pushed the last metrics"), "{log}");
    let (_, _, page) = http("GET", &address, "/metrics", "", "");
    let pushed = page.lines().find(|line| line.starts_with("spreadsheet_mcp_requests_total{"));
    let pushed = pushed.unwrap_or_else(|| panic!("{page}"));
    for part in ["job=\"spreadsheet-mcp\"", "tool=\"list_workbooks\"", "status=\"ok\"", "} 1"] {
        assert!(pushed.contains(part), "{pushed}");
    }
}

#[test]
fn a_gateway_that_is_not_there_is_logged_and_holds_nothing_up() {
    let place = Place::new();
    let gateway = format!("http://127.0.0.1:{}", free_port());
    let server = place.serve(&["--metrics-bind", "off", "--metrics-push-url", &gateway]);
    assert_eq!(server.client().get("/health/ready").0, 200);
    let log = server.end();
    assert!(log.contains("the last metrics were not pushed"), "{log}");
}

#[test]
fn a_gateway_that_never_answers_holds_nothing_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let gateway = format!("http://{}", silent.local_addr().expect("its address"));
    let place = Place::new();
    let server =
        place.serve(&["--metrics-bind", "off", "--metrics-push-url", &gateway, "--drain-timeout-ms", "500"]);
    assert_eq!(server.client().get("/health/ready").0, 200);
    let begun = std::time::Instant::now();
    let log = server.end();
    assert!(log.contains("the last metrics were not pushed in time"), "{log}");
    assert!(begun.elapsed().as_secs() < 3, "it took {:?}", begun.elapsed());
}
