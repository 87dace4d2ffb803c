//! The dependencies of a whole workbook, by block instead of by cell.
//!
//! A block of 100,000 equal formulas is one entry with one extent per reference: building costs little more than
//! finding the blocks, and both questions (what does this read, who reads this) are answered by arithmetic on
//! rectangles that an R-tree finds.

use std::ops::ControlFlow;
use std::sync::Arc;

use grid::{CellRange, CellRef};
use workbook::SheetId;

use crate::formulas::blocks::{Blocks, Flavor};
use crate::formulas::rect_tree::RectTree;
use crate::formulas::sources::{Cells, Leaf, Reach, Source, sources};
use crate::formulas::{Area, Cancel, Cancelled, Places};

/// Which cells of a workbook read which. A value of its own: it holds nothing of the workbook and may outlive it.
#[derive(Debug, Default)]
pub struct DependencyIndex {
    /// By sheet, then by position.
    blocks: Vec<IndexedBlock>,
    /// In the order of their blocks.
    sources: Vec<IndexedSource>,
    sheets: Vec<SheetTrees>,
    /// Sources over several sheets (`Jan:Dec!A1`).
    spans: RectTree,
}

/// What computing a block of equal formulas costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockCost {
    /// The block; its first cell has the formula.
    pub area: Area,
    /// Formulas in it.
    pub cells: u64,
    /// Cells that one of them reads.
    pub reads: u64,
}

/// A block and its part of [`DependencyIndex::sources`].
#[derive(Debug)]
pub(crate) struct IndexedBlock {
    pub(crate) sheet: SheetId,
    pub(crate) range: CellRange,
    first_source: u32,
    end_source: u32,
    /// One formula for the whole range.
    pub(crate) is_array: bool,
    /// Whether it reads more than its text tells.
    pub(crate) is_dynamic: bool,
}

#[derive(Debug)]
struct IndexedSource {
    block: u32,
    source: Source,
}

#[derive(Debug, Default)]
struct SheetTrees {
    blocks: RectTree,
    /// By what they read on this sheet.
    sources: RectTree,
}

/// Something that formulas read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Read {
    Area(Area),
    Leaf(Leaf),
}

/// A neighbour in the graph of dependencies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Link {
    pub(crate) to: Read,
    pub(crate) via: Option<Arc<str>>,
}

impl DependencyIndex {
    /// Collects the dependencies of every formula. Costs time in proportion to the formulas for finding the blocks,
    /// and memory in proportion to the blocks.
    pub fn build(places: &Places<'_>, cancel: Cancel<'_>) -> Result<DependencyIndex, Cancelled> {
        let mut index = DependencyIndex::default();
        let mut block_rects: Vec<Vec<(CellRange, u32)>> = Vec::new();
        for (id, sheet) in places.sheets() {
            let first_block = index.blocks.len();
            if !sheet.formulas().is_empty() {
                let found = Blocks::collect(sheet, cancel)?;
                for (done, block) in found.blocks.iter().enumerate() {
                    if done % 1024 == 0 && cancel() {
                        return Err(Cancelled);
                    }
                    let flavor = found.patterns[block.pattern as usize].flavor;
                    index.add_block(places, id, block.range, flavor);
                }
            }
            let numbers = first_block as u32..;
            block_rects
                .push(index.blocks[first_block..].iter().map(|block| block.range).zip(numbers).collect());
        }
        let mut source_rects: Vec<Vec<(CellRange, u32)>> = vec![Vec::new(); block_rects.len()];
        let mut span_rects = Vec::new();
        for (number, indexed) in index.sources.iter().enumerate() {
            let Reach::Cells(cells) = &indexed.source.reach else { continue };
            let Some(hull) = cells.hull(index.blocks[indexed.block as usize].range) else { continue };
            let (first, last) = cells.sheets;
            let rects = if first == last { &mut source_rects[first.0 as usize] } else { &mut span_rects };
            rects.push((hull, number as u32));
        }
        if cancel() {
            return Err(Cancelled);
        }
        index.spans = RectTree::build(span_rects);
        index.sheets = block_rects
            .into_iter()
            .zip(source_rects)
            .map(|(blocks, sources)| SheetTrees {
                blocks: RectTree::build(blocks),
                sources: RectTree::build(sources),
            })
            .collect();
        index.blocks.shrink_to_fit();
        index.sources.shrink_to_fit();
        Ok(index)
    }

    fn add_block(&mut self, places: &Places<'_>, id: SheetId, range: CellRange, flavor: Flavor) {
        let sheet = places.sheet(id);
        let at = range.start();
        // An array formula that another one overlaps has lost its first cell.
        let Some(formula) = sheet.cell(at).formula else { return };
        let read = sources(places, id, at, &sheet.formula_text(at, formula));
        let is_array = flavor.is_spread();
        let number = self.blocks.len() as u32;
        let first_source = self.sources.len() as u32;
        let asks_for_itself = |source: &Source| {
            let own = CellRange::cell(at);
            !source.is_read && matches!(&source.reach, Reach::Cells(cells) if cells.hull(own) == Some(own))
        };
        let list = read.list.into_iter().filter(|source| !asks_for_itself(source));
        self.sources.extend(list.map(|mut source| {
            if let Reach::Cells(cells) = &mut source.reach
                && is_array
            {
                *cells = cells.fixed_at(at);
            }
            IndexedSource { block: number, source }
        }));
        let end_source = self.sources.len() as u32;
        let is_dynamic = read.dynamic;
        self.blocks.push(IndexedBlock { sheet: id, range, first_source, end_source, is_array, is_dynamic });
    }

    /// Bytes that the index costs.
    pub fn bytes(&self) -> usize {
        let trees: usize = self.sheets.iter().map(|trees| trees.blocks.bytes() + trees.sources.bytes()).sum();
        let names: usize = self
            .sources
            .iter()
            .map(|indexed| {
                let via = indexed.source.via.as_ref().map_or(0, |via| via.len() + 16);
                let leaf = match &indexed.source.reach {
                    Reach::Leaf(leaf) => leaf.label.len() + 16,
                    Reach::Cells(_) => 0,
                };
                via + leaf
            })
            .sum();
        self.blocks.capacity() * size_of::<IndexedBlock>()
            + self.sources.capacity() * size_of::<IndexedSource>()
            + self.sheets.capacity() * size_of::<SheetTrees>()
            + self.spans.bytes()
            + trees
            + names
    }

    /// The blocks that have cells in an area, by position.
    pub(crate) fn blocks_in(&self, area: Area) -> Vec<&IndexedBlock> {
        self.block_numbers(area).into_iter().map(|number| self.block(number)).collect()
    }

    /// The numbers of the blocks that have cells in an area, ascending.
    pub(crate) fn block_numbers(&self, area: Area) -> Vec<u32> {
        let mut numbers = Vec::new();
        if let Some(trees) = self.sheets.get(area.sheet.0 as usize) {
            let _: ControlFlow<()> = trees.blocks.overlapping(area.range, |number| {
                numbers.push(number);
                ControlFlow::Continue(())
            });
        }
        numbers.sort_unstable();
        numbers
    }

    /// What a block's cells within `readers` read, with whether its value matters.
    pub(crate) fn reads(
        &self,
        block: &IndexedBlock,
        readers: CellRange,
    ) -> impl Iterator<Item = (Link, bool)> + '_ {
        let sources = &self.sources[block.first_source as usize..block.end_source as usize];
        sources.iter().flat_map(move |IndexedSource { source, .. }| {
            let reads: Vec<Read> = match &source.reach {
                Reach::Leaf(leaf) => vec![Read::Leaf(leaf.clone())],
                Reach::Cells(cells) => areas(cells, readers).map(Read::Area).collect(),
            };
            reads.into_iter().map(|to| (Link { to, via: source.via.clone() }, source.is_read))
        })
    }

    /// What the formulas in an area read; each thing once, in the order of cells and of their texts.
    pub(crate) fn precedents(&self, area: Area) -> Vec<Link> {
        let mut found = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for block in self.blocks_in(area) {
            let Some(readers) = block.range.intersect(area.range) else { continue };
            for (link, _) in self.reads(block, readers) {
                if seen.insert(link.clone()) {
                    found.push(link);
                }
            }
        }
        found
    }

    /// The cells whose formulas read some cell of an area, as rectangles of one pattern, by position.
    pub(crate) fn dependents(&self, area: Area) -> Vec<Link> {
        let mut found: Vec<(u32, CellRange, Option<&Arc<str>>)> = Vec::new();
        let _: ControlFlow<()> = self.each_reader(area, |block, readers, source| {
            found.push((block, readers, source.via.as_ref()));
            ControlFlow::Continue(())
        });
        found.sort_unstable();
        found.dedup();
        let link = |(block, range, via): (u32, CellRange, Option<&Arc<str>>)| {
            let sheet = self.blocks[block as usize].sheet;
            Link { to: Read::Area(Area { sheet, range }), via: via.cloned() }
        };
        found.into_iter().map(link).collect()
    }

    /// Whether any formula reads some cell of an area.
    pub(crate) fn has_dependents(&self, area: Area) -> bool {
        self.each_reader(area, |_, _, _| ControlFlow::Break(())).is_break()
    }

    /// Whether any formula of an area reads something.
    pub(crate) fn has_precedents(&self, area: Area) -> bool {
        let Some(trees) = self.sheets.get(area.sheet.0 as usize) else { return false };
        let any = trees.blocks.overlapping(area.range, |number| {
            let block = &self.blocks[number as usize];
            if block.first_source < block.end_source {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        any.is_break()
    }

    /// Each block of equal formulas, and what computing it cell by cell costs.
    pub fn costs<'a>(&'a self, places: &'a Places<'_>) -> impl Iterator<Item = BlockCost> + 'a {
        let used: Vec<Option<CellRange>> = places.sheets().map(|(_, sheet)| sheet.used_range()).collect();
        self.blocks.iter().map(move |block| {
            let first = CellRange::cell(block.range.start());
            let mut reads = 0_u64;
            for (link, is_read) in self.reads(block, first) {
                if let Read::Area(area) = link.to
                    && is_read
                {
                    let used = used.get(area.sheet.0 as usize).copied().flatten();
                    reads += used.and_then(|used| used.intersect(area.range)).map_or(1, CellRange::area);
                }
            }
            let cells = if block.is_array { 1 } else { block.range.area() };
            BlockCost { area: Area { sheet: block.sheet, range: block.range }, cells, reads }
        })
    }

    /// How many blocks there are; their numbers are smaller.
    pub(crate) fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// A block by its number.
    pub(crate) fn block(&self, number: u32) -> &IndexedBlock {
        &self.blocks[number as usize]
    }

    /// The blocks with their numbers.
    pub(crate) fn numbered_blocks(&self) -> impl Iterator<Item = (u32, &IndexedBlock)> {
        (0..).zip(&self.blocks)
    }

    /// Visits the cells of each block that read some cell of an area, by the block's number.
    pub(crate) fn each_reader<'a, B>(
        &'a self,
        area: Area,
        mut visit: impl FnMut(u32, CellRange, &'a Source) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut candidate = |number: u32| {
            let IndexedSource { block, source } = &self.sources[number as usize];
            let Reach::Cells(cells) = &source.reach else { return ControlFlow::Continue(()) };
            if area.sheet < cells.sheets.0 || area.sheet > cells.sheets.1 {
                return ControlFlow::Continue(());
            }
            match cells.readers(area.range, self.blocks[*block as usize].range) {
                Some(readers) => visit(*block, readers, source),
                None => ControlFlow::Continue(()),
            }
        };
        if let Some(trees) = self.sheets.get(area.sheet.0 as usize) {
            trees.sources.overlapping(area.range, &mut candidate)?;
        }
        self.spans.overlapping(area.range, &mut candidate)
    }
}

impl IndexedBlock {
    /// The cell that stands for another one of the block in chains of single cells.
    pub(crate) fn representative(&self, at: CellRef) -> CellRef {
        if self.is_array { self.range.start() } else { at }
    }
}

/// What `readers` read through one source, sheet by sheet.
fn areas(cells: &Cells, readers: CellRange) -> impl Iterator<Item = Area> + use<> {
    let (first, last) = cells.sheets;
    let hull = cells.hull(readers);
    (first.0..=last.0).filter_map(move |sheet| Some(Area { sheet: SheetId(sheet), range: hull? }))
}
