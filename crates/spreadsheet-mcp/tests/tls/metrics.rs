//! Metrics over TLS, and what they tell of it.

use serde_json::Value;

use crate::{
    client::Client,
    place::{Secure, failures, metrics_address, sample, sample_of},
};
use components::{Listener, eventually, free_port, http, installed};

const EXPIRY: &str = "spreadsheet_mcp_tls_certificate_expiry_timestamp_seconds{port=\"mcp\"}";

#[test]
fn both_ports_speak_tls_and_tell_when_the_certificate_expires() {
    let secure = Secure::new("");
    let server = secure.serve();
    let scraper = secure.scraper(&server);
    assert_eq!(scraper.shown(), secure.identity.der);
    assert_eq!(sample(&scraper, EXPIRY), secure.identity.expires as f64);
    // Somebody who does not trust the server says so.
    let wary = Client::trusting(&server.address, &crate::authority::Authority::new("somebody else"));
    assert!(wary.get("/health/live").is_err());
    eventually("it is not counted", || (failures(&scraper, "refused_by_client") >= 1.0).then_some(()));
}

#[test]
fn metrics_can_stay_plain() {
    let secure = Secure::new("tls_metrics = \"off\"\n");
    let server = secure.serve();
    let address = metrics_address(&server);
    let (status, _, page) = http("GET", &address, "/metrics", "", "");
    assert_eq!((status, sample_of(&page, EXPIRY)), (200, secure.identity.expires as f64));
    let of_metrics = "spreadsheet_mcp_tls_certificate_expiry_timestamp_seconds{port=\"metrics\"}";
    assert!(!page.contains(of_metrics), "it has none");
    let is_ready = || (http("GET", &address, "/health/ready", "", "").0 == 200).then_some(());
    eventually("it does not become ready", is_ready);
}

/// The level of the log, which depends on who is connected.
#[test]
fn an_operator_is_known_over_tls() {
    let secure = Secure::new("");
    let server = secure.serve();
    let mut operator = secure.scraper(&server).connect().expect("they shake hands");
    let (status, told) = operator.ask("PUT", "/admin/log-level", "", "debug").expect("answered");
    assert_eq!(status, 200, "{told}");
    let forwarded = "X-Forwarded-For: 10.0.0.1\r\n";
    assert_eq!(operator.ask("PUT", "/admin/log-level", forwarded, "debug").expect("answered").0, 403);
}

#[test]
fn prometheus_scrapes_it() {
    let Some(program) = installed("prometheus") else { return };
    let secure = Secure::new("");
    let server = secure.serve();
    let (port, target) = (free_port(), metrics_address(&server));
    let authority = secure.place.path("ca.pem");
    let prometheus = Listener::start(program, |folder| {
        let configuration = format!(
            "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: x\n    scheme: https\n    tls_config:\n      \
             ca_file: {}\n    static_configs:\n      - targets: [\"{target}\"]\n",
            authority.display()
        );
        std::fs::write(folder.path().join("prometheus.yml"), configuration).expect("written");
        vec![
            "--config.file=prometheus.yml".to_owned(),
            "--storage.tsdb.path=data".to_owned(),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ]
    });
    prometheus.wait_for(port);
    let query =
        "/api/v1/query?query=spreadsheet_mcp_tls_certificate_expiry_timestamp_seconds%7Bport%3D%22mcp%22%7D";
    let told = eventually(&format!("nothing is scraped: {}", prometheus.said()), || {
        let (_, _, body) = http("GET", &format!("127.0.0.1:{port}"), query, "", "");
        let found: Value = serde_json::from_str(&body).ok()?;
        found["data"]["result"][0]["value"][1].as_str().map(str::to_owned)
    });
    assert_eq!(told.parse(), Ok(secure.identity.expires as f64));
}
