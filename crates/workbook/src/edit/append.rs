//! Rows added below a table or a block of cells, as the last one looks and calculates.

use std::collections::BTreeMap;

use grid::{CellRange, CellRef, MAX_ROWS};
use ooxml::Node;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::edit::cells::{clip, too_many};
use crate::edit::error::Problem;
use crate::edit::follow::is_same;
use crate::edit::input::Input;
use crate::edit::{Draft, Place, Places};
use crate::model::{FormulaKind, RawCell, RawValue, Sheet, SheetId, StyleId, Table};

/// Cells that one edit may append.
const MAX_CELLS: usize = 2_000_000;

/// A row to be added: cells in the order of the columns, or by their headers.
///
/// A column that is left out, or `null`, gets the formula of the row above it, if there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Json", into = "Json")]
pub enum NewRow {
    /// From the first column on.
    Cells(Vec<Input>),
    /// By header.
    Named(BTreeMap<String, Input>),
}

impl TryFrom<Json> for NewRow {
    type Error = String;

    fn try_from(json: Json) -> Result<NewRow, String> {
        let input = |value: Json| Input::try_from(value).map_err(|error| error.to_string());
        match json {
            Json::Array(cells) => cells.into_iter().map(input).collect::<Result<_, _>>().map(NewRow::Cells),
            Json::Object(cells) => {
                let cells = cells.into_iter().map(|(name, value)| Ok((name, input(value)?)));
                cells.collect::<Result<_, String>>().map(NewRow::Named)
            }
            _ => Err("a row is a list of cells, or an object of cells by their headers".to_owned()),
        }
    }
}

impl From<NewRow> for Json {
    fn from(row: NewRow) -> Json {
        match row {
            NewRow::Cells(cells) => cells.into_iter().map(Json::from).collect(),
            NewRow::Named(cells) => cells.into_iter().map(|(name, cell)| (name, Json::from(cell))).collect(),
        }
    }
}

/// Where rows are added.
struct Block {
    /// Its first and last column; rows from the first one of the data to the last.
    data: CellRange,
    /// Whether `data` has rows: a header may stand alone.
    has_data: bool,
    /// Whether the one row of data is empty, so that the first new one takes its place.
    is_blank: bool,
    footer_rows: u32,
    headers: Vec<String>,
    /// Formulas that fill columns, where the table says so.
    fills: Vec<Option<String>>,
    table: Option<String>,
}

impl Draft {
    /// The cells that an address of an appending edit means: a table's as a whole.
    pub(crate) fn appended_place(&self, text: &mut String, places: &dyn Places) -> Result<Place, Problem> {
        for id in self.book.sheet_ids().filter(|_| !text.contains(['!', '[', ':'])) {
            let sheet = self.book.sheet(id, &())?;
            if let Some(table) = sheet.tables.iter().find(|table| is_same(&table.name, text)) {
                let place = Place { sheet: id, range: table.range };
                *text = self.written(place);
                return Ok(place);
            }
        }
        self.explicit(text, places)
    }

    pub(crate) fn append(&mut self, place: Place, rows: &[NewRow], footer_rows: u32) -> Result<(), Problem> {
        let sheet = self.book.sheet(place.sheet, &())?;
        let told = self.written(place);
        let block = self.block_of(&sheet, place, footer_rows).map_err(|problem| problem.at(&told))?;
        let width = block.data.width() as usize;
        if rows.is_empty() {
            return Err(Problem::new(
                "there are no rows to append",
                "write them as [[1, \"a\"], [2, \"b\"]]",
            )
            .at(told));
        }
        if rows.len().saturating_mul(width) > MAX_CELLS {
            return Err(too_many());
        }
        let cells: Vec<Vec<Option<&Input>>> = (rows.iter().enumerate())
            .map(|(index, row)| block.arranged(index, row))
            .collect::<Result<_, _>>()
            .map_err(|problem| problem.at(&told))?;
        let last = block.data.end().row();
        let extra = rows.len() as u32 - u32::from(block.is_blank);
        let first = if block.is_blank { last } else { last + 1 };
        if extra > MAX_ROWS - 1 - last - block.footer_rows {
            return Err(Problem::new("the rows reach beyond the sheet", "append fewer").at(told));
        }
        let columns = (block.data.start().col(), block.data.end().col());
        let footer = band(columns, last + 1, block.footer_rows);
        if let Some(taken) = band(columns, last + block.footer_rows + 1, extra) {
            self.check_free(Place { range: taken, ..place })?;
        }
        if let (Some(footer), 1..) = (footer, extra) {
            self.move_footer(Place { range: footer, ..place }, last, extra)?;
        }
        self.write_rows(place.sheet, &block, first, &cells)?;
        self.grow_rules(place.sheet, block.data, extra)?;
        if let Some(name) = &block.table {
            self.grow_table(name, extra)?;
        }
        Ok(())
    }

    fn block_of(&self, sheet: &Sheet, place: Place, footer_rows: u32) -> Result<Block, Problem> {
        let meets = |table: &&Table| table.range.intersect(place.range).is_some();
        if let Some(table) = sheet.tables.iter().find(meets) {
            if !table.range.contains_range(place.range) {
                let problem = format!("the cells are only in part those of the table {:?}", table.name);
                return Err(Problem::new(problem, "give the table's name"));
            }
            if footer_rows > 0 {
                return Err(Problem::new(
                    "footer_rows is given for a table",
                    "leave it out: a table knows its totals row",
                ));
            }
            let data = table
                .data_range()
                .ok_or_else(|| Problem::new("the table has no row of data", "resize it first"))?;
            let is_empty = |at: CellRef| is_empty(sheet.raw_cell(at));
            return Ok(Block {
                data,
                has_data: true,
                is_blank: data.height() == 1 && data.cells().all(is_empty),
                footer_rows: table.totals_rows,
                headers: table.columns.iter().map(|column| column.name.clone()).collect(),
                fills: table.columns.iter().map(|column| column.formula.clone()).collect(),
                table: Some(table.name.clone()),
            });
        }
        let range = clip(place.range, sheet);
        if footer_rows >= range.height() {
            return Err(Problem::new(
                format!("{range} has no row above {footer_rows} footer rows"),
                "give the header and the data, too",
            ));
        }
        let end = range.end().row() - footer_rows;
        let header = CellRange::from_bounds(
            range.start().row(),
            range.start().col(),
            range.start().row(),
            range.end().col(),
        );
        let headers = header.into_iter().flat_map(CellRange::cells).map(|at| {
            self.book.styles.text(sheet.cell(at).value, sheet.cell(at).style, self.book.date_system)
        });
        let headers: Vec<String> = headers.collect();
        let has_data = end > range.start().row();
        let start = range.start().row() + u32::from(has_data);
        let data =
            CellRange::from_bounds(start, range.start().col(), end, range.end().col()).unwrap_or(range);
        let fills = vec![None; data.width() as usize];
        Ok(Block { data, has_data, is_blank: false, footer_rows, headers, fills, table: None })
    }

    /// Nothing may stand where rows come.
    fn check_free(&self, place: Place) -> Result<(), Problem> {
        let sheet = self.book.sheet(place.sheet, &())?;
        let range = place.range;
        let cell = sheet.cells_by_row(range).map(|(at, _)| at).find(|at| !is_empty(sheet.raw_cell(*at)));
        let merge = sheet.merges.iter().find(|it| it.intersect(range).is_some()).map(|it| it.start());
        let pivot =
            sheet.pivots.iter().filter_map(|it| it.range?.intersect(range)).next().map(CellRange::start);
        let table = sheet.tables.iter().find_map(|it| it.range.intersect(range)).map(CellRange::start);
        let Some(at) = cell.or(merge).or(pivot).or(table) else { return Ok(()) };
        let problem = format!("there is no room for the rows: {at} is taken");
        let rows =
            format!("{}!{}:{}", grid::quote(&sheet.name), range.start().row() + 1, range.end().row() + 1);
        Err(Problem::new(problem, format!("make room first: insert_rows {rows}, or move what stands there"))
            .at(self.written(place)))
    }

    /// Totals stay below the data, and ranges in them that end with it take the new rows in.
    fn move_footer(&mut self, footer: Place, last: u32, extra: u32) -> Result<(), Problem> {
        let moved = |at: CellRef| at.offset(i64::from(extra), 0).unwrap_or(at);
        let target = CellRange::new(moved(footer.range.start()), moved(footer.range.end()));
        let target = Place { range: target, ..footer };
        self.move_cells(footer, target)?;
        let sheet = self.book.sheet(footer.sheet, &())?;
        for at in target.range.cells() {
            let cell = sheet.raw_cell(at);
            let Some(id) = cell.formula else { continue };
            let text = sheet.formula_text(at, id);
            if let Some(text) = formula::grow_ranges(&text, &sheet.name, true, last, extra) {
                let mut hand = self.hand(target)?;
                let formula = hand.formula(&text)?.formula;
                hand.put(at, RawCell { formula, ..cell });
            }
        }
        Ok(())
    }

    fn write_rows(
        &mut self,
        id: SheetId,
        block: &Block,
        first: u32,
        rows: &[Vec<Option<&Input>>],
    ) -> Result<(), Problem> {
        let sheet = self.book.sheet(id, &())?;
        let (start, model) = (block.data.start().col(), block.data.end().row());
        for (row, cells) in (first..).zip(rows) {
            for (index, input) in cells.iter().enumerate() {
                let at = CellRef::clamped(row, start + index as u32);
                let above = CellRef::clamped(model, at.col());
                let (style, formula) = match block.has_data {
                    true => (sheet.raw_cell(above).style, carried_formula(&sheet, above, at)),
                    false => (StyleId::default(), None),
                };
                let place = Place { sheet: id, range: CellRange::cell(at) };
                self.hand(place)?.put_style(at, style);
                let formula = formula.or_else(|| block.fills[index].clone());
                let input = match (input, formula) {
                    (Some(input), _) if **input != Input::Empty => (*input).clone(),
                    (_, Some(formula)) => Input::Formula(formula),
                    (_, None) => Input::Empty,
                };
                self.write(place, at, &input)?;
            }
        }
        Ok(())
    }

    /// Rules that cover the data down to its last row cover the new ones, too.
    fn grow_rules(&mut self, id: SheetId, data: CellRange, extra: u32) -> Result<(), Problem> {
        let sheet = self.book.sheet(id, &())?;
        let grows = |range: CellRange| {
            let covers = range.height() > 1 || data.height() == 1;
            let (start, end) = (range.start(), range.end());
            let is_within = data.start().col() <= start.col() && end.col() <= data.end().col();
            (covers && is_within && end.row() == data.end().row()).then_some(())?;
            CellRange::from_bounds(start.row(), start.col(), end.row() + extra, end.col())
        };
        let formats = sheet.conditional_formats.iter().flat_map(|it| &it.ranges);
        let mut ranges = formats.chain(sheet.validations.iter().flat_map(|it| &it.ranges));
        if extra == 0 || !ranges.any(|range| grows(*range).is_some()) {
            return Ok(());
        }
        let grown = |text: &str| -> String {
            let one = |range: &str| {
                let new = range.parse().ok().and_then(grows);
                new.map_or_else(|| range.to_owned(), |new| new.to_string())
            };
            text.split_ascii_whitespace().map(one).collect::<Vec<_>>().join(" ")
        };
        let mut frame = self.frame(id)?;
        frame.root.for_each_mut(&mut |node: &mut Node| {
            if !matches!(node.local_name(), "conditionalFormatting" | "dataValidation") {
                return;
            }
            if let Some(text) = node.attr("sqref") {
                node.set("sqref", &grown(&text));
            } else if let Some(child) = node.child_mut("sqref") {
                let text = grown(&child.text());
                child.set_text(&text);
            }
        });
        self.put_frame(id, &frame)
    }

    fn grow_table(&mut self, name: &str, extra: u32) -> Result<(), Problem> {
        let found = self.table_named(name)?;
        let mut tree = self.tree(&found.part)?;
        let grow = |node: &mut Node| {
            let range: Option<CellRange> = node.attr("ref").and_then(|text| text.parse().ok());
            let end = range.and_then(|range| range.end().offset(i64::from(extra), 0));
            if let (Some(range), Some(end)) = (range, end) {
                node.set("ref", &CellRange::new(range.start(), end).to_string());
            }
        };
        grow(&mut tree.root);
        tree.root.child_mut("autoFilter").into_iter().for_each(grow);
        self.package.put(&found.part, tree.to_bytes());
        self.read_again(&[found.sheet])
    }
}

impl Block {
    /// The cells of a new row by column.
    fn arranged<'a>(&self, index: usize, row: &'a NewRow) -> Result<Vec<Option<&'a Input>>, Problem> {
        let mut cells = vec![None; self.fills.len()];
        match row {
            NewRow::Cells(given) if given.len() > cells.len() => {
                let problem =
                    format!("row {} has {} cells for {} columns", index + 1, given.len(), cells.len());
                return Err(Problem::new(problem, "give as many as there are columns, or fewer"));
            }
            NewRow::Cells(given) => cells.iter_mut().zip(given).for_each(|(cell, input)| *cell = Some(input)),
            NewRow::Named(given) => {
                for (name, input) in given {
                    let exact = self.headers.iter().position(|header| header == name);
                    let column =
                        exact.or_else(|| self.headers.iter().position(|header| is_same(header, name)));
                    let Some(column) = column else {
                        let problem =
                            format!("row {} has {name:?}, which is the header of no column", index + 1);
                        return Err(Problem::new(problem, format!("there are {}", self.headers.join(", "))));
                    };
                    cells[column] = Some(input);
                }
            }
        }
        Ok(cells)
    }
}

/// Rows of the columns, if there are any.
fn band(columns: (u32, u32), first: u32, count: u32) -> Option<CellRange> {
    CellRange::from_bounds(first, columns.0, first + count.checked_sub(1)?, columns.1)
}

fn is_empty(cell: RawCell) -> bool {
    cell.value == RawValue::Empty && cell.formula.is_none()
}

/// The formula of one cell as it is in another; what belongs to a group of cells is not carried on.
fn carried_formula(sheet: &Sheet, from: CellRef, to: CellRef) -> Option<String> {
    let id = sheet.raw_cell(from).formula?;
    let is_own = matches!(sheet.formulas().get(id).kind, FormulaKind::Normal | FormulaKind::Shared { .. });
    let text = sheet.formula_text(from, id);
    is_own.then(|| formula::shift(&text, i64::from(to.row()) - i64::from(from.row()), 0))
}
