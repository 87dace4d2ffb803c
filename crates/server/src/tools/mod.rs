//! The tools, one file each.

mod checkpoint;
mod create_fork;
mod describe_workbook;
mod diff;
mod discard_fork;
mod edit;
mod find;
mod formula_map;
mod formula_trace;
mod list_forks;
mod list_workbooks;
mod read_range;
mod read_table;
mod recalculate;
mod save_fork;
mod screenshot_sheet;
mod sheet_overview;
mod styles;
mod table_profile;
mod transfer_url;
mod vba;
mod what_if;

use access::Role;

use crate::tool::ToolEntry;

/// The tool that is off unless switched on.
pub const VBA: &str = "vba";

/// The tool for who has no disk in common with the server.
pub const TRANSFER_URL: &str = "transfer_url";

/// All tools, in the order in which clients see them: first what a newcomer needs first.
pub fn all() -> Vec<ToolEntry> {
    vec![
        ToolEntry::reading::<list_workbooks::ListWorkbooks>(),
        ToolEntry::reading::<describe_workbook::DescribeWorkbook>(),
        ToolEntry::reading::<sheet_overview::SheetOverview>(),
        ToolEntry::reading::<read_table::ReadTable>(),
        ToolEntry::reading::<read_range::ReadRange>(),
        ToolEntry::reading::<table_profile::TableProfile>(),
        ToolEntry::reading::<find::Find>(),
        ToolEntry::reading::<formula_map::FormulaMap>(),
        ToolEntry::reading::<formula_trace::FormulaTrace>(),
        ToolEntry::reading::<styles::Styles>(),
        ToolEntry::reading::<screenshot_sheet::ScreenshotSheet>(),
        ToolEntry::reading::<transfer_url::TransferUrl>(),
        ToolEntry::reading::<vba::Vba>(),
        ToolEntry::writing::<create_fork::CreateFork>(Role::Analyst, false, false),
        ToolEntry::reading::<list_forks::ListForks>(),
        ToolEntry::writing::<edit::EditCells>(Role::Analyst, false, false),
        ToolEntry::writing::<edit::EditFormat>(Role::Analyst, false, false),
        ToolEntry::writing::<edit::EditStructure>(Role::Analyst, false, false),
        ToolEntry::writing::<checkpoint::Checkpoint>(Role::Analyst, false, false),
        ToolEntry::writing::<recalculate::Recalculate>(Role::Analyst, false, true),
        ToolEntry::reading::<diff::Diff>(),
        ToolEntry::writing::<save_fork::SaveFork>(Role::Editor, true, false),
        ToolEntry::writing::<discard_fork::DiscardFork>(Role::Analyst, true, true),
    ]
}

/// The names of all tools.
pub fn names() -> Vec<&'static str> {
    all().into_iter().map(|entry| entry.name).collect()
}
