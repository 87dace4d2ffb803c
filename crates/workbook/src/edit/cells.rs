//! Edits of cells.

use std::sync::Arc;

use grid::{CellRange, CellRef, DateSystem};
use regex::{NoExpand, Regex, RegexBuilder};

use crate::edit::error::Problem;
use crate::edit::input::{Input, MAX_FORMULA, MAX_TEXT, stored_formula};
use crate::edit::op::{Clearable, Copied, FillKind};
use crate::edit::rich_text::rich_text;
use crate::edit::sheet_edit::{Dirt, SheetEdit};
use crate::edit::{Draft, Place};
use crate::iso8601;
use crate::model::{Formula, FormulaKind, RawCell, RawValue, Sheet, StyleId};

/// Cells that one edit may write.
const MAX_CELLS: u64 = 2_000_000;

/// A cell on its way from one place to another: texts and formulas by themselves, not by ids of a sheet.
#[derive(Clone)]
pub(crate) struct Carried {
    value: CarriedValue,
    style: StyleId,
    /// The text as it stands at its old place.
    pub(crate) formula: Option<String>,
}

#[derive(Clone)]
enum CarriedValue {
    Raw(RawValue),
    Text(String),
    /// With the elements of its runs.
    Rich(String, String),
}

/// What [`Draft::replace`] looks for.
pub(crate) struct Search {
    pattern: Regex,
    is_literal: bool,
}

impl Search {
    pub(crate) fn new(find: &str, is_regex: bool, match_case: bool, whole: bool) -> Result<Search, Problem> {
        if find.is_empty() {
            return Err(Problem::new("find is empty", "say what is to be replaced"));
        }
        let pattern = if is_regex { find.to_owned() } else { regex::escape(find) };
        let pattern = if whole { format!("^(?:{pattern})$") } else { pattern };
        let built = RegexBuilder::new(&pattern).case_insensitive(!match_case).size_limit(1 << 20).build();
        let pattern =
            built.map_err(|error| Problem::new(format!("find is no regular expression: {error}"), ""))?;
        Ok(Search { pattern, is_literal: !is_regex })
    }

    fn replaced(&self, text: &str, with: &str) -> Option<String> {
        let replaced = match self.is_literal {
            true => self.pattern.replace_all(text, NoExpand(with)),
            false => self.pattern.replace_all(text, with),
        };
        (replaced != text).then(|| replaced.into_owned())
    }
}

/// A sheet and what is remembered of its changes, to be edited together.
pub(crate) struct Hand<'a> {
    pub(crate) sheet: &'a mut Sheet,
    pub(crate) edit: &'a mut SheetEdit,
    pub(crate) formulas_changed: &'a mut bool,
    reads_others: &'a mut bool,
}

impl Hand<'_> {
    /// Writes a cell as a whole.
    pub(crate) fn put(&mut self, at: CellRef, cell: RawCell) {
        let old = self.sheet.raw_cell(at);
        if old == cell {
            return;
        }
        *self.formulas_changed |= old.formula.is_some() || cell.formula.is_some();
        if (old.value, old.formula) != (cell.value, cell.formula) {
            self.edit.pending.add(CellRange::cell(at));
        }
        self.sheet.set_cell(at, cell);
        self.edit.mark(at, Dirt::Content);
    }

    /// Gives a cell another format.
    pub(crate) fn put_style(&mut self, at: CellRef, style: StyleId) {
        let old = self.sheet.raw_cell(at);
        if old.style != style {
            self.sheet.set_cell(at, RawCell { style, ..old });
            self.edit.mark(at, Dirt::Format);
        }
    }

    pub(crate) fn formula(&mut self, text: &str) -> Result<RawCell, Problem> {
        let formula = Formula { text: text.into(), kind: FormulaKind::Normal };
        *self.reads_others |= formula::reads_other_book(text);
        Ok(RawCell { formula: Some(self.sheet.keep_formula(formula)?), ..RawCell::default() })
    }

    /// A formula whose results take as many cells as they need. How many is known when it is calculated.
    fn spilling_formula(&mut self, text: &str, at: CellRef) -> Result<RawCell, Problem> {
        let kind = FormulaKind::Array { range: CellRange::cell(at), dynamic: true };
        let formula = Formula { text: text.into(), kind };
        *self.reads_others |= formula::reads_other_book(text);
        Ok(RawCell { formula: Some(self.sheet.keep_formula(formula)?), ..RawCell::default() })
    }
}

impl Draft {
    /// A sheet to be edited.
    pub(crate) fn hand(&mut self, place: Place) -> Result<Hand<'_>, Problem> {
        let sheet = self.book.sheet_mut(place.sheet)?;
        let edit = Arc::make_mut(&mut self.sheets[place.sheet.0 as usize]);
        let (formulas_changed, reads_others) = (&mut self.formulas_changed, &mut self.reads_others);
        Ok(Hand { sheet, edit, formulas_changed, reads_others })
    }

    pub(crate) fn set(&mut self, place: Place, values: &[Vec<Input>], parse: bool) -> Result<(), Problem> {
        let (rows, columns) = shape(values)?;
        let is_one = rows == 1 && columns == 1;
        let range = match is_one && !place.range.is_single() {
            true => place.range,
            false => self.block(place, rows, columns)?,
        };
        let place = Place { range, ..place };
        check_size(range)?;
        self.prepare(place)?;
        let typed: Vec<Vec<Input>>;
        let values = match parse {
            true => {
                typed = values.iter().map(|row| row.iter().map(as_typed).collect()).collect();
                &typed
            }
            false => values,
        };
        for at in range.cells() {
            let (row, col) = (at.row() - range.start().row(), at.col() - range.start().col());
            let input = if is_one { &values[0][0] } else { &values[row as usize][col as usize] };
            match input {
                // Ctrl+Enter: relative references follow from the first cell.
                Input::Formula(text) if is_one => {
                    let text = formula::shift(text, i64::from(row), i64::from(col));
                    self.write(place, at, &Input::Formula(text))?;
                }
                input => self.write(place, at, input)?,
            }
        }
        Ok(())
    }

    /// The range that as many rows and columns take from the place's first cell on.
    fn block(&self, place: Place, rows: usize, columns: usize) -> Result<CellRange, Problem> {
        let start = place.range.start();
        let last = (start.row() as usize + rows - 1, start.col() as usize + columns - 1);
        let end = u32::try_from(last.0).ok().zip(u32::try_from(last.1).ok());
        let range = end.and_then(|(row, col)| CellRange::from_bounds(start.row(), start.col(), row, col));
        let range = range.ok_or_else(|| {
            Problem::new(format!("{rows} rows of {columns} cells from {start} reach beyond the sheet"), "")
        })?;
        if !place.range.is_single() && range != place.range {
            let problem = format!("the values are {rows} rows of {columns} cells, which fill {range}");
            let remedy = format!("give one cell, or as many values as {} has cells", place.range);
            return Err(Problem::new(problem, remedy).at(self.written(place)));
        }
        Ok(range)
    }

    /// Writes one value, keeping the cell's format. A date gets a date's format where the cell shows a number.
    pub(crate) fn write(&mut self, place: Place, at: CellRef, input: &Input) -> Result<(), Problem> {
        let dates = self.book.date_system;
        let formula = match input {
            Input::Formula(text) => {
                let cell = Place { range: CellRange::cell(at), ..place };
                let checked = stored_formula(text).and_then(|text| self.check_reach(&text).map(|()| text));
                let stored = checked.map_err(|problem| problem.at(self.written(cell)))?;
                self.qualified(place.sheet, at, &stored)?.unwrap_or(stored)
            }
            _ => String::new(),
        };
        // In a table a formula has one result.
        let spills = formula::spills(&formula)
            && !self.book.sheet(place.sheet, &())?.tables.iter().any(|table| table.range.contains(at));
        if spills {
            self.keep_dynamic_array_mark()?;
        }
        let mut hand = self.hand(place)?;
        let style = hand.sheet.raw_cell(at).style;
        let value = |value| RawCell { value, style, formula: None };
        let cell = match input {
            Input::Empty => value(RawValue::Empty),
            Input::Number(number) => value(RawValue::Number(*number)),
            Input::Bool(flag) => value(RawValue::Bool(*flag)),
            Input::Error(error) => value(RawValue::Error(*error)),
            Input::Text(text) => value(hand.sheet.keep_text(text)?),
            Input::Rich(runs) => {
                let (text, runs) = rich_text(runs)?;
                value(hand.sheet.keep_rich_text(&text, &runs)?)
            }
            Input::Formula(_) if spills => RawCell { style, ..hand.spilling_formula(&formula, at)? },
            Input::Formula(_) => RawCell { style, ..hand.formula(&formula)? },
            Input::Date(text) => {
                let serial = serial(text, dates).ok_or_else(|| {
                    Problem::new(
                        format!("{text} is before the first day that this workbook can show"),
                        "write it as text",
                    )
                    .at(at)
                })?;
                let shows_dates = self.book.styles.kind(style).is_date_time();
                let code = if text.len() > 10 { "yyyy-mm-dd hh:mm:ss" } else { "yyyy-mm-dd" };
                let style = if shows_dates { style } else { self.with_number_format(style, code)? };
                let cell = RawCell { value: RawValue::Number(serial), style, formula: None };
                self.hand(place)?.put(at, cell);
                return Ok(());
            }
        };
        hand.put(at, cell);
        Ok(())
    }

    pub(crate) fn clear(&mut self, place: Place, what: &[Clearable]) -> Result<(), Problem> {
        let has = |one: Clearable| what.contains(&one) || what.contains(&Clearable::All);
        let values = has(Clearable::Values) || what.is_empty();
        let formulas = has(Clearable::Formulas) || what.is_empty();
        if values || formulas {
            self.prepare(place)?;
        }
        if has(Clearable::Comments) {
            self.delete_comments(place)?;
        }
        let formats = has(Clearable::Formats);
        let mut hand = self.hand(place)?;
        let stored: Vec<CellRef> = hand.sheet.cells_by_row(place.range).map(|(at, _)| at).collect();
        for at in stored {
            let cell = hand.sheet.raw_cell(at);
            let goes = if cell.formula.is_some() { formulas } else { values };
            let style = if formats { StyleId::default() } else { cell.style };
            match goes {
                true => hand.put(at, RawCell { style, ..RawCell::default() }),
                false => hand.put_style(at, style),
            }
        }
        Ok(())
    }

    pub(crate) fn replace(
        &mut self,
        place: Place,
        search: &Search,
        with: &str,
        formulas: bool,
    ) -> Result<(), Problem> {
        let sheet = self.book.sheet(place.sheet, &())?;
        let mut found = Vec::new();
        for (at, cell) in sheet.cells_by_row(place.range) {
            match (cell.formula, formulas) {
                (Some(id), true) => {
                    if let Some(text) = search.replaced(&sheet.formula_text(at, id), with) {
                        found.push((at, Input::Formula(text)));
                    }
                }
                (None, false) => {
                    let old = match cell.value {
                        grid::Value::Text(text) => text.to_owned(),
                        grid::Value::Number(number) => crate::edit::cell_xml::number_text(number),
                        _ => continue,
                    };
                    if let Some(text) = search.replaced(&old, with) {
                        // A number that still reads as one stays one.
                        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
                        let is_number = matches!(cell.value, grid::Value::Number(_));
                        found.push((
                            at,
                            number.filter(|_| is_number).map_or(Input::Text(text), Input::Number),
                        ));
                    }
                }
                _ => {}
            }
        }
        for (at, input) in found {
            let too_long = match &input {
                Input::Text(text) => text.encode_utf16().count() > MAX_TEXT,
                Input::Formula(text) => text.chars().count() > MAX_FORMULA || text.trim().is_empty(),
                _ => false,
            };
            if too_long {
                return Err(Problem::new("the text with its replacement does not fit into a cell", "").at(at));
            }
            self.prepare(Place { range: CellRange::cell(at), ..place })?;
            self.write(place, at, &input)?;
        }
        Ok(())
    }

    pub(crate) fn copy(&mut self, from: Place, to: Place, what: Copied) -> Result<(), Problem> {
        let source = self.book.sheet(from.sheet, &())?;
        let from_range = clip(from.range, &source);
        let (rows, columns) = (from.range.height(), from.range.width());
        check_size(from_range)?;
        let start = to.range.start();
        let times = |size: u32, of: u32| if size.is_multiple_of(of) { size / of } else { 1 };
        let (down, across) = (times(to.range.height(), rows), times(to.range.width(), columns));
        let is_whole = from.range.height() == grid::MAX_ROWS || from.range.width() == grid::MAX_COLS;
        let (down, across) = if is_whole { (1, 1) } else { (down, across) };
        if u64::from(down) * u64::from(across) * from_range.area() > MAX_CELLS {
            return Err(too_many());
        }
        let carried: Vec<(CellRef, Carried)> =
            from_range.cells().map(|at| (at, carry(&source, at))).collect();
        let end =
            start.offset(i64::from(rows) * i64::from(down) - 1, i64::from(columns) * i64::from(across) - 1);
        let end =
            end.ok_or_else(|| Problem::new("the copy reaches beyond the sheet", "").at(self.written(to)))?;
        let target = Place { sheet: to.sheet, range: CellRange::new(start, end) };
        if what != Copied::Formats {
            self.prepare(target)?;
        }
        for (down, across) in (0..down).flat_map(|down| (0..across).map(move |across| (down, across))) {
            for (at, cell) in &carried {
                let rows = i64::from(at.row() - from.range.start().row()) + i64::from(down) * i64::from(rows);
                let cols =
                    i64::from(at.col() - from.range.start().col()) + i64::from(across) * i64::from(columns);
                let Some(to_cell) = start.offset(rows, cols) else { continue };
                self.put_carried(target, *at, to_cell, cell, what)?;
            }
        }
        Ok(())
    }

    pub(crate) fn put_carried(
        &mut self,
        to: Place,
        from: CellRef,
        at: CellRef,
        cell: &Carried,
        what: Copied,
    ) -> Result<(), Problem> {
        let mut hand = self.hand(to)?;
        if what == Copied::Formats {
            hand.put_style(at, cell.style);
            return Ok(());
        }
        let style = if what == Copied::All { cell.style } else { hand.sheet.raw_cell(at).style };
        let value = match &cell.value {
            CarriedValue::Raw(value) => *value,
            CarriedValue::Text(text) => hand.sheet.keep_text(text)?,
            CarriedValue::Rich(text, runs) => hand.sheet.keep_rich_text(text, runs)?,
        };
        let formula = match &cell.formula {
            Some(text) if what != Copied::Values => {
                let rows = i64::from(at.row()) - i64::from(from.row());
                let cols = i64::from(at.col()) - i64::from(from.col());
                hand.formula(&formula::shift(text, rows, cols))?.formula
            }
            _ => None,
        };
        hand.put(at, RawCell { value, style, formula });
        Ok(())
    }

    pub(crate) fn fill(&mut self, place: Place, from: Option<Place>, kind: FillKind) -> Result<(), Problem> {
        let range = place.range;
        let first_row = CellRange::from_bounds(
            range.start().row(),
            range.start().col(),
            range.start().row(),
            range.end().col(),
        );
        let seed = from.map(|from| from.range).or(first_row).unwrap_or(range);
        let is_down = seed.start() == range.start() && seed.width() == range.width();
        let is_right = seed.start() == range.start() && seed.height() == range.height() && !is_down;
        if from.is_some_and(|from| from.sheet != place.sheet) || !is_down && !is_right {
            let problem = format!("{seed} is not the first rows or the first columns of {range}");
            return Err(Problem::new(problem, "let from be the part of the range that is continued")
                .at(self.written(place)));
        }
        check_size(range)?;
        let rest = match is_down {
            true => CellRange::from_bounds(
                seed.end().row() + 1,
                range.start().col(),
                range.end().row(),
                range.end().col(),
            ),
            false => CellRange::from_bounds(
                range.start().row(),
                seed.end().col() + 1,
                range.end().row(),
                range.end().col(),
            ),
        };
        let Some(rest) = rest.filter(|_| seed != range) else { return Ok(()) };
        let target = Place { range: rest, ..place };
        self.prepare(target)?;
        let sheet = self.book.sheet(place.sheet, &())?;
        for at in rest.cells() {
            let (size, index) = match is_down {
                true => (seed.height(), at.row() - seed.start().row()),
                false => (seed.width(), at.col() - seed.start().col()),
            };
            let line = |step: u32| match is_down {
                true => CellRef::clamped(seed.start().row() + step, at.col()),
                false => CellRef::clamped(at.row(), seed.start().col() + step),
            };
            let source = line(index % size);
            let mut cell = carry(&sheet, source);
            if kind == FillKind::Series && cell.formula.is_none() {
                let known: Option<Vec<f64>> = (0..size).map(|step| number_at(&sheet, line(step))).collect();
                if let Some(known) = known
                    && let Some(next) = continued(&known, index)
                {
                    cell.value = CarriedValue::Raw(RawValue::Number(next));
                }
            }
            self.put_carried(target, source, at, &cell, Copied::All)?;
        }
        Ok(())
    }

    pub(crate) fn paste(
        &mut self,
        place: Place,
        csv: &str,
        delimiter: Option<char>,
        as_text: bool,
    ) -> Result<(), Problem> {
        let has_tab = csv.lines().next().is_some_and(|line| line.contains('\t'));
        let delimiter = delimiter.unwrap_or(if has_tab { '\t' } else { ',' });
        let delimiter = u8::try_from(delimiter)
            .map_err(|_| Problem::new("the delimiter is not an ASCII character", ""))?;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(csv.as_bytes());
        let mut rows: Vec<Vec<Input>> = Vec::new();
        for record in reader.records() {
            let record = record
                .map_err(|error| Problem::new(format!("the text is not delimited soundly: {error}"), ""))?;
            let input =
                |field: &str| if as_text { Input::Text(field.to_owned()) } else { Input::typed(field) };
            rows.push(record.iter().map(input).collect());
        }
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        if width == 0 {
            return Err(Problem::new("there is nothing to paste", ""));
        }
        for row in &mut rows {
            row.resize(width, Input::Empty);
        }
        let start = Place { range: CellRange::cell(place.range.start()), ..place };
        self.set(start, &rows, false)
    }

    /// Makes sure that cells may be written, and that what hangs on those that go does not stay behind.
    pub(crate) fn prepare(&mut self, place: Place) -> Result<(), Problem> {
        let sheet = self.book.sheet(place.sheet, &())?;
        let range = place.range;
        let told = |range: CellRange| self.written(Place { range, ..place });
        let covered = sheet
            .merges
            .iter()
            .find(|merge| merge.intersect(range).is_some() && !range.contains(merge.start()));
        if let Some(merge) = covered {
            let problem = format!("the cells are hidden within the merged range {merge}");
            let remedy = format!("write to {}, or unmerge it first", merge.start());
            return Err(Problem::new(problem, remedy).at(told(range)));
        }
        if let Some(pivot) =
            sheet.pivots.iter().find(|pivot| pivot.range.is_some_and(|it| it.intersect(range).is_some()))
        {
            let problem = format!(
                "the cells are part of a pivot table ({})",
                pivot.range.map_or_else(String::new, told)
            );
            return Err(Problem::new(
                problem,
                "change its source; it is computed when the workbook is next opened",
            )
            .at(told(range)));
        }
        let mut ghosts = Vec::new();
        for (_, formula) in sheet.formulas().iter() {
            let (array, is_dynamic) = match formula.kind {
                FormulaKind::Array { range, dynamic } => (range, dynamic),
                FormulaKind::DataTable { range } => (range, false),
                FormulaKind::Normal | FormulaKind::Shared { .. } => continue,
            };
            let stands =
                sheet.raw_cell(array.start()).formula.is_some_and(|id| sheet.formulas().get(id) == formula);
            if !stands || array.intersect(range).is_none() {
                continue;
            }
            let has_anchor = range.contains(array.start());
            if has_anchor && (is_dynamic || range.contains_range(array)) {
                // What it spilled would stay as constants.
                ghosts.extend(array.cells().filter(|at| !range.contains(*at)));
            } else {
                let problem = format!("the cells are part of the array formula in {array}");
                let remedy = format!("clear or write {} as a whole", told(array));
                return Err(Problem::new(problem, remedy).at(told(range)));
            }
        }
        if !ghosts.is_empty() {
            let mut hand = self.hand(place)?;
            for at in ghosts {
                let style = hand.sheet.raw_cell(at).style;
                hand.put(at, RawCell { style, ..RawCell::default() });
            }
        }
        Ok(())
    }
}

fn as_typed(input: &Input) -> Input {
    match input {
        Input::Text(text) => Input::typed(text),
        other => other.clone(),
    }
}

fn shape(values: &[Vec<Input>]) -> Result<(usize, usize), Problem> {
    let columns = values.first().map_or(0, Vec::len);
    if columns == 0 {
        return Err(Problem::new("values are empty", "write rows of cells: [[1, \"a\"], [2, \"b\"]]"));
    }
    match values.iter().position(|row| row.len() != columns) {
        Some(row) => {
            let problem =
                format!("row {} of values has {} cells, the first has {columns}", row + 1, values[row].len());
            Err(Problem::new(problem, "let every row have as many; null leaves a cell empty"))
        }
        None => Ok((values.len(), columns)),
    }
}

pub(crate) fn too_many() -> Problem {
    Problem::new(
        format!("one edit writes at most {MAX_CELLS} cells"),
        "give a smaller range, or several edits",
    )
}

pub(crate) fn check_size(range: CellRange) -> Result<(), Problem> {
    if range.area() > MAX_CELLS { Err(too_many().at(range)) } else { Ok(()) }
}

/// Whole rows and columns end where the sheet's cells do.
pub(crate) fn clip(range: CellRange, sheet: &Sheet) -> CellRange {
    let is_whole = range.height() == grid::MAX_ROWS || range.width() == grid::MAX_COLS;
    let used = sheet.used_range().and_then(|used| used.intersect(range));
    match used {
        Some(used) if is_whole => CellRange::new(range.start(), used.end()),
        None if is_whole => CellRange::cell(range.start()),
        _ => range,
    }
}

pub(crate) fn carry(sheet: &Sheet, at: CellRef) -> Carried {
    let cell = sheet.raw_cell(at);
    let value = match cell.value {
        RawValue::SheetText(id) => {
            let text = sheet.stored_text(cell.value).unwrap_or_default().to_owned();
            match sheet.own_strings().runs(id) {
                Some(runs) => CarriedValue::Rich(text, runs.to_owned()),
                None => CarriedValue::Text(text),
            }
        }
        value => CarriedValue::Raw(value),
    };
    let formula = cell.formula.map(|id| sheet.formula_text(at, id).into_owned());
    Carried { value, style: cell.style, formula }
}

fn number_at(sheet: &Sheet, at: CellRef) -> Option<f64> {
    let cell = sheet.raw_cell(at);
    match cell.value {
        RawValue::Number(number) if cell.formula.is_none() => Some(number),
        _ => None,
    }
}

/// The value at a position of the series that the known ones start: a line of constant step, or the one of the last two.
fn continued(known: &[f64], index: u32) -> Option<f64> {
    match known {
        [] | [_] => None,
        [first, .., last] => {
            let step = (last - first) / (known.len() - 1) as f64;
            Some(first + step * f64::from(index))
        }
    }
}

/// The serial number of a day, if the epoch has it.
fn serial(text: &str, dates: DateSystem) -> Option<f64> {
    iso8601::date_serial(text, dates).filter(|serial| *serial >= 0.0)
}
