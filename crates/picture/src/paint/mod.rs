//! From a view to pixels: cells first, then texts, borders, and what floats above.

mod borders;
mod cells;
mod headings;
mod lines;
mod objects;
mod places;
mod texts;
mod turned;

use crate::View;
use crate::axis::Axis;
use crate::canvas::Canvas;
use crate::error::PictureError;
use crate::geometry::Geometry;
use crate::glyphs::Scribe;
use crate::options::MAX_CELLS;
use crate::scene::Scene;

/// What drawing needs at hand.
struct Painter<'p, 'a> {
    view: &'p View<'a>,
    geometry: Geometry<'a>,
    scene: Scene<'a>,
    canvas: Canvas,
    scribe: Scribe,
    cancel: &'p dyn Fn() -> bool,
}

pub(crate) fn draw(view: &View<'_>, cancel: &dyn Fn() -> bool) -> Result<Vec<u8>, PictureError> {
    let mut geometry = Geometry::new(view);
    let size = geometry.size(view);
    let options = view.options;
    let too_large = |cells| PictureError::TooLarge {
        range: view.range,
        size,
        cells,
        max_dimension_px: options.max_dimension_px,
        max_area_px: options.max_area_px,
        max_cells: MAX_CELLS,
    };
    let area = u64::from(size.width) * u64::from(size.height);
    if size.width.max(size.height) > options.max_dimension_px || area > options.max_area_px {
        return Err(too_large(view.range.area()));
    }
    let (left, top) = geometry.heading(view);
    let columns = Axis::new(left as i32, geometry.columns(view.range));
    let mut sizes = Vec::new();
    geometry.visit_rows(view.range, &mut |row, px| {
        if px > 0 {
            sizes.push((row, px));
        }
        true
    });
    let rows = Axis::new(top as i32, sizes);
    let cells = columns.len() as u64 * rows.len() as u64;
    if cells == 0 {
        return Err(PictureError::NothingVisible { range: view.range });
    }
    if cells > MAX_CELLS {
        return Err(too_large(cells));
    }
    let scene = Scene::new(&mut geometry, view.range, columns, rows);
    let canvas = Canvas::new(size);
    let mut painter = Painter { view, geometry, scene, canvas, scribe: Scribe::default(), cancel };
    painter.cells()?;
    painter.texts()?;
    // Before the borders: those of the first cells lie over the edge of the headings.
    painter.headings();
    painter.borders()?;
    painter.panes();
    painter.comments();
    painter.objects()?;
    painter.canvas.encode()
}

impl Painter<'_, '_> {
    fn check(&self) -> Result<(), PictureError> {
        if (self.cancel)() { Err(PictureError::Cancelled) } else { Ok(()) }
    }

    /// The width of a thin line in the picture.
    fn hairline(&self) -> i32 {
        self.geometry.scaled(1) as i32
    }

    fn has_gridlines(&self) -> bool {
        self.view.options.gridlines && self.view.sheet.shows_gridlines
    }
}
