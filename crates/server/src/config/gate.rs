//! The deployment gate: whether a server starts without its verdict, and what it shows of the checklist.

use std::path::PathBuf;

use clap::Args;

use super::WrongValue;

/// Whether a server starts without a verdict, and what it shows of the checklist.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Gate")]
pub struct GateConfig {
    /// Start only by this verdict of `spreadsheet-mcp checklist gate`: for this program and configuration, and signed for every role
    /// that --checklist-keys knows
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_REQUIRE_VERDICT")]
    pub require_verdict: Option<PathBuf>,
    /// The keys that are trusted to sign, as `spreadsheet-mcp checklist keys` writes them; for the page of the checklist otherwise
    /// `keys.toml` beside it
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_CHECKLIST_KEYS")]
    pub checklist_keys: Option<PathBuf>,
    /// The checklist that administrators see, and sign, at /console/checklist; none is shown without it
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_CHECKLIST_FILE")]
    pub checklist_file: Option<PathBuf>,
    /// The folder of its ledger; otherwise `ledger` beside the file
    #[arg(long, value_name = "DIR", env = "SPREADSHEET_MCP_CHECKLIST_LEDGER")]
    pub checklist_ledger: Option<PathBuf>,
}

impl GateConfig {
    /// A verdict whose signatures nobody can judge.
    pub(crate) fn wrong_verdict(&self) -> Option<WrongValue> {
        let is_wrong = self.require_verdict.is_some() && self.checklist_keys.is_none();
        let what = "it takes --checklist-keys as well: the keys that are trusted to sign it";
        is_wrong.then(|| WrongValue::new("require_verdict", what.to_owned()))
    }
}
