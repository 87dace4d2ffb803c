//! Straight lines between cells, in every stroke of a border.

use crate::canvas::{Canvas, Rect};
use crate::look::{Line, Stroke};

/// Between the two lines of a double one.
const GAP: u32 = 0xFF_FFFF;

/// Which way a line runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Across,
    Down,
}

/// Draws a line from `start` to `end` (excluded) that lies over the pixel `at`, the last one before the boundary.
///
/// Dashes count from the picture's origin, so that those of neighbouring cells meet.
pub(super) fn draw(
    canvas: &mut Canvas,
    direction: Direction,
    at: i32,
    span: (i32, i32),
    line: Line,
    unit: i32,
) {
    let (before, thickness) = match line.stroke {
        Stroke::Thick | Stroke::Double => (unit, 3 * unit),
        Stroke::Medium
        | Stroke::MediumDashed
        | Stroke::MediumDashDot
        | Stroke::MediumDashDotDot
        | Stroke::SlantDashDot => (unit, 2 * unit),
        _ => (0, unit),
    };
    let dashes = dashes(line.stroke);
    // Unbroken lines reach as far as those that they meet at a corner.
    let (start, end) = match line.stroke {
        Stroke::Medium => (span.0 - before, span.1),
        Stroke::Thick | Stroke::Double => (span.0 - before, span.1 + before),
        _ => span,
    };
    let (at, length) = (at - before, end - start);
    let rect = match direction {
        Direction::Across => Rect::new(start, at, length, thickness),
        Direction::Down => Rect::new(at, start, thickness, length),
    };
    let period: i32 = dashes.iter().sum::<i32>() * unit;
    let is_dash = |along: i32| {
        let mut rest = along.rem_euclid(period.max(1));
        for (index, dash) in dashes.iter().enumerate() {
            if rest < dash * unit {
                return index % 2 == 0;
            }
            rest -= dash * unit;
        }
        true
    };
    canvas.fill_where(rect, line.rgb, |x, y| {
        dashes.is_empty() || is_dash(if direction == Direction::Across { x } else { y })
    });
    if line.stroke == Stroke::Double {
        let gap = match direction {
            Direction::Across => Rect::new(span.0, at + unit, span.1 - span.0, unit),
            Direction::Down => Rect::new(at + unit, span.0, unit, span.1 - span.0),
        };
        canvas.fill(gap, GAP);
    }
}

/// Lengths of dashes and gaps in turn; empty for an unbroken line.
const fn dashes(stroke: Stroke) -> &'static [i32] {
    match stroke {
        Stroke::Hair => &[1, 1],
        Stroke::Dotted => &[2, 2],
        Stroke::Dashed => &[3, 1],
        Stroke::DashDot => &[9, 3, 3, 3],
        Stroke::DashDotDot => &[9, 3, 3, 3, 3, 3],
        Stroke::MediumDashed => &[9, 3],
        Stroke::MediumDashDot | Stroke::SlantDashDot => &[9, 3, 3, 3],
        Stroke::MediumDashDotDot => &[9, 3, 3, 3, 3, 3],
        Stroke::Thin | Stroke::Medium | Stroke::Thick | Stroke::Double => &[],
    }
}
