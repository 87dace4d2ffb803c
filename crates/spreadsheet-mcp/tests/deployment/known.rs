//! Which metrics and labels there are, and which ones a query names.

use std::sync::LazyLock;

use regex::Regex;
use server::metrics::{Described, Metrics};

use crate::{rules, source::documents, source::text};

/// Labels that a scrape adds, and those of what Prometheus makes itself.
const ADDED: [&str; 10] = [
    "job",
    "instance",
    "namespace",
    "le",
    "rollouts_pod_template_hash",
    "alertname",
    "alertstate",
    "severity",
    "service",
    "version",
];
/// Metrics of others, which the rules for Kubernetes and a Prometheus know.
const OF_OTHERS: [&str; 10] = [
    "up",
    "ALERTS",
    "kube_deployment_status_replicas_available",
    "kube_deployment_spec_replicas",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
    "kube_cronjob_created",
    "kube_cronjob_status_last_successful_time",
    "kube_pod_status_ready",
    "kube_pod_container_status_restarts_total",
];

static DESCRIBED: LazyLock<Vec<Described>> = LazyLock::new(|| Metrics::default().described().to_vec());
static RECORDED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let page = documents(&text("deploy/monitoring/prometheus/rules/recording.yaml")).remove(0);
    rules::of(&page).iter().filter_map(|rule| rule["record"].as_str().map(str::to_owned)).collect()
});
static SELECTOR: LazyLock<Regex> = LazyLock::new(|| {
    let names = "spreadsheet_mcp[:_]|process_|kube_|kubelet_|up\\b|ALERTS\\b";
    Regex::new(&format!(r"\b((?:{names})[a-zA-Z0-9_:]*)(?:\{{((?:[^}}\x22]|\x22[^\x22]*\x22)*)\}})?"))
        .expect("a pattern")
});
static MATCHER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"([^"]*)""#).expect("a pattern"));
static GROUPING: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bby \(([^)]*)\)").expect("a pattern"));

/// Complains about names and labels of a query that do not exist, and about values that labels never have.
#[track_caller]
pub(crate) fn check(query: &str) {
    let mut selected = 0;
    for found in SELECTOR.captures_iter(query) {
        selected += 1;
        let name = &found[1];
        let metric = described(name);
        if metric.is_none() {
            let is_known = OF_OTHERS.contains(&name) || RECORDED.iter().any(|recorded| recorded == name);
            assert!(is_known, "there is no metric {name}: {query}");
        }
        for matcher in
            found.get(2).map_or("", |labels| labels.as_str()).split("\",").map(|rest| format!("{rest}\""))
        {
            for parts in MATCHER.captures_iter(&matcher) {
                if let Some(metric) = metric {
                    check_label(metric, &parts[1], &parts[2], &parts[3], query);
                }
            }
        }
    }
    assert!(selected > 0, "it asks for nothing of ours: {query}");
    for found in GROUPING.captures_iter(query) {
        for label in found[1].split(',').map(str::trim) {
            let is_known = ADDED.contains(&label) || DESCRIBED.iter().any(|metric| has(metric, label));
            assert!(is_known, "no metric has the label {label}: {query}");
        }
    }
}

/// The metric of that name; of a histogram, also by the names of its parts.
pub(crate) fn described(name: &str) -> Option<&'static Described> {
    let parts = ["_bucket", "_sum", "_count"];
    let whole = parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name);
    DESCRIBED.iter().find(|metric| metric.name == name || metric.kind == "histogram" && metric.name == whole)
}

/// Whether a label is called so, or may say so.
pub(crate) fn is_label(word: &str) -> bool {
    let mut labels = DESCRIBED.iter().flat_map(|metric| &metric.labels);
    labels.any(|label| label.name == word || label.values.contains(&word))
}

fn has(metric: &Described, label: &str) -> bool {
    metric.labels.iter().any(|known| known.name == label)
}

#[track_caller]
fn check_label(metric: &Described, label: &str, operator: &str, value: &str, query: &str) {
    if ADDED.contains(&label) {
        return;
    }
    let name = &metric.name;
    let known = metric.labels.iter().find(|known| known.name == label);
    let known = known.unwrap_or_else(|| panic!("{name} has no label {label}: {query}"));
    let is_one = |pattern: &str| match operator {
        "=" | "!=" => known.values.contains(&pattern),
        _ => {
            let pattern = Regex::new(&format!("^(?:{pattern})$")).expect("a pattern");
            known.values.iter().any(|known| pattern.is_match(known))
        }
    };
    for pattern in value.split('|') {
        assert!(is_one(pattern), "{name}: {label} is never {pattern}: {query}");
    }
}

#[test]
fn what_does_not_exist_is_found() {
    check("sum by (tool) (rate(spreadsheet_mcp_requests_total{status=~\"timeout|not_.*\"}[5m]))");
    for wrong in [
        "spreadsheet_mcp_request_total",
        "spreadsheet_mcp_requests_total{state=\"ok\"}",
        "spreadsheet_mcp_requests_total{status=\"okay\"}",
        "spreadsheet_mcp_requests_total{status=~\"timeout|bussy\"}",
        "sum by (tol) (spreadsheet_mcp_requests_total)",
        "spreadsheet_mcp_requests_in_flight_bucket",
        "spreadsheet_mcp:calls:rate6m",
        "vector(1)",
    ] {
        assert!(std::panic::catch_unwind(|| check(wrong)).is_err(), "{wrong} passes");
    }
}
