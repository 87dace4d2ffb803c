//! Every real file of the corpus, cell by cell against `calamine`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use calamine::{Data, Reader, Xlsx, open_workbook_from_rs};
use grid::{CellRange, CellRef, Value};
use workbook::{Limits, OpenError, Sheet, SheetKind, Workbook};

/// The corpus folder, or a word aloud that there is none.
fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("SPREADSHEET_MCP_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("SKIPPED: no corpus at {} (set SPREADSHEET_MCP_CORPUS)", folder.display());
    None
}

fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if extensions.contains(&path.extension().unwrap_or_default().to_str().unwrap()) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn open(path: &Path) -> Result<(Workbook, Vec<Arc<Sheet>>), OpenError> {
    let bytes: Arc<[u8]> = std::fs::read(path).unwrap().into();
    let book = Workbook::open(bytes, path.to_str().unwrap(), &Limits::default(), &())?;
    let sheets = book.sheets(2, &())?;
    Ok((book, sheets))
}

/// Files where `calamine` is known to differ, and why ours is right.
const CALAMINE_DIFFERS: [(&str, &str); 5] = [
    ("duplicate-filename.xlsx", "an inline string has its text in `v`; calamine looks into `is` alone"),
    ("SimpleStrict.xlsx", "ISO dates of the Strict form are dates to us and texts to calamine"),
    (
        "XLOOKUP.xlsx",
        "calamine shifts some shared formulas from the wrong cell; neighbours' own texts agree with us",
    ),
    ("FLOOR_CEILING.xlsx", "as above"),
    ("MATH_AND_TRIGONOMETRY__FLOOR_CEILING.xlsx", "as above"),
];

/// One text for equal values, whichever reader they come from. `calamine` knows no empty text.
fn ours(value: Value<'_>) -> String {
    match value {
        Value::Empty | Value::Text("") => String::new(),
        Value::Number(number) => format!("{number}"),
        Value::Text(text) => format!("\"{}\"", text.replace("\r\n", "\n")),
        Value::Bool(value) => format!("{value}"),
        Value::Error(error) => error.to_string(),
    }
}

fn theirs(data: &Data) -> String {
    match data {
        Data::Empty => String::new(),
        Data::String(text) if text.is_empty() => String::new(),
        Data::Int(number) => format!("{number}"),
        Data::Float(number) => format!("{number}"),
        Data::DateTime(moment) => format!("{}", moment.as_f64()),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
            format!("\"{}\"", text.replace("\r\n", "\n"))
        }
        Data::Bool(value) => format!("{value}"),
        Data::Error(error) => format!("{error}"),
    }
}

#[derive(Default)]
struct Tally {
    files: u32,
    cells: u64,
    formulas: u64,
    differences: BTreeMap<String, Vec<String>>,
}

impl Tally {
    fn compare(&mut self, name: &str, bytes: &[u8], sheets: &[Arc<Sheet>]) {
        let Ok(mut peer) = open_workbook_from_rs::<Xlsx<_>, _>(std::io::Cursor::new(bytes)) else {
            println!("calamine cannot open {name}; not compared");
            return;
        };
        self.files += 1;
        for sheet in sheets.iter().filter(|sheet| sheet.kind == SheetKind::Worksheet) {
            let Ok(values) = peer.worksheet_range(&sheet.name) else { continue };
            let formulas = peer.worksheet_formula(&sheet.name).unwrap_or_default();
            let mut expected: BTreeMap<CellRef, (String, String)> = BTreeMap::new();
            let (row_0, col_0) = values.start().unwrap_or_default();
            for (row, col, data) in values.used_cells() {
                let at = CellRef::new(row_0 + row as u32, col_0 + col as u32).unwrap();
                expected.entry(at).or_default().0 = theirs(data);
            }
            let (row_0, col_0) = formulas.start().unwrap_or_default();
            for (row, col, text) in formulas.used_cells() {
                let at = CellRef::new(row_0 + row as u32, col_0 + col as u32).unwrap();
                expected.entry(at).or_default().1.clone_from(text);
            }
            let mut found: BTreeMap<CellRef, (String, String)> = BTreeMap::new();
            for (at, cell) in sheet.cells_by_row(CellRange::ALL) {
                let formula =
                    cell.formula.map(|id| sheet.formula_text(at, id).into_owned()).unwrap_or_default();
                let value = ours(cell.value);
                if !value.is_empty() || !formula.is_empty() {
                    found.insert(at, (value, formula));
                }
            }
            self.cells += found.len() as u64;
            self.formulas += found.values().filter(|(_, formula)| !formula.is_empty()).count() as u64;
            let positions: std::collections::BTreeSet<_> = expected.keys().chain(found.keys()).collect();
            for at in positions {
                let (ours, theirs) = (
                    found.get(at).cloned().unwrap_or_default(),
                    expected.get(at).cloned().unwrap_or_default(),
                );
                if ours != theirs {
                    self.differences
                        .entry(name.to_owned())
                        .or_default()
                        .push(format!("{}!{at}: ours {ours:?}, calamine {theirs:?}", sheet.name));
                }
            }
        }
    }
}

#[test]
fn every_cell_equals_what_calamine_reads() {
    let Some(corpus) = corpus() else { return };
    let mut tally = Tally::default();
    let mut refused = BTreeMap::new();
    for path in files(&corpus, &["xlsx", "xlsm", "xltx", "xltm"]) {
        let name = path.strip_prefix(&corpus).unwrap().display().to_string();
        let start = Instant::now();
        match open(&path) {
            Ok((_, sheets)) => tally.compare(&name, &std::fs::read(&path).unwrap(), &sheets),
            Err(error) => {
                assert!(
                    start.elapsed() < Duration::from_secs(2),
                    "{name} took {:?} to refuse",
                    start.elapsed()
                );
                refused.insert(name, error.to_string());
            }
        }
    }
    for (name, error) in &refused {
        println!("refused {name}: {error}");
    }
    for (name, differences) in &tally.differences {
        println!("{name}: {} differences, the first: {}", differences.len(), differences[0]);
    }
    println!("{} files, {} cells and {} formulas compared", tally.files, tally.cells, tally.formulas);
    let unexplained: Vec<&String> = tally
        .differences
        .keys()
        .filter(|name| !CALAMINE_DIFFERS.iter().any(|(known, _)| name.ends_with(known)))
        .collect();
    assert!(unexplained.is_empty(), "differences without a known reason: {unexplained:?}");
    assert!(tally.cells > 1_000_000, "the corpus holds more cells than were compared");
}
