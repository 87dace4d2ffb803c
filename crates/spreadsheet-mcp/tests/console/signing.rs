//! Signatures: those that are taken, and every way in which one is not.

use checklist::ledger::{SignOff, Signed};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::deployed::{Deployed, bearer, create_key};

#[test]
fn a_signature_that_was_made_elsewhere_is_taken_as_the_command_takes_it() {
    let deployed = Deployed::new();
    let sign_off = deployed.signed_by(deployed.to_sign("mary", "security"), "mary");
    let (status, told) = deployed.post("sign", &json!(sign_off));
    assert_eq!(status, 200, "{told}");
    assert_eq!((&told["person"], &told["role"]), (&json!("mary"), &json!("security")));
    assert_eq!(told["head"], deployed.head().to_string());
    let (_, _, page) = deployed.page();
    assert!(page.contains("mary, <time") && page.contains(&sign_off.key.fingerprint()), "{page}");
    // The other one signs by the command, and the ledger is what was written.
    deployed.does(&["sign", "--person", "hedy", "--role", "owner", "--key", "hedy.pem"]);
    deployed.does(&["verify"]);
    assert!(deployed.known().assessment.sign_offs.iter().all(|signed| signed.sign_off.is_some()));
    // It is told who did it, and who may not have.
    let viewer = create_key(&deployed.place, &["reports", "--role", "viewer"]);
    assert_eq!(deployed.post_as("sign", &bearer(&viewer), &json!(sign_off).to_string()).0, 403);
    let (code, records, said) =
        deployed.place.run(&["audit", "list", "--audit-dir", "audit", "--format", "json"], &[]);
    assert_eq!(code, 0, "{said}");
    let told = |principal: &str, outcome: &str| {
        records.lines().any(|record| {
            let parts = [format!("\"{principal}\""), format!("\"{outcome}\""), "\"console/sign\"".to_owned()];
            parts.iter().all(|part| record.contains(part))
        })
    };
    assert!(told("ops", "ok") && told("reports", "denied"), "{records}");
}

/// What is different in a signature that mary makes for security, what the answer is, and what is said.
struct Wrong {
    what: &'static str,
    change: fn(&mut Signed),
    by: &'static str,
    status: u16,
    said: &'static str,
}

#[test]
fn a_signature_that_is_not_right_is_refused_in_a_sentence() {
    let deployed = Deployed::new();
    let head = deployed.head();
    let wrong = |what, change, by, status, said| Wrong { what, change, by, status, said };
    let table = [
        wrong("another's key", |_| {}, "hedy", 403, "not the key of mary that is trusted for security"),
        wrong(
            "another's name",
            |it| it.person = "hedy".into(),
            "mary",
            403,
            "trusts no key of hedy for security",
        ),
        wrong("another role", |it| it.role = "owner".into(), "mary", 403, "trusts no key of mary for owner"),
        wrong("no role", |it| it.role = "pope".into(), "mary", 400, "there is no role pope"),
        wrong(
            "a role that does not sign",
            |it| it.role = "support".into(),
            "mary",
            400,
            "support does not sign",
        ),
        wrong("no name", |it| it.person = " ".into(), "mary", 400, "the person is empty"),
        wrong("blanks", |it| it.person = "mary ".into(), "mary", 400, "not what there is to sign"),
        wrong("another purpose", |it| it.purpose = "love".into(), "mary", 400, "not what there is to sign"),
        wrong("for longer", |it| it.expires += TimeDelta::days(1), "mary", 400, "not what there is to sign"),
        wrong("long ago", |it| it.at -= TimeDelta::minutes(6), "mary", 409, "within 5 minutes"),
        wrong("tomorrow", |it| it.at += TimeDelta::days(1), "mary", 409, "within 5 minutes"),
        wrong("another run", |it| it.record = it.state, "mary", 409, "run again since"),
        wrong("another state", |it| it.state = it.record, "mary", 409, "look at it before you sign it"),
        wrong("another head", |it| it.head.entries -= 1, "mary", 409, "the ledger has gone on since"),
        wrong(
            "another environment",
            |it| it.subject.environment = "moon".into(),
            "mary",
            404,
            "has no run of the environment",
        ),
        wrong(
            "another profile",
            |it| it.subject.profile = "moon".into(),
            "mary",
            400,
            "not what there is to sign",
        ),
    ];
    for wrong in table {
        let mut signed = deployed.to_sign("mary", "security");
        (wrong.change)(&mut signed);
        let (status, told) = deployed.post("sign", &json!(deployed.signed_by(signed, wrong.by)));
        let message = told["error"]["message"].as_str().unwrap_or_default();
        assert!(status == wrong.status && message.contains(wrong.said), "{}: {status} {told}", wrong.what);
        assert!(told["error"]["hint"].is_string(), "{}: {told}", wrong.what);
    }
    // The words were changed after they were signed.
    let SignOff { mut signed, key, signature } =
        deployed.signed_by(deployed.to_sign("mary", "security"), "mary");
    signed.at += TimeDelta::seconds(1);
    let lifetime = deployed.known().loaded.spec.verdict_lifetime.0;
    signed.expires = signed.at + TimeDelta::from_std(lifetime).expect("a time");
    let (status, told) = deployed.post("sign", &json!(SignOff { signed, key, signature }));
    assert!(status == 403 && told.to_string().contains("not of that key"), "{status} {told}");
    assert_eq!(deployed.head(), head, "nothing is in the ledger");
}

#[test]
fn nobody_is_given_to_sign_what_they_may_not() {
    let deployed = Deployed::new();
    let refused = |person: &str, role: &str| {
        let (status, told) = deployed.post("to-sign", &json!({ "person": person, "role": role }));
        (status, told["error"]["message"].as_str().unwrap_or_default().to_owned())
    };
    let said = |(status, message): (u16, String), expected: u16, part: &str| {
        assert!(status == expected && message.contains(part), "{status} {message}");
    };
    said(refused("ada", "owner"), 403, "somebody else has to sign");
    said(refused("eve", "security"), 403, "trusts no key of eve");
    said(refused("mary", "pope"), 400, "who signs is owner, security");
    deployed.does(&["keys", "revoke", "--person", "mary"]);
    said(refused("mary", "security"), 403, "trusts no key of mary");
    let text = std::fs::read_to_string(deployed.place.path("gate/release.yaml")).expect("the checklist");
    deployed.place.write("gate/release.yaml", &text.replace("a licence", "some licence"));
    said(refused("hedy", "owner"), 409, "the checklist has changed since that run");
    let (_, _, page) = deployed.page();
    assert!(page.contains("the checklist is not the one that was judged"), "{page}");
}

#[test]
fn who_signs_signs_what_is_there() {
    let deployed = Deployed::new();
    let take = |sign_off: &SignOff| {
        let (status, told) = deployed.post("sign", &json!(sign_off));
        (status, told["error"]["message"].as_str().unwrap_or_default().to_owned())
    };
    let before = deployed.signed_by(deployed.to_sign("mary", "security"), "mary");
    deployed.attest();
    let (status, said) = take(&before);
    assert!(status == 409 && said.contains("stated, waived or taken back"), "{said}");
    let before = deployed.signed_by(deployed.to_sign("mary", "security"), "mary");
    deployed.run();
    let (status, said) = take(&before);
    assert!(status == 409 && said.contains("run again since"), "{said}");
    let before = deployed.signed_by(deployed.to_sign("mary", "security"), "mary");
    deployed.does(&["sign", "--person", "hedy", "--role", "owner", "--key", "hedy.pem"]);
    let (status, said) = take(&before);
    assert!(status == 409 && said.contains("sign again"), "{said}");
    // A key that is trusted no more has nothing to sign with, also a moment later.
    let before = deployed.signed_by(deployed.to_sign("mary", "security"), "mary");
    deployed.does(&["keys", "revoke", "--person", "mary"]);
    let (status, said) = take(&before);
    assert!(status == 403 && said.contains("trusts no key of mary"), "{said}");
    deployed.does(&["verify"]);
}

#[test]
fn pages_of_others_change_nothing() {
    let deployed = Deployed::new();
    let head = deployed.head();
    let body = json!(deployed.signed_by(deployed.to_sign("mary", "security"), "mary")).to_string();
    let own = format!("http://{}", deployed.server.address);
    for headers in [
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: http://localhost:1\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        &format!("Sec-Fetch-Site: same-site\r\nOrigin: {own}\r\n"),
        "Sec-Fetch-Site: none\r\n",
    ] {
        let (status, told) =
            deployed.post_as("sign", &format!("{headers}{}", bearer(&deployed.admin)), &body);
        assert_eq!((status, &told["error"]["code"]), (403, &json!("forbidden")), "{headers}");
    }
    let post = |headers: &str, body: &str| {
        let headers = format!("{headers}{}", bearer(&deployed.admin));
        let address = &deployed.server.address;
        components::http("POST", address, "/console/checklist/sign", &headers, body).0
    };
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        assert_eq!(post(&format!("Content-Type: {kind}\r\n"), &body), 400, "{kind}");
    }
    let json = "Content-Type: application/json; charset=utf-8\r\n";
    assert_eq!(post(json, &format!("{body}{}", " ".repeat(16 << 10))), 413);
    for wrong in ["", "{", "{}", "[]", r#"{"person": "mary", "role": "security", "more": 1}"#] {
        assert_eq!(post(json, wrong), 400, "{wrong}");
    }
    assert_eq!(deployed.head(), head, "nothing is in the ledger");
    let signed: Value = serde_json::from_str(&body).expect("JSON");
    let headers = format!("Sec-Fetch-Site: same-origin\r\nOrigin: {own}\r\n{}", bearer(&deployed.admin));
    assert_eq!(deployed.post_as("sign", &headers, &signed.to_string()).0, 200, "its own page does");
}
