//! Cuts a range that is too large into ones that fit.

use grid::CellRange;

use crate::View;
use crate::geometry::{Geometry, MAX_ROW_PX};
use crate::options::MAX_CELLS;

/// Ranges that each fit the limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiles {
    /// From left to right, then down; together the range that was cut, if they are complete.
    pub ranges: Vec<CellRange>,
    /// Whether nothing of the range is left out.
    pub is_complete: bool,
}

/// A run of columns or rows: first and last.
type Band = (u32, u32);

pub(crate) fn cut(view: &View<'_>, max_tiles: usize) -> Tiles {
    let mut geometry = Geometry::new(view);
    let (heading_width, heading_height) = geometry.heading(view);
    let side = u64::from(view.options.max_dimension_px);
    // However high a row is, one of them has to fit below the columns of a tile.
    let highest = u64::from(geometry.scaled(MAX_ROW_PX) + heading_height);
    let width = side.min(view.options.max_area_px / highest);
    let mut columns = Bands::new(width.saturating_sub(u64::from(heading_width)), u64::MAX, max_tiles);
    for (col, px) in geometry.columns(view.range) {
        if !columns.add(col, px) {
            break;
        }
    }
    columns.finish();
    let widest = columns.longest + u64::from(heading_width);
    let height = side.min(view.options.max_area_px / widest.max(1));
    let most_rows = MAX_CELLS / columns.most.max(1);
    let max_bands = max_tiles / columns.bands.len().max(1);
    let mut rows = Bands::new(height.saturating_sub(u64::from(heading_height)), most_rows, max_bands.max(1));
    geometry.visit_rows(view.range, &mut |row, px| rows.add(row, px));
    rows.finish();
    let all = rows.bands.iter().flat_map(|(first_row, last_row)| {
        columns
            .bands
            .iter()
            .filter_map(|(first, last)| CellRange::from_bounds(*first_row, *first, *last_row, *last))
    });
    let ranges: Vec<CellRange> = all.take(max_tiles).collect();
    let covered: u64 = ranges.iter().map(|range| range.area()).sum();
    Tiles { is_complete: covered == view.range.area(), ranges }
}

/// Cuts a row of sizes into runs.
struct Bands {
    /// The most pixels, and visible tracks, of a run.
    room: u64,
    most_tracks: u64,
    max_bands: usize,
    bands: Vec<Band>,
    open: Option<Band>,
    px: u64,
    tracks: u64,
    /// Pixels of the longest run, visible tracks of the most numerous one.
    longest: u64,
    most: u64,
}

impl Bands {
    fn new(room: u64, most_tracks: u64, max_bands: usize) -> Bands {
        Bands {
            room,
            most_tracks,
            max_bands,
            bands: Vec::new(),
            open: None,
            px: 0,
            tracks: 0,
            longest: 0,
            most: 0,
        }
    }

    /// Returns whether there is room for more.
    fn add(&mut self, index: u32, px: u32) -> bool {
        let (px, tracks) = (u64::from(px), u64::from(px > 0));
        let fits = self.px + px <= self.room && self.tracks + tracks <= self.most_tracks;
        match &mut self.open {
            // A run needs something visible before it is closed: what is hidden goes with its neighbours.
            Some((_, last)) if fits || self.px == 0 || px == 0 => *last = index,
            _ => {
                self.finish();
                if self.bands.len() >= self.max_bands {
                    return false;
                }
                self.open = Some((index, index));
            }
        }
        self.px += px;
        self.tracks += tracks;
        self.longest = self.longest.max(self.px);
        self.most = self.most.max(self.tracks);
        true
    }

    fn finish(&mut self) {
        self.bands.extend(self.open.take());
        (self.px, self.tracks) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sizes: &[u32], room: u64, expected: &[Band]) {
        let mut bands = Bands::new(room, u64::MAX, 100);
        for (index, px) in (0..).zip(sizes) {
            assert!(bands.add(index, *px));
        }
        bands.finish();
        assert_eq!(bands.bands, expected);
    }

    #[test]
    fn bands_are_as_long_as_they_may_be() {
        check(&[3, 3, 3, 3], 6, &[(0, 1), (2, 3)]);
        check(&[9, 1, 0, 0, 9], 6, &[(0, 0), (1, 3), (4, 4)]);
        check(&[0, 0, 9, 0], 6, &[(0, 3)]);
    }

    #[test]
    fn bands_end_when_there_are_enough() {
        let mut bands = Bands::new(5, u64::MAX, 2);
        assert_eq!([5, 5, 5].map(|px| bands.add(0, px)), [true, true, false]);
        bands.finish();
        assert_eq!(bands.bands.len(), 2);
    }
}
