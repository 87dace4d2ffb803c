//! Where backups go, and who can read them.

use std::path::PathBuf;

use clap::Args;

/// Where `spreadsheet-mcp backup` keeps backups.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Backup")]
pub struct BackupConfig {
    /// The place of backups: a folder, or s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX
    #[arg(long, value_name = "PLACE", env = "SPREADSHEET_MCP_BACKUP_DESTINATION")]
    pub backup_destination: Option<String>,
    /// The file of the public keys (age1…, one a line) that backups are encrypted to
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_BACKUP_RECIPIENTS_FILE")]
    pub backup_recipients_file: Option<PathBuf>,
    /// Make backups that are not encrypted
    #[arg(
        long,
        value_name = "BOOL",
        env = "SPREADSHEET_MCP_BACKUP_UNENCRYPTED",
        default_value_t = false,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set
    )]
    pub backup_unencrypted: bool,
    /// The file of the secret keys (AGE-SECRET-KEY-1…) that backups are read with; whoever makes backups does not need it
    #[arg(long, value_name = "FILE", env = "SPREADSHEET_MCP_BACKUP_IDENTITY_FILE")]
    pub backup_identity_file: Option<PathBuf>,
    /// For how many days backups are kept
    #[arg(long, value_name = "DAYS", env = "SPREADSHEET_MCP_BACKUP_KEEP_DAYS", default_value_t = 30)]
    pub backup_keep_days: u32,
}
