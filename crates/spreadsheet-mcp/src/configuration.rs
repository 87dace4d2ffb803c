//! `spreadsheet-mcp config`: is it right, what is in force, what is there.

use std::process::ExitCode;

use server::config::{layers::Sources, options, reference, schema};

use crate::{
    cli::{ConfigCommand, DocsFormat, ShowFormat},
    exit,
    render::print,
};

/// Checks, shows or describes the configuration.
pub(crate) fn run(command: &ConfigCommand, sources: &Sources) -> ExitCode {
    match command {
        ConfigCommand::Check(_) => match sources.resolve_for_serving() {
            Ok(resolved) => {
                if let Some(problem) = resolved.settings.config.fixed.files.missing() {
                    eprintln!("warning: {problem}");
                }
                print("ok")
            }
            Err(problems) => exit::wrong_configuration(&problems),
        },
        ConfigCommand::Show(arguments) => match sources.resolve() {
            Ok(resolved) => match arguments.format {
                ShowFormat::Toml => print(reference::in_force(&resolved.values).trim_end()),
                ShowFormat::Json => print(&reference::in_force_json(&resolved.values).to_string()),
            },
            Err(problems) => exit::wrong_configuration(&problems),
        },
        ConfigCommand::Schema => print(&format!("{:#}", schema::schema(&options::options()))),
        ConfigCommand::Docs { format } => {
            let options = options::options();
            let text = match format {
                DocsFormat::Markdown => reference::page(&options),
                DocsFormat::Toml => reference::example(&options),
            };
            print(text.trim_end())
        }
    }
}
