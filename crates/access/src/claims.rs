//! What a token says, read by the names that providers give it.

use serde_json::{Map, Value};

use crate::PrincipalId;

/// The claims of a token (RFC 7519 §4).
#[derive(Debug)]
pub(crate) struct Claims(pub(crate) Map<String, Value>);

impl Claims {
    /// A claim. `.` leads into objects, as in `realm_access.roles`.
    pub(crate) fn at(&self, path: &str) -> Option<&Value> {
        at(&self.0, path)
    }

    /// A text, which is not empty.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.at(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// A text that can be a name.
    pub(crate) fn name(&self, path: &str) -> Option<PrincipalId> {
        self.text(path)?.parse().ok()
    }

    /// The texts of a claim: a list of them, or one with spaces between them.
    pub(crate) fn words(&self, path: &str) -> Vec<&str> {
        match self.at(path) {
            Some(Value::String(text)) => text.split(' ').filter(|word| !word.is_empty()).collect(),
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The items of a list of texts, or one text as it is; nothing where there is anything else.
    pub(crate) fn list(&self, path: &str) -> Option<Vec<&str>> {
        match self.at(path)? {
            Value::String(text) => Some(vec![text]),
            Value::Array(items) => items.iter().map(Value::as_str).collect(),
            _ => None,
        }
    }

    /// A moment in seconds since 1970 (RFC 7519 §2, NumericDate). One that is there and is none is an error: it must not count as
    /// left out.
    pub(crate) fn moment(&self, claim: &str) -> Result<Option<f64>, ()> {
        match self.0.get(claim) {
            None => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or(()),
        }
    }
}

fn at<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    // Some providers name claims by URLs, which have dots.
    if let Some(found) = claims.get(path) {
        return Some(found);
    }
    let (first, rest) = path.split_once('.')?;
    at(claims.get(first)?.as_object()?, rest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_found_by_path() {
        let claims = json!({
            "realm_access": { "roles": ["viewer", 7, "editor"] }, "https://id.example.org/paths": ["finance"],
            "scope": "a  b", "exp": "tomorrow", "nbf": 5
        });
        let claims = Claims(claims.as_object().expect("an object").clone());
        assert_eq!(claims.words("realm_access.roles"), ["viewer", "editor"]);
        assert_eq!(claims.list("realm_access.roles"), None);
        assert_eq!(claims.list("https://id.example.org/paths"), Some(vec!["finance"]));
        assert_eq!(claims.words("scope"), ["a", "b"]);
        assert_eq!(
            (claims.moment("exp"), claims.moment("nbf"), claims.moment("iat")),
            (Err(()), Ok(Some(5.0)), Ok(None))
        );
    }
}
