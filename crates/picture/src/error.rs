//! Why there is no picture.

use grid::CellRange;

use crate::options::Size;

/// Why a range could not be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// The range is larger than the limits.
    #[error(
        "{range} would be {} x {} pixels of {cells} cells, more than {max_dimension_px} pixels a side, {max_area_px} \
         in all or {max_cells} cells; ask for fewer cells or a smaller scale",
        size.width, size.height
    )]
    TooLarge {
        /// The range that was asked for.
        range: CellRange,
        /// What the picture would measure.
        size: Size,
        /// Cells that it would show.
        cells: u64,
        /// The longest side allowed.
        max_dimension_px: u32,
        /// The most pixels allowed.
        max_area_px: u64,
        /// The most cells allowed.
        max_cells: u64,
    },
    /// Every row or every column of the range is hidden.
    #[error("every row or every column of {range} is hidden; ask for a range with visible cells")]
    NothingVisible {
        /// The range that was asked for.
        range: CellRange,
    },
    /// The caller asked to stop.
    #[error("drawing was cancelled")]
    Cancelled,
    /// The pixels could not be packed: a fault of ours, not of the file.
    #[error("could not pack the picture: {0}")]
    Encode(String),
}
