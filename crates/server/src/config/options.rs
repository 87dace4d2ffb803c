//! Which options there are, read from their definitions.

use std::any::TypeId;

use clap::{Arg, Args, Command, builder::Resettable};

use super::{
    LiveConfig, LogConfig, Settings,
    secret::{REDACTED, SecretFile},
};
use crate::{flags::Rollout, near_miss::near_misses};

/// What all variables begin with.
pub const VARIABLE_PREFIX: &str = "SPREADSHEET_MCP_";

/// Integers that must not be smaller; others may be 0.
const LEAST: [(&str, u64); 17] = [
    ("tool_timeout_ms", 1),
    ("max_response_bytes", 4_096),
    ("max_cells", 1),
    ("max_items", 1),
    ("max_request_bytes", 1_024),
    ("max_concurrent_calls", 1),
    ("max_file_bytes", 1),
    ("cache_capacity", 1),
    ("cache_bytes", 1 << 20),
    ("fork_cleanup_interval", 1),
    ("oidc_refresh_interval", 1),
    ("oidc_max_stale", 1),
    ("vault_refresh_interval", 1),
    ("max_concurrent_transfers", 1),
    ("transfer_timeout_ms", 1),
    ("scan_timeout_ms", 1),
    ("url_ttl", 1),
];

/// What values an option takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number, at least this.
    Integer {
        /// The least.
        least: u64,
    },
    /// Any text: paths, addresses, filters.
    Text,
    /// Texts.
    List,
    /// One of these.
    Choice(Vec<String>),
    /// `true`, `false` or a percentage.
    Rollout,
}

/// An option.
#[derive(Debug, Clone)]
pub struct ConfigOption {
    /// The key in its section of the file: the name of the flag with underscores.
    pub key: String,
    /// The section of the file.
    pub section: String,
    /// The name of the flag, without dashes.
    pub flag: String,
    /// The variable.
    pub variable: String,
    /// What values it takes.
    pub kind: Kind,
    /// The value where nobody gives one.
    pub default: Option<String>,
    /// What it is, for people.
    pub about: String,
    /// What stands for the value in the help.
    pub placeholder: String,
    /// Whether a reload changes it.
    pub is_live: bool,
    /// Whether its value is redacted.
    pub is_secret: bool,
    definition: Arg,
}

/// All options, in the order of their sections.
pub fn options() -> Vec<ConfigOption> {
    options_of::<Settings>()
}

/// The options that a struct defines.
pub(crate) fn options_of<T: Args>() -> Vec<ConfigOption> {
    let live = LogConfig::augment_args(LiveConfig::augment_args(Command::new("live")));
    let is_live = |arg: &Arg| live.get_arguments().any(|known| known.get_id() == arg.get_id());
    let defined = T::augment_args(Command::new("options"));
    defined.get_arguments().filter_map(|arg| ConfigOption::of(arg, is_live(arg))).collect()
}

impl ConfigOption {
    fn of(arg: &Arg, is_live: bool) -> Option<ConfigOption> {
        let key = arg.get_id().to_string();
        let delimiter = arg.get_value_delimiter().map(String::from).unwrap_or_default();
        let defaults: Vec<String> =
            arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
        let is_default = !arg.get_default_values().is_empty();
        Some(ConfigOption {
            section: arg.get_help_heading()?.to_lowercase(),
            flag: arg.get_long()?.to_owned(),
            variable: arg.get_env()?.to_str()?.to_owned(),
            kind: Kind::of(arg, &key),
            default: is_default.then(|| defaults.join(&delimiter)),
            about: arg.get_help().map(ToString::to_string).unwrap_or_default(),
            placeholder: arg
                .get_value_names()
                .and_then(|names| names.first())
                .map(ToString::to_string)
                .unwrap_or_default(),
            is_live,
            is_secret: arg.get_value_parser().type_id() == TypeId::of::<SecretFile>(),
            // Only what is handed in counts, and not what clap finds itself.
            definition: arg.clone().env(Resettable::Reset).global(false),
            key,
        })
    }

    /// The section and the key.
    pub fn name(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }

    /// What is wrong with a value, if anything is.
    pub(crate) fn check(&self, text: &std::ffi::OsStr) -> Result<(), String> {
        let mut argument = std::ffi::OsString::from(format!("--{}=", self.flag));
        argument.push(text);
        let mut alone = Command::new("option").no_binary_name(true).arg(&self.definition);
        if let Err(error) = alone.try_get_matches_from_mut([argument]) {
            if self.is_secret {
                return Err("the value is wrong".to_owned());
            }
            // Who is told knows where the value comes from; only now is the definition complete enough to be written.
            let named = alone.get_arguments().next().map(|arg| format!(" for '{arg}'")).unwrap_or_default();
            return Err(in_one_line(&error).replace(&named, ""));
        }
        let value = text.to_str().and_then(|text| text.parse::<u64>().ok());
        match (&self.kind, value) {
            (Kind::Integer { least }, Some(value)) if value < *least => {
                Err(format!("{value} is too small; the least is {least}"))
            }
            _ => Ok(()),
        }
    }
}

impl Kind {
    fn of(arg: &Arg, key: &str) -> Kind {
        let parser = arg.get_value_parser();
        let is = |id: TypeId| parser.type_id() == id;
        if is(TypeId::of::<bool>()) {
            return Kind::Boolean;
        }
        if is(TypeId::of::<u64>()) || is(TypeId::of::<u32>()) || is(TypeId::of::<usize>()) {
            let least = LEAST.iter().find(|(name, _)| *name == key).map_or(0, |(_, least)| *least);
            return Kind::Integer { least };
        }
        if is(TypeId::of::<Rollout>()) {
            return Kind::Rollout;
        }
        if arg.get_value_delimiter().is_some() {
            return Kind::List;
        }
        let choices: Vec<String> =
            arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        if choices.is_empty() { Kind::Text } else { Kind::Choice(choices) }
    }
}

/// What a name that is no option may have meant, as the rest of a sentence.
pub(crate) fn suggest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let nearest = near_misses(wanted, known);
    nearest.first().map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

/// What clap says, without how to use the program, and without passwords of URLs.
pub fn in_one_line(error: &clap::Error) -> String {
    let said = error.to_string();
    let is_general = |line: &str| line.starts_with("Usage:") || line.starts_with("For more information");
    let lines: Vec<&str> =
        said.lines().map(str::trim).filter(|line| !line.is_empty() && !is_general(line)).collect();
    without_passwords(lines.join(" ").trim_start_matches("error: "))
}

/// A text whose URLs have no passwords any more.
fn without_passwords(text: &str) -> String {
    let mut parts = text.split("://");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(['\'', '"', ' ']).unwrap_or(part.len());
        let credentials = part[..end].rfind('@').and_then(|at| Some((part[..at].find(':')?, at)));
        kept.push_str("://");
        match credentials {
            Some((colon, at)) => kept.extend([&part[..colon], ":", REDACTED, &part[at..]]),
            None => kept.push_str(part),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_says_all_names() {
        let options = options();
        for option in &options {
            assert_eq!(option.flag.replace('-', "_"), option.key);
            assert_eq!(option.variable, format!("{VARIABLE_PREFIX}{}", option.key.to_uppercase()));
            assert!(!option.about.is_empty(), "{} is documented", option.key);
            let alike = options.iter().filter(|other| other.key == option.key).count();
            assert_eq!(alike, 1, "{} is there once", option.key);
        }
        for (key, _) in LEAST {
            assert!(options.iter().any(|option| option.key == key), "there is no {key}");
        }
    }

    #[test]
    fn passwords_of_urls_are_not_told() {
        let check = |text, told: &str| assert_eq!(without_passwords(text), told);
        check("'a://me:can:@ry/x@host/b?c=d:e' is", "'a://me:[redacted]@host/b?c=d:e' is");
        check("a://me@host:1/b c@d, e://f:9/", "a://me@host:1/b c@d, e://f:9/");
        check("no URL: me@host", "no URL: me@host");
    }

    #[test]
    fn defaults_are_right_values() {
        for option in options() {
            if let Some(default) = &option.default {
                assert_eq!(option.check(default.as_ref()), Ok(()), "{}", option.name());
            }
        }
    }

    #[track_caller]
    fn check(key: &str, value: &str, expected: Result<(), &str>) {
        let option = options().into_iter().find(|option| option.key == key).expect("an option");
        assert_eq!(option.check(value.as_ref()), expected.map_err(str::to_owned));
    }

    #[test]
    fn values_are_held_against_their_types() {
        check("max_cells", "7", Ok(()));
        check("max_cells", "0", Err("0 is too small; the least is 1"));
        check("max_cells", "many", Err("invalid value 'many': invalid digit found in string"));
        check("transport", "stdio", Ok(()));
        check("tools", "a,b", Ok(()));
        check("vba_enabled", "25%", Ok(()));
        check(
            "vba_enabled",
            "often",
            Err("invalid value 'often': say false, true, or a percentage of callers from 0% to 100%"),
        );
    }
}
