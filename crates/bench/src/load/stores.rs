//! Where servers have their forks when they share them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use components::Postgres;

/// Gives a database its tables, and says what servers are told of it.
pub(super) fn database(program: &Path, postgres: &Postgres, name: &str) -> Result<(&'static str, String)> {
    let variable = "SPREADSHEET_MCP_STATE_URL";
    let url = postgres.url(name);
    let migrated = Command::new(program).arg("migrate").env(variable, &url).output()?;
    ensure!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    Ok((variable, url))
}

/// Blobs in a folder that all of them see.
pub(super) fn blobs(folder: &Path) -> Result<(&'static str, String)> {
    fs::create_dir_all(folder)?;
    Ok(("SPREADSHEET_MCP_BLOB_URL", format!("file://{}", folder.display())))
}
