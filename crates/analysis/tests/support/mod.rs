//! Workbooks written down in a test, cell by cell.

use std::sync::Arc;

use grid::{CellRange, CellRef, DateSystem, ErrorValue};
use workbook::{
    CellFormat, DefinedName, ExternalLink, FileFormat, Font, Formula, FormulaKind, Limits, NumberFormatCode,
    OpenError, RawCell, RawValue, Sheet, SheetBuilder, SheetId, SheetKind, SheetLoader, StyleId, Styles, Tab,
    Table, TableColumn, Visibility, Watch, Workbook,
};

/// Sheets that are there already.
struct Ready(Vec<Sheet>);

impl SheetLoader for Ready {
    fn load(&self, id: SheetId, _: &dyn Watch) -> Result<Sheet, OpenError> {
        Ok(self.0[id.0 as usize].clone())
    }
}

/// A workbook of sheets; see [`sheet`].
pub(crate) fn book(sheets: &[(&str, &str)]) -> Workbook {
    let sheets: Vec<Sheet> = sheets.iter().map(|(name, cells)| sheet(name, cells)).collect();
    let tab = |(sheet, index): (&Sheet, u32)| {
        Tab::new(sheet.name.clone(), SheetKind::Worksheet, Visibility::Visible, SheetId(index))
    };
    Workbook {
        format: FileFormat::Xlsx,
        date_system: DateSystem::Date1900,
        styles: Arc::new(styles()),
        shared_strings: Arc::default(),
        names: Vec::new(),
        properties: Default::default(),
        calc: Default::default(),
        external_links: vec![ExternalLink {
            index: 1,
            target: "file:///C:/plans/Budget.xlsx".to_owned(),
            sheets: vec!["Sheet1".to_owned()],
            names: Vec::new(),
            part: String::new(),
            is_covered: true,
        }],
        connections: Vec::new(),
        vba: None,
        protection: None,
        signed: false,
        oddities: Vec::new(),
        tabs: sheets.iter().zip(0..).map(tab).collect(),
        loader: Arc::new(Ready(sheets)),
    }
}

/// The formats that `date` (1), `percent` (2) and `bold` (3) refer to; 0 is `General`.
fn styles() -> Styles {
    let format = |number_format| CellFormat { number_format, ..CellFormat::default() };
    let bold = CellFormat { font: 1, ..CellFormat::default() };
    Styles {
        formats: (0..3).map(format).chain([bold]).collect(),
        fonts: vec![Font::default(), Font { bold: true, ..Font::default() }],
        number_formats: ["General", "yyyy-mm-dd", "0%"].map(NumberFormatCode::from).into(),
        ..Styles::default()
    }
}

/// The lines of [`sheet`] for a text grid from `A1` on: cells between `|`, blank ones left out, ISO dates as dates,
/// `*bold*` ones bold.
#[allow(dead_code, reason = "not every test needs grids")]
pub(crate) fn grid(rows: &str) -> String {
    let mut lines = String::new();
    for (row, line) in rows.lines().filter(|line| !line.trim().is_empty()).enumerate() {
        for (col, cell) in
            line.trim().split('|').map(str::trim).enumerate().filter(|(_, cell)| !cell.is_empty())
        {
            let at = CellRef::clamped(row as u32, col as u32);
            let bold = cell.strip_prefix('*').and_then(|cell| cell.strip_suffix('*'));
            let content = match (workbook::iso8601::date_serial(cell, DateSystem::Date1900), bold) {
                (Some(serial), _) => format!("date {serial}"),
                (None, Some(text)) => format!("bold {text}"),
                (None, None) => cell.to_owned(),
            };
            lines.push_str(&format!("{at} {content}\n"));
        }
    }
    lines
}

/// A defined name; `scope` counts the sheets from 0.
#[allow(dead_code, reason = "not every test needs names")]
pub(crate) fn name(name: &str, scope: Option<u32>, refers_to: &str) -> DefinedName {
    DefinedName {
        name: name.to_owned(),
        scope: scope.map(SheetId),
        refers_to: refers_to.to_owned(),
        hidden: false,
        comment: None,
    }
}

/// A sheet of lines `RANGE CONTENT`:
///
/// - `B2 7`, `B2 TRUE`, `B2 #N/A`, `B2 some text`: a value in every cell of the range;
/// - `B2 date 46053`, `B2 percent 0.5`, `B2 text 12`: a number in such a format, a text that is no other value;
/// - `B2 bold Amount`: a value in bold; `B2:D2 merge`: the cells are merged;
/// - `B2:B9 =A2*2`: a formula in the first cell, moved to the others; `=A2*2 -> 7` with its result;
/// - `B2:B9 shared =A2*2`: the same, as a shared group;
/// - `B2:B9 {=A2:A9*2}`, `B2:B9 spill =A2:A9*2`: an array formula, a dynamic one;
/// - `A1:C9 table Sales`, `A1:C9 table Sales totals`: a table, perhaps with a totals row, columns named by the cells
///   of its first row as written before it.
pub(crate) fn sheet(name: &str, lines: &str) -> Sheet {
    let mut builder = SheetBuilder::new(name, Arc::default(), &Limits::default());
    let mut headers: Vec<(CellRef, String)> = Vec::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (range, content) = line.split_once(' ').expect("a range and a content");
        let range: CellRange = range.parse().expect("a range");
        if let Some(table) = content.strip_prefix("table ") {
            let (table, totals_rows) = match table.strip_suffix(" totals") {
                Some(table) => (table, 1),
                None => (table, 0),
            };
            let column = |col| TableColumn {
                name: headers
                    .iter()
                    .find(|(at, _)| (at.row(), at.col()) == (range.start().row(), col))
                    .map_or_else(String::new, |(_, text)| text.clone()),
                formula: None,
                total: None,
            };
            let columns = (range.start().col()..=range.end().col()).map(column).collect();
            builder.sheet_mut().tables.push(Table {
                name: table.to_owned(),
                range,
                header_rows: 1,
                totals_rows,
                columns,
                style: None,
                auto_filter: None,
            });
            continue;
        }
        if content == "merge" {
            builder.sheet_mut().merges.push(range);
            continue;
        }
        let (content, result) = content.split_once(" -> ").unwrap_or((content, ""));
        let result = if result.is_empty() { RawValue::Empty } else { value(&mut builder, result) };
        let master = range.start();
        let single = |content: &str, kind| Formula { text: content.into(), kind };
        if let Some(text) = content.strip_prefix("shared =") {
            let id = builder.formula(single(text, FormulaKind::Shared { master })).unwrap();
            for at in range.cells() {
                builder.set(at, RawCell { value: result, formula: Some(id), ..RawCell::default() }).unwrap();
            }
        } else if let Some(text) = content.strip_prefix('=') {
            for at in range.cells() {
                let moved = formula::shift(
                    text,
                    i64::from(at.row()) - i64::from(master.row()),
                    i64::from(at.col()) - i64::from(master.col()),
                );
                let id = builder.formula(single(&moved, FormulaKind::Normal)).unwrap();
                builder.set(at, RawCell { value: result, formula: Some(id), ..RawCell::default() }).unwrap();
            }
        } else if let Some((text, dynamic)) = content
            .strip_prefix("{=")
            .map(|text| (text.trim_end_matches('}'), false))
            .or_else(|| content.strip_prefix("spill =").map(|text| (text, true)))
        {
            let id = builder.formula(single(text, FormulaKind::Array { range, dynamic })).unwrap();
            for at in range.cells() {
                let formula = (at == master).then_some(id);
                builder
                    .set(at, RawCell { value: RawValue::Number(0.0), formula, ..RawCell::default() })
                    .unwrap();
            }
        } else if let Some((number, style)) = content
            .strip_prefix("date ")
            .map(|number| (number, 1))
            .or_else(|| content.strip_prefix("percent ").map(|number| (number, 2)))
            && let Ok(number) = number.parse()
        {
            let cell = RawCell { value: RawValue::Number(number), style: StyleId(style), formula: None };
            range.cells().for_each(|at| builder.set(at, cell).unwrap());
        } else if let Some(text) = content.strip_prefix("bold ") {
            let cell = RawCell { value: value(&mut builder, text), style: StyleId(3), formula: None };
            range.cells().for_each(|at| builder.set(at, cell).unwrap());
            headers.push((master, text.to_owned()));
        } else if let Some(text) = content.strip_prefix("text ") {
            let cell = RawCell { value: builder.text(text).unwrap(), ..RawCell::default() };
            range.cells().for_each(|at| builder.set(at, cell).unwrap());
        } else {
            let value = value(&mut builder, content);
            for at in range.cells() {
                builder.set(at, RawCell { value, ..RawCell::default() }).unwrap();
            }
            headers.push((master, content.to_owned()));
        }
    }
    builder.finish()
}

fn value(builder: &mut SheetBuilder, text: &str) -> RawValue {
    if let Ok(number) = text.parse() {
        return RawValue::Number(number);
    }
    if let Ok(error) = text.parse::<ErrorValue>() {
        return RawValue::Error(error);
    }
    match text {
        "TRUE" => RawValue::Bool(true),
        "FALSE" => RawValue::Bool(false),
        _ => builder.text(text).unwrap(),
    }
}
