//! How a picture is to look, and how large it may get.

/// The most cells that one picture shows, whatever their size.
pub(crate) const MAX_CELLS: u64 = 1_000_000;

/// How a picture is to look, and how large it may get.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureOptions {
    /// Pixels per pixel of Excel at 100 %: 1.0 is 96 dpi. Clamped to 0.25 ..= 4.
    pub scale: f32,
    /// Whether column letters and row numbers are shown.
    pub headings: bool,
    /// Whether lines between cells are shown, where the sheet shows them too.
    pub gridlines: bool,
    /// The longest side in pixels.
    pub max_dimension_px: u32,
    /// The most pixels in all.
    pub max_area_px: u64,
}

impl Default for PictureOptions {
    /// With headings and gridlines at 96 dpi, up to 4,096 pixels a side and 8 million in all.
    fn default() -> PictureOptions {
        PictureOptions {
            scale: 1.0,
            headings: true,
            gridlines: true,
            max_dimension_px: 4096,
            max_area_px: 8_000_000,
        }
    }
}

impl PictureOptions {
    /// The scale within its bounds; 1 for what is no number.
    pub(crate) fn clamped_scale(&self) -> f32 {
        if self.scale.is_finite() { self.scale.clamp(0.25, 4.0) } else { 1.0 }
    }
}

/// A size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are their names")]
pub struct Size {
    pub width: u32,
    pub height: u32,
}
