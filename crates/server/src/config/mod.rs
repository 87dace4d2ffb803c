//! The configuration: typed structs are the only source of flags, `SPREADSHEET_MCP_*` variables, keys of the file, the
//! schema and the reference page.
//!
//! The definitions say names, defaults and help. [`options`] reads them, [`layers`] puts a value together from where it
//! may come: default, [`mod@file`], environment, flag. What is live is a type: [`LiveConfig`] is swapped while the server
//! runs, [`FixedConfig`] needs a restart.

pub mod command_line;
pub mod file;
pub mod layers;
pub mod location;
mod log_filter;
pub mod options;
pub mod reference;
pub mod schema;
pub mod secret;

mod backup;
mod files;
mod flags;
mod gate;
mod limits;
mod listen;
mod objects;
mod oidc;
mod state;
mod state_url;
mod telemetry;
mod tls;
mod url;
mod vault;
mod wrong_values;

use std::path::PathBuf;

use clap::{
    Args,
    builder::{OsStringValueParser, TypedValueParser as _},
};

pub use backup::BackupConfig;
pub use files::{FilesConfig, NoCommand, ScanCommand, UploadCheck};
pub use flags::FlagsConfig;
pub use gate::GateConfig;
pub use limits::{CacheConfig, LimitsConfig, RequestsConfig};
pub use listen::{ListenConfig, Transport};
pub use location::Location;
pub use log_filter::LogFilter;
pub use objects::{BlobUrl, ObjectsConfig};
pub use oidc::OidcConfig;
pub use secret::{SecretFile, SecretSource, VaultPath};
pub use state::StateConfig;
pub use state_url::StateUrl;
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
    /// What is kept in buckets.
    #[command(flatten)]
    pub objects: ObjectsConfig,
    /// How formulas are computed.
    #[command(flatten)]
    pub recalc: RecalcConfig,
    /// What is kept in memory.
    #[command(flatten)]
    pub cache: CacheConfig,
    /// What a request may cost before it is a call.
    #[command(flatten)]
    pub requests: RequestsConfig,
    /// How files come and go over HTTP.
    #[command(flatten)]
    pub files: FilesConfig,
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
    /// Where backups go.
    #[command(flatten)]
    pub backup: BackupConfig,
    /// What a server needs to be let go, and shows of it.
    #[command(flatten)]
    pub gate: GateConfig,
}

impl FixedConfig {
    /// Where keys are: in the state directory unless they are somewhere else.
    pub fn keys_source(&self) -> SecretSource {
        let workspace = self.workspace.workspace.canonical();
        let beside_forks = || self.state.folder(&workspace).join("keys.toml");
        self.access.keys_file.clone().unwrap_or_else(|| SecretSource::File(beside_forks()))
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
    /// Where workbooks are: a folder, or s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX. Nothing outside of it is
    /// read
    #[arg(
        long,
        value_name = "DIR|URL",
        env = "SPREADSHEET_MCP_WORKSPACE",
        default_value = ".",
        value_parser = OsStringValueParser::new().try_map(Location::parse)
    )]
    pub workspace: Location,
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
    /// For how long the listing of a bucket is told again, in milliseconds; own writes are seen at once
    #[arg(long, value_name = "MS", env = "SPREADSHEET_MCP_WORKSPACE_LISTING_MS", default_value_t = 3_000)]
    pub workspace_listing_ms: u64,
    /// Bytes of workbooks of a bucket that are kept on the disk, in the state directory
    #[arg(
        long,
        value_name = "BYTES",
        env = "SPREADSHEET_MCP_WORKSPACE_CACHE_BYTES",
        default_value_t = 2 << 30
    )]
    pub workspace_cache_bytes: u64,
}

/// Which tools are offered.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tools")]
pub struct ToolsConfig {
    /// Offer only these tools
    #[arg(long, value_name = "LIST", env = "SPREADSHEET_MCP_TOOLS", value_delimiter = ',')]
    pub tools: Vec<String>,
}
