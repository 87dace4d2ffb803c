//! Recording and alert rules, against Prometheus' own tool and against the metrics that there are.

use components::installed;
use regex::Regex;
use serde_json::Value;

use crate::{
    known,
    source::{documents, names, said, text},
};

const FOLDER: &str = "deploy/monitoring/prometheus/rules";
const TESTS: &str = "deploy/monitoring/prometheus/tests";

/// How a call can end for which the server is not to blame: what was asked was wrong, too much, or taken back.
const OF_CALLERS: [&str; 30] = [
    "ok",
    "invalid_argument",
    "unknown_argument",
    "unknown_tool",
    "workbook_not_found",
    "outside_workspace",
    "sheet_not_found",
    "invalid_address",
    "not_found",
    "invalid_cursor",
    "unsupported_file",
    "damaged_file",
    "encrypted_file",
    "file_changing",
    "limit_exceeded",
    "response_too_large",
    "cancelled",
    "rate_limited",
    "disabled",
    "unauthorized",
    "forbidden",
    "fork_not_found",
    "conflict",
    "edit_refused",
    "already_exists",
    "signature_would_break",
    "target_changed",
    "content_refused",
    "url_expired",
    "url_invalid",
];
/// How a transfer of a file can end besides: what it takes is up to its client, who may stall.
const OF_CALLERS_OF_FILES: [&str; 1] = ["timeout"];
/// Refused by a setting of the operator's, as it should be.
const REFUSED_RIGHTLY: [&str; 1] = ["overwrite_not_allowed"];

/// An alert.
pub(crate) struct Alert {
    pub(crate) name: String,
    pub(crate) severity: String,
    /// For how long its condition holds before it fires.
    pub(crate) wait: String,
    pub(crate) runbook: String,
    pub(crate) rule: Value,
}

/// The rules of a file.
pub(crate) fn of(page: &Value) -> Vec<Value> {
    let groups = page["groups"].as_array().expect("groups");
    groups.iter().flat_map(|group| group["rules"].as_array().expect("rules").clone()).collect()
}

/// Every rule there is.
pub(crate) fn all() -> Vec<Value> {
    let files = names(FOLDER).into_iter().map(|name| text(&format!("{FOLDER}/{name}")));
    files.flat_map(|page| of(&documents(&page)[0])).collect()
}

/// Every alert there is.
pub(crate) fn alerts() -> Vec<Alert> {
    let alert = |rule: Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = rule["alert"].as_str()?.to_owned();
        let wait = rule["for"].as_str().unwrap_or("at once").to_owned();
        let (severity, runbook) =
            (text(&rule["labels"]["severity"]), text(&rule["annotations"]["runbook_url"]));
        Some(Alert { name, severity, wait, runbook, rule })
    };
    all().into_iter().filter_map(alert).collect()
}

#[test]
fn prometheus_takes_them() {
    let Some(promtool) = installed("promtool") else { return };
    for name in names(FOLDER) {
        let told = said(&promtool, &["check", "rules", &format!("{FOLDER}/{name}")]);
        assert!(told.contains("SUCCESS"), "{told}");
    }
    let config = "deploy/monitoring/prometheus/prometheus.yml";
    said(&promtool, &["check", "config", config]);
}

#[test]
fn every_alert_fires_stays_silent_and_ends() {
    let Some(promtool) = installed("promtool") else { return };
    let mut tested = Vec::new();
    std::thread::scope(|scope| {
        for name in names(TESTS) {
            let file = format!("{TESTS}/{name}");
            tested.extend(documents(&text(&file))[0]["tests"].as_array().expect("tests").clone());
            let promtool = &promtool;
            scope.spawn(move || said(promtool, &["test", "rules", &file]));
        }
    });
    for alert in alerts() {
        let query = format!("count(ALERTS{{alertname=\"{}\",alertstate=\"firing\"}})", alert.name);
        let fires = |expected: &Value| !expected["exp_samples"].as_array().expect("samples").is_empty();
        let history: Vec<Vec<bool>> = tested
            .iter()
            .filter(|test| test["name"] == alert.name.as_str())
            .map(|test| {
                let asked = test["promql_expr_test"].as_array().expect("questions");
                assert!(asked.iter().all(|asked| asked["expr"] == query.as_str()), "{}", alert.name);
                asked.iter().map(fires).collect()
            })
            .collect();
        let is_whole = |seen: &Vec<bool>| !seen[0] && seen.contains(&true) && seen.last() == Some(&false);
        assert!(history.iter().any(is_whole), "{}: {history:?}", alert.name);
    }
}

#[test]
fn every_metric_and_label_exists() {
    for rule in all() {
        known::check(rule["expr"].as_str().expect("a query"));
    }
}

#[test]
fn every_alert_says_how_bad_what_and_what_to_do() {
    for alert in alerts() {
        let name = &alert.name;
        assert!(["critical", "warning"].contains(&alert.severity.as_str()), "{name}");
        assert_eq!(alert.rule["labels"]["service"], "spreadsheet-mcp", "{name}");
        assert_eq!(alert.runbook, format!("docs/runbooks/{name}.md"));
        for annotation in ["summary", "description"] {
            assert!(
                alert.rule["annotations"][annotation].as_str().is_some_and(|text| text.len() > 10),
                "{name}"
            );
        }
    }
}

#[test]
fn every_way_a_call_can_end_is_somebodys_fault_or_none() {
    let both: [(&str, &[&str]); 2] = [
        ("spreadsheet_mcp_requests_total", &[]),
        ("spreadsheet_mcp_file_requests_total", &OF_CALLERS_OF_FILES),
    ];
    let pages =
        [text(&format!("{FOLDER}/recording.yaml")), text("deploy/kustomize/overlays/canary/analysis.yaml")];
    for (page, (metric, of_callers)) in pages.iter().flat_map(|page| both.map(|metric| (page, metric))) {
        let statuses = &known::described(metric).expect("described").labels;
        let statuses = &statuses.iter().find(|label| label.name == "status").expect("a label").values;
        let selector =
            Regex::new(&format!("\\b{metric}\\{{[^\\n]*?status=~\"([^\"]*)\"")).expect("a pattern");
        assert!(selector.is_match(page), "{metric} is in no ratio of failures");
        for found in selector.captures_iter(page) {
            let failed: Vec<&str> = found.get(1).expect("a pattern").as_str().split('|').collect();
            for status in statuses {
                let sides = [&failed[..], &OF_CALLERS, &REFUSED_RIGHTLY, of_callers];
                let counted = sides.iter().filter(|side| side.contains(&&**status)).count();
                assert_eq!(
                    counted, 1,
                    "{metric}, {status}: is the server to blame for it? Then name it in recording.yaml and in the canary's analysis.yaml, \
                     otherwise in OF_CALLERS"
                );
            }
        }
    }
}
