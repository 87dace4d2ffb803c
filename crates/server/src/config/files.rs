//! Files over HTTP: how many at the same time, for how long, and what they have to be.

use std::{fmt, path::Path, str::FromStr, time::Duration};

use clap::{Args, ValueEnum};

/// How files come and go over HTTP.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Files")]
pub struct FilesConfig {
    /// Uploads and downloads at the same time
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_CONCURRENT_TRANSFERS", default_value_t = 32)]
    pub max_concurrent_transfers: usize,
    /// How long an upload or a download may take, in milliseconds
    #[arg(long, value_name = "MS", env = "SPREADSHEET_MCP_TRANSFER_TIMEOUT_MS", default_value_t = 600_000)]
    pub transfer_timeout_ms: u64,
    /// What an upload has to be before it gets its name
    #[arg(long, env = "SPREADSHEET_MCP_UPLOAD_CHECK", value_enum, default_value_t = UploadCheck::Open)]
    pub upload_check: UploadCheck,
    /// The program, with its arguments, that looks at every upload, started without a shell: its last argument is the file. 0 says
    /// that it is clean, 1 that it is not
    #[arg(long, value_name = "COMMAND", env = "SPREADSHEET_MCP_SCAN_COMMAND")]
    pub scan_command: Option<ScanCommand>,
    /// How long that program may take, in milliseconds
    #[arg(long, value_name = "MS", env = "SPREADSHEET_MCP_SCAN_TIMEOUT_MS", default_value_t = 60_000)]
    pub scan_timeout_ms: u64,
    /// How long a URL that transfer_url gives can be used, in seconds; a day at most
    #[arg(
        long,
        value_name = "SECONDS",
        env = "SPREADSHEET_MCP_URL_TTL",
        default_value_t = 600,
        value_parser = clap::value_parser!(u64).range(1..=86_400)
    )]
    pub url_ttl: u64,
}

/// What an upload has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UploadCheck {
    /// A workbook of the format that its name says, which opens within the limits
    Open,
    /// Bytes that begin as those of its format do
    Signature,
}

/// A program and its arguments, with spaces between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanCommand(Vec<String>);

impl FilesConfig {
    /// How long an upload or a download may take.
    pub fn transfer_timeout(&self) -> Duration {
        Duration::from_millis(self.transfer_timeout_ms)
    }

    /// What is configured and not there, which does not keep a server from starting.
    pub fn missing(&self) -> Option<String> {
        self.scan_command.as_ref()?.problem()
    }

    /// How long the program that looks at uploads may take.
    pub fn scan_timeout(&self) -> Duration {
        Duration::from_millis(self.scan_timeout_ms)
    }
}

impl ScanCommand {
    /// The program, and its arguments.
    pub fn words(&self) -> (&Path, &[String]) {
        let (program, arguments) = self.0.split_first().expect("invariant: a command has a word");
        (Path::new(program), arguments)
    }

    /// What is wrong with it as things are now: nothing is uploaded while its program is not there.
    pub fn problem(&self) -> Option<String> {
        let (program, _) = self.words();
        let is_there = if program.components().count() > 1 || program.is_absolute() {
            program.is_file()
        } else {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
        };
        let program = program.display();
        (!is_there).then(|| {
            format!("scan_command: there is no program {program}; all uploads are refused without it")
        })
    }
}

impl FromStr for ScanCommand {
    type Err = NoCommand;

    fn from_str(text: &str) -> Result<ScanCommand, NoCommand> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        if words.is_empty() { Err(NoCommand) } else { Ok(ScanCommand(words)) }
    }
}

impl fmt::Display for ScanCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

/// A command has no word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("name a program, as in \"clamdscan --no-summary\"")]
pub struct NoCommand;
