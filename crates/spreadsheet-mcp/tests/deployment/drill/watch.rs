//! Prometheus and Alertmanager with the configuration that is deployed, in a hurry: seconds stand for minutes and hours.

use std::{path::PathBuf, process::Command};

use components::{Listener, eventually, free_port, http, installed};
use regex::Regex;
use serde_json::Value;

use super::pager::Pager;
use crate::{
    runbooks::{commands, runbook},
    source::{names, place, text},
};

/// What rates and sums look back over.
pub(crate) const WINDOW: &str = "[8s]";

/// Who watches servers, and who is told.
pub(crate) struct Watch {
    prometheus: Listener,
    prometheus_port: u16,
    alertmanager: Listener,
    alertmanager_port: u16,
    pub(crate) pager: Pager,
}

impl Watch {
    /// Watches servers by the addresses of their metrics. Nothing where a program is not installed.
    pub(crate) fn over(targets: &[String]) -> Option<Watch> {
        let (prometheus, alertmanager) = (installed("prometheus")?, installed("prometheus-alertmanager")?);
        for tool in ["promtool", "amtool", "curl"] {
            installed(tool)?;
        }
        let (prometheus_port, alertmanager_port) = (free_port(), free_port());
        let pager = Pager::listen();
        let alertmanager = start_alertmanager(alertmanager, alertmanager_port, &pager);
        let targets = targets.join(", ");
        let prometheus = Listener::start(prometheus, |folder| {
            let rules = folder.path().join("rules");
            std::fs::create_dir(&rules).expect("a folder");
            for name in names("deploy/monitoring/prometheus/rules") {
                let hurried = hurried(&text(&format!("deploy/monitoring/prometheus/rules/{name}")));
                std::fs::write(rules.join(name), hurried).expect("written");
            }
            let config = text("deploy/monitoring/prometheus/prometheus.yml")
                .replace("15s", "1s")
                .replace("spreadsheet-mcp:9090", &targets)
                .replace("localhost:9090", &format!("127.0.0.1:{prometheus_port}"))
                .replace("alertmanager:9093", &format!("127.0.0.1:{alertmanager_port}"));
            std::fs::write(folder.path().join("prometheus.yml"), config).expect("written");
            vec![
                "--config.file=prometheus.yml".to_owned(),
                "--storage.tsdb.path=data".to_owned(),
                "--rules.alert.resend-delay=1s".to_owned(),
                format!("--web.listen-address=127.0.0.1:{prometheus_port}"),
            ]
        });
        let watch = Watch { prometheus, prometheus_port, alertmanager, alertmanager_port, pager };
        watch.prometheus.wait_for(prometheus_port);
        watch.alertmanager.wait_for(alertmanager_port);
        Some(watch)
    }

    /// What Prometheus answers to a query: samples.
    pub(crate) fn asked(&self, query: &str) -> Vec<Value> {
        let body = format!("query={}", encoded(query));
        let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
        let address = format!("127.0.0.1:{}", self.prometheus_port);
        let (status, _, body) = http("POST", &address, "/api/v1/query", headers, &body);
        let answer: Value = serde_json::from_str(&body).unwrap_or_default();
        assert_eq!(status, 200, "{query}: {body}");
        answer["data"]["result"].as_array().cloned().unwrap_or_default()
    }

    fn is_firing(&self, alert: &str) -> bool {
        !self.asked(&format!("ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}}")).is_empty()
    }

    /// Waits until an alert fires.
    #[track_caller]
    pub(crate) fn sees(&self, alert: &str) {
        eventually(&format!("{alert} does not fire: {}", self.prometheus.said()), || {
            self.is_firing(alert).then_some(())
        });
        println!("fires: {alert}");
    }

    /// Waits until an alert is over, as the commands of its runbook tell.
    #[track_caller]
    pub(crate) fn sees_the_end_of(&self, alert: &str, server: &str, metrics: &str) {
        eventually(&format!("{alert} does not end: {}", self.prometheus.said()), || {
            let told = self.run(alert, "## Verify", server, metrics).ok()?;
            let is_named = told.last().expect("a command").contains(alert);
            (!is_named && !self.is_firing(alert)).then_some(())
        });
        println!("over: {alert}");
    }

    /// Waits until who is on call is paged, and the team told.
    #[track_caller]
    pub(crate) fn pages(&self, alert: &str) -> String {
        let page = self.pager.hears("/pagerduty", |page| {
            page["event_action"] == "trigger"
                && page["payload"]["summary"].as_str().is_some_and(|text| text.contains(alert))
        });
        assert_eq!(page["routing_key"], "key-of-pagerduty");
        assert_eq!(page["payload"]["severity"], "critical");
        assert_eq!(page["payload"]["custom_details"]["runbook"], format!("docs/runbooks/{alert}.md"));
        self.tells_the_team(alert, "firing");
        println!("paged: {alert}");
        page["dedup_key"].as_str().expect("a key").to_owned()
    }

    /// Waits until the team hears of an alert.
    #[track_caller]
    pub(crate) fn tells_the_team(&self, alert: &str, status: &str) {
        let title = format!("[{status}] {alert}");
        self.pager.hears("/slack", |message| {
            message["attachments"][0]["title"].as_str().is_some_and(|text| text.starts_with(&title))
        });
    }

    /// Waits until a page is taken back.
    #[track_caller]
    pub(crate) fn takes_back(&self, page: &str) {
        self.pager.hears("/pagerduty", |end| end["event_action"] == "resolve" && end["dedup_key"] == page);
    }

    /// Runs the commands of a part of a runbook, each of which has to succeed. Gives what each block said.
    #[track_caller]
    pub(crate) fn follow(&self, alert: &str, part: &str, server: &str, metrics: &str) -> Vec<String> {
        self.run(alert, part, server, metrics).unwrap_or_else(|failed| panic!("{alert}, {part}: {failed}"))
    }

    fn run(&self, alert: &str, part: &str, server: &str, metrics: &str) -> Result<Vec<String>, String> {
        let run = |block: String| {
            let ran = Command::new("bash")
                .args(["-euo", "pipefail", "-c", &block])
                .env("SERVER", server)
                .env("METRICS", metrics)
                .env("PROMETHEUS", format!("127.0.0.1:{}", self.prometheus_port))
                .env("ALERTMANAGER", format!("127.0.0.1:{}", self.alertmanager_port))
                .output()
                .expect("it runs");
            match ran.status.success() {
                true => Ok(String::from_utf8_lossy(&ran.stdout).into_owned()),
                false => Err(format!("{block}\n{}", String::from_utf8_lossy(&ran.stderr))),
            }
        };
        commands(&runbook(alert), part).into_iter().map(run).collect()
    }
}

fn start_alertmanager(program: PathBuf, port: u16, pager: &Pager) -> Listener {
    Listener::start(program, |folder| {
        let here = |path: &str| format!("http://127.0.0.1:{}/{path}", pager.port);
        let secrets = folder.path().join("secrets");
        std::fs::create_dir(&secrets).expect("a folder");
        let slack = here("slack");
        let files = [
            ("pagerduty-routing-key", "key-of-pagerduty"),
            ("opsgenie-api-key", "key-of-opsgenie"),
            ("slack-webhook-url", slack.as_str()),
        ];
        for (file, secret) in files {
            std::fs::write(secrets.join(file), secret).expect("written");
        }
        let templates = "deploy/monitoring/alertmanager/notifications.tmpl";
        std::fs::copy(place(templates), folder.path().join("notifications.tmpl")).expect("copied");
        let config = text("deploy/monitoring/alertmanager/alertmanager.yml")
            .replace("/run/secrets/alertmanager", &secrets.display().to_string())
            .replace("group_wait: 30s", "group_wait: 1s")
            .replace("group_wait: 10s", "group_wait: 1s")
            .replace("group_interval: 5m", "group_interval: 1s")
            // It is always working hours here.
            .replace("      active_time_intervals: [working-hours]\n", "");
        let config = format!("global:\n  pagerduty_url: {}\n{config}", here("pagerduty"));
        std::fs::write(folder.path().join("alertmanager.yml"), config).expect("written");
        vec![
            "--config.file=alertmanager.yml".to_owned(),
            "--storage.path=data".to_owned(),
            "--cluster.listen-address=".to_owned(),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ]
    })
}

/// The same rules, which look back over seconds and wait for one.
fn hurried(rules: &str) -> String {
    let window = Regex::new(r"\[\d+[smhd]\]").expect("a pattern");
    let wait = Regex::new(r"(?m)^( +for:) .*$").expect("a pattern");
    wait.replace_all(&window.replace_all(rules, WINDOW), "$1 1s").into_owned()
}

/// A text as a form has it.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
