//! `spreadsheet-mcp call`: one call, through the same code as the server's.

use std::{io::Read, process::ExitCode};

use serde_json::Value;
use server::{
    Server,
    config::Config,
    error::{ErrorCode, ToolError},
    principal::Principal,
    runner::Link,
    tool::Answer,
};

use crate::{
    cli::{CallArguments, Format},
    exit,
    render::{self, print},
};

/// Calls the tool and prints its answer, or the typed error on standard error.
pub(crate) fn run(arguments: CallArguments, config: Config) -> ExitCode {
    let format = arguments.format;
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed("the runtime could not start", &error),
    };
    let answer = runtime.block_on(answer(arguments, config));
    runtime.shutdown_background();
    match answer {
        Ok(answer) if format == Format::Text => print(&render::as_text(&answer.structured)),
        Ok(answer) => print(&answer.text),
        Err(error) => {
            match format {
                Format::Json => eprintln!("{}", error.to_body()),
                Format::Text => eprintln!("{}", render::as_text(&error.to_body())),
            }
            ExitCode::from(exit::CALL_FAILED)
        }
    }
}

async fn answer(arguments: CallArguments, config: Config) -> Result<Answer, ToolError> {
    let limit = config.fixed.requests.max_request_bytes;
    let given = parse(&arguments.arguments, limit)?;
    let server = Server::of_command_line(config).map_err(|error| {
        ToolError::new(ErrorCode::FileUnreadable, format!("the workspace can't be opened: {error}"))
    })?;
    let tool = server.find_tool(&arguments.tool, &Principal::local())?;
    server.runner.call(tool, given, Link::default()).await
}

/// The arguments as JSON, from the command line or from standard input.
fn parse(arguments: &str, limit: usize) -> Result<serde_json::Map<String, Value>, ToolError> {
    let wrong = |problem: String| {
        ToolError::new(ErrorCode::InvalidArgument, problem)
            .at("arguments")
            .hint("give one JSON object, such as '{\"workbook\": \"sales.xlsx\"}'")
    };
    let mut text = arguments.to_owned();
    if arguments == "-" {
        text.clear();
        std::io::stdin()
            .take(limit as u64 + 1)
            .read_to_string(&mut text)
            .map_err(|error| wrong(format!("standard input can't be read: {error}")))?;
    }
    if text.len() > limit {
        return Err(ToolError::new(
            ErrorCode::LimitExceeded,
            format!("the arguments have more than {limit} bytes"),
        )
        .at("arguments")
        .hint("raise SPREADSHEET_MCP_MAX_REQUEST_BYTES"));
    }
    serde_json::from_str(&text)
        .map_err(|error| wrong(format!("the arguments are not a JSON object: {error}")))
}
