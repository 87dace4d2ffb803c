//! The command line of `spreadsheet-mcp backup`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use server::config::{Config, command_line::Flags};

use crate::cli::Format;

/// What help ends with.
pub(crate) const EXAMPLES: &str = "\
Examples:
  spreadsheet-mcp backup keygen --output backup-identity.txt > recipients.txt     a key pair; keep the identity away from the server
  spreadsheet-mcp backup create --backup-destination s3://backups/sheets --backup-recipients-file recipients.txt
  spreadsheet-mcp backup verify --backup-destination s3://backups/sheets --backup-identity-file backup-identity.txt --max-age 26h
  spreadsheet-mcp backup restore --backup-destination s3://backups/sheets --backup-identity-file backup-identity.txt \\
      --state-dir /var/lib/spreadsheet-mcp                       into a state that is empty
Everything comes back: forks, their logs, saved versions, the file of API keys, and the audit trail where --audit-dir names one. A server may serve
meanwhile. What is encrypted is in the format of age (age-encryption.org/v1).";

/// What to do with backups.
#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Print a new key pair: the public key is a recipient, the whole is the identity
    Keygen(KeygenArguments),
    /// Make a backup; what an earlier one wrote is not written again
    Create(CreateBackupArguments),
    /// List the backups, the latest first
    List(BackupArguments),
    /// Read a backup and say whether all of it is what was written (exit code 1 if not); with an identity also whether it can be
    /// brought back
    Verify(VerifyBackupArguments),
    /// Bring a backup back into a state that is empty
    Restore(OneBackupArguments),
    /// Take backups away that are older than --backup-keep-days, and what only they needed; the newest stays
    Prune(BackupArguments),
}

/// The arguments of `backup keygen`.
#[derive(Debug, Args)]
pub(crate) struct KeygenArguments {
    /// Write the identity to a new file that only its owner reads, and print the public key alone
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// The arguments of a command about all backups.
#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// How to print what was done
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Where backups and the state are.
    #[command(flatten)]
    pub(crate) config: Flags<Config>,
}

/// The arguments of `backup create`.
#[derive(Debug, Args)]
pub(crate) struct CreateBackupArguments {
    /// Then take away what is too old, as `backup prune` does
    #[arg(long)]
    pub(crate) prune: bool,
    /// What every command about backups needs.
    #[command(flatten)]
    pub(crate) about: BackupArguments,
}

/// The arguments of `backup verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyBackupArguments {
    /// Take away what is damaged of that which later backups would use again: the next `backup create` writes it anew
    #[arg(long)]
    pub(crate) delete_damaged: bool,
    /// Also fail (exit code 1) when the backup is older: `26h`, `7d`
    #[arg(long, value_name = "TIME")]
    pub(crate) max_age: Option<humantime::Duration>,
    /// What every command about one backup needs.
    #[command(flatten)]
    pub(crate) about: OneBackupArguments,
}

/// The arguments of a command about one backup.
#[derive(Debug, Args)]
pub(crate) struct OneBackupArguments {
    /// The backup (the latest)
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    /// How to print what was done
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Where backups and the state are.
    #[command(flatten)]
    pub(crate) config: Flags<Config>,
}

impl BackupCommand {
    /// The flags of the configuration that were given.
    pub(crate) fn config(&self) -> Option<&Flags<Config>> {
        match self {
            BackupCommand::Keygen(_) => None,
            BackupCommand::Create(arguments) => Some(&arguments.about.config),
            BackupCommand::List(arguments) | BackupCommand::Prune(arguments) => Some(&arguments.config),
            BackupCommand::Verify(arguments) => Some(&arguments.about.config),
            BackupCommand::Restore(arguments) => Some(&arguments.config),
        }
    }
}
