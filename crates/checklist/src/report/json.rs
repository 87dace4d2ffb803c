//! Everything that is known, for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::parts;
use crate::{
    assessment::{Assessed, Assessment},
    spec::ItemId,
    status::Status,
    verdict::Judgement,
};

/// The report, in this order and in `kebab-case`:
///
/// ```json
/// {
///   "format": 1,
///   "judgement": {"ruling": "fail", "exit-code": 3, "ships": false, "reasons": ["fail net.tls: …"]},
///   "counts": {"boxes": 280, "checked-off": 271, "groups": 60, "by-status": {"pass": 260, "fail": 1}},
///   "blocking": ["net.tls"],
///   "sections": [{"id": "net", "title": "Network", "boxes": 9, "checked-off": 8}],
///   "title": "…", "service": "…", "at": "2026-03-01T12:30:00Z",
///   "subject": {"checklist": "sha256:…", "profile": "…", "environment": "…", "program": "sha256:…", "facts": {}},
///   "record": "sha256:…", "state": "sha256:…", "head": {"entries": 7, "digest": "sha256:…"},
///   "author": "…", "began": "2026-03-01T12:00:00Z", "took-ms": 5200,
///   "boxes": [{"id": "net.tls", "title": "…", "section": "net", "status": "fail", "summary": "…", …}],
///   "waivers": [{"id": "…", "owner": "…", "approver": "…", "expires": "…", "use": "used", …}],
///   "sign-offs": [{"role": "…", "title": "…", "sign-off": {"signed": {…}, "key": "…", "signature": "…"}}],
///   "executed": 200
/// }
/// ```
///
/// What follows `sections` is an [`Assessment`], field by field. `counts` are of all boxes, groups included, as the document has them;
/// `by-status` names each status. `blocking` are the boxes, without groups, that keep it from shipping; what else does is only in
/// `reasons`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Report<'a> {
    format: u32,
    judgement: Judged<'a>,
    counts: Counts,
    blocking: Vec<&'a ItemId>,
    sections: Vec<Section<'a>>,
    #[serde(flatten)]
    assessment: &'a Assessment,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Judged<'a> {
    ruling: &'static str,
    exit_code: u8,
    ships: bool,
    reasons: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Counts {
    boxes: usize,
    checked_off: usize,
    groups: usize,
    by_status: BTreeMap<Status, usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Section<'a> {
    id: &'a str,
    title: &'a str,
    boxes: usize,
    checked_off: usize,
}

pub(super) fn render(assessment: &Assessment, judgement: &Judgement) -> String {
    let boxes = &assessment.boxes;
    let mut by_status: BTreeMap<Status, usize> = Status::ALL.into_iter().map(|status| (status, 0)).collect();
    by_status.extend(assessment.counts());
    let report = Report {
        format: 1,
        judgement: Judged {
            ruling: judgement.ruling.as_str(),
            exit_code: judgement.ruling.code(),
            ships: judgement.ruling.code() == 0,
            reasons: &judgement.reasons,
        },
        counts: Counts {
            boxes: boxes.len(),
            checked_off: boxes.iter().filter(|assessed| assessed.status.is_checked()).count(),
            groups: boxes.iter().filter(|assessed| assessed.is_group()).count(),
            by_status,
        },
        blocking: boxes
            .iter()
            .filter(|assessed| assessed.blocks())
            .map(|assessed: &Assessed| &assessed.id)
            .collect(),
        sections: parts(assessment)
            .map(|part| Section {
                id: part.id,
                title: part.title,
                boxes: part.boxes.len(),
                checked_off: part.checked(),
            })
            .collect(),
        assessment,
    };
    pretty(&report)
}

/// A value as JSON for people and programs, with a line end.
pub(super) fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("keys are texts");
    text.push('\n');
    text
}
