//! The drill: what alerts are about is caused in real servers, a real Prometheus sees it, Alertmanager wakes somebody, the commands of
//! the runbook are run, what is wrong is set right, and it is over.

mod deployed;
mod pager;
mod watch;

use std::{
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use components::{S3, eventually, free_port, http};
use serde_json::json;

use crate::{
    authority::{Authority, DAY, Identity},
    dashboards,
    own_disk::{disk, on_small_disk},
    program::{Client, Place, Server, fork_of, set},
    rules::alerts,
};
use deployed::Deployed;
use watch::{WINDOW, Watch};

/// A server whose metrics have an address that outlives it, with a configuration that can be changed while it runs.
struct Patient {
    place: Place,
    config: PathBuf,
    metrics: String,
    flags: Vec<String>,
}

impl Patient {
    fn new(place: Place) -> Patient {
        let config = place.workspace.with_file_name("server.toml");
        std::fs::write(&config, "").expect("written");
        Patient::of(place, config)
    }

    /// With a configuration that is there.
    fn of(place: Place, config: PathBuf) -> Patient {
        let metrics = format!("127.0.0.1:{}", free_port());
        Patient { place, config, metrics, flags: Vec::new() }
    }

    /// The same, with a flag that names a file beside its configuration, and what that says.
    fn with_file(mut self, flag: &str, name: &str, text: &str) -> Patient {
        let path = self.config.with_file_name(name);
        std::fs::write(&path, text).expect("written");
        self.flags.extend([flag.to_owned(), path.display().to_string()]);
        self
    }

    /// The same, with its blobs in a bucket.
    fn with_bucket(self, s3: &S3) -> Patient {
        let settings: String =
            s3.settings().into_iter().map(|(name, value)| format!("{name} = \"{value}\"\n")).collect();
        let mut patient = self.with_file("--object-store-file", "store.toml", &settings);
        let blobs = ["--blob-url", &s3.url(), "--object-store-timeout-ms", "1000"];
        patient.flags.extend(blobs.map(str::to_owned));
        patient
    }

    fn start(&self) -> Server {
        let mut flags =
            vec!["--metrics-bind", &self.metrics, "--config", self.config.to_str().expect("a path")];
        flags.extend(self.flags.iter().map(String::as_str));
        self.place.serve(&flags)
    }

    /// Changes the configuration of a server that runs.
    fn reconfigure(&self, server: &Server, text: &str) {
        std::fs::write(&self.config, text).expect("written");
        let id = server.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().expect("kill").success());
    }
}

/// Calls tools of every kind, so that there is something to see.
fn use_it(client: &Client) {
    let call = |tool: &str, arguments| {
        client.call(tool, &arguments).unwrap_or_else(|error| panic!("{tool}: {error}"))
    };
    for _ in 0..2 {
        call("list_workbooks", json!({}));
        call("read_range", json!({ "workbook": "books.xlsx", "ranges": ["Data!A1:C20"] }));
        call("find", json!({ "workbook": "books.xlsx", "text": "item 7" }));
    }
    let fork = fork_of(client.call("create_fork", &json!({ "workbook": "books.xlsx" })));
    call("edit_cells", set(&fork, "Data!J1", "=SUM(C1:C9)"));
    call("recalculate", json!({ "workbook": fork }));
    client
        .call("read_range", &json!({ "workbook": "nowhere.xlsx", "ranges": ["A1"] }))
        .expect_err("there is none");
}

/// Has several callers call until they are told to stop.
fn flood<'a>(
    scope: &'a std::thread::Scope<'a, '_>,
    callers: usize,
    client: &'a Client,
    fork: &'a str,
    stop: &'a AtomicBool,
) {
    for _ in 0..callers {
        scope.spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let _refused = client.call("recalculate", &json!({ "workbook": fork }));
                std::thread::sleep(Duration::from_millis(100));
            }
        });
    }
}

fn every_query_of_dashboards_has_an_answer(watch: &Watch, place: &Place, client: &Client) {
    place.write_long_workbook("books.xlsx", 200);
    let mut asked = 0;
    for panel in dashboards::NAMES.into_iter().flat_map(dashboards::panels) {
        for query in panel["queries"].as_array().expect("queries") {
            let query = query["expr"].as_str().expect("a query").replace("$job", "spreadsheet-mcp");
            let query = query.replace("$instance", ".+").replace("[$__rate_interval]", WINDOW);
            eventually(&format!("{}: nothing for {query}", panel["title"]), || {
                use_it(client);
                (!watch.asked(&query).is_empty()).then_some(())
            });
            asked += 1;
        }
    }
    println!("{asked} queries of dashboards have answers");
}

#[test]
fn what_goes_wrong_is_seen_told_and_set_right() {
    let (Some(mut s3), Some(mut deployed)) = (S3::start(), Deployed::new()) else { return };
    let busy = Patient::new(Place::new()).with_bucket(&s3);
    let (small, sealed) = (Small::new(), Sealed::new());
    let targets =
        [&busy, &small.0, &sealed.patient, &deployed.patient].map(|patient| patient.metrics.clone());
    let Some(watch) = Watch::over(&targets) else { return };
    let (server, sealed_server, small_server) = (busy.start(), sealed.patient.start(), small.0.start());
    let deployed_server = deployed.patient.start();
    let client = server.client();
    every_query_of_dashboards_has_an_answer(&watch, &busy.place, &client);
    too_much_is_asked(&watch, &busy, &server);
    a_bucket_goes_away(&watch, &busy, &client, &mut s3);
    small.goes_through_it(&watch, small_server);
    sealed.goes_through_it(&watch);
    drop(sealed_server);
    deployed.goes_through_it(&watch, &deployed_server);
    for alert in alerts() {
        watch.follow(&alert.name, "## First commands", &client.address, &busy.metrics);
    }
}

/// Calls that take too long, then more calls than there is room for; the limit is raised, and they end.
fn too_much_is_asked(watch: &Watch, busy: &Patient, server: &Server) {
    busy.place.write_slow_workbook("slow.xlsx");
    let client = server.client();
    let fork = fork_of(client.call("create_fork", &json!({ "workbook": "slow.xlsx" })));
    let limits = "[limits]\ntool_timeout_ms = 1500\nmax_concurrent_calls = 1\n";
    busy.reconfigure(server, limits);
    let (few, many) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut pages = Vec::new();
    std::thread::scope(|scope| {
        flood(scope, 2, &client, &fork, &few);
        for alert in
            ["SpreadsheetMcpHighErrorRate", "SpreadsheetMcpHighLatency", "SpreadsheetMcpErrorBudgetBurnsFast"]
        {
            watch.sees(alert);
            pages.push((alert, watch.pages(alert)));
        }
        let told =
            watch.follow("SpreadsheetMcpHighErrorRate", "## First commands", &client.address, &busy.metrics);
        assert!(
            told[0].contains("status=\"timeout\"") && told[0].contains("tool=\"recalculate\""),
            "{told:?}"
        );
        flood(scope, 12, &client, &fork, &many);
        watch.sees("SpreadsheetMcpCallsRefused");
        watch.tells_the_team("SpreadsheetMcpCallsRefused", "firing");
        let told =
            watch.follow("SpreadsheetMcpCallsRefused", "## First commands", &client.address, &busy.metrics);
        assert!(told[0].contains("queue_full"), "{told:?}");
        few.store(true, Ordering::Relaxed);
        many.store(true, Ordering::Relaxed);
    });
    busy.reconfigure(server, "[limits]\ntool_timeout_ms = 30000\n");
    for (alert, page) in pages {
        watch.sees_the_end_of(alert, &client.address, &busy.metrics);
        watch.takes_back(&page);
    }
    watch.sees_the_end_of("SpreadsheetMcpCallsRefused", &client.address, &busy.metrics);
}

/// The bucket of blobs does not answer, and does again.
fn a_bucket_goes_away(watch: &Watch, busy: &Patient, client: &Client, s3: &mut S3) {
    let alert = "SpreadsheetMcpBucketAway";
    s3.stop();
    watch.sees(alert);
    let page = watch.pages(alert);
    let told = watch.follow(alert, "## First commands", &client.address, &busy.metrics);
    assert!(told[0].contains("outcome=\"unavailable\""), "{told:?}");
    s3.resume();
    watch.sees_the_end_of(alert, &client.address, &busy.metrics);
    watch.takes_back(&page);
}

/// A server that may hold little memory, and lets nobody in.
struct Small(Patient);

impl Small {
    fn new() -> Small {
        let patient = Patient::new(Place::new()).with_file("--keys-file", "keys.toml", "version = 1\n");
        std::fs::write(&patient.config, "[limits]\nmax_memory_bytes = 20000000\n").expect("written");
        Small(patient)
    }

    fn goes_through_it(&self, watch: &Watch, server: Server) {
        let (patient, alert) = (&self.0, "SpreadsheetMcpMemoryPressure");
        let address = server.client().address;
        watch.sees(alert);
        watch.tells_the_team(alert, "firing");
        watch.follow(alert, "## First commands", &address, &patient.metrics);
        patient.reconfigure(&server, "[limits]\nmax_memory_bytes = 2000000000\n");
        watch.sees_the_end_of(alert, &address, &patient.metrics);
        watch.tells_the_team(alert, "resolved");

        let (alert, guessed) = ("SpreadsheetMcpCallersNotLetIn", AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !guessed.load(Ordering::Relaxed) {
                    let headers = "Authorization: Bearer guessed\r\nContent-Type: application/json\r\n";
                    assert_eq!(http("POST", &address, "/mcp", headers, "{}").0, 401);
                    std::thread::sleep(Duration::from_millis(200));
                }
            });
            watch.sees(alert);
            watch.tells_the_team(alert, "firing");
            let told = watch.follow(alert, "## First commands", &address, &patient.metrics);
            assert!(told[0].contains("malformed"), "{told:?}");
            guessed.store(true, Ordering::Relaxed);
        });
        watch.sees_the_end_of(alert, &address, &patient.metrics);

        let alert = "SpreadsheetMcpDown";
        server.kill();
        watch.sees(alert);
        let page = watch.pages(alert);
        watch.follow(alert, "## First commands", &address, &patient.metrics);
        let server = patient.start();
        watch.sees_the_end_of(alert, &server.client().address, &patient.metrics);
        watch.takes_back(&page);
    }
}

/// A server whose certificate ends soon.
struct Sealed {
    patient: Patient,
    authority: Authority,
    soon: Identity,
}

impl Sealed {
    fn new() -> Sealed {
        let authority = Authority::new("Drill");
        let soon = authority.issue(10 * DAY);
        let mut patient = Patient::new(Place::new())
            .with_file("--tls-cert", "tls.crt", &soon.cert)
            .with_file("--tls-key", "tls.key", &soon.key);
        patient.flags.extend(["--tls-metrics", "off"].map(str::to_owned));
        Sealed { patient, authority, soon }
    }

    /// Replaces certificate and key.
    fn put(&self, cert: &Identity, key: &Identity) {
        for (name, text) in [("tls.crt", &cert.cert), ("tls.key", &key.key)] {
            let path = self.patient.config.with_file_name(name);
            let beside = path.with_extension("new");
            std::fs::write(&beside, text).expect("written");
            std::fs::rename(&beside, &path).expect("replaced");
        }
    }

    fn goes_through_it(&self, watch: &Watch) {
        let late = self.authority.issue(90 * DAY);
        let metrics = &self.patient.metrics;
        let (expires, refused) = ("SpreadsheetMcpCertificateExpires", "SpreadsheetMcpCertificateNotTaken");
        watch.sees(expires);
        watch.tells_the_team(expires, "firing");
        self.put(&late, &self.soon);
        watch.sees(refused);
        watch.tells_the_team(refused, "firing");
        for alert in [expires, refused] {
            watch.follow(alert, "## First commands", metrics, metrics);
        }
        self.put(&late, &late);
        for alert in [expires, refused] {
            watch.sees_the_end_of(alert, metrics, metrics);
            watch.tells_the_team(alert, "resolved");
        }
    }
}

#[test]
fn a_full_disk_is_seen_told_and_set_right() {
    on_small_disk("drill::full_disk", "32m");
}

/// The process on the small disk. Without one it does nothing.
#[test]
fn full_disk() {
    let Some(disk) = disk() else { return };
    let patient = Patient::new(Place::below(&disk));
    std::fs::write(&patient.config, "[health]\nmin_free_bytes = 0\n").expect("written");
    let Some(watch) = Watch::over(std::slice::from_ref(&patient.metrics)) else { return };
    let server = patient.start();
    let (alert, ballast) = ("SpreadsheetMcpDiskSpaceLow", disk.join("ballast"));
    std::fs::write(&ballast, vec![1; 30 << 20]).expect("written");
    watch.sees(alert);
    let page = watch.pages(alert);
    watch.follow(alert, "## First commands", &server.client().address, &patient.metrics);
    std::fs::remove_file(&ballast).expect("removed");
    watch.sees_the_end_of(alert, &server.client().address, &patient.metrics);
    watch.takes_back(&page);
}
