//! A workspace to fork and save in.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use server::Server;
use server::error::ErrorCode;

use super::{call, server_over};

/// A workspace with a copy of the ledger, and a server over it.
pub(crate) struct Desk {
    pub(crate) server: Server,
    pub(crate) folder: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new(flags: &[&str]) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/workspace");
        fs::create_dir(folder.path().join("workspace")).unwrap();
        fs::copy(examples.join("sales-ledger.xlsx"), folder.path().join("workspace/ledger.xlsx")).unwrap();
        let state = folder.path().join("state").to_str().unwrap().to_owned();
        let flags: Vec<&str> = flags.iter().copied().chain(["--state-dir", &state]).collect();
        Desk { server: server_over(&folder.path().join("workspace"), &flags), folder }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("workspace").join(name)
    }

    #[track_caller]
    pub(crate) fn ask(&self, tool: &str, arguments: Value) -> Value {
        call(&self.server, tool, arguments).unwrap()
    }

    #[track_caller]
    pub(crate) fn refused(&self, tool: &str, arguments: Value) -> (ErrorCode, String) {
        let error = call(&self.server, tool, arguments).unwrap_err();
        (error.code, format!("{} / {}", error.message, error.hint.unwrap_or_default()))
    }

    pub(crate) fn fork(&self) -> Value {
        self.ask("create_fork", json!({ "workbook": "ledger.xlsx" }))["fork"].clone()
    }

    pub(crate) fn set(&self, fork: &Value, range: &str, value: Value) -> Value {
        self.ask(
            "edit_cells",
            json!({ "workbook": fork, "ops": [{ "op": "set", "range": range, "values": [[value]] }] }),
        )
    }

    pub(crate) fn read(&self, workbook: &str, cell: &str) -> Value {
        self.ask("read_range", json!({ "workbook": workbook, "ranges": [cell] }))["ranges"][0]["values"][0][0]
            .clone()
    }
}
