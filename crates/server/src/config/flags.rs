//! What is dangerous, and off by default.

use clap::Args;

use crate::flags::{Flag, Rollout};

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
