//! `spreadsheet-mcp checklist`: the deployment gate.

pub(crate) mod probes;
