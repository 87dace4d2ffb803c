//! What a specification must not contradict.

use std::collections::BTreeSet;

use super::{Check, Item, Placed, Section, Spec};
use crate::document::Document;

/// Everything that is wrong with a specification.
pub(super) fn problems(spec: &Spec, document: Option<&Document>) -> Vec<String> {
    let mut problems = Vec::new();
    if spec.format != 1 {
        problems.push(format!("format is {}, and this program knows 1", spec.format));
    }
    if spec.placed().next().is_none() {
        problems.push("it has no boxes".to_owned());
    }
    let mut known = BTreeSet::new();
    for section in &spec.sections {
        check_role(spec, &section.owner, &format!("section {}", section.id), &mut problems);
    }
    for placed in spec.placed() {
        let id = &placed.item.id;
        if !known.insert(id) {
            problems.push(format!("{id} is there twice"));
        }
        check_item(spec, &placed, &mut problems);
    }
    for (name, profile) in &spec.profiles {
        for prefix in profile.only.iter().chain(&profile.without) {
            if !spec.placed().any(|placed| is_below(placed.item.id.as_str(), prefix)) {
                problems.push(format!("profile {name}: no id begins with {prefix}"));
            }
        }
        for kind in profile.kinds.iter().filter(|kind| !Check::KINDS.contains(&kind.as_str())) {
            problems
                .push(format!("profile {name}: there is no kind {kind}, but {}", Check::KINDS.join(", ")));
        }
        for (fact, value) in &profile.facts {
            check_fact(spec, fact, value, &format!("profile {name}"), &mut problems);
        }
    }
    for (name, fact) in &spec.facts {
        check_fact(spec, name, &fact.default, &format!("fact {name}"), &mut problems);
    }
    for phase in &spec.rollback {
        let name = &phase.section;
        let Some(section) = spec.sections.iter().find(|section| section.id == *name) else {
            problems.push(format!("rollback: there is no section {name}"));
            continue;
        };
        for step in phase.steps.keys() {
            if !section.items.iter().any(|item| item.id == *step) {
                problems.push(format!("rollback: {step} is no box of section {name}"));
            }
        }
    }
    if let Some(document) = document {
        problems.extend(differences(spec, document));
    }
    problems
}

/// Whether an id is that of a group or section, or below it.
pub(crate) fn is_below(id: &str, prefix: &str) -> bool {
    id.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn check_item(spec: &Spec, placed: &Placed<'_>, problems: &mut Vec<String>) {
    let Placed { item, section, .. } = placed;
    let id = &item.id;
    check_place(item, section, placed.group, problems);
    if let Some(owner) = &item.owner {
        check_role(spec, owner, id.as_str(), problems);
    }
    for condition in &item.when {
        check_fact(spec, &condition.fact, &condition.value, id.as_str(), problems);
    }
    match (&item.check, item.is_group()) {
        (Some(_), true) => {
            problems.push(format!("{id} has boxes of its own, and is known by them: it has no check"));
        }
        (None, false) => problems.push(format!("{id} has no check")),
        _ => {}
    }
    if placed.group.is_some() && item.is_group() {
        problems.push(format!("{id} has boxes of its own below a group: there are two levels"));
    }
    match &item.check {
        Some(Check::SignOff(check)) => {
            check_role(spec, &check.role, id.as_str(), problems);
            if !spec.roles.get(&check.role).is_none_or(|role| role.signs) {
                problems.push(format!("{id}: role {} does not sign", check.role));
            }
        }
        Some(Check::Attestation(check)) => {
            if let Some(role) = &check.role {
                check_role(spec, role, id.as_str(), problems);
            }
        }
        Some(Check::Promql(check))
            if check.at_least.is_none() && check.at_most.is_none() && !check.empty_is_right =>
        {
            problems.push(format!(
                "{id}: any answer of Prometheus would do: give at-least, at-most or empty-is-right"
            ));
        }
        Some(Check::Command(check)) if check.run.is_empty() => {
            problems.push(format!("{id}: no program to run"));
        }
        Some(Check::Manifest(check)) if check.rules.is_empty() => problems.push(format!("{id}: no rules")),
        _ => {}
    }
    if item.check.as_ref().is_some_and(Check::is_by_machine) && item.remedy.is_empty() {
        problems.push(format!("{id}: no remedy: who sees it fail wants to know what to do"));
    }
}

fn check_place(item: &Item, section: &Section, group: Option<&Item>, problems: &mut Vec<String>) {
    let above = group.map_or(section.id.as_str(), |group| group.id.as_str());
    if !item.id.as_str().strip_prefix(above).is_some_and(|rest| rest.starts_with('.')) {
        problems.push(format!("{} is in {above}, and does not begin with {above}.", item.id));
    }
}

fn check_role(spec: &Spec, role: &str, place: &str, problems: &mut Vec<String>) {
    if !spec.roles.contains_key(role) {
        problems.push(format!("{place}: there is no role {role}"));
    }
}

fn check_fact(spec: &Spec, fact: &str, value: &str, place: &str, problems: &mut Vec<String>) {
    match spec.facts.get(fact) {
        None => problems.push(format!("{place}: there is no fact {fact}")),
        Some(known) if !known.can_be(value) => {
            problems
                .push(format!("{place}: {fact} is never {value}, but one of {}", known.values.join(", ")));
        }
        Some(_) => {}
    }
}

/// Where the boxes are not those of the document.
fn differences(spec: &Spec, document: &Document) -> Vec<String> {
    let mut problems = Vec::new();
    let boxes = document.boxes();
    let items: Vec<Placed<'_>> = spec.placed().collect();
    for (at, (found, placed)) in boxes.iter().zip(&items).enumerate() {
        let depth = usize::from(placed.group.is_some());
        if found.title != placed.item.title || found.depth != depth {
            problems.push(format!(
                "box {} of the document (line {}) is {:?}, and {} is {:?}",
                at + 1,
                found.line,
                found.title,
                placed.item.id,
                placed.item.title
            ));
            // All that follows would differ, too.
            return problems;
        }
    }
    if boxes.len() != items.len() {
        problems.push(format!("the document has {} boxes, and this {}", boxes.len(), items.len()));
    }
    problems
}
