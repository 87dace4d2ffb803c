//! The page of the checklist, and what is shown in its place.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use axum::{
    http::{StatusCode, Uri},
    response::{Html, IntoResponse as _, Response},
};
use checklist::{
    ledger::{Act, Ledger},
    place::{Known, Place},
    record::Subject,
    report::html::{self as report, style, style_hash},
    verdict,
};
use chrono::Utc;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{of_ledger, on_disk, place, unknown};
use crate::{Server, error::ToolError, refused};

/// The style of what reports do not have: the form.
const STYLE: &str = include_str!("console.css");

/// What pages may do (CSP 3): load the one script, and ask this server.
pub(super) fn policy() -> String {
    format!(
        "default-src 'none'; style-src {} {}; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'",
        style_hash(),
        report::hash_of(STYLE)
    )
}

/// The page, of the last run of an environment or of any.
pub(super) async fn show(server: &Arc<Server>, uri: &Uri) -> Result<String, ToolError> {
    let place = place(server)?;
    let environment = environment(uri);
    on_disk(move || {
        let ledger = Ledger::read(&place.ledger).map_err(|error| of_ledger(&error))?;
        let known = place.known(&ledger, None, environment.as_deref(), Utc::now());
        let known = known.map_err(|error| unknown(&error))?;
        Ok(page(&place, &ledger, &known).into_string())
    })
    .await
}

/// The environment that a URL names.
fn environment(uri: &Uri) -> Option<String> {
    let query = uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "environment")
        .map(|(_, value)| value.into_owned())
}

/// A page, as it is sent.
pub(super) fn response(page: String) -> Response {
    Html(page).into_response()
}

/// An error, to people.
pub(super) fn refused(error: &ToolError) -> Response {
    refused_with(refused::status(error.code), error)
}

pub(super) fn refused_with(status: StatusCode, error: &ToolError) -> Response {
    let heading = match status {
        StatusCode::UNAUTHORIZED => "Who are you?",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::NOT_FOUND => "Nothing to show",
        _ => "Not now",
    };
    let page = document(
        &html! { (heading) },
        &html! {
            h1 { (heading) }
            p { (sentence(&error.message)) }
            @if let Some(hint) = &error.hint { p { (sentence(hint)) } }
        },
        false,
    );
    (status, Html(page.into_string())).into_response()
}

/// What errors say in fragments, as a sentence; one that begins with a path begins as that is written.
fn sentence(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default().trim_end_matches(['.', ',', ':', ';']);
    let mut letters = text.chars();
    let first = letters.next().into_iter();
    let first: String = match word.chars().all(char::is_alphabetic) {
        true => first.flat_map(char::to_uppercase).collect(),
        false => first.collect(),
    };
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

fn document(title: &Markup, main: &Markup, has_script: bool) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" class="checklist-page" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Browsers ask for an icon otherwise.
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(style())) }
                style { (PreEscaped(STYLE)) }
                @if has_script { script src="checklist.js" defer {} }
            }
            body {
                main class="checklist" { (main) }
            }
        }
    }
}

fn page(place: &Place, ledger: &Ledger, known: &Known) -> Markup {
    let assessment = &known.assessment;
    // A checklist that has changed since is not the one that was run.
    let current = Subject { checklist: known.loaded.digest, ..assessment.subject.clone() };
    let judgement = verdict::judge(assessment, &current);
    let signing = html! { @if !assessment.sign_offs.is_empty() { (signing(place, known)) } };
    let main = html! {
        (environments(ledger, &assessment.subject.environment))
        (report::body_to_sign(assessment, &judgement, &signing))
    };
    document(&report::title(assessment, &judgement), &main, true)
}

/// The environments that were judged, where there are several.
fn environments(ledger: &Ledger, shown: &str) -> Markup {
    let names: BTreeSet<&str> = ledger
        .entries()
        .iter()
        .filter_map(|entry| match &entry.act {
            Act::Run { environment, .. } => Some(environment.as_str()),
            _ => None,
        })
        .collect();
    html! {
        @if names.len() > 1 {
            nav class="environments" aria-label="Environments" {
                ul {
                    @for name in names {
                        @let target = format!("?environment={}", utf8_percent_encode(name, NON_ALPHANUMERIC));
                        li { a href=(target) aria-current=[(name == shown).then_some("page")] { (name) } }
                    }
                }
            }
        }
    }
}

/// How to sign: here with a key file, or by the command.
fn signing(place: &Place, known: &Known) -> Markup {
    let assessment = &known.assessment;
    let roles = known.loaded.spec.roles.iter().filter(|(_, role)| role.signs);
    let state = assessment.state.to_string();
    let environment = &assessment.subject.environment;
    html! {
        section class="signing" aria-labelledby="sign" {
            h2 id="sign" { "Sign" }
            p {
                "A signature is about run " code { (assessment.record.short()) } " and everything that was stated and waived, as \
                 this page shows it. It was run by " (assessment.author) ", and somebody else signs."
            }
            form id="sign-form" hidden autocomplete="off" aria-labelledby="sign" data-state=(state)
                data-environment=(environment) {
                div {
                    label for="person" { "Person" }
                    input id="person" name="person" type="text" required maxlength="200" spellcheck="false"
                        aria-describedby="person-note";
                    p id="person-note" class="quiet" { "As the trusted keys name you." }
                }
                div {
                    label for="role" { "Role" }
                    select id="role" name="role" required {
                        @for (name, role) in roles {
                            option value=(name) { (role.title) }
                        }
                    }
                }
                div {
                    label for="key" { "Key file" }
                    input id="key" name="key" type="file" required accept=".pem,.key,application/x-pem-file"
                        aria-describedby="key-note";
                    p id="key-note" class="quiet" {
                        "The private key that " code { "spreadsheet-mcp checklist keys create" } " has written. It stays in this \
                         browser: only the signature is sent."
                    }
                }
                button type="submit" { "Sign" }
            }
            p id="sign-told" role="status" {}
            details open {
                summary { "Sign by command" }
                p { "Where the ledger is:" }
                pre tabindex="0" aria-label="The command that signs" { (command(place, environment)) }
            }
        }
    }
}

/// The command that does the same.
fn command(place: &Place, environment: &str) -> String {
    let path = |path: &Path| quoted(&path.to_string_lossy());
    format!(
        "spreadsheet-mcp checklist sign --checklist {} --ledger {} --keys {} --environment {} --role ROLE --person NAME --key \
         KEY.pem",
        path(&place.checklist),
        path(&place.ledger),
        path(&place.keys),
        quoted(environment)
    )
}

/// A word as shells take it.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "/._-+:@%,".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_safe_to_copy() {
        for (word, expected) in [
            ("checklist/production.yaml", "checklist/production.yaml"),
            ("my list.yaml", "'my list.yaml'"),
            ("a'b; rm", r"'a'\''b; rm'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn people_are_told_sentences() {
        assert_eq!(sentence("this is why"), "This is why.");
        assert_eq!(sentence("ask. Or not?"), "Ask. Or not?");
        assert_eq!(sentence("gate/ledger has no run yet"), "gate/ledger has no run yet.");
        assert_eq!(sentence("ü is no letter of ours"), "Ü is no letter of ours.");
    }
}
