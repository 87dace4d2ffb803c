//! Rules over documents: where to look, and what has to be there.

use std::fmt;

use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A regular expression; `^` and `$` match at lines.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Pattern(Regex);

impl Pattern {
    /// Whether it is found in a text.
    pub fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The first place of a text where it is found.
    pub fn first_in<'a>(&self, text: &'a str) -> Option<&'a str> {
        self.0.find(text).map(|found| found.as_str())
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Pattern, String> {
        let built = RegexBuilder::new(&text).multi_line(true).size_limit(1 << 20).build();
        built.map(Pattern).map_err(|error| error.to_string())
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.0.as_str().to_owned()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.as_str())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// What has to be at a place of a document. All that is given has to hold, for every value that is found there; unless `absent` is
/// given at least one has to be found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// Where.
    #[serde(default)]
    pub at: Place,
    /// It is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Value>,
    /// It is one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<Value>,
    /// It is no less: a number, a quantity of Kubernetes (`500m`, `512Mi`) or a time (`30s`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Value>,
    /// It is no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Value>,
    /// It is a text in which this is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<Pattern>,
    /// It is a text in which this is not found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacks: Option<Pattern>,
    /// It is a list or an object with at least so many items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_at_least: Option<usize>,
    /// It is a list that has this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<Value>,
    /// Nothing is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub absent: bool,
}

/// Why a document does not fulfil a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Breach {
    /// Where.
    pub place: String,
    /// What is there, and what should be.
    pub what: String,
}

impl Rule {
    /// Holds a document against it.
    ///
    /// # Errors
    /// The first value that is not as it should be, or that nothing is there.
    pub fn check(&self, document: &Value) -> Result<(), Breach> {
        let breach = |what: String| Breach { place: self.at.to_string(), what };
        let found = self.at.find(document).map_err(|place| Breach {
            place,
            what: "nothing is there, and every one has to have it".to_owned(),
        });
        if self.absent {
            return match found.unwrap_or_default().first() {
                Some(value) => Err(breach(format!("{} is there, and must not be", shown(value)))),
                None => Ok(()),
            };
        }
        let found = found?;
        if found.is_empty() {
            return Err(breach("nothing is there".to_owned()));
        }
        found.iter().try_for_each(|value| self.check_value(value).map_err(breach))
    }

    fn check_value(&self, value: &Value) -> Result<(), String> {
        let is = shown(value);
        if let Some(wanted) = &self.equals
            && !is_same(value, wanted)
        {
            return Err(format!("it is {is}, and has to be {}", shown(wanted)));
        }
        if !self.one_of.is_empty() && !self.one_of.iter().any(|wanted| is_same(value, wanted)) {
            let wanted: Vec<String> = self.one_of.iter().map(shown).collect();
            return Err(format!("it is {is}, and has to be one of {}", wanted.join(", ")));
        }
        if let Some(least) = &self.at_least
            && !compared(value, least)?.is_ge()
        {
            return Err(format!("it is {is}, and has to be at least {}", shown(least)));
        }
        if let Some(most) = &self.at_most
            && !compared(value, most)?.is_le()
        {
            return Err(format!("it is {is}, and has to be at most {}", shown(most)));
        }
        if let Some(pattern) = &self.matches
            && !text_of(value).is_some_and(|text| pattern.is_in(&text))
        {
            return Err(format!("it is {is}, and has to match {pattern}"));
        }
        if let Some(pattern) = &self.lacks
            && text_of(value).is_some_and(|text| pattern.is_in(&text))
        {
            return Err(format!("{pattern} is in it, and must not be"));
        }
        if let Some(least) = self.items_at_least {
            let count =
                value.as_array().map(Vec::len).or_else(|| value.as_object().map(serde_json::Map::len));
            if count.is_none_or(|count| count < least) {
                return Err(format!(
                    "it has {} items, and has to have at least {least}",
                    count.unwrap_or_default()
                ));
            }
        }
        if let Some(wanted) = &self.contains
            && !value.as_array().is_some_and(|items| items.iter().any(|item| is_same(item, wanted)))
        {
            return Err(format!("{} is not in it: {is}", shown(wanted)));
        }
        Ok(())
    }
}

/// A value in few words.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 120;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn is_same(value: &Value, wanted: &Value) -> bool {
    match (value.as_f64(), wanted.as_f64()) {
        (Some(value), Some(wanted)) => value == wanted,
        _ => value == wanted,
    }
}

fn compared(value: &Value, bound: &Value) -> Result<std::cmp::Ordering, String> {
    let amount = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => quantity(text),
        _ => None,
    };
    let no_amount = |value: &Value| format!("{} is no number, quantity or time", shown(value));
    let (is, wanted) =
        (amount(value).ok_or_else(|| no_amount(value))?, amount(bound).ok_or_else(|| no_amount(bound))?);
    Ok(is.total_cmp(&wanted))
}

/// A number with the suffix of a quantity of Kubernetes, a time in seconds, or a percentage as it is.
fn quantity(text: &str) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 13] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("%", 1.0),
        ("ms", 1e-3),
        ("s", 1.0),
        ("h", 3600.0),
        ("d", 86_400.0),
    ];
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let with = |(suffix, factor): &(&str, f64)| {
        text.strip_suffix(suffix)?.parse::<f64>().ok().map(|number| number * factor)
    };
    // `5m` is five thousandths to Kubernetes and five minutes to Prometheus: bounds are written in the other one's unit as well, and
    // what is compared is of one kind.
    SUFFIXES
        .iter()
        .find_map(with)
        .or_else(|| text.strip_suffix('m')?.parse::<f64>().ok().map(|number| number * 1e-3))
}

/// A place of a document: keys and positions with `/` between them, as in JSON Pointer (RFC 6901), and besides
///
/// - `*`: every item of a list or object, each of which has to have the rest;
/// - `+`: those items that have the rest;
/// - `[key=value]`: the items of a list whose `key` has that value;
/// - `|toml`, `|yaml`, `|json`: the text that is there, read as such a document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Place(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Every,
    Any,
    With { key: String, value: String },
    Read(Syntax),
}

/// How a text is a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    Toml,
    Yaml,
    Json,
}

impl Syntax {
    /// That of an extension.
    pub(crate) fn of_extension(extension: &str) -> Option<Syntax> {
        match extension {
            "toml" => Some(Syntax::Toml),
            "yaml" | "yml" => Some(Syntax::Yaml),
            "json" | "sarif" => Some(Syntax::Json),
            _ => None,
        }
    }

    /// The documents of a text: YAML may have several.
    pub(crate) fn documents(self, text: &str) -> Result<Vec<Value>, String> {
        match self {
            Syntax::Toml => toml::from_str(text).map(|value| vec![value]).map_err(|error| error.to_string()),
            Syntax::Json => {
                serde_json::from_str(text).map(|value| vec![value]).map_err(|error| error.to_string())
            }
            Syntax::Yaml => serde_saphyr::from_multiple(text).map_err(|error| error.to_string()),
        }
    }
}

impl Place {
    /// The values that are there; the place of an item that lacks what each has to have.
    fn find<'a>(&self, document: &'a Value) -> Result<Vec<std::borrow::Cow<'a, Value>>, String> {
        find(&self.0, document)
    }
}

fn find<'a>(steps: &[Step], value: &'a Value) -> Result<Vec<std::borrow::Cow<'a, Value>>, String> {
    use std::borrow::Cow;
    let Some((step, rest)) = steps.split_first() else { return Ok(vec![Cow::Borrowed(value)]) };
    let children = || -> Vec<(String, &'a Value)> {
        match value {
            Value::Array(items) => {
                items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect()
            }
            Value::Object(fields) => fields.iter().map(|(key, item)| (key.clone(), item)).collect(),
            _ => Vec::new(),
        }
    };
    match step {
        Step::Key(key) => {
            let below = match value {
                Value::Object(fields) => fields.get(key),
                Value::Array(items) => key.parse().ok().and_then(|at: usize| items.get(at)),
                _ => None,
            };
            below.map_or(Ok(Vec::new()), |below| find(rest, below))
        }
        Step::Every => {
            let mut found = Vec::new();
            for (name, child) in children() {
                let below = find(rest, child)?;
                if below.is_empty() {
                    let label = child.get("name").and_then(Value::as_str).map_or(name, str::to_owned);
                    return Err(format!("{label}{}", Place(rest.to_vec())));
                }
                found.extend(below);
            }
            Ok(found)
        }
        Step::Any => {
            let mut found = Vec::new();
            for (_, child) in children() {
                found.extend(find(rest, child)?);
            }
            Ok(found)
        }
        Step::With { key, value: wanted } => {
            let mut found = Vec::new();
            for (_, child) in children() {
                if child.get(key).and_then(text_of).as_deref() == Some(wanted) {
                    found.extend(find(rest, child)?);
                }
            }
            Ok(found)
        }
        Step::Read(syntax) => {
            let Some(text) = value.as_str() else { return Ok(Vec::new()) };
            let documents = syntax.documents(text).map_err(|error| format!("as a document: {error}"))?;
            let mut found = Vec::new();
            for document in documents {
                let below = find(rest, &document)?;
                found.extend(below.into_iter().map(|value| Cow::Owned(value.into_owned())));
            }
            Ok(found)
        }
    }
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Place, String> {
        if text.is_empty() {
            return Ok(Place::default());
        }
        let steps =
            text.strip_prefix('/').ok_or_else(|| format!("{text:?} is no place: it begins with /"))?;
        steps.split('/').map(step).collect::<Result<_, _>>().map(Place)
    }
}

fn step(text: &str) -> Result<Step, String> {
    let plain = |text: &str| text.replace("~1", "/").replace("~0", "~");
    Ok(match text {
        "*" => Step::Every,
        "+" => Step::Any,
        "|toml" => Step::Read(Syntax::Toml),
        "|yaml" => Step::Read(Syntax::Yaml),
        "|json" => Step::Read(Syntax::Json),
        _ if text.starts_with('|') => return Err(format!("{text:?}: only |toml, |yaml and |json are read")),
        _ if text.starts_with('[') => {
            let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
            let (key, value) = inner
                .and_then(|inner| inner.split_once('='))
                .ok_or_else(|| format!("{text:?} is no choice of items: [key=value]"))?;
            Step::With { key: plain(key), value: plain(value) }
        }
        _ => Step::Key(plain(text)),
    })
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |text: &str| text.replace('~', "~0").replace('/', "~1");
        self.0.iter().try_for_each(|step| match step {
            Step::Key(key) => write!(f, "/{}", plain(key)),
            Step::Every => f.write_str("/*"),
            Step::Any => f.write_str("/+"),
            Step::With { key, value } => write!(f, "/[{}={}]", plain(key), plain(value)),
            Step::Read(Syntax::Toml) => f.write_str("/|toml"),
            Step::Read(Syntax::Yaml) => f.write_str("/|yaml"),
            Step::Read(Syntax::Json) => f.write_str("/|json"),
        })
    }
}

impl From<Place> for String {
    fn from(place: Place) -> String {
        place.to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(rule: Value, document: &Value, expected: &str) {
        let rule: Rule = serde_json::from_value(rule).unwrap();
        let told = rule.check(document).map_or_else(|breach| breach.to_string(), |()| "ok".to_owned());
        assert_eq!(told, expected);
    }

    #[test]
    fn places_are_found_and_held_against_bounds() {
        let pod = json!({ "containers": [
            { "name": "a", "limits": { "memory": "2Gi", "cpu": "500m" }, "root": true },
            { "name": "b", "limits": { "memory": "512Mi" } },
        ], "config": "[limits]\nbytes = 1000000\n" });
        check(
            json!({ "at": "/containers/*/limits/memory", "at-least": "512Mi", "at-most": "2Gi" }),
            &pod,
            "ok",
        );
        check(
            json!({ "at": "/containers/*/limits/memory", "at-most": "1Gi" }),
            &pod,
            r#"/containers/*/limits/memory: it is "2Gi", and has to be at most "1Gi""#,
        );
        check(
            json!({ "at": "/containers/*/root", "equals": true }),
            &pod,
            "b/root: nothing is there, and every one has to have it",
        );
        check(json!({ "at": "/containers/+/root", "equals": true }), &pod, "ok");
        check(json!({ "at": "/containers/[name=a]/limits/cpu", "at-least": 0.5 }), &pod, "ok");
        check(
            json!({ "at": "/containers/[name=c]/limits" }),
            &pod,
            "/containers/[name=c]/limits: nothing is there",
        );
        check(json!({ "at": "/config/|toml/limits/bytes", "equals": 1_000_000 }), &pod, "ok");
        check(json!({ "at": "/containers", "items-at-least": 2 }), &pod, "ok");
        check(json!({ "at": "/volumes", "absent": true }), &pod, "ok");
        check(
            json!({ "at": "/containers/0/name", "absent": true }),
            &pod,
            r#"/containers/0/name: "a" is there, and must not be"#,
        );
        check(
            json!({ "at": "/containers/0/name", "at-least": 1 }),
            &pod,
            r#"/containers/0/name: "a" is no number, quantity or time"#,
        );
    }

    #[test]
    fn a_place_that_is_none_is_refused() {
        for (wrong, why) in [
            ("containers", "\"containers\" is no place: it begins with /"),
            ("/a/[name]", "\"[name]\" is no choice of items: [key=value]"),
            ("/a/|xml", "\"|xml\": only |toml, |yaml and |json are read"),
        ] {
            assert_eq!(Place::try_from(wrong.to_owned()).unwrap_err(), why);
        }
    }
}
