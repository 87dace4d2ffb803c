//! Each report, over a checklist of a few boxes with a box of every status.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeMap, path::PathBuf};

use checklist::{
    assessment::{Assessment, assess},
    digest::Digest,
    keys::{Keyring, PrivateKey, TrustedKey},
    ledger::{Act, Attestation, Entry, Head, SignOff, Waiver},
    record::{Found, RunRecord, Subject},
    report::{Format, html, render},
    spec::{ItemId, Loaded},
    status::Status,
    verdict::{Judgement, Ruling, judge},
};
use chrono::{DateTime, TimeDelta, Utc};
use expect_test::{ExpectFile, expect_file};
use pulldown_cmark::{Event, Options, Parser};
use quick_junit::{NonSuccessKind, Report, TestCaseStatus};
use serde_json::Value;

/// The example of RFC 8410, section 10.3.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

const SPEC: &str = r#"
format: 1
title: Deployment of orders
service: orders
roles:
  security: {title: Security Team, signs: true}
  owner: {title: Product Owner, signs: true}
profiles:
  production: {about: What is sold}
facts:
  rollout: {about: How it is rolled out, default: rolling}
sections:
  - id: net
    title: Network & names
    owner: security
    items:
      - id: net.tls
        title: TLS
        items:
          - {id: net.tls.on, title: "`TLS` is on", remedy: "Set `tls.on`, then start it again; the guide tells how certificates are made, kept and renewed.", severity: critical, check: {builtin: {probe: tls}}}
          - {id: net.tls.young, title: Certificates are young, remedy: Renew them., check: {builtin: {probe: age}}}
      - {id: net.names, title: Names resolve, remedy: Ask the name server., check: {builtin: {probe: names}}}
      - {id: net.ports, title: Only ports that it needs, remedy: Close them., check: {builtin: {probe: ports}}}
  - id: care
    title: Care
    owner: owner
    items:
      - {id: care.backup, title: A backup was restored, check: {attestation: {statement: It was restored}}}
      - {id: care.drill, title: The rollback was practised, check: {attestation: {statement: It was practised}}}
      - {id: care.on-call, title: Somebody is on call, check: {attestation: {statement: Somebody is}}}
      - {id: care.canary, title: The canary sings, remedy: Feed it., when: [rollout=canary], check: {builtin: {probe: canary}}}
      - {id: care.docs, title: The documents are young, remedy: Read them again., severity: minor, check: {builtin: {probe: docs}}}
      - {id: care.load, title: It was tested under load, remedy: Test it., check: {builtin: {probe: load}}}
  - id: sign
    title: Sign-offs
    owner: owner
    items:
      - {id: sign.security, title: "Signed off by: ______ Date: ____", check: {sign-off: {role: security}}}
      - {id: sign.owner, title: "Signed off by: ______ Date: ____", check: {sign-off: {role: owner}}}
"#;

const DOCUMENT: &str = "\
# Deployment of orders

Words that come before.

## 1. Network & names

- [ ] **TLS**
  - [ ] `TLS` is on
  - [ ] Certificates are young

- [ ] Names resolve
- [ ] **Only ports that it needs**

```bash
- [ ] no box
```

## Care

1. **First**
   - [ ] A backup was restored
   - [ ] The rollback was practised
   - [ ] Somebody is on call
- [ ] The canary sings
- [ ] The documents are young
- [ ] It was tested under load

| a | table |
|---|-------|

- [ ] Signed off by: ______ Date: ____
- [ ] Signed off by: ______ Date: ____

The end.
";

struct Known {
    checklist: Loaded,
    assessment: Assessment,
    judgement: Judgement,
}

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_323_200, 0).unwrap() + TimeDelta::hours(hour)
}

fn id(text: &str) -> ItemId {
    ItemId::try_from(text.to_owned()).unwrap()
}

fn checklist(document: Option<&str>) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.yaml");
    let mut text = SPEC.to_owned();
    if let Some(document) = document {
        std::fs::write(folder.path().join("orders list.md"), document).unwrap();
        text.push_str("document: orders list.md\n");
    }
    std::fs::write(&path, text).unwrap();
    // The name of the folder is another each time.
    Loaded { path: PathBuf::from("checklist/orders.yaml"), ..Loaded::read(&path).unwrap() }
}

fn subject(checklist: &Loaded) -> Subject {
    Subject {
        checklist: checklist.digest,
        profile: "production".to_owned(),
        environment: "eu".to_owned(),
        program: Some(Digest::of(b"program")),
        image: Some(Digest::of(b"image")),
        configuration: Some(Digest::of(b"configuration")),
        facts: BTreeMap::from([("rollout".to_owned(), "rolling".to_owned())]),
    }
}

fn found(name: &str, status: Status, summary: &str, evidence: &[&str], hour: i64) -> Found {
    Found {
        id: id(name),
        status,
        summary: summary.to_owned(),
        evidence: evidence.iter().map(|line| (*line).to_owned()).collect(),
        at: at(hour),
        took_ms: 12,
    }
}

/// Everything that can be: texts that mean something to formats, and every status.
fn everything() -> Vec<Found> {
    let hostile = "<script>alert(1)</script> \u{1b}[31mred\u{7} *bold* ]]> \"quoted\" & | `code`";
    vec![
        found("net.tls.on", Status::Fail, hostile, &[hostile, "second line"], 0),
        found("net.tls.young", Status::Pass, "they are 3 days old", &["eu.pem 2026-02-26"], 0),
        found("net.names", Status::Error, "no answer within 5 s", &[], 0),
        found("net.ports", Status::Fail, "9090 is open", &["0.0.0.0:9090"], 0),
        found("care.backup", Status::Pending, "owner has not stated it yet", &[], 0),
        found("care.drill", Status::Pending, "owner has not stated it yet", &[], 0),
        found("care.on-call", Status::Pending, "owner has not stated it yet", &[], 0),
        found(
            "care.canary",
            Status::NotApplicable,
            "it is for rollout=canary, and rollout is rolling",
            &[],
            0,
        ),
        found("care.docs", Status::Warn, "two are older than a year", &[], 0),
        found("care.load", Status::NotRun, "the run was not given a Prometheus", &[], 0),
        found("sign.security", Status::Pending, "security has not signed yet", &[], 0),
        found("sign.owner", Status::Pending, "owner has not signed yet", &[], 0),
    ]
}

/// As [`everything`], with nothing that blocks.
fn right() -> Vec<Found> {
    let mut findings = everything();
    for found in &mut findings {
        if matches!(found.status, Status::Fail | Status::Error | Status::NotRun)
            && found.id != id("net.ports")
        {
            (found.status, found.summary) = (Status::Pass, "it is as it has to be".to_owned());
            found.evidence.clear();
        }
    }
    findings
}

fn attested(name: &str, expires: DateTime<Utc>) -> Act {
    Act::Attest(Attestation {
        id: id(name),
        environment: "eu".to_owned(),
        statement: "It was <done>".to_owned(),
        person: "Olga Owner".to_owned(),
        role: "owner".to_owned(),
        evidence: Some(Digest::of(b"minutes")),
        evidence_name: Some("minutes.pdf".to_owned()),
        expires,
    })
}

fn waived(name: &str) -> Act {
    Act::Waive(Waiver {
        id: id(name),
        environment: "eu".to_owned(),
        owner: "Sam Security".to_owned(),
        approver: "Olga Owner".to_owned(),
        risk: "somebody reads <metrics>".to_owned(),
        control: "the firewall".to_owned(),
        ticket: "OPS-7".to_owned(),
        expires: at(100),
    })
}

/// What is known an hour after the run. `signing` are the roles for which somebody signs.
fn known(document: Option<&str>, findings: Vec<Found>, acts: Vec<Act>, signing: &[&str]) -> Known {
    let checklist = checklist(document);
    let record = RunRecord {
        format: 1,
        title: checklist.spec.title.clone(),
        service: checklist.spec.service.clone(),
        subject: subject(&checklist),
        configuration: None,
        author: "ci".to_owned(),
        began: at(0),
        ended: at(0) + TimeDelta::milliseconds(5_250),
        findings,
    };
    let mut entries: Vec<Entry> = Vec::new();
    let add = |entries: &mut Vec<Entry>, act: Act| {
        let number = entries.len() as u64 + 1;
        entries.push(Entry { number, at: at(1), previous: Digest::START, act });
    };
    for act in acts {
        add(&mut entries, act);
    }
    let head = Head { entries: entries.len() as u64, digest: Digest::of(b"head") };
    let now = at(2);
    // Each role has a key of its own.
    let key =
        |role: &str| PrivateKey::parse(&KEY.replace("ctv5", &format!("ctv{}", role.len() % 10))).unwrap();
    let trusted = |role: &str| TrustedKey {
        person: format!("Sam of {role}"),
        role: role.to_owned(),
        public: key(role).public(),
        since: at(-9),
        revoked: None,
        compromised: false,
    };
    for role in signing {
        let keyring = Keyring { keys: vec![trusted(role)] };
        let before = assess(&checklist, &record, &entries, head, &keyring, now);
        let signed =
            before.to_sign(&format!("Sam of {role}"), role, at(1), std::time::Duration::from_secs(86_400));
        let signature = key(role).sign(signed.message().as_bytes());
        add(&mut entries, Act::SignOff(Box::new(SignOff { signed, key: key(role).public(), signature })));
    }
    let keyring = Keyring { keys: signing.iter().map(|role| trusted(role)).collect() };
    let assessment = assess(&checklist, &record, &entries, head, &keyring, now);
    let judgement = judge(&assessment, &subject(&checklist));
    Known { checklist, assessment, judgement }
}

/// Nothing ships, for every reason there is.
fn blocked(document: Option<&str>) -> Known {
    let mut findings = everything();
    findings[1].at = at(-30);
    let acts = vec![
        attested("care.backup", at(500)),
        attested("care.drill", at(1)),
        waived("net.ports"),
        waived("care.canary"),
    ];
    known(document, findings, acts, &["security"])
}

impl Known {
    fn render(&self, format: Format) -> String {
        let text = render(format, &self.assessment, &self.judgement, &self.checklist, false);
        let again = render(format, &self.assessment, &self.judgement, &self.checklist, false);
        assert_eq!(text, again, "the same input gives the same report");
        assert!(text.ends_with('\n'));
        let is_control = |character: char| character.is_control() && character != '\n';
        assert!(!text.contains(is_control), "no control character gets through");
        text
    }
}

fn check(known: &Known, format: Format, expected: &ExpectFile) {
    expected.assert_eq(&known.render(format));
}

#[test]
fn every_status_is_there() {
    let known = blocked(None);
    let counts = known.assessment.counts();
    let missing: Vec<&Status> = Status::ALL.iter().filter(|status| !counts.contains_key(status)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_terminal_is_told_what_blocks() {
    let known = blocked(None);
    check(&known, Format::Terminal, &expect_file!["reports/blocked.txt"]);
    for line in known.render(Format::Terminal).lines().rev().skip(1) {
        assert!(line.chars().count() <= 80, "{line:?} is wider than 80 columns");
    }
}

#[test]
fn the_json_report_is_everything_that_is_known() {
    check(&blocked(None), Format::Json, &expect_file!["reports/blocked.json"]);
}

#[test]
fn the_document_is_filled_in() {
    let known = blocked(Some(DOCUMENT));
    check(&known, Format::Markdown, &expect_file!["reports/blocked.md"]);
    check(&blocked(None), Format::Markdown, &expect_file!["reports/without_document.md"]);
}

#[test]
fn every_line_of_the_document_is_kept() {
    let report = blocked(Some(DOCUMENT)).render(Format::Markdown);
    let mut lines = report.lines();
    for kept in DOCUMENT.lines() {
        let is_kept = |line: &str| {
            let signed = "- [x] Signed off by: Sam of security Date: 2026-03-01";
            line.replacen("[x]", "[ ]", 1) == kept || (line == signed && kept.contains("Signed off"))
        };
        assert!(lines.any(is_kept), "{kept:?} is there, and after the lines before it");
    }
}

/// A checklist from which everything ships.
fn shipping() -> Known {
    let acts = ["care.backup", "care.drill", "care.on-call"].map(|name| attested(name, at(500)));
    let acts = acts.into_iter().chain([waived("net.ports")]).collect();
    known(Some(DOCUMENT), right(), acts, &["security", "owner"])
}

#[test]
fn what_ships_is_told_to_ship() {
    let known = shipping();
    assert_eq!(known.judgement, Judgement { ruling: Ruling::Ship, reasons: Vec::new() });
    check(&known, Format::Terminal, &expect_file!["reports/ships.txt"]);
    check(&known, Format::Vsa, &expect_file!["reports/ships.vsa.json"]);
    check(&blocked(None), Format::Vsa, &expect_file!["reports/blocked.vsa.json"]);
}

#[test]
fn the_junit_report_is_read_back() {
    let known = blocked(None);
    check(&known, Format::Junit, &expect_file!["reports/blocked.xml"]);
    let report = Report::deserialize_from_str(&known.render(Format::Junit)).unwrap();
    let names: Vec<&str> = report.test_suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(names, ["Network & names", "Care", "Sign-offs", "The gate"]);
    let boxes = known.assessment.boxes.iter().filter(|assessed| !assessed.is_group());
    let cases = report.test_suites.iter().flat_map(|suite| &suite.test_cases);
    for (case, assessed) in cases.clone().zip(boxes) {
        assert_eq!(case.classname.as_ref().unwrap().as_str(), assessed.id.as_str());
        let is_right = match assessed.status {
            Status::Pass | Status::Waived | Status::Warn => {
                matches!(case.status, TestCaseStatus::Success { .. })
            }
            Status::Pending | Status::NotRun | Status::NotApplicable => {
                matches!(case.status, TestCaseStatus::Skipped { .. })
            }
            Status::Error => {
                matches!(case.status, TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. })
            }
            Status::Fail | Status::Expired | Status::Stale => {
                matches!(case.status, TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. })
            }
        };
        assert!(is_right, "{}: {:?}", assessed.id, case.status);
    }
    assert!(
        matches!(cases.last().unwrap().status, TestCaseStatus::NonSuccess { .. }),
        "the gate is no success"
    );
    let shipping = Report::deserialize_from_str(&shipping().render(Format::Junit)).unwrap();
    assert_eq!((shipping.failures, shipping.errors), (0, 0));
}

#[test]
fn the_sarif_report_has_what_scanners_ask_for() {
    let known = blocked(Some(DOCUMENT));
    check(&known, Format::Sarif, &expect_file!["reports/blocked.sarif"]);
    let report: Value = serde_json::from_str(&known.render(Format::Sarif)).unwrap();
    assert_eq!(report["version"], "2.1.0");
    let run = &report["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 12);
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(result["message"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "checklist/orders%20list.md");
        let line = usize::try_from(place["region"]["startLine"].as_u64().unwrap()).unwrap();
        let title = rules[index]["shortDescription"]["text"].as_str().unwrap();
        assert!(DOCUMENT.lines().nth(line - 1).unwrap().replace("**", "").ends_with(title));
        let is_waived = result["properties"]["status"] == "waived";
        assert_eq!(result["suppressions"].is_array(), is_waived, "{result}");
    }
    let without: Value = serde_json::from_str(&blocked(None).render(Format::Sarif)).unwrap();
    let place = &without["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(*place, serde_json::json!({"artifactLocation": {"uri": "checklist/orders.yaml"}}));
}

#[test]
fn what_was_found_is_no_markdown() {
    let report = blocked(Some(DOCUMENT)).render(Format::Markdown);
    let mut boxes = Vec::new();
    for event in Parser::new_ext(&report, Options::ENABLE_TASKLISTS | Options::ENABLE_TABLES) {
        match event {
            Event::Html(text) | Event::InlineHtml(text) => panic!("{text} is HTML"),
            Event::TaskListMarker(is_checked) => boxes.push(is_checked),
            _ => {}
        }
    }
    let expected = blocked(None).assessment.boxes;
    let expected: Vec<bool> = expected.iter().map(|assessed| assessed.status.is_checked()).collect();
    assert_eq!(boxes, expected, "each box of the document is a box of the report, and as it has to be");
}

#[test]
fn the_page_needs_nothing_else() {
    let known = blocked(None);
    check(&known, Format::Html, &expect_file!["reports/blocked.html"]);
    let page = known.render(Format::Html);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    for absent in ["<script", " style=\"", " onclick", "http://", "https://", "<link", "<img"] {
        assert!(!page.contains(absent), "{absent} is not in the page");
    }
    assert!(page.contains(&html::style_hash()), "the policy allows the style");
    let levels: Vec<u32> =
        page.match_indices("<h").filter_map(|(at, _)| page[at + 2..].chars().next()?.to_digit(10)).collect();
    assert_eq!(levels[0], 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "no level is left out: {levels:?}");
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let links = page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
    for link in links {
        assert_eq!(ids.iter().filter(|id| **id == link).count(), 1, "#{link} leads to one place");
    }
}

#[test]
fn formats_have_names_and_extensions_of_their_own() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse(), Ok(format));
        let same = Format::ALL.iter().filter(|other| other.extension() == format.extension());
        assert_eq!(same.count(), 1, "{format}");
    }
    assert_eq!(
        "pdf".parse::<Format>().unwrap_err(),
        "there is no format \"pdf\": there are terminal, json, junit, sarif, markdown, html, vsa"
    );
}

#[test]
fn only_the_terminal_has_colours_and_only_if_asked() {
    let known = blocked(None);
    for format in Format::ALL {
        let text = render(format, &known.assessment, &known.judgement, &known.checklist, true);
        assert_eq!(text.contains('\u{1b}'), format == Format::Terminal, "{format}");
    }
}
