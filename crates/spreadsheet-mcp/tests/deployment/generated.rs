//! What is made of other files: `UPDATE_EXPECT=1 cargo test --workspace --test deployment generated` makes it anew.

use expect_test::expect_file;

use crate::{
    dashboards,
    rules::alerts,
    source::{names, place, text},
};

const OF_KUBERNETES: [&str; 3] = [
    "deploy/kustomize/base/shared",
    "deploy/kustomize/base/workload",
    "deploy/kustomize/components/trial-database",
];
const AGAIN: &str = "UPDATE_EXPECT=1 cargo test --workspace --test deployment generated";

#[test]
fn the_folder_kubernetes_holds_copies() {
    let mut copied = Vec::new();
    for folder in OF_KUBERNETES {
        for name in names(folder).into_iter().filter(|name| name != "kustomization.yaml") {
            let copy =
                format!("# Copied from {folder}: change it there.\n{}", text(&format!("{folder}/{name}")));
            expect_file![place(&format!("kubernetes/{name}"))].assert_eq(&copy);
            copied.push(name);
        }
    }
    copied.sort();
    assert_eq!(names("kubernetes"), copied, "kubectl would apply what is no copy");
}

#[test]
fn the_operator_gets_the_rules() {
    let mut page = format!(
        "# Generated from deploy/monitoring/prometheus/rules: {AGAIN}\napiVersion: monitoring.coreos.com/v1\nkind: \
         PrometheusRule\nmetadata:\n  name: spreadsheet-mcp\n  labels:\n    app: spreadsheet-mcp\n    \
         app.kubernetes.io/name: spreadsheet-mcp\nspec:\n  groups:\n"
    );
    for name in names("deploy/monitoring/prometheus/rules") {
        let rules = text(&format!("deploy/monitoring/prometheus/rules/{name}"));
        let (_, groups) = rules.split_once("groups:\n").expect("groups");
        for line in groups.lines() {
            page.push_str(if line.is_empty() { "" } else { "  " });
            page.push_str(line);
            page.push('\n');
        }
    }
    expect_file![place("deploy/kustomize/overlays/monitoring/prometheus-rule.yaml")].assert_eq(&page);
}

#[test]
fn grafana_gets_the_dashboards() {
    for name in dashboards::NAMES {
        let json = dashboards::rendered(name);
        expect_file![place(&format!("deploy/monitoring/grafana/dashboards/{name}.json"))].assert_eq(&json);
    }
}

#[test]
fn runbooks_have_an_index() {
    let mut page = format!(
        "# Runbooks\n\n<!-- Generated: {AGAIN} -->\n\nOne for each alert: what it looks like, what to ask first, how to decide, what to \
         do, how to see that it is over.\n\nCommands name what they talk to by variables:\n\n```console\n$ export \
         SERVER=127.0.0.1:8079 METRICS=127.0.0.1:9090 PROMETHEUS=127.0.0.1:9091 ALERTMANAGER=127.0.0.1:9093\n$ kubectl \
         port-forward svc/spreadsheet-mcp 8079 9090    # in a cluster\n```\n\n`critical` wakes who is on call ([on-call](../on-call.md)); \
         `warning` waits for the team's working hours.\n\n| alert | severity | for |\n|---|---|---|\n"
    );
    for alert in alerts() {
        let (name, severity, wait) = (&alert.name, &alert.severity, &alert.wait);
        page.push_str(&format!("| [{name}]({name}.md) | {severity} | {wait} |\n"));
    }
    expect_file![place("docs/runbooks/README.md")].assert_eq(&page);
}
