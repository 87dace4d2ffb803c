//! The configuration: one typed struct, from flags and `SPREADSHEET_MCP_*` variables.

mod telemetry;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, ValueEnum};

pub use telemetry::{
    LogConfig, LogFormat, MetricsBind, MetricsConfig, OtlpProtocol, PlainUrl, TracingConfig,
};

/// What every command needs to know: where workbooks are, which tools there are, and what a call may cost.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Which workbooks are shown.
    #[command(flatten)]
    pub workspace: WorkspaceConfig,
    /// Which tools are offered.
    #[command(flatten)]
    pub tools: ToolsConfig,
    /// Where forks are kept, and how many.
    #[command(flatten)]
    pub state: StateConfig,
    /// How formulas are computed.
    #[command(flatten)]
    pub recalc: RecalcConfig,
    /// What a call may cost.
    #[command(flatten)]
    pub limits: LimitsConfig,
    /// How the log is written.
    #[command(flatten)]
    pub log: LogConfig,
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
    /// Offer the source of macros through the vba tool
    #[arg(
        long,
        value_name = "BOOL",
        env = "SPREADSHEET_MCP_VBA_ENABLED",
        default_value_t = false,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set
    )]
    pub vba_enabled: bool,
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
    /// Let save_fork replace files of the workspace
    #[arg(
        long,
        value_name = "BOOL",
        env = "SPREADSHEET_MCP_ALLOW_OVERWRITE",
        default_value_t = false,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set
    )]
    pub allow_overwrite: bool,
    /// The folder of pictures that screenshot_sheet makes (screenshots within the state directory)
    #[arg(long, value_name = "FOLDER", env = "SPREADSHEET_MCP_SCREENSHOTS_DIR")]
    pub screenshots_dir: Option<PathBuf>,
    /// How long pictures are kept, in seconds
    #[arg(long, value_name = "SECONDS", env = "SPREADSHEET_MCP_SCREENSHOTS_TTL", default_value_t = 86_400)]
    pub screenshots_ttl: u64,
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
    /// Bytes of a request
    #[arg(
        long,
        value_name = "BYTES",
        env = "SPREADSHEET_MCP_MAX_REQUEST_BYTES",
        default_value_t = 1_000_000
    )]
    pub max_request_bytes: usize,
    /// Calls that run at the same time; a few more may wait
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_CONCURRENT_CALLS", default_value_t = 16)]
    pub max_concurrent_calls: usize,
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
    /// Workbooks kept in memory
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_CACHE_CAPACITY", default_value_t = 50)]
    pub cache_capacity: u64,
    /// Bytes of workbooks kept in memory
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_CACHE_BYTES", default_value_t = 2 << 30)]
    pub cache_bytes: u64,
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
    /// How long calls in flight may finish after SIGTERM, in milliseconds
    #[arg(long, value_name = "MS", env = "SPREADSHEET_MCP_DRAIN_TIMEOUT_MS", default_value_t = 30_000)]
    pub drain_timeout_ms: u64,
}

/// How clients connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// A client starts the server and talks over its standard streams
    Stdio,
    /// Streamable HTTP at /mcp
    Http,
}

impl Config {
    /// Everything that is wrong with the values; each says which option and what to do.
    pub fn problems(&self, known_tools: &[&str]) -> Vec<String> {
        let mut problems = Vec::new();
        let workspace = &self.workspace.workspace;
        if !workspace.is_dir() {
            problems
                .push(format!("--workspace: \"{}\" is not a folder that can be read", workspace.display()));
        } else if let Some(workbook) = &self.workspace.workbook
            && !workspace.join(workbook).is_file()
        {
            problems
                .push(format!("--workbook: there is no file \"{workbook}\" in \"{}\"", workspace.display()));
        }
        if self.workspace.extensions.iter().all(|extension| extension.trim().is_empty()) {
            problems.push("--extensions: name at least one extension".to_owned());
        }
        for tool in &self.tools.tools {
            if !known_tools.contains(&tool.as_str()) {
                let nearest = crate::near_miss::near_misses(tool, known_tools.iter().copied());
                let meant =
                    nearest.first().map_or_else(String::new, |name| format!("; did you mean {name}?"));
                problems.push(format!("--tools: there is no tool \"{tool}\"{meant}"));
            }
        }
        if self.state.fork_cleanup_interval == 0 {
            problems.push("--fork-cleanup-interval: 0 is too small; the least is 1".to_owned());
        }
        self.limits.problems(&mut problems);
        problems
    }
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

    fn problems(&self, problems: &mut Vec<String>) {
        let least: [(&str, u64, u64); 9] = [
            ("--tool-timeout-ms", self.tool_timeout_ms, 1),
            ("--max-response-bytes", self.max_response_bytes as u64, 4_096),
            ("--max-cells", self.max_cells as u64, 1),
            ("--max-items", self.max_items as u64, 1),
            ("--max-request-bytes", self.max_request_bytes as u64, 1_024),
            ("--max-concurrent-calls", self.max_concurrent_calls as u64, 1),
            ("--max-file-bytes", self.max_file_bytes, 1),
            ("--cache-capacity", self.cache_capacity, 1),
            ("--cache-bytes", self.cache_bytes, 1 << 20),
        ];
        for (option, value, minimum) in least {
            if value < minimum {
                problems.push(format!("{option}: {value} is too small; the least is {minimum}"));
            }
        }
    }
}

impl ListenConfig {
    /// Everything that is wrong with the values.
    pub fn problems(&self) -> Vec<String> {
        let open_to_others = self.transport == Transport::Http && !self.bind.ip().is_loopback();
        if open_to_others {
            return vec![format!(
                "--bind: {} is reachable from other machines and there is no authentication; bind to a loopback address \
                 such as 127.0.0.1:8079 and put an authenticating proxy in front",
                self.bind
            )];
        }
        Vec::new()
    }

    /// How long calls in flight may finish.
    pub fn drain_timeout(&self) -> Duration {
        Duration::from_millis(self.drain_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        config: Config,
        #[command(flatten)]
        listen: ListenConfig,
    }

    #[track_caller]
    fn check(arguments: &[&str], expected: &[&str]) {
        let line = Line::try_parse_from(["test"].iter().chain(arguments)).expect("the arguments parse");
        let mut problems = line.config.problems(&["list_workbooks"]);
        problems.extend(line.listen.problems());
        assert_eq!(problems.len(), expected.len(), "{problems:?}");
        for (problem, start) in problems.iter().zip(expected) {
            assert!(problem.starts_with(start), "{problem:?} should start with {start:?}");
        }
    }

    #[test]
    fn the_defaults_are_right() {
        check(&[], &[]);
    }

    #[test]
    fn the_default_limits_are_those_of_the_reader() {
        let line = Line::try_parse_from(["test"]).expect("parses");
        assert_eq!(line.config.limits.for_reading(), workbook::Limits::default());
    }

    #[test]
    fn every_problem_is_listed() {
        check(
            &[
                "--workspace",
                "/nowhere",
                "--tools",
                "list_workbook",
                "--max-cells",
                "0",
                "--bind",
                "0.0.0.0:1",
            ],
            &[
                "--workspace: \"/nowhere\"",
                "--tools: there is no tool \"list_workbook\"; did you mean list_workbooks?",
                "--max-cells: 0",
                "--bind: 0.0.0.0:1 is reachable",
            ],
        );
        check(&["--transport", "stdio", "--bind", "0.0.0.0:1"], &[]);
    }

    #[test]
    fn vba_is_off_unless_asked_for() {
        let vba = |arguments: &[&str]| {
            Line::try_parse_from(["test"].iter().chain(arguments)).expect("parses").config.tools.vba_enabled
        };
        assert_eq!((vba(&[]), vba(&["--vba-enabled"]), vba(&["--vba-enabled=false"])), (false, true, false));
    }
}
