//! Every real file of the corpus, cell by cell against `calamine`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod compare;
mod refused;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use workbook::{Limits, OpenError, Sheet, Workbook};

use compare::{CALAMINE_DIFFERS, Tally};
use refused::{REFUSED, Refusal};

/// Files that `calamine` cannot open at all. `openpyxl` reads the same values from the first three; nobody else the fourth.
const NOT_IN_CALAMINE: &[&str] = &[
    "56f6e3105f",
    "a60d8b0163",
    "e9ac8d566a",
    "626fd5ddb8",
    // OpenDocument with white space between its cells, or without its `mimetype`.
    "07cbd7d3ac",
    "4debfecfa0",
    "53cad11375",
    "616a18da40",
    // A text that is named `.xls`.
    "33570d24a4",
];
/// How long a broken file may take.
const MAX_REFUSAL: Duration = Duration::from_secs(2);

fn open(path: &Path) -> Result<Vec<Arc<Sheet>>, OpenError> {
    let bytes: Arc<[u8]> = std::fs::read(path).unwrap().into();
    Workbook::open(bytes, path.to_str().unwrap(), &Limits::default(), &())?.sheets(2, &())
}

fn refusal(error: &OpenError) -> Option<Refusal> {
    match error {
        OpenError::Damaged { .. } => Some(Refusal::Damaged),
        OpenError::Encrypted => Some(Refusal::Encrypted),
        OpenError::NotASpreadsheet { .. } => Some(Refusal::NotASpreadsheet),
        OpenError::OverBudget { .. } => Some(Refusal::OverBudget),
        OpenError::Cancelled => None,
    }
}

/// Compares the files of some extensions; each one is either read in full or refused for its known reason.
#[track_caller]
fn check(extensions: &[&str], at_least_cells: u64) {
    let Some(corpus) = fixtures::corpus::folder() else { return };
    let mut tally = Tally::default();
    let mut refused = 0;
    let mut surprises = Vec::new();
    for path in fixtures::corpus::files(&corpus, extensions).unwrap() {
        let name = path.strip_prefix(&corpus).unwrap().display().to_string();
        let known = REFUSED.iter().find(|(start, ..)| name.contains(start)).map(|(_, refusal, _)| *refusal);
        let start = Instant::now();
        match open(&path) {
            Ok(_) if known.is_some() => surprises.push(format!("{name} opens")),
            Ok(sheets) => tally.compare(&name, &std::fs::read(&path).unwrap(), &sheets),
            Err(error) => {
                assert!(start.elapsed() < MAX_REFUSAL, "{name} took {:?} to refuse", start.elapsed());
                refused += 1;
                if known.is_none() || refusal(&error) != known {
                    surprises.push(format!("{name}: {error}"));
                }
            }
        }
    }
    for (name, differences) in &tally.differences {
        println!("{name}: {} differences, the first: {}", differences.len(), differences[0]);
        if !CALAMINE_DIFFERS.iter().any(|(known, _)| name.ends_with(known)) {
            surprises.push(format!("{name} differs without a known reason"));
        }
    }
    for name in &tally.not_compared {
        if !NOT_IN_CALAMINE.iter().any(|known| name.contains(known)) {
            surprises.push(format!("calamine cannot open {name}"));
        }
    }
    fixtures::corpus::say(&format!(
        "{}: {} files, {} cells and {} formulas compared; {refused} files refused, {} not in calamine",
        extensions.join(" "),
        tally.files,
        tally.cells,
        tally.formulas,
        tally.not_compared.len()
    ));
    assert!(surprises.is_empty(), "{} surprises:\n{}", surprises.len(), surprises.join("\n"));
    assert!(tally.cells >= at_least_cells, "the corpus holds more cells than the {} compared", tally.cells);
}

#[test]
fn office_open_xml() {
    check(&["xlsx", "xlsm", "xltx", "xltm"], 1_900_000);
}

#[test]
fn binary_and_open_document() {
    check(&["xls", "xlt", "xlsb", "ods", "fods"], 25_000);
}
