//! The configuration: typed structs are the only source of flags, `SPREADSHEET_MCP_*` variables, keys of the file, the
//! schema and the reference page.
//!
//! The definitions say names, defaults and help. [`options`] reads them, [`layers`] puts a value together from where it
//! may come: default, [`mod@file`], environment, flag. What is live is a type: [`LiveConfig`] is swapped while the server
//! runs, [`FixedConfig`] needs a restart.

pub mod command_line;
pub mod file;
pub mod layers;
pub mod log_filter;
pub mod options;
pub mod reference;
pub mod schema;
pub mod secret;

mod oidc;
mod telemetry;
mod tls;
mod url;
mod vault;
mod wrong_values;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, ValueEnum};

use crate::{
    flags::{Flag, Rollout},
    serve::Drain,
};

pub use log_filter::LogFilter;
pub use oidc::OidcConfig;
pub use secret::{SecretFile, SecretSource, VaultPath};
pub use telemetry::{
    LogFormat, LogLinesConfig, MetricsBind, MetricsConfig, OtlpProtocol, PlainUrl, TracingConfig,
};
pub use tls::{MetricsTls, TlsConfig, TlsVersion};
pub use url::SecureUrl;
pub use vault::{VaultAuth, VaultConfig};
pub use wrong_values::WrongValue;

/// Everything that can be configured.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// What is logged.
    #[command(flatten)]
    pub log: LogConfig,
    /// What every command needs to know.
    #[command(flatten)]
    pub config: Config,
    /// How `serve` listens.
    #[command(flatten)]
    pub listen: ListenConfig,
    /// Whether ports speak TLS.
    #[command(flatten)]
    pub tls: TlsConfig,
    /// Where metrics are told.
    #[command(flatten)]
    pub metrics: MetricsConfig,
    /// Where spans go.
    #[command(flatten)]
    pub tracing: TracingConfig,
}

/// What every command needs to know: where workbooks are, which tools there are, and what a call may cost.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// What stays as it is until a restart.
    #[command(flatten)]
    pub fixed: FixedConfig,
    /// What may change while the server runs.
    #[command(flatten)]
    pub live: LiveConfig,
}

/// What stays as it is until a restart.
#[derive(Debug, Clone, Args)]
pub struct FixedConfig {
    /// How lines of the log are written.
    #[command(flatten)]
    pub lines: LogLinesConfig,
    /// Which workbooks are shown.
    #[command(flatten)]
    pub workspace: WorkspaceConfig,
    /// Where forks are kept, and how many.
    #[command(flatten)]
    pub state: StateConfig,
    /// How formulas are computed.
    #[command(flatten)]
    pub recalc: RecalcConfig,
    /// What is kept in memory.
    #[command(flatten)]
    pub cache: CacheConfig,
    /// What a request may cost before it is a call.
    #[command(flatten)]
    pub requests: RequestsConfig,
    /// Who may call, and what is told of what they do.
    #[command(flatten)]
    pub access: AccessConfig,
    /// Which identity provider's tokens are taken.
    #[command(flatten)]
    pub oidc: OidcConfig,
    /// Where secrets come from that are not in files.
    #[command(flatten)]
    pub vault: VaultConfig,
    /// What has to be there for the server to be ready.
    #[command(flatten)]
    pub health: HealthConfig,
}

impl FixedConfig {
    /// Where keys are: in the state directory unless they are somewhere else.
    pub fn keys_source(&self) -> SecretSource {
        let beside_forks = || self.state.folder(&self.workspace_root()).join("keys.toml");
        self.access.keys_file.clone().unwrap_or_else(|| SecretSource::File(beside_forks()))
    }

    /// The folder of workbooks as the system knows it.
    fn workspace_root(&self) -> PathBuf {
        let folder = &self.workspace.workspace;
        folder.canonicalize().unwrap_or_else(|_| folder.clone())
    }
}

/// What has to be there for the server to be ready.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Health")]
pub struct HealthConfig {
    /// Bytes that have to be free where the state is
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MIN_FREE_BYTES", default_value_t = 100 << 20)]
    pub min_free_bytes: u64,
    /// Be ready only where LibreOffice is there
    #[arg(
        long,
        value_name = "BOOL",
        env = "SPREADSHEET_MCP_REQUIRE_LIBREOFFICE",
        default_value_t = false,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set
    )]
    pub require_libreoffice: bool,
}

/// Who may call over HTTP, and what is told of what they do.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Access")]
pub struct AccessConfig {
    /// The file of API keys, which `spreadsheet-mcp keys` writes (keys.toml within the state directory), or where it is in Vault,
    /// vault:MOUNT/PATH#FIELD; whoever names it wants every caller to have one
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_KEYS_FILE")]
    pub keys_file: Option<SecretSource>,
    /// The folder of the audit trail, one per server; none is kept without it
    #[arg(long, value_name = "DIR", env = "SPREADSHEET_MCP_AUDIT_DIR")]
    pub audit_dir: Option<PathBuf>,
    /// For how many days at least the audit trail is kept
    #[arg(long, value_name = "DAYS", env = "SPREADSHEET_MCP_AUDIT_KEEP_DAYS", default_value_t = 365)]
    pub audit_keep_days: u32,
}

/// What may change while the server runs. A call keeps to what it began with.
#[derive(Debug, Clone, Args)]
pub struct LiveConfig {
    /// Which tools are offered.
    #[command(flatten)]
    pub tools: ToolsConfig,
    /// What is dangerous, and for whom it is on.
    #[command(flatten)]
    pub flags: FlagsConfig,
    /// What a call may cost.
    #[command(flatten)]
    pub limits: LimitsConfig,
}

/// What is logged.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogConfig {
    /// What is logged to standard error: error, warn, info, debug, or per module; RUST_LOG does where this is not given
    #[arg(long, global = true, value_name = "FILTER", env = "SPREADSHEET_MCP_LOG", default_value = "info")]
    pub log: LogFilter,
}

/// How formulas are computed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Recalculation")]
pub struct RecalcConfig {
    /// Programs of LibreOffice that run at the same time
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_CONCURRENT_RECALCS", default_value_t = 2)]
    pub max_concurrent_recalcs: usize,
    /// Calls that may wait for LibreOffice
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_RECALC_QUEUE", default_value_t = 16)]
    pub recalc_queue: usize,
    /// Bytes of memory that one LibreOffice may take
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_LIBREOFFICE_MEMORY", default_value_t = 2 << 30)]
    pub libreoffice_memory: u64,
    /// Calls after which a LibreOffice is replaced by a fresh one
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_LIBREOFFICE_JOBS", default_value_t = 200)]
    pub libreoffice_jobs: u32,
    /// Bytes that LibreOffice may take on the disk for its work; 0 for any number
    #[arg(
        long,
        value_name = "BYTES",
        env = "SPREADSHEET_MCP_MAX_TEMPORARY_BYTES",
        default_value_t = 4 << 30
    )]
    pub max_temporary_bytes: u64,
    /// The program of LibreOffice (found on the PATH)
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_SOFFICE")]
    pub soffice: Option<PathBuf>,
    /// Workbooks that stay loaded in an engine, ready for the next edit
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_WARM_ENGINES", default_value_t = 4)]
    pub warm_engines: usize,
    /// This program, to be started for evaluations that cannot be stopped from within.
    #[arg(skip)]
    pub program: Option<PathBuf>,
}

/// Which workbooks are shown.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Workspace")]
pub struct WorkspaceConfig {
    /// The folder of workbooks. Nothing outside of it is read
    #[arg(long, value_name = "DIR", env = "SPREADSHEET_MCP_WORKSPACE", default_value = ".")]
    pub workspace: PathBuf,
    /// Show only this workbook, a path within the workspace
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_WORKBOOK")]
    pub workbook: Option<String>,
    /// Extensions of files that are workbooks
    #[arg(
        long,
        value_name = "LIST",
        env = "SPREADSHEET_MCP_EXTENSIONS",
        value_delimiter = ',',
        default_value = "xlsx,xlsm,xltx,xltm,xls,xlsb,ods,csv,tsv"
    )]
    pub extensions: Vec<String>,
}

/// Which tools are offered.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tools")]
pub struct ToolsConfig {
    /// Offer only these tools
    #[arg(long, value_name = "LIST", env = "SPREADSHEET_MCP_TOOLS", value_delimiter = ',')]
    pub tools: Vec<String>,
}

/// What is dangerous: off unless switched on, for everybody or for some percent of the callers.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Flags")]
pub struct FlagsConfig {
    /// Let save_fork replace files of the workspace: false, true, or for a percentage of callers (25%)
    #[arg(
        long,
        value_name = "ROLLOUT",
        env = "SPREADSHEET_MCP_ALLOW_OVERWRITE",
        default_value_t = Rollout::Off,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true
    )]
    pub allow_overwrite: Rollout,
    /// Offer the source of macros through the vba tool: false, true, or to a percentage of callers (25%)
    #[arg(
        long,
        value_name = "ROLLOUT",
        env = "SPREADSHEET_MCP_VBA_ENABLED",
        default_value_t = Rollout::Off,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true
    )]
    pub vba_enabled: Rollout,
    /// Let edits write formulas that reach out of their workbook (other workbooks, DDE, WEBSERVICE and its kin): false, true, or
    /// for a percentage of callers (25%)
    #[arg(
        long,
        value_name = "ROLLOUT",
        env = "SPREADSHEET_MCP_ALLOW_EXTERNAL_FORMULAS",
        default_value_t = Rollout::Off,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true
    )]
    pub allow_external_formulas: Rollout,
}

impl FlagsConfig {
    /// For whom a flag is on.
    pub fn rollout(&self, flag: Flag) -> Rollout {
        match flag {
            Flag::Overwrite => self.allow_overwrite,
            Flag::Vba => self.vba_enabled,
            Flag::ExternalFormulas => self.allow_external_formulas,
        }
    }
}

/// Where forks are kept, and how many.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Forks")]
pub struct StateConfig {
    /// The folder of forks and of previous versions of files; by default one per workspace in the user's state directory
    #[arg(long, value_name = "DIR", env = "SPREADSHEET_MCP_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
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
    pub fn folder(&self, workspace: &Path) -> PathBuf {
        if let Some(folder) = &self.state_dir {
            return folder.clone();
        }
        let of_home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
        let base = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or_else(of_home);
        let base = base.unwrap_or_else(std::env::temp_dir).join("spreadsheet-mcp");
        let digest = forks::Digest::of(workspace.as_os_str().as_encoded_bytes()).to_string();
        base.join(&digest[..16])
    }

    /// The folder of pictures.
    pub fn screenshots_folder(&self, workspace: &Path) -> PathBuf {
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

/// What a call may cost (BOUNDED, BUDGET).
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitsConfig {
    /// How long a call may take, in milliseconds
    #[arg(long, value_name = "MS", env = "SPREADSHEET_MCP_TOOL_TIMEOUT_MS", default_value_t = 30_000)]
    pub tool_timeout_ms: u64,
    /// Bytes of an answer
    #[arg(
        long,
        value_name = "BYTES",
        env = "SPREADSHEET_MCP_MAX_RESPONSE_BYTES",
        default_value_t = 1_000_000
    )]
    pub max_response_bytes: usize,
    /// Cells of an answer
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_CELLS", default_value_t = 50_000)]
    pub max_cells: usize,
    /// Entries of a list in an answer
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_ITEMS", default_value_t = 1_000)]
    pub max_items: usize,
    /// Calls that run at the same time; a few more may wait
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_CONCURRENT_CALLS", default_value_t = 16)]
    pub max_concurrent_calls: usize,
    /// Calls of one caller that run or wait at the same time; 0 for as many as there are
    #[arg(
        long,
        value_name = "N",
        env = "SPREADSHEET_MCP_MAX_CONCURRENT_CALLS_PER_CALLER",
        default_value_t = 0
    )]
    pub max_concurrent_calls_per_caller: usize,
    /// Calls of one caller within a minute; 0 for any number
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_CALLS_PER_MINUTE", default_value_t = 0)]
    pub max_calls_per_minute: u32,
    /// Bytes of memory that the server may hold, LibreOffice aside: above, what is kept for later goes, then nothing more is
    /// loaded; 0 for four fifths of what the machine or the container has
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_MEMORY_BYTES", default_value_t = 0)]
    pub max_memory_bytes: u64,
    /// Bytes of a workbook's file
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_FILE_BYTES", default_value_t = 512 << 20)]
    pub max_file_bytes: u64,
    /// Cells of a workbook
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_WORKBOOK_CELLS", default_value_t = 50_000_000)]
    pub max_workbook_cells: u64,
    /// Bytes of one sheet in memory
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_SHEET_BYTES", default_value_t = 768 << 20)]
    pub max_sheet_bytes: u64,
    /// Sheets of a workbook
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_SHEETS", default_value_t = 20_000)]
    pub max_sheets: u32,
    /// Distinct texts of a workbook
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_SHARED_STRINGS", default_value_t = 10_000_000)]
    pub max_shared_strings: u32,
    /// Bytes of all texts of a workbook
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_STRING_BYTES", default_value_t = 512 << 20)]
    pub max_string_bytes: u64,
    /// Entries of one list of a sheet: merged ranges, rules, comments
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_LIST_ITEMS", default_value_t = 2_000_000)]
    pub max_list_items: u32,
    /// Parts of a package
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_PARTS", default_value_t = 65_536)]
    pub max_parts: usize,
    /// Decompressed bytes of one part
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_PART_BYTES", default_value_t = 2 << 30)]
    pub max_part_bytes: u64,
    /// Decompressed bytes of a part that is read whole: styles, names, relationships
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_WHOLE_PART_BYTES", default_value_t = 256 << 20)]
    pub max_whole_part_bytes: u64,
    /// Decompressed bytes of a package
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_TOTAL_BYTES", default_value_t = 4 << 30)]
    pub max_total_bytes: u64,
    /// Decompressed bytes per compressed byte of a large part
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_COMPRESSION_RATIO", default_value_t = 500)]
    pub max_compression_ratio: u64,
    /// Nested elements of a part
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_XML_DEPTH", default_value_t = 256)]
    pub max_xml_depth: usize,
    /// Pixels of the longer side of a picture
    #[arg(long, value_name = "PX", env = "SPREADSHEET_MCP_MAX_PNG_DIM_PX", default_value_t = 4_096)]
    pub max_png_dim_px: u32,
    /// Pixels of a picture
    #[arg(long, value_name = "PX", env = "SPREADSHEET_MCP_MAX_PNG_AREA_PX", default_value_t = 8_000_000)]
    pub max_png_area_px: u64,
}

/// What is kept in memory.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cache")]
pub struct CacheConfig {
    /// Workbooks kept in memory
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_CACHE_CAPACITY", default_value_t = 50)]
    pub cache_capacity: u64,
    /// Bytes of workbooks kept in memory
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_CACHE_BYTES", default_value_t = 2 << 30)]
    pub cache_bytes: u64,
}

/// What a request may cost before it is a call.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Requests")]
pub struct RequestsConfig {
    /// Bytes of a request
    #[arg(
        long,
        value_name = "BYTES",
        env = "SPREADSHEET_MCP_MAX_REQUEST_BYTES",
        default_value_t = 1_000_000
    )]
    pub max_request_bytes: usize,
}

/// How `serve` listens.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Listening")]
pub struct ListenConfig {
    /// How clients connect
    #[arg(long, env = "SPREADSHEET_MCP_TRANSPORT", value_enum, default_value_t = Transport::Http)]
    pub transport: Transport,
    /// Address and port of the http transport
    #[arg(long, value_name = "ADDRESS", env = "SPREADSHEET_MCP_BIND", default_value = "127.0.0.1:8079")]
    pub bind: SocketAddr,
    /// Let anybody call without a key, from other machines too
    #[arg(
        long,
        value_name = "BOOL",
        env = "SPREADSHEET_MCP_INSECURE",
        default_value_t = false,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set
    )]
    pub insecure: bool,
    /// Names by which clients may reach the server (`Host`), with or without a port; any where others can reach it and need keys,
    /// otherwise those of this machine
    #[arg(long, value_name = "LIST", env = "SPREADSHEET_MCP_ALLOWED_HOSTS", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,
    /// Web pages that may call (`Origin`), as in `https://app.example.org`; pages of this machine may
    #[arg(long, value_name = "LIST", env = "SPREADSHEET_MCP_ALLOWED_ORIGINS", value_delimiter = ',')]
    pub allowed_origins: Vec<String>,
    /// The URL by which clients reach the server, without /mcp, as in `https://sheets.example.org`: what tokens are asked for
    #[arg(long, value_name = "URL", env = "SPREADSHEET_MCP_PUBLIC_URL")]
    pub public_url: Option<SecureUrl>,
    /// How long the server may take to end after SIGTERM, calls in flight included, in milliseconds
    #[arg(long, value_name = "MS", env = "SPREADSHEET_MCP_DRAIN_TIMEOUT_MS", default_value_t = 30_000)]
    pub drain_timeout_ms: u64,
    /// For how long after SIGTERM calls over HTTP are taken still, while /health/ready answers 503 already, in milliseconds:
    /// until whoever balances load has seen it; half of the drain's time at most
    #[arg(long, value_name = "MS", env = "SPREADSHEET_MCP_DRAIN_DELAY_MS", default_value_t = 1_000)]
    pub drain_delay_ms: u64,
}

/// How clients connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// A client starts the server and talks over its standard streams
    Stdio,
    /// Streamable HTTP at /mcp
    Http,
}

impl LimitsConfig {
    /// How long a call may take.
    pub fn tool_timeout(&self) -> Duration {
        Duration::from_millis(self.tool_timeout_ms)
    }

    /// What reading one workbook may cost.
    pub fn for_reading(&self) -> workbook::Limits {
        let package = ooxml::Limits {
            max_parts: self.max_parts,
            max_part_bytes: self.max_part_bytes,
            max_whole_part_bytes: self.max_whole_part_bytes,
            max_total_bytes: self.max_total_bytes,
            max_ratio: self.max_compression_ratio,
            max_xml_depth: self.max_xml_depth,
        };
        workbook::Limits {
            package,
            max_cells: self.max_workbook_cells,
            max_sheet_bytes: self.max_sheet_bytes,
            max_sheets: self.max_sheets,
            max_shared_strings: self.max_shared_strings,
            max_string_bytes: self.max_string_bytes,
            max_list_items: self.max_list_items,
        }
    }
}

impl ListenConfig {
    /// Whether other machines can connect.
    pub fn is_open_to_others(&self) -> bool {
        self.transport == Transport::Http && !self.bind.ip().is_loopback()
    }

    /// How the server ends after a signal.
    pub fn drain(&self) -> Drain {
        let limit = Duration::from_millis(self.drain_timeout_ms);
        // Half of the time at least is for calls in flight.
        Drain { limit, delay: Duration::from_millis(self.drain_delay_ms).min(limit / 2) }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing;

    #[test]
    fn the_default_limits_are_those_of_the_reader() {
        assert_eq!(testing::config(&[]).live.limits.for_reading(), workbook::Limits::default());
    }
}
