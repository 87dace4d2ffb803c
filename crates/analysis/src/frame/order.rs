//! Putting rows in order as a spreadsheet does: numbers, texts without case, `FALSE`, `TRUE`, errors; blank cells last
//! either way.

use std::cmp::Ordering;

use workbook::{RawValue, Sheet, StringId};

use crate::formulas::{Cancel, Cancelled};
use crate::frame::scan::slices;
use crate::frame::selection::Selection;

const BLANK: u8 = u8::MAX;

/// The keys of one column by row: what kind of value it is, and where it stands among its kind.
struct Keys {
    kinds: Vec<u8>,
    places: Vec<u64>,
}

/// The selected rows in the order of `columns` (with whether each descends), as far as the first `wanted`; equal
/// ones keep their order.
pub(crate) fn ordered(
    sheet: &Sheet,
    selection: &Selection,
    columns: &[(u32, bool)],
    wanted: usize,
    cancel: Cancel<'_>,
) -> Result<Vec<u32>, Cancelled> {
    let first = selection.bounds().start;
    let mut keys = Vec::with_capacity(columns.len());
    for (col, descends) in columns {
        keys.push(keys_of(sheet, selection, *col, *descends, cancel)?);
    }
    let Some((leading, others)) = keys.split_first() else {
        return Ok(selection.rows().take(wanted).collect());
    };
    // The leading key travels with the row: most comparisons end there.
    let mut entries: Vec<(u64, u32, u8)> = selection
        .rows()
        .map(|row| {
            let index = row - first;
            (leading.places[index as usize], index, leading.kinds[index as usize])
        })
        .collect();
    let compare = |a: &(u64, u32, u8), b: &(u64, u32, u8)| {
        let by_others = || {
            others.iter().fold(Ordering::Equal, |so_far, keys| {
                let key = |index: u32| (keys.kinds[index as usize], keys.places[index as usize]);
                so_far.then_with(|| key(a.1).cmp(&key(b.1)))
            })
        };
        (a.2, a.0).cmp(&(b.2, b.0)).then_with(by_others).then_with(|| a.1.cmp(&b.1))
    };
    if cancel() {
        return Err(Cancelled);
    }
    if wanted < entries.len() {
        entries.select_nth_unstable_by(wanted, compare);
        entries.truncate(wanted);
    }
    entries.sort_unstable_by(compare);
    Ok(entries.into_iter().map(|(_, index, _)| first + index).collect())
}

fn keys_of(
    sheet: &Sheet,
    selection: &Selection,
    col: u32,
    descends: bool,
    cancel: Cancel<'_>,
) -> Result<Keys, Cancelled> {
    let rows = selection.bounds();
    let mut keys = Keys { kinds: vec![BLANK; rows.len()], places: vec![0; rows.len()] };
    let Some(column) = sheet.column(col) else { return Ok(keys) };
    let mut shared = vec![0; 0];
    let mut own = vec![0; 0];
    for slice in slices(column, rows.clone()) {
        if cancel() {
            return Err(Cancelled);
        }
        for index in slice.indices.clone() {
            let row = slice.row(index);
            if !selection.contains(row) {
                continue;
            }
            let (kind, place) = match slice.chunk.value_at(index) {
                RawValue::Empty => continue,
                RawValue::Number(number) => (0, ordered_bits(number)),
                RawValue::SharedText(id) => {
                    mark(&mut shared, id, sheet.shared_strings().len());
                    (1, u64::from(id.0) << 1)
                }
                RawValue::SheetText(id) => {
                    mark(&mut own, id, sheet.own_strings().len());
                    (1, u64::from(id.0) << 1 | 1)
                }
                RawValue::Bool(value) => (2, u64::from(value)),
                RawValue::Error(error) => (3, error as u64),
            };
            let at = (row - rows.start) as usize;
            keys.kinds[at] = kind;
            keys.places[at] = place;
        }
    }
    rank_texts(sheet, &mut shared, &mut own);
    for (kind, place) in keys.kinds.iter_mut().zip(&mut keys.places) {
        if *kind == 1 {
            let ranks = if *place & 1 == 0 { &shared } else { &own };
            *place = ranks.get((*place >> 1) as usize).copied().map_or(0, u64::from);
        }
        if descends && *kind != BLANK {
            *kind = 3 - *kind;
            *place = !*place;
        }
    }
    Ok(keys)
}

/// Remembers that a text occurs; the list covers its table from the first time on.
fn mark(used: &mut Vec<u32>, id: StringId, len: usize) {
    if used.is_empty() {
        used.resize(len, 0);
    }
    if let Some(mark) = used.get_mut(id.0 as usize) {
        *mark = 1;
    }
}

/// Replaces the marks by the texts' places in the order, which compares distinct texts only once; equal but for case,
/// equal place.
fn rank_texts(sheet: &Sheet, shared: &mut [u32], own: &mut [u32]) {
    let used = |marks: &[u32]| -> Vec<u32> {
        (0..marks.len() as u32).filter(|id| marks[*id as usize] != 0).collect()
    };
    let text =
        |table: &workbook::StringTable, id: u32| table.get(StringId(id)).unwrap_or_default().to_lowercase();
    let mut texts: Vec<(String, bool, u32)> = used(shared)
        .into_iter()
        .map(|id| (text(sheet.shared_strings(), id), false, id))
        .chain(used(own).into_iter().map(|id| (text(sheet.own_strings(), id), true, id)))
        .collect();
    texts.sort_unstable();
    let mut rank = 0;
    let mut before: Option<&str> = None;
    for (text, is_own, id) in &texts {
        if before != Some(text) {
            // An empty text sorts first, but is no blank.
            rank += 1;
        }
        before = Some(text);
        let ranks = if *is_own { &mut *own } else { &mut *shared };
        ranks[*id as usize] = rank;
    }
}

/// Bits that compare as the numbers do.
fn ordered_bits(number: f64) -> u64 {
    // -0.0 equals 0.0.
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}
