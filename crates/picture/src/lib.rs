//! Draws a range of a sheet as a PNG, from the model alone: what [`draw`] shows is what Excel would, as far as layout
//! goes, so that a reader of the picture understands the sheet.
//!
//! Invariants:
//! - Pure: the workbook and the fonts are handed in, bytes come out; the same input gives the same bytes.
//! - BUDGET: a picture costs its pixels and the cells that it shows, never what a file says of sizes. Heights and
//!   widths are clamped as Excel clamps them, texts are read as far as they are visible, and a range that is too large is
//!   refused before anything is allocated; [`tiles`] cuts it.
//!
//! What it leaves out: conditional formats, sparklines, rich text within a cell, diagonal borders, text that needs
//! shaping (Arabic, Indic scripts), and the contents of charts and shapes, which are frames with their kind and title.
//! Images are drawn where they are PNG or JPEG.
//!
//! **What this crate must never know:** LibreOffice, the file system (a caller reads fonts), tokio, MCP.

mod autofit;
mod axis;
mod bitmap;
mod canvas;
mod error;
mod fonts;
mod geometry;
mod glyphs;
mod look;
mod options;
mod paint;
mod scene;
mod shown;
mod table_style;
mod text_block;
mod tiles;
mod typesetter;

use grid::CellRange;
use workbook::{Sheet, Workbook};

pub use error::PictureError;
pub use fonts::{FontError, Fonts};
pub use options::{PictureOptions, Size};
pub use tiles::Tiles;

/// What a picture is to show, and how.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The workbook: its formats and its theme.
    pub book: &'a Workbook,
    /// The sheet, one of the workbook's.
    pub sheet: &'a Sheet,
    /// The cells to show.
    pub range: CellRange,
    /// The fonts to draw with.
    pub fonts: &'a Fonts,
    /// Scale, headings, limits.
    pub options: &'a PictureOptions,
}

/// The size of the picture in pixels, without drawing it.
///
/// Exact for what is within a few times the limits; beyond, rows without a height of their own are taken to have the
/// default one.
pub fn size(view: &View<'_>) -> Size {
    geometry::Geometry::new(view).size(view)
}

/// Ranges that each fit the limits and together are the view's range, from left to right and then down.
///
/// At most `max_tiles`; [`Tiles::is_complete`] says whether that was enough. A single cell that is larger than the limits
/// is a tile that [`draw`] refuses.
pub fn tiles(view: &View<'_>, max_tiles: usize) -> Tiles {
    tiles::cut(view, max_tiles)
}

/// Draws the view as a PNG (8 bits, RGB or with a palette).
///
/// `cancel` is asked once per row of cells at least.
///
/// # Errors
/// [`PictureError::TooLarge`] before drawing, [`PictureError::NothingVisible`] if every row or column is hidden,
/// [`PictureError::Cancelled`] when `cancel` says so.
pub fn draw(view: &View<'_>, cancel: &dyn Fn() -> bool) -> Result<Vec<u8>, PictureError> {
    paint::draw(view, cancel)
}
