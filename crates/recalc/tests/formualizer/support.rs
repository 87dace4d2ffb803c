//! Small workbooks, written in the tests themselves.

use std::sync::Arc;

use grid::{CellRange, CellRef, DateSystem, ErrorValue};
use recalc::formualizer::Formualizer;
use recalc::{Computed, Engine, Moment, Source};
use workbook::{
    CalcSettings, ExternalLink, FileFormat, Formula, FormulaKind, Limits, LinkedSheet, OpenError, PivotTable,
    Properties, RawCell, RawValue, Sheet, SheetBuilder, SheetId, SheetKind, SheetLoader, Tab, Visibility,
    Watch, Workbook,
};

pub(crate) const MOMENT: Moment = Moment { local_millis: 1_700_000_000_000, seed: 7 };

/// Sheets are there already; what is loaded are copies of cells of other workbooks.
struct Copies(Arc<[LinkedSheet]>);

impl SheetLoader for Copies {
    fn load(&self, _: SheetId, _: &dyn Watch) -> Result<Sheet, OpenError> {
        Err(OpenError::Cancelled)
    }

    fn linked_sheets(&self, _: &[ExternalLink]) -> Result<Arc<[LinkedSheet]>, OpenError> {
        Ok(Arc::clone(&self.0))
    }
}

/// A workbook and its sheets.
#[derive(Clone)]
pub(crate) struct Book {
    pub book: Workbook,
    pub sheets: Vec<Arc<Sheet>>,
}

impl Book {
    /// Sheets with their cells. `A1` is a cell, `A1:A3` an array formula over these, `A1#` one that spills. `=` starts a
    /// formula, with the result that was stored after ` ⇒ ` if there is one, `'` a text, `TRUE`, `#N/A` and numbers are what they look like, everything else is text.
    pub(crate) fn new(sheets: &[(&str, &[(&str, &str)])]) -> Book {
        let loader: Arc<dyn SheetLoader> = Arc::new(Copies(Arc::default()));
        let tab = |index: usize, name: &str| {
            Tab::new(name.to_owned(), SheetKind::Worksheet, Visibility::Visible, SheetId(index as u32))
        };
        Book {
            book: Workbook {
                format: FileFormat::Xlsx,
                date_system: DateSystem::Date1900,
                styles: Arc::default(),
                shared_strings: Arc::default(),
                names: Vec::new(),
                properties: Properties::default(),
                calc: CalcSettings::default(),
                external_links: Vec::new(),
                connections: Vec::new(),
                vba: None,
                protection: None,
                signed: false,
                oddities: Vec::new(),
                tabs: sheets.iter().enumerate().map(|(index, (name, _))| tab(index, name)).collect(),
                loader,
            },
            sheets: sheets.iter().map(|(name, cells)| Arc::new(sheet(name, cells))).collect(),
        }
    }

    /// The same, with copies of cells of another workbook's sheets, and with its names.
    pub(crate) fn linked_to(mut self, sheets: &[(&str, &[(&str, &str)])], names: &[(&str, &str)]) -> Book {
        let copy = |(name, cells): &(&str, &[(&str, &str)])| LinkedSheet {
            link: 1,
            name: (*name).to_owned(),
            is_lost: name.starts_with("Lost"),
            cells: sheet(name, cells),
        };
        self.book.loader = Arc::new(Copies(sheets.iter().map(copy).collect()));
        self.book.external_links = vec![ExternalLink {
            index: 1,
            target: "other.xlsx".to_owned(),
            sheets: sheets.iter().map(|(name, _)| (*name).to_owned()).collect(),
            names: names.iter().map(|(name, meant)| ((*name).to_owned(), (*meant).to_owned())).collect(),
            part: "xl/externalLinks/externalLink1.xml".to_owned(),
            is_covered: true,
        }];
        self
    }

    /// The same, with a pivot table on the first sheet.
    pub(crate) fn with_pivot(mut self, pivot: PivotTable) -> Book {
        Arc::make_mut(&mut self.sheets[0]).pivots.push(pivot);
        self
    }

    /// One sheet, named `Sheet1`.
    pub(crate) fn of(cells: &[(&str, &str)]) -> Book {
        Book::new(&[("Sheet1", cells)])
    }

    pub(crate) fn source(&self) -> Source<'_> {
        Source { book: &self.book, sheets: &self.sheets }
    }

    pub(crate) fn load(&self) -> Formualizer {
        Formualizer::load(self.source()).unwrap()
    }

    pub(crate) fn calculated(&self) -> Formualizer {
        let mut engine = self.load();
        engine.calculate(MOMENT, &|| false).unwrap();
        engine
    }
}

fn sheet(name: &str, cells: &[(&str, &str)]) -> Sheet {
    let mut builder = SheetBuilder::new(name, Arc::default(), &Limits::default());
    for (place, content) in cells {
        let formula = content.strip_prefix('=');
        let (at, kind) = match place.strip_suffix('#') {
            Some(anchor) => {
                let range: CellRange = anchor.parse().unwrap();
                (range.start(), FormulaKind::Array { range, dynamic: true })
            }
            None if place.contains(':') => {
                let range: CellRange = place.parse().unwrap();
                (range.start(), FormulaKind::Array { range, dynamic: false })
            }
            None => (place.parse().unwrap(), FormulaKind::Normal),
        };
        let cell = match formula {
            Some(text) => {
                let (text, stored) = text.split_once(" ⇒ ").unwrap_or((text, ""));
                let id = builder.formula(Formula { text: text.into(), kind }).unwrap();
                let value = if stored.is_empty() { RawValue::Empty } else { value(stored, &mut builder) };
                RawCell { formula: Some(id), value, ..RawCell::default() }
            }
            None => RawCell { value: value(content, &mut builder), ..RawCell::default() },
        };
        builder.set(at, cell).unwrap();
    }
    builder.finish()
}

fn value(content: &str, builder: &mut SheetBuilder) -> RawValue {
    if let Ok(number) = content.parse() {
        return RawValue::Number(number);
    }
    if let Ok(error) = content.parse::<ErrorValue>() {
        return RawValue::Error(error);
    }
    match content {
        "TRUE" => RawValue::Bool(true),
        "FALSE" => RawValue::Bool(false),
        text => builder.text(text.strip_prefix('\'').unwrap_or(text)).unwrap(),
    }
}

pub(crate) fn at(cell: &str) -> CellRef {
    cell.parse().unwrap()
}

/// A value as a cell shows it.
pub(crate) fn shown(value: &Computed) -> String {
    match value {
        Computed::Empty => String::new(),
        Computed::Number(number) => number.to_string(),
        Computed::Text(text) => text.to_string(),
        Computed::Bool(value) => value.to_string().to_uppercase(),
        Computed::Error(error) => error.to_string(),
    }
}

/// What cells of the first sheet show, with commas between them and semicolons after rows.
pub(crate) fn shows(engine: &Formualizer, range: &str) -> String {
    let range: CellRange = range.parse().unwrap();
    let row = |row: u32| {
        let cell = |col: u32| shown(&engine.value(SheetId(0), CellRef::new(row, col).unwrap()));
        (range.start().col()..=range.end().col()).map(cell).collect::<Vec<_>>().join(",")
    };
    (range.start().row()..=range.end().row()).map(row).collect::<Vec<_>>().join(";")
}

/// What a formula in Z1 yields beside other cells.
#[track_caller]
pub(crate) fn check(formula: &str, cells: &[(&str, &str)], expected: &str) {
    let cells: Vec<(&str, &str)> = cells.iter().copied().chain([("Z1", formula)]).collect();
    let engine = Book::of(&cells).calculated();
    assert_eq!(engine.refused(), [], "{formula}");
    assert_eq!(shows(&engine, "Z1"), expected, "{formula}");
}

/// What a formula spills from Z1.
#[track_caller]
pub(crate) fn check_spill(formula: &str, cells: &[(&str, &str)], expected: &str) {
    let cells: Vec<(&str, &str)> = cells.iter().copied().chain([("Z1#", formula)]).collect();
    let engine = Book::of(&cells).calculated();
    assert_eq!(engine.refused(), [], "{formula}");
    let spills = engine.spills();
    let range =
        spills.iter().find(|(_, range)| range.start() == at("Z1")).map(|(_, range)| range.to_string());
    assert_eq!(shows(&engine, range.as_deref().unwrap_or("Z1")), expected, "{formula}");
}
