//! The visible columns or rows of a picture, and where they stand.

/// One visible column or row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Track {
    /// Zero-based column or row of the sheet.
    pub(crate) index: u32,
    /// First pixel.
    pub(crate) start: i32,
    /// Pixels, at least 1; the last one is the line to the next track.
    pub(crate) size: i32,
}

impl Track {
    /// The first pixel behind it.
    pub(crate) const fn end(self) -> i32 {
        self.start + self.size
    }
}

/// The visible columns or rows, in order.
#[derive(Debug, Default)]
pub(crate) struct Axis {
    tracks: Vec<Track>,
    origin: i32,
    end: i32,
}

impl Axis {
    /// Tracks that start at a pixel; those without a size are hidden.
    pub(crate) fn new(origin: i32, sizes: impl IntoIterator<Item = (u32, u32)>) -> Axis {
        let mut axis = Axis { tracks: Vec::new(), origin, end: origin };
        for (index, size) in sizes.into_iter().filter(|(_, size)| *size > 0) {
            axis.tracks.push(Track { index, start: axis.end, size: size as i32 });
            axis.end += size as i32;
        }
        axis
    }

    pub(crate) fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    pub(crate) fn len(&self) -> usize {
        self.tracks.len()
    }

    /// First pixel.
    pub(crate) const fn origin(&self) -> i32 {
        self.origin
    }

    /// First pixel behind the last track.
    pub(crate) const fn end(&self) -> i32 {
        self.end
    }

    /// Position among the tracks of a column or row of the sheet, if it is visible.
    pub(crate) fn position(&self, index: u32) -> Option<usize> {
        self.tracks.binary_search_by_key(&index, |track| track.index).ok()
    }

    /// Positions of the tracks within bounds of the sheet; empty where none is visible.
    pub(crate) fn positions(&self, first: u32, last: u32) -> std::ops::Range<usize> {
        let from = self.tracks.partition_point(|track| track.index < first);
        let to = self.tracks.partition_point(|track| track.index <= last);
        from..to
    }

    /// Where a column or row of the sheet starts, or would start if it were visible.
    pub(crate) fn edge(&self, index: u32) -> i32 {
        let from = self.tracks.partition_point(|track| track.index < index);
        self.tracks.get(from).map_or(self.end, |track| track.start)
    }

    /// Runs of neighbouring columns or rows, as first and last index of the sheet.
    pub(crate) fn runs(&self) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for track in &self.tracks {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == track.index => *last = track.index,
                _ => runs.push((track.index, track.index)),
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_tracks_leave_no_room() {
        let axis = Axis::new(10, [(2, 5), (3, 0), (4, 7), (5, 1)]);
        assert_eq!((axis.len(), axis.origin(), axis.end()), (3, 10, 23));
        assert_eq!((axis.position(3), axis.position(4)), (None, Some(1)));
        assert_eq!((axis.edge(0), axis.edge(3), axis.edge(9)), (10, 15, 23));
        assert_eq!(axis.positions(3, 4), 1..2);
        assert_eq!(axis.runs(), [(2, 2), (4, 5)]);
        assert_eq!(axis.tracks()[1].end(), 22);
    }
}
