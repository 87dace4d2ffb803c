//! Runbooks: one for each alert, all of one form, naming what there is.

use regex::Regex;
use server::config::options::options;

use crate::{
    known,
    rules::alerts,
    source::{names, place, text},
};

/// The parts of a runbook, in their order.
const PARTS: [&str; 5] = ["## Symptoms", "## First commands", "## Decide", "## Fix", "## Verify"];

/// The commands of a part of a runbook that run wherever the server can be reached.
pub(crate) fn commands(runbook: &str, part: &str) -> Vec<String> {
    let (_, rest) = runbook.split_once(part).unwrap_or_else(|| panic!("no {part}: {runbook}"));
    let part = rest.split("\n## ").next().expect("a part");
    let blocks = part.split("```sh\n").skip(1).map(|rest| rest.split("```").next().expect("a block"));
    blocks.map(|block| block.trim().to_owned()).collect()
}

/// What a runbook says.
pub(crate) fn runbook(alert: &str) -> String {
    text(&format!("docs/runbooks/{alert}.md"))
}

#[test]
fn every_alert_has_one_and_every_one_an_alert() {
    let mut expected: Vec<String> = alerts().iter().map(|alert| format!("{}.md", alert.name)).collect();
    expected.push("README.md".to_owned());
    expected.sort();
    assert_eq!(names("docs/runbooks"), expected);
}

#[test]
fn all_have_the_same_parts() {
    for alert in alerts() {
        let page = runbook(&alert.name);
        assert!(page.starts_with(&format!("# {}\n", alert.name)), "{}", alert.name);
        let at: Vec<Option<usize>> = PARTS.iter().map(|part| page.find(&format!("\n{part}\n"))).collect();
        assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{}: {at:?}", alert.name);
        for part in ["## First commands", "## Verify"] {
            assert!(!commands(&page, part).is_empty(), "{}: {part} has no command", alert.name);
        }
    }
}

/// What replicas run as has another name in other overlays: the index says which.
#[test]
fn none_assumes_an_overlay() {
    let index = text("docs/runbooks/README.md");
    assert!(index.contains("\n## What `$DEPLOYMENT` is\n"), "{index}");
    let pages = names("docs/runbooks").into_iter().filter(|name| name != "README.md");
    let runbooks = pages.map(|name| (format!("docs/runbooks/{name}"), "README.md#what-deployment-is"));
    let others = ["backup", "releasing", "troubleshooting"]
        .map(|name| (format!("docs/{name}.md"), "runbooks/README.md#what-deployment-is"));
    for (name, link) in runbooks.chain(others) {
        let page = text(&name);
        assert!(!page.contains("deployment/spreadsheet-mcp"), "{name}");
        assert!(
            !page.contains("$DEPLOYMENT") || page.contains(&format!("({link})")),
            "{name} does not say what it is"
        );
    }
}

#[test]
fn they_name_metrics_options_and_files_that_there_are() {
    let options = options();
    let metric = Regex::new(r"\bspreadsheet_mcp_[a-z0-9_]+").expect("a pattern");
    let variable = Regex::new(r"\bSPREADSHEET_MCP_[A-Z0-9_]+").expect("a pattern");
    let key = Regex::new(r"`([a-z]+(?:_[a-z]+)+)`").expect("a pattern");
    let link = Regex::new(r"\]\(([^)#]+)[^)]*\)").expect("a pattern");
    for alert in alerts() {
        let (name, page) = (&alert.name, runbook(&alert.name));
        for found in metric.find_iter(&page) {
            assert!(known::described(found.as_str()).is_some(), "{name}: there is no {}", found.as_str());
        }
        for found in variable.find_iter(&page) {
            let is_known = options.iter().any(|option| option.variable == found.as_str());
            assert!(is_known, "{name}: there is no {}", found.as_str());
        }
        for found in key.captures_iter(&page) {
            let word = &found[1];
            let is_known = options.iter().any(|option| option.key == word) || known::is_label(word);
            assert!(is_known, "{name}: nothing is called {word}");
        }
        for found in link.captures_iter(&page) {
            assert!(place("docs/runbooks").join(&found[1]).exists(), "{name}: {}", &found[1]);
        }
    }
}
