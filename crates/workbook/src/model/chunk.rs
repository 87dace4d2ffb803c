//! The innermost store: the cells of one column within one block of rows, as parallel arrays.

use grid::ErrorValue;

/// Rows that one chunk spans at most.
pub const CHUNK_ROWS: u32 = 4096;

/// An entry of a [`crate::StringTable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StringId(pub u32);

/// A cell format: index into the workbook's `cellXfs`. 0 is the default format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct StyleId(pub u32);

/// A formula of a sheet's [`crate::Formulas`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FormulaId(pub u32);

/// A value as it is stored: texts by id, so that scans compare integers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum RawValue {
    /// No value; the cell carries a format or a formula without a result.
    #[default]
    Empty,
    /// A finite double.
    Number(f64),
    /// A text of the workbook's shared string table.
    SharedText(StringId),
    /// A text of the sheet's own string table (inline strings, results of formulas, formats without shared strings).
    SheetText(StringId),
    /// A boolean.
    Bool(bool),
    /// An error value.
    Error(ErrorValue),
}

/// A cell as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RawCell {
    /// The value, or the cached result of the formula.
    pub value: RawValue,
    /// The cell format.
    pub style: StyleId,
    /// The formula, if there is one.
    pub formula: Option<FormulaId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    Empty,
    Number,
    SharedText,
    SheetText,
    Bool,
    Error,
}

/// One value for all, until a different one comes: most columns have one type and one format.
#[derive(Debug, Clone, PartialEq)]
enum Packed<T> {
    Uniform(T),
    Each(Vec<T>),
}

impl<T: Copy + PartialEq> Packed<T> {
    fn get(&self, index: usize) -> T {
        match self {
            Packed::Uniform(value) => *value,
            Packed::Each(values) => values[index],
        }
    }

    fn spread(&mut self, len: usize) -> &mut Vec<T> {
        if let Packed::Uniform(value) = self {
            *self = Packed::Each(vec![*value; len]);
        }
        match self {
            Packed::Each(values) => values,
            Packed::Uniform(_) => unreachable!("spread above"),
        }
    }

    /// Inserts at `index` of a list that has `len` items.
    fn insert(&mut self, index: usize, len: usize, value: T) {
        if len == 0 {
            *self = Packed::Uniform(value);
        } else if !matches!(self, Packed::Uniform(same) if *same == value) {
            self.spread(len).insert(index, value);
        }
    }

    fn set(&mut self, index: usize, len: usize, value: T) {
        if self.get(index) != value {
            self.spread(len)[index] = value;
        }
    }

    /// Takes away the item at `index`.
    fn remove(&mut self, index: usize) {
        if let Packed::Each(values) = self {
            values.remove(index);
        }
    }

    /// Takes away the items from `index` on and gives them back.
    fn split_off(&mut self, index: usize) -> Packed<T> {
        match self {
            Packed::Uniform(value) => Packed::Uniform(*value),
            Packed::Each(values) => Packed::Each(values.split_off(index)),
        }
    }

    fn shrink(&mut self) {
        if let Packed::Each(values) = self {
            values.shrink_to_fit();
        }
    }

    fn heap_bytes(&self) -> usize {
        if let Packed::Each(values) = self { values.capacity() * size_of::<T>() } else { 0 }
    }
}

/// Which rows of the block have a cell, ascending.
#[derive(Debug, Clone, PartialEq)]
enum Offsets {
    Run { first: u16, len: u16 },
    Each(Vec<u16>),
}

impl Offsets {
    fn len(&self) -> usize {
        match self {
            Offsets::Run { len, .. } => usize::from(*len),
            Offsets::Each(offsets) => offsets.len(),
        }
    }

    fn get(&self, index: usize) -> u16 {
        match self {
            Offsets::Run { first, .. } => first + index as u16,
            Offsets::Each(offsets) => offsets[index],
        }
    }

    /// Where `offset` is, or where it would go.
    fn find(&self, offset: u16) -> Result<usize, usize> {
        match self {
            Offsets::Run { first, len } => match offset.checked_sub(*first) {
                None => Err(0),
                Some(index) if index < *len => Ok(usize::from(index)),
                Some(_) => Err(usize::from(*len)),
            },
            Offsets::Each(offsets) => offsets.binary_search(&offset),
        }
    }

    fn remove(&mut self, index: usize) {
        match self {
            Offsets::Run { first, len } if index == 0 => (*first, *len) = (*first + 1, *len - 1),
            Offsets::Run { len, .. } if index + 1 == usize::from(*len) => *len -= 1,
            Offsets::Run { first, len } => {
                let (first, end) = (*first, *first + *len);
                *self = Offsets::Each(
                    (first..end).filter(|offset| usize::from(offset - first) != index).collect(),
                );
            }
            Offsets::Each(offsets) => {
                offsets.remove(index);
            }
        }
    }

    /// The offsets from `index` on, counted from `base`.
    fn split_off(&mut self, index: usize, base: u16) -> Offsets {
        match self {
            Offsets::Run { first, len } => {
                let rest = Offsets::Run { first: *first + index as u16 - base, len: *len - index as u16 };
                *len = index as u16;
                rest
            }
            Offsets::Each(offsets) => {
                Offsets::Each(offsets.split_off(index).into_iter().map(|offset| offset - base).collect())
            }
        }
    }

    fn insert(&mut self, index: usize, offset: u16) {
        if let Offsets::Run { first, len } = self {
            if *len == 0 {
                *self = Offsets::Run { first: offset, len: 1 };
                return;
            }
            if index == usize::from(*len) && offset == *first + *len {
                *len += 1;
                return;
            }
            *self = Offsets::Each((*first..*first + *len).collect());
        }
        if let Offsets::Each(offsets) = self {
            offsets.insert(index, offset);
        }
    }
}

/// The cells of one column within [`CHUNK_ROWS`] rows: rows are offsets from the chunk's base row, which the
/// [`crate::Column`] keeps, so that shifting a chunk up or down costs nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    offsets: Offsets,
    tags: Packed<Tag>,
    bits: Vec<u64>,
    styles: Packed<u32>,
    formulas: Vec<(u16, FormulaId)>,
}

impl Default for Chunk {
    fn default() -> Chunk {
        Chunk {
            offsets: Offsets::Run { first: 0, len: 0 },
            tags: Packed::Uniform(Tag::Empty),
            bits: Vec::new(),
            styles: Packed::Uniform(0),
            formulas: Vec::new(),
        }
    }
}

impl Chunk {
    /// Number of cells.
    pub fn len(&self) -> usize {
        self.bits.len()
    }

    /// Whether no cell is stored.
    pub fn is_empty(&self) -> bool {
        self.bits.is_empty()
    }

    /// Row offset of the cell at `index`.
    pub fn offset(&self, index: usize) -> u16 {
        self.offsets.get(index)
    }

    /// Index of the first cell at or below `offset`.
    pub fn lower_bound(&self, offset: u16) -> usize {
        self.offsets.find(offset).unwrap_or_else(|at| at)
    }

    /// The cell at a row offset.
    pub fn get(&self, offset: u16) -> Option<RawCell> {
        self.offsets.find(offset).ok().map(|index| self.at(index))
    }

    /// The cell at `index`; panics if there is none, as a slice would.
    pub fn at(&self, index: usize) -> RawCell {
        let formula = if self.formulas.is_empty() { None } else { self.formula_at(self.offset(index)) };
        RawCell { value: self.value_at(index), style: StyleId(self.styles.get(index)), formula }
    }

    fn formula_at(&self, offset: u16) -> Option<FormulaId> {
        self.formulas.binary_search_by_key(&offset, |(at, _)| *at).ok().map(|found| self.formulas[found].1)
    }

    /// The value at `index`, without its format and formula.
    pub fn value_at(&self, index: usize) -> RawValue {
        let bits = self.bits[index];
        match self.tags.get(index) {
            Tag::Empty => RawValue::Empty,
            Tag::Number => RawValue::Number(f64::from_bits(bits)),
            Tag::SharedText => RawValue::SharedText(StringId(bits as u32)),
            Tag::SheetText => RawValue::SheetText(StringId(bits as u32)),
            Tag::Bool => RawValue::Bool(bits != 0),
            Tag::Error => RawValue::Error(ErrorValue::ALL[bits as usize]),
        }
    }

    /// The cell format at `index`.
    pub fn style_at(&self, index: usize) -> StyleId {
        StyleId(self.styles.get(index))
    }

    /// The cell format of every cell, if they share one.
    pub fn uniform_style(&self) -> Option<StyleId> {
        if let Packed::Uniform(style) = self.styles { Some(StyleId(style)) } else { None }
    }

    /// The numbers of the whole chunk, if every cell of it is a number: the fast path of scans.
    pub fn all_numbers(&self) -> Option<impl Iterator<Item = f64> + '_> {
        matches!(self.tags, Packed::Uniform(Tag::Number))
            .then(|| self.bits.iter().map(|bits| f64::from_bits(*bits)))
    }

    /// The string ids of the whole chunk, if every cell of it is a shared text.
    pub fn all_shared_texts(&self) -> Option<impl Iterator<Item = StringId> + '_> {
        matches!(self.tags, Packed::Uniform(Tag::SharedText))
            .then(|| self.bits.iter().map(|bits| StringId(*bits as u32)))
    }

    /// The formulas, by row offset.
    pub fn formulas(&self) -> &[(u16, FormulaId)] {
        &self.formulas
    }

    /// Writes a cell, replacing what was there.
    pub fn set(&mut self, offset: u16, cell: RawCell) {
        debug_assert!(u32::from(offset) < CHUNK_ROWS);
        let (tag, bits) = encode(cell.value);
        let len = self.len();
        // Sheets come in row order, so that almost every cell goes behind the last one.
        let last = len.checked_sub(1).map(|index| self.offsets.get(index));
        let found = if last.is_none_or(|last| last < offset) { Err(len) } else { self.offsets.find(offset) };
        match found {
            Ok(index) => {
                self.tags.set(index, len, tag);
                self.bits[index] = bits;
                self.styles.set(index, len, cell.style.0);
            }
            Err(index) => {
                self.offsets.insert(index, offset);
                self.tags.insert(index, len, tag);
                self.bits.insert(index, bits);
                self.styles.insert(index, len, cell.style.0);
            }
        }
        self.set_formula(offset, cell.formula);
    }

    /// Takes a cell away.
    pub(crate) fn remove(&mut self, offset: u16) {
        let Ok(index) = self.offsets.find(offset) else { return };
        self.set_formula(offset, None);
        self.offsets.remove(index);
        self.tags.remove(index);
        self.bits.remove(index);
        self.styles.remove(index);
    }

    /// Takes the cells from `offset` on away, as a chunk whose base is there.
    pub(crate) fn split_off(&mut self, offset: u16) -> Chunk {
        let index = self.lower_bound(offset);
        if index == self.len() {
            return Chunk::default();
        }
        let from = self.formulas.partition_point(|(at, _)| *at < offset);
        let formulas = self.formulas.split_off(from);
        Chunk {
            offsets: self.offsets.split_off(index, offset),
            tags: self.tags.split_off(index),
            bits: self.bits.split_off(index),
            styles: self.styles.split_off(index),
            formulas: formulas.into_iter().map(|(at, id)| (at - offset, id)).collect(),
        }
    }

    fn set_formula(&mut self, offset: u16, formula: Option<FormulaId>) {
        let appends = self.formulas.last().is_none_or(|(last, _)| *last < offset);
        let found = if appends {
            Err(self.formulas.len())
        } else {
            self.formulas.binary_search_by_key(&offset, |(at, _)| *at)
        };
        match (found, formula) {
            (Ok(index), Some(id)) => self.formulas[index].1 = id,
            (Ok(index), None) => {
                self.formulas.remove(index);
            }
            (Err(index), Some(id)) => self.formulas.insert(index, (offset, id)),
            (Err(_), None) => {}
        }
    }

    /// Gives back what the vectors hold in reserve.
    pub fn shrink(&mut self) {
        if let Offsets::Each(offsets) = &mut self.offsets {
            offsets.shrink_to_fit();
        }
        self.tags.shrink();
        self.bits.shrink_to_fit();
        self.styles.shrink();
        self.formulas.shrink_to_fit();
    }

    /// Bytes that the chunk costs.
    pub fn bytes(&self) -> usize {
        let offsets = if let Offsets::Each(offsets) = &self.offsets { offsets.capacity() * 2 } else { 0 };
        size_of::<Chunk>()
            + offsets
            + self.tags.heap_bytes()
            + self.bits.capacity() * size_of::<u64>()
            + self.styles.heap_bytes()
            + self.formulas.capacity() * size_of::<(u16, FormulaId)>()
    }

    /// Number of distinct rows with a cell that has a value or formula.
    pub(crate) fn first_and_last_content(&self) -> Option<(u16, u16)> {
        let has_content = |index: &usize| {
            self.tags.get(*index) != Tag::Empty || self.formula_at(self.offset(*index)).is_some()
        };
        let first = (0..self.len()).find(has_content)?;
        let last = (0..self.len()).rfind(has_content)?;
        debug_assert_eq!(self.offsets.len(), self.bits.len());
        Some((self.offset(first), self.offset(last)))
    }
}

fn encode(value: RawValue) -> (Tag, u64) {
    match value {
        RawValue::Empty => (Tag::Empty, 0),
        RawValue::Number(number) => (Tag::Number, number.to_bits()),
        RawValue::SharedText(id) => (Tag::SharedText, u64::from(id.0)),
        RawValue::SheetText(id) => (Tag::SheetText, u64::from(id.0)),
        RawValue::Bool(value) => (Tag::Bool, u64::from(value)),
        RawValue::Error(error) => (Tag::Error, error as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn cell() -> impl Strategy<Value = RawCell> {
        let value = prop_oneof![
            Just(RawValue::Empty),
            (-1e9..1e9f64).prop_map(RawValue::Number),
            (0..9u32).prop_map(|id| RawValue::SharedText(StringId(id))),
            any::<bool>().prop_map(RawValue::Bool),
            Just(RawValue::Error(ErrorValue::NA)),
        ];
        (value, 0..3u32, proptest::option::of(0..5u32)).prop_map(|(value, style, formula)| RawCell {
            value,
            style: StyleId(style),
            formula: formula.map(FormulaId),
        })
    }

    proptest! {
        #[test]
        fn behaves_as_a_map(writes in proptest::collection::vec((0..60u16, cell()), 0..120)) {
            let mut chunk = Chunk::default();
            let mut map = BTreeMap::new();
            for (offset, cell) in writes {
                chunk.set(offset, cell);
                map.insert(offset, cell);
            }
            let stored: Vec<_> = (0..chunk.len()).map(|index| (chunk.offset(index), chunk.at(index))).collect();
            prop_assert_eq!(stored, map.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_plain_number_costs_about_eight_bytes() {
        let mut chunk = Chunk::default();
        for offset in 0..CHUNK_ROWS as u16 {
            chunk.set(offset, RawCell { value: RawValue::Number(1.5), ..RawCell::default() });
        }
        chunk.shrink();
        assert!(chunk.bytes() < 9 * CHUNK_ROWS as usize, "{}", chunk.bytes());
    }
}
