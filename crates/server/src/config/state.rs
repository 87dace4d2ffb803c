//! Where forks, pictures and versions are kept, and for how long.

use std::{fs, path::PathBuf, time::Duration};

use clap::Args;

use super::{Location, SecretSource, StateUrl, wrong_values::WrongValue};

/// Where forks are kept, and how many.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Forks")]
pub struct StateConfig {
    /// The folder of forks and of previous versions of files; by default one per workspace in the user's state directory
    #[arg(long, value_name = "DIR", env = "SPREADSHEET_MCP_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Where forks are kept: sqlite:///DIR, or the database that replicas share, postgres://USER@HOST:PORT/DATABASE, with
    /// sslmode and sslrootcert as its own clients take them (sqlite, in the state directory)
    #[arg(long, value_name = "URL", env = "SPREADSHEET_MCP_STATE_URL")]
    pub state_url: Option<StateUrl>,
    /// The file of the database's password, or vault:MOUNT/PATH#FIELD; read for each connection
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_STATE_PASSWORD_FILE")]
    pub state_password_file: Option<SecretSource>,
    /// Connections to the database
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_STATE_CONNECTIONS", default_value_t = 10,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_000))]
    pub state_connections: usize,
    /// How long the database may take for one thing, in seconds
    #[arg(long, value_name = "SECONDS", env = "SPREADSHEET_MCP_STATE_TIMEOUT", default_value_t = 5,
        value_parser = clap::value_parser!(u64).range(1..=600))]
    pub state_timeout: u64,
    /// Forks in total
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_FORKS", default_value_t = 1_000)]
    pub max_forks: u64,
    /// Forks of one owner
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_FORKS_PER_OWNER", default_value_t = 1_000)]
    pub max_forks_per_owner: u64,
    /// Bytes of the workbooks that forks were made of, each distinct one counted once
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_FORK_BYTES", default_value_t = 20 << 30)]
    pub max_fork_bytes: u64,
    /// How long after its last use a fork is dropped, in seconds
    #[arg(long, value_name = "SECONDS", env = "SPREADSHEET_MCP_FORK_TTL", default_value_t = 7 * 86_400)]
    pub fork_ttl: u64,
    /// How often forks whose time has passed are looked for, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        env = "SPREADSHEET_MCP_FORK_CLEANUP_INTERVAL",
        default_value_t = 3_600
    )]
    pub fork_cleanup_interval: u64,
    /// Forks kept in memory
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_LIVE_FORKS", default_value_t = 16)]
    pub live_forks: usize,
    /// The folder of pictures that screenshot_sheet makes (screenshots within the state directory)
    #[arg(long, value_name = "FOLDER", env = "SPREADSHEET_MCP_SCREENSHOTS_DIR")]
    pub screenshots_dir: Option<PathBuf>,
    /// How long pictures are kept, in seconds
    #[arg(long, value_name = "SECONDS", env = "SPREADSHEET_MCP_SCREENSHOTS_TTL", default_value_t = 86_400)]
    pub screenshots_ttl: u64,
    /// Bytes of pictures that are kept, the newest ones; 0 for any number
    #[arg(
        long,
        value_name = "BYTES",
        env = "SPREADSHEET_MCP_MAX_SCREENSHOT_BYTES",
        default_value_t = 1 << 30
    )]
    pub max_screenshot_bytes: u64,
    /// Bytes that forks, their logs and previous versions of files may take on the disk; 0 for any number
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_STATE_BYTES", default_value_t = 40 << 30)]
    pub max_state_bytes: u64,
    /// Previous versions kept of each file that was replaced
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_KEEP_VERSIONS", default_value_t = 10)]
    pub keep_versions: u32,
}

impl StateConfig {
    /// The folder, which for the default depends on the workspace: paths of forks are those of one workspace.
    pub fn folder(&self, workspace: &Location) -> PathBuf {
        if let Some(folder) = &self.state_dir {
            return folder.clone();
        }
        let of_home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
        let base = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or_else(of_home);
        let base = base.unwrap_or_else(std::env::temp_dir).join("spreadsheet-mcp");
        let url = workspace.to_string();
        let name = workspace.folder().map_or(url.as_bytes(), |folder| folder.as_os_str().as_encoded_bytes());
        let digest = forks::Digest::of(name).to_string();
        base.join(&digest[..16])
    }

    /// The folder of the database, unless it is PostgreSQL's.
    pub fn database_folder(&self, workspace: &Location) -> PathBuf {
        match &self.state_url {
            Some(StateUrl::Sqlite(folder)) => folder.clone(),
            _ => self.folder(workspace),
        }
    }

    /// What means nothing together.
    pub(super) fn wrong_values(&self) -> Vec<WrongValue> {
        let needs_postgres = || "it is for a database: name that by --state-url postgres://...".to_owned();
        match (&self.state_url, &self.state_password_file) {
            (Some(StateUrl::Postgres(_)), _) | (_, None) => Vec::new(),
            _ => vec![WrongValue::new("state_password_file", needs_postgres())],
        }
    }

    /// What is wrong with the file of the database's password, without what it says.
    pub(super) fn wrong_password_file(&self) -> Option<String> {
        let Some(SecretSource::File(path)) = &self.state_password_file else { return None };
        fs::read_to_string(path).err().map(|error| format!("can't be read: {error}"))
    }

    /// The folder of pictures.
    pub fn screenshots_folder(&self, workspace: &Location) -> PathBuf {
        self.screenshots_dir.clone().unwrap_or_else(|| self.folder(workspace).join("screenshots"))
    }

    /// How long after its last use a fork is dropped.
    pub fn fork_ttl(&self) -> Duration {
        Duration::from_secs(self.fork_ttl)
    }

    /// How often forks whose time has passed are looked for.
    pub fn fork_cleanup_interval(&self) -> Duration {
        Duration::from_secs(self.fork_cleanup_interval)
    }
}
