//! A server with a checklist that was run, keys of callers, and keys of people who sign.

use checklist::{
    keys::PrivateKey,
    ledger::{Head, Ledger, SignOff, Signed},
    place::{Known, Place as Gate},
};
use chrono::Utc;
use serde_json::{Value, json};

use crate::program::{Place, Server};

const CHECKLIST: &str = r#"
format: 1
title: Release of the library
service: library
roles:
  security: {title: Security Team, signs: true}
  owner: {title: Product Owner, signs: true}
  support: {title: Support}
profiles:
  production: {about: What is sold.}
waivers: {longest: 30d}
sections:
  - id: build
    title: Build
    owner: security
    items:
      - {id: build.readme, title: There is a `README`, remedy: Write one., check: {file: {path: README.md}}}
      - {id: build.licence, title: There is a licence, remedy: "Write one: `LICENSE`.", check: {file: {path: LICENSE}}}
      - {id: build.changes, title: There is a list of changes, remedy: Write one., check: {file: {path: CHANGELOG.md}}}
  - id: care
    title: Care
    owner: support
    items:
      - {id: care.drill, title: The rollback was practised, check: {attestation: {statement: It was practised., evidence: optional}}}
  - id: sign
    title: Sign-offs
    owner: owner
    items:
      - {id: sign.security, title: Security has signed, waivable: false, check: {sign-off: {role: security}}}
      - {id: sign.owner, title: The owner has signed, waivable: false, check: {sign-off: {role: owner}}}
"#;

/// A server that shows a checklist.
pub(crate) struct Deployed {
    pub(crate) place: Place,
    pub(crate) server: Server,
    /// The API key of an administrator.
    pub(crate) admin: String,
}

impl Deployed {
    /// The checklist was run by ada, one box is waived for three days, and mary may sign for security, hedy for the owner.
    pub(crate) fn new() -> Deployed {
        let place =
            place_with("[gate]\nchecklist_file = \"gate/release.yaml\"\n[access]\naudit_dir = \"audit\"\n");
        std::fs::create_dir_all(place.path("gate")).expect("a folder");
        place.write("gate/release.yaml", CHECKLIST);
        place.write("README.md", "# The library\n");
        place.write("CHANGELOG.md", "# Changes\n");
        let admin = create_key(&place, &["ops", "--role", "admin"]);
        let server = place.serve(&[]);
        let deployed = Deployed { place, server, admin };
        deployed.run();
        for (person, role) in [("mary", "security"), ("hedy", "owner"), ("ada", "owner")] {
            let file = format!("{person}.pem");
            deployed.does(&["keys", "create", "--person", person, "--role", role, "--output", &file]);
        }
        let waiver = [
            "waive",
            "build.licence",
            "--owner",
            "ada",
            "--approver",
            "hedy",
            "--risk",
            "nobody may use it",
            "--control",
            "nobody does",
            "--ticket",
            "LIB-7",
            "--expires",
            "3d",
        ];
        deployed.does(&waiver);
        deployed
    }

    /// Runs the checklist.
    pub(crate) fn run(&self) {
        self.run_for("production");
    }

    /// Runs it for an environment.
    pub(crate) fn run_for(&self, environment: &str) {
        let what = ["run", "--profile", "production", "--environment", environment];
        let (code, said, problem) =
            self.checklist(&[&what[..], &["--repository", ".", "--author", "ada"]].concat());
        assert!(matches!(code, 0 | 3 | 4), "{code}: {said}{problem}");
    }

    /// Somebody states what only people know.
    pub(crate) fn attest(&self) {
        self.does(&["attest", "care.drill", "--person", "grace", "--role", "support"]);
    }

    /// A command of the gate that has to succeed.
    pub(crate) fn does(&self, arguments: &[&str]) -> String {
        let (code, said, problem) = self.checklist(arguments);
        assert_eq!(code, 0, "{arguments:?}: {problem}");
        said
    }

    fn checklist(&self, arguments: &[&str]) -> (i32, String, String) {
        self.place.run(&[&["checklist"], arguments, &["--checklist", "gate/release.yaml"]].concat(), &[])
    }

    /// Status, head in small letters, and body of the page.
    pub(crate) fn page(&self) -> (u16, String, String) {
        get(&self.server, "/console/checklist", &bearer(&self.admin))
    }

    /// What the server answers to a request of its page.
    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.post_as(path, &bearer(&self.admin), &body.to_string())
    }

    /// The same with other headers beside the kind of the body.
    pub(crate) fn post_as(&self, path: &str, headers: &str, body: &str) -> (u16, Value) {
        let headers = format!("{headers}Content-Type: application/json\r\n");
        let (status, _, body) = components::http(
            "POST",
            &self.server.address,
            &format!("/console/checklist/{path}"),
            &headers,
            body,
        );
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    /// What somebody is to sign.
    pub(crate) fn to_sign(&self, person: &str, role: &str) -> Signed {
        let (status, told) = self.post("to-sign", &json!({ "person": person, "role": role }));
        assert_eq!(status, 200, "{told}");
        let signed: Signed = serde_json::from_value(told["signed"].clone()).expect("what is to be signed");
        assert_eq!(told["message"], signed.message());
        signed
    }

    /// What somebody has signed with the key of a person.
    pub(crate) fn signed_by(&self, signed: Signed, person: &str) -> SignOff {
        let key = PrivateKey::read(&self.place.path(&format!("{person}.pem"))).expect("a key");
        let signature = key.sign(signed.message().as_bytes());
        SignOff { signed, key: key.public(), signature }
    }

    /// The state of the ledger.
    pub(crate) fn head(&self) -> Head {
        self.ledger().head()
    }

    /// What is known now.
    pub(crate) fn known(&self) -> Known {
        let gate = Gate::new(self.place.path("gate/release.yaml"), None, None);
        gate.known(&self.ledger(), None, None, Utc::now()).expect("known")
    }

    fn ledger(&self) -> Ledger {
        Ledger::read(&self.place.path("gate/ledger")).expect("a ledger")
    }
}

/// A folder with a configuration.
pub(crate) fn place_with(configuration: &str) -> Place {
    let place = Place::new();
    place.write("server.toml", configuration);
    place
}

/// Makes an API key.
pub(crate) fn create_key(place: &Place, arguments: &[&str]) -> String {
    let line =
        [&["keys", "create"], arguments, &["--config", "server.toml", "--workspace", "books"]].concat();
    let (code, key, said) = place.run(&line, &[]);
    assert_eq!(code, 0, "{said}");
    key.trim().to_owned()
}

pub(crate) fn get(server: &Server, path: &str, headers: &str) -> (u16, String, String) {
    components::http("GET", &server.address, path, headers, "")
}

/// The header of a key.
pub(crate) fn bearer(key: &str) -> String {
    format!("Authorization: Bearer {key}\r\n")
}
