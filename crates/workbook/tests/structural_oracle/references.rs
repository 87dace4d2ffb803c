//! Everything in a workbook that refers to cells, one line each.

use std::collections::BTreeMap;

use grid::CellRange;
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

/// What only one of two has.
pub(crate) fn difference(ours: &References, theirs: &References) -> Vec<String> {
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
