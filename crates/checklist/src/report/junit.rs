//! For CI: sections are suites, boxes without groups are cases, and the gate itself is the last suite.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Part, parts, ruling, text::clean, why};
use crate::{
    assessment::{Assessed, Assessment},
    status::Status,
    verdict::{Judgement, Ruling},
};

pub(super) fn render(assessment: &Assessment, judgement: &Judgement) -> String {
    let mut report = Report::new(clean(&assessment.title));
    report.set_timestamp(assessment.began);
    report.set_time(Duration::from_millis(u64::try_from(assessment.took_ms).unwrap_or(0)));
    report.add_test_suites(parts(assessment).map(|part| suite(&part)));
    report.add_test_suite(gate(assessment, judgement));
    report.to_string().expect("names and texts are clean")
}

fn suite(part: &Part<'_>) -> TestSuite {
    let mut suite = TestSuite::new(clean(part.title));
    suite.add_test_cases(part.boxes.iter().filter(|assessed| !assessed.is_group()).map(case));
    suite
}

/// A box is told by its id, which stays the same, and its words.
fn case(assessed: &Assessed) -> TestCase {
    let mut status = match assessed.status {
        Status::Pass | Status::Waived | Status::Warn => TestCaseStatus::success(),
        Status::NotApplicable | Status::Pending | Status::NotRun => TestCaseStatus::skipped(),
        _ if !assessed.blocks() => TestCaseStatus::skipped(),
        Status::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        Status::Fail | Status::Expired | Status::Stale => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
    };
    let evidence = lines(assessed.evidence.iter().map(String::as_str));
    let is_success = matches!(status, TestCaseStatus::Success { .. });
    if !is_success {
        status.set_message(format!("{}: {}", assessed.status, clean(&assessed.summary)));
        status.set_type(assessed.status.as_str());
        let is_open = !assessed.status.is_checked();
        let remedy = Some(assessed.remedy.as_str()).filter(|remedy| is_open && !remedy.is_empty());
        let description = lines(assessed.evidence.iter().map(String::as_str).chain(remedy));
        if !description.is_empty() {
            status.set_description(description);
        }
    }
    let mut case = TestCase::new(clean(&assessed.title), status);
    case.set_classname(assessed.id.as_str());
    if let Some(took) = assessed.took_ms {
        case.set_time(Duration::from_millis(took));
    }
    if is_success {
        let told = format!("{}: {}", assessed.status, assessed.summary);
        case.set_system_out(lines([told.as_str(), evidence.as_str()].into_iter().flat_map(str::lines)));
    }
    case
}

/// What the gate says: what is skipped above may stop it, and so may what is no box.
fn gate(assessment: &Assessment, judgement: &Judgement) -> TestSuite {
    let mut status = match judgement.ruling {
        Ruling::Ship => TestCaseStatus::success(),
        Ruling::ToolError => TestCaseStatus::non_success(NonSuccessKind::Error),
        _ => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    status.set_message(format!("{}: {}", ruling(judgement), clean(&why(assessment, judgement))));
    status.set_type(judgement.ruling.as_str());
    if !judgement.reasons.is_empty() {
        status.set_description(lines(judgement.reasons.iter().map(String::as_str)));
    }
    let mut case = TestCase::new("It ships", status);
    case.set_classname("gate");
    let mut suite = TestSuite::new("The gate");
    suite.add_test_case(case);
    suite
}

fn lines<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.map(clean).collect::<Vec<_>>().join("\n")
}
