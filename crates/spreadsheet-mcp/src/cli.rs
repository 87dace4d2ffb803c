//! The command line.

use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, error::ErrorKind};
use server::{
    config::{Config, ListenConfig, LogConfig, MetricsConfig, TracingConfig},
    recalc, tools,
};

use crate::exit;

/// Reads and analyses spreadsheets for AI agents (over MCP) and people.
///
/// Every option is also an environment variable, SPREADSHEET_MCP_ and its name.
#[derive(Debug, Parser)]
#[command(name = "spreadsheet-mcp", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// What is logged to standard error: error, warn, info, debug, or per module
    #[arg(long, global = true, value_name = "FILTER", env = "SPREADSHEET_MCP_LOG", default_value = "info")]
    pub(crate) log: String,
}

const EXAMPLES: &str = "\
Examples:
  spreadsheet-mcp serve --workspace ~/books                     serve MCP on http://127.0.0.1:8079/mcp
  spreadsheet-mcp serve --transport stdio --workspace ~/books   serve one client that starts the program
  spreadsheet-mcp tools                                         what can be called
  spreadsheet-mcp call list_workbooks --workspace ~/books       call one tool and print its answer";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve MCP to clients, until SIGTERM, SIGINT or the client's leaving
    Serve(Box<ServeArguments>),
    /// Call one tool and print its answer
    #[command(after_help = CALL_EXAMPLES)]
    Call(CallArguments),
    /// Show the tools and their arguments
    Tools(ToolsArguments),
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

/// The arguments of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// How to listen.
    #[command(flatten)]
    pub(crate) listen: ListenConfig,
    /// Where metrics are told.
    #[command(flatten)]
    pub(crate) metrics: MetricsConfig,
    /// Where spans go.
    #[command(flatten)]
    pub(crate) tracing: TracingConfig,
    /// What every command needs to know.
    #[command(flatten)]
    pub(crate) config: Config,
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
    pub(crate) config: Config,
}

/// The arguments of `tools`.
#[derive(Debug, Args)]
pub(crate) struct ToolsArguments {
    /// Print what MCP's tools/list answers, with schemas
    #[arg(long)]
    pub(crate) json: bool,
    /// What every command needs to know.
    #[command(flatten)]
    pub(crate) config: Config,
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
    /// The command line or the environment is wrong, in these ways.
    Problems(Vec<String>),
}

impl Cli {
    /// Lets the program start itself.
    fn with_program(mut self) -> Cli {
        let config = match &mut self.command {
            Command::Serve(arguments) => &mut arguments.config,
            Command::Call(arguments) => &mut arguments.config,
            Command::Tools(arguments) => &mut arguments.config,
            Command::EvaluateFormulas => return self,
        };
        config.recalc.program = std::env::current_exe().ok();
        self
    }

    /// How the log is written.
    pub(crate) fn log_config(&self) -> LogConfig {
        match &self.command {
            Command::Serve(arguments) => arguments.config.log.clone(),
            Command::Call(arguments) => arguments.config.log.clone(),
            Command::Tools(arguments) => arguments.config.log.clone(),
            Command::EvaluateFormulas => LogConfig::default(),
        }
    }

    /// Reads the command line and the environment.
    pub(crate) fn read() -> Result<Cli, Refusal> {
        let mut problems = environment_problems();
        let cli = match Cli::try_parse() {
            Ok(cli) => cli.with_program(),
            Err(shown) if matches!(shown.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
                return Err(Refusal::Shown(shown));
            }
            Err(error) => {
                let said = in_one_line(&error);
                // Clap takes a bad value for the same, wherever it came from.
                if !problems.iter().any(|problem| problem.ends_with(&said)) {
                    problems.push(said);
                }
                return Err(Refusal::Problems(problems));
            }
        };
        let known = tools::names();
        match &cli.command {
            Command::Serve(arguments) => {
                problems.extend(arguments.config.problems(&known));
                problems.extend(arguments.listen.problems());
                problems.extend(arguments.metrics.problems());
                problems.extend(arguments.tracing.problems());
            }
            Command::Call(arguments) => problems.extend(arguments.config.problems(&known)),
            Command::Tools(arguments) => problems.extend(arguments.config.problems(&known)),
            Command::EvaluateFormulas => problems.clear(),
        }
        if problems.is_empty() { Ok(cli) } else { Err(Refusal::Problems(problems)) }
    }
}

/// What is wrong with the values of `SPREADSHEET_MCP_*` variables. Clap stops at the first bad value; an operator wants
/// to know of all.
fn environment_problems() -> Vec<String> {
    let serve = Cli::command();
    let Some(serve) = serve.find_subcommand("serve") else { return Vec::new() };
    serve
        .get_arguments()
        .filter_map(|argument| {
            let variable = argument.get_env()?;
            std::env::var_os(variable)?;
            let alone = clap::Command::new("environment").arg(argument.clone());
            let error = alone.try_get_matches_from(["environment"]).err()?;
            Some(format!("{}: {}", variable.to_string_lossy(), in_one_line(&error)))
        })
        .collect()
}

/// What clap says, without how to use the program.
fn in_one_line(error: &clap::Error) -> String {
    let said = error.to_string();
    let is_general = |line: &str| line.starts_with("Usage:") || line.starts_with("For more information");
    let lines: Vec<&str> =
        said.lines().map(str::trim).filter(|line| !line.is_empty() && !is_general(line)).collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}

impl Refusal {
    /// Prints the help, or every problem.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Refusal::Shown(shown) => {
                let _closed_pipe = shown.print();
                ExitCode::SUCCESS
            }
            Refusal::Problems(problems) => {
                eprintln!("spreadsheet-mcp: the configuration is wrong:");
                for problem in problems {
                    eprintln!("  {problem}");
                }
                ExitCode::from(exit::BAD_CONFIGURATION)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
