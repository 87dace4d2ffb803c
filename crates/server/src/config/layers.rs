//! A value from where it may come: the default, the file, the environment, a flag. The later one wins; what is wrong
//! anywhere is told, also where it loses.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    fmt,
    path::PathBuf,
};

use clap::{Args, Command};

use super::{
    Settings, WrongValue,
    command_line::GivenFlags,
    file,
    options::{ConfigOption, VARIABLE_PREFIX, in_one_line, options_of},
    secret::{NOT_FROM_THE_ENVIRONMENT, REDACTED, is_named_as_secret},
};
use crate::near_miss::near_misses;

/// The variable that names the file.
pub const FILE_VARIABLE: &str = "SPREADSHEET_MCP_CONFIG";

/// The variable of Rust programs that says what is logged, where ours does not.
const RUST_LOG: &str = "RUST_LOG";

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody gave it.
    Default {
        /// The flag that would.
        flag: String,
    },
    /// The file.
    File {
        /// Its path.
        path: PathBuf,
        /// The line, where it is known.
        line: Option<usize>,
    },
    /// A variable of the environment.
    Variable(String),
    /// A flag, without its dashes.
    Flag(String),
    /// The command line as a whole.
    CommandLine,
}

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where the wrong value comes from.
    pub origin: Origin,
    /// What is wrong, and what to do.
    pub what: String,
}

/// The value of an option, and where it comes from.
#[derive(Debug, Clone)]
pub struct Effective {
    /// The option.
    pub option: ConfigOption,
    /// The value as its flag would be given; none for an option without a default that nobody gave.
    pub text: Option<OsString>,
    /// Where it comes from.
    pub origin: Origin,
}

/// The configuration, and where it comes from.
#[derive(Debug, Clone)]
pub struct Resolved<T = Settings> {
    /// The configuration.
    pub settings: T,
    /// The value of every option.
    pub values: Vec<Effective>,
}

/// Where values may come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The flags that were given.
    pub flags: GivenFlags,
    /// Variables and their values.
    pub environment: Vec<(String, OsString)>,
    /// The file.
    pub file: Option<PathBuf>,
}

impl Sources {
    /// The variables that may concern us.
    pub fn environment() -> Vec<(String, OsString)> {
        let ours = |name: &str| name.starts_with(VARIABLE_PREFIX) || name == RUST_LOG;
        let named = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let mut variables: Vec<(String, OsString)> = named.filter(|(name, _)| ours(name)).collect();
        variables.sort();
        variables
    }

    /// The configuration.
    ///
    /// # Errors
    /// Everything that is wrong, in all layers.
    pub fn resolve(&self) -> Result<Resolved, Vec<Problem>> {
        self.resolve_with(Settings::wrong_values)
    }

    /// The configuration of a server, with the files that only a server reads.
    ///
    /// # Errors
    /// Everything that is wrong, in all layers and in those files.
    pub fn resolve_for_serving(&self) -> Result<Resolved, Vec<Problem>> {
        self.resolve_with(|settings| [settings.wrong_values(), settings.wrong_files()].concat())
    }

    /// The configuration as far as it can be understood, and what is wrong with the rest of it: whoever looks for all that is wrong
    /// goes on with what is right. Values are not held against each other or against files.
    pub fn understood(&self) -> (Result<Resolved, Problem>, Vec<Problem>) {
        self.layered()
    }

    fn resolve_with(&self, look: impl Fn(&Settings) -> Vec<WrongValue>) -> Result<Resolved, Vec<Problem>> {
        let (resolved, mut problems) = self.layered::<Settings>();
        let resolved = resolved.map_err(|problem| vec![problem])?;
        for wrong in look(&resolved.settings) {
            let value = resolved.values.iter().find(|value| value.option.key == wrong.key);
            let origin = value.map_or(Origin::CommandLine, |value| value.origin.clone());
            problems.push(Problem { origin, what: wrong.what });
        }
        problems.sort_by_key(|problem| problem.origin.rank());
        if problems.is_empty() { Ok(resolved) } else { Err(problems) }
    }

    /// The right values of all layers, and what is wrong with the others.
    fn layered<T: Args>(&self) -> (Result<Resolved<T>, Problem>, Vec<Problem>) {
        let options = options_of::<T>();
        let mut problems = Vec::new();
        let mut chosen: HashMap<String, (OsString, Origin)> = HashMap::new();
        let mut given = self.given_by_file(&options, &mut problems);
        given.extend(self.given_by_environment(&options, &mut problems));
        given.extend(self.given_by_flags(&options));
        for (option, text, origin) in given {
            match option.check(&text) {
                Ok(()) => drop(chosen.insert(option.key.clone(), (text, origin))),
                Err(what) => {
                    let what = match origin {
                        Origin::File { .. } => format!("{}: {what}", option.name()),
                        _ => what,
                    };
                    problems.push(Problem { origin, what });
                }
            }
        }
        let settings = typed(&options, &chosen);
        let value = |option: ConfigOption| match chosen.remove(&option.key) {
            Some((text, origin)) => Effective { option, text: Some(text), origin },
            None => Effective {
                text: option.default.as_ref().map(OsString::from),
                origin: Origin::Default { flag: option.flag.clone() },
                option,
            },
        };
        let values = options.iter().cloned().map(value).collect();
        (settings.map(|settings| Resolved { settings, values }), problems)
    }

    fn given_by_file<'a>(&self, options: &'a [ConfigOption], problems: &mut Vec<Problem>) -> Vec<Given<'a>> {
        let Some(path) = &self.file else { return Vec::new() };
        let origin = |line| Origin::File { path: path.clone(), line };
        let (entries, wrong) = file::read(path, options);
        problems
            .extend(wrong.into_iter().map(|wrong| Problem { origin: origin(wrong.line), what: wrong.what }));
        let given = entries.into_iter().filter_map(|entry| {
            let option = options.iter().find(|option| option.key == entry.key)?;
            Some((option, entry.text, origin(Some(entry.line))))
        });
        given.collect()
    }

    fn given_by_environment<'a>(
        &self,
        options: &'a [ConfigOption],
        problems: &mut Vec<Problem>,
    ) -> Vec<Given<'a>> {
        let mut given = Vec::new();
        for (name, text) in &self.environment {
            let origin = Origin::Variable(name.clone());
            let option = options.iter().find(|option| option.variable == *name);
            if let Some(option) = option {
                given.push((option, text.clone(), origin));
            } else if name == RUST_LOG {
                // Before all others, so that ours wins.
                let log = options.iter().find(|option| option.key == "log");
                given.splice(0..0, log.map(|log| (log, text.clone(), origin)));
            } else if name.starts_with(VARIABLE_PREFIX) && name != FILE_VARIABLE && !is_service_link(name) {
                if is_named_as_secret(name) {
                    problems.push(Problem { origin, what: NOT_FROM_THE_ENVIRONMENT.to_owned() });
                    continue;
                }
                // The prefix, which all have, would make any two names alike.
                let bare = |variable: &'a str| variable.trim_start_matches(VARIABLE_PREFIX);
                let nearest = near_misses(
                    name.trim_start_matches(VARIABLE_PREFIX),
                    options.iter().map(|option| bare(&option.variable)),
                );
                let meant = nearest.first().map(|name| format!("; did you mean {VARIABLE_PREFIX}{name}?"));
                let meant = meant.unwrap_or_default();
                problems.push(Problem { origin, what: format!("there is no such option{meant}") });
            }
        }
        given
    }

    fn given_by_flags<'a>(&self, options: &'a [ConfigOption]) -> Vec<Given<'a>> {
        let given = self.flags.iter().filter_map(|(key, text)| {
            let option = options.iter().find(|option| option.key == *key)?;
            Some((option, text.clone(), Origin::Flag(option.flag.clone())))
        });
        given.collect()
    }
}

/// A value that somebody gave.
type Given<'a> = (&'a ConfigOption, OsString, Origin);

/// Kubernetes tells every container of the services beside it, by variables that begin with their names: for one called
/// `spreadsheet-mcp` they begin as ours do.
fn is_service_link(name: &str) -> bool {
    let name = name.trim_start_matches(VARIABLE_PREFIX);
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let of_port = |after: &str| match after.split('_').collect::<Vec<_>>().as_slice() {
        [port, "TCP" | "UDP" | "SCTP"] => is_port(port),
        [port, "TCP" | "UDP" | "SCTP", "PROTO" | "PORT" | "ADDR"] => is_port(port),
        _ => false,
    };
    let parts: Vec<&str> = name.split('_').collect();
    let is_service = parts.windows(2).any(|pair| pair[0] == "SERVICE" && matches!(pair[1], "HOST" | "PORT"));
    let is_url = parts.last() == Some(&"PORT");
    is_service || is_url || name.match_indices("PORT_").any(|(at, found)| of_port(&name[at + found.len()..]))
}

/// The typed struct, from the values that were chosen.
fn typed<T: Args>(
    options: &[ConfigOption],
    chosen: &HashMap<String, (OsString, Origin)>,
) -> Result<T, Problem> {
    let arguments = options.iter().filter_map(|option| {
        let (text, _) = chosen.get(&option.key)?;
        let mut argument = OsString::from(format!("--{}=", option.flag));
        argument.push(text);
        Some(argument)
    });
    let command = T::augment_args(Command::new("configuration").no_binary_name(true));
    let command = command.mut_args(|arg| arg.env(clap::builder::Resettable::Reset));
    let matches = command.try_get_matches_from(arguments);
    let settings = matches.and_then(|matches| T::from_arg_matches(&matches));
    settings.map_err(|error| Problem { origin: Origin::CommandLine, what: in_one_line(&error) })
}

impl Effective {
    /// The value for people: secrets are redacted.
    pub fn shown(&self) -> Option<String> {
        let text = self.text.as_deref().map(OsStr::to_string_lossy)?;
        Some(if self.option.is_secret { REDACTED.to_owned() } else { text.into_owned() })
    }
}

impl Origin {
    /// Orders problems as somebody looks for them: place by place, the file from top to bottom.
    fn rank(&self) -> (u8, usize) {
        match self {
            Origin::CommandLine => (0, 0),
            Origin::File { line, .. } => (1, line.unwrap_or_default()),
            Origin::Variable(_) => (2, 0),
            Origin::Flag(_) => (3, 0),
            Origin::Default { .. } => (4, 0),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default { flag } => write!(f, "default of --{flag}"),
            Origin::File { path, line: Some(line) } => write!(f, "file {}, line {line}", path.display()),
            Origin::File { path, line: None } => write!(f, "file {}", path.display()),
            Origin::Variable(name) => write!(f, "variable {name}"),
            Origin::Flag(flag) => write!(f, "flag --{flag}"),
            Origin::CommandLine => f.write_str("command line"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::secret::SecretFile;

    fn sources(environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Sources {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), OsString::from(value));
        Sources {
            flags: flags.iter().map(owned).collect(),
            environment: environment.iter().map(owned).collect(),
            file: None,
        }
    }

    #[track_caller]
    fn check_problems(sources: &Sources, expected: &[&str]) {
        let problems = sources.resolve().map(|_| ()).expect_err("something is wrong");
        assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_problem_of_every_layer_is_told() {
        let mut sources = sources(
            &[
                ("SPREADSHEET_MCP_MAX_CELL", "1"),
                ("SPREADSHEET_MCP_MAX_ITEMS", "many"),
                ("SPREADSHEET_MCP_TOOLS", "list_workbook"),
            ],
            &[("max_cells", "0"), ("workspace", "/nowhere")],
        );
        sources.file = Some(PathBuf::from("/nowhere/config.toml"));
        check_problems(
            &sources,
            &[
                "file /nowhere/config.toml: it can't be read: No such file or directory (os error 2)",
                "variable SPREADSHEET_MCP_MAX_CELL: there is no such option; did you mean SPREADSHEET_MCP_MAX_CELLS?",
                "variable SPREADSHEET_MCP_MAX_ITEMS: invalid value 'many': invalid digit found in string",
                "variable SPREADSHEET_MCP_TOOLS: there is no tool \"list_workbook\"; did you mean list_workbooks?",
                "flag --max-cells: 0 is too small; the least is 1",
                "flag --workspace: \"/nowhere\" is not a folder that can be read",
            ],
        );
    }

    #[test]
    fn the_wrong_value_of_a_layer_that_loses_is_told() {
        let sources = sources(&[("SPREADSHEET_MCP_MAX_CELLS", "x")], &[("max_cells", "5")]);
        check_problems(
            &sources,
            &["variable SPREADSHEET_MCP_MAX_CELLS: invalid value 'x': invalid digit found in string"],
        );
    }

    #[track_caller]
    fn check_log(environment: &[(&str, &str)], flags: &[(&str, &str)], expected: &str) {
        let resolved = sources(environment, flags).resolve().expect("it is right");
        assert_eq!(resolved.settings.log.log.to_string(), expected);
    }

    #[test]
    fn rust_log_counts_where_ours_does_not() {
        let both = [("RUST_LOG", "debug"), ("SPREADSHEET_MCP_LOG", "warn")];
        check_log(&[], &[], "info");
        check_log(&both[..1], &[], "debug");
        check_log(&both, &[], "warn");
        check_log(&both, &[("log", "error")], "error");
        check_problems(
            &sources(&[("RUST_LOG", "warning")], &[]),
            &[
                "variable RUST_LOG: invalid value 'warning': there is no level \"warning\"; did you mean warn?",
            ],
        );
    }

    #[test]
    fn variables_of_kubernetes_are_not_ours() {
        let links = [
            "SERVICE_HOST",
            "SERVICE_PORT",
            "SERVICE_PORT_METRICS",
            "PORT",
            "PORT_8079_TCP",
            "PORT_8079_TCP_ADDR",
            "POSTGRES_SERVICE_HOST",
            "POSTGRES_PORT_5432_TCP_PROTO",
        ];
        for link in links {
            assert!(is_service_link(&format!("{VARIABLE_PREFIX}{link}")), "{link}");
        }
        for option in ["MAX_CELLS", "API_KEY", "PORT_FILE", "PORT_X_TCP", "SERVICE"] {
            assert!(!is_service_link(&format!("{VARIABLE_PREFIX}{option}")), "{option}");
        }
        assert!(crate::config::options::options().iter().all(|option| !is_service_link(&option.variable)));
    }

    #[derive(Debug, Args)]
    #[command(next_help_heading = "Access")]
    struct WithSecret {
        /// Keys
        #[arg(long, env = "SPREADSHEET_MCP_KEYS_FILE")]
        keys_file: Option<SecretFile>,
    }

    #[test]
    fn secrets_are_redacted_wherever_they_are_told() {
        let (resolved, problems) = sources(&[], &[("keys_file", "/run/canary")]).layered::<WithSecret>();
        let resolved = resolved.expect("it is right");
        assert_eq!(problems, []);
        assert_eq!(resolved.values[0].shown().as_deref(), Some(REDACTED));
        assert!(!format!("{:?}", resolved.settings).contains("canary"));
        assert_eq!(resolved.settings.keys_file.expect("given").path(), std::path::Path::new("/run/canary"));
    }
}
