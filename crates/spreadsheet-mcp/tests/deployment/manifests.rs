//! What `kubectl apply -f kubernetes/` applies, and every other way to deploy: properties that hold for each.

use std::process::Command;

use serde_json::{Value, json};

use crate::{
    program::Place,
    source::{documents, names, place, text},
};

/// The objects of `kubernetes/`.
pub(crate) fn of_folder() -> Vec<Value> {
    names("kubernetes").iter().flat_map(|name| documents(&text(&format!("kubernetes/{name}")))).collect()
}

/// The object of a kind and name.
#[track_caller]
pub(crate) fn object<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

/// Objects of a kind.
pub(crate) fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

/// The pods that objects make, with the names of the objects.
fn pods(objects: &[Value]) -> Vec<(String, &Value)> {
    let pod = |object: &'_ Value| match object["kind"].as_str() {
        Some("Deployment" | "StatefulSet" | "Job") => Some("/spec/template/spec"),
        Some("CronJob") => Some("/spec/jobTemplate/spec/template/spec"),
        _ => None,
    };
    let found = objects.iter().filter_map(|object| {
        let name = format!("{} {}", object["kind"], object["metadata"]["name"]);
        Some((name, object.pointer(pod(object)?).expect("a template")))
    });
    found.collect()
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    let of = |key| pod[key].as_array().into_iter().flatten();
    of("initContainers").chain(of("containers"))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// What holds for every object however it is deployed.
pub(crate) fn check(objects: &[Value]) {
    for object in objects {
        assert!(object["metadata"].get("namespace").is_none(), "it names a namespace: {object}");
        assert!(object["metadata"]["labels"]["app"].is_string(), "kubectl get -l app=… misses {object}");
    }
    for (name, pod) in pods(objects) {
        let context = &pod["securityContext"];
        assert_eq!(context["runAsNonRoot"], true, "{name}");
        assert!(number(&context["runAsUser"]) > 1_000 && number(&context["runAsGroup"]) > 1_000, "{name}");
        assert_eq!(context["seccompProfile"]["type"], "RuntimeDefault", "{name}");
        assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
        for key in ["hostNetwork", "hostPID", "hostIPC"] {
            assert!(pod.get(key).is_none(), "{name}: {key}");
        }
        for volume in pod["volumes"].as_array().expect("volumes") {
            assert!(volume.get("hostPath").is_none(), "{name}: {volume}");
            let is_bounded = volume.get("emptyDir").is_none_or(|folder| folder["sizeLimit"].is_string());
            assert!(is_bounded, "{name}: {volume}");
        }
        for container in containers(pod) {
            let name = format!("{name}, {}", container["name"]);
            let context = &container["securityContext"];
            assert_eq!(context["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(context["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(context["capabilities"], json!({ "drop": ["ALL"] }), "{name}");
            for bound in ["requests", "limits"] {
                for what in ["cpu", "memory", "ephemeral-storage"] {
                    assert!(container["resources"][bound][what].is_string(), "{name}: {bound} of {what}");
                }
            }
            let image = container["image"].as_str().expect("an image");
            let version = image.rsplit_once(':').map(|(_, version)| version).expect("a version");
            assert_ne!(version, "latest", "{name}");
            if image.starts_with("spreadsheet-mcp:") {
                assert_eq!(version, env!("CARGO_PKG_VERSION"), "{name}");
            }
        }
    }
    for server in servers(objects) {
        check_server(server);
        check_memory_of(objects, &server["spec"]["template"]["spec"]["containers"][0]);
    }
    let policy = object(objects, "NetworkPolicy", "spreadsheet-mcp");
    assert_eq!(policy["spec"]["policyTypes"], json!(["Ingress", "Egress"]));
}

/// Bytes of a quantity of Kubernetes (`2Gi`) or of compose (`2g`).
pub(crate) fn bytes(quantity: &str) -> u64 {
    let digits = quantity.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match &quantity[digits.len()..] {
        "" => 0,
        "Mi" | "m" => 20,
        "Gi" | "g" => 30,
        other => panic!("what is {other}?"),
    };
    digits.parse::<u64>().expect("a number") << shift
}

/// That what may be taken fits into a container, and some of it is left for what nobody counts.
#[track_caller]
pub(crate) fn check_memory(taken: u64, container: u64) {
    let most = container / 16 * 15;
    assert!(taken <= most, "{taken} bytes may be taken, of {container}: more than {most}");
}

/// The number of an option of the ConfigMap.
fn option(objects: &[Value], name: &str) -> u64 {
    let config = &object(objects, "ConfigMap", "spreadsheet-mcp")["data"]["server.toml"];
    let config = config.as_str().expect("a file");
    let line = config.lines().find_map(|line| line.strip_prefix(&format!("{name} = ")));
    line.unwrap_or_else(|| panic!("no {name}")).parse().expect("a number")
}

/// The server and all LibreOffices may be as large as they may at the same time.
fn check_memory_of(objects: &[Value], server: &Value) {
    let libreoffice = option(objects, "max_concurrent_recalcs") * option(objects, "libreoffice_memory");
    let own = option(objects, "max_memory_bytes");
    let container = server["resources"]["limits"]["memory"].as_str().expect("a limit");
    check_memory(own + libreoffice, bytes(container));
    assert!(option(objects, "cache_bytes") <= own / 4 * 3, "calls need memory beside what is kept");
}

fn servers(objects: &[Value]) -> Vec<&Value> {
    let servers = of_kind(objects, "Deployment");
    assert!(!servers.is_empty(), "nothing serves");
    servers
}

fn check_server(deployment: &Value) {
    let spec = &deployment["spec"];
    let pod = &spec["template"]["spec"];
    assert_eq!(spec["template"]["metadata"]["labels"]["app"], "spreadsheet-mcp");
    assert_eq!(spec["strategy"]["type"], "RollingUpdate");
    assert_eq!(spec["strategy"]["rollingUpdate"], json!({ "maxUnavailable": 1, "maxSurge": 1 }));
    assert_eq!(pod["topologySpreadConstraints"].as_array().map(Vec::len), Some(2));
    assert_eq!(pod["initContainers"][0]["args"][0], "migrate");

    let server = &pod["containers"][0];
    let probe = |name: &str| {
        let probe = &server[format!("{name}Probe")];
        let path = match name {
            "startup" => "/health/startup",
            "liveness" => "/health/live",
            _ => "/health/ready",
        };
        assert_eq!(probe["httpGet"], json!({ "path": path, "port": "mcp" }), "{name}");
        assert!((3..=5).contains(&number(&probe["timeoutSeconds"])), "{name}");
        probe.clone()
    };
    let (startup, liveness, readiness) = (probe("startup"), probe("liveness"), probe("readiness"));
    assert!(number(&startup["failureThreshold"]) * number(&startup["periodSeconds"]) >= 60);
    assert_eq!(liveness["failureThreshold"], 3);
    assert!((10..=30).contains(&number(&liveness["initialDelaySeconds"])));
    assert!((10..=30).contains(&number(&readiness["periodSeconds"])));
    let resources = &server["resources"];
    assert_eq!((&resources["requests"]["cpu"], &resources["limits"]["cpu"]), (&json!("500m"), &json!("2")));
    assert_eq!(
        (&resources["requests"]["memory"], &resources["limits"]["memory"]),
        (&json!("512Mi"), &json!("2Gi"))
    );
}

#[test]
fn all_of_it_is_confined_bounded_and_pinned() {
    check(&of_folder());
}

#[test]
fn any_cluster_takes_it() {
    let built_in = ["v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1"];
    for object in of_folder() {
        assert!(built_in.iter().any(|version| object["apiVersion"] == *version), "{object}");
    }
}

#[test]
fn there_are_three_to_ten_replicas_and_one_may_go() {
    let objects = of_folder();
    let server = object(&objects, "Deployment", "spreadsheet-mcp");
    assert_eq!(server["spec"]["replicas"], 3);
    let scaler = &object(&objects, "HorizontalPodAutoscaler", "spreadsheet-mcp")["spec"];
    assert_eq!((&scaler["minReplicas"], &scaler["maxReplicas"]), (&json!(3), &json!(10)));
    let by: Vec<&Value> =
        scaler["metrics"].as_array().expect("metrics").iter().map(|m| &m["resource"]["name"]).collect();
    assert_eq!(by, ["cpu", "memory"]);
    let budget = &object(&objects, "PodDisruptionBudget", "spreadsheet-mcp")["spec"];
    assert_eq!(budget["maxUnavailable"], 1);
    assert_eq!(budget["selector"], server["spec"]["selector"]);
}

#[test]
fn services_lead_to_pods_and_ports_that_there_are() {
    let objects = of_folder();
    for service in of_kind(&objects, "Service") {
        let selector = service["spec"]["selector"].as_object().expect("a selector");
        let makers = objects
            .iter()
            .filter(|object| ["Deployment", "StatefulSet"].iter().any(|kind| object["kind"] == *kind));
        let mut templates = makers.map(|object| &object["spec"]["template"]);
        let is_meant = |template: &&Value| {
            selector.iter().all(|(key, value)| template["metadata"]["labels"][key] == *value)
        };
        let pod = templates.find(is_meant).unwrap_or_else(|| panic!("{service} leads nowhere"));
        for port in service["spec"]["ports"].as_array().expect("ports") {
            let ports = pod["spec"]["containers"][0]["ports"].as_array().expect("ports");
            let target = ports.iter().find(|known| known["name"] == port["targetPort"]);
            assert_eq!(target.expect("a port of that name")["containerPort"], port["port"]);
        }
    }
    let ports = &object(&objects, "Service", "spreadsheet-mcp")["spec"]["ports"];
    assert_eq!((&ports[0]["port"], &ports[1]["port"]), (&json!(8079), &json!(9090)));
}

#[test]
fn everything_that_pods_mount_is_there() {
    let objects = of_folder();
    for (name, pod) in pods(&objects) {
        for volume in pod["volumes"].as_array().expect("volumes") {
            let named = [
                ("ConfigMap", &volume["configMap"]["name"]),
                ("Secret", &volume["secret"]["secretName"]),
                ("PersistentVolumeClaim", &volume["persistentVolumeClaim"]["claimName"]),
            ];
            for (kind, wanted) in named {
                if let Some(wanted) = wanted.as_str() {
                    object(&objects, kind, wanted);
                }
            }
        }
        for container in containers(pod) {
            for mount in container["volumeMounts"].as_array().expect("mounts") {
                let volumes = pod["volumes"].as_array().expect("volumes").iter();
                let claims = of_kind(&objects, "StatefulSet");
                let claims = claims
                    .iter()
                    .flat_map(|set| set["spec"]["volumeClaimTemplates"].as_array().expect("claims"));
                let mut known = volumes
                    .map(|volume| &volume["name"])
                    .chain(claims.map(|claim| &claim["metadata"]["name"]));
                assert!(known.any(|known| *known == mount["name"]), "{name}: {mount}");
            }
        }
    }
}

#[test]
fn a_pod_that_ends_has_time_to_finish() {
    let objects = of_folder();
    let pod = &object(&objects, "Deployment", "spreadsheet-mcp")["spec"]["template"]["spec"];
    let option = |name: &str| option(&objects, name);
    let (delay, drain) = (option("drain_delay_ms"), option("drain_timeout_ms"));
    let grace = number(&pod["terminationGracePeriodSeconds"]) * 1_000;
    assert!(
        grace >= drain + 5_000,
        "the pod is killed after {grace} ms, while calls may take {drain} ms to finish"
    );
    assert!(delay >= 5_000, "proxies may send calls for some seconds still");
    assert!(drain - delay >= option("tool_timeout_ms"), "the longest call does not fit");
    assert!(pod["containers"][0].get("lifecycle").is_none(), "the server waits itself");
}

/// The configuration of the ConfigMap, with its files and folders in a place of this machine.
pub(crate) fn configured(objects: &[Value]) -> (Place, String) {
    let place = Place::new();
    let root = place.workspace.parent().expect("a folder").to_owned();
    let text = |kind: &str, key: &str, file: &str| {
        let object = object(objects, kind, "spreadsheet-mcp");
        let text = object[key][file].as_str().unwrap_or_else(|| panic!("no {file}")).to_owned();
        ["/workspace", "/data", "/state", "/run/secrets/spreadsheet-mcp"].iter().fold(text, |text, folder| {
            let here = root.join(folder.rsplit('/').next().expect("a name"));
            std::fs::create_dir_all(&here).expect("a folder");
            text.replace(&format!("\"{folder}"), &format!("\"{}", here.display()))
                .replace(&format!("file://{folder}"), &format!("file://{}", here.display()))
        })
    };
    for file in ["keys.toml", "database-password"] {
        let secret = text("Secret", "stringData", file);
        std::fs::write(root.join("spreadsheet-mcp").join(file), secret).expect("written");
    }
    let path = root.join("server.toml");
    std::fs::write(&path, text("ConfigMap", "data", "server.toml")).expect("written");
    let path = path.to_str().expect("a path").to_owned();
    (place, path)
}

#[test]
fn the_program_takes_its_configuration() {
    let (_place, config) = configured(&of_folder());
    let ran = Command::new(env!("CARGO_BIN_EXE_spreadsheet-mcp"))
        .args(["config", "check", "--config", &config])
        .output()
        .expect("it runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn with_the_placeholders_nobody_gets_in() {
    let (place, config) = configured(&of_folder());
    let keys = std::fs::read_to_string(
        place.workspace.parent().expect("a folder").join("spreadsheet-mcp/keys.toml"),
    );
    assert!(!keys.expect("read").contains("digest"), "a key that everybody knows");
    let server = place.serve(&["--config", &config, "--metrics-bind", "off"]);
    let (status, _, body) = components::http(
        "POST",
        &server.client().address,
        "/mcp",
        "Content-Type: application/json\r\n",
        "{}",
    );
    assert_eq!(status, 401, "{body}");
    assert_eq!(server.client().get("/health/live").0, 200);
}

#[test]
fn no_manifest_grants_anything() {
    for object in of_folder() {
        assert!(!object["kind"].as_str().expect("a kind").contains("Role"), "{object}");
    }
    let account = of_folder().into_iter().find(|object| object["kind"] == "ServiceAccount").expect("one");
    assert_eq!(account["automountServiceAccountToken"], false);
}

#[test]
fn backups_are_made_every_night() {
    let objects = of_folder();
    let job = &object(&objects, "CronJob", "spreadsheet-mcp-backup")["spec"];
    assert_eq!(job["concurrencyPolicy"], "Forbid");
    assert!(job["schedule"].as_str().expect("a time").ends_with(" * * *"), "daily");
    let arguments = &job["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"];
    assert_eq!((&arguments[0], &arguments[1]), (&json!("backup"), &json!("create")));
}

/// Each pod writes a trail in a folder of its own; the backup and the purge see the folder that they are in.
#[test]
fn audit_trails_are_backed_up_and_purged() {
    let objects = of_folder();
    let folder = |container: &Value| {
        let variables = container["env"].as_array().expect("variables").iter();
        let mut named = variables.filter(|variable| variable["name"] == "SPREADSHEET_MCP_AUDIT_DIR");
        named.next().and_then(|variable| variable["value"].as_str()).expect("a folder").to_owned()
    };
    let server = object(&objects, "Deployment", "spreadsheet-mcp");
    let server = &server["spec"]["template"]["spec"]["containers"][0];
    let (all, own) = folder(server).rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("two");
    assert_eq!(own, "$(POD_NAME)");
    for (name, command, is_read_only) in
        [("backup", ["backup", "create"], true), ("audit-purge", ["audit", "purge"], false)]
    {
        let job = object(&objects, "CronJob", &format!("spreadsheet-mcp-{name}"));
        let container = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(json!(command), json!(container["args"].as_array().expect("arguments")[..2]), "{name}");
        assert_eq!(folder(container), all, "{name}");
        let mut mounts = container["volumeMounts"].as_array().expect("mounts").iter();
        let data = mounts.find(|mount| mount["mountPath"] == "/data").expect("the volume of trails");
        assert_eq!(data["readOnly"] == true, is_read_only, "{name}");
        // The configuration names it, and has to be right.
        let mut mounts = container["volumeMounts"].as_array().expect("mounts").iter();
        assert!(mounts.any(|mount| mount["mountPath"] == "/workspace"), "{name}: {container}");
    }
}

#[test]
fn the_trial_database_says_what_it_is() {
    let path = place("kubernetes/trial-database.yaml");
    let said = std::fs::read_to_string(path).expect("read");
    assert!(said.contains("FOR TRYING OUT ONLY"), "{said}");
}
