//! For code scanning: SARIF 2.1.0 (OASIS). Rules are boxes, and results are what is not checked off.

use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};

use super::{
    json::pretty,
    text::{clean, timestamp, uri},
};
use crate::{
    assessment::{Assessed, Assessment, WaiverUse},
    spec::{Loaded, Severity},
    status::Status,
    verdict::{Judgement, Ruling},
};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn render(assessment: &Assessment, judgement: &Judgement, checklist: &Loaded) -> String {
    // The position among all boxes is that in the document; groups are known by their boxes, and are no rules.
    let boxes: Vec<(usize, &Assessed)> =
        assessment.boxes.iter().enumerate().filter(|(_, assessed)| !assessed.is_group()).collect();
    let rules: Vec<Value> = boxes.iter().map(|(_, assessed)| rule(assessed)).collect();
    let results: Vec<Value> = boxes
        .iter()
        .enumerate()
        .filter(|(_, (_, assessed))| {
            !assessed.status.is_checked() || matches!(assessed.status, Status::Waived | Status::Warn)
        })
        .map(|(rule, (at, assessed))| result(rule, assessed, assessment, location(*at, checklist)))
        .collect();
    let subject = &assessment.subject;
    let id = [&assessment.service, &subject.profile, &subject.environment].map(|part| clean(part)).join("/");
    pretty(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "checklist",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "automationDetails": {"id": id + "/"},
            "invocations": [{
                "executionSuccessful": judgement.ruling != Ruling::ToolError,
                "exitCode": judgement.ruling.code(),
                "exitCodeDescription": judgement.ruling.as_str(),
                "startTimeUtc": timestamp(assessment.began),
                "endTimeUtc": timestamp(assessment.at),
            }],
            "results": results,
            "properties": {
                "subject": subject,
                "record": assessment.record,
                "reasons": judgement.reasons.iter().map(|reason| clean(reason)).collect::<Vec<_>>(),
            },
        }],
    }))
}

fn rule(assessed: &Assessed) -> Value {
    let mut rule = json!({
        "id": assessed.id,
        "shortDescription": {"text": clean(&assessed.title)},
        "defaultConfiguration": {"level": level(assessed.severity)},
        "properties": {
            "section": assessed.section,
            "owner": assessed.owner,
            "severity": assessed.severity,
            "kind": assessed.kind,
        },
    });
    if !assessed.remedy.is_empty() {
        rule["help"] = json!({"text": clean(&assessed.remedy)});
    }
    rule
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Minor => "note",
        Severity::Major | Severity::Critical => "error",
    }
}

fn result(rule: usize, assessed: &Assessed, assessment: &Assessment, location: Value) -> Value {
    let level = if assessed.status == Status::Warn { "warning" } else { level(assessed.severity) };
    let mut result = json!({
        "ruleId": assessed.id,
        "ruleIndex": rule,
        "kind": "fail",
        "level": level,
        "message": {"text": format!("{}: {}", assessed.status, clean(&assessed.summary))},
        "locations": [location],
        "partialFingerprints": {"box/v1": assessed.id},
        "properties": {
            "status": assessed.status,
            "evidence": assessed.evidence.iter().map(|line| clean(line)).collect::<Vec<_>>(),
        },
    });
    let waivers = assessment.waivers.iter().filter(|waiver| waiver.use_ == WaiverUse::Used);
    let suppressions: Vec<Value> = waivers
        .filter(|waiver| waiver.waiver.id == assessed.id)
        .map(|waiver| {
            let waiver = &waiver.waiver;
            let why = format!(
                "{} takes the risk until {}: {}; meanwhile: {}; {} sets it right ({})",
                waiver.approver,
                timestamp(waiver.expires),
                waiver.risk,
                waiver.control,
                waiver.owner,
                waiver.ticket
            );
            json!({"kind": "external", "status": "accepted", "justification": clean(&why)})
        })
        .collect();
    if !suppressions.is_empty() {
        result["suppressions"] = json!(suppressions);
    }
    result
}

/// Where a box is: its line in the document, or the specification.
fn location(at: usize, checklist: &Loaded) -> Value {
    let in_document = checklist.document.as_ref().and_then(|document| document.boxes().get(at));
    let (path, region) = match (&checklist.spec.document, in_document) {
        (Some(name), Some(found)) => {
            let folder = checklist.path.parent().unwrap_or(Path::new(""));
            (folder.join(name), Some(json!({"startLine": found.line})))
        }
        _ => (checklist.path.clone(), None),
    };
    let mut place = json!({"artifactLocation": {"uri": reference(&path)}});
    if let Some(region) = region {
        place["region"] = region;
    }
    json!({"physicalLocation": place})
}

/// A path as the reference of a URI, without the folders that it leaves again.
fn reference(path: &Path) -> String {
    let mut direct = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(direct.components().next_back(), Some(Component::Normal(_))) => {
                direct.pop();
            }
            other => direct.push(other),
        }
    }
    let encoded = uri(&direct.to_string_lossy());
    if direct.is_absolute() { format!("file://{encoded}") } else { encoded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_directly() {
        let told = |path: &str| reference(Path::new(path));
        assert_eq!(told("checklist/../docs/the list.md"), "docs/the%20list.md");
        assert_eq!(told("./../a"), "../a");
        assert_eq!(told("/srv/a"), "file:///srv/a");
    }
}
