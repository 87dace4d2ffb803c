//! One client's calls, by a sequence of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use serde_json::{Value, json};

use crate::load::client::{Connection, Outcome};
use crate::load::server::Server;
use crate::{LOOKUPS, MIXED, SMALL};

/// Edits of a fork before a client lets go of it.
const EDITS: u64 = 50;
/// Out of a thousand calls: saves to a new file, and calculations by LibreOffice.
const SAVES: u64 = 5;
const BY_OFFICE: u64 = 2;
const KINDS: [&str; 10] =
    ["read", "read", "read", "table", "table", "find", "describe", "edit", "edit", "compute"];

pub(super) struct Caller {
    connection: Connection,
    sequence: fixtures::Sequence,
    has_office: bool,
    fork: Option<Value>,
    edits: u64,
    /// The file that it saves to, within the workspace, and from here.
    saved: (String, PathBuf),
}

impl Caller {
    pub(super) fn new(server: &Server, workspace: &Path, seed: u64, has_office: bool) -> Result<Caller> {
        let name = format!("saved-{seed}.xlsx");
        let path = workspace.join(&name);
        Ok(Caller {
            connection: Connection::open(server.address, server.key.as_deref())?,
            sequence: fixtures::Sequence::new(seed + 1),
            has_office,
            fork: None,
            edits: 0,
            saved: (name, path),
        })
    }

    pub(super) fn call_until(&mut self, is_over: &AtomicBool, note: impl Fn(Outcome)) -> Result<()> {
        while !is_over.load(Ordering::Relaxed) {
            let (tool, arguments) = self.next();
            let (outcome, mut answer) = self.connection.call(tool, &arguments)?;
            if outcome == Outcome::Done {
                match tool {
                    "create_fork" => (self.fork, self.edits) = (Some(answer["fork"].take()), 0),
                    "discard_fork" => self.fork = None,
                    "edit_cells" => self.edits += 1,
                    "save_fork" => fs::remove_file(&self.saved.1)?,
                    _ => {}
                }
            }
            note(outcome);
        }
        Ok(())
    }

    fn next(&mut self) -> (&'static str, Value) {
        let row = 1 + self.sequence.below(400_000);
        let kind = match self.sequence.below(1_000) {
            number if number < SAVES => "save",
            number if number < SAVES + BY_OFFICE && self.has_office => "compute by LibreOffice",
            _ => *self.sequence.pick(&KINDS),
        };
        match (kind, &self.fork) {
            ("read", _) => {
                ("read_range", json!({ "workbook": MIXED, "ranges": [format!("Data!A{row}:J{}", row + 20)] }))
            }
            ("table", _) => {
                let range = format!("Data!A{row}:J{}", row + 50);
                ("read_table", json!({ "workbook": MIXED, "range": range, "limit": 20 }))
            }
            ("find", _) => {
                let range = format!("Data!A{row}:J{}", row + 5000);
                ("find", json!({ "workbook": MIXED, "text": "Customer 01234", "range": range }))
            }
            ("describe", _) => ("describe_workbook", json!({ "workbook": LOOKUPS })),
            (_, None) => ("create_fork", json!({ "workbook": SMALL })),
            (_, Some(id)) if self.edits >= EDITS => ("discard_fork", json!({ "fork": id })),
            ("save", Some(id)) => ("save_fork", json!({ "fork": id, "path": self.saved.0 })),
            ("compute", Some(id)) => ("recalculate", json!({ "workbook": id, "engine": "native" })),
            ("compute by LibreOffice", Some(id)) => {
                ("recalculate", json!({ "workbook": id, "engine": "libreoffice" }))
            }
            (_, Some(id)) => {
                let op = json!({ "op": "set", "range": "B2", "values": [[row]] });
                ("edit_cells", json!({ "workbook": id, "ops": [op] }))
            }
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let _not_there = fs::remove_file(&self.saved.1);
    }
}
