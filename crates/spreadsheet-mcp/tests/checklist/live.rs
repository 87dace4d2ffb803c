//! A server with the configuration that is deployed, its database and a collector of traces, and the gate as a process of its own.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use components::{Collector, Postgres};
use serde_json::Value;

use crate::{
    between,
    program::{Place, Server},
    proofs::{Fault, unproven},
    tree::{Tree, repository},
};

/// The configuration of the ConfigMap, and where all of it is on this machine.
pub(crate) struct Deployed {
    pub(crate) place: Place,
    pub(crate) config: PathBuf,
    pub(crate) key: PathBuf,
    _collector: Collector,
}

impl Deployed {
    pub(crate) fn new() -> Deployed {
        let place = Place::new();
        let root = place.workspace.parent().expect("a folder").to_owned();
        let text = fs::read_to_string(repository().join("kubernetes/config-map.yaml")).expect("read");
        let map: Value = serde_saphyr::from_str(&text).expect("yaml");
        let mut config = map["data"]["server.toml"].as_str().expect("a configuration").to_owned();
        // Backups go to a bucket, as the ConfigMap advises.
        config = config.replace("\"/backups\"", "\"s3://backups/spreadsheet-mcp\"");
        for folder in ["/workspace", "/data", "/state", "/run/secrets/spreadsheet-mcp"] {
            let here = root.join(folder.rsplit('/').next().expect("a name"));
            fs::create_dir_all(&here).expect("a folder");
            for before in ["\"", "file://"] {
                config = config.replace(&format!("{before}{folder}"), &format!("{before}{}", here.display()));
            }
        }
        let database = Postgres::shared();
        let url = database.url(&database.new_database());
        let deployed =
            "postgres://spreadsheet_mcp@spreadsheet-mcp-postgres:5432/spreadsheet_mcp?sslmode=disable";
        assert!(config.contains(deployed), "the configuration names another database: {config}");
        config = config.replace(deployed, &format!("{url}?sslmode=disable"));
        let collector = Collector::start().expect("the collector must run: install it by `make setup`");
        config = config.replace(
            "bind = \"0.0.0.0:8079\"",
            "bind = \"127.0.0.1:0\"\npublic_url = \"https://sheets.example.org\"",
        );
        config = config.replace("metrics_bind = \"0.0.0.0:9090\"", "metrics_bind = \"127.0.0.1:0\"");
        config +=
            &format!("\n[tracing]\notlp_endpoint = \"{}\"\ntrace_sample_ratio = \"0.05\"\n", collector.grpc);
        config = config.replace("drain_delay_ms = 10000", "drain_delay_ms = 0");
        let secrets = root.join("spreadsheet-mcp");
        for (name, text) in [
            ("database-password", "replace-me\n"),
            ("backup-recipients", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n"),
        ] {
            private(&secrets.join(name), text);
        }
        let path = root.join("server.toml");
        fs::write(&path, config).expect("written");
        place.write_workbook("book.xlsx");
        let deployed = Deployed { key: root.join("key"), config: path, place, _collector: collector };
        let key =
            deployed.program(&["keys", "create", "gate", "--role", "admin", "--config", deployed.config()]);
        private(&deployed.key, &String::from_utf8(key.stdout).expect("a key"));
        deployed.program(&["migrate", "--config", deployed.config()]);
        deployed
    }

    pub(crate) fn config(&self) -> &str {
        self.config.to_str().expect("a path")
    }

    /// Runs the program, which has to succeed.
    pub(crate) fn program(&self, arguments: &[&str]) -> Output {
        let ran = self.place.program().args(arguments).output().expect("it runs");
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        ran
    }

    /// A server, with variables of its own, and where it tells metrics.
    pub(crate) fn serve(&self, environment: &BTreeMap<String, String>) -> Server {
        let server =
            Server::start(self.place.program().args(["serve", "--config", self.config()]).envs(environment));
        let client = server.client();
        components::eventually("it does not start", || {
            (client.get("/health/startup").0 == 200).then_some(())
        });
        server
    }
}

fn private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("set");
}

/// How the gate looks at a server.
pub(crate) fn looking(deployed: &Deployed, tree: &Tree, server: &Server) -> Command {
    looking_at(deployed, tree, &server.client().address, &server.metrics().address)
}

/// As [`looking`], at addresses.
fn looking_at(deployed: &Deployed, tree: &Tree, address: &str, metrics: &str) -> Command {
    let mut command = deployed.place.program();
    command
        .args(["checklist", "run", "--config", deployed.config(), "--checklist"])
        .arg(tree.repository().join("checklist/production.yaml"))
        .args(["--target", &format!("http://{address}")])
        .args(["--metrics-target", &format!("http://{metrics}"), "--api-key-file"])
        .arg(&deployed.key)
        .arg("--evidence")
        .arg(tree.evidence());
    command
}

/// The boxes that are red, as a run tells them.
fn red(deployed: &Deployed, tree: &Tree, fault: Option<&Fault>) -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> = BTreeMap::new();
    if let Some(server) = fault.and_then(|fault| fault.server.as_ref()) {
        for (key, value) in &server.options {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let text = match value.as_array() {
                Some(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
                None => text(value),
            };
            environment.insert(variable(key), text);
        }
    }
    let server = deployed.serve(&environment);
    let (mut address, mut metrics) = (server.client().address, server.metrics().address);
    if let Some(answer) = fault.and_then(|fault| fault.answer.as_ref()) {
        let reached = if answer.endpoint == "metrics" { &mut metrics } else { &mut address };
        *reached = between::answering(reached, answer);
    }
    let mut command = looking_at(deployed, tree, &address, &metrics);
    command
        .args([
            "--profile",
            "complete",
            "--kind",
            "builtin",
            "--kind",
            "http",
            "--no-ledger",
            "--format",
            "json",
        ])
        .args(["--author", "test", "--timeout", "60s"])
        .envs(&environment);
    if let Some(fault) = fault {
        command.envs(&fault.environment);
        if let Some(missing) = &fault.path {
            command.env("PATH", without(&missing.without));
        }
        for (name, value) in &fault.facts {
            command.args(["--set", &format!("{name}={value}")]);
        }
    }
    let ran = command.output().expect("it runs");
    drop(server);
    let report: Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&ran.stderr)));
    report["boxes"]
        .as_array()
        .expect("boxes")
        .iter()
        .filter(|found| matches!(found["kind"].as_str(), Some("builtin" | "http")))
        .filter(|found| matches!(found["status"].as_str(), Some("fail" | "warn" | "error")))
        .map(|found| {
            let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
            (text("id"), format!("{}: {}", text("status"), text("summary")))
        })
        .collect()
}

/// The variable of an option.
fn variable(key: &str) -> String {
    match key {
        "log" => "RUST_LOG".to_owned(),
        key => format!("SPREADSHEET_MCP_{}", key.to_uppercase()),
    }
}

/// PATH as it is, but for one program: folders of links to all others.
fn without(program: &str) -> std::ffi::OsString {
    let kept = std::env::temp_dir().join(format!("without-{program}-{}", std::process::id()));
    fs::create_dir_all(&kept).expect("a folder");
    for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name() != program {
                let _there_already = std::os::unix::fs::symlink(entry.path(), kept.join(entry.file_name()));
            }
        }
    }
    kept.into()
}

/// What is not proven of faults of a server.
pub(crate) fn prove(faults: &[Fault]) -> Vec<String> {
    let (deployed, tree) = (Deployed::new(), Tree::new());
    let before = red(&deployed, &tree, None);
    let mut problems = Vec::new();
    for fault in faults {
        let broken = crate::proofs::break_files(&tree, fault);
        problems.extend(unproven(fault, &before, &red(&deployed, &tree, Some(fault))));
        drop(broken);
    }
    assert_eq!(before, red(&deployed, &tree, None), "without faults all is as before");
    problems
}
