//! How much one call, one caller and one workbook may take, and what is kept of workbooks.

use std::time::Duration;

use clap::Args;

/// What a call may cost (BOUNDED, BUDGET).
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitsConfig {
    /// How long a call may take, in milliseconds
    #[arg(long, value_name = "MS", env = "SPREADSHEET_MCP_TOOL_TIMEOUT_MS", default_value_t = 30_000)]
    pub tool_timeout_ms: u64,
    /// Bytes of an answer
    #[arg(
        long,
        value_name = "BYTES",
        env = "SPREADSHEET_MCP_MAX_RESPONSE_BYTES",
        default_value_t = 1_000_000
    )]
    pub max_response_bytes: usize,
    /// Cells of an answer
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_CELLS", default_value_t = 50_000)]
    pub max_cells: usize,
    /// Entries of a list in an answer
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_ITEMS", default_value_t = 1_000)]
    pub max_items: usize,
    /// Calls that run at the same time; a few more may wait
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_CONCURRENT_CALLS", default_value_t = 16)]
    pub max_concurrent_calls: usize,
    /// Calls of one caller that run or wait at the same time, of each replica; 0 for as many as there are
    #[arg(
        long,
        value_name = "N",
        env = "SPREADSHEET_MCP_MAX_CONCURRENT_CALLS_PER_CALLER",
        default_value_t = 0
    )]
    pub max_concurrent_calls_per_caller: usize,
    /// Calls of one caller within a minute, of all replicas that share a database; 0 for any number. So many may come at once, and
    /// they are given back evenly: within some 60 seconds it may be twice as many
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_CALLS_PER_MINUTE", default_value_t = 0)]
    pub max_calls_per_minute: u32,
    /// Bytes of memory that the server may hold, LibreOffice aside: above, what is kept for later goes, then nothing more is
    /// loaded; 0 for four fifths of what the machine or the container has, without what LibreOffice may take where it is installed
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_MEMORY_BYTES", default_value_t = 0)]
    pub max_memory_bytes: u64,
    /// Bytes of a workbook's file
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_FILE_BYTES", default_value_t = 512 << 20)]
    pub max_file_bytes: u64,
    /// Cells of a workbook
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_WORKBOOK_CELLS", default_value_t = 50_000_000)]
    pub max_workbook_cells: u64,
    /// Bytes of one sheet in memory
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_SHEET_BYTES", default_value_t = 768 << 20)]
    pub max_sheet_bytes: u64,
    /// Sheets of a workbook
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_SHEETS", default_value_t = 20_000)]
    pub max_sheets: u32,
    /// Distinct texts of a workbook
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_SHARED_STRINGS", default_value_t = 10_000_000)]
    pub max_shared_strings: u32,
    /// Bytes of all texts of a workbook
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_STRING_BYTES", default_value_t = 512 << 20)]
    pub max_string_bytes: u64,
    /// Entries of one list of a sheet: merged ranges, rules, comments
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_LIST_ITEMS", default_value_t = 2_000_000)]
    pub max_list_items: u32,
    /// Parts of a package
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_PARTS", default_value_t = 65_536)]
    pub max_parts: usize,
    /// Decompressed bytes of one part
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_PART_BYTES", default_value_t = 2 << 30)]
    pub max_part_bytes: u64,
    /// Decompressed bytes of a part that is read whole: styles, names, relationships
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_WHOLE_PART_BYTES", default_value_t = 256 << 20)]
    pub max_whole_part_bytes: u64,
    /// Decompressed bytes of a package
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_MAX_TOTAL_BYTES", default_value_t = 4 << 30)]
    pub max_total_bytes: u64,
    /// Decompressed bytes per compressed byte of a large part
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_COMPRESSION_RATIO", default_value_t = 500)]
    pub max_compression_ratio: u64,
    /// Nested elements of a part
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_MAX_XML_DEPTH", default_value_t = 256)]
    pub max_xml_depth: usize,
    /// Pixels of the longer side of a picture
    #[arg(long, value_name = "PX", env = "SPREADSHEET_MCP_MAX_PNG_DIM_PX", default_value_t = 4_096)]
    pub max_png_dim_px: u32,
    /// Pixels of a picture
    #[arg(long, value_name = "PX", env = "SPREADSHEET_MCP_MAX_PNG_AREA_PX", default_value_t = 8_000_000)]
    pub max_png_area_px: u64,
}

impl LimitsConfig {
    /// How long a call may take.
    pub fn tool_timeout(&self) -> Duration {
        Duration::from_millis(self.tool_timeout_ms)
    }

    /// What reading one workbook may cost.
    pub fn for_reading(&self) -> workbook::Limits {
        let package = ooxml::Limits {
            max_parts: self.max_parts,
            max_part_bytes: self.max_part_bytes,
            max_whole_part_bytes: self.max_whole_part_bytes,
            max_total_bytes: self.max_total_bytes,
            max_ratio: self.max_compression_ratio,
            max_xml_depth: self.max_xml_depth,
        };
        workbook::Limits {
            package,
            max_cells: self.max_workbook_cells,
            max_sheet_bytes: self.max_sheet_bytes,
            max_sheets: self.max_sheets,
            max_shared_strings: self.max_shared_strings,
            max_string_bytes: self.max_string_bytes,
            max_list_items: self.max_list_items,
        }
    }
}

/// What is kept in memory.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cache")]
pub struct CacheConfig {
    /// Workbooks kept in memory
    #[arg(long, value_name = "N", env = "SPREADSHEET_MCP_CACHE_CAPACITY", default_value_t = 50)]
    pub cache_capacity: u64,
    /// Bytes of workbooks kept in memory
    #[arg(long, value_name = "BYTES", env = "SPREADSHEET_MCP_CACHE_BYTES", default_value_t = 2 << 30)]
    pub cache_bytes: u64,
}

/// What a request may cost before it is a call.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Requests")]
pub struct RequestsConfig {
    /// Bytes of a request
    #[arg(
        long,
        value_name = "BYTES",
        env = "SPREADSHEET_MCP_MAX_REQUEST_BYTES",
        default_value_t = 1_000_000
    )]
    pub max_request_bytes: usize,
}

#[cfg(test)]
mod tests {
    use crate::testing;

    #[test]
    fn the_default_limits_are_those_of_the_reader() {
        assert_eq!(testing::config(&[]).live.limits.for_reading(), workbook::Limits::default());
    }
}
