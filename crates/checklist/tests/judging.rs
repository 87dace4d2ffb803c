//! What a run and what people did come to, and that a ledger is what was written.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use checklist::{
    assessment::{Assessment, assess},
    context::{Context, Finding, NoProbes, Probes},
    digest::Digest,
    keys::{Keyring, PrivateKey, TrustedKey},
    ledger::{self, Act, Attestation, Head, Ledger, SignOff, Waiver},
    record::{RunRecord, Subject},
    run::{self, Order},
    spec::{Loaded, SpecError},
    verdict::{Ruling, Verdict, judge},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

const SPEC: &str = "
format: 1
title: Orders
service: orders
roles: {team: {title: Team, signs: true}, boss: {title: Boss}}
profiles:
  production: {about: everything}
  empty: {about: nothing, only: [people]}
facts: {mode: {about: how, values: [one, many], default: one}}
waivers: {longest: 30d}
sections:
  - id: machine
    title: Machine
    owner: team
    items:
      - {id: machine.good, title: good, remedy: r, lifetime: 1h, check: {builtin: {probe: good}}}
      - {id: machine.bad, title: bad, remedy: r, check: {builtin: {probe: bad}}}
      - {id: machine.small, title: small, severity: minor, remedy: r, check: {builtin: {probe: bad}}}
      - {id: machine.holy, title: holy, waivable: false, remedy: r, check: {builtin: {probe: holy}}}
      - {id: machine.many, title: many, when: [mode=many], remedy: r, check: {builtin: {probe: bad}}}
  - id: people
    title: People
    owner: boss
    items:
      - {id: people.word, title: word, lifetime: 30d, check: {attestation: {statement: so it is, evidence: required}}}
      - {id: people.signed, title: signed, owner: team, waivable: false, check: {sign-off: {role: team}}}
";

/// Probes that find what their names say, and `bad` what it is told.
struct Told {
    bad: &'static str,
}

impl Probes for Told {
    fn names(&self) -> Vec<&'static str> {
        vec!["good", "bad", "holy"]
    }

    fn probe(&self, name: &str, _: &BTreeMap<String, Value>, _: &Context<'_>) -> Finding {
        match (name, self.bad) {
            ("bad", "fail") => Finding::fail("it is bad"),
            ("bad", "error") => Finding::error("nobody knows"),
            ("bad", "panic") => panic!("a probe that panics"),
            ("bad", "not-run") => Finding::not_run("nothing was given"),
            ("holy", "holy") => Finding::fail("it is not holy"),
            _ => Finding::pass("it is good"),
        }
    }
}

struct Case {
    folder: tempfile::TempDir,
    loaded: Loaded,
    keyring: Keyring,
    key: PrivateKey,
    record: RunRecord,
    ledger: Ledger,
}

impl Case {
    fn new(bad: &'static str) -> Case {
        Case::of("production", bad)
    }

    fn of(profile: &str, bad: &'static str) -> Case {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spec.yaml");
        fs::write(&path, SPEC).unwrap();
        let loaded = Loaded::read(&path).unwrap();
        let record = run(&loaded, profile, bad);
        let mut ledger = Ledger::open(&folder.path().join("ledger")).unwrap();
        ledger.add_run(&record).unwrap();
        let key = PrivateKey::parse(&PrivateKey::generate().unwrap()).unwrap();
        let since = Utc::now() - TimeDelta::days(1);
        let trusted = TrustedKey {
            person: "ada".into(),
            role: "team".into(),
            public: key.public(),
            since,
            revoked: None,
            compromised: false,
        };
        Case { folder, loaded, keyring: Keyring { keys: vec![trusted] }, key, record, ledger }
    }

    fn assess(&self, at: DateTime<Utc>) -> Assessment {
        assess(&self.loaded, &self.record, self.ledger.entries(), self.ledger.head(), &self.keyring, at)
    }

    fn statuses(&self, at: DateTime<Utc>) -> String {
        let told = |found: &checklist::assessment::Assessed| format!("{}={}", found.title, found.status);
        self.assess(at).boxes.iter().map(told).collect::<Vec<_>>().join(" ")
    }

    fn ruling(&self) -> (Ruling, Vec<String>) {
        let judgement = judge(&self.assess(Utc::now()), &self.record.subject);
        (judgement.ruling, judgement.reasons)
    }

    fn attest(&mut self) {
        let evidence = Some(self.ledger.keep_evidence(b"look").unwrap());
        let attestation = Attestation {
            id: "people.word".to_owned().try_into().unwrap(),
            environment: "here".into(),
            statement: "so it is".into(),
            person: "bob".into(),
            role: "boss".into(),
            evidence,
            evidence_name: Some("look.txt".into()),
            expires: Utc::now() + TimeDelta::days(30),
        };
        self.ledger.add(Act::Attest(attestation), Utc::now()).unwrap();
    }

    fn waive(&mut self, id: &str, days: i64) {
        let waiver = Waiver {
            id: id.to_owned().try_into().unwrap(),
            environment: "here".into(),
            owner: "ada".into(),
            approver: "bob".into(),
            risk: "r".into(),
            control: "c".into(),
            ticket: "T-1".into(),
            expires: Utc::now() + TimeDelta::days(days),
        };
        self.ledger.add(Act::Waive(waiver), Utc::now()).unwrap();
    }

    fn sign(&mut self, person: &str) {
        let signed = self.assess(Utc::now()).to_sign(person, "team", Utc::now(), Duration::from_secs(3_600));
        let signature = self.key.sign(signed.message().as_bytes());
        let sign_off = SignOff { signed, key: self.key.public(), signature };
        self.ledger.add(Act::SignOff(Box::new(sign_off)), Utc::now()).unwrap();
    }

    fn ledger_folder(&self) -> std::path::PathBuf {
        self.folder.path().join("ledger")
    }
}

fn run(loaded: &Loaded, profile: &str, bad: &'static str) -> RunRecord {
    // Nobody is asked; the client wants one all the same.
    let _there_already = rustls::crypto::ring::default_provider().install_default();
    let facts = run::facts(&loaded.spec, &loaded.spec.profiles[profile], &BTreeMap::new()).unwrap();
    let probes = Told { bad };
    let context = Context {
        repository: "/".into(),
        evidence: "/".into(),
        endpoints: BTreeMap::new(),
        prometheus: None,
        authorization: None,
        program: None,
        facts: facts.clone(),
        timeout: Duration::from_secs(1),
        client: reqwest::blocking::Client::new(),
        probes: &probes,
    };
    let subject = Subject {
        checklist: loaded.digest,
        profile: profile.into(),
        environment: "here".into(),
        program: Some(Digest::of(b"program")),
        image: None,
        configuration: Some(Digest::of(b"configuration")),
        facts,
    };
    let order = Order {
        checklist: loaded,
        subject,
        configuration: None,
        author: "eve".into(),
        only: Vec::new(),
        kinds: Vec::new(),
        parallel: 3,
    };
    run::run(order, &context, &|_| ())
}

#[test]
fn everything_that_was_looked_at_stated_and_signed_ships() {
    let mut case = Case::new("good");
    assert_eq!(
        case.statuses(Utc::now()),
        "good=pass bad=pass small=pass holy=pass many=not-applicable word=pending signed=pending"
    );
    case.attest();
    assert_eq!(case.ruling().0, Ruling::Incomplete);
    case.sign("ada");
    assert_eq!(case.ruling(), (Ruling::Ship, vec![]));
    let verdict = Verdict::of(&case.assess(Utc::now()));
    let check = |verdict: &Verdict, program: &[u8], at| {
        let (program, configuration) = (Digest::of(program), Digest::of(b"configuration"));
        verdict
            .check(program, configuration, &["team".to_owned()], &case.keyring, at)
            .map_err(|error| error.to_string())
    };
    assert_eq!(check(&verdict, b"program", Utc::now()), Ok(()));
    assert!(check(&verdict, b"other", Utc::now()).unwrap_err().contains("it is for the program"));
    let later = Utc::now() + TimeDelta::hours(2);
    assert!(check(&verdict, b"program", later).unwrap_err().contains("counted until"));
    let unsigned = Verdict { sign_offs: vec![], ..verdict };
    assert!(check(&unsigned, b"program", Utc::now()).unwrap_err().contains("nobody of team has signed it"));
}

#[test]
fn what_was_not_found_out_is_never_right() {
    for (bad, status, ruling) in [
        ("fail", "fail", Ruling::Fail),
        ("error", "error", Ruling::Incomplete),
        ("panic", "error", Ruling::Incomplete),
        ("not-run", "not-run", Ruling::Incomplete),
    ] {
        let mut case = Case::new(bad);
        case.attest();
        case.sign("ada");
        let told = case.statuses(Utc::now());
        assert!(told.contains(&format!("bad={status}")), "{told}");
        assert_eq!(case.ruling().0, ruling, "{bad}");
    }
    let empty = Case::of("empty", "good");
    assert_eq!(empty.ruling().0, Ruling::ToolError, "{:?}", empty.ruling());
}

#[test]
fn what_is_old_no_longer_counts() {
    let mut case = Case::new("good");
    case.attest();
    let later = case.statuses(Utc::now() + TimeDelta::hours(2));
    assert!(later.starts_with("good=stale bad=pass"), "{later}");
    let much_later = case.statuses(Utc::now() + TimeDelta::days(40));
    assert!(much_later.contains("word=expired"), "{much_later}");
}

#[test]
fn waivers_hold_for_what_may_be_waived_while_it_is_needed() {
    let mut case = Case::new("fail");
    case.attest();
    case.waive("machine.bad", 7);
    case.sign("ada");
    assert!(case.statuses(Utc::now()).contains("bad=waived small=warn"));
    assert_eq!(case.ruling().0, Ruling::Ship);
    assert!(case.statuses(Utc::now() + TimeDelta::days(8)).contains("bad=expired"));

    let mut unneeded = Case::new("good");
    unneeded.waive("machine.bad", 7);
    assert_eq!(unneeded.ruling().0, Ruling::Fail, "{:?}", unneeded.ruling());

    let mut holy = Case::new("holy");
    holy.waive("machine.holy", 7);
    assert!(holy.ruling().1.iter().any(|reason| reason.contains("cannot be waived")), "{:?}", holy.ruling());

    let mut long = Case::new("fail");
    long.waive("machine.bad", 90);
    assert!(long.statuses(Utc::now()).contains("bad=fail"));
}

#[test]
fn a_signature_is_about_exactly_what_was_signed() {
    let mut case = Case::new("good");
    case.sign("ada");
    case.attest();
    let reasons = case.ruling().1.join("\n");
    assert!(reasons.contains("sign again"), "{reasons}");
    case.sign("ada");
    assert_eq!(case.ruling().0, Ruling::Ship);
    // Who ran it, whoever has no key, and a key that was revoked before.
    let mut own = Case::new("good");
    own.attest();
    own.keyring.keys[0].person = "eve".into();
    own.sign("eve");
    assert!(own.ruling().1.join("\n").contains("somebody else has to sign"));
    let mut stranger = Case::new("good");
    stranger.attest();
    stranger.sign("mallory");
    assert!(stranger.ruling().1.join("\n").contains("is not trusted for team"));
    let mut revoked = Case::new("good");
    revoked.attest();
    revoked.keyring.keys[0].revoked = Some(Utc::now() - TimeDelta::hours(1));
    revoked.sign("ada");
    assert!(revoked.ruling().1.join("\n").contains("is not trusted for team"));
}

#[test]
fn a_ledger_that_was_changed_is_found_at_its_line() {
    let mut case = Case::new("fail");
    case.attest();
    case.waive("machine.bad", 7);
    case.sign("ada");
    let folder = case.ledger_folder();
    let told = |anchor: Option<Head>| {
        let found = ledger::verify(&folder, anchor).unwrap();
        found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(told(None), "");
    assert_eq!(told(Some(case.ledger.head())), "");
    let path = folder.join("ledger.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("T-1", "T-2", 1)).unwrap();
    assert!(
        told(None).starts_with("ledger.jsonl line 4: it does not follow the line before"),
        "{}",
        told(None)
    );
    fs::write(&path, &text).unwrap();
    fs::write(folder.join("evidence").join(Digest::of(b"look").hex()), "lock").unwrap();
    assert!(told(None).contains("it is not what was written"), "{}", told(None));
}

#[test]
fn half_a_line_of_a_writer_that_was_ended_gives_way() {
    let mut case = Case::new("good");
    let path = case.ledger_folder().join("ledger.jsonl");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [&whole[..], b"{\"number\":2,\"at\""].concat()).unwrap();
    assert_eq!(Ledger::read(&case.ledger_folder()).unwrap().entries().len(), 1);
    case.attest();
    assert_eq!(ledger::verify(&case.ledger_folder(), None).unwrap(), []);
    assert_eq!(Ledger::read(&case.ledger_folder()).unwrap().entries().len(), 2);
}

#[test]
fn many_who_write_at_a_time_write_one_after_the_other() {
    let case = Case::new("good");
    let folder = case.ledger_folder();
    drop(case.ledger);
    std::thread::scope(|scope| {
        for person in 0..8 {
            let folder = &folder;
            scope.spawn(move || {
                for _ in 0..5 {
                    let mut ledger = Ledger::open(folder).unwrap();
                    let id = "machine.bad".to_owned().try_into().unwrap();
                    let act = Act::Withdraw { id, environment: "here".into(), person: person.to_string() };
                    ledger.add(act, Utc::now()).unwrap();
                }
            });
        }
    });
    assert_eq!(ledger::verify(&folder, None).unwrap(), []);
    assert_eq!(Ledger::read(&folder).unwrap().entries().len(), 41);
}

#[test]
fn a_wrong_specification_tells_everything_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spec.yaml");
    let told = |text: &str| {
        fs::write(&path, text).unwrap();
        match Loaded::read(Path::new(&path)) {
            Err(error @ SpecError::Invalid { .. }) => error.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let text = SPEC
        .replace("id: machine.bad", "id: other.bad")
        .replace("owner: boss", "owner: nobody")
        .replace("mode=many", "mode=few")
        .replace("only: [people]", "only: [peoples]");
    let error = told(&text);
    for part in [
        "other.bad is in machine, and does not begin with machine.",
        "section people: there is no role nobody",
        "machine.many: mode is never few, but one of one, many",
        "profile empty: no id begins with peoples",
    ] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    let _no_probes = NoProbes.names();
}
