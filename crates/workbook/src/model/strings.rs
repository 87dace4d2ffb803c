//! Texts, each kept once.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::model::chunk::StringId;

/// An append-only list of texts in one allocation; ids count up from 0.
///
/// [`StringTable::push`] keeps the caller's numbering (a shared string table's), [`StringTable::intern`] gives equal
/// texts one id.
#[derive(Debug, Clone, Default)]
pub struct StringTable {
    text: String,
    ends: Vec<u32>,
    /// Texts whose parts look different: the elements of their runs (ECMA-376 Part 1 §18.4.4).
    rich: Vec<(StringId, Box<str>)>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl StringTable {
    /// Appends a text under the next id. `None` once 4 GiB or 2³² texts are reached.
    pub fn push(&mut self, text: &str) -> Option<StringId> {
        let end = u32::try_from(self.text.len() + text.len()).ok()?;
        let id = u32::try_from(self.ends.len()).ok()?;
        self.text.push_str(text);
        self.ends.push(end);
        Some(StringId(id))
    }

    /// The id of an equal text, appended if new.
    pub fn intern(&mut self, text: &str) -> Option<StringId> {
        let hash = self.hasher.hash_one(text);
        let StringTable { text: all, ends, index, .. } = self;
        if let Some(id) = index.find(hash, |id| slice(all, ends, *id) == text) {
            return Some(StringId(*id));
        }
        let id = self.push(text)?;
        let StringTable { text: all, ends, index, hasher, .. } = self;
        index.insert_unique(hash, id.0, |id| hasher.hash_one(slice(all, ends, *id)));
        Some(id)
    }

    /// Appends a text whose parts look different, with the elements of its runs.
    pub fn push_rich(&mut self, text: &str, runs: &str) -> Option<StringId> {
        let id = self.push(text)?;
        self.rich.push((id, runs.into()));
        Some(id)
    }

    /// The text, or `None` for an id that was never given out.
    pub fn get(&self, id: StringId) -> Option<&str> {
        ((id.0 as usize) < self.ends.len()).then(|| slice(&self.text, &self.ends, id.0))
    }

    /// The elements of the runs of a rich text.
    pub fn runs(&self, id: StringId) -> Option<&str> {
        let found = self.rich.binary_search_by_key(&id, |(at, _)| *at).ok()?;
        Some(&self.rich[found].1)
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Every text, by id.
    pub fn iter(&self) -> impl Iterator<Item = (StringId, &str)> {
        (0..self.ends.len() as u32).map(|id| (StringId(id), slice(&self.text, &self.ends, id)))
    }

    /// Bytes of all texts.
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// Drops what is only needed while texts are added; interning again starts a new index.
    pub fn shrink(&mut self) {
        self.index = HashTable::new();
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// Bytes that the table costs.
    pub fn bytes(&self) -> usize {
        let rich: usize = self.rich.iter().map(|(_, runs)| 24 + runs.len()).sum();
        self.text.capacity() + self.ends.capacity() * 4 + rich + self.index.capacity() * 5
    }
}

fn slice<'a>(text: &'a str, ends: &[u32], id: u32) -> &'a str {
    let index = id as usize;
    let start = if index == 0 { 0 } else { ends[index - 1] as usize };
    &text[start..ends[index] as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interned_once() {
        let mut table = StringTable::default();
        let ids: Vec<u32> =
            ["a", "", "a", "bb", ""].iter().map(|text| table.intern(text).unwrap().0).collect();
        assert_eq!(ids, [0, 1, 0, 2, 1]);
        assert_eq!(table.get(StringId(2)), Some("bb"));
        assert_eq!(table.get(StringId(3)), None);
    }

    #[test]
    fn pushed_as_numbered() {
        let mut table = StringTable::default();
        let ids: Vec<u32> = ["a", "a"].iter().map(|text| table.push(text).unwrap().0).collect();
        assert_eq!(ids, [0, 1]);
    }
}
