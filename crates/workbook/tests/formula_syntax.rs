//! Every formula that a real file holds is one for us, and is stored as it was.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;

use formula::{check_syntax, to_stored};
use workbook::{FormulaKind, Limits, Workbook};

/// Where a program wrote a newer function without its mark: openpyxl, told to.
const UNMARKED: &str = "f33914b87a-openpyxl_example.xlsx: CONCAT(";

#[test]
fn real_formulas_are_formulas() {
    let Some(folder) = fixtures::corpus::folder() else { return };
    let (mut checked, mut broken, mut changed) = (0, BTreeMap::<String, Vec<String>>::new(), Vec::new());
    for path in fixtures::corpus::files(&folder, &["xlsx", "xlsm", "xltx", "xltm"]).unwrap() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes: Arc<[u8]> = std::fs::read(&path).unwrap().into();
        let Ok(book) = Workbook::open(bytes, &name, &Limits::default(), &()) else { continue };
        let mut check = |formula: &str| {
            checked += 1;
            if let Err(error) = check_syntax(formula) {
                broken.entry(name.clone()).or_default().push(error.to_string());
            } else if to_stored(formula) != formula {
                changed.push(format!("{name}: {formula} as {}", to_stored(formula)));
            }
        };
        for id in book.sheet_ids() {
            let Ok(sheet) = book.sheet(id, &()) else { continue };
            for (_, formula) in sheet.formulas().iter() {
                if !matches!(formula.kind, FormulaKind::DataTable { .. }) {
                    check(&formula.text);
                }
            }
        }
        for name in &book.names {
            check(&name.refers_to);
        }
    }
    fixtures::corpus::say(&format!("syntax: {checked} distinct formulas checked"));
    assert!(broken.is_empty(), "{broken:#?}");
    changed.retain(|formula| !formula.starts_with(UNMARKED));
    assert!(
        changed.is_empty(),
        "{} would be stored otherwise: {:#?}",
        changed.len(),
        &changed[..changed.len().min(20)]
    );
    assert!(checked > 10_000, "{checked} formulas");
}
