//! The command line.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use access::{PrincipalId, Role};
use clap::{
    Arg, Args, Parser, Subcommand, ValueEnum,
    error::{ContextKind, ContextValue, ErrorKind},
};
use server::{
    config::{
        Config, ListenConfig, LogConfig, MetricsConfig, TlsConfig, TracingConfig,
        command_line::{Flags, GivenFlags},
        layers::{FILE_VARIABLE, Origin, Problem, Resolved, Sources},
        options::in_one_line,
    },
    recalc,
};

use crate::{
    backup::{self, BackupCommand},
    checklist::{self, ChecklistCommand},
    exit,
};

/// Reads and analyses spreadsheets for AI agents (over MCP) and people.
///
/// Every option is also an environment variable, SPREADSHEET_MCP_ and its name, and a key of the --config file.
#[derive(Debug, Parser)]
#[command(name = "spreadsheet-mcp", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// The configuration file, in TOML, YAML or JSON
    #[arg(long = "config", global = true, value_name = "FILE", env = FILE_VARIABLE)]
    pub(crate) file: Option<PathBuf>,
    /// What is logged.
    #[command(flatten)]
    pub(crate) log: Flags<LogConfig>,
}

const EXAMPLES: &str = "\
Examples:
  spreadsheet-mcp serve --workspace ~/books                     serve MCP on http://127.0.0.1:8079/mcp
  spreadsheet-mcp serve --transport stdio --workspace ~/books   serve one client that starts the program
  spreadsheet-mcp tools                                         what can be called
  spreadsheet-mcp call list_workbooks --workspace ~/books       call one tool and print its answer
  spreadsheet-mcp config check --config server.toml             what is wrong with a configuration";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve MCP to clients, until SIGTERM, SIGINT or the client's leaving
    Serve(ServeArguments),
    /// Call one tool and print its answer
    #[command(after_help = CALL_EXAMPLES)]
    Call(CallArguments),
    /// Bring the tables of the database (--state-url postgres://...) to the format of this program, before its servers start
    #[command(after_help = MIGRATE_EXAMPLES, mut_args(only_shown(&["state_url", "state_password_file", "state_timeout", "vault_"])))]
    Migrate(MigrateArguments),
    /// Show the tools and their arguments
    Tools(ToolsArguments),
    /// Check and show the configuration, and what can be configured
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Ask a server that runs here whether it is well (exit code 1 if not): for containers without curl
    Healthcheck(HealthcheckArguments),
    /// Make, replace, take back and list the API keys of callers over HTTP
    #[command(subcommand, after_help = KEYS_EXAMPLES)]
    Keys(KeysCommand),
    /// Check and read the audit trail
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Make, list, check and bring back backups of forks, saved versions and the audit trail
    #[command(subcommand, after_help = backup::EXAMPLES)]
    Backup(BackupCommand),
    /// The deployment gate: check what machines can, state, waive and sign the rest, and say whether it ships
    #[command(subcommand, after_help = checklist::EXAMPLES)]
    Checklist(ChecklistCommand),
    /// Evaluate one workbook from standard input: what the program starts itself for
    #[command(hide = true, name = recalc::SUBCOMMAND)]
    EvaluateFormulas,
}

const CALL_EXAMPLES: &str = "\
Examples:
  spreadsheet-mcp call list_workbooks
  spreadsheet-mcp call describe_workbook '{\"workbook\": \"sales-ledger.xlsx\"}' --workspace examples/workspace
  echo '{\"workbook\": \"model.xlsx\"}' | spreadsheet-mcp call describe_workbook - --format text

A failed call prints {\"error\": {code, message, where, hint, candidates}} on standard error and exits with 1.";

const MIGRATE_EXAMPLES: &str = "\
Examples:
  spreadsheet-mcp migrate --state-url postgres://sheets@db.example/sheets --state-password-file /run/secrets/db
  spreadsheet-mcp migrate --check          what is to be done (exit code 1 if anything is)
Servers of the release before go on working with the new tables; servers of this one wait for them, and then go on by themselves. \
Several of these may run at the same time. An SQLite database needs none: it is brought to the format when it is opened.
Options that are not listed here are taken, too, and `spreadsheet-mcp serve --help` tells them.";

/// The arguments of `migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateArguments {
    /// Change nothing, and say whether anything is to be done
    #[arg(long)]
    pub(crate) check: bool,
    /// Where the database is.
    #[command(flatten)]
    pub(crate) config: Flags<Config>,
}

/// The arguments of `healthcheck`.
#[derive(Debug, Args)]
pub(crate) struct HealthcheckArguments {
    /// What to ask: live, ready or startup
    #[arg(value_enum, default_value_t = Probe::Live)]
    pub(crate) probe: Probe,
    /// How long to wait for an answer
    #[arg(long, value_name = "TIME", default_value = "3s")]
    pub(crate) timeout: humantime::Duration,
    /// The authorities in PEM that the server's certificate has to be signed by; without it any certificate will do
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// The name that the certificate has to be made for, where it is looked at (the address)
    #[arg(long, value_name = "NAME", requires = "ca")]
    pub(crate) name: Option<String>,
    /// Where the server listens.
    #[command(flatten)]
    pub(crate) listen: Flags<ListenConfig>,
    /// Whether it speaks TLS.
    #[command(flatten)]
    pub(crate) tls: Flags<TlsConfig>,
    /// Where it tells metrics.
    #[command(flatten)]
    pub(crate) metrics: Flags<MetricsConfig>,
}

/// What a server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Probe {
    /// Whether the process answers
    Live,
    /// Whether it takes calls and can answer them
    Ready,
    /// Whether it has started
    Startup,
}

const KEYS_EXAMPLES: &str = "\
Examples:
  spreadsheet-mcp keys create reports --role viewer --path finance --expires 90d
  spreadsheet-mcp keys rotate reports --grace 24h
  spreadsheet-mcp keys revoke reports
A server that runs takes the change at once. Clients send a key as the header Authorization: Bearer KEY.";

/// What says where keys are.
const WHERE_KEYS_ARE: &[&str] = &["keys_file", "state_dir", "workspace"];

const ALL_OPTIONS: &str =
    "Options that are not listed here are taken, too, and `spreadsheet-mcp serve --help` tells them.";

/// Hides the options of the configuration, which have headings, in the help of a command that few of them concern: those whose names
/// are `shown`, or begin with what ends in an underscore.
fn only_shown(shown: &'static [&'static str]) -> impl Fn(Arg) -> Arg {
    move |arg| {
        let id = arg.get_id().as_str();
        let concerns = |name: &&str| id == *name || name.ends_with('_') && id.starts_with(*name);
        let is_hidden = arg.get_help_heading().is_some() && !shown.iter().any(concerns);
        arg.hide(is_hidden)
    }
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key and print it: once, nothing keeps it
    #[command(after_help = ALL_OPTIONS, mut_args(only_shown(WHERE_KEYS_ARE)))]
    Create(CreateKeyArguments),
    /// Give a key a new secret and print it; the one before is taken for a while
    #[command(after_help = ALL_OPTIONS, mut_args(only_shown(WHERE_KEYS_ARE)))]
    Rotate(RotateKeyArguments),
    /// Take a key back: it is taken no more
    #[command(after_help = ALL_OPTIONS, mut_args(only_shown(WHERE_KEYS_ARE)))]
    Revoke(RevokeKeyArguments),
    /// List the keys, without secrets
    #[command(after_help = ALL_OPTIONS, mut_args(only_shown(WHERE_KEYS_ARE)))]
    List(ListKeysArguments),
}

/// The arguments of `keys create`.
#[derive(Debug, Args)]
pub(crate) struct CreateKeyArguments {
    /// The name of the key: who will use it
    #[arg(value_name = "NAME")]
    pub(crate) name: PrincipalId,
    /// What it is for: viewer reads, analyst has forks, editor saves into the workspace, admin runs the server
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Role,
    /// Only this folder or file of the workspace; several times for several
    #[arg(long = "path", value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Share forks with the other keys of this tenant
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<PrincipalId>,
    /// After how long it ends, as in 90d
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<humantime::Duration>,
    /// Where keys are.
    #[command(flatten)]
    pub(crate) config: Flags<Config>,
}

/// The arguments of `keys rotate`.
#[derive(Debug, Args)]
pub(crate) struct RotateKeyArguments {
    /// The name of the key
    #[arg(value_name = "NAME")]
    pub(crate) name: PrincipalId,
    /// For how long the secret before is still taken, as in 24h; 0s for not at all
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub(crate) grace: humantime::Duration,
    /// Where keys are.
    #[command(flatten)]
    pub(crate) config: Flags<Config>,
}

/// The arguments of `keys revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeKeyArguments {
    /// The name of the key
    #[arg(value_name = "NAME")]
    pub(crate) name: PrincipalId,
    /// Where keys are.
    #[command(flatten)]
    pub(crate) config: Flags<Config>,
}

/// The arguments of `keys list`.
#[derive(Debug, Args)]
pub(crate) struct ListKeysArguments {
    /// How to print the list
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Where keys are.
    #[command(flatten)]
    pub(crate) config: Flags<Config>,
}

/// What to do with the audit trail.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Say whether the trail is what was written, and where it is not (exit code 1)
    Verify(WholeTrailArguments),
    /// Print records, the latest first
    List(ListRecordsArguments),
    /// Take away the trails in folders below --audit-dir that no server goes on with, once all of their records are older than
    /// --audit-keep-days; a server does so with its own trail
    Purge(WholeTrailArguments),
}

/// The arguments of `audit verify` and `audit purge`.
#[derive(Debug, Args)]
pub(crate) struct WholeTrailArguments {
    /// Where the trail is.
    #[command(flatten)]
    pub(crate) config: Flags<Config>,
}

/// The arguments of `audit list`.
#[derive(Debug, Args)]
pub(crate) struct ListRecordsArguments {
    /// Only of this key or user
    #[arg(long, value_name = "NAME")]
    pub(crate) principal: Option<String>,
    /// Only of this tenant
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// Only calls of this tool
    #[arg(long, value_name = "TOOL")]
    pub(crate) action: Option<String>,
    /// Only what was asked of this workbook or fork
    #[arg(long, value_name = "WORKBOOK")]
    pub(crate) about: Option<String>,
    /// Only what was denied to who asked
    #[arg(long)]
    pub(crate) denied: bool,
    /// Only what happened so recently, as in 24h
    #[arg(long, value_name = "TIME")]
    pub(crate) last: Option<humantime::Duration>,
    /// So many records at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Where the trail is.
    #[command(flatten)]
    pub(crate) config: Flags<Config>,
}

/// The arguments of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// How to listen.
    #[command(flatten)]
    pub(crate) listen: Flags<ListenConfig>,
    /// Whether ports speak TLS.
    #[command(flatten)]
    pub(crate) tls: Flags<TlsConfig>,
    /// Where metrics are told.
    #[command(flatten)]
    pub(crate) metrics: Flags<MetricsConfig>,
    /// Where spans go.
    #[command(flatten)]
    pub(crate) tracing: Flags<TracingConfig>,
    /// What every command needs to know.
    #[command(flatten)]
    pub(crate) config: Flags<Config>,
}

/// The arguments of `call`.
#[derive(Debug, Args)]
pub(crate) struct CallArguments {
    /// The tool, as `spreadsheet-mcp tools` lists it
    #[arg(value_name = "TOOL")]
    pub(crate) tool: String,
    /// The arguments as a JSON object; - reads them from standard input
    #[arg(value_name = "JSON", default_value = "{}")]
    pub(crate) arguments: String,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub(crate) format: Format,
    /// What every command needs to know.
    #[command(flatten)]
    pub(crate) config: Flags<Config>,
}

/// The arguments of `tools`.
#[derive(Debug, Args)]
pub(crate) struct ToolsArguments {
    /// Print what MCP's tools/list answers, with schemas
    #[arg(long)]
    pub(crate) json: bool,
    /// What every command needs to know.
    #[command(flatten)]
    pub(crate) config: Flags<Config>,
}

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say whether the configuration is right, or everything that is wrong with it (exit code 64)
    Check(ServeArguments),
    /// Print every value and where it comes from; secrets are redacted
    Show(ShowArguments),
    /// Print the JSON Schema of the file
    Schema,
    /// Print what can be configured
    Docs {
        /// As the reference page, or as a commented file
        #[arg(long, value_enum, default_value_t = DocsFormat::Markdown)]
        format: DocsFormat,
    },
}

/// The arguments of `config show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// How to print the values
    #[arg(long, value_enum, default_value_t = ShowFormat::Toml)]
    pub(crate) format: ShowFormat,
    /// What `serve` would be given.
    #[command(flatten)]
    pub(crate) serve: ServeArguments,
}

/// How values are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    /// A configuration file with comments
    Toml,
    /// One line of JSON, for programs
    Json,
}

/// How the options are described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocsFormat {
    /// The reference page
    Markdown,
    /// A configuration file with comments
    Toml,
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One line of JSON, for programs
    Json,
    /// Fields and tables, for people
    Text,
}

/// Why the program does not start, or has nothing more to do.
pub(crate) enum Refusal {
    /// `--help` and `--version`.
    Shown(clap::Error),
    /// The configuration is wrong, in these ways.
    Problems(Vec<Problem>),
}

impl Cli {
    /// Reads the command line.
    ///
    /// # Errors
    /// Everything that is wrong with it and, as far as it can be understood, with the configuration.
    pub(crate) fn read() -> Result<Cli, Refusal> {
        let arguments: Vec<OsString> = std::env::args_os().collect();
        let error = match Cli::try_parse_from(&arguments) {
            Ok(cli) => return Ok(cli),
            Err(error) => error,
        };
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            return Err(Refusal::Shown(error));
        }
        let (understood, mut problems) = without_unknown(arguments, error);
        if let Some(cli) = understood
            && !matches!(cli.command, Command::EvaluateFormulas)
            && let Err(others) = cli.command.resolve(&cli.sources())
        {
            problems.extend(others);
        }
        Err(Refusal::Problems(problems))
    }

    /// Where the configuration comes from.
    pub(crate) fn sources(&self) -> Sources {
        let mut flags = self.log.given().clone();
        flags.extend(self.command.flags());
        Sources { flags, environment: Sources::environment(), file: self.file.clone() }
    }
}

impl ServeArguments {
    /// The flags that were given.
    pub(crate) fn flags(&self) -> GivenFlags {
        let ServeArguments { listen, tls, metrics, tracing, config } = self;
        [listen.given().as_slice(), tls.given(), metrics.given(), tracing.given(), config.given()].concat()
    }
}

impl KeysCommand {
    fn config(&self) -> &Flags<Config> {
        match self {
            KeysCommand::Create(arguments) => &arguments.config,
            KeysCommand::Rotate(arguments) => &arguments.config,
            KeysCommand::Revoke(arguments) => &arguments.config,
            KeysCommand::List(arguments) => &arguments.config,
        }
    }
}

impl Command {
    /// The configuration, held against the files that this command reads.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn resolve(&self, sources: &Sources) -> Result<Resolved, Vec<Problem>> {
        match self {
            Command::Serve(_) | Command::Config(ConfigCommand::Check(_)) => sources.resolve_for_serving(),
            _ => sources.resolve(),
        }
    }

    /// The flags of the configuration that were given.
    fn flags(&self) -> GivenFlags {
        match self {
            Command::Serve(arguments) | Command::Config(ConfigCommand::Check(arguments)) => arguments.flags(),
            Command::Config(ConfigCommand::Show(arguments)) => arguments.serve.flags(),
            Command::Call(arguments) => arguments.config.given().clone(),
            Command::Migrate(arguments) => arguments.config.given().clone(),
            Command::Tools(arguments) => arguments.config.given().clone(),
            Command::Healthcheck(HealthcheckArguments { listen, tls, metrics, .. }) => {
                [listen.given().as_slice(), tls.given(), metrics.given()].concat()
            }
            Command::Keys(command) => command.config().given().clone(),
            Command::Backup(command) => {
                command.config().map(|config| config.given().clone()).unwrap_or_default()
            }
            Command::Audit(AuditCommand::Verify(arguments) | AuditCommand::Purge(arguments)) => {
                arguments.config.given().clone()
            }
            Command::Audit(AuditCommand::List(arguments)) => arguments.config.given().clone(),
            Command::Checklist(command) => command.flags(),
            Command::Config(_) | Command::EvaluateFormulas => GivenFlags::new(),
        }
    }
}

/// Leaves out one unknown flag after the other, each with what seems to be its value, to learn what else is wrong: clap
/// stops at the first. What is left is the command line without them, if it makes sense.
fn without_unknown(mut arguments: Vec<OsString>, first: clap::Error) -> (Option<Cli>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut error = first;
    loop {
        let unknown = unknown_flag(&error).and_then(|flag| {
            let is_it = |argument: &OsString| {
                let text = argument.to_string_lossy();
                text == flag || text.strip_prefix(&flag).is_some_and(|rest| rest.starts_with('='))
            };
            arguments.iter().position(is_it)
        });
        if unknown.is_some() || problems.is_empty() {
            problems.push(Problem { origin: Origin::CommandLine, what: in_one_line(&error) });
        }
        let Some(at) = unknown else { return (None, problems) };
        let flag = arguments.remove(at);
        let may_have_value = !flag.to_string_lossy().contains('=');
        let value = arguments.get(at).map(|next| next.to_string_lossy());
        if may_have_value && value.is_some_and(|value| !value.starts_with('-')) {
            arguments.remove(at);
        }
        match Cli::try_parse_from(&arguments) {
            Ok(cli) => return (Some(cli), problems),
            Err(next) => error = next,
        }
    }
}

fn unknown_flag(error: &clap::Error) -> Option<String> {
    match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(flag))) if flag.starts_with('-') => {
            Some(flag.split('=').next().unwrap_or(flag).to_owned())
        }
        _ => None,
    }
}

impl Refusal {
    /// Prints the help, or every problem.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Refusal::Shown(shown) => {
                let _closed_pipe = shown.print();
                ExitCode::SUCCESS
            }
            Refusal::Problems(problems) => exit::wrong_configuration(&problems),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
