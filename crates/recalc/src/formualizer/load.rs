//! Takes a workbook over into an engine: values by column, formulas by family.

use std::collections::HashSet;

use formualizer_eval::arrow_store::{ArrowSheet, CellIngest, IngestBuilder};
use formualizer_eval::engine::row_visibility::RowVisibilitySource;
use formualizer_eval::engine::{
    CycleConfig, CycleDetection, CyclePolicy, DateSystem, DeterministicMode, Engine as Library, EvalConfig,
    EvaluationBudgets, FormulaFamilyGrouper, FormulaIngestBatch, FormulaIngestRecord, ScratchResourceBudget,
    SpillConfig, TemporalEgress,
};
use formula::SharedFormula;
use grid::{CellRange, CellRef, Value};
use workbook::{CHUNK_ROWS, FormulaId, FormulaKind, Sheet, SheetId};

use crate::engine::{EngineError, Refusal, Refused, Source};
use crate::formualizer::context::Surroundings;
use crate::formualizer::overrides::Overrides;
use crate::formualizer::prepare::{Fault, Preparer};
use crate::formualizer::threads::Threads;
use crate::formualizer::values::{ingest, overlay};
use crate::formualizer::{MAX_ARRAY_CELLS, MAX_SPILL_CELLS, failed};

/// Cells of a sheet's used rectangle for each one that is stored, above which the sheet counts as sparse.
const SPARSE_RATIO: u64 = 20;
/// Up to so many cells a rectangle is never sparse.
const DENSE_CELLS: u64 = 200_000;
/// Rows of a sparse sheet that are allocated together.
const SPARSE_ROWS: usize = 1024;

/// An array formula: where it is entered, and what it fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ArrayFormula {
    pub(super) sheet: SheetId,
    /// The cells that it fills; of a dynamic one, those that it filled when the file was stored.
    pub(super) range: CellRange,
    pub(super) is_dynamic: bool,
}

/// A workbook within an engine.
pub(super) struct Loaded {
    pub(super) library: Library<Surroundings>,
    pub(super) refused: Vec<Refused>,
    pub(super) formulas: Vec<Vec<CellRef>>,
    pub(super) used: Vec<Option<CellRange>>,
    pub(super) arrays: Vec<ArrayFormula>,
    pub(super) has_fixed_arrays: bool,
}

/// The formulas of one sheet, as they are taken over.
#[derive(Default)]
struct SheetFormulas {
    records: Vec<FormulaIngestRecord>,
    arrays: Vec<ArrayFormula>,
    /// Cells whose values are taken over although they have formulas.
    refused: HashSet<CellRef>,
}

pub(super) fn load(
    source: Source<'_>,
    overrides: Overrides,
    threads: &Threads,
) -> Result<Loaded, EngineError> {
    let has_fixed_arrays = source.sheets.iter().any(|sheet| has_fixed_array(sheet));
    let surroundings = Surroundings { overrides };
    let mut library =
        Library::with_thread_pool(surroundings, config(source, has_fixed_arrays), threads.pool());
    for tab in &source.book.tabs {
        if library.sheet_id(&tab.name).is_none() {
            library.add_sheet(&tab.name).map_err(failed)?;
        }
    }
    let mut preparer = Preparer::new(source, surroundings);
    for (name, _) in preparer.linked().sheets() {
        library.add_sheet(name).map_err(failed)?;
    }
    let mut loaded = Loaded {
        library,
        refused: Vec::new(),
        formulas: Vec::with_capacity(source.sheets.len()),
        used: source.sheets.iter().map(|sheet| sheet.used_range()).collect(),
        arrays: Vec::new(),
        has_fixed_arrays,
    };
    let mut batches = Vec::new();
    for (index, sheet) in source.sheets.iter().enumerate() {
        let id = SheetId(index as u32);
        let formulas = loaded.formulas(id, sheet, &mut preparer);
        loaded.values(&sheet.name, sheet, &formulas)?;
        loaded.hidden_rows(sheet)?;
        let places = formulas.records.iter().map(|record| CellRef::clamped(record.row - 1, record.col - 1));
        loaded.formulas.push(places.collect());
        batches.push(FormulaIngestBatch::new(sheet.name.clone(), formulas.records));
        loaded.arrays.extend(formulas.arrays);
    }
    for (name, copies) in preparer.linked().sheets() {
        loaded.values(name, &copies.cells, &SheetFormulas::default())?;
    }
    loaded.library.set_first_load_assume_new(true);
    loaded.library.reset_ensure_touched();
    loaded.library.ingest_formula_batches(batches).map_err(failed)?;
    loaded.library.set_first_load_assume_new(false);
    let names = source.sheets.iter().map(|sheet| sheet.name.as_str());
    loaded.library.finalize_all_sheet_indexes(names.chain(preparer.linked().sheets().map(|(name, _)| name)));
    for array in loaded.arrays.clone() {
        declare(&mut loaded.library, &source.sheets[array.sheet.0 as usize].name, array)?;
    }
    Ok(loaded)
}

/// Tells the engine of an array formula that is there already.
pub(super) fn declare(
    library: &mut Library<Surroundings>,
    sheet: &str,
    array: ArrayFormula,
) -> Result<(), EngineError> {
    let (row, col) = (array.range.start().row() + 1, array.range.start().col() + 1);
    let declared = match array.is_dynamic {
        true => library.declare_dynamic_array_anchor(sheet, row, col),
        false => {
            library.declare_fixed_array_formula(sheet, row, col, array.range.height(), array.range.width())
        }
    };
    declared.map_err(failed)
}

fn has_fixed_array(sheet: &Sheet) -> bool {
    sheet
        .formulas()
        .iter()
        .any(|(_, formula)| matches!(formula.kind, FormulaKind::Array { dynamic: false, .. }))
}

fn config(source: Source<'_>, has_fixed_arrays: bool) -> EvalConfig {
    let calc = source.book.calc;
    let cycle = match calc.iterate {
        true => CycleConfig::iterate(calc.iterate_count.clamp(1, 32_767), calc.iterate_delta.abs()),
        false => CycleConfig { detection: CycleDetection::Runtime, policy: CyclePolicy::Error },
    };
    EvalConfig {
        default_sheet_name: source.book.tabs.first().map_or("Sheet1".to_owned(), |tab| tab.name.clone()),
        date_system: match source.book.date_system {
            grid::DateSystem::Date1900 => DateSystem::Excel1900,
            grid::DateSystem::Date1904 => DateSystem::Excel1904,
        },
        temporal_egress: TemporalEgress::Serial,
        deterministic_mode: DeterministicMode::Enabled {
            timestamp_utc: Default::default(),
            timezone: formualizer_eval::timezone::TimeZoneSpec::Utc,
        },
        spill: SpillConfig { max_spill_cells: MAX_SPILL_CELLS, ..SpillConfig::default() },
        cycle,
        evaluation_budgets: EvaluationBudgets {
            scratch: ScratchResourceBudget {
                materialized_array_cells: Some(MAX_ARRAY_CELLS),
                ..ScratchResourceBudget::default()
            },
            ..EvaluationBudgets::default()
        },
        // Fixed arrays need each formula to be computed on its own.
        family_execution: !has_fixed_arrays,
        ..EvalConfig::default()
    }
}

impl Loaded {
    /// Reads the formulas of a sheet. Those that are refused are noted.
    fn formulas(&mut self, id: SheetId, sheet: &Sheet, preparer: &mut Preparer<'_>) -> SheetFormulas {
        let mut reader = Reader {
            loaded: self,
            preparer,
            id,
            sheet,
            grouper: FormulaFamilyGrouper::new(),
            shared: Vec::new(),
            text: String::new(),
            found: SheetFormulas {
                records: Vec::with_capacity(sheet.formula_count() as usize),
                arrays: Vec::new(),
                refused: HashSet::new(),
            },
        };
        for (col, column) in sheet.columns() {
            for (base, chunk) in column.chunks() {
                for (offset, formula) in chunk.formulas() {
                    reader.formula(CellRef::clamped(base + u32::from(*offset), col), *formula);
                }
            }
        }
        let Reader { mut grouper, found, .. } = reader;
        self.library.finish_family_grouper(&mut grouper);
        found
    }

    /// Takes over the values of a sheet: of its cells without formulas, and of those whose formulas are not computed.
    fn values(&mut self, name: &str, sheet: &Sheet, formulas: &SheetFormulas) -> Result<(), EngineError> {
        let Some(used) = sheet.used_range() else { return Ok(()) };
        let filled = Filled::new(&formulas.arrays);
        let value_of = |at: CellRef, cell: workbook::RawCell| match cell.formula {
            Some(_) if !formulas.refused.contains(&at) => Value::Empty,
            _ if filled.contains(at) => Value::Empty,
            _ => sheet.resolve_value(cell.value),
        };
        let (rows, cols) = (used.end().row() + 1, used.end().col() + 1);
        let area = u64::from(rows) * u64::from(cols);
        let system = self.library_date_system();
        let arrow = match area > DENSE_CELLS && area / SPARSE_RATIO > sheet.cell_count() {
            true => sparse(name, sheet, system, &value_of),
            false => dense(name, sheet, (rows, cols), system, &value_of)?,
        };
        let store = self.library.sheet_store_mut();
        match store.sheets.iter_mut().find(|known| known.name == arrow.name) {
            Some(known) => *known = arrow,
            None => store.sheets.push(arrow),
        }
        Ok(())
    }

    fn library_date_system(&self) -> DateSystem {
        formualizer_eval::traits::EvaluationContext::date_system(&self.library)
    }

    fn hidden_rows(&mut self, sheet: &Sheet) -> Result<(), EngineError> {
        let filtered = sheet.auto_filter.as_ref().map(|filter| filter.range);
        let is_filtered = |row: u32| {
            let is_in = |range: CellRange| (range.start().row()..=range.end().row()).contains(&row);
            let in_table = sheet
                .tables
                .iter()
                .any(|table| table.auto_filter.as_ref().is_some_and(|filter| is_in(filter.range)));
            filtered.is_some_and(is_in) || in_table
        };
        for row in sheet.rows.iter().filter(|row| row.hidden) {
            let source = match is_filtered(row.row) {
                true => RowVisibilitySource::Filter,
                false => RowVisibilitySource::Manual,
            };
            let hidden = self.library.set_row_hidden(&sheet.name, row.row + 1, true, source);
            hidden.map_err(|error| EngineError::Failed { engine: super::NAME, what: error.to_string() })?;
        }
        Ok(())
    }
}

/// Reads the formulas of one sheet, column by column.
struct Reader<'l, 'p, 'a> {
    loaded: &'l mut Loaded,
    preparer: &'p mut Preparer<'a>,
    id: SheetId,
    sheet: &'l Sheet,
    grouper: FormulaFamilyGrouper,
    /// Formulas of shared groups, lexed once; by their ids.
    shared: Vec<Option<SharedFormula>>,
    text: String,
    found: SheetFormulas,
}

impl Reader<'_, '_, '_> {
    fn formula(&mut self, at: CellRef, id: FormulaId) {
        let sheet = self.sheet;
        let formula = sheet.formulas().get(id);
        self.text.clear();
        self.text.push('=');
        match formula.kind {
            FormulaKind::Normal => self.text.push_str(formula.text.trim_start_matches('=')),
            FormulaKind::Shared { master } => {
                let index = id.0 as usize;
                if index >= self.shared.len() {
                    self.shared.resize_with(index + 1, || None);
                }
                let shared = self.shared[index]
                    .get_or_insert_with(|| SharedFormula::new(formula.text.trim_start_matches('=')));
                let rows = i64::from(at.row()) - i64::from(master.row());
                let cols = i64::from(at.col()) - i64::from(master.col());
                shared.write_at(rows, cols, &mut self.text);
            }
            FormulaKind::Array { range, dynamic } => {
                self.text.push_str(formula.text.trim_start_matches('='));
                return self.array(at, ArrayFormula { sheet: self.id, range, is_dynamic: dynamic });
            }
            FormulaKind::DataTable { .. } => return self.refuse(at, (Refusal::Unsupported, None)),
        }
        let (row, col) = (at.row() + 1, at.col() + 1);
        let key = matches!(formula.kind, FormulaKind::Shared { .. }).then_some(u64::from(id.0));
        let library = &mut self.loaded.library;
        if let Some(record) = library.stage_relocated_text(&mut self.grouper, row, col, &self.text, key) {
            self.found.records.push(record);
            return;
        }
        match self.preparer.prepare(self.id, at, &self.text, false) {
            Ok(prepared) => {
                let tree = &prepared.tree;
                let record = library.stage_formula_ast(&mut self.grouper, row, col, tree, None);
                if prepared.is_verbatim {
                    library.note_parsed_text(&mut self.grouper, row, col, &self.text, tree, &record, key);
                }
                self.found.records.push(record);
            }
            Err(fault) => self.refuse(at, fault),
        }
    }

    fn array(&mut self, at: CellRef, array: ArrayFormula) {
        let is_too_large = !array.is_dynamic
            && u64::from(array.range.height()) * u64::from(array.range.width()) > u64::from(MAX_SPILL_CELLS)
            || array.range.start() != at;
        if is_too_large {
            return self.refuse_array(at, array, (Refusal::Unsupported, None));
        }
        match self.preparer.prepare(self.id, at, &self.text, true) {
            Ok(prepared) => {
                let tree = self.loaded.library.intern_formula_ast(&prepared.tree);
                self.found.records.push(FormulaIngestRecord::new(at.row() + 1, at.col() + 1, tree, None));
                self.found.arrays.push(array);
            }
            Err(fault) => self.refuse_array(at, array, fault),
        }
    }

    fn refuse_array(&mut self, at: CellRef, _: ArrayFormula, fault: Fault) {
        self.refuse(at, fault);
    }

    fn refuse(&mut self, at: CellRef, (why, function): Fault) {
        self.found.refused.insert(at);
        self.loaded.refused.push(Refused { sheet: self.id, at, why, function });
    }
}

/// The cells that array formulas fill: what they show is computed.
struct Filled {
    /// By their first rows.
    ranges: Vec<CellRange>,
    tallest: u32,
}

impl Filled {
    fn new(arrays: &[ArrayFormula]) -> Filled {
        let mut ranges: Vec<CellRange> = arrays.iter().map(|array| array.range).collect();
        ranges.sort_unstable_by_key(|range| range.start().row());
        let tallest = ranges.iter().map(|range| range.height()).max().unwrap_or(0);
        Filled { ranges, tallest }
    }

    fn contains(&self, at: CellRef) -> bool {
        let until = self.ranges.partition_point(|range| range.start().row() <= at.row());
        let first = at.row().saturating_sub(self.tallest);
        self.ranges[..until]
            .iter()
            .rev()
            .take_while(|range| range.start().row() >= first)
            .any(|range| range.contains(at))
    }
}

fn dense<'s>(
    name: &str,
    sheet: &'s Sheet,
    (rows, cols): (u32, u32),
    system: DateSystem,
    value_of: &dyn Fn(CellRef, workbook::RawCell) -> Value<'s>,
) -> Result<ArrowSheet, EngineError> {
    let width = cols as usize;
    let mut builder = IngestBuilder::new(name, width, 32 * 1024, system);
    let mut block: Vec<CellIngest<'s>> = Vec::new();
    for first in (0..rows).step_by(CHUNK_ROWS as usize) {
        let last = (first + CHUNK_ROWS).min(rows) - 1;
        block.clear();
        block.resize_with((last - first + 1) as usize * width, || CellIngest::Empty);
        for (col, column) in sheet.columns_in(0..=cols - 1) {
            column.cells(first..=last).for_each(|(row, cell)| {
                let value = value_of(CellRef::clamped(row, col), cell);
                block[(row - first) as usize * width + col as usize] = ingest(value);
            });
        }
        for row in block.chunks(width) {
            builder.append_row_cells(row).map_err(failed)?;
        }
    }
    Ok(builder.finish())
}

fn sparse<'s>(
    name: &str,
    sheet: &'s Sheet,
    system: DateSystem,
    value_of: &dyn Fn(CellRef, workbook::RawCell) -> Value<'s>,
) -> ArrowSheet {
    let mut arrow = ArrowSheet::new_sparse_with_date_system(name, 1, 1, SPARSE_ROWS, system);
    for (col, column) in sheet.columns() {
        for (row, cell) in column.cells(0..=grid::MAX_ROWS - 1) {
            let value = value_of(CellRef::clamped(row, col), cell);
            if value != Value::Empty {
                arrow.set_sparse_overlay_value(row as usize, col as usize, overlay(value));
            }
        }
    }
    arrow
}
