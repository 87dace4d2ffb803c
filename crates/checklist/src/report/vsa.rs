//! For admission control: an in-toto Statement (v1) with a SLSA Verification Summary (v1).
//!
//! It is not signed: whoever passes it on wraps it into a DSSE envelope.

use serde_json::{Value, json};

use super::{
    json::pretty,
    text::{timestamp, uri},
};
use crate::{
    assessment::Assessment,
    verdict::{Judgement, Ruling},
};

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://slsa.dev/verification_summary/v1";
const VERIFIER: &str = "urn:checklist:gate";

/// The statement. Its subjects are what ships: image, program and configuration, as far as they are known, or the record of the run,
/// since a statement has to be about something. Levels that begin with `SLSA_` are none of ours to give: that of a checklist is
/// `CHECKLIST_` and the profile. The ledger is named by the digest of its last entry and all before it, which is that of no file.
pub(super) fn render(assessment: &Assessment, judgement: &Judgement) -> String {
    let subject = &assessment.subject;
    let mut subjects: Vec<Value> =
        [("image", subject.image), ("program", subject.program), ("configuration", subject.configuration)]
            .into_iter()
            .filter_map(|(name, digest)| Some(json!({"name": name, "digest": {"sha256": digest?.hex()}})))
            .collect();
    if subjects.is_empty() {
        subjects.push(json!({"name": "record", "digest": {"sha256": assessment.record.hex()}}));
    }
    let ships = judgement.ruling == Ruling::Ship;
    let level = if ships { level(&subject.profile) } else { "FAILED".to_owned() };
    let part = |text: &str| uri(text).replace('/', "%2F");
    pretty(&json!({
        "_type": STATEMENT,
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": {
            "verifier": {"id": VERIFIER, "version": {"checklist": env!("CARGO_PKG_VERSION")}},
            "timeVerified": timestamp(assessment.at),
            "resourceUri": format!(
                "urn:checklist:service:{}:{}",
                part(&assessment.service),
                part(&subject.environment)
            ),
            "policy": {
                "uri": format!("urn:checklist:policy:{}:{}", part(&assessment.title), part(&subject.profile)),
                "digest": {"sha256": subject.checklist.hex()},
            },
            "inputAttestations": [
                {
                    "uri": format!("urn:checklist:record:{}", assessment.record.hex()),
                    "digest": {"sha256": assessment.record.hex()},
                },
                {
                    "uri": format!("urn:checklist:ledger:{}", assessment.head.entries),
                    "digest": {"checklistLedgerHead": assessment.head.digest.hex()},
                },
            ],
            "verificationResult": if ships { "PASSED" } else { "FAILED" },
            "verifiedLevels": [level],
        },
    }))
}

fn level(profile: &str) -> String {
    let letters = profile.chars().map(|character| match character {
        _ if character.is_ascii_alphanumeric() => character.to_ascii_uppercase(),
        _ => '_',
    });
    format!("CHECKLIST_{}", letters.collect::<String>())
}
