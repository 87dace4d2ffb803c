//! A question to Prometheus.

use serde::Deserialize;

use super::Found;
use crate::{
    context::{Context, Finding},
    spec::PromqlCheck,
};

/// The answer to an instant query (<https://prometheus.io/docs/prometheus/latest/querying/api/>).
#[derive(Deserialize)]
struct Answer {
    status: String,
    error: Option<String>,
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<Series>),
    Scalar((f64, String)),
    // What no bounds can be held against.
    Matrix(serde::de::IgnoredAny),
    String(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
struct Series {
    metric: serde_json::Map<String, serde_json::Value>,
    value: (f64, String),
}

pub(super) fn find(check: &PromqlCheck, context: &Context<'_>) -> Found {
    let Some(prometheus) = &context.prometheus else {
        return Err(Finding::not_run("the run was not given a Prometheus"));
    };
    let query = context.filled(&check.query)?;
    let url = format!("{}/api/v1/query", prometheus.as_str().trim_end_matches('/'));
    let asked = context.client.get(url).query(&[("query", &query)]).timeout(context.timeout).send();
    let answer = asked.and_then(reqwest::blocking::Response::bytes).map_err(|error| {
        let unanswered = Finding::unanswered("Prometheus", &error);
        Finding::error(unanswered.summary)
    })?;
    let answer: Answer = serde_json::from_slice(&answer)
        .map_err(|error| Finding::error(format!("what answers is no Prometheus: {error}")))?;
    if answer.status != "success" {
        let why = answer.error.unwrap_or(answer.status);
        return Err(Finding::error(format!("Prometheus refuses the question: {why}")));
    }
    let values: Vec<(String, f64)> = match answer.data {
        Some(Data::Vector(series)) => {
            series.iter().map(|series| (named(series), number(&series.value.1))).collect()
        }
        Some(Data::Scalar((_, value))) => vec![(query.clone(), number(&value))],
        _ => return Err(Finding::error("the answer of Prometheus is neither a vector nor a scalar")),
    };
    let seen: Vec<String> = std::iter::once(query.clone())
        .chain(values.iter().take(12).map(|(name, value)| format!("{name} = {value}")))
        .collect();
    Ok(judged(check, &values).with(seen))
}

fn judged(check: &PromqlCheck, values: &[(String, f64)]) -> Finding {
    if values.is_empty() {
        return if check.empty_is_right {
            Finding::pass("there is nothing of the kind, as it has to be")
        } else {
            Finding::fail("Prometheus knows nothing of it")
        };
    }
    for (name, value) in values {
        // What is no number, as a share of nothing, is within no bounds.
        if let Some(least) =
            check.at_least.filter(|least| value.partial_cmp(least).is_none_or(std::cmp::Ordering::is_lt))
        {
            return Finding::fail(format!("{name} is {value}, and has to be at least {least}"));
        }
        if let Some(most) =
            check.at_most.filter(|most| value.partial_cmp(most).is_none_or(std::cmp::Ordering::is_gt))
        {
            return Finding::fail(format!("{name} is {value}, and has to be at most {most}"));
        }
    }
    if check.at_least.is_none() && check.at_most.is_none() {
        return Finding::fail(format!("there is {}, and must be nothing of the kind", values[0].0));
    }
    Finding::pass(format!("{} is {}", values[0].0, values[0].1))
}

fn named(series: &Series) -> String {
    let labels: Vec<String> = series
        .metric
        .iter()
        .filter(|(name, _)| *name != "__name__")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let name = series.metric.get("__name__").and_then(serde_json::Value::as_str).unwrap_or("it");
    if labels.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", labels.join(",")) }
}

fn number(text: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        _ => text.parse().unwrap_or(f64::NAN),
    }
}
