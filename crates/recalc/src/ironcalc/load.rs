//! Our model as IronCalc's.

use std::collections::HashMap;

use grid::{CellRange, CellRef, ErrorValue, Value};
use ironcalc_base::expressions::token::Error;
use ironcalc_base::sheet_data::SheetData;
use ironcalc_base::types::{
    ArrayKind, Cell, Color, DefinedName, FormulaValue, Metadata, Row, SheetState, Table, TableColumn,
    TableStyleInfo, Workbook as Model, WorkbookSettings, Worksheet,
};
use workbook::{FormulaId, FormulaKind, Sheet, SheetId};

use crate::engine::{Refused, Source};
use crate::ironcalc::formulas::Formulas;
use crate::linked::Linked;

/// A model of nothing.
pub(super) fn nothing() -> Model {
    Model {
        shared_strings: Vec::new(),
        defined_names: Vec::new(),
        worksheets: Vec::new(),
        styles: Default::default(),
        name: "workbook".to_owned(),
        settings: WorkbookSettings { tz: "UTC".to_owned(), locale: "en".to_owned() },
        metadata: Metadata {
            application: String::new(),
            app_version: String::new(),
            creator: String::new(),
            last_modified_by: String::new(),
            created: String::new(),
            last_modified: String::new(),
        },
        tables: HashMap::new(),
        theme: Default::default(),
    }
}

/// The workbook as IronCalc takes it, and the formulas that it does not understand: their cells are constants in it.
pub(super) fn load(source: Source<'_>) -> (Model, Vec<Refused>) {
    let mut model = nothing();
    model.tables = tables(source);
    let linked = Linked::new(source.book);
    let names = names(source, &linked);
    let mut formulas = Formulas::new(source, &linked, &names, &model.tables);
    let mut strings = Strings::default();
    for (index, sheet) in source.sheets.iter().enumerate() {
        let id = SheetId(index as u32);
        model.worksheets.push(worksheet(id, &sheet.name, sheet, &mut formulas, &mut strings));
    }
    for (name, copies) in linked.sheets() {
        let id = SheetId(model.worksheets.len() as u32);
        model.worksheets.push(worksheet(id, name, &copies.cells, &mut formulas, &mut strings));
    }
    model.shared_strings = strings.list;
    model.defined_names = names;
    (model, formulas.into_refused())
}

/// Texts, each once.
#[derive(Default)]
struct Strings {
    list: Vec<String>,
    known: HashMap<Box<str>, i32>,
}

impl Strings {
    fn id(&mut self, text: &str) -> i32 {
        if let Some(id) = self.known.get(text) {
            return *id;
        }
        let id = self.list.len() as i32;
        self.list.push(text.to_owned());
        self.known.insert(text.into(), id);
        id
    }
}

fn worksheet(
    id: SheetId,
    name: &str,
    sheet: &Sheet,
    formulas: &mut Formulas<'_>,
    strings: &mut Strings,
) -> Worksheet {
    formulas.start_sheet();
    let mut data = SheetData::new();
    let arrays = arrays(sheet);
    let mut row: Vec<(i32, Cell)> = Vec::new();
    let mut current = 0;
    for (at, cell) in sheet.cells_by_row(CellRange::ALL) {
        if at.row() != current {
            data.set_row(current as i32 + 1, row.drain(..));
            current = at.row();
        }
        let taken = match cell.formula {
            Some(formula) => formula_cell(id, sheet, at, formula, formulas),
            // The results of array formulas are not theirs.
            None if arrays.iter().any(|array| array.contains(at)) => continue,
            None => None,
        };
        let taken = taken.or_else(|| constant(cell.value, strings));
        row.extend(taken.map(|cell| (at.col() as i32 + 1, cell)));
    }
    data.set_row(current as i32 + 1, row);
    Worksheet {
        dimension: sheet.used_range().unwrap_or(CellRange::cell(CellRef::A1)).to_string(),
        cols: Vec::new(),
        rows: hidden_rows(sheet),
        name: name.to_owned(),
        sheet_data: data,
        shared_formulas: formulas.end_sheet(),
        sheet_id: id.0 + 1,
        state: SheetState::Visible,
        color: Color::None,
        merged_cells: Vec::new(),
        comments: Vec::new(),
        frozen_rows: 0,
        frozen_columns: 0,
        show_grid_lines: true,
        conditional_formatting: Vec::new(),
        links: HashMap::new(),
    }
}

/// Ranges of array formulas that take more than a cell; their first cells have the formulas.
fn arrays(sheet: &Sheet) -> Vec<CellRange> {
    let range = |(_, formula): (FormulaId, &workbook::Formula)| match formula.kind {
        FormulaKind::Array { range, .. } if !range.is_single() => Some(range),
        _ => None,
    };
    let stands = |range: &CellRange| sheet.cell(range.start()).formula.is_some();
    sheet.formulas().iter().filter_map(range).filter(stands).collect()
}

fn formula_cell(
    id: SheetId,
    sheet: &Sheet,
    at: CellRef,
    formula: FormulaId,
    formulas: &mut Formulas<'_>,
) -> Option<Cell> {
    let f = formulas.index(id, sheet, at, formula)?;
    let v = FormulaValue::Number(0.0);
    Some(match sheet.formulas().get(formula).kind {
        FormulaKind::Array { range, dynamic } => {
            let kind = if dynamic { ArrayKind::Dynamic } else { ArrayKind::Cse };
            let r = if dynamic { (1, 1) } else { (range.width() as i32, range.height() as i32) };
            Cell::ArrayFormula { f, s: 0, r, kind, v }
        }
        _ => Cell::CellFormula { f, s: 0, v },
    })
}

fn constant(value: Value<'_>, strings: &mut Strings) -> Option<Cell> {
    Some(match value {
        Value::Empty => return None,
        Value::Number(v) => Cell::NumberCell { v, s: 0 },
        Value::Text(text) => Cell::SharedString { si: strings.id(text), s: 0 },
        Value::Bool(v) => Cell::BooleanCell { v, s: 0 },
        Value::Error(error) => Cell::ErrorCell { ei: error_of(error), s: 0 },
    })
}

fn error_of(error: ErrorValue) -> Error {
    match error {
        ErrorValue::Null => Error::NULL,
        ErrorValue::Div0 => Error::DIV,
        ErrorValue::Ref => Error::REF,
        ErrorValue::Name => Error::NAME,
        ErrorValue::Num => Error::NUM,
        ErrorValue::NA | ErrorValue::GettingData => Error::NA,
        ErrorValue::Spill => Error::SPILL,
        ErrorValue::Calc => Error::CALC,
        _ => Error::VALUE,
    }
}

/// Rows that `SUBTOTAL` and `AGGREGATE` may leave out.
fn hidden_rows(sheet: &Sheet) -> Vec<Row> {
    let hidden = sheet.rows.iter().filter(|row| row.hidden);
    let row = |row: &workbook::RowProps| Row {
        r: row.row as i32 + 1,
        height: 15.0,
        custom_format: false,
        custom_height: false,
        s: 0,
        hidden: true,
    };
    hidden.map(row).collect()
}

fn names(source: Source<'_>, linked: &Linked<'_>) -> Vec<DefinedName> {
    let name = |name: &workbook::DefinedName| DefinedName {
        name: name.name.clone(),
        formula: linked.written(name.refers_to.trim_start_matches('=')).into_owned(),
        sheet_id: name.scope.map(|scope| scope.0 + 1),
    };
    source.book.names.iter().filter(|name| !name.is_builtin()).map(name).collect()
}

fn tables(source: Source<'_>) -> HashMap<String, Table> {
    let mut tables = HashMap::new();
    for sheet in source.sheets {
        for table in &sheet.tables {
            let column = |(index, column): (usize, &workbook::TableColumn)| TableColumn {
                id: index as u32 + 1,
                name: column.name.clone(),
                ..TableColumn::default()
            };
            let known = Table {
                name: table.name.clone(),
                display_name: table.name.clone(),
                sheet_name: sheet.name.clone(),
                reference: table.range.to_string(),
                totals_row_count: table.totals_rows,
                header_row_count: table.header_rows,
                header_row_dxf_id: None,
                data_dxf_id: None,
                totals_row_dxf_id: None,
                columns: table.columns.iter().enumerate().map(column).collect(),
                style_info: TableStyleInfo::default(),
                has_filters: table.auto_filter.is_some(),
            };
            tables.insert(table.name.clone(), known);
        }
    }
    tables
}
