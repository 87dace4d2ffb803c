//! The configuration: that it is right, that it is known, that nothing is given in vain.

use checklist::{context::Finding, rule::Rule};
use serde::Deserialize;
use server::config::{
    layers::{Origin, Problem},
    options,
    secret::is_named_as_secret,
};

use super::{
    ServiceProbes,
    question::{Found, Question, check_rules},
};

/// Where options are documented.
const REFERENCE: &str = "docs/configuration.md";

/// Options whose wrong values the probe `workspace` tells.
const OF_WORKSPACE: [&str; 2] = ["workspace", "workbook"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    rules: Vec<Rule>,
}

/// `configuration`: the configuration that is in force, as sections of keys, fulfils rules.
pub(super) fn rules(probes: &ServiceProbes, question: &Question<'_>) -> Found {
    let Rules { rules } = question.told("rules, a list of rules over /SECTION/KEY")?;
    if rules.is_empty() {
        return Err(Finding::error("the probe configuration takes rules: there is none"));
    }
    probes.resolved()?;
    check_rules(probes.configuration(), &rules, "the configuration")?;
    let places: Vec<String> = rules.iter().map(|rule| rule.at.to_string()).collect();
    let value = |place: &String| Some(format!("{place} = {}", probes.configuration().pointer(place)?));
    let seen: Vec<String> = places.iter().filter_map(value).collect();
    Ok(Finding::pass(format!("the configuration is right at {}", places.join(", "))).with(seen))
}

/// `configuration-valid`: a server would start with it. What another probe is about is told by that one.
pub(super) fn valid(probes: &ServiceProbes, question: &Question<'_>) -> Found {
    question.told_nothing()?;
    let settings = &match &probes.resolved {
        Ok(resolved) => &resolved.settings,
        Err(problem) => return Ok(Finding::fail(format!("the configuration is wrong: {problem}"))),
    };
    let of_layers = probes.problems.iter().filter(|problem| unknown_variable(problem).is_none());
    let of_values = settings.wrong_values().into_iter().chain(settings.wrong_files());
    let of_secrets = settings.tracing.wrong_headers();
    let of_values = of_values
        .filter(|wrong| !OF_WORKSPACE.contains(&wrong.key) && Some(&wrong.what) != of_secrets.as_ref());
    let wrong: Vec<String> = of_layers
        .map(ToString::to_string)
        .chain(of_values.map(|wrong| format!("{}: {}", wrong.key, wrong.what)))
        .collect();
    Ok(match wrong.as_slice() {
        [] => Finding::pass("the configuration is right for serving"),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
            Finding::fail(format!("the configuration is wrong: {first}{more}")).with(wrong.clone())
        }
    })
}

/// `options-documented`: the reference names every option and its variable.
pub(super) fn documented(_: &ServiceProbes, question: &Question<'_>) -> Found {
    question.told_nothing()?;
    let reference = question.document(REFERENCE)?;
    let options = options::options();
    let names = options
        .iter()
        .flat_map(|option| [format!("`--{}`", option.flag), format!("`{}`", option.variable)])
        .collect::<Vec<_>>();
    Ok(match names.iter().find(|name| !reference.contains(name.as_str())) {
        Some(name) => {
            Finding::fail(format!("{REFERENCE} does not name {name}, and has to name every option"))
        }
        None => {
            Finding::pass(format!("{REFERENCE} names all {} options with their variables", options.len()))
        }
    })
}

/// `unknown-variables`: nothing is given by a variable that nobody reads.
pub(super) fn unknown_variables(probes: &ServiceProbes, question: &Question<'_>) -> Found {
    question.told_nothing()?;
    let is_plain = |name: &&str| !is_named_as_secret(name);
    let unknown = probes.problems.iter().filter_map(unknown_variable).filter(is_plain);
    Ok(match unknown.collect::<Vec<_>>().as_slice() {
        [] => Finding::pass("every variable SPREADSHEET_MCP_* is one of an option"),
        names => {
            Finding::fail(format!("no option reads {}: correct the name, or take it away", names.join(", ")))
        }
    })
}

/// The variable, where the problem is that no option reads it.
pub(super) fn unknown_variable(problem: &Problem) -> Option<&str> {
    let Origin::Variable(name) = &problem.origin else { return None };
    let is_of_option = options::options().iter().any(|option| option.variable == *name);
    (name.starts_with(options::VARIABLE_PREFIX) && !is_of_option).then_some(name)
}
