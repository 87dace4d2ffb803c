//! The workbooks that Excel stored, with what it had computed.

use std::path::Path;
use std::sync::Arc;

use workbook::{Limits, Sheet, Workbook};

/// A workbook of the corpus.
pub(crate) struct Book {
    /// Its path within the corpus.
    pub(crate) name: String,
    pub(crate) book: Workbook,
    pub(crate) sheets: Vec<Arc<Sheet>>,
}

/// Files that call Excel their author and hold what another program, or nobody, computed. By the start of their names.
const NOT_EXCEL: &[(&str, &str)] = &[
    ("c94d6be35d-dynamic_array01", "its only formula holds the 0 that XlsxWriter writes"),
    ("2bc49ba351-table36", "its formulas hold the 0 that XlsxWriter writes"),
    ("05ba49682a-embed_image05", "its formulas hold the 0 that XlsxWriter writes"),
    (
        "91f93c8f9f-issue.3720",
        "its formulas, captions among them, hold empty texts: whatever stored it computed nothing",
    ),
    ("03f4f012c8-64473", "it is from a template of Apache POI's, and never was computed"),
];

/// Every workbook of the corpus that Excel wrote.
pub(crate) fn books(folder: &Path) -> Vec<Book> {
    let mut found = Vec::new();
    for path in fixtures::corpus::files(folder, &["xlsx", "xlsm", "xltx", "xltm", "xlsb"]).unwrap() {
        let name = path.strip_prefix(folder).unwrap().display().to_string();
        if NOT_EXCEL.iter().any(|(start, _)| name.contains(start)) {
            continue;
        }
        let bytes: Arc<[u8]> = std::fs::read(&path).unwrap().into();
        // What does not open is the business of other tests.
        let Ok(book) = Workbook::open(bytes, &name, &Limits::default(), &()) else { continue };
        let is_excel =
            |application: &str| application.starts_with("Microsoft") && application.contains("Excel");
        if !book.properties.application.as_deref().is_some_and(is_excel) {
            continue;
        }
        if let Ok(sheets) = book.sheets(2, &()) {
            found.push(Book { name, book, sheets });
        }
    }
    found
}
