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

/// What the index says before it lists them.
const ABOUT_RUNBOOKS: &str = r#"One for each alert: what it looks like, what to ask first, how to decide, what to do, how to see that it is over.

Commands name what they talk to by variables:

```console
$ export SERVER=127.0.0.1:8079 METRICS=127.0.0.1:9090 PROMETHEUS=127.0.0.1:9091 ALERTMANAGER=127.0.0.1:9093
$ kubectl port-forward svc/spreadsheet-mcp 8079 9090    # in a cluster
```

## What `$DEPLOYMENT` is

What the replicas run as, which depends on the [overlay](../deployment.md#on-kubernetes). Set it once, to one of these:

```console
$ export DEPLOYMENT=deployment/spreadsheet-mcp          # kubernetes/, rolling, external-secrets, trial
$ export DEPLOYMENT=deployment/spreadsheet-mcp-$(kubectl get svc spreadsheet-mcp -o jsonpath='{.spec.selector.slot}')   # blue-green: the slot that serves
$ export DEPLOYMENT=rollout/spreadsheet-mcp             # canary
```

`kubectl rollout` knows no Rollout of Argo's, and slots go back by the Service:

| instead of | `blue-green` | `canary` |
|---|---|---|
| `kubectl rollout status $DEPLOYMENT` | the same | `kubectl argo rollouts status spreadsheet-mcp` |
| `kubectl rollout restart $DEPLOYMENT` | the same | `kubectl argo rollouts restart spreadsheet-mcp` |
| `kubectl rollout undo $DEPLOYMENT` | swap the slots of `live.yaml` and apply | `kubectl argo rollouts abort spreadsheet-mcp` while it rolls out, `kubectl argo rollouts undo spreadsheet-mcp` later |
| `kubectl scale $DEPLOYMENT --replicas=N` | the same | the same |
| no replica may run: `kubectl scale $DEPLOYMENT --replicas=0` | `kubectl scale deployment/spreadsheet-mcp-blue deployment/spreadsheet-mcp-green --replicas=0` | the same |

Pods have the label `app=spreadsheet-mcp` everywhere, and autoscalers the name of what they scale: `kubectl get hpa`.

## All of them

`critical` wakes who is on call ([on-call](../on-call.md)); `warning` waits for the team's working hours.

| alert | severity | for |
|---|---|---|
"#;

#[test]
fn runbooks_have_an_index() {
    let mut page = format!("# Runbooks\n\n<!-- Generated: {AGAIN} -->\n\n{ABOUT_RUNBOOKS}");
    for alert in alerts() {
        let (name, severity, wait) = (&alert.name, &alert.severity, &alert.wait);
        page.push_str(&format!("| [{name}]({name}.md) | {severity} | {wait} |\n"));
    }
    expect_file![place("docs/runbooks/README.md")].assert_eq(&page);
}
