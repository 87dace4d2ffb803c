//! Everything in a workbook that refers to cells, one line each.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use grid::CellRange;
use regex::{Captures, Regex};
use workbook::{Sheet, Workbook};

/// Lines, with how often each is there: `formula Data!B2 = SUM(A1:A3)`.
pub(crate) type References = BTreeMap<String, usize>;

pub(crate) fn of(book: &Workbook) -> References {
    let mut found = References::new();
    let mut add = |line: String| *found.entry(line).or_default() += 1;
    for name in &book.names {
        let scope = name.scope.map(|id| book.tab(id).name.as_str()).unwrap_or_default();
        add(format!("name {scope}!{} = {}", name.name, name.refers_to));
    }
    for id in book.sheet_ids() {
        if let Ok(sheet) = book.sheet(id, &()) {
            of_sheet(&sheet, &mut add);
        }
    }
    found
}

/// With what floats above the cells, which LibreOffice anchors in its own way.
pub(crate) fn with_anchors(book: &Workbook) -> References {
    let mut found = of(book);
    for id in book.sheet_ids() {
        let Ok(sheet) = book.sheet(id, &()) else { continue };
        let anchors = sheet
            .charts
            .iter()
            .map(|chart| ("chart", chart.anchor))
            .chain(sheet.images.iter().map(|image| ("image", image.anchor)))
            .chain(sheet.shapes.iter().map(|shape| ("shape", shape.anchor)));
        for (kind, anchor) in anchors {
            *found.entry(format!("{kind} {} {anchor:?}", sheet.name)).or_default() += 1;
        }
        for pivot in &sheet.pivots {
            *found
                .entry(format!("pivot {} {:?} {:?}", sheet.name, pivot.range, pivot.source))
                .or_default() += 1;
        }
    }
    found
}

fn of_sheet(sheet: &Sheet, add: &mut impl FnMut(String)) {
    let home = &sheet.name;
    for (at, cell) in sheet.cells_by_row(CellRange::ALL) {
        if let Some(id) = cell.formula {
            add(format!("formula {home}!{at} = {}", sheet.formula_text(at, id)));
        }
    }
    for merge in &sheet.merges {
        add(format!("merge {home}!{merge}"));
    }
    for rule in &sheet.validations {
        let formulas = (rule.formula1.as_deref().unwrap_or(""), rule.formula2.as_deref().unwrap_or(""));
        let ranges = listed(&rule.ranges);
        add(format!("validation {home}!{ranges} = {} {} {}", rule.kind, formulas.0, formulas.1));
    }
    for rule in &sheet.conditional_formats {
        let detail = rule.detail.as_deref().unwrap_or_default();
        let (ranges, formulas) = (listed(&rule.ranges), rule.formulas.join(" | "));
        add(format!("rule {home}!{ranges} = {} {formulas} {detail}", rule.kind));
    }
    for table in &sheet.tables {
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        add(format!("table {} = {home}!{} {}", table.name, table.range, columns.join(", ")));
    }
    for chart in &sheet.charts {
        for (number, series) in chart.series.iter().enumerate() {
            let [name, categories, values] = [&series.name, &series.categories, &series.values]
                .map(|formula| formula.as_deref().unwrap_or_default());
            add(format!("series {home} {} {number} = {name} | {categories} | {values}", chart.name));
        }
    }
    for link in &sheet.hyperlinks {
        add(format!("link {home}!{} = {:?}", link.range, link.target));
    }
    for comment in &sheet.comments {
        add(format!("comment {home}!{}", comment.cell));
    }
    if let Some(filter) = &sheet.auto_filter {
        add(format!("filter {home}!{}", filter.range));
    }
}

/// Ranges in an order of their own, for programs write them in theirs.
fn listed(ranges: &[CellRange]) -> String {
    let mut ranges: Vec<String> = ranges.iter().map(CellRange::to_string).collect();
    ranges.sort();
    ranges.join(" ")
}

/// `Data!#REF!`, which Excel writes for lost cells. LibreOffice writes `#REF!`, and reads that of Excel as a name in small
/// letters.
static LOST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)(?:'(?:[^']|'')*'|[\w.]+)!#ref!|#ref!").expect("a sound pattern"));

/// One cell that is written as a range: LibreOffice does it in the series of charts that followed an edit.
static CELL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(\$[A-Z]+\$\d+):(\$[A-Z]+\$\d+)").expect("a sound pattern"));

/// Quotes around the name of a sheet that needs none.
static QUOTES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("'([A-Za-z][A-Za-z]+)'!").expect("a sound pattern"));

/// The same for both ways of writing.
fn in_one_way(line: &str) -> String {
    let line: Cow<'_, str> = LOST.replace_all(line, "#REF!");
    let cell = |found: &Captures<'_>| {
        let whole = if found[1] == found[2] { &found[1] } else { &found[0] };
        whole.to_owned()
    };
    let line = CELL.replace_all(&line, cell);
    QUOTES.replace_all(&line, "$1!").replace('\n', " ")
}

/// What only one of two that LibreOffice stored has.
pub(crate) fn difference(ours: &References, theirs: &References) -> Vec<String> {
    let [ours, theirs] = [ours, theirs].map(|found| {
        let mut same = References::new();
        for (line, count) in found {
            *same.entry(in_one_way(line)).or_default() += count;
        }
        same
    });
    let (ours, theirs) = (&ours, &theirs);
    let beyond = |some: &References, others: &References, mark: &str| -> Vec<String> {
        some.iter()
            .filter(|(line, count)| others.get(*line).copied().unwrap_or(0) < **count)
            .map(|(line, _)| format!("{mark} {line}"))
            .collect()
    };
    let mut found = beyond(ours, theirs, "ours");
    found.extend(beyond(theirs, ours, "LibreOffice"));
    found
}
