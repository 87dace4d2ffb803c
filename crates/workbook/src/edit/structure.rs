//! Rows and columns that come and go.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use formula::{Change as Count, Direction, Resize};
use grid::{CellRange, CellRef, MAX_COLS, MAX_ROWS};
use ooxml::{RelType, Tree};

use crate::edit::error::Problem;
use crate::edit::follow::{Change, Follower, follow_vml, is_same};
use crate::edit::sheet_edit::Dirt;
use crate::edit::{Draft, Place};
use crate::model::{Formula, FormulaId, FormulaKind, RawCell, Sheet, SheetId, SheetKind, StyleId};

impl Draft {
    /// Rows or columns come in before the first one of the place, as many as it has.
    pub(crate) fn insert(&mut self, place: Place, direction: Direction) -> Result<(), Problem> {
        let (at, count) = lines(place, direction)?;
        let resize = Resize { direction, at, change: Count::Insert(count), band: None };
        let sheet = self.book.sheet(place.sheet, &())?;
        let size = if direction == Direction::Row { MAX_ROWS } else { MAX_COLS };
        let last = sheet.used_range().map(|used| match direction {
            Direction::Row => used.end().row(),
            Direction::Column => used.end().col(),
        });
        if last.is_some_and(|last| last >= at && last >= size - count) {
            return Err(Problem::new(
                format!("{count} more would push cells with content off the end of the sheet"),
                "clear what stands there first",
            )
            .at(self.written(place)));
        }
        let headers = self.resize(place, resize)?;
        self.inherit_formats(place.sheet, resize, count)?;
        for (at, name) in headers {
            let mut hand = self.hand(place)?;
            let cell = RawCell { value: hand.sheet.keep_text(&name)?, ..hand.sheet.raw_cell(at) };
            hand.put(at, cell);
        }
        Ok(())
    }

    /// Rows or columns of the place go.
    pub(crate) fn delete(&mut self, place: Place, direction: Direction) -> Result<(), Problem> {
        let (at, count) = lines(place, direction)?;
        self.resize(place, Resize { direction, at, change: Count::Delete(count), band: None })?;
        Ok(())
    }

    /// Gives the headers that new columns of tables get.
    fn resize(&mut self, place: Place, resize: Resize) -> Result<Vec<(CellRef, String)>, Problem> {
        self.check_resize(place, resize)?;
        self.load_all()?;
        let name = self.book.tab(place.sheet).name.clone();
        let change = Change::Resize { sheet: &name, resize };
        self.take_spills_back(place, resize)?;
        self.lose_table_columns(place.sheet, resize)?;
        let headers = self.resize_tables(place.sheet, resize)?;
        self.follow_formulas(change, Some((place.sheet, resize)))?;
        let hand = self.hand(place)?;
        hand.sheet.resize_cells(resize);
        hand.edit.resize(resize);
        self.formulas_changed = true;
        self.follow_parts(change)?;
        Ok(headers)
    }

    /// What is spilled over cells that part is taken back: it would stay as constants. Its formula stands alone until it is
    /// calculated.
    fn take_spills_back(&mut self, place: Place, resize: Resize) -> Result<(), Problem> {
        let sheet = self.book.sheet(place.sheet, &())?;
        let spills: Vec<(FormulaId, CellRange)> = sheet
            .formulas()
            .iter()
            .filter_map(|(id, formula)| match formula.kind {
                FormulaKind::Array { range, dynamic: true } => Some((id, range)),
                _ => None,
            })
            .filter(|(id, range)| sheet.raw_cell(range.start()).formula == Some(*id) && parts(resize, *range))
            .collect();
        for (id, range) in spills {
            let mut hand = self.hand(place)?;
            let anchor = CellRange::cell(range.start());
            let text = hand.sheet.formulas().get(id).text.clone();
            let kind = FormulaKind::Array { range: anchor, dynamic: true };
            hand.sheet.formulas_mut().replace(id, Formula { text, kind });
            hand.edit.mark(range.start(), Dirt::Content);
            for at in range.cells().skip(1) {
                let style = hand.sheet.raw_cell(at).style;
                hand.put(at, RawCell { style, ..RawCell::default() });
            }
        }
        Ok(())
    }

    /// Every sheet has to be there before references in it are followed.
    pub(crate) fn load_all(&mut self) -> Result<(), Problem> {
        self.book.sheets(1, &())?;
        Ok(())
    }

    /// What a change would break and no program repairs.
    fn check_resize(&self, place: Place, resize: Resize) -> Result<(), Problem> {
        let sheet = self.book.sheet(place.sheet, &())?;
        let told = |range: CellRange| self.written(Place { range, ..place });
        let crossed = |range: CellRange| match resize.change {
            Count::Insert(_) => is_inside(resize, range),
            Count::Delete(count) => touches(resize, count, range) && resize.moved_range(range).is_some(),
        };
        for (_, formula) in sheet.formulas().iter() {
            let range = match formula.kind {
                FormulaKind::Array { range, dynamic: false } | FormulaKind::DataTable { range } => range,
                _ => continue,
            };
            let stands =
                sheet.raw_cell(range.start()).formula.is_some_and(|id| sheet.formulas().get(id) == formula);
            if stands && crossed(range) {
                let problem = format!("it would part the array formula in {}", told(range));
                return Err(Problem::new(problem, "change that formula first").at(told(place.range)));
            }
        }
        if let Some(pivot) = sheet.pivots.iter().find(|pivot| pivot.range.is_some_and(crossed)) {
            let range = pivot.range.map_or_else(String::new, told);
            return Err(Problem::new(
                format!("it would part the pivot table in {range}"),
                "give rows or columns beside it",
            )
            .at(told(place.range)));
        }
        for table in &sheet.tables {
            let Count::Delete(count) = resize.change else { continue };
            let remedy = format!("delete_table {:?} first, or resize it", table.name);
            if touches(resize, count, table.range) && resize.moved_range(table.range).is_none() {
                return Err(Problem::new(format!("the whole table {:?} would go", table.name), remedy)
                    .at(told(place.range)));
            }
            if resize.direction == Direction::Row {
                let header = (table.header_rows > 0).then(|| table.range.start().row());
                let end = resize.at.saturating_add(count);
                if header.is_some_and(|row| (resize.at..end).contains(&row)) {
                    let problem = format!("the header of the table {:?} would go", table.name);
                    return Err(Problem::new(problem, remedy).at(told(place.range)));
                }
                let first = table.range.start().row() + table.header_rows;
                let last = table.range.end().row() - table.totals_rows;
                if first >= resize.at && last < end {
                    let problem = format!("every row of the table {:?} would go", table.name);
                    return Err(Problem::new(problem, "leave one row, or clear them").at(told(place.range)));
                }
            }
        }
        Ok(())
    }

    /// Texts of formulas in every sheet follow; with a resize of a sheet, what they belong to as well.
    pub(crate) fn follow_formulas(
        &mut self,
        change: Change<'_>,
        resized: Option<(SheetId, Resize)>,
    ) -> Result<(), Problem> {
        for id in self.book.sheet_ids() {
            let own = resized.filter(|(sheet, _)| *sheet == id).map(|(_, resize)| resize);
            let name = self.book.tab(id).name.clone();
            let sheet = self.book.sheet(id, &())?;
            if sheet.formulas().is_empty() {
                continue;
            }
            let found = followed(&sheet, &name, change, own);
            if found.texts.is_empty() && found.parted.is_empty() {
                continue;
            }
            let sheet = self.book.sheet_mut(id)?;
            let edit = Arc::make_mut(&mut self.sheets[id.0 as usize]);
            edit.formulas_follow |= found.is_written_anew;
            for (formula_id, formula) in found.texts {
                sheet.formulas_mut().replace(formula_id, formula);
            }
            for (at, text) in found.parted {
                edit.formulas_follow = true;
                let cell = sheet.raw_cell(at);
                let formula = sheet.keep_formula(Formula { text: text.into(), kind: FormulaKind::Normal })?;
                sheet.set_cell(at, RawCell { formula: Some(formula), ..cell });
            }
        }
        Ok(())
    }

    /// References in every part but the cells follow.
    pub(crate) fn follow_parts(&mut self, change: Change<'_>) -> Result<(), Problem> {
        let mut read_again = Vec::new();
        let types = self.package.content_types()?;
        for id in self.book.sheet_ids() {
            let name = self.book.tab(id).name.clone();
            let sheet = self.book.sheet(id, &())?;
            let is_home = matches!(change, Change::Resize { sheet, .. } if is_same(sheet, &name));
            let mut has_changed = is_home;
            let has_rules = !sheet.validations.is_empty()
                || !sheet.conditional_formats.is_empty()
                || !sheet.hyperlinks.is_empty()
                || sheet.sparkline_groups > 0;
            if sheet.kind != SheetKind::Chartsheet && !sheet.part.is_empty() && (is_home || has_rules) {
                let mut tree = self.frame(id)?;
                if self.follow_tree(change, &name, &mut tree) {
                    let part = self.sheets[id.0 as usize].part.clone();
                    self.package.put(&part, tree.to_bytes());
                    has_changed = true;
                }
            }
            has_changed |= self.follow_related(change, &name, id)?;
            if has_changed {
                read_again.push(id);
            }
        }
        let main = self.main_part()?;
        let mut tree = self.tree(&main)?;
        if self.follow_tree(change, "", &mut tree) {
            self.package.put(&main, tree.to_bytes());
        }
        let caches: Vec<String> = self
            .package
            .names()
            .filter(|name| types.of(name).is_some_and(|kind| kind.ends_with("pivotCacheDefinition+xml")))
            .map(str::to_owned)
            .collect();
        for part in caches {
            self.follow_part(change, "", &part)?;
        }
        self.read_again(&read_again)
    }

    /// The parts that belong to a sheet.
    fn follow_related(&mut self, change: Change<'_>, home: &str, id: SheetId) -> Result<bool, Problem> {
        let part = self.sheets[id.0 as usize].part.clone();
        let rels = self.package.relationships(&part)?;
        let mut changed = false;
        let targets = |kinds: &[RelType]| -> Vec<String> {
            let found = kinds.iter().flat_map(|kind| rels.of(kind.clone()));
            found.filter(|found| !found.is_external).map(|found| found.target.clone()).collect()
        };
        let own = [
            RelType::Table,
            RelType::Comments,
            RelType::ThreadedComment,
            RelType::PivotTable,
            RelType::Drawing,
            RelType::ControlProperties,
        ];
        for part in targets(&own) {
            changed |= self.follow_part(change, home, &part)?;
        }
        for drawing in targets(&[RelType::Drawing]) {
            let rels = self.package.relationships(&drawing)?;
            let charts: Vec<String> = rels
                .of(RelType::Chart)
                .chain(rels.of(RelType::ChartEx))
                .map(|found| found.target.clone())
                .collect();
            for part in charts {
                // Formulas of charts always name their sheet.
                changed |= self.follow_part(change, "", &part)?;
            }
        }
        if let Change::Resize { sheet, resize } = change
            && is_same(sheet, home)
        {
            for part in targets(&[RelType::VmlDrawing]) {
                let bytes = self.package.part(&part)?;
                let text = String::from_utf8_lossy(&bytes);
                if let Some(new) = follow_vml(&text, resize) {
                    self.package.put(&part, new.into_bytes());
                    changed = true;
                }
            }
        }
        Ok(changed)
    }

    fn follow_part(&mut self, change: Change<'_>, home: &str, part: &str) -> Result<bool, Problem> {
        if !self.package.contains(part) {
            return Ok(false);
        }
        let mut tree = self.tree(part)?;
        let changed = self.follow_tree(change, home, &mut tree);
        if changed {
            self.package.put(part, tree.to_bytes());
        }
        Ok(changed)
    }

    fn follow_tree(&self, change: Change<'_>, home: &str, tree: &mut Tree) -> bool {
        let mut follower = Follower { change, home, changed: false };
        follower.follow_root(&mut tree.root);
        follower.changed
    }

    /// New rows look as the one above, new columns as the one to the left.
    pub(crate) fn inherit_formats(&mut self, id: SheetId, resize: Resize, count: u32) -> Result<(), Problem> {
        /// Cells that get a format by inheritance.
        const MAX_CELLS: u64 = 200_000;
        let Some(before) = resize.at.checked_sub(1) else { return Ok(()) };
        let line = match resize.direction {
            Direction::Row => CellRange::from_bounds(before, 0, before, MAX_COLS - 1),
            Direction::Column => CellRange::from_bounds(0, before, MAX_ROWS - 1, before),
        };
        let band = resize.band.and_then(|(first, last)| match resize.direction {
            Direction::Row => CellRange::from_bounds(0, first, MAX_ROWS - 1, last),
            Direction::Column => CellRange::from_bounds(first, 0, last, MAX_COLS - 1),
        });
        let line = line.and_then(|line| band.map_or(Some(line), |band| line.intersect(band)));
        let Some(line) = line else { return Ok(()) };
        let sheet = self.book.sheet(id, &())?;
        let styled: Vec<(CellRef, StyleId)> = sheet
            .cells_by_row(line)
            .map(|(at, cell)| (at, cell.style))
            .filter(|(_, style)| *style != StyleId::default())
            .collect();
        if styled.len() as u64 * u64::from(count) > MAX_CELLS {
            return Ok(());
        }
        let hand = self.hand(Place { sheet: id, range: line })?;
        for (at, style) in styled {
            for step in 1..=count {
                let to = match resize.direction {
                    Direction::Row => CellRef::clamped(at.row() + step, at.col()),
                    Direction::Column => CellRef::clamped(at.row(), at.col() + step),
                };
                let cell = hand.sheet.raw_cell(to);
                hand.sheet.set_cell(to, RawCell { style, ..cell });
                hand.edit.mark(to, Dirt::Content);
            }
        }
        Ok(())
    }
}

/// The first of whole rows or columns, and how many they are.
fn lines(place: Place, direction: Direction) -> Result<(u32, u32), Problem> {
    let range = place.range;
    let (is_whole, remedy) = match direction {
        Direction::Row => (range.is_whole_rows() || range.width() == 1, "write rows as Data!5:7"),
        Direction::Column => (range.is_whole_columns() || range.height() == 1, "write columns as Data!B:D"),
    };
    if !is_whole {
        let what = if direction == Direction::Row { "rows" } else { "columns" };
        return Err(Problem::new(format!("{range} is no range of whole {what}"), remedy));
    }
    Ok(match direction {
        Direction::Row => (range.start().row(), range.height()),
        Direction::Column => (range.start().col(), range.width()),
    })
}

/// Whether something comes in between the first and the last line of a range.
pub(crate) fn is_inside(resize: Resize, range: CellRange) -> bool {
    let (first, last) = span(resize, range);
    first < resize.at && resize.at <= last
}

/// Whether some line of a range is among those that go.
pub(crate) fn touches(resize: Resize, count: u32, range: CellRange) -> bool {
    let (first, last) = span(resize, range);
    first < resize.at.saturating_add(count) && resize.at <= last
}

fn span(resize: Resize, range: CellRange) -> (u32, u32) {
    match resize.direction {
        Direction::Row => (range.start().row(), range.end().row()),
        Direction::Column => (range.start().col(), range.end().col()),
    }
}

/// How the formulas of one sheet follow a change.
#[derive(Default)]
struct Followed {
    texts: Vec<(FormulaId, Formula)>,
    /// Cells whose shared formula no longer holds for all, with their own.
    parted: Vec<(CellRef, String)>,
    /// Whether a formula's text changed, or the cells that it says it is for.
    is_written_anew: bool,
}

/// Whether cells of a range move apart.
fn parts(resize: Resize, range: CellRange) -> bool {
    let (rows, columns) =
        ((range.start().row(), range.end().row()), (range.start().col(), range.end().col()));
    let (along, across) = match resize.direction {
        Direction::Row => (rows, columns),
        Direction::Column => (columns, rows),
    };
    if along.1 < resize.at {
        return false;
    }
    match resize.band {
        Some((first, last)) if across.1 < first || last < across.0 => false,
        Some((first, last)) if across.0 < first || last < across.1 => true,
        _ => resize.moved(along.0, along.1).is_some_and(|(first, last)| last - first != along.1 - along.0),
    }
}

fn followed(sheet: &Sheet, name: &str, change: Change<'_>, own: Option<Resize>) -> Followed {
    let mut found = Followed::default();
    let groups = match change {
        Change::Resize { .. } => bounds_of_groups(sheet),
        _ => HashMap::new(),
    };
    let mut parted: HashSet<FormulaId> = HashSet::new();
    for (id, formula) in sheet.formulas().iter() {
        let text = change.formula(&formula.text, name);
        let moved = |range: CellRange| own.and_then(|resize| resize.moved_range(range)).unwrap_or(range);
        let kind = match &formula.kind {
            FormulaKind::Normal => FormulaKind::Normal,
            FormulaKind::Array { range, dynamic: true } => {
                // What spills keeps its size, wherever it starts.
                let start = moved(CellRange::cell(range.start())).start();
                let end = start.offset(i64::from(range.height()) - 1, i64::from(range.width()) - 1);
                FormulaKind::Array { range: CellRange::new(start, end.unwrap_or(start)), dynamic: true }
            }
            FormulaKind::Array { range, dynamic } => {
                FormulaKind::Array { range: moved(*range), dynamic: *dynamic }
            }
            FormulaKind::DataTable { range } => FormulaKind::DataTable { range: moved(*range) },
            FormulaKind::Shared { master } => {
                let Change::Resize { sheet: changed, resize } = change else {
                    found.is_written_anew |= text.is_some();
                    found.texts.extend(
                        text.map(|text| (id, Formula { text: text.into(), kind: formula.kind.clone() })),
                    );
                    continue;
                };
                let Some(cells) = groups.get(&id) else { continue };
                if resize.band.is_some() {
                    // Its cells may no longer be alike.
                    let is_meant = own.is_some() || text_names(&formula.text, changed);
                    parted.extend(is_meant.then_some(id));
                    continue;
                }
                let is_alike = cells.contains(*master)
                    && formula::stays_shared(&formula.text, *master, *cells, changed, own.is_some(), resize);
                if !is_alike {
                    parted.insert(id);
                    continue;
                }
                FormulaKind::Shared { master: moved(CellRange::cell(*master)).start() }
            }
        };
        if text.is_some() || kind != formula.kind {
            found.is_written_anew = true;
            let text = text.map_or_else(|| formula.text.clone(), Into::into);
            found.texts.push((id, Formula { text, kind }));
        }
    }
    if !parted.is_empty() {
        for (at, cell) in sheet.cells_by_row(CellRange::ALL) {
            let Some(id) = cell.formula.filter(|id| parted.contains(id)) else { continue };
            let text = sheet.formula_text(at, id);
            let new = change.formula(&text, name).unwrap_or_else(|| text.into_owned());
            found.parted.push((at, new));
        }
    }
    found
}

/// Whether a formula may name a sheet.
fn text_names(formula: &str, sheet: &str) -> bool {
    formula.to_lowercase().contains(&sheet.to_lowercase().replace('\'', "''"))
}

/// The bounds of the cells of each shared formula.
fn bounds_of_groups(sheet: &Sheet) -> HashMap<FormulaId, CellRange> {
    let is_shared = |id: FormulaId| matches!(sheet.formulas().get(id).kind, FormulaKind::Shared { .. });
    let mut bounds: HashMap<FormulaId, CellRange> = HashMap::new();
    if !sheet.formulas().iter().any(|(id, _)| is_shared(id)) {
        return bounds;
    }
    for (col, column) in sheet.columns() {
        for (base, chunk) in column.chunks() {
            for (offset, id) in chunk.formulas() {
                if is_shared(*id) {
                    let cell = CellRange::cell(CellRef::clamped(base + u32::from(*offset), col));
                    bounds.entry(*id).and_modify(|range| *range = range.union(cell)).or_insert(cell);
                }
            }
        }
    }
    bounds
}
