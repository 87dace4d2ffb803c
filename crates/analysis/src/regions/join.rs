//! Puts together what stands apart and yet is one thing: tables with spacer rows and columns, totals below a blank row,
//! titles above theirs.

use grid::CellRange;

use crate::formulas::{Cancel, Cancelled};
use crate::regions::header::{self, Header};
use crate::regions::kind::MAX_PAIRS;
use crate::regions::look::{Kind, Looks};
use crate::regions::sample::{Profile, Sample};
use crate::regions::split::{Piece, piece, without_title};
use crate::regions::words::is_total;

/// Blank rows within a table, at most.
const MAX_GAP: u32 = 2;
/// Rows between two parts of a table with a remark in one of them, at most.
const MAX_BRIDGED_GAP: u32 = 3;
/// Blank columns within a region, at most.
const MAX_COLUMN_GAP: u32 = 3;
/// Characters of a title.
const MAX_TITLE: usize = 120;
/// Rows of a title.
const MAX_TITLE_ROWS: u32 = 4;
/// Rows of two pieces side by side that start and end together, from which on that is no chance.
const MIN_ALIGNED: u32 = 8;
/// Pieces behind another that a union with it may touch.
const MAX_NEAR: usize = 256;
/// Pieces above another that are looked at for its header.
const MAX_PARTS: usize = 512;

/// Joins headers with what they are above, then pieces side by side, then pieces one above the other, and gives titles
/// to what they are above.
pub(crate) fn join(
    looks: &Looks<'_>,
    pieces: Vec<Piece>,
    cancel: Cancel<'_>,
) -> Result<Vec<Piece>, Cancelled> {
    let pieces = adopt_headers(looks, pieces);
    let pieces = merge_pairs(looks, pieces, cancel, Direction::Beside)?;
    let pieces = merge_pairs(looks, pieces, cancel, Direction::Below)?;
    Ok(give_titles(looks, pieces))
}

/// Gives a rectangle without a header the row of names above it, which may be in several parts.
fn adopt_headers(looks: &Looks<'_>, mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.sort_by_key(|piece| (piece.range.start().row(), piece.range.start().col()));
    let mut is_used = vec![false; pieces.len()];
    for at in 0..pieces.len() {
        let range = pieces[at].range;
        let first = range.start().row();
        let needs = pieces[at].header.rows == 0
            && pieces[at].declared.is_none()
            && range.width() > 1
            && range.height() > 1;
        if !needs || first < 2 {
            continue;
        }
        let from = pieces.partition_point(|piece| piece.range.start().row() + MAX_BRIDGED_GAP + 3 < first);
        let is_part = |index: &usize| {
            let part = &pieces[*index];
            let gap = first.saturating_sub(part.range.end().row() + 1);
            let is_near = (1..=MAX_BRIDGED_GAP).contains(&gap) && part.range.height() <= 3;
            let is_over = part.range.start().col() + 1 >= range.start().col()
                && part.range.end().col() <= range.end().col() + 2
                && part.range.start().col() <= range.end().col() + 2;
            let is_free = !is_used[*index] && part.declared.is_none() && part.title.is_none();
            is_near && is_over && is_free && header::is_names(looks, &Sample::of(looks, part.range))
        };
        let parts: Vec<usize> = (from..at).take(MAX_PARTS).filter(is_part).collect();
        let cells: u32 = parts.iter().map(|index| pieces[*index].range.width()).sum();
        if cells < 2 || cells * 2 < range.width() {
            continue;
        }
        let united = parts.iter().fold(range, |united, index| united.union(pieces[*index].range));
        let encloses = |index: &usize| {
            let other = &pieces[*index];
            let is_small = other.header.rows == 0 && other.declared.is_none() && other.range.height() == 1;
            *index != at && !parts.contains(index) && united.contains_range(other.range) && is_small
        };
        let near = from..pieces.len().min(from + MAX_NEAR);
        let enclosed: Vec<usize> = near.clone().filter(encloses).collect();
        let is_free = |index: usize| {
            index == at
                || parts.contains(&index)
                || enclosed.contains(&index)
                || pieces[index].range.intersect(united).is_none()
        };
        let candidate = piece(looks, united, pieces[at].title.clone());
        if candidate.header.rows > 0 && near.clone().all(is_free) {
            parts.iter().chain(&enclosed).for_each(|index| is_used[*index] = true);
            pieces[at] = candidate;
        }
    }
    let mut used = is_used.into_iter();
    pieces.retain(|_| !used.next().unwrap_or(false));
    pieces
}

/// How pieces may go on.
#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Beside,
    Below,
}

impl Direction {
    /// Whether two rectangles lie so that the second may continue the first; cheap.
    fn is_near(self, a: CellRange, b: CellRange) -> bool {
        match self {
            Direction::Beside => {
                let (left, right) = if a.start().col() <= b.start().col() { (a, b) } else { (b, a) };
                let gap = right.start().col().saturating_sub(left.end().col() + 1);
                (1..=MAX_COLUMN_GAP).contains(&gap) && b.start().row() <= a.end().row()
            }
            Direction::Below => {
                let gap = b.start().row().saturating_sub(a.end().row() + 1);
                gap <= MAX_BRIDGED_GAP && a.start().col() <= b.start().col() && b.end().col() <= a.end().col()
            }
        }
    }
}

/// Unites each piece with the later ones that continue it. Pieces are visited top to bottom, and a piece is compared
/// with those only that start no more than [`MAX_BRIDGED_GAP`] blank rows below its end.
fn merge_pairs(
    looks: &Looks<'_>,
    mut pieces: Vec<Piece>,
    cancel: Cancel<'_>,
    direction: Direction,
) -> Result<Vec<Piece>, Cancelled> {
    pieces.sort_by_key(|piece| (piece.range.start().row(), piece.range.start().col()));
    let mut is_gone = vec![false; pieces.len()];
    // Looked at again once they have all that belongs to them.
    let mut is_grown = vec![false; pieces.len()];
    for at in 0..pieces.len() {
        if at % 64 == 0 && cancel() {
            return Err(Cancelled);
        }
        let mut next = at + 1;
        while !is_gone[at] && next < pieces.len() {
            let (first, candidate) = (&pieces[at], &pieces[next]);
            if candidate.range.start().row() > first.range.end().row() + MAX_BRIDGED_GAP + 1 {
                break;
            }
            let is_declared = first.declared.is_some() || candidate.declared.is_some();
            let is_near = !is_gone[next] && !is_declared && direction.is_near(first.range, candidate.range);
            let union = if is_near { union(looks, &pieces, &is_gone, at, next, direction) } else { None };
            match union {
                Some((united, swallowed)) => {
                    pieces[at] = united;
                    is_grown[at] |= direction == Direction::Beside || pieces[at].header.rows == 0;
                    swallowed.into_iter().for_each(|index| is_gone[index] = true);
                    next = at + 1;
                }
                None => next += 1,
            }
        }
    }
    for at in 0..pieces.len() {
        if is_gone[at] || !is_grown[at] {
            continue;
        }
        if cancel() {
            return Err(Cancelled);
        }
        let Piece { range, title, header, .. } = pieces[at].clone();
        let (range, own_title) = if header.rows > 1 { (range, None) } else { without_title(looks, range) };
        pieces[at] = piece(looks, range, own_title.or(title));
    }
    let mut gone = is_gone.into_iter();
    pieces.retain(|_| !gone.next().unwrap_or(false));
    Ok(pieces)
}

/// The union of two pieces, and which others it swallows, the second one among them; `None` where they stay apart.
fn union(
    looks: &Looks<'_>,
    pieces: &[Piece],
    is_gone: &[bool],
    at: usize,
    next: usize,
    direction: Direction,
) -> Option<(Piece, Vec<usize>)> {
    let (first, second) = (&pieces[at], &pieces[next]);
    let range = first.range.union(second.range);
    let others = || (at + 1..pieces.len()).filter(|index| !is_gone[*index] && *index != next).take(MAX_NEAR);
    // A remark alone in the blank rows between two parts belongs to the whole, as does a part without names that the
    // whole encloses.
    let is_bridge = |index: &usize| {
        let other = pieces[*index].range;
        other.height() == 1
            && range.contains_range(other)
            && first.range.end().row() < other.start().row()
            && other.end().row() < second.range.start().row()
    };
    let is_nameless = |index: &usize| {
        let other = &pieces[*index];
        range.contains_range(other.range) && other.header.rows == 0 && other.declared.is_none()
    };
    let continues = match direction {
        Direction::Beside => beside(looks, first, second),
        Direction::Below => below(looks, first, second, others().any(|index| is_bridge(&index))),
    };
    if !continues {
        return None;
    }
    let mut swallowed: Vec<usize> = others().filter(|index| is_nameless(index) || is_bridge(index)).collect();
    let is_free = |index: usize| swallowed.contains(&index) || pieces[index].range.intersect(range).is_none();
    if !others().all(is_free) {
        return None;
    }
    swallowed.push(next);
    if direction == Direction::Below && first.header.rows > 0 {
        // The title of a lower part is a section's: it becomes a row of the whole.
        return Some((Piece { range, ..first.clone() }, swallowed));
    }
    let title = first.title.clone().or_else(|| second.title.clone());
    let header = if first.header.rows >= second.header.rows { &first.header } else { &second.header };
    let header = Header { periods: first.header.periods || second.header.periods, ..header.clone() };
    Some((Piece { range, title, header, declared: None }, swallowed))
}

/// Whether the right one holds more columns of the left one, a blank column apart: values for the labels there.
fn beside(looks: &Looks<'_>, one: &Piece, other: &Piece) -> bool {
    let is_in_order = one.range.start().col() <= other.range.start().col();
    let (left, right) = if is_in_order { (one, other) } else { (other, one) };
    let (a, b) = (left.range, right.range);
    let gap = b.start().col().saturating_sub(a.end().col() + 1);
    if a.height() < 2 || b.height() < 2 {
        return false;
    }
    if are_pairs(looks, left, right) {
        return true;
    }
    if has_filled_gap(looks, left, right) {
        return true;
    }
    if gap > 1 {
        return false;
    }
    let covers_same_rows = a.start().row() == b.start().row() && a.end().row() == b.end().row();
    let is_nameless =
        left.header.rows + right.header.rows == 0 && left.title.is_none() && right.title.is_none();
    if covers_same_rows && is_nameless && a.height() >= MIN_ALIGNED {
        return true;
    }
    if is_column_beyond(looks, left, right) {
        return true;
    }
    let top = a.start().row().max(b.start().row() + right.header.rows);
    let bottom = a.end().row().min(b.end().row());
    let shared = (bottom + 1).saturating_sub(top);
    if shared * 5 < (b.height() - right.header.rows) * 4 || shared * 2 < a.height() {
        return false;
    }
    let has_key = |piece: &Piece| {
        let sample = Sample::of(looks, first_column(piece.range));
        let first = sample.profile(0, piece.header.rows as usize);
        first.filled > 0 && (first.texts * 2 > first.filled || first.main == Kind::Date)
    };
    let is_lone_column =
        b.width() == 1 && covers_same_rows && left.header.rows == right.header.rows && a.height() > 2;
    if is_lone_column && right.title.is_none() && !has_key(right) {
        return true;
    }
    let is_plain = right.header.rows == 0 || right.header.periods || left.header.periods;
    let is_frozen = looks
        .sheet
        .freeze
        .is_some_and(|freeze| a.start().col() < freeze.columns && freeze.columns <= b.start().col());
    right.title.is_none() && has_key(left) && !has_key(right) && (is_plain || is_frozen || a.width() == 1)
}

fn first_column(range: CellRange) -> CellRange {
    let start = range.start();
    CellRange::from_bounds(start.row(), start.col(), range.end().row(), start.col()).unwrap_or(range)
}

/// Whether two long pieces cover the same rows and name different columns: a table with a blank column inside.
fn is_column_beyond(looks: &Looks<'_>, left: &Piece, right: &Piece) -> bool {
    let (a, b) = (left.range, right.range);
    let height = a.height().min(b.height());
    let needed = if a.width() == 1 || b.width() == 1 { MIN_ALIGNED } else { 50 };
    let slack = if height < 50 { 0 } else { 1 + height / 100 };
    let is_same_end = a.end().row().abs_diff(b.end().row()) <= slack;
    let is_same_start = a.start().row().abs_diff(b.start().row()) <= 3;
    if !is_same_start || !is_same_end || height < needed || left.header.rows == 0 {
        return false;
    }
    let names = |piece: &Piece| -> Vec<&str> {
        let range = piece.range;
        let rows = range.start().row()..range.start().row() + piece.header.rows;
        let cells = rows
            .flat_map(|row| (range.start().col()..=range.end().col()).take(64).map(move |col| (row, col)));
        cells.filter_map(|(row, col)| looks.text(row, col)).filter(|text| !text.is_empty()).collect()
    };
    let names_left = names(left);
    !names(right).iter().any(|name| names_left.contains(name))
}

/// Whether a header's fill goes on from one to the other through the blank columns between them.
fn has_filled_gap(looks: &Looks<'_>, left: &Piece, right: &Piece) -> bool {
    let (a, b) = (left.range, right.range);
    let Some(row) = (b.start().row() + right.header.rows).checked_sub(1) else { return false };
    let fill = looks.traits_at(row, b.start().col()).fill;
    let names =
        a.start().row() <= row && row < a.end().row() && right.header.rows > 0 && left.header.rows > 0;
    names
        && fill != 0
        && (a.end().col()..b.start().col()).all(|col| looks.traits_at(row, col).fill == fill)
        && (a.end().col()..b.start().col()).all(|col| looks.traits_at(row + 1, col).fill != fill)
}

/// Whether `right` holds the values for the labels in `left`.
fn are_pairs(looks: &Looks<'_>, left: &Piece, right: &Piece) -> bool {
    let (a, b) = (left.range, right.range);
    let is_aligned = a.start().row() <= b.start().row()
        && b.start().row() <= a.start().row() + 2
        && b.end().row().abs_diff(a.end().row()) <= 1;
    if !is_aligned
        || a.width() > 1
        || a.height() > MAX_PAIRS
        || right.header.rows > 0
        || right.title.is_some()
    {
        return false;
    }
    let is_one_value = b.width() == 1
        || looks.merge_at(b.start().row(), b.start().col()).is_some_and(|merge| merge.width() == b.width());
    let labels = Sample::of(looks, a).profile(0, 0);
    let values = Sample::of(looks, b).profile(0, 0);
    let has_colons = (a.start().row()..=a.end().row())
        .filter_map(|row| looks.text(row, a.start().col()))
        .filter(|text| text.ends_with(':'))
        .count() as u32;
    let are_labels = labels.texts == labels.filled && labels.filled as u32 == a.height();
    is_one_value && are_labels && (values.texts * 2 < values.filled || has_colons * 2 >= a.height())
}

/// Whether `lower` goes on where `upper` ends, a blank row or two apart.
fn below(looks: &Looks<'_>, upper: &Piece, lower: &Piece, is_bridged: bool) -> bool {
    let (a, b) = (upper.range, lower.range);
    let Some(gap) = b.start().row().checked_sub(a.end().row() + 1) else { return false };
    let is_within = a.start().col() <= b.start().col() && b.end().col() <= a.end().col();
    let most = if is_bridged { MAX_BRIDGED_GAP } else { MAX_GAP };
    if gap > most || !is_within || a.width() < 2 {
        return false;
    }
    if gap == 1 && b.height() <= 3 && upper.header.rows > 0 && b.width() > 1 && has_total_label(looks, b) {
        return true;
    }
    if lower.header.rows > 0 || b.width() < 2 || b.width() * 5 < a.width() * 3 {
        return false;
    }
    let is_same_width = a.start().col() == b.start().col() && a.end().col() == b.end().col();
    if upper.header.rows == 0 || gap == 2 && !is_same_width && !is_bridged {
        return false;
    }
    fits(looks, upper, b)
}

/// Whether the columns of `lower` hold what the columns of `upper` do.
fn fits(looks: &Looks<'_>, upper: &Piece, lower: CellRange) -> bool {
    let above = Sample::of(looks, upper.range);
    let below = Sample::of(looks, lower);
    let shift = (lower.start().col() - upper.range.start().col()) as usize;
    let header = upper.header.rows as usize;
    let mut alike = 0;
    let mut unlike = 0;
    let mut data = 0;
    for col in 0..below.width().min(above.width().saturating_sub(shift)) {
        let (upper, lower): (Profile, Profile) = (above.profile(col + shift, header), below.profile(col, 0));
        if upper.filled == 0 || lower.filled == 0 {
            continue;
        }
        if upper.is_data() == lower.is_data() {
            alike += 1;
            data += u32::from(upper.is_data());
        } else {
            unlike += 1;
        }
    }
    let is_begun = upper.range.height() - upper.header.rows <= 2;
    if is_begun && upper.header.rows > 0 {
        // A row or two under a header say little against what comes below.
        return alike >= 1 && unlike == 0;
    }
    alike >= 2 && alike >= unlike * 4 && (data > 0 || alike >= 3)
}

fn has_total_label(looks: &Looks<'_>, range: CellRange) -> bool {
    let (start, end) = (range.start(), range.end());
    (start.col()..=end.col().min(start.col() + 2))
        .filter_map(|col| looks.text(start.row(), col))
        .find(|text| !text.is_empty())
        .is_some_and(is_total)
}

/// Makes titles of short texts right above a table.
fn give_titles(looks: &Looks<'_>, mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.sort_by_key(|piece| (piece.range.start().row(), piece.range.start().col()));
    let mut is_used = vec![false; pieces.len()];
    for at in (0..pieces.len()).rev() {
        let Some(title) = title_text(looks, pieces[at].range).filter(|_| pieces[at].declared.is_none())
        else {
            continue;
        };
        let range = pieces[at].range;
        let target = (at + 1..pieces.len())
            .take_while(|next| pieces[*next].range.start().row() <= range.end().row() + 2)
            .find(|next| is_above(range, pieces[*next].range) && !is_used[*next]);
        let Some(target) = target else { continue };
        if pieces[target].title.is_none()
            && pieces[target].range.area() > 1
            && !is_note(looks, pieces[target].range)
        {
            pieces[target].title = Some(title);
            is_used[at] = true;
        }
    }
    let mut used = is_used.into_iter();
    pieces.retain(|_| !used.next().unwrap_or(false));
    pieces
}

fn is_note(looks: &Looks<'_>, range: CellRange) -> bool {
    range.width() == 1 && range.height() < 3 || title_text(looks, range).is_some() && range.height() < 3
}

/// Whether a title at `upper` stands over `lower`: at most one blank row above, at its left edge or over most of it.
fn is_above(upper: CellRange, lower: CellRange) -> bool {
    let gap = lower.start().row().checked_sub(upper.end().row() + 1);
    let is_over_left = upper.start().col().abs_diff(lower.start().col()) <= 1;
    let is_over_most = upper.intersect(CellRange::new(
        grid::CellRef::clamped(upper.start().row(), lower.start().col()),
        grid::CellRef::clamped(upper.start().row(), lower.end().col()),
    ));
    gap.is_some_and(|gap| gap <= 1)
        && (is_over_left || is_over_most.is_some_and(|shared| shared.width() * 2 >= lower.width()))
}

/// The text of a rectangle that is a short text and nothing else.
fn title_text(looks: &Looks<'_>, range: CellRange) -> Option<String> {
    let start = range.start();
    let is_one_column = range.width() == 1
        || looks.merge_at(start.row(), start.col()).is_some_and(|m| m.width() == range.width());
    if !is_one_column || range.height() > MAX_TITLE_ROWS {
        return None;
    }
    let rows = start.row()..=range.end().row();
    let mut texts = rows.filter_map(|row| looks.text(row, start.col())).filter(|text| !text.is_empty());
    let first = texts.next()?;
    (first.chars().count() <= MAX_TITLE && !texts.any(|text| text.chars().count() > MAX_TITLE))
        .then(|| first.to_owned())
}
