//! A request, and what comes back.

use reqwest::{Method, Url};

use super::{Found, body, check_rules, check_text, excerpt};
use crate::{
    context::{Context, Finding},
    spec::HttpCheck,
};

pub(super) fn find(check: &HttpCheck, context: &Context<'_>) -> Found {
    let Some(base) = context.endpoints.get(&check.endpoint) else {
        return Err(Finding::not_run(format!("the run was not given the endpoint {}", check.endpoint)));
    };
    let path = context.filled(&check.path)?;
    let url = joined(base, &path).map_err(|error| Finding::error(format!("{path} is no path: {error}")))?;
    let method: Method =
        check.method.parse().map_err(|_| Finding::error(format!("{} is no method", check.method)))?;
    let mut request = context.client.request(method, url.clone()).timeout(context.timeout);
    for (name, value) in &check.headers {
        request = request.header(name, context.filled(value)?);
    }
    if check.authenticated {
        let Some(credentials) = &context.authorization else {
            return Err(Finding::not_run("the run was not given credentials"));
        };
        request = request.header("authorization", credentials);
    }
    if let Some(body) = &check.body {
        request = request.body(context.filled(body)?);
    }
    let asked = format!("{} {path} of {}", check.method, check.endpoint);
    let answer = request.send().map_err(|error| Finding::unanswered(&asked, &error))?;
    let status = answer.status();
    let headers = answer.headers().clone();
    let bytes = body(answer, &asked)?;
    let text = String::from_utf8_lossy(&bytes);
    let seen = std::iter::once(format!("{asked}: {status}")).chain(excerpt(&text));
    let judged = (|| {
        if status.as_u16() != check.status {
            return Err(Finding::fail(format!(
                "{asked} answers {status}, and has to answer {}",
                check.status
            )));
        }
        for (name, pattern) in &check.answer_headers {
            let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            if !pattern.is_in(value) {
                return Err(Finding::fail(format!(
                    "{asked}: the header {name} is {value:?}, and has to match {pattern}"
                )));
            }
        }
        check_text(&text, &check.holds, &check.lacks, &format!("the answer to {asked}"))?;
        if !check.rules.is_empty() {
            let document = serde_json::from_str(&text)
                .map_err(|error| Finding::fail(format!("{asked} does not answer with JSON: {error}")))?;
            check_rules(&document, &check.rules, &format!("the answer to {asked}: "))?;
        }
        Ok(Finding::pass(format!("{asked} answers {status}")))
    })();
    match judged {
        Ok(finding) | Err(finding) => Ok(finding.with(seen)),
    }
}

/// Below the path that the endpoint has, if any.
fn joined(base: &Url, path: &str) -> Result<Url, url::ParseError> {
    Url::parse(&format!("{}{path}", base.as_str().trim_end_matches('/')))
}
