//! The page of metrics: what it counts, and that it tells no more than it may.

use std::collections::BTreeMap;

use checklist::context::Finding;
use serde::Deserialize;
use server::metrics::{Described, Metrics};

use super::{
    ServiceProbes,
    page::{Page, Sample},
    question::{Found, Question},
};

/// Where metrics are documented.
const REFERENCE: &str = "docs/metrics.md";

/// The bound of a bucket of a histogram, which is no label of ours.
const BOUND: &str = "le";

fn page(question: &Question<'_>) -> Result<Page, Finding> {
    let text = question.page("metrics", "/metrics")?;
    Page::read(&text).map_err(|error| Finding::fail(format!("what is at /metrics are no metrics: {error}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Bounds {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    at_least: Option<f64>,
    at_most: Option<f64>,
}

/// `metric`: the sum of the samples of a name and with labels is within bounds.
pub(super) fn metric(_: &ServiceProbes, question: &Question<'_>) -> Found {
    let bounds: Bounds = question.told("name, labels, at-least and at-most")?;
    Ok(bounds.judge(&page(question)?))
}

impl Bounds {
    fn judge(&self, page: &Page) -> Finding {
        let is_meant = |sample: &&Sample| {
            sample.name == self.name
                && self.labels.iter().all(|(name, value)| sample.label(name) == Some(value))
        };
        let meant: Vec<&Sample> = page.samples.iter().filter(is_meant).collect();
        let shown = self.shown();
        if meant.is_empty() {
            return Finding::fail(format!("{shown} is not on the page of metrics, and has to be"));
        }
        let sum: f64 = meant.iter().map(|sample| sample.value).sum();
        // What is no number is within no bounds.
        let reaches = |least: f64| sum >= least;
        let keeps = |most: f64| sum <= most;
        if let Some(least) = self.at_least.filter(|least| !reaches(*least)) {
            return Finding::fail(format!("{shown} is {sum}, and has to be at least {least}"));
        }
        if let Some(most) = self.at_most.filter(|most| !keeps(*most)) {
            return Finding::fail(format!("{shown} is {sum}, and has to be at most {most}"));
        }
        Finding::pass(format!("{shown} is {sum}"))
    }

    fn shown(&self) -> String {
        let labels: Vec<String> =
            self.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        match labels.is_empty() {
            true => self.name.clone(),
            false => format!("{}{{{}}}", self.name, labels.join(",")),
        }
    }
}

/// `metrics-documented`: the reference names every metric of the page.
pub(super) fn documented(_: &ServiceProbes, question: &Question<'_>) -> Found {
    question.told_nothing()?;
    let reference = question.document(REFERENCE)?;
    Ok(judge_documented(&page(question)?, &reference))
}

fn judge_documented(page: &Page, reference: &str) -> Finding {
    let mut names: Vec<&str> = page.samples.iter().map(|sample| page.metric(sample)).collect();
    names.dedup();
    match names.iter().find(|name| !reference.contains(&format!("`{name}`"))) {
        _ if names.is_empty() => Finding::fail("the page of metrics is empty"),
        Some(name) => {
            Finding::fail(format!("{REFERENCE} does not name {name}, which the page of metrics has"))
        }
        None => Finding::pass(format!("{REFERENCE} names every metric of the page ({})", names.len())),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Most {
    at_most: usize,
}

/// `cardinality`: there are no more series than Prometheus keeps easily.
pub(super) fn cardinality(_: &ServiceProbes, question: &Question<'_>) -> Found {
    let Most { at_most } = question.told("at-most, a number of series")?;
    let count = page(question)?.samples.len();
    Ok(match count {
        0 => Finding::fail("the page of metrics is empty"),
        _ if count > at_most => Finding::fail(format!(
            "the page of metrics has {count} series, and has to have at most {at_most}"
        )),
        _ => Finding::pass(format!("the page of metrics has {count} series, of {at_most} that it may have")),
    })
}

/// `labels-closed`: labels of our metrics are those that there are, and say nothing but what is in their sets.
pub(super) fn labels_closed(_: &ServiceProbes, question: &Question<'_>) -> Found {
    question.told_nothing()?;
    Ok(judge_labels(&page(question)?, Metrics::default().described()))
}

fn judge_labels(page: &Page, described: &[Described]) -> Finding {
    let mut looked = 0;
    for sample in &page.samples {
        let metric = page.metric(sample);
        // One that nobody described is what `metrics-documented` is about.
        let Some(known) = described.iter().find(|known| known.name == metric) else { continue };
        for (name, value) in sample.labels.iter().filter(|(name, _)| name != BOUND) {
            let Some(label) = known.labels.iter().find(|label| label.name == name) else {
                return Finding::fail(format!("{metric} has a label {name}, which is none of its labels"));
            };
            // A set without values is of what is fixed when the program is built.
            if !label.values.is_empty() && !label.values.contains(&value.as_str()) {
                let what = "has a value that is not in its closed set";
                return Finding::fail(format!("the label {name} of {metric} {what}"));
            }
            looked += 1;
        }
    }
    match looked {
        0 => Finding::fail("the page of metrics has none of the labels that it has to have"),
        _ => Finding::pass(format!("all {looked} values of labels are in their closed sets")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "spreadsheet_mcp_requests_total{tool=\"read_table\",status=\"ok\",role=\"viewer\"} 3\n\
                        spreadsheet_mcp_requests_total{tool=\"read_range\",status=\"ok\",role=\"viewer\"} 4\n";

    #[track_caller]
    fn check(bounds: serde_json::Value, expected: &str) {
        let bounds: Bounds = serde_json::from_value(bounds).expect("bounds");
        assert_eq!(bounds.judge(&Page::read(PAGE).expect("a page")).summary, expected);
    }

    #[test]
    fn samples_are_summed_and_held_against_bounds() {
        let name = "spreadsheet_mcp_requests_total";
        check(
            serde_json::json!({ "name": name, "at-least": 7, "at-most": 7 }),
            "spreadsheet_mcp_requests_total is 7",
        );
        check(
            serde_json::json!({ "name": name, "labels": { "tool": "read_range" }, "at-most": 3 }),
            "spreadsheet_mcp_requests_total{tool=\"read_range\"} is 4, and has to be at most 3",
        );
        check(
            serde_json::json!({ "name": name, "labels": { "status": "internal" }, "at-most": 0 }),
            "spreadsheet_mcp_requests_total{status=\"internal\"} is not on the page of metrics, and has to be",
        );
    }

    #[test]
    fn labels_outside_of_their_sets_are_found() {
        let told = |page: &str| {
            judge_labels(&Page::read(page).expect("a page"), Metrics::default().described()).summary
        };
        assert_eq!(told(PAGE), "all 6 values of labels are in their closed sets");
        assert_eq!(
            told(&PAGE.replace("read_range", "salaries.xlsx")),
            "the label tool of spreadsheet_mcp_requests_total has a value that is not in its closed set"
        );
        assert_eq!(
            told(&PAGE.replace("role=", "caller=")),
            "spreadsheet_mcp_requests_total has a label caller, which is none of its labels"
        );
    }

    #[test]
    fn metrics_that_the_reference_lacks_are_found() {
        let page = Page::read(PAGE).expect("a page");
        assert_eq!(
            judge_documented(&page, "| `spreadsheet_mcp_requests_total` | counter |").summary,
            "docs/metrics.md names every metric of the page (1)"
        );
        assert_eq!(
            judge_documented(&page, "spreadsheet_mcp_requests").summary,
            "docs/metrics.md does not name spreadsheet_mcp_requests_total, which the page of metrics has"
        );
    }
}
