//! What a rectangle is, and how sure that is.

use grid::CellRange;

use crate::regions::RegionKind;
use crate::regions::header::Header;
use crate::regions::look::{Kind, Looks};
use crate::regions::sample::{Profile, Sample};
use crate::regions::split::Declared;
use crate::regions::totals;

/// Rows of a key-value block at most.
pub(crate) const MAX_PAIRS: u32 = 60;
/// Labels over one row of values at most; more are a table with one row.
const MAX_PAIRS_ACROSS: u32 = 24;
/// Characters of a sentence at least.
const LONG: usize = 40;
/// Characters of a label at most.
const MAX_LABEL: usize = 60;

/// A rectangle, classified.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) kind: RegionKind,
    pub(crate) header_rows: u32,
    pub(crate) header_cols: u32,
    pub(crate) total_rows: u32,
    pub(crate) confidence: f32,
    pub(crate) evidence: Vec<&'static str>,
}

impl Found {
    fn new(kind: RegionKind, confidence: f32, evidence: &'static str) -> Found {
        Found { kind, header_rows: 0, header_cols: 0, total_rows: 0, confidence, evidence: vec![evidence] }
    }
}

/// Repeats what the file says a rectangle is.
pub(crate) fn declared(looks: &Looks<'_>, range: CellRange, header: &Header, declared: &Declared) -> Found {
    let total_rows = match &declared.table {
        Some(table) => table.totals_rows.min(range.height().saturating_sub(header.rows)),
        None => totals::count(looks, range, header.rows),
    };
    let (kind, header_cols) =
        if declared.is_matrix { (RegionKind::Matrix, 1) } else { (RegionKind::Table, 0) };
    let evidence = if declared.table.is_some() { "declared as a table" } else { "a pivot table" };
    let header_rows = header.rows.min(range.height());
    Found { kind, header_rows, header_cols, total_rows, confidence: 1.0, evidence: vec![evidence] }
}

/// Says what a rectangle is.
pub(crate) fn classify(looks: &Looks<'_>, range: CellRange, header: &Header) -> Found {
    let sample = Sample::of(looks, range);
    if let Some(found) = note(looks, range, header, &sample) {
        return found;
    }
    if let Some(found) = pairs(looks, range, header, &sample) {
        return found;
    }
    let header_rows = header.rows;
    let profiles: Vec<Profile> =
        (0..sample.width()).map(|col| sample.profile(col, header_rows as usize)).collect();
    let total_rows = totals::count(looks, range, header_rows);
    let mut confidence = if header_rows > 0 { header.strength } else { 0.3 };
    let mut evidence = header.evidence.clone();
    let mut adds = |holds: bool, weight: f32, what: &'static str| {
        if holds {
            confidence = 1.0 - (1.0 - confidence) * (1.0 - weight);
            evidence.push(what);
        }
    };
    let even = profiles.iter().filter(|profile| profile.filled > 0 && profile.share >= 0.9).count();
    let rows_seen = sample.rows.len().saturating_sub(header_rows as usize);
    let filled: usize = profiles.iter().map(|profile| profile.filled).sum();
    adds(even * 5 >= profiles.len() * 4 && rows_seen >= 3, 0.4, "each column holds one type");
    adds(filled * 10 >= rows_seen * profiles.len() * 9 && rows_seen >= 3, 0.2, "nearly every cell is filled");
    adds(total_rows > 0, 0.1, "totals at the bottom");
    let header_cols = if header_rows > 0 { row_labels(looks, range, header, &profiles) } else { 0 };
    let kind = match (header_rows, header_cols) {
        (0, _) => RegionKind::Data,
        (_, 0) => RegionKind::Table,
        _ => RegionKind::Matrix,
    };
    if header_rows == 0 {
        confidence = confidence.min(0.7);
        evidence.push("no row names the columns");
    }
    Found { kind, header_rows, header_cols, total_rows, confidence, evidence }
}

/// Texts in one column without a header, and single cells.
fn note(looks: &Looks<'_>, range: CellRange, header: &Header, sample: &Sample) -> Option<Found> {
    let start = range.start();
    let is_one_column = (1..sample.width()).all(|col| sample.profile(col, 0).filled == 0);
    let is_short = range.height() <= 2 || range.width() > 1 && range.height() <= 4;
    if range.is_single() || is_short && is_one_column {
        return Some(Found::new(RegionKind::Note, 0.7, "a cell or two on their own"));
    }
    let is_text = (0..sample.width()).all(|col| {
        let profile = sample.profile(col, 0);
        profile.texts == profile.filled
    });
    if !is_one_column || !is_text {
        return None;
    }
    let texts: Vec<&str> = sample.rows.iter().filter_map(|row| looks.text(*row, start.col())).collect();
    let long = texts.iter().filter(|text| text.chars().count() > LONG).count();
    let is_headed = header.rows > 0 && header.strength >= 0.6;
    let is_prose = if is_headed {
        long * 3 > texts.len() * 2 && range.height() <= MAX_PAIRS
    } else {
        long * 2 >= texts.len()
    };
    is_prose.then(|| Found::new(RegionKind::Note, 0.6, "sentences in one column"))
}

/// Labels with a value each.
fn pairs(looks: &Looks<'_>, range: CellRange, header: &Header, sample: &Sample) -> Option<Found> {
    if range.height() > MAX_PAIRS || range.width() < 2 {
        return None;
    }
    let filled: Vec<usize> = (0..sample.width()).filter(|col| sample.profile(*col, 0).filled > 0).collect();
    if range.height() == 1 && filled.len() == 2 && sample.row(0)[0].kind == Kind::Text {
        let mut found = Found::new(RegionKind::KeyValue, 0.4, "a text beside a value");
        found.header_cols = 1;
        return Some(found);
    }
    if filled.len() == 2 && sample.width() <= 6 {
        return vertical_pairs(looks, range, header, sample, filled[0], filled[1]);
    }
    if range.height() == 2 && header.rows == 1 && (3..=MAX_PAIRS_ACROSS).contains(&range.width()) {
        let mut found = Found::new(RegionKind::KeyValue, 0.5, "labels over one row of values");
        found.header_rows = 1;
        return Some(found);
    }
    None
}

fn vertical_pairs(
    looks: &Looks<'_>,
    range: CellRange,
    header: &Header,
    sample: &Sample,
    label_col: usize,
    value_col: usize,
) -> Option<Found> {
    let label_at = range.start().col() + label_col as u32;
    let labels: Vec<&str> = sample
        .rows
        .iter()
        .filter_map(|row| looks.text(*row, label_at))
        .filter(|text| !text.is_empty())
        .collect();
    let label_profile = sample.profile(label_col, 0);
    if labels.len() < 2 || label_profile.texts < label_profile.filled {
        return None;
    }
    let mut distinct = labels.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < labels.len() || labels.iter().any(|label| label.chars().count() > MAX_LABEL) {
        return None;
    }
    let colons = labels.iter().filter(|label| label.ends_with(':')).count();
    let set_off = sample.rows.iter().enumerate().filter(|(index, _)| {
        let row = sample.row(*index);
        row[label_col].traits.bold && !row[value_col].traits.bold
    });
    let is_marked = colons * 2 >= labels.len() || set_off.count() * 5 >= sample.rows.len() * 4;
    let values = sample.profile(value_col, 0);
    let rest = sample.profile(value_col, 1);
    let is_mixed = rest.filled >= 2 && rest.share < 0.75;
    let first_is_data = sample.row(0)[value_col].kind.is_data();
    let is_pairs = is_marked || is_mixed && header.strength < 0.9 || first_is_data && header.rows == 0;
    let is_text_pairs = values.main == Kind::Text && header.rows == 0 && labels.len() <= 30;
    (is_pairs || is_text_pairs).then(|| {
        let evidence = if is_marked { "labels are marked as such" } else { "unique labels beside values" };
        let mut found = Found::new(RegionKind::KeyValue, if is_marked { 0.9 } else { 0.6 }, evidence);
        found.header_cols = 1;
        found
    })
}

/// Leading columns that name the rows, where the others are values under periods or under a blank corner.
fn row_labels(looks: &Looks<'_>, range: CellRange, header: &Header, profiles: &[Profile]) -> u32 {
    let labels = profiles.iter().take_while(|profile| profile.filled > 0 && !profile.is_data()).count();
    let values = &profiles[labels..];
    let are_values =
        values.len() >= 2 && values.iter().filter(|profile| profile.filled > 0).all(Profile::is_data);
    if labels == 0 || labels > 3 || !are_values {
        return 0;
    }
    let start = range.start();
    let has_blank_corner =
        (0..header.rows).all(|row| looks.text(start.row() + row, start.col()).is_none_or(str::is_empty));
    if header.periods || has_blank_corner { labels as u32 } else { 0 }
}
