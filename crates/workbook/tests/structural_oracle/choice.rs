//! Which real files are edited, and where: those with most of everything that refers to cells.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use workbook::{Limits, Sheet, SheetId, SheetKind, Workbook};

/// Larger files would take the time of many others.
const MAX_BYTES: u64 = 3_000_000;
const MAX_FORMULAS: u64 = 20_000;
/// How many files are taken for each kind of reference.
const FILES_PER_KIND: usize = 9;

/// A file, and the sheet of it that is edited.
pub(crate) struct Chosen {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    pub(crate) sheet: SheetId,
}

/// The same files on every machine that has this corpus.
pub(crate) fn files(folder: &Path) -> Vec<Chosen> {
    let mut candidates: Vec<(Chosen, [u64; 6])> = Vec::new();
    for path in fixtures::corpus::files(folder, &["xlsx", "xlsm"]).expect("a readable corpus") {
        let is_small = std::fs::metadata(&path).is_ok_and(|file| file.len() <= MAX_BYTES);
        if let Some(candidate) = is_small.then(|| candidate(path)).flatten() {
            candidates.push(candidate);
        }
    }
    let mut chosen: Vec<usize> = Vec::new();
    for kind in 0..6 {
        let mut order: Vec<usize> = (0..candidates.len()).filter(|at| candidates[*at].1[kind] > 0).collect();
        // Of two with as many, the first by its path.
        order.sort_by_key(|at| std::cmp::Reverse(candidates[*at].1[kind]));
        chosen.extend(order.into_iter().take(FILES_PER_KIND));
    }
    chosen.sort_unstable();
    chosen.dedup();
    let mut position = 0;
    candidates.retain(|_| {
        position += 1;
        chosen.binary_search(&(position - 1)).is_ok()
    });
    candidates.into_iter().map(|(chosen, _)| chosen).collect()
}

/// A file that may be chosen, with how many it has of each kind of reference.
fn candidate(path: PathBuf) -> Option<(Chosen, [u64; 6])> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let book = open(&path).ok()?;
    workbook::edit::Draft::new(&book, &Limits::default()).ok()?;
    let sheets: Vec<(SheetId, Arc<Sheet>)> = book
        .sheet_ids()
        .map(|id| book.sheet(id, &()).map(|sheet| (id, sheet)))
        .collect::<Result<_, _>>()
        .ok()?;
    // LibreOffice does not edit sheets that are protected.
    let edited = sheets
        .iter()
        .filter(|(_, sheet)| {
            sheet.kind == SheetKind::Worksheet && sheet.protection.is_none() && sheet.used_range().is_some()
        })
        .max_by_key(|(id, sheet)| (sheet.formula_count(), sheet.cell_count(), std::cmp::Reverse(*id)))?;
    let total = |count: &dyn Fn(&Sheet) -> u64| sheets.iter().map(|(_, sheet)| count(sheet)).sum::<u64>();
    let counts = [
        total(&Sheet::formula_count),
        book.names.len() as u64,
        total(&|sheet| sheet.validations.len() as u64),
        total(&|sheet| sheet.conditional_formats.len() as u64),
        total(&|sheet| sheet.tables.len() as u64),
        total(&|sheet| sheet.charts.iter().map(|chart| chart.series.len() as u64).sum()),
    ];
    let sheet = edited.0;
    (counts[0] <= MAX_FORMULAS).then_some((Chosen { path, name, sheet }, counts))
}

pub(crate) fn open(path: &Path) -> Result<Workbook, String> {
    let bytes: Arc<[u8]> = std::fs::read(path).map_err(|error| error.to_string())?.into();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Workbook::open(bytes, &name, &Limits::default(), &()).map_err(|error| error.to_string())
}
