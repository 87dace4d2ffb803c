//! Puts together what stands apart and yet is one thing: tables with spacer rows and columns, totals below a blank row,
//! titles above theirs.

use grid::CellRange;

use crate::formulas::{Cancel, Cancelled};
use crate::regions::look::Looks;
use crate::regions::sample::{Profile, Sample};
use crate::regions::split::{Piece, piece};
use crate::regions::words::is_total;

/// Blank rows within a table, at most.
const MAX_GAP: u32 = 2;
/// Characters of a title.
const MAX_TITLE: usize = 120;
/// Rows of a title.
const MAX_TITLE_ROWS: u32 = 4;

/// Joins pieces side by side, then pieces one above the other, and gives titles to what they are above.
pub(crate) fn join(
    looks: &Looks<'_>,
    pieces: Vec<Piece>,
    pinned: Option<u32>,
    cancel: Cancel<'_>,
) -> Result<Vec<Piece>, Cancelled> {
    let pieces = merge_pairs(looks, pieces, pinned, cancel, beside)?;
    let pieces = merge_pairs(looks, pieces, pinned, cancel, below)?;
    Ok(give_titles(looks, pieces))
}

/// Whether the second piece continues the first one.
type Continues = fn(&Looks<'_>, &Piece, &Piece) -> bool;

/// Unites each piece with the later ones that continue it. Pieces are visited top to bottom, and a piece is compared
/// with those only that start no more than [`MAX_GAP`] blank rows below its end.
fn merge_pairs(
    looks: &Looks<'_>,
    mut pieces: Vec<Piece>,
    pinned: Option<u32>,
    cancel: Cancel<'_>,
    continues: Continues,
) -> Result<Vec<Piece>, Cancelled> {
    pieces.sort_by_key(|piece| (piece.range.start().row(), piece.range.start().col()));
    let mut at = 0;
    while at < pieces.len() {
        if at % 64 == 0 && cancel() {
            return Err(Cancelled);
        }
        let mut next = at + 1;
        while let Some(candidate) = pieces.get(next) {
            let first = &pieces[at];
            if candidate.range.start().row() > first.range.end().row() + MAX_GAP + 1 {
                break;
            }
            let united = first.range.union(candidate.range);
            let is_free = |other: &(usize, &Piece)| {
                other.0 == at || other.0 == next || other.1.range.intersect(united).is_none()
            };
            if continues(looks, first, candidate)
                && pieces.iter().enumerate().skip(at).take(256).all(|other| is_free(&other))
            {
                let title = first.title.clone().or_else(|| candidate.title.clone());
                pieces[at] = piece(looks, united, title, pinned);
                pieces.remove(next);
                next = at + 1;
            } else {
                next += 1;
            }
        }
        at += 1;
    }
    Ok(pieces)
}

/// Whether the right one holds more columns of the left one, a blank column apart: values for the labels there.
fn beside(looks: &Looks<'_>, one: &Piece, other: &Piece) -> bool {
    let is_in_order = one.range.start().col() <= other.range.start().col();
    let (left, right) = if is_in_order { (one, other) } else { (other, one) };
    let (a, b) = (left.range, right.range);
    if b.start().col() != a.end().col() + 2 || a.height() < 2 || b.height() < 2 {
        return false;
    }
    let top = a.start().row().max(b.start().row());
    let bottom = a.end().row().min(b.end().row());
    let shared = (bottom + 1).saturating_sub(top);
    if shared * 5 < b.height() * 4 || shared * 2 < a.height() {
        return false;
    }
    let has_key = |piece: &Piece| {
        let sample = Sample::of(looks, piece.range);
        let first = sample.profile(0, piece.header.rows as usize);
        first.filled > 0 && first.texts * 2 > first.filled
    };
    let is_plain = right.header.rows == 0 || right.header.periods || left.header.periods;
    right.title.is_none() && has_key(left) && !has_key(right) && (is_plain || a.width() == 1)
}

/// Whether `lower` goes on where `upper` ends, a blank row or two apart.
fn below(looks: &Looks<'_>, upper: &Piece, lower: &Piece) -> bool {
    let (a, b) = (upper.range, lower.range);
    let Some(gap) = b.start().row().checked_sub(a.end().row() + 1) else { return false };
    let is_within = a.start().col() <= b.start().col() && b.end().col() <= a.end().col();
    if gap > MAX_GAP || !is_within || a.width() < 2 {
        return false;
    }
    if gap == 1 && b.height() <= 3 && upper.header.rows > 0 && b.width() > 1 && has_total_label(looks, b) {
        return true;
    }
    if lower.header.rows > 0 || b.width() < 2 || b.width() * 5 < a.width() * 3 {
        return false;
    }
    let is_header_alone =
        gap <= 1 && is_all_text(looks, a) && a.height() <= 2 && a.width() >= 3 && b.height() >= 2;
    if is_header_alone {
        return true;
    }
    let is_same_width = a.start().col() == b.start().col() && a.end().col() == b.end().col();
    if upper.header.rows == 0 || gap == 2 && !is_same_width {
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
    alike >= 2 && alike >= unlike * 4 && (data > 0 || alike >= 3)
}

fn has_total_label(looks: &Looks<'_>, range: CellRange) -> bool {
    let (start, end) = (range.start(), range.end());
    (start.col()..=end.col().min(start.col() + 2))
        .filter_map(|col| looks.text(start.row(), col))
        .find(|text| !text.is_empty())
        .is_some_and(is_total)
}

fn is_all_text(looks: &Looks<'_>, range: CellRange) -> bool {
    let sample = Sample::of(looks, range);
    (0..sample.width()).map(|col| sample.profile(col, 0)).all(|profile| profile.texts == profile.filled)
}

/// Makes titles of short texts right above a table.
fn give_titles(looks: &Looks<'_>, mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.sort_by_key(|piece| (piece.range.start().row(), piece.range.start().col()));
    let mut is_used = vec![false; pieces.len()];
    for at in (0..pieces.len()).rev() {
        let Some(title) = title_text(looks, pieces[at].range) else { continue };
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

/// Whether a title at `upper` stands over `lower`: at most one blank row above, not to the right of it.
fn is_above(upper: CellRange, lower: CellRange) -> bool {
    let gap = lower.start().row().checked_sub(upper.end().row() + 1);
    gap.is_some_and(|gap| gap <= 1)
        && upper.start().col() <= lower.end().col()
        && upper.start().col() + 1 >= lower.start().col()
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
