//! What must not be read in logs, metrics and traces (PRIVATE): types that print no content, whoever prints them.

use std::fmt;

use crate::config::LogLinesConfig;

/// What is printed instead.
const REDACTED: &str = "[redacted]";

/// Contents of cells, formulas, tokens, keys: whatever may be used but not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// A value that is not to be printed.
    pub fn new(value: T) -> Private<T> {
        Private(value)
    }

    /// The value, for use. Whoever prints it breaks PRIVATE.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> fmt::Display for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// The name of a file that the log may tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// A name, if the operator lets the log tell names.
    pub fn if_told(name: &str, rules: &LogLinesConfig) -> Option<FileName> {
        rules.log_file_names.then(|| FileName(name.to_owned()))
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_private_is_printed() {
        let key = Private::new("secret".to_owned());
        assert_eq!(format!("{key} {key:?} {key:#?}"), "[redacted] [redacted] [redacted]");
        assert_eq!(key.expose(), "secret");
    }

    #[test]
    fn files_are_named_where_the_operator_allows_it() {
        let told = |log_file_names| {
            let rules = LogLinesConfig { log_file_names, ..LogLinesConfig::default() };
            FileName::if_told("a.xlsx", &rules).map(|name| name.to_string())
        };
        assert_eq!((told(false), told(true)), (None, Some("a.xlsx".to_owned())));
    }
}
