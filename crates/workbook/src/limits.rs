//! What reading one workbook may cost.

/// Bounds for reading one workbook (BUDGET). Exceeding one is an [`crate::OpenError`], never a slow death.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bounds for the package around the parts.
    pub package: ooxml::Limits,
    /// Cells with a value, a formula or a format, over all sheets that are loaded.
    pub max_cells: u64,
    /// Bytes of the model of one sheet.
    pub max_sheet_bytes: u64,
    /// Sheets of a workbook.
    pub max_sheets: u32,
    /// Distinct entries of the shared string table.
    pub max_shared_strings: u32,
    /// Bytes of all shared strings.
    pub max_string_bytes: u64,
    /// Entries of one list of a sheet: merged ranges, hyperlinks, validations, conditional formats, comments.
    pub max_list_items: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            package: ooxml::Limits::default(),
            max_cells: 50_000_000,
            max_sheet_bytes: 768 << 20,
            max_sheets: 20_000,
            max_shared_strings: 10_000_000,
            max_string_bytes: 512 << 20,
            max_list_items: 2_000_000,
        }
    }
}
