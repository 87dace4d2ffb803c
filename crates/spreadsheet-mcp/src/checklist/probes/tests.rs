//! Probes as a run asks them.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    time::Duration,
};

use checklist::context::{Conclusion, Context, Finding, NoProbes, Probes as _};
use serde_json::{Value, json};
use server::config::layers::Sources;

use super::ServiceProbes;

/// A run over the source tree, of a configuration by variables.
struct Run {
    sources: Sources,
    endpoints: BTreeMap<String, reqwest::Url>,
    authorization: Option<String>,
}

impl Run {
    fn new(variables: &[(&str, &str)]) -> Run {
        let variable =
            |(name, value): &(&str, &str)| (format!("SPREADSHEET_MCP_{name}"), OsString::from(value));
        let environment = variables.iter().map(variable).collect();
        Run {
            sources: Sources { environment, ..Sources::default() },
            endpoints: BTreeMap::new(),
            authorization: None,
        }
    }

    fn at(mut self, endpoint: &str, url: &str) -> Run {
        self.endpoints.insert(endpoint.to_owned(), url.parse().expect("a URL"));
        self
    }

    fn ask(&self, probe: &str, with: &Value) -> Finding {
        server::outbound::install_crypto();
        let context = Context {
            repository: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")),
            evidence: PathBuf::new(),
            endpoints: self.endpoints.clone(),
            prometheus: None,
            authorization: self.authorization.clone(),
            program: None,
            facts: BTreeMap::new(),
            timeout: Duration::from_secs(20),
            client: reqwest::blocking::Client::builder().tls_certs_only([]).build().expect("a client"),
            probes: &NoProbes,
        };
        let with = with.as_object().expect("an object").clone().into_iter().collect();
        ServiceProbes::new(&self.sources).probe(probe, &with, &context)
    }

    #[track_caller]
    fn check(&self, probe: &str, with: &Value, conclusion: Conclusion, summary: &str) {
        let finding = self.ask(probe, with);
        assert_eq!((finding.conclusion, finding.summary.as_str()), (conclusion, summary));
    }
}

/// A server that gives these answers, one to each request, and what it was asked.
fn answering(answers: Vec<String>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let asked =
        std::thread::spawn(move || answers.iter().map(|answer| answer_one(&listener, answer)).collect());
    (url, asked)
}

fn answer_one(listener: &TcpListener, answer: &str) -> String {
    let (stream, _) = listener.accept().expect("a connection");
    let mut reader = BufReader::new(&stream);
    let mut asked = String::new();
    while !asked.ends_with("\r\n\r\n") {
        reader.read_line(&mut asked).expect("a line");
    }
    let header = |line: &str| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok();
    let length: u64 = asked.lines().find_map(header).unwrap_or_default();
    reader.by_ref().take(length).read_to_string(&mut asked).expect("the body");
    (&stream).write_all(answer.as_bytes()).expect("answered");
    asked
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

#[test]
fn what_a_probe_does_not_take_is_said() {
    let run = Run::new(&[]);
    for (probe, with, said) in [
        ("nothing", json!({}), "there is no probe nothing: there are configuration, "),
        ("metric", json!({ "nam": "up" }), "the probe metric takes name, labels, at-least and at-most: "),
        ("workspace", json!({ "a": 1 }), "the probe workspace takes no keys: "),
        ("writable", json!({ "what": "all" }), "the probe writable takes what: state, "),
        ("certificate", json!({ "at-least": "soon" }), "the probe certificate takes at-least, "),
        ("configuration", json!({ "rules": [] }), "the probe configuration takes rules: there is none"),
    ] {
        let finding = run.ask(probe, &with);
        assert_eq!(finding.conclusion, Conclusion::Error, "{probe}: {}", finding.summary);
        assert!(finding.summary.starts_with(said), "{}", finding.summary);
    }
}

#[test]
fn rules_are_held_against_what_is_in_force() {
    let run = Run::new(&[("CACHE_CAPACITY", "70")]);
    let rules = |most: u64| json!({ "rules": [{ "at": "/cache/cache_capacity", "at-most": most }] });
    run.check(
        "configuration",
        &rules(100),
        Conclusion::Pass,
        "the configuration is right at /cache/cache_capacity",
    );
    run.check(
        "configuration",
        &rules(50),
        Conclusion::Fail,
        "the configuration: /cache/cache_capacity: it is 70, and has to be at most 50",
    );
    let not_given = json!({ "rules": [{ "at": "/tls/tls_cert", "absent": true }] });
    assert_eq!(run.ask("configuration", &not_given).conclusion, Conclusion::Pass);
}

#[test]
fn each_problem_is_told_by_the_probe_that_is_about_it() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().to_str().expect("text");
    let nothing = json!({});
    let right = Run::new(&[("WORKSPACE", folder)]);
    for probe in ["configuration-valid", "unknown-variables", "workspace"] {
        let finding = right.ask(probe, &nothing);
        assert_eq!(finding.conclusion, Conclusion::Pass, "{probe}: {}", finding.summary);
    }
    let wrong = [
        ("configuration-valid", ("MAX_ITEMS", "many")),
        ("configuration-valid", ("TRACE_SAMPLE_RATIO", "7")),
        ("unknown-variables", ("MAX_ITEM", "1")),
        ("secrets-in-files", ("API_KEY", "hush")),
        ("workspace", ("WORKSPACE", "/nowhere")),
    ];
    for (about, (name, value)) in wrong {
        let run = Run::new(&[("WORKSPACE", folder), (name, value)]);
        for probe in ["configuration-valid", "unknown-variables", "secrets-in-files", "workspace"] {
            let finding = run.ask(probe, &nothing);
            let wanted = if probe == about { Conclusion::Fail } else { Conclusion::Pass };
            assert_eq!(finding.conclusion, wanted, "{name}: {probe}: {}", finding.summary);
            assert!(!format!("{finding:?}").contains("hush"), "{finding:?}");
        }
    }
    assert_eq!(Run::new(&[]).ask("workspace", &nothing).conclusion, Conclusion::Fail);
}

#[test]
fn the_reference_names_every_option() {
    let finding = Run::new(&[]).ask("options-documented", &json!({}));
    assert_eq!(finding.conclusion, Conclusion::Pass, "{}", finding.summary);
}

#[test]
fn files_of_secrets_are_closed_to_others() {
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("identity");
    fs::write(&file, "secret").expect("written");
    let path = file.to_str().expect("text");
    let run = Run::new(&[("BACKUP_IDENTITY_FILE", path), ("STATE_DIR", "/nowhere")]);
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("set");
    mode(0o440);
    run.check("private-files", &json!({}), Conclusion::Pass, "the files of secrets are closed to others");
    mode(0o644);
    run.check(
        "private-files",
        &json!({}),
        Conclusion::Fail,
        "everybody may read the file of backup_identity_file (644): only its user and group may read it, and only its user \
         write it: chmod 600",
    );
    let none = Run::new(&[("STATE_DIR", "/nowhere")]);
    assert_eq!(none.ask("private-files", &json!({})).conclusion, Conclusion::NotApplicable);
}

#[test]
fn what_is_kept_can_be_written() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().to_str().expect("text");
    let run = Run::new(&[("STATE_DIR", folder), ("SCREENSHOTS_DIR", "/proc/pictures")]);
    for (what, conclusion) in [
        ("state", Conclusion::Pass),
        ("temporary", Conclusion::Pass),
        ("screenshots", Conclusion::Fail),
        ("backups", Conclusion::Fail),
    ] {
        let finding = run.ask("writable", &json!({ "what": what }));
        assert_eq!(finding.conclusion, conclusion, "{what}: {}", finding.summary);
    }
}

#[test]
fn servers_that_the_run_does_not_know_are_not_asked() {
    let run = Run::new(&[]);
    for (probe, with) in [
        ("metric", json!({ "name": "up" })),
        ("cardinality", json!({ "at-most": 1 })),
        ("mcp-refused", json!({})),
        ("mcp-call", json!({ "tool": "list_workbooks" })),
    ] {
        assert_eq!(run.ask(probe, &with).conclusion, Conclusion::NotRun, "{probe}");
    }
    assert_eq!(run.ask("certificate", &json!({})).conclusion, Conclusion::NotApplicable);
}

#[test]
fn a_page_of_metrics_is_read() {
    let (url, _) = answering(vec![answer("200 OK", "", "up 1\n")]);
    let run = Run::new(&[]).at("metrics", &url);
    run.check("metric", &json!({ "name": "up", "at-least": 1 }), Conclusion::Pass, "up is 1");
    let (url, _) = answering(vec![answer("503 Service Unavailable", "", "")]);
    Run::new(&[]).at("metrics", &url).check(
        "cardinality",
        &json!({ "at-most": 10 }),
        Conclusion::Fail,
        "GET /metrics of metrics answers 503 Service Unavailable, and has to answer 200",
    );
}

#[test]
fn tools_are_called_as_clients_do() {
    const JSON: &str = "Content-Type: application/json\r\nMcp-Session-Id: s1\r\n";
    const EVENTS: &str = "Content-Type: text/event-stream\r\n";
    let hello = json!({ "jsonrpc": "2.0", "id": 0, "result": { "protocolVersion": "2025-06-18" } });
    let told = json!({ "jsonrpc": "2.0", "id": 1, "result": { "structuredContent": { "total": 3 } } });
    let answers = vec![
        answer("200 OK", JSON, &hello.to_string()),
        answer("202 Accepted", "", ""),
        answer("200 OK", EVENTS, &format!("data: {told}\n\n")),
    ];
    let (url, asked) = answering(answers);
    let mut run = Run::new(&[]).at("mcp", &url);
    run.authorization = Some("Bearer hush".to_owned());
    let with = json!({ "tool": "list_workbooks", "rules": [{ "at": "/total", "at-least": 1 }] });
    run.check("mcp-call", &with, Conclusion::Pass, "list_workbooks answers as it has to");
    let asked = asked.join().expect("asked");
    assert!(asked.iter().all(|request| request.starts_with("POST /mcp ")));
    assert!(asked.iter().all(|request| request.contains("authorization: Bearer hush")));
    assert!(asked[2].contains("mcp-session-id: s1") && asked[2].contains("mcp-protocol-version: 2025-06-18"));
}

#[test]
fn who_says_nothing_of_itself_is_refused() {
    let challenge = "WWW-Authenticate: Bearer\r\n";
    for (told, conclusion) in [
        (answer("401 Unauthorized", challenge, ""), Conclusion::Pass),
        (answer("401 Unauthorized", "", ""), Conclusion::Fail),
        (answer("200 OK", challenge, ""), Conclusion::Fail),
    ] {
        let (url, asked) = answering(vec![told]);
        let mut run = Run::new(&[]).at("mcp", &url);
        run.authorization = Some("Bearer hush".to_owned());
        assert_eq!(run.ask("mcp-refused", &json!({})).conclusion, conclusion);
        assert!(!asked.join().expect("asked")[0].contains("hush"));
    }
}

#[test]
fn libreoffice_computes_and_runs_no_macro() {
    if office::OfficeOptions::new("").has_soffice() {
        let run = Run::new(&[]);
        for what in ["installed", "program", "version", "headless", "macros"] {
            let finding = run.ask("libreoffice", &json!({ "what": what }));
            assert_eq!(finding.conclusion, Conclusion::Pass, "{what}: {}", finding.summary);
        }
    } else {
        eprintln!("SKIPPED: LibreOffice is not installed");
    }
    let nowhere = Run::new(&[("SOFFICE", "/nowhere/soffice")]);
    nowhere.check(
        "libreoffice",
        &json!({ "what": "program" }),
        Conclusion::Fail,
        "/nowhere/soffice is no program, which the option soffice names as LibreOffice's",
    );
}
