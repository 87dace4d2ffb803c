//! What is logged, checked before anything starts.

use std::{fmt, str::FromStr};

use tracing_subscriber::EnvFilter;

use crate::near_miss::near_misses;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Directives of `tracing`: a level, or levels per module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

/// Text that is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidLogFilter(String);

impl LogFilter {
    /// The filter, and nothing of a module.
    #[must_use]
    pub fn without(&self, module: &str) -> LogFilter {
        LogFilter(format!("{},{module}=off", self.0))
    }

    /// The filter, ready for use.
    pub fn to_env_filter(&self) -> EnvFilter {
        EnvFilter::builder().parse_lossy(&self.0)
    }
}

impl FromStr for LogFilter {
    type Err = InvalidLogFilter;

    fn from_str(text: &str) -> Result<LogFilter, InvalidLogFilter> {
        EnvFilter::builder().parse(text).map_err(|error| InvalidLogFilter(error.to_string()))?;
        // A word alone is the name of a module: a misspelled level would be taken for one, and nothing else be logged.
        for word in text.split(',').map(str::trim) {
            let is_level = LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
            let is_plain = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic());
            if is_plain
                && !is_level
                && let Some(level) = near_misses(word, LEVELS).first()
            {
                return Err(InvalidLogFilter(format!("there is no level \"{word}\"; did you mean {level}?")));
            }
        }
        Ok(LogFilter(text.to_owned()))
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelled_levels_are_no_modules() {
        for right in ["info", "WARN", "server=debug,info", "hyper", "server::forks=trace", "off"] {
            assert!(right.parse::<LogFilter>().is_ok(), "{right}");
        }
        for wrong in ["warning", "info,debgu", "server=loud", "=info"] {
            assert!(wrong.parse::<LogFilter>().is_err(), "{wrong}");
        }
    }
}
