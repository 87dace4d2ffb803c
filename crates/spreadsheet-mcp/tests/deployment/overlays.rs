//! Every overlay, as kubectl renders it, against the schemas of Kubernetes.

use std::path::Path;

use components::installed;
use serde_json::{Value, json};

use crate::{
    known,
    manifests::{self, object, of_kind},
    source::{documents, said},
};

const SERVERS: [&str; 5] = ["trial", "rolling", "blue-green", "canary", "external-secrets"];
/// The oldest that is supported, one between, and the newest that schemas are known of.
const VERSIONS: [&str; 3] = ["1.32.0", "1.34.0", "1.37.0"];

fn text(kubectl: &Path, overlay: &str) -> String {
    said(kubectl, &["kustomize", &format!("deploy/kustomize/overlays/{overlay}")])
}

fn rendered(overlay: &str) -> Option<Vec<Value>> {
    installed("kubectl").map(|kubectl| documents(&text(&kubectl, overlay)))
}

#[test]
fn the_folder_kubernetes_is_the_overlay_trial() {
    let Some(mut rendered) = rendered("trial") else { return };
    let mut objects = manifests::of_folder();
    let name = |object: &Value| format!("{} {}", object["kind"], object["metadata"]["name"]);
    rendered.sort_by_key(name);
    objects.sort_by_key(name);
    assert_eq!(objects, rendered);
}

#[test]
fn all_servers_have_the_same_properties() {
    for overlay in SERVERS {
        if let Some(objects) = rendered(overlay) {
            manifests::check(&objects);
        }
    }
}

#[test]
fn three_versions_of_kubernetes_take_them() {
    let (Some(kubectl), Some(validate)) = (installed("kubectl"), installed("kubernetes-validate")) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = Vec::new();
    for overlay in SERVERS.into_iter().chain(["monitoring"]) {
        // Nobody here knows the schemas of custom resources.
        let pages = text(&kubectl, overlay);
        let is_built_in = |page: &&str| {
            let custom = ["argoproj.io/", "monitoring.coreos.com/", "external-secrets.io/"];
            !custom.iter().any(|group| {
                page.contains(&format!("apiVersion: {group}"))
                    && !page.contains("kind: HorizontalPodAutoscaler")
            })
        };
        let page: Vec<&str> = pages.split("\n---\n").filter(is_built_in).collect();
        let file = folder.path().join(format!("{overlay}.yaml"));
        std::fs::write(&file, page.join("\n---\n")).expect("written");
        files.push(file.to_str().expect("a path").to_owned());
    }
    for version in VERSIONS {
        let mut arguments = vec!["--strict", "-k", version];
        arguments.extend(files.iter().map(String::as_str));
        said(&validate, &arguments);
    }
    let wrong = folder.path().join("wrong.yaml");
    std::fs::write(&wrong, "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {prots: []}\n")
        .expect("written");
    let judged = std::process::Command::new(&validate).arg("--strict").arg(&wrong).output().expect("it runs");
    assert!(!judged.status.success(), "it takes anything");
}

#[test]
fn one_of_blue_and_green_serves_and_the_other_can_be_tried() {
    let Some(objects) = rendered("blue-green") else { return };
    let mut slots: Vec<&Value> = ["spreadsheet-mcp", "spreadsheet-mcp-preview"]
        .map(|name| &object(&objects, "Service", name)["spec"]["selector"]["slot"])
        .into();
    slots.sort_by_key(ToString::to_string);
    assert_eq!(slots, ["blue", "green"]);
    for slot in slots {
        let name = format!("spreadsheet-mcp-{}", slot.as_str().expect("a name"));
        let server = object(&objects, "Deployment", &name);
        assert_eq!(server["spec"]["selector"]["matchLabels"]["slot"], *slot);
        assert_eq!(server["spec"]["template"]["metadata"]["labels"]["slot"], *slot);
        let scaler = object(&objects, "HorizontalPodAutoscaler", &name);
        assert_eq!(scaler["spec"]["scaleTargetRef"]["name"], name.as_str());
        let budget = object(&objects, "PodDisruptionBudget", &name);
        assert_eq!(budget["spec"]["selector"]["matchLabels"]["slot"], *slot);
    }
}

#[test]
fn a_canary_begins_small_is_watched_and_goes_back_by_itself() {
    let Some(objects) = rendered("canary") else { return };
    let rollout = &object(&objects, "Rollout", "spreadsheet-mcp")["spec"];
    assert_eq!(rollout["progressDeadlineAbort"], true);
    assert_eq!(rollout["workloadRef"]["name"], "spreadsheet-mcp");
    assert_eq!(object(&objects, "Deployment", "spreadsheet-mcp")["spec"]["replicas"], 0);
    let scaler = object(&objects, "HorizontalPodAutoscaler", "spreadsheet-mcp");
    assert_eq!(scaler["spec"]["scaleTargetRef"]["kind"], "Rollout");
    let canary = &rollout["strategy"]["canary"];
    for (role, name) in [("stableService", "spreadsheet-mcp"), ("canaryService", "spreadsheet-mcp-canary")] {
        assert_eq!(canary[role], name);
        object(&objects, "Service", name);
    }
    object(&objects, "Ingress", canary["trafficRouting"]["nginx"]["stableIngress"].as_str().expect("a name"));
    let steps = canary["steps"].as_array().expect("steps");
    let weights: Vec<u64> = steps.iter().filter_map(|step| step["setWeight"].as_u64()).collect();
    assert_eq!(weights[..2], [5, 10]);
    for (at, _) in steps.iter().enumerate().filter(|(_, step)| step.get("setWeight").is_some()) {
        assert!(steps[at + 1]["pause"]["duration"].is_string(), "{steps:?}");
        assert_eq!(steps[at + 2]["analysis"]["templates"][0]["templateName"], "spreadsheet-mcp");
    }
    let analysis = &object(&objects, "AnalysisTemplate", "spreadsheet-mcp")["spec"];
    let metrics = analysis["metrics"].as_array().expect("metrics");
    assert_eq!(metrics.len(), 2);
    for metric in metrics {
        assert!(metric["failureLimit"].as_u64().is_some_and(|limit| limit <= 2), "{metric}");
        known::check(metric["provider"]["prometheus"]["query"].as_str().expect("a query"));
    }
}

#[test]
fn placeholders_overwrite_no_secret() {
    for name in SERVERS.into_iter().filter(|name| *name != "trial") {
        let Some(objects) = rendered(name) else { return };
        assert!(of_kind(&objects, "Secret").is_empty(), "{name}");
    }
}

#[test]
fn secrets_may_come_from_a_vault() {
    let Some(objects) = rendered("external-secrets") else { return };
    assert!(of_kind(&objects, "Secret").is_empty(), "a Secret is applied as well");
    let fetched = &object(&objects, "ExternalSecret", "spreadsheet-mcp")["spec"];
    assert_eq!(fetched["target"]["name"], "spreadsheet-mcp");
    let keys: Vec<&Value> =
        fetched["data"].as_array().expect("keys").iter().map(|item| &item["secretKey"]).collect();
    assert_eq!(keys, ["keys.toml", "backup-recipients", "database-password"]);
}

#[test]
fn the_operator_scrapes_every_pod_once_under_the_job_that_rules_name() {
    let Some(objects) = rendered("monitoring") else { return };
    let monitor = &object(&objects, "ServiceMonitor", "spreadsheet-mcp")["spec"];
    let wanted = monitor["selector"]["matchLabels"].as_object().expect("labels");
    let meant =
        |service: &&&Value| wanted.iter().all(|(key, value)| service["metadata"]["labels"][key] == *value);
    let services = of_kind(&objects, "Service");
    let services: Vec<&&Value> = services.iter().filter(meant).collect();
    assert_eq!(services.len(), 1);
    assert_eq!(
        services[0]["metadata"]["labels"][monitor["jobLabel"].as_str().expect("a label")],
        "spreadsheet-mcp"
    );
    assert_eq!(services[0]["spec"]["selector"], json!({ "app": "spreadsheet-mcp" }));
    for overlay in SERVERS {
        let others = rendered(overlay).expect("kubectl is here");
        let others = of_kind(&others, "Service");
        assert!(!others.iter().any(|service| meant(&service)), "{overlay}: pods are scraped twice");
    }
    let dashboards = &object(&objects, "ConfigMap", "spreadsheet-mcp-dashboards");
    assert_eq!(dashboards["data"].as_object().map(serde_json::Map::len), Some(4));
}
