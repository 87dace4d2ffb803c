//! What to draw a picture of.

use crate::OfficeError;

/// A range of a sheet to draw, as LibreOffice draws it, with charts and pictures that lie over it.
///
/// It is drawn at its full size: one that is longer than 4.2 metres (15,800 pixels at 96 dpi) is too large, whatever its
/// resolution. Values are drawn as the file has them; formulas without a stored value are calculated.
#[derive(Debug, Clone)]
pub struct PictureRequest {
    /// The name of the sheet.
    pub sheet: String,
    /// The first row, from 0.
    pub first_row: u32,
    /// The first column, from 0.
    pub first_column: u32,
    /// The last row, included.
    pub last_row: u32,
    /// The last column, included.
    pub last_column: u32,
    /// Pixels per inch, 10 to 600; a screen at 100 % has 96.
    pub dpi: u32,
    /// Whether the names of rows and columns are drawn at the edges.
    pub headings: bool,
    /// Whether lines are drawn between cells.
    pub gridlines: bool,
    /// The most pixels on either side.
    pub max_dimension_px: u32,
    /// The most pixels in all.
    pub max_area_px: u64,
}

impl PictureRequest {
    /// Refuses what no sheet has.
    pub(crate) fn check(&self) -> Result<(), OfficeError> {
        const LAST_ROW: u32 = 1_048_575;
        const LAST_COLUMN: u32 = 16_383;
        let invalid = |what| Err(OfficeError::InvalidRequest { what });
        if self.first_row > self.last_row || self.first_column > self.last_column {
            return invalid("the range ends before it begins");
        }
        if self.last_row > LAST_ROW || self.last_column > LAST_COLUMN {
            return invalid("the range ends outside of any sheet");
        }
        if !(10..=600).contains(&self.dpi) {
            return invalid("the resolution is not between 10 and 600 dpi");
        }
        Ok(())
    }
}
