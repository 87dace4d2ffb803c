//! Checks that meet programs and servers which do not behave: they are bounded, and what is kept of them holds no secret.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use checklist::{
    context::{Context, NoProbes},
    record::{Found, RunRecord, Subject},
    run::{self, Order},
    spec::Loaded,
    status::Status,
};

const KEY: &str = "smcp_secret_of_the_run";

/// What a check comes to.
fn found(check: &str, endpoint: Option<&str>) -> Found {
    let _there_already = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spec.yaml");
    let spec = format!(
        "format: 1\ntitle: t\nservice: s\nroles: {{r: {{title: R}}}}\nprofiles: {{p: {{about: a}}}}\nsections:\n  - id: a\n    title: A\n    owner: r\n    items:\n      - {{id: a.b, title: b, remedy: r, check: {check}}}\n"
    );
    fs::write(&path, spec).unwrap();
    let loaded = Loaded::read(&path).unwrap_or_else(|error| panic!("{error}"));
    let context = Context {
        repository: folder.path().to_owned(),
        evidence: folder.path().to_owned(),
        endpoints: endpoint.map(|url| ("mcp".to_owned(), url.parse().unwrap())).into_iter().collect(),
        prometheus: None,
        authorization: Some(format!("Bearer {KEY}")),
        program: None,
        facts: BTreeMap::new(),
        timeout: Duration::from_secs(2),
        client: reqwest::blocking::Client::new(),
        probes: &NoProbes,
    };
    let subject = Subject {
        checklist: loaded.digest,
        profile: "p".into(),
        environment: "e".into(),
        program: None,
        image: None,
        configuration: None,
        facts: BTreeMap::new(),
    };
    let order = Order {
        checklist: &loaded,
        subject,
        configuration: None,
        author: "a".into(),
        only: Vec::new(),
        kinds: Vec::new(),
        parallel: 1,
    };
    let record: RunRecord = run::run(order, &context, &|_| ());
    record.findings[0].clone()
}

/// A server that answers each request with its head, and then as long as `more` gives something.
fn serve(more: fn(&str) -> Option<Vec<u8>>, is_endless: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut head = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while reader.read_line(&mut head).unwrap_or(0) > 2 {}
            let mut stream = stream;
            let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            while let Some(bytes) = more(&head) {
                if stream.write_all(&bytes).is_err() || !is_endless {
                    break;
                }
            }
        }
    });
    url
}

#[test]
fn a_program_that_leaves_others_behind_is_waited_for_no_longer_than_it_may_take() {
    let begun = Instant::now();
    let found = found("{command: {run: [sh, -c, 'setsid sleep 30 & echo hi']}}", None);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(found.status, Status::Error, "{found:?}");
    assert!(found.summary.contains("did not end within 2s"), "{found:?}");
}

#[test]
fn an_answer_without_an_end_is_not_read_to_it() {
    let url = serve(|_| Some(vec![b'x'; 1 << 20]), true);
    let found = found("{http: {endpoint: mcp, path: /}}", Some(&url));
    assert_eq!(found.status, Status::Error, "{}", found.summary);
    assert!(found.summary.contains("which are not read"), "{}", found.summary);
}

#[test]
fn the_credentials_of_the_run_are_kept_nowhere() {
    let url = serve(|head| Some(head.as_bytes().to_vec()), false);
    let echoed = found("{http: {endpoint: mcp, path: /, authenticated: true, holds: [nothing]}}", Some(&url));
    let kept = format!("{echoed:?}");
    assert!(kept.contains("[redacted]") && !kept.contains(KEY), "{kept}");
    let printed = found(&format!("{{command: {{run: [sh, -c, 'printf \"{KEY}\\033[31m\"']}}}}"), None);
    let kept = format!("{:?}", printed.evidence);
    assert!(!kept.contains('\u{1b}') && kept.contains("[redacted]"), "{kept}");
}
