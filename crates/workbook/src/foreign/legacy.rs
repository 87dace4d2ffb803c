//! `.xls`, `.xlsb` and `.ods` through `calamine`.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use calamine::{
    CellErrorType, Data, Dimensions, ExcelDateTime, Ods, OdsError, Range, Reader, SheetType, SheetVisible,
    Xls, XlsError, Xlsb, XlsbError,
};
use grid::{CellRange, CellRef, DateSystem, ErrorValue};

use crate::error::OpenError;
use crate::foreign::{budget, temporal, tidy_ods, workbook_of};
use crate::iso8601;
use crate::limits::Limits;
use crate::model::{
    DefinedName, FileFormat, Formula, FormulaKind, Oddity, RawCell, RawValue, Sheet, SheetBuilder, SheetKind,
    StyleId, VbaProject, Visibility, Watch, Workbook,
};

/// Reads a workbook of one of the three formats.
pub(crate) fn open(
    bytes: &[u8],
    format: FileFormat,
    limits: &Limits,
    watch: &dyn Watch,
) -> Result<Workbook, OpenError> {
    // These readers panic on some damaged files; a panic must not leave this function.
    let read = || match format {
        FileFormat::Xls => open_xls(bytes, limits, watch),
        FileFormat::Xlsb => open_xlsb(bytes, limits, watch),
        _ => open_ods(bytes, limits, watch),
    };
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(OpenError::Damaged {
            part: format!("the .{} file", format.extension()),
            problem: "its records contradict each other".to_owned(),
        })
    })
}

fn open_xls(bytes: &[u8], limits: &Limits, watch: &dyn Watch) -> Result<Workbook, OpenError> {
    budget::check_xls(bytes, limits)?;
    let mut book = Xls::new(Cursor::new(bytes)).map_err(|error| match error {
        XlsError::Password => OpenError::Encrypted,
        other => damaged("workbook stream", &other),
    })?;
    let dates = if book.has_1904_epoch() { DateSystem::Date1904 } else { DateSystem::Date1900 };
    let mut reading = Reading::new(&book, limits, watch);
    for index in 0..reading.sheets.len() {
        let name = reading.sheets[index].name.clone();
        let merges = book.merge_cells_by_sheet_name(&name).unwrap_or_default();
        let values = book.worksheet_range(&name).unwrap_or_default();
        let formulas = book.worksheet_formula(&name).unwrap_or_default();
        reading.add_dense(index, dates, &values, &formulas, &merges)?;
    }
    let has_vba = matches!(book.vba_project(), Ok(Some(_)));
    Ok(reading.finish(FileFormat::Xls, dates, has_vba))
}

fn open_ods(bytes: &[u8], limits: &Limits, watch: &dyn Watch) -> Result<Workbook, OpenError> {
    let tidied;
    let opened = match Ods::new(Cursor::new(bytes)) {
        Err(OdsError::Password) => return Err(OpenError::Encrypted),
        Err(_) => {
            tidied = tidy_ods::tidied(bytes, limits)?;
            Ods::new(Cursor::new(tidied.as_slice()))
        }
        opened => opened,
    };
    let mut book = opened.map_err(|error| damaged("content.xml", &error))?;
    let mut reading = Reading::new(&book, limits, watch);
    for index in 0..reading.sheets.len() {
        let name = reading.sheets[index].name.clone();
        let values = book.worksheet_range(&name).unwrap_or_default();
        let formulas = book.worksheet_formula(&name).unwrap_or_default();
        reading.add_dense(index, DateSystem::Date1900, &values, &formulas, &[])?;
    }
    Ok(reading.finish(FileFormat::Ods, DateSystem::Date1900, false))
}

fn open_xlsb(bytes: &[u8], limits: &Limits, watch: &dyn Watch) -> Result<Workbook, OpenError> {
    let mut book = Xlsb::new(Cursor::new(bytes)).map_err(|error| match error {
        XlsbError::Password => OpenError::Encrypted,
        other => damaged("xl/workbook.bin", &other),
    })?;
    let dates = if book.has_1904_epoch() { DateSystem::Date1904 } else { DateSystem::Date1900 };
    let mut reading = Reading::new(&book, limits, watch);
    for index in 0..reading.sheets.len() {
        let name = reading.sheets[index].name.clone();
        reading.add_xlsb_sheet(index, dates, &mut book, &name)?;
    }
    let has_vba = matches!(book.vba_project(), Ok(Some(_)));
    Ok(reading.finish(FileFormat::Xlsb, dates, has_vba))
}

fn damaged(part: &str, error: &dyn std::error::Error) -> OpenError {
    OpenError::Damaged { part: part.to_owned(), problem: error.to_string() }
}

/// A workbook while its sheets are read one after the other.
struct Reading<'a> {
    limits: &'a Limits,
    watch: &'a dyn Watch,
    sheets: Vec<calamine::Sheet>,
    names: Vec<DefinedName>,
    done: Vec<Sheet>,
    oddities: Vec<Oddity>,
}

impl<'a> Reading<'a> {
    fn new<'b, R: Reader<Cursor<&'b [u8]>>>(
        book: &R,
        limits: &'a Limits,
        watch: &'a dyn Watch,
    ) -> Reading<'a> {
        let names = book
            .defined_names()
            .iter()
            .map(|(name, refers_to)| DefinedName {
                name: name.clone(),
                scope: None,
                refers_to: refers_to.strip_prefix('=').unwrap_or(refers_to).to_owned(),
                hidden: false,
                comment: None,
            })
            .collect();
        let sheets = book.sheets_metadata().to_vec();
        Reading { limits, watch, sheets, names, done: Vec::new(), oddities: Vec::new() }
    }

    /// A builder for the sheet at `index`, unless the caller wants to stop.
    fn start(&self, index: usize) -> Result<SheetBuilder, OpenError> {
        if self.watch.progress(index as u64, self.sheets.len() as u64).is_break() {
            return Err(OpenError::Cancelled);
        }
        let meta = &self.sheets[index];
        let mut builder = SheetBuilder::new(&meta.name, Arc::default(), self.limits);
        let sheet = builder.sheet_mut();
        sheet.kind = match meta.typ {
            SheetType::ChartSheet => SheetKind::Chartsheet,
            SheetType::DialogSheet => SheetKind::Dialogsheet,
            SheetType::MacroSheet | SheetType::Vba => SheetKind::Macrosheet,
            _ => SheetKind::Worksheet,
        };
        sheet.visibility = match meta.visible {
            SheetVisible::Visible => Visibility::Visible,
            SheetVisible::Hidden => Visibility::Hidden,
            SheetVisible::VeryHidden => Visibility::VeryHidden,
        };
        Ok(builder)
    }

    fn add_dense(
        &mut self,
        index: usize,
        dates: DateSystem,
        values: &Range<Data>,
        formulas: &Range<String>,
        merges: &[Dimensions],
    ) -> Result<(), OpenError> {
        let mut builder = self.start(index)?;
        builder.sheet_mut().merges = merges.iter().filter_map(range_of).collect();
        let (row_0, col_0) = values.start().unwrap_or_default();
        for (row, col, data) in values.used_cells() {
            let Some(at) = cell_at(row_0, row, col_0, col) else { continue };
            let (value, style) = convert(data, dates, &mut builder)?;
            builder.set(at, RawCell { value, style, formula: None })?;
        }
        let (row_0, col_0) = formulas.start().unwrap_or_default();
        for (row, col, text) in formulas.used_cells() {
            let Some(at) = cell_at(row_0, row, col_0, col) else { continue };
            let position = (at.row(), at.col());
            let data = values.get_value(position).cloned().unwrap_or_default();
            let (value, style) = convert(&data, dates, &mut builder)?;
            set_formula(&mut builder, at, text, value, style)?;
        }
        self.done.push(builder.finish());
        Ok(())
    }

    fn add_xlsb_sheet(
        &mut self,
        index: usize,
        dates: DateSystem,
        book: &mut Xlsb<Cursor<&[u8]>>,
        name: &str,
    ) -> Result<(), OpenError> {
        let mut builder = self.start(index)?;
        if builder.sheet_mut().kind == SheetKind::Worksheet {
            let fail = |error: XlsbError| damaged(name, &error);
            let formulas = xlsb_formulas(book, name).map_err(fail)?;
            let mut reader = book.worksheet_cells_reader(name).map_err(fail)?;
            while let Some(cell) = reader.next_cell().map_err(fail)? {
                let (row, col) = cell.get_position();
                let Some(at) = CellRef::new(row, col) else { continue };
                let (value, style) = convert(&Data::from(cell.get_value().clone()), dates, &mut builder)?;
                builder.set(at, RawCell { value, style, formula: None })?;
            }
            for (at, text) in formulas {
                let written = builder.get(at).unwrap_or_default();
                set_formula(&mut builder, at, &text, written.value, written.style)?;
            }
        }
        self.done.push(builder.finish());
        Ok(())
    }

    fn finish(mut self, format: FileFormat, dates: DateSystem, has_vba: bool) -> Workbook {
        self.oddities.push(Oddity {
            place: format!("the .{} file", format.extension()),
            what: "formats, rules, comments and drawings of this format are not read".to_owned(),
        });
        let mut book = workbook_of(format, dates, self.done, self.oddities);
        book.names = self.names;
        book.vba = has_vba.then(|| VbaProject { part: "_VBA_PROJECT_CUR".to_owned(), signed: false });
        book
    }
}

fn xlsb_formulas(book: &mut Xlsb<Cursor<&[u8]>>, sheet: &str) -> Result<Vec<(CellRef, String)>, XlsbError> {
    let mut formulas = Vec::new();
    let mut reader = book.worksheet_cells_reader(sheet)?;
    while let Some(cell) = reader.next_formula()? {
        let (row, col) = cell.get_position();
        formulas.extend(CellRef::new(row, col).map(|at| (at, cell.get_value().clone())));
    }
    Ok(formulas)
}

fn set_formula(
    builder: &mut SheetBuilder,
    at: CellRef,
    text: &str,
    value: RawValue,
    style: StyleId,
) -> Result<(), OpenError> {
    let text = text.strip_prefix("of:=").or_else(|| text.strip_prefix('=')).unwrap_or(text);
    let formula = builder.formula(Formula { text: text.into(), kind: FormulaKind::Normal })?;
    builder.set(at, RawCell { value, style, formula: Some(formula) })
}

fn cell_at(row_0: u32, row: usize, col_0: u32, col: usize) -> Option<CellRef> {
    CellRef::new(row_0.checked_add(u32::try_from(row).ok()?)?, col_0.checked_add(u32::try_from(col).ok()?)?)
}

fn range_of(dimensions: &Dimensions) -> Option<CellRange> {
    CellRange::from_bounds(dimensions.start.0, dimensions.start.1, dimensions.end.0, dimensions.end.1)
}

fn convert(
    data: &Data,
    dates: DateSystem,
    builder: &mut SheetBuilder,
) -> Result<(RawValue, StyleId), OpenError> {
    let plain = |value| Ok((value, temporal::PLAIN));
    match data {
        Data::Empty => plain(RawValue::Empty),
        Data::Int(number) => plain(RawValue::Number(*number as f64)),
        Data::Float(number) if number.is_finite() => plain(RawValue::Number(*number)),
        Data::Float(_) => plain(RawValue::Error(ErrorValue::Num)),
        Data::Bool(value) => plain(RawValue::Bool(*value)),
        Data::String(text) => plain(builder.text(text)?),
        Data::Error(error) => plain(RawValue::Error(error_value(error))),
        Data::DateTime(moment) => Ok(from_moment(moment)),
        Data::DateTimeIso(text) => match iso8601::date_serial(text, dates) {
            Some(serial) => Ok((RawValue::Number(serial), temporal::of_serial(serial))),
            None => plain(builder.text(text)?),
        },
        Data::DurationIso(text) => match iso8601::duration_days(text) {
            Some(days) => Ok((RawValue::Number(days), temporal::DURATION)),
            None => plain(builder.text(text)?),
        },
    }
}

fn from_moment(moment: &ExcelDateTime) -> (RawValue, StyleId) {
    let serial = moment.as_f64();
    if !serial.is_finite() {
        return (RawValue::Error(ErrorValue::Num), temporal::PLAIN);
    }
    let style = if moment.is_duration() { temporal::DURATION } else { temporal::of_serial(serial) };
    (RawValue::Number(serial), style)
}

fn error_value(error: &CellErrorType) -> ErrorValue {
    match error {
        CellErrorType::Div0 => ErrorValue::Div0,
        CellErrorType::NA => ErrorValue::NA,
        CellErrorType::Name => ErrorValue::Name,
        CellErrorType::Null => ErrorValue::Null,
        CellErrorType::Num => ErrorValue::Num,
        CellErrorType::Ref => ErrorValue::Ref,
        CellErrorType::Value => ErrorValue::Value,
        CellErrorType::GettingData => ErrorValue::GettingData,
    }
}
